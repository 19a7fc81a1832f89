"""Studies, and the questions that can be asked of them.

A study has a method for every analysis of the library, made when the package is imported.
"""

from __future__ import annotations

import ctypes as c
import inspect
import json
import os
from typing import TYPE_CHECKING, Any, Callable, Optional, Sequence, Union

import numpy as np
import numpy.typing as npt

from . import _library as native
from ._arguments import dumps, mapping, utf8
from ._data import frame, matrix_view
from ._files import replace_file
from ._library import Handle, lib
from ._model import Model
from ._options import merge
from ._per_arm import arms_of, in_order, matrix, names_of
from ._roles import assign_roles, make_dataset
from ._running import Progress, make, run
from ._warnings import tell
from .errors import InvalidArgumentError, InvalidDataError
from .results import AnalysisResult

Request = Union[str, dict[str, Any]]


class Study:
    """Rows with their arms and outcomes, and what is known or estimated of each.

    A fitted learner makes one with ``learner.study()``. This constructor judges effects that were computed elsewhere, by any
    library; propensities and arm means that are not given are fitted out of fold.

    Rankings and policies (``rate``, ``policy_value``, ``policy_tree`` and the like) take more of the outcome for better. Of an outcome of which less
    is better (churn, deaths, costs) fit the negative, or 1 - y where it is 0 or 1.

    Parameters
    ----------
    y, w : array, shape (n,), or str
        Outcome and arm; a text names a column of `X`.
    X : table, shape (n, p), optional
        The covariates, for what needs them: without, propensities and arm means must be given.
    effects, true_effects : array, shape (n,) or (n, K − 1), optional
        The effect of each arm but the control, estimated, and true where the data are simulated.
    propensities : array, shape (n,) or (n, K), optional
        The probability of each arm, of two arms the treated arm's alone if you like.
    arm_means : array, shape (n, K), optional
        The expected outcome in each arm, the control first.
    sample_weight, cluster : array, shape (n,), optional
        As in ``fit``.
    source : str, optional
        What results call the effects, such as "grf".
    spec : dict, optional
        How nuisances are fitted, and everything else that a spec says.
    threads : int, optional
        Threads to use.

    Warns
    -----
    MetaLearnersWarning
        What is doubtful about the data and the nuisances; ``warnings`` keeps it.
    """

    _handle: Handle
    _threads: Optional[int]
    _notes: Sequence[str] = ()

    def __init__(
        self,
        y: Any,
        w: Any,
        *,
        X: Any = None,
        effects: Any = None,
        propensities: Any = None,
        arm_means: Any = None,
        true_effects: Any = None,
        sample_weight: Any = None,
        cluster: Any = None,
        source: Optional[str] = None,
        spec: Optional[dict[str, Any]] = None,
        threads: Optional[int] = None,
        progress: Progress = None,
    ) -> None:
        if X is None:
            if propensities is None or arm_means is None:
                raise InvalidArgumentError(
                    "propensities and arm means can only be fitted with covariates", "Study", "pass X, or both of them"
                )
            X = frame({"row": np.zeros(len(y))})
        whole = {"learner": "dr", **mapping(spec, "spec")}
        roles = assign_roles(X, y, w, sample_weight, cluster, None, whole.get("data"))
        whole = merge(whole, {"data": roles.spec})
        dataset = make_dataset(roles, whole, copy=False)
        estimates = native.Estimates(source=utf8(source, "source") if source else None)
        kept: list[Any] = [dataset, estimates]
        given = {"effects": effects, "propensities": propensities, "arm_means": arm_means, "true_effects": true_effects}
        notes, arms = list(roles.notes), arms_of(dataset)
        for name, values in given.items():
            if values is not None:
                roles.table.alignment.add(name, values)
                made, told = in_order(matrix(values, name), names_of(values), arms, name)
                if len(made) != roles.table.rows:
                    raise InvalidDataError(
                        f"has the shape {np.shape(values)}, and there are {roles.table.rows} rows", name, "pass a row for each row"
                    )
                made = np.ascontiguousarray(made)
                kept.append(made)
                notes += told
                setattr(estimates, name, c.pointer(matrix_view(made)))
        text = dumps(whole)
        arguments = (dataset.pointer, text, c.byref(estimates))
        options: dict[str, Any] = {"threads": threads, "progress": progress, "kept": kept}
        self._handle = make(lib.mtlr_study_create_from_dataset, lib.mtlr_study_free, *arguments, **options)
        self._threads, self._notes = threads, notes
        tell(self.warnings)

    @classmethod
    def _of_model(cls, model: Model, dataset: Optional[Handle], threads: Optional[int], progress: Progress) -> "Study":
        study = cls.__new__(cls)
        arguments = (model.handle.pointer, dataset.pointer if dataset else None, None)
        options: dict[str, Any] = {"threads": threads, "progress": progress, "kept": (dataset,), "holding": model}
        study._handle = make(lib.mtlr_study_create, lib.mtlr_study_free, *arguments, **options)
        study._threads = threads
        return study

    def __len__(self) -> int:
        return int(lib.mtlr_study_rows(self._handle.pointer))

    @property
    def column_names(self) -> list[str]:
        """The columns of the study: "outcome", "arm", "weight", "propensity_1", "mean_0", "effect_1", "score_1" and so on."""
        return list(native.read_json(lib.mtlr_study_column_names, self._handle.pointer))

    @property
    def warnings(self) -> list[str]:
        """What is worth knowing of the data and of the fit, in whole sentences.

        ``Study(...)`` has issued each of them as a `MetaLearnersWarning`, and so has the ``fit`` of the learner that a study is of. Those of a learner
        that was loaded from a file are kept here as they are in ``learner.warnings``, and not issued again.
        """
        return [*self._notes, *native.read_json(lib.mtlr_study_warnings, self._handle.pointer)]

    def column(self, name: str) -> npt.NDArray[np.float64]:
        """A column of the study, shape (n,)."""
        values = np.empty(len(self))
        native.call(lib.mtlr_study_column, values.ctypes.data, values.size, self._handle.pointer, utf8(name, "column"))
        return values

    def _named(self, prefix: str) -> npt.NDArray[np.float64]:
        names = [name for name in self.column_names if name.startswith(prefix)]
        if not names:
            raise InvalidArgumentError(f"the study has no column {prefix}…", "Study", "it has " + ", ".join(self.column_names))
        found = np.column_stack([self.column(name) for name in names])
        return found[:, 0] if len(names) == 1 else found

    def scores(self) -> npt.NDArray[np.float64]:
        """The doubly robust scores, whose mean is the average effect: (n,) of two arms, (n, K − 1) of more."""
        return self._named("score_")

    def effects(self) -> npt.NDArray[np.float64]:
        """The effects that the study judges: (n,) of two arms, (n, K − 1) of more."""
        return self._named("effect_")

    def run(self, analysis: str, *, progress: Progress = None, **options: Any) -> AnalysisResult:
        """Runs an analysis by its name with its options; ``libmetalearners.analyses()`` lists all of them.

        The warnings of its answer are issued as `MetaLearnersWarning` too, by the method of each analysis as well.
        """
        request = dumps({"analysis": analysis, **{key: value for key, value in options.items() if value is not None}})
        arguments = (self._handle.pointer, request)
        running: dict[str, Any] = {"threads": self._threads, "progress": progress, "holding": self._handle}
        made = make(lib.mtlr_analysis_run, lib.mtlr_analysis_free, *arguments, **running)
        columns = {}
        for place in range(lib.mtlr_analysis_column_count(made.pointer)):
            values = np.empty(len(self))
            native.call(lib.mtlr_analysis_column, values.ctypes.data, values.size, made.pointer, place)
            columns[lib.mtlr_analysis_column_name(made.pointer, place).decode()] = values
        result = AnalysisResult(json.loads(lib.mtlr_analysis_json(made.pointer)), columns)
        tell(result.warnings)
        return result

    def report(
        self,
        path: Optional[Union[str, "os.PathLike[str]"]] = None,
        analyses: Optional[Sequence[Request]] = None,
        *,
        progress: Progress = None,
    ) -> str:
        """Everything on one HTML page that needs no network; written to `path` where one is given.

        Parameters
        ----------
        path : path, optional
            The file to write.
        analyses : list of str or dict, optional
            The analyses to run: names, or dictionaries with "analysis" and options. All that are possible, by default.

        Returns
        -------
        str
            The page.
        """
        if isinstance(analyses, (str, dict)):
            analyses = [analyses]
        if analyses is not None and not isinstance(analyses, (list, tuple)):
            raise InvalidArgumentError(f"{analyses!r} is no list of analyses", "analyses", "pass a list of names, or None for all")
        request = dumps(list(analyses)) if analyses is not None else None
        told = c.c_void_p()
        arguments = (c.byref(told), self._handle.pointer, request)
        run(lib.mtlr_study_report, *arguments, threads=self._threads, progress=progress, holding=self._handle)
        page = native.take_text(told)
        if path is not None:
            replace_file(path, page.encode())
        return page

    def __repr__(self) -> str:
        return f"<Study of {len(self)} rows: {', '.join(self.column_names)}>"

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Callable[..., AnalysisResult]: ...


