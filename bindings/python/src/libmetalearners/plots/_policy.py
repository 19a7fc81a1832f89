"""Whom to treat: the value of a policy over its budget, values of policies, and trees of rules."""

from __future__ import annotations

from typing import Any, Optional

from ._style import ARMS, BLUE, GREY, INK, LIGHT, Axes, answer, dress, effect_label, legend, new_axes, number, percent, present, sentence, short, table


def budget_curve(result: Any, *, outcome: Optional[str] = None, ax: Optional[Axes] = None, **options: Any) -> Axes:
    """What a policy is worth at each budget, beside the same budget spent at random.

    Parameters
    ----------
    result : AnalysisResult or Study
        That of ``study.budget_curve()``, or the study.
    outcome : str, optional
        What the outcome is called on the axis.
    ax : matplotlib.axes.Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib.axes.Axes
    """
    found = answer(result, "budget_curve", **options)
    rows = table(found, "curve")
    ax = new_axes(ax)
    budget = [0.0, *(row["budget_per_row"] for row in rows)]

    def line(key: str) -> list[float]:
        return [0.0, *(row[key] for row in rows)]

    ax.fill_between(budget, line("lower"), line("upper"), color=BLUE, alpha=0.15, linewidth=0)
    if all(present(row, "oracle_gain") for row in rows):
        ax.plot(budget, line("oracle_gain"), color=ARMS[2], linewidth=1.4, label="with the true effects known")
    ax.plot(budget, line("predicted_gain"), color=BLUE, linewidth=1.3, linestyle=(0, (1, 1.5)), label="as predicted")
    ax.plot(budget, line("estimate"), color=BLUE, linewidth=2, label="largest effects for their cost first, with intervals")
    ax.plot(budget, line("random_gain"), color=GREY, linewidth=1.4, linestyle=(0, (4, 3)), label="the same budget at random")
    ax.axhline(0, color=INK, linewidth=0.9)
    plain = all(abs(row["cost_per_row"] - row["treated_share"]) < 1e-9 for row in rows)
    x = "Budget: the share of rows that may be treated" if plain else "Budget for each row (units of the cost)"
    dress(ax, "What is a larger budget worth?", "", x, effect_label(outcome, "Gain for each row"))
    if plain:
        percent(ax, "x")
    ax.set_xlim(0, budget[-1])
    legend(ax, loc="upper left")
    return ax


def policy_value(result: Any, *, method: str = "dr", outcome: Optional[str] = None, ax: Optional[Axes] = None, **options: Any) -> Axes:
    """The mean outcome if the policy decided, beside treating nobody, everybody and as many at random.

    Parameters
    ----------
    result : AnalysisResult or Study
        That of ``study.policy_value()``, or the study.
    method : {"dr", "ipw"}
        How the values are estimated: doubly robust, or by weighting alone.
    outcome : str, optional
        What the outcome is called on the axis.
    ax : matplotlib.axes.Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib.axes.Axes
    """
    found = answer(result, "policy_value", **options)
    rows = [row for row in table(found, "values") if row["method"] == method and present(row, "estimate", "lower", "upper")][::-1]
    ax = new_axes(ax, (7.0, 1.8 + 0.36 * len(rows)))
    for place, row in enumerate(rows):
        colour = BLUE if row["policy"] == "policy" else GREY
        ax.plot([row["lower"], row["upper"]], [place, place], color=colour, linewidth=2.4, solid_capstyle="round")
        ax.plot([row["estimate"]], [place], "o", color=colour, markersize=7, markeredgecolor="white")
        ax.annotate(number(row["estimate"]), (row["estimate"], place), (0, 7), textcoords="offset points", ha="center", fontsize=8.5, color=colour)
    names = {"policy": "by the effects", "random": "as many at random"}
    ax.set_yticks(range(len(rows)), [names.get(row["policy"], str(row["policy"])) for row in rows])
    ax.set_ylim(-0.6, len(rows) - 0.25)
    over = next((row for row in found.tables.get("gains", []) if row["over"] == "nobody" and row["method"] == method), None)
    more = f"{number(over['estimate'])} more than treating nobody, from {number(over['lower'])} to {number(over['upper'])}" if over else ""
    said = f"{100 * found['treated_share']:.0f} % of the rows are treated"
    label = f"Mean of {outcome}" if outcome else "Mean outcome"
    return dress(ax, "What is deciding by the effects worth?", sentence(said, more), label, grid="x")


