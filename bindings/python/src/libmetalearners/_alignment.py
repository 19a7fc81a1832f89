"""Indexes of pandas: values are taken row by row as they stand, so that indexes which say something else are refused."""

from __future__ import annotations

from typing import Any, Optional

from .errors import InvalidDataError


class Alignment:
    """The indexes of everything that is taken row by row together, each under what it is called."""

    def __init__(self, other: Optional["Alignment"] = None) -> None:
        self._seen: list[tuple[str, Any]] = list(other._seen) if other is not None else []

    def add(self, name: str, values: Any) -> None:
        """Takes the index of `values`, where they have one.

        Raises
        ------
        InvalidDataError
            Where it has the rows of another one in another order, or other rows. The index that pandas gives to rows without names, 0, 1, … in
            order, says nothing of rows: beside it others stand, but for those that number the same rows in another order.
        """
        index = _index(values)
        if index is None or any(index is seen or index.equals(seen) for _, seen in self._seen):
            return
        for other, seen in self._seen:
            _require_same(name, index, other, seen)
        self._seen.append((name, index))


def _index(values: Any) -> Any:
    """The index of a series or a frame; lists have a method of that name."""
    index = getattr(values, "index", None)
    return index if hasattr(index, "is_unique") and hasattr(index, "equals") else None


def _require_same(name: str, index: Any, other: str, seen: Any) -> None:
    if len(index) != len(seen):
        return  # What has too few or too many rows is told elsewhere.
    levels = getattr(index, "nlevels", 1)
    if levels == getattr(seen, "nlevels", 1) and index.is_unique and seen.is_unique and index.isin(seen).all():
        raise InvalidDataError(
            f"has the rows of {other} in another order, as its index says", name,
            f"align it (.loc[{'X.index' if other == 'X' else f'the index of {other}'}]), or pass .to_numpy() where the order is right as it stands",
        )  # fmt: skip
    if _is_default(index) or _is_default(seen):
        return
    raise InvalidDataError(
        f"has other rows than {other}, or the same in another order, as its index says", name,
        "pass the values of the same rows; where they belong together as they stand, say so: .reset_index(drop=True) on all of them, or .to_numpy()",
    )  # fmt: skip


def _is_default(index: Any) -> bool:
    if type(index).__name__ == "RangeIndex":
        return bool(index.start == 0 and index.step == 1)
    # The same numbers in the same order, as sorting by the index leaves them.
    return getattr(index.dtype, "kind", "") in "iu" and bool((index == range(len(index))).all())
