"""Data of Python as columns of the library, without a copy wherever the layout allows.

NumPy arrays, pandas, polars and pyarrow tables, SciPy matrices and mappings of arrays become :class:`Frame`: named columns of
numbers, or of codes with levels. None of these packages but NumPy is imported unless the data come from it.
"""

from __future__ import annotations

import ctypes as c
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any, Optional, Sequence

import numpy as np
import numpy.typing as npt

from . import _library as native
from ._arrow import ArrowTable, exports
from ._text_arrays import are_texts
from .errors import InvalidArgumentError, InvalidDataError

Array = npt.NDArray[Any]

_DTYPES = {
    np.dtype(np.float64): native.FLOAT64,
    np.dtype(np.float32): native.FLOAT32,
    np.dtype(np.int64): native.INT64,
    np.dtype(np.int32): native.INT32,
    np.dtype(np.int16): native.INT16,
    np.dtype(np.int8): native.INT8,
    np.dtype(np.uint8): native.UINT8,
    np.dtype(np.uint16): native.UINT16,
    np.dtype(np.uint32): native.UINT32,
    np.dtype(np.uint64): native.UINT64,
}


@dataclass
class Values:
    """A column: numbers, or codes into levels (negative where missing)."""

    numbers: Array
    levels: Optional[list[str]] = None
    #: The levels as the caller has them, in the order of `levels`.
    labels: Optional[list[Any]] = None
    #: A bit for each value that is there, as Arrow has them; None where all are.
    validity: Optional[Array] = None
    #: What labels are that other processes have: int, float, or str.
    kind: type = str
    #: Whether levels were found in texts, and no type says that they are categories.
    is_text: bool = False


@dataclass
class Frame:
    """Columns with names; a dense matrix and a sparse one are kept whole."""

    rows: int
    columns: dict[str, Values] = field(default_factory=dict)
    matrix: Optional[Array] = None
    matrix_names: list[str] = field(default_factory=list)
    sparse: Any = None
    sparse_names: list[str] = field(default_factory=list)
    #: Columns that the library reads by Arrow, and the object that they are of.
    arrow: Optional[ArrowTable] = None
    source: Any = None
    #: Whether the caller named the columns.
    named: bool = True
    #: Whether it was an array of texts, in which numbers are texts too.
    of_texts: bool = False

    @property
    def numbers(self) -> set[str]:
        """The columns that are surely numbers."""
        return {*self.matrix_names, *self.sparse_names, *(name for name, values in self.columns.items() if values.levels is None)}

    @property
    def names(self) -> list[str]:
        return [*self.matrix_names, *self.columns, *self.sparse_names, *(self.arrow.names if self.arrow else [])]

    def take(self, name: str) -> Optional[Values]:
        """Takes a column out of the table; None where there is none."""
        if self.matrix is not None and name in self.matrix_names:
            # What is left of a matrix without one of its columns is columns, still where they are.
            self.columns = {**{one: Values(self.matrix[:, place]) for place, one in enumerate(self.matrix_names)}, **self.columns}
            self.matrix, self.matrix_names = None, []
        if name in self.columns:
            return self.columns.pop(name)
        if self.arrow is None or name not in self.arrow.names:
            return None
        taken, rest = _split(self.source, name)
        self.source, self.arrow = rest, ArrowTable(rest)
        return column(taken, name)

    def table(self) -> tuple[native.Table, Any]:
        """The view that the library takes, and what must live as long as it."""
        columns = (native.Column * max(1, len(self.columns)))()
        masks = (c.c_void_p * max(1, len(self.columns)))()
        kept: list[Any] = [columns, masks, self.arrow]
        for place, (name, values) in enumerate(self.columns.items()):
            levels = _texts(values.levels) if values.levels is not None else None
            columns[place] = native.Column(
                _utf8(name),
                values.numbers.ctypes.data,
                values.numbers.strides[0] if self.rows > 1 else 0,
                levels,
                len(values.levels or ()) if levels is not None else 0,
                _DTYPES[values.numbers.dtype],
            )
            masks[place] = None if values.validity is None else values.validity.ctypes.data
            kept += [values.numbers, levels, values.validity]
        table = native.Table(rows=self.rows, columns=columns, column_count=len(self.columns), validity=masks)
        if self.arrow is not None:
            table.arrow = self.arrow.handle.pointer
        if self.matrix is not None:
            names = _names(tuple(self.matrix_names))
            table.matrix = c.pointer(matrix_view(self.matrix))
            table.matrix_names = names
            kept += [self.matrix, names]
        if self.sparse is not None:
            names, m = _texts(self.sparse_names), self.sparse
            index = _DTYPES[m.indptr.dtype]
            view = native.SparseMatrix(
                m.indptr.ctypes.data, m.indices.ctypes.data, m.data.ctypes.data, *m.shape, m.nnz, index, _DTYPES[m.data.dtype]
            )
            table.sparse = c.pointer(view)
            table.sparse_names = names
            kept += [m.indptr, m.indices, m.data, names]
        return table, (table, kept)


