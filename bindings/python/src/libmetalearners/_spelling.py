"""How data files spell numbers and missing values (docs/cli.md), so that the same texts are the same wherever they come from."""

from __future__ import annotations

import re
from typing import Any, Collection

_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?", re.IGNORECASE)
_INFINITE = re.compile(r"[+-]?(?:inf|infinity)", re.IGNORECASE)
#: What is missing everywhere, in lower case; "NaT" is in this spelling alone.
_WORDS = frozenset(
    ["", "na", "n/a", "nan", "null", "<na>", "#n/a", "#div/0!", "#value!", "#ref!", "#name?", "#num!", "#null!"]
)  # fmt: skip
#: What is missing among numbers alone, in lower case.
_AMONG_NUMBERS = frozenset([".", "-", "--", "?", "none", "nil", "missing", "n.a."])


def is_number(text: str) -> bool:
    """Whether a file has a number there: a decimal one, or an infinite one. Python's own rule takes "1_0" as well, and digits of other scripts."""
    return is_finite(text) or _INFINITE.fullmatch(text.strip()) is not None


def is_finite(text: str) -> bool:
    """Whether a text is a decimal number."""
    return _DECIMAL.fullmatch(text.strip()) is not None


def is_missing(text: str, among_numbers: bool = False) -> bool:
    """Whether a file has nothing there."""
    word = text.strip()
    return word.lower() in _WORDS or word == "NaT" or among_numbers and word.lower() in _AMONG_NUMBERS


def may_be_missing(text: str) -> bool:
    """The same for a text of any column, at little cost."""
    return len(text) < 12 and is_missing(text, among_numbers=True)


#: All of them, in lower case.
WORDS = _WORDS | _AMONG_NUMBERS | {"nat"}


class MissingValues:
    """What ``data.missing_values`` of a spec names: texts, and numbers however they are written."""

    def __init__(self, values: Any) -> None:
        listed: Collection[Any] = values if isinstance(values, (list, tuple, set, frozenset)) else [] if values is None else [values]
        self._texts = {str(value) for value in listed}
        self._numbers = {float(text) for text in self._texts if is_finite(text)}

    def __contains__(self, text: str) -> bool:
        return text in self._texts or bool(self._numbers) and is_finite(text) and float(text) in self._numbers
