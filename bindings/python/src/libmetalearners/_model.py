"""A fitted model of the library, and the rows that it was fitted to."""

from __future__ import annotations

import ctypes as c
import json
import os
from typing import Any, Collection, NamedTuple, Optional, Sequence

import numpy as np
import numpy.typing as npt

from . import _library as native
from . import _sklearn
from ._data import Frame, Values, array_names, column, frame, label_text, name_of, numbers
from ._library import Handle, lib
from ._running import Progress, make, run
from ._text_arrays import check_learnt, check_new
from ._warnings import tell
from .collective import Collective
from . import errors
from .errors import InvalidArgumentError, InvalidDataError

FloatArray = npt.NDArray[np.float64]

# Up to so many rows a prediction is made on the calling thread: it ends before anybody could interrupt it.
_FEW_ROWS = 1000


class Roles(NamedTuple):
    """The columns of a fit, and the section "data" of the spec that says which is which."""

    table: Frame
    spec: dict[str, Any]
    treatment: Values
    propensity: list[str]
    #: What is to be warned of before anything is fitted.
    notes: Sequence[str] = ()

    def arms(self, labels: Sequence[str]) -> list[Any]:
        """Labels of arms as the caller has them; those that only other processes have are of the same type."""
        own = dict(zip(self.treatment.levels or (), self.treatment.labels or self.treatment.levels or ()))
        return [own[label] if label in own else self.treatment.kind(label) for label in labels]


def assign_roles(
    X: Any,
    y: Any,
    w: Any,
    sample_weight: Any,
    cluster: Any,
    propensity: Any,
    data: Optional[dict[str, Any]] = None,
    *,
    part: bool = False,
    numbers: Optional[Collection[str]] = None,
) -> Roles:
    """Puts covariates, outcome, treatment and what else there is into one table. A text names a column of X.

    With `part` other processes have rows as well: here may be none, or those of one arm. `data` is that section of the spec, and `numbers` are the covariates
    that are numbers among the rows that are learnt from, where these are others.
    """
    data = data or {}
    covariates = Frame(len(np.asarray(y))) if X is None else frame(X)
    table = Frame(
        covariates.rows, dict(covariates.columns), covariates.matrix, covariates.matrix_names, covariates.sparse,
        covariates.sparse_names, covariates.arrow, covariates.source, covariates.named, covariates.of_texts,
    )  # fmt: skip
    if table.rows == 0 and not part:
        raise InvalidDataError("there are no rows", "X", "pass at least a few rows of each arm")
    spec: dict[str, Any] = {}

    def place(values: Any, role: str, key: Optional[str]) -> tuple[str, Values]:
        if isinstance(values, str):
            taken = table.take(values)
            if taken is None:
                raise InvalidDataError(
                    f"there is no column '{values}' in X", role, "name one of its columns, or pass the values themselves"
                )
            name, made = values, taken
        else:
            require_same_order(X, values, role)
            name, made = name_of(values, role, table.names), column(values, role)
        if len(made.numbers) != table.rows:
            raise InvalidDataError(
                f"has {len(made.numbers)} values, and X has {table.rows} rows", role, "pass one value for each row of X"
            )
        table.columns[name] = made
        if key:
            spec[key] = name
        return name, made

    _, outcome = place(y, "outcome", "outcome")
    bad = missing_count(outcome)
    if bad and data.get("missing_outcome") != "drop":
        raise InvalidDataError(
            f"{bad} of {table.rows} values are missing", "outcome", "drop these rows, or set missing_outcome='drop'"
        )
    name, treatment = place(w, "treatment", "treatment")
    treatment = _labelled(treatment)
    table.columns[name] = treatment
    arms = len(np.unique(treatment.numbers[treatment.numbers >= 0]))
    if arms < 2 and not part:
        raise InvalidDataError(
            "there is one arm only" if arms else "every value is missing", "treatment", "pass rows of a control and of an arm"
        )
    if sample_weight is not None:
        place(sample_weight, "weight", "weight")
    if cluster is not None:
        name, made = place(cluster, "cluster", "cluster")
        if made.numbers.dtype.kind == "f":
            table.columns[name] = _labelled(made)
    known = named_columns(propensity)
    for name in known:
        place(name, "propensity", None)
    if propensity is not None and not known:
        require_same_order(X, propensity, "propensity")
        known = add_propensities(table, propensity)
    if known:
        spec["propensity"] = known
    notes: list[str] = []
    if numbers is not None:
        check_new(table, numbers)
    else:
        excluded = _listed(data.get("exclude"))
        chosen = _listed(data.get("covariates")) or table.names
        learnt = {name for name in chosen if name not in _played(spec) and name not in excluded}
        # Of several processes each sees its own rows alone: together their texts need not be numbers.
        notes = [] if part else check_learnt(table, learnt, _listed(data.get("categorical")))
    return Roles(table, spec, treatment, known, notes)