def matrix_view(matrix: Array) -> native.Matrix:
    """The view of a matrix of numbers, which must outlive it."""
    return native.Matrix(matrix.ctypes.data, *matrix.shape, *matrix.strides, _DTYPES[matrix.dtype])


def _texts(names: Sequence[str]) -> Any:
    return (c.c_char_p * max(1, len(names)))(*[_utf8(name) for name in names])


@lru_cache(maxsize=32)
def _names(names: tuple[str, ...]) -> Any:
    """The same for the names of a matrix, which are those of the matrix before."""
    return _texts(names)


def _utf8(name: str) -> bytes:
    data = name.encode("utf-8", "strict")
    if b"\0" in data:
        raise InvalidDataError("names must not contain a NUL character", repr(name))
    return data


# ------------------------------------------------------------------------------------------------- Columns


def numbers(values: Array, name: str) -> Array:
    """Numbers that the library can read where they are; a copy only of types that it does not know."""
    dtype = values.dtype
    if any(stride == 0 and size > 1 for stride, size in zip(values.strides, values.shape)):
        values = np.ascontiguousarray(values)  # A number that is repeated by a stride of 0, which means "contiguous" in C.
    if dtype in _DTYPES and dtype.isnative:
        return values
    if dtype == np.bool_:
        return values.view(np.uint8)
    if dtype.kind == "f":
        return values.astype(np.float32 if dtype.itemsize == 2 else np.float64)
    if dtype.kind == "i":
        return values.astype(np.dtype(f"i{dtype.itemsize}"))
    if dtype.kind == "u":
        return values.astype(np.dtype(f"u{dtype.itemsize}"))
    raise _useless(str(dtype), name)


def _useless(kind: str, name: str) -> InvalidDataError:
    """What to do about values that are neither numbers nor texts."""
    low = kind.lower()
    if any(part in low for part in ("timedelta", "duration", "interval")):
        remedy = "make a number of them, such as days: column.dt.days, or leave the column out"
    elif any(part in low for part in ("date", "timestamp", "period")):
        remedy = "make numbers of them, such as the days since the first: (column - column.min()).dt.days, or column.dt.month, or leave the column out"
    elif "complex" in low:
        remedy = "use real and imaginary part as two columns, or leave the column out"
    else:
        remedy = "convert them to numbers or to text (astype), or leave the column out"
    return InvalidDataError(f"values of type {kind} cannot be used", f"column '{name}'", remedy)


def _absent(value: Any) -> bool:
    """Whether a Python object stands for a missing value; pandas' NA cannot even be compared."""
    return value is None or type(value).__name__ in ("NAType", "NaTType") or bool(value != value)


def categories(values: Sequence[Any], name: str) -> Values:
    """Texts (or any labels) with None or NaN where they are missing, as codes into sorted levels."""
    seen: dict[Any, int] = {}
    codes = np.empty(len(values), np.int32)
    for row, value in enumerate(values):
        if _absent(value):
            codes[row] = -1
        else:
            codes[row] = seen.setdefault(value, len(seen))
    labels = list(seen)
    try:
        order = sorted(range(len(labels)), key=labels.__getitem__)
    except TypeError:
        kinds = ", ".join(sorted({type(label).__name__ for label in labels}))
        raise InvalidDataError(
            f"values of several types cannot be used: {kinds}", f"column '{name}'", "make them all numbers or all texts"
        ) from None
    place = np.empty(len(labels) + 1, np.int32)
    place[[*order, len(labels)]] = [*range(len(labels)), -1]
    labels = [labels[index] for index in order]
    return Values(place[codes], [label_text(label) for label in labels], labels, is_text=True)


