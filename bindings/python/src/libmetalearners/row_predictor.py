"""A learner prepared to predict one row at a time, as a service wants it."""

from __future__ import annotations

import ctypes as c
import threading
from collections.abc import Mapping
from typing import Any, Optional, Sequence

import numpy as np

from . import _library as native
from ._columns import label_text
from ._library import Handle, lib
from ._model import FloatArray, Model
from .errors import InvalidDataError


class RowPredictor:
    """A fitted learner prepared to predict single rows, in microseconds; ``learner.row_predictor()`` makes it.

    Call it with a row: a number for each of ``columns``, in their order, or a mapping from names to values. Categories are the
    label of a level or its code (its place in ``levels``; where labels are numbers, a number is a label); ``None`` and NaN are missing, and a label that training did not have
    counts as missing. The result has a number for each of ``outputs``: shape (K − 1,) for effects of K arms.

    The values are those of ``predict``, to 1e-12 of the size of the outcome (XGBoost: 1e-5). Threads may share it.

    Raises
    ------
    InvalidDataError
        For a row of another length, and for a code that is none.
    """

    def __init__(self, model: Model, columns: Optional[Sequence[str]], asked: native.Prediction) -> None:
        names = (c.c_char_p * max(1, len(columns or ())))(*[str(name).encode() for name in columns or ()])
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
        # Where levels are numbers themselves a number is a label, as it is for `predict`, and no code.
        self._numeric = {name for name, levels in self.levels.items() if any(map(_is_number, levels))}
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
        try:
            # (NumPy would repeat a single value, and read a label such as "3" as a number.)
            if len(row) != len(values) or self._numeric or self._codes and any(isinstance(value, (str, bytes)) for value in row):
                raise ValueError
            values[:] = row
        except (TypeError, ValueError):
            values[:] = self._numbers(row)
        if self._function(*arguments, None):
            native.call(self._function, *arguments)
        made: FloatArray = results.copy()
        return made

    def _numbers(self, row: Any) -> list[float]:
        """The numbers of a row that has labels or names."""
        if isinstance(row, Mapping):
            absent = [name for name in self.columns if name not in row]
            if absent:
                raise InvalidDataError("the row has no value for " + ", ".join(map(repr, absent)), "row", "use None for a missing one")
            row = [row[name] for name in self.columns]
        if len(row) != len(self.columns):
            raise InvalidDataError(
                f"has {len(row)} values, not {len(self.columns)}", "row", "pass a value for each of " + ", ".join(self.columns)
            )
        return [self._number(name, value) for name, value in zip(self.columns, row)]

    def _number(self, name: str, value: Any) -> float:
        if value is None or type(value).__name__ in ("NAType", "NaTType"):
            return float("nan")
        codes = self._codes.get(name)
        if codes is not None and (isinstance(value, (str, bytes)) or name in self._numeric):
            return float("nan") if value != value else codes.get(label_text(value), -1)
        try:
            return float(value)
        except (TypeError, ValueError):
            raise InvalidDataError(f"{value!r} is no number", f"column '{name}'", "pass a number, or None") from None

    def __repr__(self) -> str:
        return f"RowPredictor(columns={self.columns}, outputs={self.outputs})"


def _is_number(level: str) -> bool:
    try:
        float(level)
    except ValueError:
        return False
    return True


def _argument(value: Any, kind: Any) -> Any:
    return kind(value)
