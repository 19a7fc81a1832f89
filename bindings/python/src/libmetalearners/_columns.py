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
    #: What labels are that other processes have: bool, int, float, or str.
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
    return value is None or value is np.ma.masked or type(value).__name__ in ("NAType", "NaTType") or bool(value != value)


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
    if isinstance(label, (np.float16, np.float32)):
        label = short(label)
    elif isinstance(label, np.floating):
        label = float(label)
    if isinstance(label, float) and label.is_integer():
        return str(int(label))
    if isinstance(label, bytes):
        return label.decode("utf-8", "replace")
    return str(label)


def short(label: Any) -> float:
    """A label of half or single precision as people write it: 0.1, which is 0.10000000149011612 where all digits of it are told."""
    return float(str(np.float32(label)))


def label_of(kind: type, text: str) -> Any:
    """The label that the library spells so, of a type of `Values.kind`."""
    return kind(int(text)) if kind is bool else kind(text)


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
    return array_column(array, name)


def array_column(array: Array, name: str) -> Values:
    """A column of NumPy: what a mask hides is missing."""
    if isinstance(array, np.ma.MaskedArray):
        hidden = np.ma.getmaskarray(array)
        if array.dtype.kind in "OUS":
            return object_column(np.array(array.tolist(), dtype=object), name)
        array = np.ma.getdata(array)
        if hidden.any():
            return masked_column(array, ~hidden, name)
    if array.dtype.kind in "OUS":
        return object_column(array, name)
    return Values(numbers(array, name), kind=_kind_of(array.dtype.kind))


def masked_column(array: Array, there: Array, name: str) -> Values:
    """Numbers some of which are missing; whole ones stay whole, because floating-point ones would make large ones alike."""
    made = numbers(array, name)
    if made.dtype.kind == "f":
        return Values(np.where(there, made, made.dtype.type(np.nan)))
    return Values(made, validity=None if there.all() else np.packbits(there, bitorder="little"), kind=_kind_of(array.dtype.kind))


def _kind_of(letter: str) -> type:
    """What labels of a type of NumPy are."""
    return {"b": bool, "i": int, "u": int, "f": float}.get(letter, str)


def as_array(values: Any, what: str) -> Array:
    """The values as NumPy has them. Masks stay: NumPy would leave them out, and show what they hide."""
    if isinstance(values, np.ma.MaskedArray):
        return values
    if isinstance(values, (list, tuple)) and any(isinstance(part, np.ma.MaskedArray) for part in values):
        values = [part.tolist() if isinstance(part, np.ma.MaskedArray) else part for part in values]
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
        return _whole_column([0 if _absent(value) else int(value) for value in values], values, np.bool_, name)
    if kinds and all(issubclass(kind, (int, np.integer)) and not issubclass(kind, bool) for kind in kinds):
        whole = [0 if _absent(value) else int(value) for value in values]
        if max(whole) >= 2**63 or min(whole) < -(2**63):
            raise InvalidDataError("has whole numbers of more than 64 bits", f"column '{name}'", "pass them as texts, or as floating-point numbers")
        return _whole_column(whole, values, np.int64, name)
    if all(issubclass(kind, (bool, int, float, np.number, np.bool_, Decimal, Fraction)) for kind in kinds):
        made = [np.nan if _absent(value) else value for value in values]
        return Values(np.array(made, np.float64))
    found = ", ".join(sorted(kind.__name__ for kind in kinds))
    error = useless(found, name)
    raise InvalidDataError(f"a column of Python objects ({found}) cannot be used", f"column '{name}'", error.remedy)


def _whole_column(whole: list[Any], values: list[Any], kind: Any, name: str) -> Values:
    return masked_column(np.array(whole, kind), np.array([not _absent(value) for value in values], np.bool_), name)


def coded(codes: Array, labels: list[Any], **about: Any) -> Values:
    """Codes into the categories of a table. A category that is itself missing, which Arrow allows, is none, and its rows have none; equal ones are one."""
    kept: dict[Any, int] = {}
    place = [-1 if _absent(label) else kept.setdefault(label, len(kept)) for label in labels]
    if place != list(range(len(labels))):
        codes = np.append(np.array(place, np.int32), np.int32(-1))[codes]
    found = list(kept)
    return Values(codes, [label_text(label) for label in found], found, **about)


def pandas_column(series: Any, name: str) -> Values:
    dtype = series.dtype
    if hasattr(dtype, "categories"):
        accessor = getattr(series, "cat", series)  # Of a Series, or of a Categorical by itself.
        return coded(np.asarray(accessor.codes), list(accessor.categories))
    if isinstance(dtype, np.dtype):
        return column(series.to_numpy(), name)
    if type(dtype).__name__ == "ArrowDtype":
        return _arrow_column(series.array.__arrow_array__(), name)
    kind = getattr(dtype, "kind", "O")
    if kind in "iub" and hasattr(dtype, "numpy_dtype"):
        return masked_column(series.to_numpy(dtype=dtype.numpy_dtype, na_value=0), ~np.asarray(series.isna()), name)
    if kind in "iufb":
        return Values(series.to_numpy(dtype=np.float64, na_value=np.nan))
    return object_column(np.asarray(series.astype(object)), name)


def _polars_column(series: Any, name: str) -> Values:
    dtype = series.dtype
    kind = str(dtype).split("(")[0]
    if kind in ("Categorical", "Enum", "String", "Utf8"):
        made = categories(series.cast(type_of(series, "String")).to_list(), name)
        return made if kind in ("String", "Utf8") else replace(made, is_text=False)
    if not (dtype.is_numeric() or kind in ("Boolean", "Null", "Decimal")):
        raise useless(str(dtype), name)
    if kind in ("Null", "Decimal"):
        series = series.cast(type_of(series, "Float64"))
    elif series.null_count() and (dtype.is_integer() or kind == "Boolean"):
        there = np.asarray(series.is_not_null().to_numpy())
        return masked_column(np.asarray(series.fill_null(False if kind == "Boolean" else 0).to_numpy()), there, name)
    return array_column(np.asarray(series.to_numpy()), name)


def type_of(series: Any, name: str) -> Any:
    return getattr(sys.modules[type(series).__module__.split(".")[0]], name)


def _arrow_column(array: Any, name: str) -> Values:
    import pyarrow as pa  # The data are of pyarrow, so that it is there.

    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
        if isinstance(array, pa.ChunkedArray):
            array = array.chunk(0) if array.num_chunks == 1 else pa.array([], array.type)
    kind = array.type
    if is_arrow_text(kind):
        return categories(array.to_pylist(), name)
    if pa.types.is_dictionary(kind):
        # Codes of a type without a sign have no room for -1.
        codes = array.indices if not array.indices.null_count else array.indices.cast(pa.int64()).fill_null(-1)
        return coded(codes.to_numpy(zero_copy_only=False), array.dictionary.to_pylist())
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        there = array.is_valid().to_numpy(zero_copy_only=False)
        return masked_column(array.fill_null(False if pa.types.is_boolean(kind) else 0).to_numpy(zero_copy_only=False), there, name)
    if pa.types.is_decimal(kind) or pa.types.is_null(kind):
        array = array.cast(pa.float64())
    elif not pa.types.is_floating(kind):
        raise useless(str(kind), name)
    return array_column(array.to_numpy(zero_copy_only=False), name)


def is_arrow_text(kind: Any) -> bool:
    """Whether a type of pyarrow is text, in any of its layouts."""
    return str(kind) in ("string", "large_string", "string_view")