def _played(spec: dict[str, Any]) -> list[str]:
    """The columns that are no covariates by the section "data" of a spec."""
    return [name for key in ("treatment", "outcome", "weight", "cluster", "propensity") for name in _listed(spec.get(key))]


def _listed(names: Any) -> list[str]:
    return [names] if isinstance(names, str) else list(names) if isinstance(names, (list, tuple)) else []


def require_same_order(X: Any, values: Any, role: str) -> None:
    """Refuses values whose index has the rows of X in another order: they would be taken row by row, as they stand."""
    index, own = getattr(X, "index", None), getattr(values, "index", None)
    if not (hasattr(index, "is_unique") and hasattr(own, "is_unique")) or index is None or own is None:
        return
    if getattr(index, "nlevels", 1) != getattr(own, "nlevels", 1):
        return
    if len(index) != len(own) or own.equals(index) or not (index.is_unique and own.is_unique):
        return
    if own.isin(index).all():
        raise InvalidDataError(
            "has the rows of X in another order, as its index says", role,
            "align it (.loc[X.index]), or pass .to_numpy() where the order is right as it stands",
        )  # fmt: skip


def missing_count(values: Values) -> int:
    """How many values are missing."""
    if values.validity is not None:
        return int((np.unpackbits(values.validity, bitorder="little")[: len(values.numbers)] == 0).sum())
    if values.numbers.dtype.kind == "f":
        return int(np.isnan(values.numbers).sum())
    return int((values.numbers < 0).sum()) if values.levels else 0


def named_columns(propensity: Any) -> list[str]:
    """The columns that known propensities are in, where they are given by name."""
    if isinstance(propensity, str):
        return [propensity]
    if isinstance(propensity, (list, tuple)) and propensity and all(isinstance(name, str) for name in propensity):
        return list(propensity)
    return []


def add_propensities(table: Frame, propensity: Any, names: Sequence[str] = ()) -> list[str]:
    """Puts known propensities into a table: one number for each row, or one for each row and arm. New rows have the `names` of a fit."""
    if not isinstance(propensity, np.ndarray) and hasattr(propensity, "to_numpy"):
        propensity = propensity.to_numpy()
    given = numbers(np.asarray(propensity), "propensity")
    given = given[:, None] if given.ndim == 1 else given
    if given.ndim != 2 or len(given) != table.rows:
        raise InvalidDataError(
            f"has the shape {given.shape}, and X has {table.rows} rows", "propensity", "pass rows, or rows × arms"
        )
    if names and given.shape[1] != len(names):
        raise InvalidDataError(
            f"has {_columns(given.shape[1])}, and that of the fit had {len(names)}", "propensity", "pass propensities of the same arms as in fit"
        )
    made = []
    for place in range(given.shape[1]):
        name = names[place] if names else name_of(None, "propensity" + (f"_{place}" if given.shape[1] > 1 else ""), table.names)  # fmt: skip
        table.columns[name] = Values(given[:, place])
        made.append(name)
    return made


def _labelled(values: Values) -> Values:
    """A treatment or cluster as codes into labels, so that every label comes back as the caller has it."""
    if values.levels is not None:
        return values
    kind = float if values.numbers.dtype.kind == "f" else int
    if values.validity is not None:
        there = np.unpackbits(values.validity, bitorder="little")[: len(values.numbers)] == 1
        found, codes = np.unique(values.numbers[there], return_inverse=True)
        all_codes = np.full(len(there), -1, np.int32)
        all_codes[there] = codes.reshape(-1)
        labels = found.tolist()
        return Values(all_codes, [label_text(label) for label in labels], labels, kind=kind)
    found, codes = np.unique(values.numbers, return_inverse=True)
    codes = codes.reshape(-1).astype(np.int32)
    if found.dtype.kind == "f" and np.isnan(found).any():
        codes[np.isnan(values.numbers)] = -1
        found = found[~np.isnan(found)]
    labels = found.tolist()
    return Values(codes, [label_text(label) for label in labels], labels, kind=kind)


