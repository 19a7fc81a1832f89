"""Why effects are what they are: importance of covariates, and contributions by row."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np
import numpy.typing as npt

from ..errors import InvalidArgumentError
from ._style import BLUE, GREY, INK, Axes, dress, effect_label, new_axes, sentence, short

Numbers = npt.NDArray[Any]


def _contributions(explanation: Any, output: Any) -> tuple[Numbers, list[str], str]:
    """Rows × covariates of one output, the names of the covariates, and a few words on which output it is."""
    if not hasattr(explanation, "values") or not hasattr(explanation, "base_values"):
        raise InvalidArgumentError(f"{type(explanation).__name__} is no explanation", "explanation", "pass learner.explain(X), or one of shap")
    values = np.asarray(explanation.values, dtype=float)
    names = getattr(explanation, "feature_names", None)
    names = [str(name) for name in names] if names is not None else []
    outputs = getattr(explanation, "output_names", None)
    outputs = [str(name) for name in outputs] if isinstance(outputs, (list, tuple, np.ndarray)) else []
    words = ""
    if values.ndim == 3:
        # shap has outputs last, this library in the middle.
        theirs = type(explanation).__module__.split(".")[0] == "shap"
        if theirs or (names and values.shape[2] != len(names) and values.shape[1] == len(names)):
            values = values.transpose(0, 2, 1)
        place = outputs.index(output) if output in outputs else 0 if output is None else output
        if not isinstance(place, (int, np.integer)) or not 0 <= place < values.shape[1]:
            raise InvalidArgumentError(f"there is no output {output!r}", "output", "there are " + (", ".join(outputs) or str(values.shape[1])))
        if values.shape[1] > 1:
            words = f"Effect “{outputs[place]}”" if place < len(outputs) else f"Effect {place + 1} of {values.shape[1]}"
        values = values[:, place]
    if values.ndim != 2 or not values.size:
        raise InvalidArgumentError(f"values of the shape {values.shape} cannot be drawn", "explanation", "explain at least one row")
    return values, names or [f"x{place}" for place in range(values.shape[1])], words


def _strongest(values: Numbers, limit: int) -> tuple[Numbers, Numbers]:
    """Mean absolute contributions, and the places of the largest of them, the smallest of these first."""
    size = np.abs(values).mean(axis=0)
    return size, np.argsort(size, kind="stable")[::-1][:limit][::-1]


def importance(explanation: Any, *, output: Any = None, limit: int = 15, outcome: Optional[str] = None, ax: Optional[Axes] = None) -> Axes:
    """Which covariates move the effect: the mean absolute contribution of each.

    Parameters
    ----------
    explanation : Explanation
        What ``learner.explain(X)`` gives, or an explanation of shap.
    output : str or int, optional
        Which effect where there are several; the first by default.
    limit : int
        How many covariates are drawn, the strongest first.
    outcome : str, optional
        What the outcome is called on the axis.
    ax : matplotlib.axes.Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib.axes.Axes
    """
    values, names, words = _contributions(explanation, output)
    size, places = _strongest(values, limit)
    ax = new_axes(ax, (7.0, 1.8 + 0.28 * len(places)))
    ax.barh(range(len(places)), size[places], height=0.68, color=BLUE)
    ax.set_yticks(range(len(places)), [short(names[place]) for place in places])
    more = f"The strongest {limit} of {len(names)} covariates" if len(names) > limit else ""
    dress(ax, "Which covariates move the effect?", sentence(words, more), effect_label(outcome, "Mean absolute contribution to the effect"), grid="x")
    ax.set_ylim(-0.6, len(places) - 0.4)
    return ax


def beeswarm(explanation: Any, *, output: Any = None, limit: int = 12, points: int = 1000, outcome: Optional[str] = None, ax: Optional[Axes] = None) -> Axes:  # fmt: skip
    """How covariates move the effect: a point for each row, coloured by the value of the covariate.

    Parameters
    ----------
    explanation : Explanation
        What ``learner.explain(X)`` gives, or an explanation of shap.
    output : str or int, optional
        Which effect where there are several; the first by default.
    limit : int
        How many covariates are drawn, the strongest first.
    points : int
        How many rows are drawn at most, evenly spaced among all.
    outcome : str, optional
        What the outcome is called on the axis.
    ax : matplotlib.axes.Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib.axes.Axes
    """
    values, names, words = _contributions(explanation, output)
    _, places = _strongest(values, limit)
    rows = np.unique(np.linspace(0, len(values) - 1, min(points, len(values))).round().astype(int))
    data = getattr(explanation, "data", None)
    data = np.asarray(data) if data is not None else None
    shown = getattr(explanation, "display_data", None)
    ax = new_axes(ax, (7.4, 1.9 + 0.42 * len(places)))
    from matplotlib.colors import LinearSegmentedColormap

    colours = LinearSegmentedColormap.from_list("effects", ["#2166ac", "#b9c6d3", "#d6604d"])
    mappable: Any = None
    grey = False
    for height, place in enumerate(places):
        x = values[rows, place]
        y = height + 0.38 * _spread(x, values[:, places])
        ranks = None if data is None or data.shape != values.shape else _ranks(data[:, place], None if shown is None else np.asarray(shown)[:, place])
        if ranks is None:
            grey = grey or data is not None
            ax.scatter(x, y, s=7, color=GREY, alpha=0.7, linewidth=0, rasterized=True)
        else:
            known = ~np.isnan(ranks[rows])
            grey = grey or not known.all()
            ax.scatter(x[~known], y[~known], s=7, color="#c4c9cf", linewidth=0, rasterized=True)
            mappable = ax.scatter(x[known], y[known], s=7, c=ranks[rows][known], cmap=colours, vmin=0, vmax=1, linewidth=0, rasterized=True)
    ax.axvline(0, color=INK, linewidth=0.8, zorder=0)
    ax.set_yticks(range(len(places)), [short(names[place]) for place in places])
    ax.set_ylim(-0.7, len(places) - 0.3)
    some = f"{len(rows):,} of {len(values):,} rows" if len(rows) < len(values) else ""
    more = f"The strongest {limit} of {len(names)} covariates" if len(names) > limit else ""
    dress(ax, "How do covariates move the effect?", sentence(words, some, more, "Grey: categories and missing values" if grey else ""), effect_label(outcome, "Contribution to the effect"), grid="x")
    if mappable is not None:
        bar = ax.figure.colorbar(mappable, ax=ax, ticks=[0, 1], aspect=28, pad=0.02, shrink=0.8)
        bar.ax.set_yticklabels(["low", "high"], fontsize=8.5, color=INK)
        bar.set_label("Value of the covariate", fontsize=9, color=INK)
        bar.outline.set_visible(False)
        bar.ax.tick_params(length=0)
    return ax


def _ranks(column: Numbers, labels: Optional[Numbers]) -> Optional[Numbers]:
    """Ranks from 0 to 1 of the numbers of a column, which few large ones cannot spoil; None of categories."""
    if labels is not None and any(isinstance(label, str) for label in labels):
        return None
    try:
        column = column.astype(float)
    except (TypeError, ValueError):
        return None
    known = ~np.isnan(column)
    found, places = np.unique(column[known], return_inverse=True)
    ranks = np.full(len(column), np.nan)
    if len(found) > 1:
        counts = np.cumsum(np.bincount(places.reshape(-1)))
        low = np.concatenate([[0], counts[:-1]])
        middle = (low + counts - 1) / 2
        ranks[known] = ((middle - middle[0]) / (middle[-1] - middle[0]))[places.reshape(-1)]
    elif known.any():
        ranks[known] = 0.5
    return ranks


def _spread(x: Numbers, everything: Numbers) -> Numbers:
    """Heights from −1 to 1 that put points of like x beside each other: the more there are, the wider."""
    reach = float(np.ptp(everything)) or 1.0
    cells = np.floor((x - x.min()) / reach * 120).astype(int)
    order = np.lexsort((np.arange(len(x)), cells))
    heights = np.zeros(len(x))
    counts = np.bincount(cells)
    widest = max(int(counts.max()), 8)
    start = 0
    for count in counts[counts > 0]:
        turn = np.arange(count)
        # Alternately above and below the line, from it outwards.
        offsets = np.where(turn % 2 == 0, 1, -1) * ((turn + 1) // 2) * 2.0 / widest
        heights[order[start : start + count]] = offsets
        start += int(count)
    return np.clip(heights, -1, 1)
