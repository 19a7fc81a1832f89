"""The keywords that all learners share, and where each stands in a spec."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Optional, TypedDict, Union

class Options(TypedDict, total=False):
    """The keywords that all learners share; each is documented with the learners."""

    control: Any
    outcome_type: Optional[str]
    multi_arm: Optional[str]
    folds: Optional[int]
    repeats: Optional[int]
    aggregation: Optional[str]
    in_sample: Optional[str]
    overlap: Optional[str]
    overlap_bounds: Optional[Sequence[float]]
    prediction: Optional[str]
    effect_scale: Optional[str]
    interval_method: Optional[str]
    interval_level: Optional[float]
    interval_samples: Optional[Union[int, str]]
    average_effects: Optional[bool]
    keep_training: Optional[bool]
    missing_outcome: Optional[str]
    unseen_levels: Optional[str]
    seed: Optional[int]
    spec: Optional[dict[str, Any]]
    threads: Optional[int]
    memory_limit: Optional[int]


OPTIONS: dict[str, str] = {
    "control": "data.control",
    "outcome_type": "data.outcome_type",
    "multi_arm": "multi_arm",
    "folds": "cross_fitting.folds",
    "repeats": "cross_fitting.repeats",
    "aggregation": "cross_fitting.aggregation",
    "in_sample": "cross_fitting.in_sample",
    "overlap": "overlap.policy",
    "overlap_bounds": "overlap.bounds",
    "prediction": "prediction",
    "effect_scale": "effect_scale",
    "interval_method": "intervals.method",
    "interval_level": "intervals.level",
    "interval_samples": "intervals.samples",
    "average_effects": "average_effects",
    "keep_training": "keep_training",
    "missing_outcome": "data.missing_outcome",
    "unseen_levels": "data.unseen_levels",
    "seed": "seed",
    "spec": "",
    "threads": "",
    "memory_limit": "",
}

#: What decides how a fit is run, not what it gives; and the rest of the spec, which is merged as it is.
RUNNING = ("spec", "threads", "memory_limit")

def _paths() -> str:
    """Which keyword has which path, those alone that differ in more than the section."""
    return ", ".join(f"``{path}`` is ``{name}``" for name, path in OPTIONS.items() if path not in ("", name))


DOCUMENTATION = """

    Parameters
    ----------
    outcome_model, propensity_model, effect_model : base learner, optional
        What fits the outcomes, the propensities and the effects, where the learner has such models: ``Trees(...)``,
        ``Ridge(...)``, a name such as ``"ridge"``, or ``None`` for the library's default.
    control : label, optional
        The arm that the others are compared with; by default the lowest number, or a text such as "control" or "no".
    outcome_type : {"auto", "continuous", "binary", "count", "classes"}, optional
        What the outcome is.
    multi_arm : {"pairwise", "joint"}, optional
        Whether the R-learner fits the effects of several arms in pairs or together.
    folds, repeats : int, optional
        Folds of cross-fitting, and how often it is repeated with other folds.
    aggregation : {"median", "mean"}, optional
        How repeats are put together.
    in_sample : {"out_of_fold", "nested", "full"}, optional
        How effects of training rows are made.
    overlap : {"clip", "trim", "fail"}, optional
        What is done where propensities are outside of `overlap_bounds`.
    overlap_bounds : pair of float, optional
        The bounds of propensities: 0.01 and 0.99, wider where an arm is rare, where they are not given.
    prediction : {"full", "mean", "median"}, optional
        What predicts new rows: models of all rows, or those of the folds.
    effect_scale : {"difference", "ratio", "odds_ratio"}, optional
        What effects are measured as.
    interval_method, interval_level, interval_samples : str, float, int or "auto", optional
        How confidence intervals of effects are made: "analytic", "forest", "half_sampling" or "bootstrap".
    average_effects, keep_training : bool, optional
        Whether average effects can be asked for, and whether the training rows are kept in the model.
    missing_outcome : {"error", "drop"}, optional
        What is done with rows without an outcome.
    unseen_levels : {"missing", "error"}, optional
        What is done with levels that training did not have.
    seed : int, optional
        The seed: the same data, parameters and seed give the same bytes.
    spec : dict, optional
        Any other part of a spec, merged over the parameters.
    threads, memory_limit : int, optional
        Threads to use (all processors), and bytes that a fit may take beside the data (no limit). They change no result.

    Parameters that are ``None`` have the library's default; ``to_spec()`` shows every one of them.

    Notes
    -----
    Warnings and errors name parts of a spec by their paths, as every language of the library does. Here
    PATHS;
    ``models.outcome``, ``models.propensity`` and ``models.effect`` are ``outcome_model``, ``propensity_model`` and
    ``effect_model``. Every other path is a key of ``spec``: ``data.exclude: [a]`` is ``spec={"data": {"exclude": ["a"]}}``.
    """.replace("PATHS", _paths())


def place(spec: dict[str, Any], path: str, value: Any) -> None:
    """Sets a value at a path such as ``"overlap.policy"``."""
    *outer, last = path.split(".")
    for key in outer:
        spec = spec.setdefault(key, {})
    spec[last] = value


def merge(spec: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """A spec with the values of another in it; sections are merged key by key."""
    made = dict(spec)
    for key, value in over.items():
        known = made.get(key)
        made[key] = merge(known, value) if isinstance(value, dict) and isinstance(known, dict) else value
    return made
