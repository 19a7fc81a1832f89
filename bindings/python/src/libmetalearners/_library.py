"""The native library: where it is, its structures, its functions, and the handles that it gives out."""

from __future__ import annotations

import ctypes as c
import json
import os
import threading
import weakref
from pathlib import Path
from typing import Any, Callable, Optional

from ._arguments import dumps, path as path_of
from .errors import BY_STATUS, LibraryError, MetaLearnersError

ABI_VERSION = 9

FLOAT64, FLOAT32, INT64, INT32, INT16, INT8, UINT8, UINT16, UINT32, UINT64 = range(1, 11)
COPY, BORROW = 0, 1
EFFECTS, ARM_MEANS, PROPENSITIES, INTERVALS, STABILITY, INDIVIDUAL_INTERVALS = range(6)
NEW_ROWS, TRAINING_ROWS = 0, 1
ESTIMANDS = {"ate": 0, "att": 1, "atc": 2, "ato": 3}
SCALES = {None: 0, "difference": 1, "ratio": 2, "odds_ratio": 3}

PROGRESS = c.CFUNCTYPE(c.c_int32, c.c_void_p, c.c_char_p, c.c_int64, c.c_int64)
POLL = c.CFUNCTYPE(c.c_int32, c.c_void_p)


class Column(c.Structure):
    _fields_ = [
        ("name", c.c_char_p),
        ("data", c.c_void_p),
        ("stride", c.c_int64),
        ("levels", c.POINTER(c.c_char_p)),
        ("level_count", c.c_int64),
        ("dtype", c.c_int32),
        ("reserved", c.c_int32),
    ]


class Matrix(c.Structure):
    _fields_ = [
        ("data", c.c_void_p),
        ("rows", c.c_int64),
        ("columns", c.c_int64),
        ("row_stride", c.c_int64),
        ("column_stride", c.c_int64),
        ("dtype", c.c_int32),
        ("reserved", c.c_int32),
    ]


class SparseMatrix(c.Structure):
    _fields_ = [
        ("row_starts", c.c_void_p),
        ("column_indices", c.c_void_p),
        ("values", c.c_void_p),
        ("rows", c.c_int64),
        ("columns", c.c_int64),
        ("value_count", c.c_int64),
        ("index_dtype", c.c_int32),
        ("dtype", c.c_int32),
    ]


class Sized(c.Structure):
    """A structure that begins with its own size."""

    def __init__(self, **members: Any) -> None:
        super().__init__(c.sizeof(type(self)))
        for name, value in members.items():
            setattr(self, name, value)


class Table(Sized):
    _fields_ = [
        ("struct_size", c.c_size_t),
        ("rows", c.c_int64),
        ("columns", c.POINTER(Column)),
        ("column_count", c.c_int64),
        ("matrix", c.POINTER(Matrix)),
        ("matrix_names", c.POINTER(c.c_char_p)),
        ("sparse", c.POINTER(SparseMatrix)),
        ("sparse_names", c.POINTER(c.c_char_p)),
        ("validity", c.POINTER(c.c_void_p)),
        ("arrow", c.c_void_p),
    ]


class Execution(Sized):
    _fields_ = [
        ("struct_size", c.c_size_t),
        ("threads", c.c_int32),
        ("reserved", c.c_int32),
        ("progress", PROGRESS),
        ("payload", c.c_void_p),
        ("cancel_token", c.c_void_p),
        ("registry", c.c_void_p),
        ("memory_limit", c.c_int64),
        ("poll", POLL),
        ("collective", c.c_void_p),
    ]


SUM_INT64 = c.CFUNCTYPE(c.c_int32, c.c_void_p, c.POINTER(c.c_int64), c.c_int64)
SUM_DOUBLE = c.CFUNCTYPE(c.c_int32, c.c_void_p, c.POINTER(c.c_double), c.c_int64)
BROADCAST = c.CFUNCTYPE(c.c_int32, c.c_void_p, c.c_void_p, c.c_int64, c.c_int32)
GATHER = c.CFUNCTYPE(c.c_int32, c.c_void_p, c.c_void_p, c.c_int64, c.c_void_p, c.POINTER(c.c_int64))
LEAVE = c.CFUNCTYPE(None, c.c_void_p)


class Collective(Sized):
    _fields_ = [
        ("struct_size", c.c_size_t),
        ("rank", c.c_int32),
        ("size", c.c_int32),
        ("payload", c.c_void_p),
        ("sum_int64", SUM_INT64),
        ("sum_double", SUM_DOUBLE),
        ("max_int64", SUM_INT64),
        ("broadcast", BROADCAST),
        ("gather", GATHER),
        ("leave", LEAVE),
    ]


