"""What all meta-learners share: parameters, specs, fitting and predicting.

They follow scikit-learn's conventions (``get_params``, ``set_params``, ``clone``, ``fit`` returns the learner, fitted attributes
end in ``_``), and do not need scikit-learn.
"""

from __future__ import annotations

import inspect
import os
from typing import TYPE_CHECKING, Any, Callable, Optional, Sequence, TypeVar, Union

import numpy as np

from . import _library as native
from . import _streaming as streaming
from . import estimators
from ._arguments import mapping
from ._columns import label_text
from ._data import Frame
from ._files import replace_file
from ._intervals import WithIntervals
from ._model import FloatArray, Model, refuse, request, rows_like
from ._options import DOCUMENTATION, OPTIONS, RUNNING, Options, merge, place
from ._parameters import Parameters
from ._per_arm import in_order, matrix, names_of
from ._roles import ROLES, add_propensities, assign_roles, covariates_of, make_dataset
from ._running import Progress
from ._warnings import tell
from .collective import Collective
from .errors import InvalidArgumentError, InvalidDataError, InvalidSpecError, NotFittedError
from .explanation import Explanation, explain
from .results import AverageEffects
from .row_predictor import RowPredictor

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .study import Study

BaseModel = Union[estimators.BaseLearner, str, dict[str, Any], None]
Self = TypeVar("Self", bound="MetaLearner")


