"""Arguments of Python as the library takes them; what is none of their type is an error that says so."""

from __future__ import annotations

import json
import math
import operator
import os
from typing import Any, Optional

from .errors import InvalidArgumentError, InvalidDataError, InvalidSpecError


def whole(value: Any, where: str, most: int) -> int:
    """A whole number that the library has room for; 0, which leaves it to the library, for None."""
    if value is None:
        return 0
    try:
        made = operator.index(value)
    except TypeError:
        raise InvalidArgumentError(f"{value!r} is no whole number", where, "pass an int, or None") from None
    if abs(made) > most:
        raise InvalidArgumentError(f"{made} is too large", where, f"pass at most {most}, or None")
    return made


def number(value: Any, where: str) -> float:
    """A number."""
    try:
        return float(operator.index(value) if not hasattr(value, "__float__") else value)
    except (TypeError, ValueError):
        raise InvalidArgumentError(f"{value!r} is no number", where, "pass a float") from None


def path(value: Any, where: str = "path") -> bytes:
    """The path of a file."""
    try:
        made = os.fsencode(value)
    except TypeError:
        raise InvalidArgumentError(f"{value!r} is no path", where, "pass a text or a pathlib.Path") from None
    except UnicodeEncodeError:
        raise InvalidArgumentError(f"{value!r} has half of a surrogate pair, which is no character", where, "pass another path") from None
    if b"\0" in made:
        raise InvalidArgumentError(f"{value!r} has a NUL character", where, "pass a path without one")
    return made


def utf8(text: str, where: str) -> bytes:
    """A name or a label."""
    try:
        data = text.encode("utf-8")
    except UnicodeEncodeError:
        raise InvalidDataError(
            f"{text!r} has half of a surrogate pair, which is no character", where, "replace it: text.encode('utf-8', 'replace').decode()"
        ) from None
    if b"\0" in data:
        raise InvalidDataError(f"{text!r} has a NUL character", where, "rename it without one")
    return data


def dumps(value: Any) -> bytes:
    """A spec or a request as JSON. Numbers and arrays of NumPy are those of Python."""
    return json.dumps(_plain(value, "")).encode()


def _plain(part: Any, where: str) -> Any:
    """A part of a spec without anything that JSON has no place for; `where` is its path."""
    if part is None or isinstance(part, (bool, int)):
        return part
    if isinstance(part, float):
        if not math.isfinite(part):
            raise InvalidSpecError(f"is {part}, and must be finite", where or None, "give a number, or leave it out")
        return part
    if isinstance(part, str):
        try:
            part.encode("utf-8")
        except UnicodeEncodeError:
            raise InvalidSpecError(f"{part!r} has half of a surrogate pair, which is no character", where or None, "give another text") from None
        return part
    if isinstance(part, dict):
        return {_key(key, where): _plain(value, f"{where}.{key}" if where else str(key)) for key, value in part.items()}
    if isinstance(part, (list, tuple)):
        return [_plain(value, f"{where}[{place}]") for place, value in enumerate(part)]
    if hasattr(part, "tolist"):
        return _plain(part.tolist(), where)
    raise InvalidSpecError(f"{part!r} has no place in a spec", where or None, "use numbers, texts, lists and dictionaries")


def _key(key: Any, where: str) -> str:
    if isinstance(key, (bool, int, float)) or hasattr(key, "dtype") and getattr(key, "ndim", 1) == 0:
        from ._columns import label_text  # (Which needs this module.)

        key = label_text(key)  # An arm as its owner has it.
    if not isinstance(key, str):
        raise InvalidSpecError(f"{key!r} is no name", where or None, "use texts for keys")
    return str(_plain(key, where))


def mapping(value: Optional[Any], where: str) -> dict[str, Any]:
    """A section of a spec, or a spec."""
    if value is not None and not isinstance(value, dict):
        raise InvalidSpecError(f"is {type(value).__name__}, and must be a dictionary", where, "give keys with values, as in {'data': {'exclude': ['a']}}")
    return value or {}