RESTART = c.CFUNCTYPE(c.c_int32, c.c_void_p)
NEXT = c.CFUNCTYPE(c.c_int32, c.c_void_p, c.POINTER(Table))
LAST_ERROR = c.CFUNCTYPE(c.c_char_p, c.c_void_p)


class RowSource(Sized):
    _fields_ = [
        ("struct_size", c.c_size_t),
        ("payload", c.c_void_p),
        ("restart", RESTART),
        ("next", NEXT),
        ("last_error", LAST_ERROR),
        ("max_bins", c.c_int32),
        ("reserved", c.c_int32),
    ]


class Prediction(Sized):
    _fields_ = [
        ("struct_size", c.c_size_t),
        ("output", c.c_int32),
        ("scale", c.c_int32),
        ("arm", c.c_char_p),
        ("baseline", c.c_char_p),
        ("rows", c.c_int32),
        ("dtype", c.c_int32),
        ("dataset", c.c_void_p),
        ("row_stride", c.c_int64),
        ("column_stride", c.c_int64),
        ("level", c.c_double),
    ]


class Averaging(Sized):
    _fields_ = [
        ("struct_size", c.c_size_t),
        ("estimand", c.c_int32),
        ("reserved", c.c_int32),
        ("dataset", c.c_void_p),
        ("level", c.c_double),
    ]


class Estimates(Sized):
    _fields_ = [
        ("struct_size", c.c_size_t),
        ("effects", c.POINTER(Matrix)),
        ("propensities", c.POINTER(Matrix)),
        ("arm_means", c.POINTER(Matrix)),
        ("true_effects", c.POINTER(Matrix)),
        ("source", c.c_char_p),
        ("outcome_class", c.c_char_p),
    ]


#: The structures of the C headers by their names there, for the test that compares the layouts.
STRUCTURES: dict[str, type[c.Structure]] = {
    "mtlr_column": Column,
    "mtlr_matrix": Matrix,
    "mtlr_sparse_matrix": SparseMatrix,
    "mtlr_table": Table,
    "mtlr_execution": Execution,
    "mtlr_collective": Collective,
    "mtlr_row_source": RowSource,
    "mtlr_prediction": Prediction,
    "mtlr_averaging": Averaging,
    "mtlr_estimates": Estimates,
}