def label_text(label: Any) -> str:
    """How the library spells a label: whole numbers without a point, truth as 0 and 1."""
    if isinstance(label, (bool, np.bool_)):
        return str(int(label))
    if isinstance(label, (float, np.floating)) and float(label).is_integer():
        return str(int(label))
    if isinstance(label, bytes):
        return label.decode("utf-8", "replace")
    return str(label)


def column(values: Any, name: str) -> Values:
    """One column of any kind."""
    module = type(values).__module__.split(".")[0]
    if module == "pandas" and hasattr(values, "dtype") and not isinstance(values, np.ndarray):
        return _pandas_column(values, name)
    if module == "polars":
        return _polars_column(values, name)
    if module == "pyarrow":
        return _arrow_column(values, name)
    array = _as_array(values, name)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise InvalidDataError(f"one dimension is expected, not the shape {array.shape}", name, "pass one value for each row")
    if isinstance(array, np.ma.MaskedArray):
        array = np.ma.filled(array.astype(np.float64), np.nan)
    if array.dtype.kind in "OUS":
        return _object_column(array, name)
    return Values(numbers(array, name))


def _as_array(values: Any, what: str) -> Array:
    try:
        array = np.asarray(values)
    except ValueError as problem:
        raise InvalidDataError(f"cannot be read as an array: {problem}", what, "pass as many values in each row") from None
    if array.dtype.kind in "US" and not hasattr(values, "dtype"):
        # Of a list with a text in it NumPy makes texts alone; as objects numbers stay numbers, and missing values missing.
        return np.array(values, dtype=object)
    return array


def _object_column(array: Array, name: str) -> Values:
    """An array of Python objects: texts are categories, numbers are numbers, everything else is an error."""
    values = array.tolist()
    kinds = {type(value) for value in values if not _absent(value)}
    if kinds and all(issubclass(kind, (str, bytes)) for kind in kinds):
        return categories(values, name)
    if kinds and all(issubclass(kind, (bool, np.bool_)) for kind in kinds):
        return _whole_column([0 if _absent(value) else int(value) for value in values], values, np.uint8)
    if kinds and all(issubclass(kind, (int, np.integer)) and not issubclass(kind, bool) for kind in kinds):
        whole = [0 if _absent(value) else int(value) for value in values]
        if max(whole) >= 2**63 or min(whole) < -(2**63):
            raise InvalidDataError("has whole numbers of more than 64 bits", f"column '{name}'", "pass them as texts, or as floating-point numbers")
        return _whole_column(whole, values, np.int64)
    if all(issubclass(kind, (bool, int, float, np.number, np.bool_, Decimal, Fraction)) for kind in kinds):
        made = [np.nan if _absent(value) else value for value in values]
        return Values(np.array(made, np.float64))
    found = ", ".join(sorted(kind.__name__ for kind in kinds))
    error = _useless(found, name)
    raise InvalidDataError(f"a column of Python objects ({found}) cannot be used", f"column '{name}'", error.remedy)


def _whole_column(whole: list[Any], values: list[Any], kind: Any) -> Values:
    """Whole numbers as they are: floating-point ones would make large ones alike."""
    there = np.array([not _absent(value) for value in values])
    return Values(np.array(whole, kind), validity=None if there.all() else np.packbits(there, bitorder="little"))


def _pandas_column(series: Any, name: str) -> Values:
    dtype = series.dtype
    if hasattr(dtype, "categories"):
        accessor = getattr(series, "cat", series)  # Of a Series, or of a Categorical by itself.
        labels = list(accessor.categories)
        return Values(np.asarray(accessor.codes), [label_text(label) for label in labels], labels)
    if isinstance(dtype, np.dtype):
        return column(series.to_numpy(), name)
    if type(dtype).__name__ == "ArrowDtype":
        return _arrow_column(series.array.__arrow_array__(), name)
    kind = getattr(dtype, "kind", "O")
    if kind in "iub" and hasattr(dtype, "numpy_dtype"):
        missing = np.asarray(series.isna())
        made = numbers(series.to_numpy(dtype=dtype.numpy_dtype, na_value=0), name)
        return Values(made, validity=np.packbits(~missing, bitorder="little") if missing.any() else None)
    if kind in "iufb":
        return Values(series.to_numpy(dtype=np.float64, na_value=np.nan))
    return _object_column(np.asarray(series.astype(object)), name)


