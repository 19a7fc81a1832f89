"""Searches of hyper-parameters: ``GridSearch``, ``RandomSearch`` and ``HalvingSearch``.

Each nuisance is fitted once for each of its settings, whatever it is combined with; settings that differ in their number of trees are
stages of one fit; all candidates are judged with one set of nuisances.
"""

from __future__ import annotations

import json
import os
from typing import Any, Mapping, NamedTuple, Optional, Sequence, TypeVar, Union

from . import _library as native
from . import estimators
from ._arguments import dumps, path as path_of
from ._data import Frame
from ._files import replace_file
from ._library import Handle, lib
from ._metalearner import MetaLearner
from ._model import FloatArray, Model, rows_like
from ._options import merge
from ._roles import Roles, assign_roles, chosen, covariates_of, make_dataset
from ._running import Progress, make
from ._saved import learner_of
from ._warnings import tell
from .errors import InvalidArgumentError, InvalidSpecError, NotFittedError
from .results import Rows, as_html, as_text, to_pandas

Self = TypeVar("Self", bound="_Search")
Space = Any


class Range(NamedTuple):
    """A number between two others, for a parameter that is searched: ``Trees(learning_rate=Range(0.01, 1, log=True))``.

    Parameters
    ----------
    low, high : float
        The least and the greatest value.
    log : bool
        Whether equal factors are equally likely, rather than equal differences.
    integer : bool
        Whether values are integers.
    points : int
        How many values a grid has.
    """

    low: float
    high: float
    log: bool = False
    integer: bool = False
    points: int = 5

    def to_spec(self) -> dict[str, Any]:
        """The range as it stands in a spec."""
        return dict(self._asdict())


def _plain(value: Any) -> Any:
    """A part of a space as a spec has it."""
    if isinstance(value, Range):
        return value.to_spec()
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if hasattr(value, "tolist"):
        return value.tolist()
    return [_plain(entry) for entry in value] if isinstance(value, (list, tuple)) else value


def _models(space: Space, where: str) -> Any:
    """The base learners of a role: one or several, each with values, lists of values and ranges."""
    if isinstance(space, (list, tuple)) and not isinstance(space, Range):
        return [_models(entry, where) for entry in space]
    return _plain(estimators.model_spec(space, where))


def _name(learner: Any) -> str:
    if isinstance(learner, str):
        return learner
    if isinstance(learner, type) and issubclass(learner, MetaLearner):
        return learner._learner
    raise InvalidArgumentError(f"{learner!r} is no learner", "learners", "pass names such as 'dr', or classes such as DRLearner")