# Arguments by a letter each: p pointer, s text, l int64, i int32, u uint32. The results: 0 is a status.
_PROTOTYPES = {
    "mtlr_abi_version": ("i", ""),
    "mtlr_version": ("s", ""),
    "mtlr_status_name": ("s", "i"),
    "mtlr_error_status": ("i", "p"),
    "mtlr_error_message": ("s", "p"),
    "mtlr_error_location": ("s", "p"),
    "mtlr_error_problem": ("s", "p"),
    "mtlr_error_remedy": ("s", "p"),
    "mtlr_error_free": ("", "p"),
    "mtlr_string_free": ("", "p"),
    "mtlr_bytes_free": ("", "p"),
    "mtlr_cancel_token_create": ("0", "pp"),
    "mtlr_cancel_token_cancel": ("", "p"),
    "mtlr_cancel_token_free": ("", "p"),
    "mtlr_arrow_table_create": ("0", "pppp"),
    "mtlr_arrow_table_from_stream": ("0", "ppp"),
    "mtlr_arrow_table_rows": ("l", "p"),
    "mtlr_arrow_table_column_count": ("l", "p"),
    "mtlr_arrow_table_column_name": ("s", "pl"),
    "mtlr_arrow_table_free": ("", "p"),
    "mtlr_dataset_create": ("0", "ppsup"),
    "mtlr_dataset_create_part": ("0", "ppsupp"),
    "mtlr_dataset_create_streamed": ("0", "ppspp"),
    "mtlr_collective_refuse": ("0", "ispp"),
    "mtlr_dataset_rows": ("l", "p"),
    "mtlr_dataset_arm_count": ("l", "p"),
    "mtlr_dataset_arm_label": ("s", "pl"),
    "mtlr_dataset_source_rows": ("0", "plpp"),
    "mtlr_dataset_warnings": ("0", "ppp"),
    "mtlr_dataset_free": ("", "p"),
    "mtlr_model_fit": ("0", "ppspp"),
    "mtlr_model_fit_reusing": ("0", "ppsppp"),
    "mtlr_model_arm_count": ("l", "p"),
    "mtlr_model_arm_label": ("s", "pl"),
    "mtlr_model_class_count": ("l", "p"),
    "mtlr_model_class_label": ("s", "pl"),
    "mtlr_model_training_rows": ("l", "p"),
    "mtlr_model_spec": ("0", "ppp"),
    "mtlr_model_summary": ("0", "ppp"),
    "mtlr_model_inspect": ("0", "ppp"),
    "mtlr_model_warnings": ("0", "ppp"),
    "mtlr_model_save": ("0", "psp"),
    "mtlr_model_to_bytes": ("0", "pppp"),
    "mtlr_model_export": ("0", "pppsp"),
    "mtlr_model_free": ("", "p"),
    "mtlr_model_prediction_columns": ("0", "pppp"),
    "mtlr_model_prediction_names": ("0", "pppp"),
    "mtlr_model_predict": ("0", "plpppppp"),
    "mtlr_predictor_create": ("0", "ppplpp"),
    "mtlr_predictor_column_count": ("l", "p"),
    "mtlr_predictor_column_name": ("s", "pl"),
    "mtlr_predictor_level_count": ("l", "pl"),
    "mtlr_predictor_level": ("s", "pll"),
    "mtlr_predictor_output_count": ("l", "p"),
    "mtlr_predictor_is_compiled": ("i", "p"),
    "mtlr_predictor_row": ("0", "plpplp"),
    "mtlr_predictor_free": ("", "p"),
    "mtlr_model_explain": ("0", "ppppspp"),
    "mtlr_explanation_rows": ("l", "p"),
    "mtlr_explanation_output_count": ("l", "p"),
    "mtlr_explanation_feature_count": ("l", "p"),
    "mtlr_explanation_feature_name": ("s", "pl"),
    "mtlr_explanation_json": ("s", "p"),
    "mtlr_explanation_values": ("0", "plpp"),
    "mtlr_explanation_standard_errors": ("0", "plpp"),
    "mtlr_explanation_base_values": ("0", "plpp"),
    "mtlr_explanation_effects": ("0", "plpp"),
    "mtlr_explanation_features": ("0", "plpp"),
    "mtlr_explanation_free": ("", "p"),
    "mtlr_model_average_effects_json": ("0", "ppppp"),
    "mtlr_registry_create": ("0", "pp"),
    "mtlr_registry_load_plugin": ("0", "psp"),
    "mtlr_registry_add_callbacks": ("0", "ppp"),
    "mtlr_registry_backends": ("0", "ppp"),
    "mtlr_registry_resolve_spec": ("0", "ppsp"),
    "mtlr_registry_load_model": ("0", "ppsp"),
    "mtlr_registry_read_model": ("0", "ppplp"),
    "mtlr_analyses": ("0", "pp"),
    "mtlr_study_create": ("0", "pppppp"),
    "mtlr_study_create_from_dataset": ("0", "ppsppp"),
    "mtlr_study_rows": ("l", "p"),
    "mtlr_study_column_names": ("0", "ppp"),
    "mtlr_study_warnings": ("0", "ppp"),
    "mtlr_study_column": ("0", "plpsp"),
    "mtlr_study_free": ("", "p"),
    "mtlr_analysis_run": ("0", "ppspp"),
    "mtlr_analysis_json": ("s", "p"),
    "mtlr_analysis_column_count": ("l", "p"),
    "mtlr_analysis_column_name": ("s", "pl"),
    "mtlr_analysis_column": ("0", "plplp"),
    "mtlr_analysis_free": ("", "p"),
    "mtlr_study_report": ("0", "ppspp"),
    "mtlr_tuning_run": ("0", "pppsspp"),
    "mtlr_tuning_json": ("s", "p"),
    "mtlr_tuning_csv": ("s", "p"),
    "mtlr_tuning_best_spec": ("0", "ppp"),
    "mtlr_tuning_fit_best": ("0", "pppp"),
    "mtlr_tuning_free": ("", "p"),
}
_TYPES = {"p": c.c_void_p, "s": c.c_char_p, "l": c.c_int64, "i": c.c_int32, "u": c.c_uint32, "0": c.c_int32, "": None}


def _path() -> Path:
    """The library: the one that METALEARNERS_LIBRARY names, or the one in the wheel."""
    named = os.environ.get("METALEARNERS_LIBRARY")
    path = Path(named) if named else Path(__file__).with_name("lib") / "libmetalearners.so"
    if not path.exists():
        raise LibraryError(
            "there is no such library",
            str(path),
            "install a wheel of libmetalearners, or let the environment variable METALEARNERS_LIBRARY name libmetalearners.so",
        )
    return path


