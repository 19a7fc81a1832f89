"""Tables by the Arrow C Data Interface: whatever exports a stream or an array is read by the library itself."""

from __future__ import annotations

import ctypes as c
from typing import Any

from . import _library as native
from ._library import Handle, lib

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