class _Search:
    """What all searches share."""

    _method = ""

    def __init__(
        self,
        learner: MetaLearner,
        *,
        learners: Optional[Sequence[Union[str, type[MetaLearner]]]] = None,
        outcome: Space = None,
        propensity: Space = None,
        effect: Space = None,
        score: Optional[str] = None,
        nuisance_score: Optional[str] = None,
        strategy: Optional[str] = None,
        choose: Optional[str] = None,
        scoring_nuisances: Optional[str] = None,
        validation_share: Optional[float] = None,
        train_scores: Optional[bool] = None,
        seed: Optional[int] = None,
        threads: Optional[int] = None,
        memory_limit: Optional[int] = None,
    ) -> None:
        if not isinstance(learner, MetaLearner):
            raise InvalidArgumentError(f"{learner!r} is no learner", "learner", "pass one, such as RLearner(folds=5)")
        self.learner = learner
        self.learners = learners
        self.outcome = outcome
        self.propensity = propensity
        self.effect = effect
        self.score = score
        self.nuisance_score = nuisance_score
        self.strategy = strategy
        self.choose = choose
        self.scoring_nuisances = scoring_nuisances
        self.validation_share = validation_share
        self.train_scores = train_scores
        self.seed = seed
        self.threads = threads
        self.memory_limit = memory_limit
        self._result: Optional[dict[str, Any]] = None
        self._csv = ""
        self._best: Optional[MetaLearner] = None

    def __init_subclass__(cls) -> None:
        cls.__doc__ = (cls.__doc__ or "").rstrip() + _PARAMETERS

    def _own(self) -> dict[str, Any]:
        """The keys of the section that only this kind of search has."""
        return {}

    def to_spec(self) -> dict[str, Any]:
        """The document of the search: the spec of the learner with the section ``tuning``, as the command line reads it."""
        models = {
            role: _models(space, f"{type(self).__name__}.{role}")
            for role, space in (("outcome", self.outcome), ("propensity", self.propensity), ("effect", self.effect))
            if space is not None
        }
        names = [_name(learner) for learner in self.learners] if self.learners is not None else None
        keys = (
            "score", "nuisance_score", "strategy", "choose", "scoring_nuisances", "validation_share", "train_scores", "seed",
        )  # fmt: skip
        section = {
            "method": self._method, "learners": names, "models": models or None, **{key: getattr(self, key) for key in keys}, **self._own(),
        }  # fmt: skip
        return merge(self.learner._spec(), {"tuning": {key: value for key, value in section.items() if value is not None}})

    def fit(
        self: Self,
        X: Any,
        y: Any,
        w: Any,
        *,
        sample_weight: Any = None,
        cluster: Any = None,
        propensity: Any = None,
        validation: Optional[Mapping[str, Any]] = None,
        journal: Union[str, "os.PathLike[str]", None] = None,
        refit: bool = True,
        progress: Progress = None,
    ) -> Self:
        """Searches, and fits what is best.

        Parameters
        ----------
        X, y, w, sample_weight, cluster, propensity
            As in the ``fit`` of a learner.
        validation : mapping, optional
            Rows to judge by, which take no part in any fit: ``{"X": ..., "y": ..., "w": ...}``, with the other arguments where they are
            given above. Without, effects are judged out of fold, or by the share that ``validation_share`` says.
        journal : path, optional
            A file that keeps what is done, a line for each candidate. Where it is there from a search that was interrupted or killed, this
            one goes on from there.
        refit : bool
            Whether to fit the best candidate to all rows: ``best_learner_``.
        progress : bool or callable
            ``True`` for a progress bar, or a function of (stage, done, total).

        Returns
        -------
        The search itself.

        Warns
        -----
        MetaLearnersWarning
            What is worth knowing about the data and the search (``warnings_``), and about the fit of ``best_learner_``.

        Raises
        ------
        InvalidDataError, InvalidSpecError
            Both are ``ValueError``. ``KeyboardInterrupt`` stops the search.
        """
        document = self.to_spec()
        X = X if X is None else chosen(X, document.get("data") or {}, [y, w, sample_weight, cluster, propensity])
        roles = assign_roles(X, y, w, sample_weight, cluster, propensity, document.get("data"))
        document = merge(document, {"data": roles.spec})
        spec = {key: value for key, value in document.items() if key != "tuning"}
        dataset = make_dataset(roles, spec, copy=False)
        held = self._held(validation, X, roles, spec)
        path = path_of(journal, "journal") if journal is not None else None
        options: dict[str, Any] = {"threads": self.threads, "memory_limit": self.memory_limit, "progress": progress}
        arguments = (dataset.pointer, held.pointer if held else None, dumps(document), path)
        handle = make(lib.mtlr_tuning_run, lib.mtlr_tuning_free, *arguments, kept=(dataset, held), **options)
        self._result = json.loads(lib.mtlr_tuning_json(handle.pointer).decode())
        self._result["warnings"] = [*roles.notes, *self._result["warnings"]]
        self._csv = lib.mtlr_tuning_csv(handle.pointer).decode()
        self._best = None
        if refit and self._result["best_spec"] is not None and self._result["complete"]:
            made = make(lib.mtlr_tuning_fit_best, lib.mtlr_model_free, handle.pointer, holding=handle, **options)
            learner = learner_of(Model(made))
            learner._dataset = dataset
            learner._propensity, learner._notes = roles.propensity, roles.notes
            learner._given = covariates_of(roles.table.given, roles.spec)
            learner.arms_ = roles.arms(learner._fitted.arms)
            self._best = learner
        tell(dict.fromkeys([*self.warnings_, *(self._best.warnings if self._best is not None else ())]))
        return self

    @staticmethod
    def _held(
        validation: Optional[Mapping[str, Any]], learnt: Optional[Frame], roles: Roles, spec: dict[str, Any]
    ) -> Optional[Handle]:
        if validation is None:
            return None
        known = ("X", "y", "w", "sample_weight", "cluster", "propensity")
        for name in validation:
            if name not in known:
                raise InvalidSpecError("unknown key", f"validation.{name}", "it has " + ", ".join(known))
        for name in known[:3]:
            if name not in validation:
                raise InvalidArgumentError("is missing", f"validation.{name}", "pass rows with X, y and w")
        X, y, w, weight, cluster, propensity = (validation.get(name) for name in known)
        if X is not None and learnt is not None:
            asked = [y, w, weight, cluster, propensity]
            X = chosen(X, spec.get("data") or {}, asked, "validation.X")
            X = X if X.named else rows_like(X, learnt.names, learnt.numbers, "validation.X", given=learnt.given)
        numbers = learnt.numbers if learnt is not None else None
        given = assign_roles(X, y, w, weight, cluster, propensity, spec.get("data"), numbers=numbers)
        if given.spec != roles.spec:
            raise InvalidArgumentError(
                "has other columns than the rows to learn from", "validation", "pass the same arguments for both, under the same names"
            )
        return make_dataset(given, spec, copy=False)

    # ---------------------------------------------------------------------------------------------------- Results

    @property
    def _found(self) -> dict[str, Any]:
        if self._result is None:
            raise NotFittedError("is not fitted yet", type(self).__name__, "call fit(X, y, w) first")
        return self._result

    @property
    def results_(self) -> Rows:
        """The candidates, the best first: learner, base learners, parameters, scores, times. "constant" is one effect for everybody."""
        return list(self._found["candidates"])

    @property
    def nuisances_(self) -> Rows:
        """The settings of nuisances with their losses."""
        return list(self._found["nuisances"])

    @property
    def findings_(self) -> list[str]:
        """What was found, in whole sentences."""
        return list(self._found["findings"])

    @property
    def warnings_(self) -> list[str]:
        """What was worth telling about the search, in whole sentences: ``fit`` has issued each of them as a `MetaLearnersWarning`."""
        return list(self._found["warnings"])

    @property
    def is_complete_(self) -> bool:
        """Whether every candidate was judged."""
        return bool(self._found["complete"])

    @property
    def best_spec_(self) -> Optional[dict[str, Any]]:
        """The spec of the chosen candidate: ``MetaLearner.from_spec`` and the command line take it. None where nothing could be fitted."""
        found = self._found["best_spec"]
        return dict(found) if found is not None else None

    @property
    def best_score_(self) -> Optional[float]:
        """The score of the chosen candidate."""
        best = self._found["best"]
        rows = [row for row in self.results_ if best is not None and row["candidate"] == best["candidate"]]
        return rows[0][self._found["score"]] if rows else None

    @property
    def best_learner_(self) -> MetaLearner:
        """The chosen candidate, fitted to all rows."""
        self._found
        if self._best is None:
            raise NotFittedError("the best candidate was not fitted", type(self).__name__, "fit with refit=True, to the end")
        return self._best

    def predict(self, X: Any, **options: Any) -> FloatArray:
        """The effects of new rows by ``best_learner_``."""
        return self.best_learner_.predict(X, **options)

    def to_frame(self, table: str = "candidates") -> Any:
        """The table of candidates, or that of ``"nuisances"``, as a pandas DataFrame."""
        if table not in ("candidates", "nuisances"):
            raise InvalidArgumentError(f"there is no table '{table}'", "table", "use 'candidates' or 'nuisances'")
        return to_pandas(self._found[table])

    def to_dict(self) -> dict[str, Any]:
        """Everything: what ``metalearners tune --json`` prints."""
        return dict(self._found)

    def to_csv(self, path: Union[str, "os.PathLike[str]"]) -> None:
        """Writes the table of candidates as CSV."""
        self._found
        replace_file(path, self._csv.encode())

    def __repr__(self) -> str:
        if self._result is None:
            return f"{type(self).__name__}({self.learner!r})"
        return "\n".join([*self.findings_, "", as_text(self._short())])

    def _repr_html_(self) -> str:
        return "".join(f"<p>{text}</p>" for text in self.findings_) + as_html(self._short())

    def _short(self) -> Rows:
        """The columns that differ between candidates, without those of nuisances and times."""
        hidden = ("std_error", "fits", "fit_seconds", "score_seconds", "within_one_std_error", "candidate")
        rows = self.results_
        keys = [
            key
            for key in rows[0]
            if key not in hidden and not key.endswith(("_rmse", "_log_loss", "_brier")) and len({str(row[key]) for row in rows[:-1]}) > 1
        ]
        return [{key: row[key] for key in ["learner", *(key for key in keys if key != "learner")]} for row in rows]


