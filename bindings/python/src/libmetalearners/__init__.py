"""Heterogeneous treatment effects by meta-learners.

>>> import libmetalearners as mtlr
>>> learner = mtlr.DRLearner(effect_model=mtlr.Ridge()).fit(X, y, w)    # doctest: +SKIP
>>> learner.predict(X_new), learner.average_effect()                    # doctest: +SKIP
"""

from __future__ import annotations

from . import errors, plots
from ._library import analyses, backends, load_plugin, version
from ._metalearner import MetaLearner
from ._warnings import MetaLearnersWarning
from .collective import Collective, MPICollective
from .errors import MetaLearnersError, NotFittedError
from .estimators import (
    BART,
    OLS,
    BaseLearner,
    Constant,
    ElasticNet,
    Forest,
    Lasso,
    Logistic,
    Plugin,
    Ridge,
    Stack,
    Trees,
    XGBoost,
)
from .explanation import Explanation
from .learners import (
    AutoLearner,
    DRLearner,
    EnsembleLearner,
    FLearner,
    MLearner,
    RALearner,
    RLearner,
    SLearner,
    TLearner,
    ULearner,
    XLearner,
    load,
)
from .results import AnalysisResult, AverageEffects, Intervals
from .row_predictor import RowPredictor
from .search import GridSearch, HalvingSearch, RandomSearch, Range
from .study import Study

__version__ = version()

__all__ = [
    "BART", "OLS", "AnalysisResult", "AutoLearner", "AverageEffects", "BaseLearner", "Collective", "Constant", "DRLearner", "ElasticNet",
    "EnsembleLearner", "Explanation", "FLearner", "Forest", "GridSearch", "HalvingSearch", "Intervals", "Lasso", "Logistic", "MLearner", "MPICollective", "MetaLearner", "MetaLearnersError",
    "MetaLearnersWarning", "NotFittedError", "Plugin", "RALearner", "RLearner", "RandomSearch", "Range", "Ridge", "RowPredictor", "SLearner", "Stack", "Study", "TLearner", "Trees",
    "ULearner", "XGBoost", "XLearner", "analyses", "backends", "errors", "load", "load_plugin", "plots", "version",
]  # fmt: skip
