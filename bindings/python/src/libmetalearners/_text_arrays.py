"""Numbers that are written as texts, among them those of arrays of texts, which NumPy makes of rows that have numbers and texts.

Nobody can tell them from categories whose names are numbers. So a fit refuses arrays of texts with such columns and warns of all others; of new
rows the learner knows which columns are categories.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Collection, Iterable

import numpy.typing as npt

from .errors import InvalidDataError

if TYPE_CHECKING:
    from ._data import Frame

#: What stands for a missing value among texts, in lower case: as in data files (docs/cli.md).
_MISSING = frozenset(["", ".", "-", "--", "?", "na", "n/a", "#n/a", "<na>", "n.a.", "nan", "null", "none", "nil", "missing"])
#: Arrow tables are looked through only where their first rows look like numbers.
_FIRST_ROWS = 1000
_PURPOSE = "spec={'data': {'categorical': [%s]}}"


def are_texts(data: Any, array: npt.NDArray[Any]) -> bool:
    """Whether a matrix, or one of the rows that it is made of, is an array of texts.

    Parameters
    ----------
    data : what the caller gave: the array, or the rows that it was made of.
    array : shape (n, p).
    """
    if array.dtype.kind in "US":
        return True
    if array.dtype.kind != "O" or not isinstance(data, (list, tuple)):
        return False
    return any(row.dtype.kind in "US" for row in data if hasattr(row, "dtype"))


def check_learnt(frame: Frame, covariates: Collection[str], categorical: Collection[str]) -> list[str]:
    """Looks for numbers that are written as texts among the covariates of a fit: refuses those of arrays of texts, and says what to warn of.

    Parameters
    ----------
    covariates : names of columns.
    categorical : those of them that the spec calls categories: they are, on purpose.
    """
    found = [name for name, levels in _texts(frame) if name in covariates and name not in categorical and _spells_numbers(levels)]
    if not found:
        return []
    purpose = _PURPOSE % ", ".join(repr(name) for name in found)
    if frame.of_texts:
        raise InvalidDataError(
            "all texts of this column are numbers, and in an array of texts they would be categories", f"column '{found[0]}'",
            f"where they are numbers, pass a data frame, a list of rows, or an array made with dtype=object; where they are categories, say so: {purpose}",
        )  # fmt: skip
    names = ", ".join(f"'{name}'" for name in found[:6]) + (", …" if len(found) > 6 else "")
    return [
        f"{'column' if len(found) == 1 else 'columns'} {names}: all texts are numbers, and yet they are categories, because they are texts: pass numbers as numbers"
        f" (float, astype(float)), or say that these are categories: {purpose}, or a categorical column of pandas, polars or Arrow"
    ]


def check_new(frame: Frame, numbers: Collection[str]) -> None:
    """Refuses arrays of texts with a column that a learner knows as numbers."""
    if not frame.of_texts:
        return
    for name, values in frame.columns.items():
        if values.is_text and name in numbers:
            raise InvalidDataError(
                "is text in an array of texts, and the learner was fitted to numbers", f"column '{name}'",
                "pass a data frame, a list of rows, or an array made with dtype=object, in which numbers stay numbers",
            )  # fmt: skip


def _texts(frame: Frame) -> Iterable[tuple[str, Iterable[Any]]]:
    """Columns of texts with their different texts; not those that have a type of categories."""
    for name, values in frame.columns.items():
        if values.is_text:
            yield name, values.labels or ()
    if frame.arrow is None:
        return
    module = type(frame.source).__module__.split(".")[0]
    if module == "polars":
        for name, dtype in frame.source.schema.items():
            if str(dtype) in ("String", "Utf8") and _spells_numbers(frame.source[name].head(_FIRST_ROWS).to_list()):
                yield name, frame.source[name].unique().to_list()
    elif module == "pyarrow" and hasattr(frame.source, "column"):
        kinds = sys.modules["pyarrow"].types
        for place, field in enumerate(frame.source.schema):
            if kinds.is_string(field.type) or kinds.is_large_string(field.type):
                column = frame.source.column(place)
                if _spells_numbers(column.slice(0, _FIRST_ROWS).to_pylist()):
                    yield field.name, column.unique().to_pylist()


def _spells_numbers(texts: Iterable[Any]) -> bool:
    """Whether all texts are numbers or stand for a missing value, and one at least is a number."""
    found = False
    for text in texts:
        if text is None or text != text:
            continue
        try:
            number = float(text)
        except (TypeError, ValueError):
            told = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
            if told.strip().lower() not in _MISSING:
                return False
        else:
            found = found or number == number
    return found