_PARAMETERS = """

    Parameters
    ----------
    learner : MetaLearner
        What everything that is not searched is taken from: folds, overlap, seed, and the base learners of roles without a space.
    learners : sequence of str or type, optional
        The learners that are tried, such as ``["r", "dr"]``; the learner's own without it.
    outcome, propensity, effect : base learner, name, mapping, or list of them, optional
        What is tried in each role: ``Trees(trees=[25, 50, 100], max_depth=[0, 5])``. A parameter that is a list or a `Range` is searched.
    score : {"auto", "r_loss", "dr_loss", "x_loss", "rate"}, optional
        What effects are judged by.
    nuisance_score : {"auto", "rmse", "log_loss", "brier"}, optional
        What nuisances are judged by.
    strategy : {"staged", "joint"}, optional
        The best nuisances first and then effects, or all combinations.
    choose : {"best", "one_std_error"}, optional
        The best score, or of those within one standard error of it the effects that vary least.
    scoring_nuisances : {"best", "spec"}, optional
        The nuisances that all effects are judged with.
    validation_share : float, optional
        The share of rows (whole clusters) that is held out to judge by.
    train_scores : bool, optional
        Whether scores on the rows of training are wanted too.
    seed : int, optional
        The seed of drawn settings and held-out rows.
    threads, memory_limit : int, optional
        How the search is run; they change no result.
    """


