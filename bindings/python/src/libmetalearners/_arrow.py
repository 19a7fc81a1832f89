"""Tables by the Arrow C Data Interface: whatever exports a stream or an array is read by the library itself."""

from __future__ import annotations

import ctypes as c
import sys
from typing import Any, Callable

from . import _library as native
from ._columns import type_of
from ._library import Handle, lib
from ._warnings import tell
from .errors import InvalidArgumentError, MetaLearnersError

_pointer = c.pythonapi.PyCapsule_GetPointer
_pointer.restype = c.c_void_p
_pointer.argtypes = [c.py_object, c.c_char_p]


def exports(data: Any) -> bool:
    """Whether an object can be handed over by Arrow."""
    return hasattr(data, "__arrow_c_stream__") or hasattr(data, "__arrow_c_array__")


class ArrowTable:
    """Columns that the library reads where they are; they are kept alive by the library."""

    def __init__(self, data: Any) -> None:
        made = c.c_void_p()
        if hasattr(data, "__arrow_c_stream__"):
            stream = data.__arrow_c_stream__()
            native.call(lib.mtlr_arrow_table_from_stream, c.byref(made), _pointer(stream, b"arrow_array_stream"))
        else:
            schema, array = data.__arrow_c_array__()
            given = _pointer(schema, b"arrow_schema"), _pointer(array, b"arrow_array")
            native.call(lib.mtlr_arrow_table_create, c.byref(made), *given)
        self.handle = Handle(made, lib.mtlr_arrow_table_free)
        self.rows = int(lib.mtlr_arrow_table_rows(made))
        self.names = [
            lib.mtlr_arrow_table_column_name(made, place).decode() for place in range(lib.mtlr_arrow_table_column_count(made))
        ]


def read(data: Any, what: str, is_wanted: Callable[[str], bool]) -> tuple[ArrowTable, Any, list[str]]:
    """The columns of a table that are wanted, the object that they are of, and the names of all columns."""
    module = type(data).__module__.split(".")[0]
    if module not in ("polars", "pyarrow"):
        try:
            table = ArrowTable(data)
            return table, data, table.names
        except MetaLearnersError:
            # It may be a column that nobody wants. pyarrow can take it out, but is not imported for it.
            if "pyarrow" not in sys.modules or not hasattr(data, "__arrow_c_stream__"):
                raise
            data = sys.modules["pyarrow"].table(data)
    elif module == "pyarrow" and hasattr(data, "read_all"):
        data = data.read_all()
        if not data.num_rows:
            tell([f"{what}: this reader has no rows (left): it can be read once. Make it anew, or keep its rows as a table: reader.read_all()"])
    elif module == "polars" and not hasattr(data, "columns"):
        data = data.to_frame()
    narrow, given = _narrowed(data, is_wanted)
    made = _without_decimals(narrow)
    return ArrowTable(made), made, given


def _narrowed(data: Any, is_wanted: Callable[[str], bool]) -> tuple[Any, list[str]]:
    """A table of polars or pyarrow without the columns that are not wanted, and the names that it had."""
    if not hasattr(data, "schema"):
        return data, []
    given = list(data.columns) if type(data).__module__.startswith("polars") else list(data.schema.names)
    places = [place for place, name in enumerate(given) if is_wanted(name)]
    if len(places) == len(given):
        return data, given
    if type(data).__module__.startswith("polars"):
        return data.select([given[place] for place in places]), given
    return (data if hasattr(data, "drop_columns") else sys.modules["pyarrow"].Table.from_batches([data])).select(places), given


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


def split(data: Any, name: str) -> tuple[Any, Any]:
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