class MetaLearner(Parameters, WithIntervals, streaming.StreamedPredictions):
    """What all learners share."""

    _learner = ""
    _model: Optional[Model] = None
    _dataset: Optional[native.Handle] = None
    _is_streamed = False
    #: The columns that the fit was given, but for roles, in their order: those that the spec leaves out too.
    _given: Sequence[str] = ()
    #: What was doubtful about the data before the library saw them.
    _notes: Sequence[str] = ()
    #: The names of the parameters of `__init__`.
    _names: tuple[str, ...] = tuple(OPTIONS)

    def __init__(self, **options: Unpack[Options]) -> None:
        for name in OPTIONS:
            setattr(self, name, options.pop(name, None))  # type: ignore[misc]
        for unknown in options:
            raise InvalidSpecError("unknown parameter", f"{type(self).__name__}.{unknown}", "it has " + ", ".join(self._names))

    def __init_subclass__(cls) -> None:
        own = [found for found in inspect.signature(cls.__init__).parameters.values() if found.kind.name != "VAR_KEYWORD"][1:]
        shared = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None) for name in OPTIONS]
        cls.__signature__ = inspect.Signature([*own, *shared])  # type: ignore[attr-defined]
        cls._names = tuple(cls.__signature__.parameters)  # type: ignore[attr-defined]
        cls.__doc__ = (cls.__doc__ or "").rstrip() + DOCUMENTATION

    def __sklearn_is_fitted__(self) -> bool:
        return self._model is not None

    def __getstate__(self) -> dict[str, Any]:
        state = {name: value for name, value in self.__dict__.items() if name not in ("_model", "_dataset")}
        if self._model is not None:
            state["_bytes"] = self._model.to_bytes()
            state["_own_rows"] = self._model.own_rows
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        data = state.pop("_bytes", None)
        own_rows = state.pop("_own_rows", None)
        self.__dict__.update(state)
        if data is not None:
            self._model = Model.from_bytes(data, trust=True)  # Whoever reads a pickle trusts it.
            self._model.own_rows = self._model.rows if own_rows is None else own_rows

    # --------------------------------------------------------------------------------------------------- Specs

    def _spec(self) -> dict[str, Any]:
        spec: dict[str, Any] = {"learner": self._learner}
        for name, path in OPTIONS.items():
            value = getattr(self, name)
            if value is not None and name not in RUNNING:
                place(spec, path, label_text(value) if name == "control" else value)
        given = mapping(self.spec, "spec")  # type: ignore[attr-defined]
        return merge(spec, {**given, **({"data": mapping(given["data"], "data")} if "data" in given else {})})

    def to_spec(self) -> dict[str, Any]:
        """The spec with every default, checked by the library: what the command line reads from a file."""
        return native.resolve_spec(self._spec()) if self._model is None else dict(self._fitted.json("spec"))

    @staticmethod
    def from_spec(spec: dict[str, Any]) -> "MetaLearner":
        """The learner of a spec, not fitted. Columns that the spec names are given to ``fit``."""
        from ._saved import unfitted

        return unfitted(spec)

    # ----------------------------------------------------------------------------------------------------- Fit

    def fit(
        self: Self,
        X: Any,
        y: Any,
        w: Any,
        *,
        sample_weight: Any = None,
        cluster: Any = None,
        propensity: Any = None,
        reuse: Optional["MetaLearner"] = None,
        copy: bool = False,
        progress: Progress = None,
        collective: Optional[Collective] = None,
    ) -> Self:
        """Fits the learner.

        Parameters
        ----------
        X : table, shape (n, p)
            The covariates: NumPy, pandas, polars, pyarrow, SciPy CSR, a mapping of columns, or whatever exports an Arrow stream.
            Texts and categoricals are categories; of texts that are all numbers a warning says so, and an array of texts with such a column is
            refused, unless the spec names it under ``data.categorical``. Paths of Parquet files, and a ``ParquetFile`` or ``Dataset`` of pyarrow, are read
            batch by batch: the rows need not fit into memory. Base learners are `Trees` then, and all else names columns of `X`.
        y : array, shape (n,), or str
            The outcome; a text names a column of `X`, here and below, which is no covariate then.
        w : array, shape (n,), or str
            The arm of each row: labels of any type.
        sample_weight : array, shape (n,), optional
            Weights of at least 0, of which the ratios count.
        cluster : array, shape (n,), optional
            Labels of clusters: whole ones are held out, and standard errors allow for them.
        propensity : array, shape (n,) or (n, K), or str or list of str, optional
            Known propensities of the treated arm, or of every arm with the control first; texts name columns of `X`.
        reuse : MetaLearner, optional
            A learner fitted to the same rows, whose nuisances are taken over where they are the same.
        copy : bool
            Whether to copy the data. Without it the learner points into the arrays wherever their layout allows; do not
            write to them as long as you ask it for intervals of training rows or for a study.
        progress : bool or callable
            ``True`` for a progress bar, or a function of (stage, done, total).
        collective : Collective, optional
            What joins the processes that hold the other rows: each calls this with its own, and all get the same learner. Here
            may be no rows at all.

        Returns
        -------
        The learner itself.

        Warns
        -----
        MetaLearnersWarning
            What is worth knowing, such as arms that do not overlap; ``warnings`` keeps it. Of a `collective` rank 0 alone says it.

        Raises
        ------
        InvalidDataError, InvalidSpecError
            Both are ``ValueError``. ``KeyboardInterrupt`` stops the fit.
        """
        if reuse is not None and collective is None and not isinstance(reuse, MetaLearner):
            raise InvalidArgumentError(f"{reuse!r} is no learner", "reuse", "pass a learner that was fitted to the same rows")
        if collective is not None and not isinstance(collective, Collective):
            raise InvalidArgumentError(f"{collective!r} is no collective", "collective", "pass MPICollective(), or a subclass of Collective")
        rows = streaming.batches(X)
        if rows is not None:
            streaming.refuse(collective=collective)
            spec = merge(self._spec(), {"data": streaming.roles(rows, y, w, sample_weight, cluster, propensity)})
            dataset = streaming.make_dataset(rows, spec, progress, self._threads)
            return self._fit(dataset, spec, rows, reuse, {"progress": progress}, lambda arms: streaming.labels(rows, w, arms))
        try:
            spec = self._spec()
            if collective is not None and reuse is not None:
                raise InvalidSpecError("nuisances cannot be given to a collective fit yet", "reuse", "leave it out")
            roles = assign_roles(X, y, w, sample_weight, cluster, propensity, spec.get("data"), part=collective is not None)
            spec = merge(spec, {"data": roles.spec})
        except BaseException as error:
            if collective is not None:
                refuse(collective, error)
            raise
        dataset = make_dataset(roles, spec, copy, collective)
        options: dict[str, Any] = {"progress": progress, **({} if collective is None else {"collective": collective})}
        return self._fit(dataset, spec, roles.table, reuse, options, roles.arms, roles.notes)

    def _fit(
        self: Self,
        dataset: native.Handle,
        spec: dict[str, Any],
        rows: Union[Frame, streaming.Batches],
        reuse: Optional["MetaLearner"],
        options: dict[str, Any],
        labels: Callable[[Sequence[str]], list[Any]],
        notes: Sequence[str] = (),
    ) -> Self:
        options.update(threads=self._threads, memory_limit=self.memory_limit)  # type: ignore[attr-defined]
        model = Model.fit(dataset, spec, reuse._fitted if reuse is not None else None, **options)
        model.own_rows = int(native.lib.mtlr_dataset_rows(dataset.pointer))
        arms, names = labels(model.arms), covariates_of(rows.names, spec["data"])
        given = covariates_of(getattr(rows, "given", rows.names), {key: spec["data"].get(key) for key in ROLES})
        known = spec["data"].get("propensity")
        # Only now, and nothing below can fail: of a fit that failed nothing is left.
        self._model, self._dataset, self._notes, self._is_streamed = model, dataset, notes, isinstance(rows, streaming.Batches)
        self._propensity, self._given = list(known) if isinstance(known, list) else [], given
        self.feature_names_in_, self.n_features_in_, self.arms_ = np.array(names, dtype=object), len(names), arms
        collective = options.get("collective")
        if collective is None or collective.rank == 0:
            tell(self.warnings)
        return self

    @property
    def _threads(self) -> Optional[int]:
        threads: Optional[int] = self.threads  # type: ignore[attr-defined]
        return threads

    @property
    def _fitted(self) -> Model:
        if self._model is None:
            raise NotFittedError("is not fitted yet", type(self).__name__, "call fit(X, y, w) first")
        return self._model

    # --------------------------------------------------------------------------------------------- Predictions

    def _rows(self, X: Any, propensity: Any = None, what: str = "X") -> Frame:
        names = [str(name) for name in self.feature_names_in_]
        made = rows_like(X, names, self._fitted.numbers, what, given=self._given, also=self._propensity)
        if propensity is not None:
            if not self._propensity:
                raise InvalidArgumentError(
                    "the learner was not fitted to known propensities of rows, and uses its own", "propensity", "leave it out"
                )
            made.alignment.add("propensity", propensity)
            given, notes = in_order(matrix(propensity, "propensity"), names_of(propensity), self._fitted.arms, "propensity")
            tell(notes)
            add_propensities(made, given, self._propensity)
        return made

    def _predict(self, X: Any, output: int, propensity: Any = None, **asked: Any) -> FloatArray:
        model = self._fitted
        for name in ("arm", "baseline"):
            if asked.get(name) is not None:
                asked[name] = label_text(asked[name])
        return model.predict(self._rows(X, propensity) if X is not None else None, output, threads=self._threads, **asked)

    def _shape(self, values: FloatArray, numpy3d: bool) -> FloatArray:
        classes = max(1, len(self._fitted.classes))
        made = values.reshape(len(values), values.shape[1] // classes, classes)
        if numpy3d or self._fitted.classes:
            return made
        return made[:, 0, 0] if len(self.arms_) == 2 else made[:, :, 0]

    def predict(
        self,
        X: Any,
        *,
        arm: Any = None,
        baseline: Any = None,
        scale: Optional[str] = None,
        propensity: Any = None,
        numpy3d: bool = False,
        progress: Progress = None,
    ) -> FloatArray:
        """The effects of new rows: E[Y(k) − Y(0) | X = x] for each arm k but the control.

        Parameters
        ----------
        X : table, shape (n, p)
            The covariates, found by name, in any order and among any others. An array, whose columns have no names, has as many
            columns as the learner has covariates (``n_features_in_``), in the order of ``feature_names_in_``, whatever the learner was
            fitted to. To a table, the columns of an array that a learner was fitted to are called x0, x1 and so on. Paths of Parquet
            files, and a ``ParquetFile`` or ``Dataset`` of pyarrow, are read batch by batch, which ``predict_batches`` gives one by one.
        arm, baseline : label, optional
            One arm only, and what it is compared with (the control).
        scale : {"difference", "ratio", "odds_ratio"}, optional
            What effects are measured as.
        propensity : array, optional
            The propensities of the rows, where those of training were known and the learner needs them: as many columns as in ``fit``.
            Where ``fit`` took them from columns of `X`, `X` has them here as well, and this may be left out.
        numpy3d : bool
            Whether to return the shape (n, K − 1, outputs) in every case.

        Returns
        -------
        ndarray
            Shape (n,) of two arms, (n, K − 1) of K arms, (n, K − 1, classes) of an outcome of several classes. With `arm` K − 1 is 1: of three
            arms and more ``predict(X, arm="b")`` has the shape (n, 1).
        """
        if X is None:
            raise InvalidDataError("there are no rows", "X", "pass a table of covariates, or use predict_training() for the rows of training")
        if streaming.batches(X) is not None:
            return self._predict_all(X, propensity, arm=arm, baseline=baseline, scale=scale, numpy3d=numpy3d)
        values = self._predict(
            X, native.EFFECTS, propensity, arm=arm, baseline=baseline, scale=scale, progress=progress
        )  # fmt: skip
        return self._shape(values, numpy3d)

    def predict_training(self, *, scale: Optional[str] = None, numpy3d: bool = False) -> FloatArray:
        """The effects of the training rows, each by models that never saw the row. Shaped as those of ``predict``.

        Rows without an outcome (``missing_outcome="drop"``) are no training rows and have none here; ``predict`` has.
        """
        return self._shape(self._predict(None, native.EFFECTS, scale=scale), numpy3d)

    def fit_predict(self, X: Any, y: Any, w: Any, **options: Any) -> FloatArray:
        """``fit`` and then ``predict_training``."""
        return self.fit(X, y, w, **options).predict_training()

    def row_predictor(
        self, columns: Optional[Sequence[str]] = None, *, arm: Any = None, baseline: Any = None, scale: Optional[str] = None
    ) -> RowPredictor:
        """The learner prepared to predict the effects of one row at a time, in microseconds: what a service wants.

        Parameters
        ----------
        columns : sequence of str, optional
            The names of the values of a row, in order; ``feature_names_in_`` where they are not given.
        arm, baseline, scale : optional
            As those of ``predict``.
        """
        asked = request(
            native.EFFECTS, arm=None if arm is None else label_text(arm), baseline=None if baseline is None else label_text(baseline), scale=scale
        )
        return RowPredictor(self._fitted, columns, asked)

    def explain(
        self,
        X: Any,
        *,
        arm: Any = None,
        baseline: Any = None,
        scale: Optional[str] = None,
        method: str = "auto",
        background: Any = None,
        background_rows: int = 100,
        permutations: int = 2,
        seed: int = 0,
        progress: Progress = None,
    ) -> Explanation:
        """How far each covariate moves the effect of each row: SHAP values, which add up to what ``predict`` gives.

        Parameters
        ----------
        X : table, shape (n, p)
            The rows, as ``predict`` takes them.
        arm, baseline, scale : optional
            As those of ``predict``.
        method : {"auto", "path_dependent", "interventional", "permutation"}
            ``path_dependent``: absent covariates count by the training rows at the splits of trees; what ``auto`` takes for sums
            of trees. ``interventional``: absent covariates have the values of background rows; exact wherever that is feasible.
            ``permutation``: the same, estimated from random orders of the covariates, with a standard error.
        background : table, optional
            The rows that absent covariates take their values from; those of `X` by default.
        background_rows : int
            How many of them are drawn.
        permutations : int
            Where values are estimated, orders of the covariates for each background row, each with its reverse.
        seed : int
            Decides what is drawn.

        Returns
        -------
        Explanation
            ``values`` of shape (n, p) for one effect, (n, outputs, p) for several.
        """
        asked = {
            "method": method, "background_rows": background_rows, "permutations": permutations, "seed": seed, "scale": scale,
            "arm": None if arm is None else label_text(arm), "baseline": None if baseline is None else label_text(baseline),
        }  # fmt: skip
        model = self._fitted
        others = self._rows(background, what="background") if background is not None else None
        return explain(model, self._rows(X), others, asked, self._threads, self.memory_limit, progress)  # type: ignore[attr-defined]

    def predict_arms(self, X: Any = None, *, propensity: Any = None) -> FloatArray:
        """The expected outcome in each arm, the control first: (n, K), or (n, K, classes). Training rows without `X`."""
        values = self._predict(X, native.ARM_MEANS, propensity)
        classes = len(self._fitted.classes)
        return values.reshape(len(values), values.shape[1] // classes, classes) if classes else values

    def propensity(self, X: Any = None) -> FloatArray:
        """The probability of each arm, the control first: (n, K). Training rows without `X`."""
        return self._predict(X, native.PROPENSITIES)

    def average_effect(
        self, estimand: str = "ate", level: float = 0.95, *, collective: Optional[Collective] = None
    ) -> AverageEffects:
        """The average effect of each arm, doubly robust (AIPW), with standard errors, intervals and p-values.

        Parameters
        ----------
        estimand : {"ate", "att", "atc", "ato"}
            Over whom to average: everybody, the treated, the controls, the overlap.
        level : float
            The level of the intervals, between 0 and 1.
        collective : Collective, optional
            That of the fit: the average is over the training rows of all processes, each of which calls this.
        """
        return AverageEffects(self._fitted.average_effects(estimand, level, self._threads, collective))

    def study(self, *, progress: Progress = None) -> "Study":
        """The study of the training rows: what every analysis asks. Effects and nuisances are out of fold.

        After a fit to rows that were read batch by batch it has no covariates.
        """
        from .study import Study

        made = Study._of_model(self._fitted, None if self._is_streamed else self._dataset, self._threads, progress)
        made._notes = self._notes
        return made

    # ----------------------------------------------------------------------------------- What is in the model

    @property
    def summary(self) -> dict[str, Any]:
        """What was fitted: learner, rows, arms, columns, overlap."""
        return dict(self._fitted.json("summary"))

    @property
    def warnings(self) -> list[str]:
        """What was worth telling about the fit. ``fit`` has issued each sentence as a `MetaLearnersWarning`; loading does not again."""
        return [*self._notes, *self._fitted.json("warnings")]

    def save(self, path: Union[str, "os.PathLike[str]"]) -> None:
        """Writes the model to a file that every interface of the library reads."""
        self._fitted.save(path)

    def export(
        self,
        path: Union[str, "os.PathLike[str]", None] = None,
        *,
        format: str,
        what: Union[str, Sequence[str]] = "effects",
        arm: Optional[str] = None,
        baseline: Optional[str] = None,
        scale: Optional[str] = None,
        **options: str,
    ) -> Union[str, bytes, None]:
        """Writes what the model predicts of new rows in another language, to be computed without the library.

        Parameters
        ----------
        path : path, optional
            The file to write, replaced at once or not at all; without it the file is returned: bytes of ONNX, text of the others.
        format : {"onnx", "c", "sql", "json"}
            The language.
        what : str or list of str
            What is predicted: ``"effects"``, ``"arm_means"``, ``"propensities"``, or several of them.
        arm, baseline, scale
            The arm that is asked about, the one that effects compare with, and the scale of effects, as for ``predict``.
        **options
            ``categories`` (ONNX: ``"strings"`` or ``"codes"``), ``name`` (C: the function), ``dialect`` (SQL: ``"duckdb"`` or
            ``"postgres"``), ``table`` (SQL: the table of a whole query).

        Raises
        ------
        UnsupportedError
            Where a model within has no formula, as those of plug-ins have none.
        """
        request: dict[str, Any] = {"format": format, "what": list(what) if isinstance(what, (list, tuple)) else [what], **options}
        request.update({key: label_text(value) for key, value in {"arm": arm, "baseline": baseline}.items() if value is not None})
        if scale is not None:
            request["scale"] = scale
        made = self._fitted.export(request)
        if path is None:
            return made if format == "onnx" else made.decode()
        replace_file(path, made)
        return None

    @staticmethod
    def load(path: Union[str, "os.PathLike[str]"], *, trust: bool = False) -> "MetaLearner":
        """Reads a model that any interface of the library has saved. ``arms_`` are texts: a file does not say whether they were numbers.

        Parameters
        ----------
        path : path
            The file.
        trust : bool
            Whether to read pickles, which can run any code. A model with estimators of scikit-learn among its base learners holds
            some, and is refused without it.
        """
        from ._saved import learner_of

        return learner_of(Model.load(path, trust))
