"""Arrays of texts, which is what NumPy makes of rows that have numbers and texts."""

from __future__ import annotations

from typing import Any, Sequence

import numpy.typing as npt

from .errors import InvalidDataError


def refuse_numbers_as_texts(data: Any, array: npt.NDArray[Any], names: Sequence[str]) -> None:
    """Refuses an array of texts with a column of numbers: nobody could tell them from categories whose names are numbers.

    Parameters
    ----------
    data : what the caller gave: the array, or the rows that it was made of.
    array : shape (n, p).
    names : what the columns are called.
    """
    if not _are_texts(data, array):
        return
    for place, name in enumerate(names):
        if _spells_numbers(array[:, place].tolist()):
            raise InvalidDataError(
                "all texts of this column are numbers, and in an array of texts they would be categories", f"column '{name}'",
                "where they are numbers, pass a data frame, a list of rows, or an array made with dtype=object; where they are categories, pass X.astype(object)",
            )  # fmt: skip


def _are_texts(data: Any, array: npt.NDArray[Any]) -> bool:
    """Whether a matrix, or one of the rows that it is made of, is an array of texts."""
    if array.dtype.kind in "US":
        return True
    if array.dtype.kind != "O" or not isinstance(data, (list, tuple)):
        return False
    return any(row.dtype.kind in "US" for row in data if hasattr(row, "dtype"))


def _spells_numbers(texts: Sequence[Any]) -> bool:
    """Whether all texts are numbers or stand for a missing value, and one at least is a number."""
    found = False
    for text in texts:
        try:
            number = float(text)
        except (TypeError, ValueError):
            if text not in ("", "None", b"", b"None", None):
                return False
        else:
            found = found or number == number
    return found
