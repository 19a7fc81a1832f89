"""Learners of models that were saved."""

from __future__ import annotations

import numpy as np

from ._metalearner import MetaLearner
from ._model import Model


def learner_of(model: Model) -> MetaLearner:
    """The learner of a model, with what it knows of its columns and arms."""
    spec = model.json("spec")
    learner = MetaLearner.from_spec(spec)
    learner._model = model
    known = spec["data"].get("propensity") or []
    # Shares of a trial in the spec are a mapping, and no columns.
    learner._propensity = [name for name in (known if isinstance(known, list) else [known]) if isinstance(name, str)]
    names = [found["name"] if isinstance(found, dict) else found for found in model.json("summary").get("covariates", [])]
    learner.feature_names_in_ = np.array(names, dtype=object)
    learner.n_features_in_ = len(names)
    learner.arms_ = list(model.arms)
    return learner
