"""A learner prepared to predict one row at a time, as a service wants it."""

from __future__ import annotations

import ctypes as c
import threading
from collections.abc import Mapping
from typing import Any, Optional, Sequence

import numpy as np

from . import _library as native
from ._arguments import utf8
from ._columns import label_text
from ._library import Handle, lib
from ._model import FloatArray, Model
from ._spelling import is_finite, is_number
from .errors import InvalidDataError


#: What has its values in the order of the columns.
_IN_ORDER = frozenset([list, tuple, np.ndarray])


class RowPredictor:
    """A fitted learner prepared to predict single rows, in microseconds; ``learner.row_predictor()`` makes it.

    Call it with a row: a number for each of ``columns``, in their order, or values with names, which are found by name: a mapping, a series of
    pandas whose index are names, a named tuple, a record of NumPy or of a data base. Categories are the label of a level or its code (its place in
    ``levels``). Where all labels are numbers, a number is a label; where some are, a number that could be a label or the code of another one is
    refused. ``None`` and NaN are missing, and a label that training did not have counts as missing. The result has a number for each of
    ``outputs``: shape (K − 1,) for effects of K arms.

    The values are those of ``predict``, to 1e-12 of the size of the outcome (XGBoost: 1e-5). Threads may share it.

    Raises
    ------
    InvalidDataError
        For a row of another length, for values that have no order (sets), and for a code that is none.
    """

    def __init__(self, model: Model, columns: Optional[Sequence[str]], asked: native.Prediction) -> None:
        names = (c.c_char_p * max(1, len(columns or ())))(*[utf8(str(name), "columns") for name in columns or ()])
        made = c.c_void_p()
        given = (names if columns is not None else None, len(columns or ()))
        native.call(lib.mtlr_predictor_create, c.byref(made), model.handle.pointer, *given, c.byref(asked))
        self._handle = Handle(made, lib.mtlr_predictor_free)
        pointer = self._handle.pointer
        #: The names of the values of a row.
        self.columns: list[str] = [
            lib.mtlr_predictor_column_name(pointer, place).decode() for place in range(lib.mtlr_predictor_column_count(pointer))
        ]
        #: The levels of each category, by its name.
        self.levels: dict[str, list[str]] = {
            name: [lib.mtlr_predictor_level(pointer, place, code).decode() for code in range(count)]
            for place, name in enumerate(self.columns)
            for count in [lib.mtlr_predictor_level_count(pointer, place)]
            if count
        }
        #: The names of the numbers of a prediction.
        self.outputs: list[str] = native.read_json(lib.mtlr_model_prediction_names, model.handle.pointer, c.byref(asked))
        #: Whether rows take microseconds; a model without formulas, as those of plug-ins, takes some hundred of them.
        self.is_compiled: bool = bool(lib.mtlr_predictor_is_compiled(pointer))
        # What may call back into Python must not keep its lock.
        self._function = native.predict_row if self.is_compiled else lib.mtlr_predictor_row
        self._codes = {name: {level: code for code, level in enumerate(levels)} for name, levels in self.levels.items()}
        # Where levels are numbers themselves a number is a label, as it is for `predict`, and no code; where some are it may be either.
        self._numeric = {name for name, levels in self.levels.items() if all(map(is_number, levels)) and any(map(is_finite, levels))}
        self._mixed = {name for name, levels in self.levels.items() if any(map(is_number, levels))} - self._numeric
        self._is_told_apart = bool(self._numeric or self._mixed)
        self._local = threading.local()

    def _room(self) -> tuple[Any, ...]:
        """The memory of a thread: a row, its results, and the arguments of the call."""
        row, results = np.empty(len(self.columns)), np.empty(len(self.outputs))
        arguments = (results.ctypes.data, results.size, self._handle.pointer.value, row.ctypes.data, row.size)
        room = row, results, tuple(map(_argument, arguments, lib.mtlr_predictor_row.argtypes))
        self._local.room = room
        return room

    def __call__(self, row: Any) -> FloatArray:
        try:
            values, results, arguments = self._local.room
        except AttributeError:
            values, results, arguments = self._room()
        if type(row) not in _IN_ORDER:
            row = self._in_order(row)
        try:
            # (NumPy would repeat a single value, and read a label such as "3" as a number.)
            if len(row) != len(values) or self._is_told_apart or self._codes and any(isinstance(value, (str, bytes)) for value in row):
                raise ValueError
            values[:] = row
        except (TypeError, ValueError):
            values[:] = self._numbers(row)
        if self._function(*arguments, None):
            native.call(self._function, *arguments)
        made: FloatArray = results.copy()
        return made

    def _in_order(self, row: Any) -> Any:
        """The values of a row in the order of the columns: by name where they have names, else as they stand."""
        named = _named(row)
        if named is not None:
            names, values = named
            absent = [name for name in self.columns if name not in names]
            twice = [name for name in self.columns if names.count(name) > 1]
            if twice:
                raise InvalidDataError("the row has several values for " + ", ".join(map(repr, twice)), "row", "pass one for each name")
            if not absent:
                place = {name: index for index, name in enumerate(names)}
                return [values[place[name]] for name in self.columns]
            # Names that a table or a tuple has made up by itself are none.
            if _is_numbered(row, names, self.columns):
                return values
            if isinstance(row, Mapping) or len(absent) < len(self.columns) or not _is_unnamed(row, names):
                raise InvalidDataError("the row has no value for " + ", ".join(map(repr, absent)), "row", "use None for a missing one")
            return values
        if isinstance(row, (str, bytes)) or not (hasattr(row, "__len__") and hasattr(row, "__getitem__")) or len(getattr(row, "shape", (1,))) != 1:
            raise InvalidDataError(
                f"of the type {type(row).__name__} cannot be read as one row", "row",
                "pass a list of values in the order of columns, or a mapping from names to values",
            )  # fmt: skip
        return row.tolist() if isinstance(row, np.ma.MaskedArray) else row

    def _numbers(self, row: Any) -> list[float]:
        """The numbers of a row that has labels."""
        if len(row) != len(self.columns):
            raise InvalidDataError(
                f"has {len(row)} values, not {len(self.columns)}", "row", "pass a value for each of " + ", ".join(self.columns)
            )
        return [self._number(name, value) for name, value in zip(self.columns, row)]

    def _number(self, name: str, value: Any) -> float:
        if value is None or value is np.ma.masked or type(value).__name__ in ("NAType", "NaTType"):
            return float("nan")
        codes = self._codes.get(name)
        if codes is not None and (isinstance(value, (str, bytes)) or name in self._numeric):
            return float("nan") if value != value else codes.get(label_text(value), -1)
        if name in self._mixed and codes is not None and label_text(value) in codes and codes[label_text(value)] != value:
            if value not in codes.values():
                return codes[label_text(value)]
            raise InvalidDataError(
                f"{value!r} may be the label '{label_text(value)}' or the code of '{self.levels[name][int(value)]}'", f"column '{name}'",
                "pass the label as a text",
            )  # fmt: skip
        try:
            return float(value)
        except (TypeError, ValueError):
            raise InvalidDataError(f"{value!r} is no number", f"column '{name}'", "pass a number, or None") from None

    def __repr__(self) -> str:
        return f"RowPredictor(columns={self.columns}, outputs={self.outputs})"


