"""A fitted model of the library, and the rows that it was fitted to."""

from __future__ import annotations

import ctypes as c
import json
import os
from typing import Any, Collection, Optional, Sequence

import numpy as np
import numpy.typing as npt

from . import _library as native
from . import _sklearn
from ._arguments import dumps, number, path as path_of, utf8
from ._data import Frame, Wanted, array_names, count_columns, frame
from ._library import Handle, lib
from ._running import Progress, make, run
from ._text_arrays import check_new
from ._warnings import tell
from .collective import Collective
from . import errors
from .errors import InvalidArgumentError, InvalidDataError

FloatArray = npt.NDArray[np.float64]

# Up to so many rows a prediction is made on the calling thread: it ends before anybody could interrupt it.
_FEW_ROWS = 1000


def refuse(collective: Collective, error: BaseException) -> None:
    """Tells the other processes, which are about to make their datasets, that this one cannot, and why."""
    told = str(error) if isinstance(error, errors.MetaLearnersError) else f"{type(error).__name__}: {error}"
    try:
        run(lib.mtlr_collective_refuse, errors.status_of(error), told.replace("\0", " ").encode("utf-8", "replace"), collective=collective)
    except Exception:
        pass  # The network is gone as well; what went wrong here is what the caller wants to know.


def rows_like(
    X: Any, names: list[str], numbers: Collection[str], what: str = "X", *, given: Sequence[str] = (), also: Collection[str] = ()
) -> Frame:
    """New rows for a learner that was fitted to columns of these names, some of which are numbers: found by name, or by place where they have none.

    All other columns are left alone, but for those that are `also` read where they are there. Arrays may have the columns that the fit was `given`, too, some
    of which its spec left out.
    """
    needed = {*names, *also}
    made = frame(X, what, Wanted(needed.__contains__, names if len(given) <= len(names) else given))
    if not made.named:
        count = len(made.given)
        if count != len(names) and count != len(given):
            raise InvalidDataError(
                f"has {count_columns(count)} without names, and the learner was fitted to {len(names)}", what,
                "pass the covariates of fit alone, in their order, without treatment and outcome, or a table that names them",
            )  # fmt: skip
        by_place = list(names if count == len(names) else given)
        if made.matrix is not None:
            made.matrix_names = by_place
        elif made.sparse is not None:
            made.sparse_names = by_place
        else:
            called = dict(zip(made.given, by_place))
            made.columns = {called[name]: values for name, values in made.columns.items()}
            check_new(made, numbers)
    present = set(made.names)
    missing = [name for name in names if name not in present]
    if missing:
        raise InvalidDataError(
            f"there {'is no column' if len(missing) == 1 else 'are no columns'} " + ", ".join(f"'{name}'" for name in missing),
            what,
            "pass every column that the learner was fitted to"
            + ("; those of an array are called x0, x1 and so on: pass an array, or rename them" if names == array_names(len(names)) else ""),
        )
    return made


def request(
    output: int, *, arm: Optional[str] = None, baseline: Optional[str] = None, scale: Optional[str] = None
) -> native.Prediction:
    """What to predict of new rows."""
    if not (scale is None or isinstance(scale, str)) or scale not in native.SCALES:
        raise InvalidArgumentError(f"there is no scale {scale!r}", "scale", "use 'difference', 'ratio' or 'odds_ratio'")
    return native.Prediction(
        output=output,
        arm=utf8(arm, "arm") if arm is not None else None,
        baseline=utf8(baseline, "baseline") if baseline is not None else None,
        scale=native.SCALES[scale],
    )


