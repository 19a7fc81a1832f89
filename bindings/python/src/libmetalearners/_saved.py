"""Learners of specs, and of models that were saved."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import estimators
from ._metalearner import MetaLearner
from ._model import Model
from .errors import InvalidSpecError


def learner_of(model: Model) -> MetaLearner:
    """The learner of a model, with what it knows of its columns and arms."""
    spec = model.json("spec")
    learner = unfitted(spec)
    known = spec["data"].get("propensity") or []
    # Shares of a trial in the spec are a mapping, and no columns.
    learner._propensity = [name for name in (known if isinstance(known, list) else [known]) if isinstance(name, str)]
    names = [found["name"] if isinstance(found, dict) else found for found in model.json("summary").get("covariates", [])]
    learner._model = model
    learner.feature_names_in_ = np.array(names, dtype=object)
    learner.n_features_in_ = len(names)
    learner.arms_ = list(model.arms)
    return learner


def unfitted(spec: dict[str, Any]) -> MetaLearner:
    """The learner of a spec, not fitted."""
    spec = {key: value for key, value in spec.items() if key != "version"}
    spec["data"] = {
        key: value
        for key, value in spec.get("data", {}).items()
        if key not in ("treatment", "outcome", "cluster", "weight", "propensity", "covariates")
    }
    from .learners import BY_NAME  # That module needs this one.

    name = spec.pop("learner", "auto")
    made = BY_NAME.get("m" if name == "pw" else name)
    if made is None:
        raise InvalidSpecError(f"there is no learner '{name}'", "learner", "use one of " + ", ".join(BY_NAME))
    learner = made()
    for role in ("outcome", "propensity", "effect"):
        model = spec.get("models", {}).get(role)
        if model is not None and f"{role}_model" in learner._names:
            setattr(learner, f"{role}_model", estimators.from_spec(model))
            spec["models"] = {key: value for key, value in spec["models"].items() if key != role}
    learner.spec = {key: value for key, value in spec.items() if value not in ({}, [], None)}  # type: ignore[attr-defined]
    return learner