def policy_tree(result: Any, *, names: Optional[dict[str, str]] = None, ax: Optional[Axes] = None, **options: Any) -> Axes:
    """The rules of a policy tree, with how many rows each holds for and what treating them brings.

    Parameters
    ----------
    result : AnalysisResult or Study
        That of ``study.policy_tree()``, or the study.
    names : dict, optional
        What arms are called, by label, such as ``{"0": "no coaching", "1": "coaching"}``.
    ax : matplotlib.axes.Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib.axes.Axes
    """
    found = answer(result, "policy_tree", **options)
    rules = list(table(found, "rules"))
    leaves: list[tuple[float, int, str]] = []  # Place, depth, arm.
    boxes: list[tuple[float, int, str]] = []
    lines: list[tuple[float, int, float, str]] = []  # From place and depth to place, what the answer is.

    def walk(node: dict[str, Any], depth: int) -> float:
        if "arm" in node:
            leaves.append((float(len(leaves)), depth, str(node["arm"])))
            return leaves[-1][0]
        left, right = walk(node["left"], depth + 1), walk(node["right"], depth + 1)
        middle = (left + right) / 2
        asked = f"{short(node['column'], 24)} = {short(node['level'], 16)}?" if node.get("level") is not None else f"{short(node['column'], 24)} ≤ {number(node['threshold'])}?"
        boxes.append((middle, depth, asked))
        lines.extend([(middle, depth, left, "yes"), (middle, depth, right, "no")])
        return middle

    walk(found["tree"], 0)
    deepest = max(depth for _, depth, _ in leaves)
    ax = new_axes(ax, (max(5.0, 2.05 * len(leaves)), 1.5 + 1.25 * (deepest + 1)))
    for x, depth, to, text in lines:
        ax.plot([x, to], [-depth, -depth - 1], color=LIGHT, linewidth=1.6, zorder=1)
        ax.text(x + 0.5 * (to - x), -depth - 0.5, text, fontsize=8.5, color=GREY, ha="center", va="center", zorder=2, bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5})  # fmt: skip
    for x, depth, text in boxes:
        ax.text(x, -depth, text, ha="center", va="center", fontsize=10, color=INK, zorder=3, bbox={"boxstyle": "round,pad=0.5", "facecolor": "white", "edgecolor": GREY, "linewidth": 1.1})  # fmt: skip
    controls = {row["arm"] for row in rules if row.get("note") == "the control itself"}
    arms = sorted({arm for _, _, arm in leaves} - controls)
    for (x, depth, arm), row in zip(leaves, rules):
        control = arm in controls
        colour = LIGHT if control else ARMS[arms.index(arm) % len(ARMS)]
        called = (names or {}).get(arm, f"arm “{arm}”")
        lines_of_text = [called, f"{100 * row['share']:.0f} % of rows"]
        if present(row, "estimate", "lower", "upper"):
            lines_of_text.append(f"gain {number(row['estimate'])}\n({number(row['lower'])} to {number(row['upper'])})")
        ax.text(x, -depth, "\n".join(lines_of_text), ha="center", va="center", fontsize=9.5, color=INK if control else "white", zorder=3, linespacing=1.35, bbox={"boxstyle": "round,pad=0.55", "facecolor": colour, "edgecolor": "none"})  # fmt: skip
    ax.set_xlim(-0.6, len(leaves) - 0.4)
    ax.set_ylim(-deepest - 0.55, 0.35)
    over = {row["over"]: row for row in found.tables.get("gains", [])}
    said = ",  ".join(
        f"{number(row['estimate'])} more than treating {name} ({number(row['lower'])} to {number(row['upper'])})"
        for name, row in over.items() if name in ("nobody", "everybody") and present(row, "estimate", "lower", "upper")
    )  # fmt: skip
    dress(ax, "Whom should simple rules treat?", said, grid=None)
    ax.set_xticks([])
    ax.set_yticks([])
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)
    return ax
