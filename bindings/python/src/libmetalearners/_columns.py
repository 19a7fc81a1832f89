"""One column of any kind of Python's data as numbers, or as codes with levels, without a copy wherever the layout allows.

None of pandas, polars and pyarrow is imported unless the values come from it.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any, Optional, Sequence

import numpy as np
import numpy.typing as npt

from . import _library as native
from .errors import InvalidDataError

Array = npt.NDArray[Any]

DTYPES = {
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


def numbers(values: Array, name: str) -> Array:
    """Numbers that the library can read where they are; a copy only of types that it does not know."""
    dtype = values.dtype
    if any(stride == 0 and size > 1 for stride, size in zip(values.strides, values.shape)):
        values = np.ascontiguousarray(values)  # A number that is repeated by a stride of 0, which means "contiguous" in C.
    if dtype in DTYPES and dtype.isnative:
        return values
    if dtype == np.bool_:
        return values.view(np.uint8)
    if dtype.kind == "f":
        return values.astype(np.float32 if dtype.itemsize == 2 else np.float64)
    if dtype.kind == "i":
        return values.astype(np.dtype(f"i{dtype.itemsize}"))
    if dtype.kind == "u":
        return values.astype(np.dtype(f"u{dtype.itemsize}"))
    raise useless(str(dtype), name)


def useless(kind: str, name: str) -> InvalidDataError:
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
        return pandas_column(values, name)
    if module == "polars":
        return _polars_column(values, name)
    if module == "pyarrow":
        return _arrow_column(values, name)
    array = as_array(values, name)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise InvalidDataError(f"one dimension is expected, not the shape {array.shape}", name, "pass one value for each row")
    if isinstance(array, np.ma.MaskedArray):
        array = np.ma.filled(array.astype(np.float64), np.nan)
    if array.dtype.kind in "OUS":
        return object_column(array, name)
    return Values(numbers(array, name))


def as_array(values: Any, what: str) -> Array:
    try:
        array = np.asarray(values)
    except ValueError as problem:
        raise InvalidDataError(f"cannot be read as an array: {problem}", what, "pass as many values in each row") from None
    if array.dtype.kind in "US" and not hasattr(values, "dtype"):
        # Of a list with a text in it NumPy makes texts alone; as objects numbers stay numbers, and missing values missing.
        return np.array(values, dtype=object)
    return array


def object_column(array: Array, name: str) -> Values:
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
    error = useless(found, name)
    raise InvalidDataError(f"a column of Python objects ({found}) cannot be used", f"column '{name}'", error.remedy)


def _whole_column(whole: list[Any], values: list[Any], kind: Any) -> Values:
    """Whole numbers as they are: floating-point ones would make large ones alike."""
    there = np.array([not _absent(value) for value in values])
    return Values(np.array(whole, kind), validity=None if there.all() else np.packbits(there, bitorder="little"))


def pandas_column(series: Any, name: str) -> Values:
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
    return object_column(np.asarray(series.astype(object)), name)


def _polars_column(series: Any, name: str) -> Values:
    dtype = series.dtype
    kind = str(dtype).split("(")[0]
    if kind in ("Categorical", "Enum", "String", "Utf8"):
        made = categories(series.cast(type_of(series, "String")).to_list(), name)
        return made if kind in ("String", "Utf8") else replace(made, is_text=False)
    if not (dtype.is_numeric() or str(dtype) in ("Boolean", "Null")):
        raise useless(str(dtype), name)
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
        raise useless(str(kind), name)
    return Values(numbers(array.to_numpy(zero_copy_only=False), name))
