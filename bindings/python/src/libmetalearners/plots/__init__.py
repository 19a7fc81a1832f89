"""Pictures of results, drawn by matplotlib, which is needed for nothing else.

Every function takes the result of an analysis (or the study, which is then asked) and an ``Axes`` to draw into, and returns the
``Axes``. Nothing is computed here: each number is one of the result. ``result.plot()`` draws a result with the function that
belongs to it.

>>> from libmetalearners import plots                      # doctest: +SKIP
>>> plots.toc(study.rate(), outcome="test score")          # doctest: +SKIP
"""

from __future__ import annotations

from typing import Any, Callable

from ..errors import UnsupportedError
from ..results import AnalysisResult
from ._checks import balance, overlap
from ._effects import calibration, effect_distribution, estimates, ranked_effects
from ._explanation import beeswarm, importance
from ._policy import budget_curve, policy_tree, policy_value
from ._ranking import gain, qini, toc, uplift

__all__ = [
    "balance", "beeswarm", "budget_curve", "calibration", "draw", "effect_distribution", "estimates", "gain", "importance", "overlap",
    "policy_tree", "policy_value", "qini", "ranked_effects", "toc", "uplift",
]  # fmt: skip

#: The plot of each analysis that has one.
BY_ANALYSIS: dict[str, Callable[..., Any]] = {
    "overlap": overlap,
    "balance": balance,
    "gates": calibration,
    "nuisance_metrics": calibration,
    "rate": toc,
    "uplift_slices": uplift,
    "uplift_curves": gain,
    "budget_curve": budget_curve,
    "policy_value": policy_value,
    "policy_tree": policy_tree,
    **{
        name: estimates
        for name in (
            "average_effects", "difference_in_means", "ols", "ipw", "matching", "aipw", "tmle", "group_effects", "best_linear_projection",
        )
    },
}  # fmt: skip


def draw(result: AnalysisResult, **options: Any) -> Any:
    """Draws a result with the plot of its analysis.

    Parameters
    ----------
    result : AnalysisResult
        The result.
    **options
        Those of the plot, such as `ax`, `arm` and `outcome`.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    UnsupportedError
        There is no plot of this analysis.
    """
    function = BY_ANALYSIS.get(result.name)
    if function is None:
        raise UnsupportedError(f"there is no plot of '{result.name}'", "plot", "there are plots of " + ", ".join(BY_ANALYSIS))
    return function(result, **options)