def _named(row: Any) -> Optional[tuple[list[str], Sequence[Any]]]:
    """The names and the values of a row that has names; None of others."""
    if isinstance(row, Mapping):
        return [label_text(name) for name in row], list(row.values())
    if hasattr(row, "index") and hasattr(row, "iloc") and not hasattr(row, "columns"):
        return [label_text(name) for name in row.index], row.tolist()
    names = getattr(row, "_fields", None) or getattr(row, "__fields__", None) or getattr(getattr(row, "dtype", None), "names", None)
    if names is None and callable(getattr(row, "keys", None)):
        names = row.keys()
    if names is None or len(getattr(row, "shape", ())) != 0:
        return None
    return [str(name) for name in names], [row[place] for place in range(len(row))]


def _is_unnamed(row: Any, names: list[str]) -> bool:
    """Whether the names of a series or a tuple are places, and say nothing of columns."""
    return names == [str(place) for place in range(len(names))] or isinstance(row, tuple)


def _argument(value: Any, kind: Any) -> Any:
    return kind(value)


def _is_numbered(row: Any, names: Sequence[str], columns: Sequence[str]) -> bool:
    """Whether a tuple of pandas (`itertuples`) has the columns in order, with the place for a name that Python cannot write, as in `_1`."""
    return (
        isinstance(row, tuple)
        and len(names) == len(columns)
        and all(name == column or name == f"_{place}" for place, (name, column) in enumerate(zip(names, columns)))
    )
