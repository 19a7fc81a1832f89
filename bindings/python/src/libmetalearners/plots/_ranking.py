"""Is the ranking right? Curves over the share of rows that are treated first."""

from __future__ import annotations

from typing import Any, Optional

from ._style import ARMS, GREY, INK, Axes, answer, arms_of, dress, effect_label, legend, new_axes, number, percent, sentence, table


def toc(result: Any, *, arm: Any = None, outcome: Optional[str] = None, ax: Optional[Axes] = None, **options: Any) -> Axes:
    """The targeting operator characteristic: how much more those ranked first gain than everybody, with a band for the curve.

    Parameters
    ----------
    result : AnalysisResult or Study
        That of ``study.rate()``, or the study.
    arm : label, optional
        One arm only.
    outcome : str, optional
        What the outcome is called on the axis.
    ax : matplotlib.axes.Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib.axes.Axes
    """
    found = answer(result, "rate", **options)
    rows, rates = table(found, "toc"), table(found, "rates")
    ax = new_axes(ax)
    arms, said = arms_of(rows, arm), ""
    rankings = list(dict.fromkeys(row["ranking"] for row in rows))
    lines = [(one, ranking) for one in arms for ranking in rankings]
    for (one, ranking), colour in zip(lines, ARMS):
        points = [row for row in rows if str(row["arm"]) == one and row["ranking"] == ranking]
        share = [row["share"] for row in points]
        ax.fill_between(share, [row["band_lower"] for row in points], [row["band_upper"] for row in points], color=colour, alpha=0.15, linewidth=0)
        label = ", ".join([f"arm “{one}”"] * (len(arms) > 1) + [f"ranked by {ranking}"] * (len(rankings) > 1))
        ax.plot(share, [row["estimate"] for row in points], color=colour, linewidth=2, label=label or None)
    if len(lines) == 1:
        rate = next((row for row in rates if str(row["arm"]) == arms[0] and row["weighting"] == "autoc"), None)
        said = f"Area (AUTOC) {number(rate['estimate'])}, from {number(rate['lower'])} to {number(rate['upper'])}" if rate else ""
    ax.axhline(0, color=INK, linewidth=0.9)
    dress(
        ax, "Do those who are ranked first gain more?", sentence(said, "Band: for the whole curve"),
        "Share treated, those with the largest estimated effects first", effect_label(outcome, "Effect above the average"),
    )  # fmt: skip
    percent(ax, "x")
    ax.set_xlim(0, 1)
    legend(ax, loc="upper right")
    return ax


def uplift(result: Any, *, arm: Any = None, outcome: Optional[str] = None, ax: Optional[Axes] = None, **options: Any) -> Axes:
    """The average effect of the share that is ranked first, with an interval for each share.

    Parameters
    ----------
    result : AnalysisResult or Study
        That of ``study.uplift_slices()``, or the study.
    arm, outcome, ax
        As for ``toc``.

    Returns
    -------
    matplotlib.axes.Axes
    """
    if hasattr(result, "column_names") or hasattr(result, "study"):
        options.setdefault("shares", [place / 20 for place in range(1, 21)])
    found = answer(result, "uplift_slices", **options)
    rows = table(found, "slices")
    ax = new_axes(ax)
    arms = arms_of(rows, arm)
    for one, colour in zip(arms, ARMS):
        points = sorted((row for row in rows if str(row["arm"]) == one and row.get("lower") is not None), key=lambda row: float(row["share"]))
        share = [row["share"] for row in points]
        ax.fill_between(share, [row["lower"] for row in points], [row["upper"] for row in points], color=colour, alpha=0.15, linewidth=0)
        name = f"arm “{one}”, " if len(arms) > 1 else ""
        ax.plot(share, [row["estimate"] for row in points], color=colour, linewidth=2, label=f"{name}doubly robust, with intervals")
        if len(arms) == 1:
            ax.plot(share, [row["predicted"] for row in points], color=GREY, linewidth=1.5, linestyle=(0, (4, 3)), label="as predicted")
    ax.axhline(0, color=INK, linewidth=0.9)
    dress(
        ax, "What is the effect among those treated first?", "", "Share treated, those with the largest estimated effects first",
        effect_label(outcome, "Average effect"),
    )  # fmt: skip
    percent(ax, "x")
    ax.set_xlim(0, 1)
    legend(ax, loc="upper right")
    return ax


def gain(result: Any, *, arm: Any = None, outcome: Optional[str] = None, ax: Optional[Axes] = None, **options: Any) -> Axes:
    """The uplift curve of trials: what treating the share ranked first brings, from outcomes alone, beside treating at random.

    Parameters
    ----------
    result : AnalysisResult or Study
        That of ``study.uplift_curves()``, or the study.
    arm, outcome, ax
        As for ``toc``.

    Returns
    -------
    matplotlib.axes.Axes
    """
    found = answer(result, "uplift_curves", **options)
    return _curve(found, arm, outcome, ax, "gain", "What does treating those ranked first bring?", "Gain for each row", "auuc")


def qini(result: Any, *, arm: Any = None, outcome: Optional[str] = None, ax: Optional[Axes] = None, **options: Any) -> Axes:
    """The Qini curve: the same as ``gain``, for each treated row.

    Parameters
    ----------
    result : AnalysisResult or Study
        That of ``study.uplift_curves()``, or the study.
    arm, outcome, ax
        As for ``toc``.

    Returns
    -------
    matplotlib.axes.Axes
    """
    found = answer(result, "uplift_curves", **options)
    return _curve(found, arm, outcome, ax, "qini", "Does the ranking beat treating at random?", "Gain for each treated row", "qini")


def _curve(found: Any, arm: Any, outcome: Optional[str], ax: Optional[Axes], key: str, title: str, label: str, area: str) -> Axes:
    rows = table(found, "curves")
    ax = new_axes(ax)
    arms, said = arms_of(rows, arm), ""
    for one, colour in zip(arms, ARMS):
        points = [row for row in rows if str(row["arm"]) == one]
        share = [0.0, *(row["share"] for row in points)]
        values = [0.0, *(row[key] for row in points)]
        errors = [0.0, *(row.get(f"{key}_std_error") or 0.0 for row in points)]
        if any(errors):
            low, high = ([value + side * error for value, error in zip(values, errors)] for side in (-2, 2))
            ax.fill_between(share, low, high, color=colour, alpha=0.15, linewidth=0)
            said = "Band: two standard errors"
        ax.plot(share, [0.0, *(row[f"{key}_random"] for row in points)], color=colour if len(arms) > 1 else GREY, linewidth=1.4, linestyle=(0, (4, 3)), label="at random" if one == arms[-1] else None)  # fmt: skip
        ax.plot(share, values, color=colour, linewidth=2, label=f"arm “{one}”" if len(arms) > 1 else "ranked by estimated effect")
    if len(arms) == 1:
        found_area = next((row for row in table(found, "areas") if str(row["arm"]) == arms[0] and row["measure"] == area), None)
        if found_area and found_area.get("lower") is not None:
            numbers = (number(found_area[name]) for name in ("estimate", "lower", "upper"))
            said = sentence("Area above random {}, from {} to {}".format(*numbers), said)
    ax.axhline(0, color=INK, linewidth=0.9)
    dress(ax, title, said, "Share treated, those with the largest estimated effects first", effect_label(outcome, label))
    percent(ax, "x")
    ax.set_xlim(0, 1)
    legend(ax, loc="upper left")
    return ax
