"""The structures of ``metalearners_plugin.h``: what a base learner that Python implements is handed."""

from __future__ import annotations

import ctypes as c
from typing import Any

import numpy as np
import numpy.typing as npt

OK, INVALID_DATA, UNSUPPORTED, CORRUPT_MODEL, CANCELLED, OUT_OF_MEMORY, INTERNAL_FAULT = 0, 3, 4, 6, 9, 10, 11
REGRESSION, CLASSIFICATION = 0, 1
CAN_REGRESSION, CAN_BINARY, CAN_MULTICLASS, CAN_WEIGHTS, CAN_MISSING_VALUES, CAN_CATEGORICALS = 1, 2, 4, 8, 16, 32
_NUMBERS = {1: "<f8", 2: "<f4", 4: "<i4"}


class Error(c.Structure):
    _fields_ = [("text", c.c_void_p), ("capacity", c.c_size_t)]

    def say(self, text: str) -> None:
        line = " ".join(text.split()).encode()[: self.capacity - 1].decode("utf-8", "ignore").encode() + b"\0"
        c.memmove(self.text, line, len(line))


class Column(c.Structure):
    _fields_ = [
        ("data", c.c_void_p),
        ("stride", c.c_int64),
        ("dtype", c.c_int32),
        ("level_count", c.c_int32),
        ("name", c.c_char_p),
        ("levels", c.POINTER(c.c_char_p)),
    ]


class Table(c.Structure):
    _fields_ = [("struct_size", c.c_size_t), ("row_count", c.c_int64), ("column_count", c.c_int64), ("columns", c.POINTER(Column))]


class Task(c.Structure):
    _fields_ = [
        ("struct_size", c.c_size_t),
        ("features", c.POINTER(Table)),
        ("rows", c.c_void_p),
        ("row_count", c.c_int64),
        ("target", c.c_void_p),
        ("weights", c.c_void_p),
        ("regressor", c.c_void_p),
        ("clusters", c.c_void_p),
        ("objective", c.c_int32),
        ("class_count", c.c_int32),
        ("seed", c.c_uint64),
    ]


class Value(c.Structure):
    _fields_ = [("name", c.c_char_p), ("text", c.c_char_p), ("number", c.c_double), ("kind", c.c_int32), ("is_set", c.c_int32)]


class Spec(c.Structure):
    _fields_ = [("struct_size", c.c_size_t), ("json", c.c_char_p), ("values", c.POINTER(Value)), ("value_count", c.c_int64)]


_WRITE = c.CFUNCTYPE(None, c.c_void_p, c.c_void_p, c.c_size_t)


class Sink(c.Structure):
    _fields_ = [("host", c.c_void_p), ("write", _WRITE)]


_out, _error = c.POINTER(c.c_void_p), c.POINTER(Error)
_FUNCTIONS = {
    "create": c.CFUNCTYPE(c.c_int32, c.c_void_p, c.POINTER(Spec), _out, _error),
    "free_estimator": c.CFUNCTYPE(None, c.c_void_p, c.c_void_p),
    "fit": c.CFUNCTYPE(c.c_int32, c.c_void_p, c.c_void_p, c.POINTER(Task), c.c_void_p, _out, _error),
    "predict": c.CFUNCTYPE(
        c.c_int32, c.c_void_p, c.c_void_p, c.POINTER(Table), c.c_void_p, c.c_int64, c.c_void_p, c.c_void_p, _error
    ),
    "serialise": c.CFUNCTYPE(c.c_int32, c.c_void_p, c.c_void_p, c.POINTER(Sink), _error),
    "deserialise": c.CFUNCTYPE(c.c_int32, c.c_void_p, c.c_void_p, c.c_size_t, c.c_char_p, _out, _error),
    "free_model": c.CFUNCTYPE(None, c.c_void_p, c.c_void_p),
}  # fmt: skip


class Vtable(c.Structure):
    _fields_ = [
        ("struct_size", c.c_size_t),
        ("abi_version", c.c_int32),
        ("capabilities", c.c_uint32),
        ("flags", c.c_uint32),
        ("reserved", c.c_uint32),
        ("name", c.c_char_p),
        ("version", c.c_char_p),
        ("summary", c.c_char_p),
        ("parameters", c.c_char_p),
        ("payload", c.c_void_p),
        *_FUNCTIONS.items(),
        ("contributions", c.c_void_p),
        ("importances", c.c_void_p),
        ("release", c.c_void_p),
    ]

    @classmethod
    def of(cls, functions: dict[str, Any], **members: Any) -> "Vtable":
        """A table of Python functions, which must outlive it together with the table."""
        made = {name: _FUNCTIONS[name](function) for name, function in functions.items()}
        return cls(struct_size=c.sizeof(cls), abi_version=1, **members, **made)


#: The structures by their names in the header, for the test that compares the layouts.
STRUCTURES: dict[str, type[c.Structure]] = {
    "mtlr_plugin_error": Error,
    "mtlr_plugin_column": Column,
    "mtlr_plugin_table": Table,
    "mtlr_plugin_task": Task,
    "mtlr_plugin_value": Value,
    "mtlr_plugin_spec": Spec,
    "mtlr_plugin_sink": Sink,
    "mtlr_plugin_vtable": Vtable,
}


class _View:
    """Memory of the library as an array."""

    def __init__(self, address: int, kind: str, count: int, stride: int) -> None:
        self.__array_interface__ = {
            "data": (address, True), "typestr": kind, "shape": (count,), "strides": (stride,), "version": 3
        }  # fmt: skip


def array(address: int, kind: str, count: int, stride: int = 0) -> npt.NDArray[Any]:
    """`count` numbers of the library, not copied."""
    if not address or not count:
        return np.empty(0, kind)
    return np.asarray(_View(address, kind, count, stride or np.dtype(kind).itemsize))


def features(table: Table, rows: Any) -> Any:
    """The named rows (None for all): a matrix of doubles, or a frame of pandas where there are categories."""
    columns = [table.columns[place] for place in range(table.column_count)]
    chosen = slice(None) if rows is None else rows
    count = table.row_count if rows is None else len(rows)
    values = np.empty((count, len(columns)))
    for place, column in enumerate(columns):
        numbers = np.asarray(_View(column.data, _NUMBERS[column.dtype], table.row_count, column.stride)) if table.row_count else np.empty(0)
        values[:, place] = numbers[chosen]
    if not any(column.level_count for column in columns):
        return values
    import pandas as pd

    frame = pd.DataFrame(values, columns=[column.name.decode() for column in columns])
    for column in columns:
        if column.level_count:
            name = column.name.decode()
            levels = [column.levels[code].decode() for code in range(column.level_count)]
            codes = frame[name].to_numpy().astype(np.int32)
            frame[name] = pd.Categorical.from_codes(codes, levels)
    return frame


def write(address: int, numbers: npt.NDArray[Any]) -> None:
    """Copies doubles to memory of the library."""
    own = np.ascontiguousarray(numbers, np.float64)
    c.memmove(address, own.ctypes.data, own.nbytes)