def make_dataset(roles: Roles, spec: dict[str, Any], copy: bool, collective: Optional[Collective] = None) -> Handle:
    """Checked rows. Without `copy` they point into the caller's arrays, which the handle keeps alive."""
    table, kept = roles.table.table()
    made = c.c_void_p()
    flags = native.COPY if copy else native.BORROW
    if collective is not None:
        return make(
            lib.mtlr_dataset_create_part, lib.mtlr_dataset_free, c.byref(table), native.dumps(spec), flags,
            kept=None if copy else kept, holding=(table, kept), collective=collective,
        )  # fmt: skip
    native.call(lib.mtlr_dataset_create, c.byref(made), c.byref(table), native.dumps(spec), flags)
    return Handle(made, lib.mtlr_dataset_free, None if copy else kept)


def refuse(collective: Collective, error: BaseException) -> None:
    """Tells the other processes, which are about to make their datasets, that this one cannot, and why."""
    told = str(error) if isinstance(error, errors.MetaLearnersError) else f"{type(error).__name__}: {error}"
    try:
        run(lib.mtlr_collective_refuse, errors.status_of(error), told.replace("\0", " ").encode("utf-8", "replace"), collective=collective)
    except Exception:
        pass  # The network is gone as well; what went wrong here is what the caller wants to know.


def rows_like(X: Any, names: list[str], numbers: Collection[str], what: str = "X") -> Frame:
    """New rows for a learner that was fitted to columns of these names, some of which are numbers: found by name, or by place where they have none."""
    made = frame(X, what)
    if not made.named:
        if len(made.names) != len(names):
            raise InvalidDataError(
                f"has {_columns(len(made.names))} without names, and the learner was fitted to {len(names)}", what,
                "pass the covariates of fit alone, in their order, without treatment and outcome, or a table that names them",
            )  # fmt: skip
        if made.matrix is not None:
            made.matrix_names = names
        elif made.sparse is not None:
            made.sparse_names = names
        else:
            made.columns = dict(zip(names, made.columns.values()))
            check_new(made, numbers)
    given = set(made.names)
    missing = [name for name in names if name not in given]
    if missing:
        raise InvalidDataError(
            f"there {'is no column' if len(missing) == 1 else 'are no columns'} " + ", ".join(f"'{name}'" for name in missing),
            what,
            "pass every column that the learner was fitted to"
            + ("; those of an array are called x0, x1 and so on: pass an array, or rename them" if names == array_names(len(names)) else ""),
        )
    return made


def _columns(count: int) -> str:
    return "1 column" if count == 1 else f"{count} columns"


def request(
    output: int, *, arm: Optional[str] = None, baseline: Optional[str] = None, scale: Optional[str] = None
) -> native.Prediction:
    """What to predict of new rows."""
    if scale not in native.SCALES:
        raise InvalidArgumentError(f"there is no scale {scale!r}", "scale", "use 'difference', 'ratio' or 'odds_ratio'")
    return native.Prediction(
        output=output,
        arm=arm.encode() if arm is not None else None,
        baseline=baseline.encode() if baseline is not None else None,
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
        text = native.dumps(spec)
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
            native.call(lib.mtlr_registry_load_model, c.byref(made), native.registry(), os.fsencode(path))
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
        return self._bytes(lib.mtlr_model_export, json.dumps(request).encode())

    def _bytes(self, function: Any, *arguments: Any) -> bytes:
        data, length = c.c_void_p(), c.c_int64()
        native.call(function, c.byref(data), c.byref(length), self.handle.pointer, *arguments)
        try:
            return c.string_at(data.value or 0, length.value)
        finally:
            lib.mtlr_bytes_free(data)

    def save(self, path: Any) -> None:
        native.call(lib.mtlr_model_save, self.handle.pointer, os.fsencode(path))

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
        asked.level = level
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
        if estimand.lower() not in native.ESTIMANDS:
            raise InvalidArgumentError(f"there is no estimand {estimand!r}", "estimand", "use 'ate', 'att', 'atc' or 'ato'")
        asked = native.Averaging(estimand=native.ESTIMANDS[estimand.lower()], level=level)
        told = c.c_void_p()
        arguments = (c.byref(told), self.handle.pointer, c.byref(asked))
        run(lib.mtlr_model_average_effects_json, *arguments, threads=threads, collective=collective, holding=(self, asked))
        answer = json.loads(native.take_text(told))
        return list(answer["estimates"] if isinstance(answer, dict) else answer)