def _method(listed: dict[str, Any]) -> Callable[..., AnalysisResult]:
    name = listed["name"]
    known = [parameter["name"] for parameter in listed["parameters"]]

    def analysis(self: Study, *, progress: Progress = None, **options: Any) -> AnalysisResult:
        for option in options:
            if option not in known:
                raise InvalidArgumentError("unknown option", f"{name}({option}=…)", "it has " + (", ".join(known) or "none"))
        return self.run(name, progress=progress, **options)

    lines = [f"{listed['title']}.", "", f"{listed['summary']}.", "", "Parameters", "----------"]
    for parameter in listed["parameters"]:
        lines += [f"{parameter['name']} : {parameter['range']}, default {parameter['default']!r}", f"    {parameter['summary']}."]
    analysis.__name__, analysis.__qualname__, analysis.__doc__ = name, f"Study.{name}", "\n".join(lines)
    keyword = inspect.Parameter.KEYWORD_ONLY
    analysis.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY),
            *(inspect.Parameter(found["name"], keyword, default=found["default"]) for found in listed["parameters"]),
            inspect.Parameter("progress", keyword, default=None),
        ],
        return_annotation=AnalysisResult,
    )
    return analysis


for _listed in native.analyses():
    if not hasattr(Study, _listed["name"]):  # `run` reaches an analysis whose name the class itself has.
        setattr(Study, _listed["name"], _method(_listed))
