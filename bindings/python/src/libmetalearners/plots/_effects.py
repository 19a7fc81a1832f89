"""What the effects are: their distribution, each of them with its interval, groups and averages."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np

from ..errors import InvalidArgumentError
from ..results import AnalysisResult, AverageEffects
from ._style import (
    BLUE, GREY, INK, LIGHT, ORANGE, Axes, answer, arms_of, dress, effect_label, legend, new_axes, number, of_arm, percent, present,
    sentence, short, table,
)  # fmt: skip


def effect_distribution(study: Any, *, arm: Any = None, bins: int = 40, outcome: Optional[str] = None, ax: Optional[Axes] = None) -> Axes:
    """How the estimated effects are spread: a histogram, with mean, median and the middle 90 %.

    Parameters
    ----------
    study : Study or MetaLearner
        A study, or a fitted learner, whose study is made.
    arm : label, optional
        The arm against the control; the first of several.
    bins : int
        Bars of the histogram.
    outcome : str, optional
        What the outcome is called on the axis.
    ax : matplotlib.axes.Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib.axes.Axes
    """
    if isinstance(study, AnalysisResult) or not (hasattr(study, "study") or hasattr(study, "column_names")):
        raise InvalidArgumentError("the effects themselves are needed", "study", "pass the study, or the fitted learner")
    if hasattr(study, "study"):
        study = study.study()
    rows = table(study.run("effect_distribution"), "distribution")
    place = arms_of(rows).index(arms_of(rows, arm)[0])
    (row,), words = of_arm(rows, arm)
    effects = study.effects()
    effects = effects if effects.ndim == 1 else effects[:, place]
    weights = study.column("weight") if "weight" in study.column_names else np.ones(len(effects))
    ax = new_axes(ax)
    # A few extreme effects would press all others into one bar: they are counted in the outermost bars.
    reach = row["q95"] - row["q5"]
    low, high = max(row["min"], row["q5"] - 1.2 * reach), min(row["max"], row["q95"] + 1.2 * reach)
    if low == high:
        low, high = low - 0.5, high + 0.5
    ax.hist(np.clip(effects, low, high), bins, range=(low, high), weights=weights / weights.sum(), color=BLUE, alpha=0.85, edgecolor="white", linewidth=0.5)  # fmt: skip
    top = ax.get_ylim()[1]
    ax.set_ylim(0, top * 1.16)
    ax.axvline(0, color=INK, linewidth=0.9)
    ax.axvline(row["mean"], color=ORANGE, linewidth=1.6, label=f"mean {number(row['mean'])}")
    ax.axvline(row["q50"], color=GREY, linewidth=1.4, linestyle=(0, (4, 3)), label=f"median {number(row['q50'])}")
    ax.plot([row["q5"], row["q95"]], [top * 1.07] * 2, color=INK, linewidth=2, solid_capstyle="butt", label="middle 90 %")
    said = f"{100 * row['share_above_zero']:.0f} % are above 0"
    dress(ax, "How much do estimated effects differ?", sentence(words, said), effect_label(outcome, "Estimated effect"), "Share of the rows")
    percent(ax, "y")
    legend(ax, loc="upper right")
    return ax


def ranked_effects(intervals: Any, *, arm: int = 0, points: int = 250, outcome: Optional[str] = None, ax: Optional[Axes] = None) -> Axes:
    """Every effect with its interval, from the lowest to the highest.

    Parameters
    ----------
    intervals : Intervals
        What ``learner.interval(X)`` or ``learner.individual_interval(X)`` gives, or any three arrays `effect`, `lower`, `upper`.
    arm : int
        Which effect where there are several arms: 0 is the first arm but the control.
    points : int
        How many intervals are drawn at most, at evenly spaced ranks.
    outcome : str, optional
        What the outcome is called on the axis.
    ax : matplotlib.axes.Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib.axes.Axes
    """
    effect, lower, upper = (np.asarray(part, dtype=float) for part in intervals)
    if effect.ndim > 1:
        effect, lower, upper = (part.reshape(len(part), -1)[:, arm] for part in (effect, lower, upper))
    if not len(effect) or effect.shape != lower.shape or effect.shape != upper.shape:
        raise InvalidArgumentError("effect, lower and upper must be of one length above 0", "intervals", "pass learner.interval(X)")
    order = np.argsort(effect, kind="stable")
    places = np.unique(np.linspace(0, len(order) - 1, min(points, len(order))).round().astype(int))
    chosen = order[places]
    above, below = lower > 0, upper < 0
    # Individual intervals may have no ends: they are drawn a little beyond all others.
    ends = np.concatenate([effect, lower[np.isfinite(lower)], upper[np.isfinite(upper)]])
    beyond = 0.1 * (ends.max() - ends.min() or 1)
    lower, upper = np.maximum(lower, ends.min() - beyond), np.minimum(upper, ends.max() + beyond)
    ax = new_axes(ax)
    share = (places + 0.5) / len(order)
    for rows, colour, label in (
        (above, BLUE, "above 0"), (below, ORANGE, "below 0"), (~above & ~below, LIGHT, "may be 0"),
    ):  # fmt: skip
        drawn = rows[chosen]
        if drawn.any():
            text = f"interval {label}: {100 * rows.mean():.0f} % of the rows"
            ax.vlines(share[drawn], lower[chosen][drawn], upper[chosen][drawn], color=colour, linewidth=1.1, alpha=0.75, label=text)
    ax.plot(share, effect[chosen], color=INK, linewidth=1.8, label="estimated effect")
    ax.axhline(0, color=INK, linewidth=0.8)
    some = f"{len(places)} of {len(order):,} rows, at evenly spaced ranks" if len(places) < len(order) else ""
    dress(ax, "Whose effect can be told from 0?", some, "Share of the rows, from the lowest to the highest effect", effect_label(outcome))
    percent(ax, "x")
    ax.set_xlim(0, 1)
    legend(ax, loc="upper left")
    return ax


def calibration(result: Any, *, arm: Any = None, role: str = "propensity", outcome: Optional[str] = None, ax: Optional[Axes] = None, **options: Any) -> Axes:  # fmt: skip
    """Are predictions as large as what is found? Groups of like predictions, with intervals, beside the line where both agree.

    Parameters
    ----------
    result : AnalysisResult or Study
        That of ``study.gates()`` (effects; also what a study is asked), or of ``study.nuisance_metrics()`` (probabilities).
    arm : label, optional
        The arm against the control; the first of several.
    role : str
        Of nuisance metrics: whose calibration, "propensity" or "outcome".
    outcome : str, optional
        What the outcome is called on the axes.
    ax : matplotlib.axes.Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib.axes.Axes
    """
    found = answer(result, "gates", "nuisance_metrics", **options)
    effects = found.name == "gates"
    rows = table(found, "groups" if effects else "calibration")
    if not effects:
        rows = [row for row in rows if row["role"] == role]
        if not rows:
            raise InvalidArgumentError(f"there is no calibration of '{role}'", "role", "probabilities have one: use 'propensity'")
    rows, words = of_arm(rows, arm)
    rows = [row for row in rows if present(row, "predicted", "estimate", "lower", "upper")]
    ax = new_axes(ax, (5.4, 5.0))
    x, y = [row["predicted"] for row in rows], [row["estimate"] for row in rows]
    ends = [min([*x, *(row["lower"] for row in rows)]), max([*x, *(row["upper"] for row in rows)])]
    room = 0.05 * (ends[1] - ends[0] or 1)
    ends = [ends[0] - room, ends[1] + room]
    ax.plot(ends, ends, color=GREY, linewidth=1.2, linestyle=(0, (4, 3)), label="predicted = found")
    if effects:
        ax.axhline(0, color=LIGHT, linewidth=0.9)
        ax.axvline(0, color=LIGHT, linewidth=0.9)
    error = [[row["estimate"] - row["lower"] for row in rows], [row["upper"] - row["estimate"] for row in rows]]
    ax.errorbar(x, y, yerr=error, fmt="o", color=BLUE, ecolor=BLUE, elinewidth=1.4, markersize=6, label=f"{len(rows)} groups of rows, with intervals")
    if effects:
        dress(ax, "Are the effects as large as predicted?", words, effect_label(outcome, "Predicted effect"), effect_label(outcome, "Effect found"), "both")
    else:
        dress(ax, "Do the probabilities hold?", words, f"Predicted probability ({role})", "Share found", "both")
    ax.set_xlim(*ends)
    ax.set_ylim(*ends)
    legend(ax, loc="upper left")
    return ax


_NAMES = {
    "difference_in_means": "difference in means", "ols_plain": "OLS", "ols_interacted": "OLS, interacted", "ipw_hajek": "weighting (Hájek)",
    "ipw_hajek_clipped": "weighting, clipped", "ipw_horvitz_thompson": "weighting (Horvitz–Thompson)", "matching": "matching",
    "aipw": "doubly robust (AIPW)", "tmle": "TMLE",
}  # fmt: skip


def estimates(result: Any, *, arm: Any = None, estimand: Optional[str] = None, outcome: Optional[str] = None, ax: Optional[Axes] = None, **options: Any) -> Axes:  # fmt: skip
    """Estimates with their intervals, one below the other: averages by estimator, or groups.

    Parameters
    ----------
    result : AnalysisResult, AverageEffects or Study
        That of ``study.average_effects()`` (also what a study is asked), of a single estimator, of ``gates``, ``group_effects``,
        ``best_linear_projection``; or what ``learner.average_effect()`` gives.
    arm : label, optional
        The arm against the control; the first of several. Average effects of a learner are drawn for all arms.
    estimand : str, optional
        Of average effects: over whom; the first by default.
    outcome : str, optional
        What the outcome is called on the axis.
    ax : matplotlib.axes.Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib.axes.Axes
    """
    words, over = "", {"ate": "everybody", "att": "the treated", "atc": "the controls", "ato": "the overlap of the arms"}
    if isinstance(result, AverageEffects):
        rows: Any = result.to_dict()
        labels = [f"arm “{row['arm']}”" + (f", {row['class']}" if row.get("class") else "") for row in rows]
        title, words = "Does the treatment work on average?", f"Average over {over.get(str(rows[0].get('estimand')).lower(), 'everybody')}"
    else:
        names = ("average_effects", "difference_in_means", "ols", "ipw", "matching", "aipw", "tmle", "gates", "group_effects", "best_linear_projection")
        found = answer(result, *names, **options)
        name = next(key for key in ("groups", "coefficients", "estimates") if key in found.tables and (key != "coefficients" or found.name == "best_linear_projection") and (key != "groups" or found.name in ("gates", "group_effects")))  # fmt: skip
        rows, words = of_arm(table(found, name), arm)
        if name == "estimates":
            chosen = estimand or rows[0]["estimand"]
            rows = [row for row in rows if row["estimand"] == chosen]
            labels = [_NAMES.get(row["estimator"], row["estimator"]) for row in rows]
            title, words = "Does the treatment work on average?", sentence(words, f"Average over {over.get(chosen, chosen)}, by estimator")
        elif name == "groups":
            labels, title = [str(row["group"]) for row in rows], "Which groups gain more?"
            words = sentence(words, "Groups by estimated effect" if found.name == "gates" else "Average effect of each group")
        else:
            rows = [row for row in rows if row["term"] != "(constant)"]
            labels, title = [row["term"] for row in rows], "Which characteristics go with the effect?"
    drawn = [(label, row) for label, row in zip(labels, rows) if present(row, "estimate", "lower", "upper")][::-1]
    if not drawn:
        raise InvalidArgumentError("there is no estimate with an interval", "result", "look at the notes of its table")
    ax = new_axes(ax, (7.0, 1.7 + 0.32 * len(drawn)))
    ax.axvline(0, color=INK, linewidth=0.9)
    for place, (label, row) in enumerate(drawn):
        colour = BLUE if row["lower"] > 0 or row["upper"] < 0 else GREY
        ax.plot([row["lower"], row["upper"]], [place, place], color=colour, linewidth=2.2, solid_capstyle="round")
        ax.plot([row["estimate"]], [place], "o", color=colour, markersize=6.5, markeredgecolor="white")
    ax.set_yticks(range(len(drawn)), [short(label) for label, _ in drawn])
    ax.set_ylim(-0.6, len(drawn) - 0.4)
    slopes = title.startswith("Which char")
    dress(ax, title, words, effect_label(outcome, "Change of the effect" if slopes else "Effect"), grid="x")
    return ax


