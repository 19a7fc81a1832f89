"""Numbers for each row and arm: propensities, expected outcomes and effects, whose columns may be named after the arms."""

from __future__ import annotations

import ctypes as c
from collections.abc import Mapping
from typing import Any, Optional, Sequence

import numpy as np

from . import _library as native
from ._arguments import dumps
from ._columns import Array, Values, as_array, column, label_text, numbers
from ._data import Frame
from ._library import Handle, lib
from .errors import InvalidDataError


def matrix(values: Any, what: str) -> Array:
    """The numbers as rows × columns, NaN where they are missing.

    Raises
    ------
    InvalidDataError
        Where they are texts, or of another shape.
    """
    named = _columns_of(values)
    if named is not None:
        parts = [_doubles(column(part, f"{what}: {name}"), f"{what}: {name}") for name, part in named]
        if len({len(part) for part in parts}) > 1:
            raise InvalidDataError("columns have different lengths", what, "pass one value for each row")
        return np.column_stack(parts) if parts else np.empty((0, 0))
    array = None if type(values).__module__.split(".")[0] in ("pandas", "polars", "pyarrow") else as_array(values, what)
    if array is None or array.ndim < 2:
        return _doubles(column(values, what), what)[:, None]
    if array.ndim != 2:
        raise InvalidDataError(f"has the shape {array.shape}", what, "pass rows, or rows × arms")
    if array.dtype.kind in "OUS" or np.ma.is_masked(array):
        return np.column_stack([_doubles(column(array[:, place], what), what) for place in range(array.shape[1])])
    return numbers(np.ma.getdata(array), what)


def _doubles(values: Values, what: str) -> Array:
    """A column of numbers, with NaN where a value is missing."""
    if values.levels is not None:
        raise InvalidDataError("texts cannot be used", what, "pass numbers: astype(float)")
    if values.validity is None:
        return values.numbers
    there = np.unpackbits(values.validity, bitorder="little")[: len(values.numbers)] == 1
    return np.where(there, values.numbers.astype(np.float64), np.nan)


def _columns_of(values: Any) -> Optional[list[tuple[str, Any]]]:
    """The columns of a table with their names; None where it is no table."""
    if isinstance(values, Mapping):
        return [(label_text(name), part) for name, part in values.items()]
    if hasattr(values, "iloc") and hasattr(values, "columns"):
        return [(label_text(name), values.iloc[:, place]) for place, name in enumerate(values.columns)]
    module = type(values).__module__.split(".")[0]
    if module == "polars" and hasattr(values, "columns"):
        return [(name, values[name]) for name in values.columns]
    if module == "pyarrow" and hasattr(values, "schema"):
        return [(name, values.column(place)) for place, name in enumerate(values.schema.names)]
    return None


def names_of(values: Any) -> Optional[list[str]]:
    """The names that somebody gave the columns of a table; None where nobody did."""
    if type(getattr(values, "columns", None)).__name__ == "RangeIndex":
        return None
    named = _columns_of(values)
    names = None if named is None else [name for name, _ in named]
    # What polars calls the columns of an array.
    return None if names == [f"column_{place}" for place in range(len(names or ()))] else names


def in_order(values: Array, names: Optional[Sequence[str]], arms: Sequence[str], what: str) -> tuple[Array, list[str]]:
    """The columns in the order of the arms, the control first, where they are named after arms; else as they stand, and what to warn of.

    Raises
    ------
    InvalidDataError
        Where some are named after arms and others are not, or where the control's column stands alone.
    """
    if names is None or not names:
        return values, []
    listed = ", ".join(f"'{arm}'" for arm in arms)
    if not set(names) & set(arms):
        if len(names) == 1:
            return values, []
        given = ", ".join(f"'{name}'" for name in names[:6]) + (", …" if len(names) > 6 else "")
        return values, [
            f"{what}: the columns {given} are named after no arm, and are taken in their order for the arms {listed}: name them after the arms,"
            " or pass .to_numpy() where the order is right"
        ]
    for order in (arms, arms[1:]):
        if sorted(names) == sorted(order):
            return values[:, [names.index(arm) for arm in order]], []
    raise InvalidDataError(
        "has columns named " + ", ".join(f"'{name}'" for name in names) + f", and the arms are {listed}, the control first", what,
        "name a column after each arm, or pass .to_numpy() with the control first",
    )  # fmt: skip


def arm_order(treatment: Values, names: Sequence[str], data: dict[str, Any], part: bool) -> list[str]:
    """The arms with the control first, as the library will have them. Other processes may have arms that only `names` tell of."""
    present = {treatment.levels[code] for code in np.unique(treatment.numbers) if code >= 0} if treatment.levels else set()
    labels = [level for level in treatment.levels or () if level in present]
    if part and present < set(names):
        labels = sorted(names)
    # (As many rows of each as tell arms from doses.)
    rows = np.tile(np.arange(len(labels), dtype=np.int32), 20)
    table, kept = Frame(len(rows), {"arm": Values(rows, labels), "outcome": Values(rows.astype(np.float64)), "x": Values(rows)}).table()
    spec = {"data": {"treatment": "arm", "outcome": "outcome", **({"control": data["control"]} if data.get("control") is not None else {})}}
    made = c.c_void_p()
    native.call(lib.mtlr_dataset_create, c.byref(made), c.byref(table), dumps(spec), native.COPY)
    handle = Handle(made, lib.mtlr_dataset_free, kept)
    return arms_of(handle)


def arms_of(dataset: Handle) -> list[str]:
    """The arms of a dataset, the control first."""
    return [lib.mtlr_dataset_arm_label(dataset.pointer, arm).decode() for arm in range(lib.mtlr_dataset_arm_count(dataset.pointer))]
