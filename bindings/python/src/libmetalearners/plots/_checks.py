"""Can the data answer at all? Overlap and balance."""

from __future__ import annotations

from typing import Any, Optional

from ._style import ARMS, GREY, INK, LIGHT, ORANGE, Axes, answer, dress, legend, new_axes, of_arm, percent, sentence, short, table


_SOURCES = {"the model's": "the learner’s model", "known by design": "design"}


def overlap(result: Any, *, arm: Any = None, propensity: str = "boosted trees", ax: Optional[Axes] = None, **options: Any) -> Axes:
    """Who could have been in either arm: the propensities of the two arms, one above the line and one below it.

    Parameters
    ----------
    result : AnalysisResult or Study
        That of ``study.overlap()``, or the study, which is asked with `options`.
    arm : label, optional
        The arm against the control; the first of several.
    propensity : str
        Whose propensities: "boosted trees", on which the verdict rests, or "the model's".
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
    """
    found = answer(result, "overlap", **options)
    bins, words = of_arm(table(found, "histogram"), arm)
    kinds = list(dict.fromkeys(row["propensity"] for row in bins))
    kind = propensity if propensity in kinds else kinds[-1]
    bins = [row for row in bins if row["propensity"] == kind]
    about = next((row for row in of_arm(table(found, "overlap"), arm)[0] if row["propensity"] == kind), {})
    ax = new_axes(ax)
    left = [row["lower"] for row in bins]
    width = [row["upper"] - row["lower"] for row in bins]
    chosen = bins[0]["arm"]
    shared = {"align": "edge", "edgecolor": "white", "linewidth": 0.6}
    ax.bar(left, [row["treated_share"] for row in bins], width, color=ARMS[0], label=f"arm “{chosen}”", **shared)
    ax.bar(left, [-row["control_share"] for row in bins], width, color=LIGHT, label="control", **shared)
    ax.axhline(0, color=INK, linewidth=0.8)
    for bound in found["bounds"]:
        ax.axvline(bound, color=ORANGE, linewidth=1.2, linestyle=(0, (4, 3)))
    said = f"{100 * about['outside_share']:.2g} % of the rows are outside the bounds {found['bounds'][0]:g} and {found['bounds'][1]:g}" if about else ""
    dress(
        ax,
        "Does everybody have counterparts in the other arm?",
        sentence(words, said),
        f"Probability of arm “{chosen}”, by {_SOURCES.get(kind, kind)}",
        "Share of each arm",
    )
    ax.set_xlim(-0.02, 1.02)
    top = max(max(row["treated_share"] for row in bins), max(row["control_share"] for row in bins)) * 1.12
    ax.set_ylim(-top, top)
    percent(ax, "y")
    legend(ax, loc="upper right")
    return ax


_WAYS = {
    "smd_raw": ("as they are", "o", GREY),
    "smd_weighted": ("inverse propensities", "D", ARMS[0]),
    "smd_overlap": ("overlap weights", "s", ARMS[2]),
    "smd_matched": ("matched 1:1", "^", ARMS[1]),
}


def balance(result: Any, *, arm: Any = None, limit: int = 20, ways: Any = None, ax: Optional[Axes] = None, **options: Any) -> Axes:
    """How the arms differ in each covariate, before and after weighting: a love plot.

    Parameters
    ----------
    result : AnalysisResult or Study
        That of ``study.balance()``, or the study.
    arm : label, optional
        The arm against the control; the first of several.
    limit : int
        How many covariates and levels are drawn, those that differ most first.
    ways : sequence of {"smd_raw", "smd_weighted", "smd_overlap", "smd_matched"}, optional
        Which comparisons are drawn; the first two by default.
    ax : matplotlib.axes.Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib.axes.Axes
    """
    found = answer(result, "balance", **options)
    rows, words = of_arm(table(found, "balance"), arm)
    ways = list(ways or ("smd_raw", "smd_weighted"))
    rows = sorted((row for row in rows if row.get("smd_raw") is not None), key=lambda row: -abs(row["smd_raw"]))
    shown = rows[:limit][::-1]
    ax = new_axes(ax, (7.0, 1.9 + 0.26 * len(shown)))
    ax.axvspan(-0.1, 0.1, color="#f1f4f7", linewidth=0)
    ax.axvline(0, color=INK, linewidth=0.8)
    for place, row in enumerate(shown):
        values = [row[way] for way in ways if row.get(way) is not None]
        ax.plot([min(values), max(values)], [place, place], color=LIGHT, linewidth=1.2, zorder=1)
    for way in ways:
        label, marker, colour = _WAYS[way]
        drawn = [(row[way], place) for place, row in enumerate(shown) if row.get(way) is not None]
        ax.scatter(*zip(*drawn), marker=marker, s=30, color=colour, label=label, zorder=3, linewidth=0)
    ax.set_yticks(range(len(shown)), [short(row["column"] + ("" if row["level"] is None else f" = {row['level']}")) for row in shown])
    ax.set_ylim(-0.7, len(shown) - 0.3)
    reach = max([0.15, *(abs(row[way]) for row in shown for way in ways if row.get(way) is not None)]) * 1.12
    ax.set_xlim(-reach, reach)
    more = f"The {limit} that differ most of {len(rows)}" if len(rows) > limit else ""
    dress(
        ax, "Do the arms differ before they are treated?", sentence(words, more, "Grey band: up to 0.1, which is good"),
        "Difference of means, in standard deviations", grid="x",
    )  # fmt: skip
    legend(ax, loc="upper left", bbox_to_anchor=(0, -0.55 / (1.0 + 0.26 * len(shown))), ncols=len(ways), handletextpad=0.2)
    return ax