def _polars_column(series: Any, name: str) -> Values:
    dtype = series.dtype
    kind = str(dtype).split("(")[0]
    if kind in ("Categorical", "Enum", "String", "Utf8"):
        made = categories(series.cast(type_of(series, "String")).to_list(), name)
        return made if kind in ("String", "Utf8") else replace(made, is_text=False)
    if not (dtype.is_numeric() or str(dtype) in ("Boolean", "Null")):
        raise _useless(str(dtype), name)
    if series.null_count() and dtype.is_integer():
        there = np.asarray(series.is_not_null().to_numpy())
        return Values(numbers(np.asarray(series.fill_null(0).to_numpy()), name), validity=np.packbits(there, bitorder="little"))
    if series.null_count():
        series = series.cast(type_of(series, "Float64"))
    return Values(numbers(np.asarray(series.to_numpy()), name))


def type_of(series: Any, name: str) -> Any:
    return getattr(sys.modules[type(series).__module__.split(".")[0]], name)


def _arrow_column(array: Any, name: str) -> Values:
    import pyarrow as pa  # The data are of pyarrow, so that it is there.

    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
        if isinstance(array, pa.ChunkedArray):
            array = array.chunk(0) if array.num_chunks == 1 else pa.array([], array.type)
    kind = array.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return categories(array.to_pylist(), name)
    if pa.types.is_dictionary(kind):
        codes = array.indices.fill_null(-1) if array.indices.null_count else array.indices
        labels = array.dictionary.to_pylist()
        return Values(numbers(codes.to_numpy(zero_copy_only=False), name), [label_text(label) for label in labels], labels)
    if pa.types.is_boolean(kind):
        array = array.cast(pa.uint8())
    elif pa.types.is_integer(kind) and array.null_count:
        there = array.is_valid().to_numpy(zero_copy_only=False)
        return Values(numbers(array.fill_null(0).to_numpy(zero_copy_only=False), name), validity=np.packbits(there, bitorder="little"))
    elif pa.types.is_decimal(kind):
        array = array.cast(pa.float64())
    elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        raise _useless(str(kind), name)
    return Values(numbers(array.to_numpy(zero_copy_only=False), name))


# -------------------------------------------------------------------------------------------------- Tables


def frame(data: Any, what: str = "X") -> Frame:
    """Covariates of any kind as columns."""
    if isinstance(data, Frame):
        return data
    made = _frame(data, what)
    names = made.names
    if len(set(names)) < len(names):
        repeated = min(name for name in names if names.count(name) > 1)
        raise InvalidDataError("several columns have this name", f"column '{repeated}'", "rename all but one of them")
    return made


def _frame(data: Any, what: str) -> Frame:
    module = type(data).__module__.split(".")[0]
    if module == "pandas" and hasattr(data, "columns"):
        names = [str(name) for name in data.columns.tolist()]
        if len(set(names)) < len(names):
            return Frame(len(data), matrix_names=names)
        # A frame that is one block of numbers is one matrix, which costs the same for any number of columns.
        if getattr(getattr(data, "_mgr", None), "nblocks", 0) == 1 and isinstance(data.dtypes.iat[0], np.dtype):
            block = data.to_numpy()
            if block.dtype.kind in "fiub" and min(block.strides, default=0) > 0:
                return Frame(len(data), matrix=numbers(block, names[0]), matrix_names=names)
        return Frame(len(data), {name: _pandas_column(series, name) for name, (_, series) in zip(names, data.items())})
    if module == "polars" and hasattr(data, "collect"):
        raise InvalidArgumentError("a lazy frame has no rows yet", what, "call .collect() first")
    if module == "scipy" and hasattr(data, "tocsr"):
        return _sparse(data)
    if exports(data):
        if module == "polars" and not hasattr(data, "columns"):
            data = data.to_frame()
        data = _without_decimals(data)
        table = ArrowTable(data)
        return Frame(table.rows, arrow=table, source=data)
    if isinstance(data, Mapping):
        made = {str(name): column(values, str(name)) for name, values in data.items()}
        rows = {len(values.numbers) for values in made.values()}
        if len(rows) > 1:
            lengths = ", ".join(f"'{name}' has {len(values.numbers)}" for name, values in made.items())
            raise InvalidDataError(f"columns have different lengths: {lengths}", what, "pass one value for each row")
        return Frame(rows.pop() if rows else 0, made)
    return _array(data, what)