class GridSearch(_Search):
    """Tries every combination of the values of a space."""

    _method = "grid"


class RandomSearch(_Search):
    """Tries settings that are drawn from a space: `candidates` of each role (20), by `sampling` "sobol" or "latin_hypercube"."""

    _method = "random"

    def __init__(
        self, learner: MetaLearner, *, candidates: Optional[int] = None, sampling: Optional[str] = None, **options: Any
    ) -> None:
        super().__init__(learner, **options)
        self.candidates = candidates
        self.sampling = sampling

    def _own(self) -> dict[str, Any]:
        return {"candidates": self.candidates, "sampling": self.sampling}


class HalvingSearch(_Search):
    """Tries most settings at a part of the cost, and the better ones in full (successive halving).

    The settings are those of the grid, or `candidates` drawn ones. `resource` says what is spared, "rows" or "trees"; `factor` by what
    candidates become fewer from round to round (3); `least_share` the share of the resource in the first round, at least (0.1).
    """

    _method = "halving"

    def __init__(
        self,
        learner: MetaLearner,
        *,
        resource: Optional[str] = None,
        factor: Optional[float] = None,
        least_share: Optional[float] = None,
        candidates: Optional[int] = None,
        sampling: Optional[str] = None,
        **options: Any,
    ) -> None:
        super().__init__(learner, **options)
        self.resource = resource
        self.factor = factor
        self.least_share = least_share
        self.candidates = candidates
        self.sampling = sampling

    def _own(self) -> dict[str, Any]:
        halving = {"resource": self.resource, "factor": self.factor, "least_share": self.least_share}
        given = {key: value for key, value in halving.items() if value is not None}
        return {"candidates": self.candidates, "sampling": self.sampling, "halving": given or None}