def _load() -> Any:
    path = _path()
    try:
        library = c.CDLL(str(path))
    except OSError as error:
        raise LibraryError(f"cannot be loaded: {error}", str(path), "install what the message names") from error
    for name, (result, arguments) in _PROTOTYPES.items():
        try:
            function = getattr(library, name)
        except AttributeError:
            raise LibraryError(f"has no function {name}", str(path), "use the library that belongs to this package") from None
        function.restype = _TYPES[result]
        function.argtypes = [_TYPES[letter] for letter in arguments]
    found = library.mtlr_abi_version()
    if found != ABI_VERSION:
        raise LibraryError(
            f"has version {found} of the binary interface, and this package needs {ABI_VERSION}",
            str(path),
            "use the library that belongs to this package",
        )
    return library


lib: Any = _load()

#: The same function for rows that take microseconds: it keeps the lock of Python's interpreter.
predict_row: Any = c.PyDLL(None, handle=lib._handle)["mtlr_predictor_row"]
predict_row.restype = c.c_int32
predict_row.argtypes = lib.mtlr_predictor_row.argtypes


def version() -> str:
    """The version of the native library, such as ``"0.9.0"``."""
    return str(lib.mtlr_version().decode())


def failure(error: c.c_void_p, status: int) -> MetaLearnersError:
    """The exception for an error of the library, which is freed."""

    def text(name: str) -> Optional[str]:
        value = getattr(lib, f"mtlr_error_{name}")(error)
        return value.decode("utf-8", "replace") if value is not None else None

    made = BY_STATUS.get(status, MetaLearnersError)(
        text("problem") or "unknown error", text("location"), text("remedy"), text("message")
    )
    lib.mtlr_error_free(error)
    return made


def call(function: Callable[..., int], *arguments: Any) -> None:
    """Calls a function that returns a status, and raises the exception of a failure."""
    error = c.c_void_p()
    status = function(*arguments, c.byref(error))
    if status:
        raised = pending.__dict__.pop("exception", None)
        found = failure(error, status)
        raise raised or found


#: What a callback could not let out, by thread.
pending = threading.local()


def text(function: Callable[..., int], *arguments: Any) -> str:
    """The text that a function writes into its first argument."""
    value = c.c_void_p()
    call(function, c.byref(value), *arguments)
    return take_text(value)


def take_text(value: c.c_void_p) -> str:
    """Copies a text that belongs to the caller, and frees it."""
    try:
        return c.string_at(value.value or 0).decode("utf-8") if value else ""
    finally:
        lib.mtlr_string_free(value)


def read_json(function: Callable[..., int], *arguments: Any) -> Any:
    """The JSON that a function writes into its first argument, read."""
    return json.loads(text(function, *arguments))


class Handle:
    """An object of the library, freed with the last reference to it, in any order and on any thread."""

    __slots__ = ("pointer", "kept", "_finalizer", "__weakref__")

    def __init__(self, pointer: c.c_void_p, free: Callable[[c.c_void_p], None], kept: Any = None) -> None:
        self.pointer = pointer
        #: What must live as long as the object: the arrays that a dataset points into.
        self.kept = kept
        # `kept` is an argument of the finalizer, so that the arrays outlive the call that frees the object.
        self._finalizer = weakref.finalize(self, _release, free, pointer, kept)
        self._finalizer.atexit = False  # The process ends with everything in it.


def _release(free: Callable[[c.c_void_p], None], pointer: c.c_void_p, kept: Any) -> None:
    free(pointer)


_registry: Optional[Handle] = None


def registry() -> c.c_void_p:
    """The base learners that this process knows: those built in, Python's estimators, and the plug-ins that were loaded."""
    global _registry
    if _registry is None:
        made = c.c_void_p()
        call(lib.mtlr_registry_create, c.byref(made))
        from ._sklearn import register

        register(made)
        _registry = Handle(made, lambda pointer: None)
    return _registry.pointer


def load_plugin(path: str) -> None:
    """Adds the base learner of a plug-in to those that this process knows. A plug-in runs with all rights of the process."""
    call(lib.mtlr_registry_load_plugin, registry(), path_of(path))


def backends() -> list[dict[str, Any]]:
    """The base learners with their parameters, as the library lists them."""
    return list(read_json(lib.mtlr_registry_backends, registry())["backends"])


def analyses() -> list[dict[str, Any]]:
    """The analyses with their options, as the library lists them."""
    listed = read_json(lib.mtlr_analyses)
    return list(listed["analyses"] if isinstance(listed, dict) else listed)


def resolve_spec(spec: dict[str, Any]) -> dict[str, Any]:
    """The spec with every default, checked."""
    resolved = read_json(lib.mtlr_registry_resolve_spec, registry(), dumps(spec))
    return dict(resolved)
