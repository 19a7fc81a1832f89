"""The meta-learners: ``SLearner``, ``TLearner``, …, ``DRLearner``, ``EnsembleLearner`` and ``AutoLearner``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Optional, Sequence, Union

from . import estimators
from ._metalearner import BaseModel, MetaLearner
from ._options import Options, merge

if TYPE_CHECKING:
    from typing_extensions import Unpack


class LearnerWithModels(MetaLearner):
    """A learner with base learners of the caller's choice."""

    def __init__(
        self,
        outcome_model: BaseModel = None,
        propensity_model: BaseModel = None,
        effect_model: BaseModel = None,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(**options)
        self.outcome_model = outcome_model
        self.propensity_model = propensity_model
        self.effect_model = effect_model

    def _spec(self) -> dict[str, Any]:
        models = {
            role: estimators.model_spec(getattr(self, f"{role}_model"), f"{type(self).__name__}.{role}_model")
            for role in ("outcome", "propensity", "effect")
            if getattr(self, f"{role}_model") is not None
        }
        return merge({"models": models} if models else {}, super()._spec())


class SLearner(LearnerWithModels):
    """One model of the outcome with the arm among its covariates: τ(x) = μ(x, k) − μ(x, 0). Künzel et al. 2019."""

    _learner = "s"


class TLearner(LearnerWithModels):
    """One model of the outcome for each arm: τ(x) = μ_k(x) − μ_0(x). Künzel et al. 2019."""

    _learner = "t"


class FLearner(LearnerWithModels):
    """A regression of the transformed outcome (Y − c)(1{W=k} − e)/(e(1 − e)). Athey & Imbens 2016."""

    _learner = "f"


class MLearner(LearnerWithModels):
    """A regression of the inverse-propensity weighted outcome, also called PW-learner. Curth & van der Schaar 2021."""

    _learner = "m"


class XLearner(LearnerWithModels):
    """Imputed effects on each arm, mixed by the propensity. Künzel et al. 2019."""

    _learner = "x"


class ULearner(LearnerWithModels):
    """A regression of (Y − m)/(W − e). Künzel et al. 2019; Nie & Wager 2021."""

    _learner = "u"


class RLearner(LearnerWithModels):
    """The effects that minimise Σ ((Y − m) − (W − e)·τ(X))². Nie & Wager 2021."""

    _learner = "r"


class RALearner(LearnerWithModels):
    """A regression of the outcome less what the other arm's model expects. Curth & van der Schaar 2021."""

    _learner = "ra"


class DRLearner(LearnerWithModels):
    """A regression of the doubly robust score on the covariates. Kennedy 2023."""

    _learner = "dr"


class EnsembleLearner(LearnerWithModels):
    """Several learners, stacked by their out-of-fold loss with non-negative weights (`members`, `loss`). Nie & Wager 2021."""

    _learner = "ensemble"

    def __init__(
        self,
        outcome_model: BaseModel = None,
        propensity_model: BaseModel = None,
        effect_model: BaseModel = None,
        *,
        members: Optional[Sequence[str]] = None,
        loss: Optional[str] = None,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(outcome_model, propensity_model, effect_model, **options)
        self.members = members
        self.loss = loss

    def _spec(self) -> dict[str, Any]:
        given = {"members": self.members, "loss": self.loss}
        return merge({"ensemble": {key: value for key, value in given.items() if value is not None}}, super()._spec())


class AutoLearner(MetaLearner):
    """Sixteen candidates weighted by how well they explain rows held out; it needs no tuning and brings its own models."""

    _learner = "auto"


_LEARNERS: tuple[type[MetaLearner], ...] = (
    SLearner, TLearner, FLearner, MLearner, XLearner, ULearner, RLearner, RALearner, DRLearner, EnsembleLearner, AutoLearner,
)  # fmt: skip
BY_NAME = {made._learner: made for made in _LEARNERS}


def load(path: Union[str, "os.PathLike[str]"], *, trust: bool = False) -> MetaLearner:
    """Reads a model that any interface of the library has saved, as the learner that it was fitted by.

    A model with estimators of scikit-learn among its base learners holds pickles, which can run any code: it is refused unless
    `trust` says that you trust whoever made the file.
    """
    return MetaLearner.load(path, trust=trust)