class Model:
    """A fitted model: immutable, shared freely between threads and forked processes."""

    def __init__(self, handle: Handle) -> None:
        self.handle = handle
        self.arms = [
            lib.mtlr_model_arm_label(handle.pointer, arm).decode() for arm in range(lib.mtlr_model_arm_count(handle.pointer))
        ]
        self.classes = [
            lib.mtlr_model_class_label(handle.pointer, place).decode()
            for place in range(lib.mtlr_model_class_count(handle.pointer))
        ]
        self.rows = int(lib.mtlr_model_training_rows(handle.pointer))
        #: How many of them are here: all, unless several processes fitted the model together.
        self.own_rows = self.rows
        self._numbers: Optional[frozenset[str]] = None

    @classmethod
    def fit(cls, dataset: Handle, spec: dict[str, Any], reuse: Optional["Model"] = None, **options: Any) -> "Model":
        text = dumps(spec)
        if reuse is not None:
            given = (dataset.pointer, text, reuse.handle.pointer)
            made = make(lib.mtlr_model_fit_reusing, lib.mtlr_model_free, *given, holding=(dataset, reuse), **options)
        else:
            made = make(lib.mtlr_model_fit, lib.mtlr_model_free, dataset.pointer, text, holding=dataset, **options)
        return cls(made)

    @classmethod
    def load(cls, path: Any, trust: bool = False) -> "Model":
        made = c.c_void_p()
        with _sklearn.trusting(trust) as read:
            native.call(lib.mtlr_registry_load_model, c.byref(made), native.registry(), path_of(path))
        if read:
            classes = ", ".join(sorted(set(read)))
            tell([f"{os.fsdecode(path)}: Python objects were unpickled: {classes}"])
        return cls(Handle(made, lib.mtlr_model_free))

    @classmethod
    def from_bytes(cls, data: bytes, trust: bool = False) -> "Model":
        made = c.c_void_p()
        buffer = c.cast(c.c_char_p(data), c.c_void_p)
        with _sklearn.trusting(trust):
            native.call(lib.mtlr_registry_read_model, c.byref(made), native.registry(), buffer, len(data))
        return cls(Handle(made, lib.mtlr_model_free))

    def to_bytes(self) -> bytes:
        return self._bytes(lib.mtlr_model_to_bytes)

    def export(self, request: dict[str, Any]) -> bytes:
        return self._bytes(lib.mtlr_model_export, dumps(request))

    def _bytes(self, function: Any, *arguments: Any) -> bytes:
        data, length = c.c_void_p(), c.c_int64()
        native.call(function, c.byref(data), c.byref(length), self.handle.pointer, *arguments)
        try:
            return c.string_at(data.value or 0, length.value)
        finally:
            lib.mtlr_bytes_free(data)

    def save(self, path: Any) -> None:
        native.call(lib.mtlr_model_save, self.handle.pointer, path_of(path))

    @property
    def numbers(self) -> frozenset[str]:
        """The covariates that are numbers."""
        if self._numbers is None:
            self._numbers = frozenset(found["name"] for found in self.json("summary")["covariates"] if found["kind"] == "numeric")
        return self._numbers

    def json(self, what: str) -> Any:
        """The spec, summary, inspect or warnings of the model."""
        return native.read_json(getattr(lib, f"mtlr_model_{what}"), self.handle.pointer)

    def predict(
        self,
        table: Optional[Frame],
        output: int,
        *,
        arm: Optional[str] = None,
        baseline: Optional[str] = None,
        scale: Optional[str] = None,
        level: float = 0.0,
        dataset: Optional[Handle] = None,
        threads: Optional[int] = None,
        progress: Progress = None,
    ) -> FloatArray:
        """Rows × columns of an output; the training rows where there is no table."""
        asked = request(output, arm=arm, baseline=baseline, scale=scale)
        asked.level = number(level, "level")
        asked.rows = native.TRAINING_ROWS if table is None else native.NEW_ROWS
        asked.dataset = dataset.pointer if dataset is not None else None
        count, pointer = c.c_int64(), self.handle.pointer
        native.call(lib.mtlr_model_prediction_columns, c.byref(count), pointer, c.byref(asked))
        view, kept = table.table() if table is not None else (None, None)
        values = np.empty((self.own_rows if table is None else table.rows, count.value))
        told = c.c_void_p()
        where, viewed = values.ctypes.data, c.byref(view) if view is not None else None
        arguments = (where, values.size, c.byref(told), pointer, viewed, c.byref(asked))
        if len(values) <= _FEW_ROWS and not progress:
            native.call(lib.mtlr_model_predict, *arguments, None)
        else:
            holding = (self, kept, values, asked, dataset)
            run(lib.mtlr_model_predict, *arguments, threads=threads, progress=progress, holding=holding)
        if told:
            tell(json.loads(native.take_text(told)))
        return values

    def average_effects(
        self, estimand: str, level: float, threads: Optional[int], collective: Optional[Collective] = None
    ) -> list[dict[str, Any]]:
        if not isinstance(estimand, str) or estimand.lower() not in native.ESTIMANDS:
            raise InvalidArgumentError(f"there is no estimand {estimand!r}", "estimand", "use 'ate', 'att', 'atc' or 'ato'")
        asked = native.Averaging(estimand=native.ESTIMANDS[estimand.lower()], level=number(level, "level"))
        told = c.c_void_p()
        arguments = (c.byref(told), self.handle.pointer, c.byref(asked))
        run(lib.mtlr_model_average_effects_json, *arguments, threads=threads, collective=collective, holding=(self, asked))
        answer = json.loads(native.take_text(told))
        return list(answer["estimates"] if isinstance(answer, dict) else answer)
