"""Data of Python as columns of the library, without a copy wherever the layout allows.

NumPy arrays, pandas, polars and pyarrow tables, SciPy matrices and mappings of arrays become :class:`Frame`: named columns of
numbers, or of codes with levels. None of these packages but NumPy is imported unless the data come from it.
"""

from __future__ import annotations

import ctypes as c
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Callable, Optional, Sequence

import numpy as np

from . import _library as native
from ._alignment import Alignment
from ._arguments import utf8
from ._arrow import ArrowTable, exports, read, split
from ._columns import DTYPES, Array, Values, array_column, as_array, column, numbers, pandas_column
from ._text_arrays import are_texts
from .errors import InvalidArgumentError, InvalidDataError


def every_name(name: str) -> bool:
    """Wants all columns."""
    return True


class Wanted:
    """Which columns of a table are read: all others may be of any kind, and have any names."""

    def __init__(self, names: Callable[[str], bool], given: Optional[Sequence[str]] = None) -> None:
        self.names = names
        self._given = given

    def place(self, place: int, count: int) -> bool:
        """Whether a column of an array is read: columns have the names that were `given`, where there are as many."""
        given = array_names(count) if self._given is None else self._given
        return len(given) != count or self.names(given[place])


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
    #: The indexes that the rows have.
    alignment: Alignment = field(default_factory=Alignment)
    #: The names of all columns of the data, in their order, those that were not wanted too.
    given: list[str] = field(default_factory=list)

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
        taken, rest = split(self.source, name)
        self.source, self.arrow = rest, ArrowTable(rest)
        return column(taken, name)

    def table(self) -> tuple[native.Table, Any]:
        """The view that the library takes, and what must live as long as it."""
        columns = (native.Column * max(1, len(self.columns)))()
        masks = (c.c_void_p * max(1, len(self.columns)))()
        kept: list[Any] = [columns, masks, self.arrow]
        for place, (name, values) in enumerate(self.columns.items()):
            levels = _texts(values.levels, f"levels of column '{name}'") if values.levels is not None else None
            columns[place] = native.Column(
                utf8(name, "names of columns"),
                values.numbers.ctypes.data,
                values.numbers.strides[0] if self.rows > 1 else 0,
                levels,
                len(values.levels or ()) if levels is not None else 0,
                DTYPES[values.numbers.dtype],
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
            index = DTYPES[m.indptr.dtype]
            view = native.SparseMatrix(
                m.indptr.ctypes.data, m.indices.ctypes.data, m.data.ctypes.data, *m.shape, m.nnz, index, DTYPES[m.data.dtype]
            )
            table.sparse = c.pointer(view)
            table.sparse_names = names
            kept += [m.indptr, m.indices, m.data, names]
        return table, (table, kept)


def matrix_view(matrix: Array) -> native.Matrix:
    """The view of a matrix of numbers, which must outlive it."""
    return native.Matrix(matrix.ctypes.data, *matrix.shape, *matrix.strides, DTYPES[matrix.dtype])


def _texts(names: Sequence[str], where: str = "names of columns") -> Any:
    return (c.c_char_p * max(1, len(names)))(*[utf8(name, where) for name in names])


@lru_cache(maxsize=32)
def _names(names: tuple[str, ...]) -> Any:
    """The same for the names of a matrix, which are those of the matrix before."""
    return _texts(names)


def frame(data: Any, what: str = "X", wanted: Optional[Wanted] = None) -> Frame:
    """Covariates of any kind as columns. Of a matrix of numbers all are kept, wanted or not, because it is read where it is."""
    if isinstance(data, Frame):
        return data
    made = _frame(data, what, wanted)
    made.given = made.given or list(made.names)
    made.alignment.add(what, data)
    if isinstance(data, Mapping):
        for name, values in data.items():
            made.alignment.add(f"column '{name}'", values)
    names = made.names
    if len(set(names)) < len(names):
        repeated = min(name for name in names if names.count(name) > 1)
        raise InvalidDataError("several columns have this name", f"column '{repeated}'", "rename all but one of them")
    return made


def _frame(data: Any, what: str, wanted: Optional[Wanted]) -> Frame:
    module = type(data).__module__.split(".")[0]
    is_wanted = every_name if wanted is None else wanted.names
    if module == "pandas" and hasattr(data, "columns"):
        given = [str(name) for name in data.columns.tolist()]
        places = [place for place, name in enumerate(given) if is_wanted(name)]
        names = [given[place] for place in places]
        if len(set(names)) < len(names):
            return Frame(len(data), matrix_names=names)
        if len(set(given)) < len(given):
            data = data.iloc[:, places]
        # A frame that is one block of numbers is one matrix, which costs the same for any number of columns.
        if getattr(getattr(data, "_mgr", None), "nblocks", 0) == 1 and isinstance(data.dtypes.iat[0], np.dtype):
            block = data.to_numpy()
            if block.dtype.kind in "fiub" and min(block.strides, default=0) > 0:
                names = [str(name) for name in data.columns.tolist()]
                return Frame(len(data), matrix=numbers(block, names[0]), matrix_names=names, given=given)
        columns = {str(name): data.iloc[:, place] for place, name in enumerate(data.columns.tolist()) if is_wanted(str(name))}
        return Frame(len(data), {name: pandas_column(series, name) for name, series in columns.items()}, given=given)
    if module == "polars" and hasattr(data, "collect"):
        raise InvalidArgumentError("a lazy frame has no rows yet", what, "call .collect() first")
    if module == "scipy" and hasattr(data, "tocsr"):
        return _sparse(data, what)
    if exports(data):
        table, source, given = read(data, what, is_wanted)
        return Frame(table.rows, arrow=table, source=source, given=given)
    if isinstance(data, Mapping):
        made = {str(name): column(values, str(name)) for name, values in data.items() if is_wanted(str(name))}
        rows = {len(values.numbers) for values in made.values()}
        if len(rows) > 1:
            lengths = ", ".join(f"'{name}' has {len(values.numbers)}" for name, values in made.items())
            raise InvalidDataError(f"columns have different lengths: {lengths}", what, "pass one value for each row")
        return Frame(rows.pop() if rows else 0, made, given=[str(name) for name in data])
    return _array(data, what, wanted)


def array_names(count: int) -> list[str]:
    """What the columns of an array are called."""
    return [f"x{place}" for place in range(count)]


def count_columns(count: int) -> str:
    """So many columns, in words."""
    return "1 column" if count == 1 else f"{count} columns"


def _array(data: Any, what: str, wanted: Optional[Wanted]) -> Frame:
    if data is None:
        raise InvalidArgumentError("there are no data", what, "pass an array or a table with a row for each unit")
    if isinstance(data, (str, bytes, os.PathLike)):
        raise InvalidArgumentError("a text or a path is no table", what, "read the file first, as by pandas.read_csv, and pass what it gives")
    array = as_array(data, what)
    if array.ndim == 1 and array.dtype.kind != "O":
        raise InvalidDataError(
            f"two dimensions are expected, not the shape {array.shape}", what, "use X.reshape(-1, 1) for one covariate"
        )
    if array.ndim == 1 and any(isinstance(row, (list, tuple, np.ndarray)) for row in array):
        # What NumPy makes of rows of several lengths, in versions that do not refuse them.
        raise InvalidDataError("cannot be read as an array: rows have several lengths", what, "pass as many values in each row")
    if array.ndim != 2:
        raise InvalidDataError(f"two dimensions are expected, not the shape {array.shape}", what, "pass rows × covariates")
    names = array_names(array.shape[1])
    if array.dtype.kind in "OUS" or np.ma.is_masked(array):
        kept = [place for place in range(len(names)) if wanted is None or wanted.place(place, len(names))]
        columns = {names[place]: array_column(array[:, place], names[place]) for place in kept}
        return Frame(array.shape[0], columns, named=False, of_texts=are_texts(data, array), given=names)
    array = numbers(np.ma.getdata(array), what)
    if min(array.strides, default=0) <= 0:
        array = np.ascontiguousarray(array)
    return Frame(array.shape[0], matrix=array, matrix_names=names, named=False)


def _sparse(data: Any, what: str) -> Frame:
    rows = data.tocsr()
    if rows.data.dtype.kind not in "fiub":
        raise InvalidDataError(f"values of type {rows.data.dtype} cannot be used", what, "convert them to numbers: X.astype(float)")
    if rows.data.dtype.kind in "iu" and rows.nnz and max(int(rows.data.max()), -int(rows.data.min())) > 2**53:
        raise InvalidDataError("has whole numbers of more than 53 bits", what, "pass them as a column of their own, or divide them")
    kind = np.float32 if rows.data.dtype == np.float32 else np.float64
    # The library reads the arrays where they are: without gaps, in this machine's order of bytes, and places and starts of rows of one type.
    place = np.int32 if rows.indices.dtype.itemsize <= 4 and rows.indptr.dtype.itemsize <= 4 and rows.indptr.dtype.kind == "i" else np.int64
    parts = (np.ascontiguousarray(rows.data, kind), np.ascontiguousarray(rows.indices, place), np.ascontiguousarray(rows.indptr, place))
    _check_sparse(*parts, rows.shape, what)
    made = type(rows)(parts, shape=rows.shape, copy=False)
    if not made.has_canonical_format:
        made = made.copy()
        made.sum_duplicates()
    return Frame(made.shape[0], sparse=made, sparse_names=array_names(made.shape[1]), named=False)


def _check_sparse(values: Array, places: Array, starts: Array, shape: tuple[int, int], what: str) -> None:
    """Refuses what SciPy takes as it stands, and what points beyond the arrays or the columns."""
    remedy = "make the matrix anew, as by scipy.sparse.csr_matrix((data, (rows, columns)), shape)"
    if len(starts) != shape[0] + 1 or starts[0] != 0 or starts[-1] > min(len(places), len(values)) or (np.diff(starts) < 0).any():
        raise InvalidDataError("where its rows start (indptr) does not fit to its values", what, remedy)
    used = places[: starts[-1]]
    if len(used) and (used.min() < 0 or used.max() >= shape[1]):
        raise InvalidDataError(f"has a value in a column (indices) beyond its {shape[1]} columns", what, remedy)


def name_of(values: Any, otherwise: str, taken: Sequence[str]) -> str:
    """The name of a series where it has one that is free, else a name that is."""
    name = getattr(values, "name", None)
    if isinstance(name, str) and name and name not in taken:
        return name
    while otherwise in taken:
        otherwise += "_"
    return otherwise