def _without_decimals(data: Any) -> Any:
    """The same table with decimals as doubles, of pyarrow and polars."""
    if type(data).__module__.startswith("polars"):
        exact = [name for name, dtype in data.schema.items() if str(dtype).startswith("Decimal")]
        return data.cast({name: type_of(data, "Float64") for name in exact}) if exact else data
    schema = getattr(data, "schema", None)
    if type(data).__module__.startswith("pyarrow") and schema is not None and any("decimal" in str(kind) for kind in schema.types):
        import pyarrow as pa

        fields = [field.with_type(pa.float64()) if "decimal" in str(field.type) else field for field in schema]
        return data.cast(pa.schema(fields))
    return data


def _split(data: Any, name: str) -> tuple[Any, Any]:
    """A column of a table that exports Arrow, and the table without it."""
    if type(data).__module__.startswith("polars"):
        return data[name], data.drop(name)
    try:
        import pyarrow as pa
    except ImportError:
        raise InvalidArgumentError(
            "columns of this table can only be named where pyarrow is there", f"column '{name}'", "pass the values, or install pyarrow"
        ) from None
    table = data if isinstance(data, pa.Table) else pa.table(data)
    return table.column(name), table.drop_columns([name])


def array_names(count: int) -> list[str]:
    """What the columns of an array are called."""
    return [f"x{place}" for place in range(count)]


def _array(data: Any, what: str) -> Frame:
    if data is None:
        raise InvalidArgumentError("there are no data", what, "pass an array or a table with a row for each unit")
    if isinstance(data, (str, bytes, os.PathLike)):
        raise InvalidArgumentError("a text or a path is no table", what, "read the file first, as by pandas.read_csv, and pass what it gives")
    array = _as_array(data, what)
    if array.ndim == 1 and array.dtype.kind != "O":
        raise InvalidDataError(
            f"two dimensions are expected, not the shape {array.shape}", what, "use X.reshape(-1, 1) for one covariate"
        )
    if array.ndim == 1 and any(isinstance(row, (list, tuple, np.ndarray)) for row in array):
        # What NumPy makes of rows of several lengths, in versions that do not refuse them.
        raise InvalidDataError("cannot be read as an array: rows have several lengths", what, "pass as many values in each row")
    if array.ndim != 2:
        raise InvalidDataError(f"two dimensions are expected, not the shape {array.shape}", what, "pass rows × covariates")
    if isinstance(array, np.ma.MaskedArray):
        array = np.ma.filled(array.astype(np.float64), np.nan)
    names = array_names(array.shape[1])
    if array.dtype.kind in "OUS":
        columns = {name: _object_column(array[:, i], name) for i, name in enumerate(names)}
        return Frame(array.shape[0], columns, named=False, of_texts=are_texts(data, array))
    array = numbers(array, what)
    if min(array.strides, default=0) <= 0:
        array = np.ascontiguousarray(array)
    return Frame(array.shape[0], matrix=array, matrix_names=names, named=False)


def _sparse(data: Any) -> Frame:
    made = data.tocsr()
    if not made.has_canonical_format:
        made = made.copy()
        made.sum_duplicates()
    if made.dtype not in (np.float64, np.float32):
        made = made.astype(np.float64)
    return Frame(made.shape[0], sparse=made, sparse_names=array_names(made.shape[1]), named=False)


def name_of(values: Any, otherwise: str, taken: Sequence[str]) -> str:
    """The name of a series where it has one that is free, else a name that is."""
    name = getattr(values, "name", None)
    if isinstance(name, str) and name and name not in taken:
        return name
    while otherwise in taken:
        otherwise += "_"
    return otherwise
