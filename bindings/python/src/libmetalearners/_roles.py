"""Which column of a fit is what: covariates, outcome, arms and what else there is, put into one table."""

from __future__ import annotations

import ctypes as c
from typing import Any, Collection, NamedTuple, Optional, Sequence

import numpy as np

from . import _library as native
from ._alignment import Alignment
from ._arguments import dumps, mapping
from ._columns import Array, Values, column, label_of, label_text, short
from ._data import Frame, Wanted, count_columns, frame, name_of
from ._library import Handle, lib
from ._per_arm import arm_order, in_order, matrix, names_of
from ._running import make
from ._spelling import MissingValues
from ._text_arrays import check_learnt, check_missing, check_new
from .collective import Collective
from .errors import InvalidDataError


#: The keys of the section "data" that name columns which are no covariates.
ROLES = ("treatment", "outcome", "weight", "cluster", "propensity")


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
        return [own[label] if label in own else label_of(self.treatment.kind, label) for label in labels]


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
    data = mapping(data, "data")
    covariates = Frame(len(np.asarray(y))) if X is None else chosen(X, data, [y, w, sample_weight, cluster, propensity])
    table = Frame(
        covariates.rows, dict(covariates.columns), covariates.matrix, covariates.matrix_names, covariates.sparse,
        covariates.sparse_names, covariates.arrow, covariates.source, covariates.named, covariates.of_texts, Alignment(covariates.alignment), covariates.given,
    )  # fmt: skip
    add_left_out(table, data)
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
            table.alignment.add(role, values)
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
    notes: list[str] = []
    if propensity is not None and not known:
        names = names_of(propensity)
        given, notes = matrix(propensity, "propensity"), []
        if names is not None:
            given, notes = in_order(given, names, arm_order(treatment, names, data, part), "propensity")
        table.alignment.add("propensity", propensity)
        known = add_propensities(table, given)
    if known:
        spec["propensity"] = known
    if numbers is not None:
        check_new(table, numbers)
    else:
        learnt = set(covariates_of(table.names, {**data, **spec}))
        # Of several processes each sees its own rows alone: together their texts need not be numbers.
        if not part:
            missing = MissingValues(data.get("missing_values"))
            notes += check_learnt(table, learnt, _listed(data.get("categorical")), missing)
            notes += check_missing(table, learnt | set(_played(spec)), missing)
    return Roles(table, spec, treatment, known, notes)


def chosen(X: Any, data: dict[str, Any], roles: Sequence[Any], what: str = "X") -> Frame:
    """The columns that the section "data" of a spec does not leave out, and those that are named as roles: all others may be of any kind."""
    listed, excluded = set(_listed(data.get("covariates"))), set(_listed(data.get("exclude")))
    named = {name for role in roles for name in ([role] if isinstance(role, str) else named_columns(role))}

    def is_wanted(name: str) -> bool:
        return name in named or name not in excluded and (not listed or name in listed)

    return frame(X, what, Wanted(is_wanted))


def add_left_out(table: Frame, data: dict[str, Any]) -> None:
    """Stands in for columns that ``data.exclude`` names and that were not read: the library asks whether they are there, and nothing else."""
    present = set(table.names)
    for name in dict.fromkeys(table.given):
        if name not in present and name in _listed(data.get("exclude")):
            table.columns[name] = Values(np.zeros(table.rows, np.uint8))


def covariates_of(names: Sequence[str], data: dict[str, Any]) -> list[str]:
    """Those of some columns that are learnt from by the section "data" of a spec, roles among it."""
    listed, excluded, played = _listed(data.get("covariates")), _listed(data.get("exclude")), _played(data)
    return [name for name in names if name not in played and name not in excluded and (not listed or name in listed)]


def _played(spec: dict[str, Any]) -> list[str]:
    """The columns that are no covariates by the section "data" of a spec."""
    return [name for key in ROLES for name in _listed(spec.get(key))]


def _listed(names: Any) -> list[str]:
    return [names] if isinstance(names, str) else list(names) if isinstance(names, (list, tuple)) else []


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


def add_propensities(table: Frame, given: Array, names: Sequence[str] = ()) -> list[str]:
    """Puts known propensities, rows × arms, into a table. New rows have the `names` of a fit."""
    if len(given) != table.rows:
        raise InvalidDataError(
            f"has the shape {given.shape}, and X has {table.rows} rows", "propensity", "pass rows, or rows × arms"
        )
    if names and given.shape[1] != len(names):
        raise InvalidDataError(
            f"has {count_columns(given.shape[1])}, and that of the fit had {len(names)}", "propensity", "pass propensities of the same arms as in fit"
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
    kind = bool if values.kind is bool else float if values.numbers.dtype.kind == "f" else int
    if values.validity is not None:
        there = np.unpackbits(values.validity, bitorder="little")[: len(values.numbers)] == 1
        found, codes = np.unique(values.numbers[there], return_inverse=True)
        all_codes = np.full(len(there), -1, np.int32)
        all_codes[there] = codes.reshape(-1)
        labels = [kind(label) for label in found.tolist()]
        return Values(all_codes, [label_text(label) for label in labels], labels, kind=kind)
    found, codes = np.unique(values.numbers, return_inverse=True)
    codes = codes.reshape(-1).astype(np.int32)
    if found.dtype.kind == "f" and np.isnan(found).any():
        codes[np.isnan(values.numbers)] = -1
        found = found[~np.isnan(found)]
    labels = [short(label) for label in found] if found.dtype == np.float32 else [kind(label) for label in found.tolist()]
    return Values(codes, [label_text(label) for label in labels], labels, kind=kind)


def make_dataset(roles: Roles, spec: dict[str, Any], copy: bool, collective: Optional[Collective] = None) -> Handle:
    """Checked rows. Without `copy` they point into the caller's arrays, which the handle keeps alive."""
    table, kept = roles.table.table()
    made = c.c_void_p()
    flags = native.COPY if copy else native.BORROW
    if collective is not None:
        return make(
            lib.mtlr_dataset_create_part, lib.mtlr_dataset_free, c.byref(table), dumps(spec), flags,
            kept=None if copy else kept, holding=(table, kept), collective=collective,
        )  # fmt: skip
    native.call(lib.mtlr_dataset_create, c.byref(made), c.byref(table), dumps(spec), flags)
    return Handle(made, lib.mtlr_dataset_free, None if copy else kept)
