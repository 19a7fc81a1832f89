"""What all plots share: colours, titles, and how a result is found and read."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any, Optional, Union

from ..errors import InvalidArgumentError, UnsupportedError
from ..results import AnalysisResult

#: An ``Axes`` of matplotlib, which this package does not need otherwise.
Axes = Any

INK, GREY, LIGHT, GRID = "#1f2933", "#7b8794", "#cbd2d9", "#e4e7eb"
BLUE, ORANGE, GREEN, RED = "#2266aa", "#e07b39", "#3a8f6b", "#c0392b"
#: The treated arms, in order; the control is grey everywhere.
ARMS = (BLUE, ORANGE, GREEN, "#8e5ea2", "#b8860b", "#1799a5")

Rows = Sequence[dict[str, Any]]


def new_axes(ax: Optional[Axes], size: tuple[float, float] = (7.0, 4.2)) -> Axes:
    """The axes that were given, or those of a new figure."""
    if ax is not None:
        return ax
    try:
        from matplotlib import pyplot
    except ImportError:
        raise UnsupportedError("plots need matplotlib", "libmetalearners.plots", "install matplotlib") from None
    return pyplot.subplots(figsize=size, layout="constrained")[1]


def dress(ax: Axes, title: str, subtitle: str = "", x: str = "", y: str = "", grid: Optional[str] = "y") -> Axes:
    """Title, labels, and no line that says nothing."""
    # Broken into lines that fit above the axes, and no part of the layout, which would make room for it at the cost of the axes.
    lines = textwrap.wrap(subtitle, max(40, int(14.5 * ax.figure.get_figwidth() * ax.get_position().width)))
    ax.set_title(title, loc="left", fontsize=12.5, fontweight="bold", color=INK, pad=10 + 14 * len(lines))
    if lines:
        text = ax.annotate(
            "\n".join(lines), (0, 1), (0, 7), xycoords="axes fraction", textcoords="offset points", fontsize=9.5, color=GREY, va="bottom"
        )
        text.set_in_layout(False)
    ax.set_xlabel(x, color=INK, fontsize=10)
    ax.set_ylabel(y, color=INK, fontsize=10)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_color(LIGHT)
    ax.tick_params(colors=INK, labelsize=9, length=0)
    ax.set_axisbelow(True)
    ax.grid(False)
    if grid:
        ax.grid(True, axis=grid, color=GRID, linewidth=0.8)
    return ax


def legend(ax: Axes, **options: Any) -> None:
    """A legend without a frame on white, where there is something to tell apart."""
    if ax.get_legend_handles_labels()[0]:
        ax.legend(facecolor="white", edgecolor="none", framealpha=0.85, fontsize=9, labelcolor=INK, **options)


def percent(ax: Axes, *which: str) -> None:
    """Shares of an axis as percentages."""
    from matplotlib.ticker import FuncFormatter

    for name in which:
        # (Without a sign: bars below the line are shares as well.)
        getattr(ax, f"{name}axis").set_major_formatter(FuncFormatter(lambda value, place: f"{100 * abs(value):.3g} %"))


def answer(result: Any, *names: str, **options: Any) -> AnalysisResult:
    """The result itself, or the answer of a study (or of a fitted learner) to the first of the analyses named.

    Raises
    ------
    InvalidArgumentError
        The result is that of another analysis, or nothing of the kind.
    """
    if hasattr(result, "study") and not isinstance(result, AnalysisResult):
        result = result.study()
    if hasattr(result, "run") and hasattr(result, "column_names"):
        result = result.run(names[0], **options)
    elif options and isinstance(result, AnalysisResult):
        raise InvalidArgumentError(
            "the result has been computed already", ", ".join(options), "give the options to the analysis, or pass the study"
        )
    if not isinstance(result, AnalysisResult) or result.name not in names:
        given = f"the result of '{result.name}'" if isinstance(result, AnalysisResult) else type(result).__name__
        wanted = " or ".join(f"study.{name}()" for name in names)
        raise InvalidArgumentError(f"{given} has not what is drawn here", "result", f"pass {wanted}, or the study itself")
    return result


def table(result: AnalysisResult, name: str) -> Rows:
    """A table of a result, which must have rows."""
    rows = result.tables.get(name)
    if not rows:
        raise InvalidArgumentError(f"the result has no table '{name}'", result.name, "there are " + (", ".join(result.tables) or "none"))
    return rows


def arms_of(rows: Rows, arm: Any = None) -> list[str]:
    """The arms that rows are about, or the one that was asked for."""
    found = list(dict.fromkeys(str(row["arm"]) for row in rows if row.get("arm") is not None))
    if arm is None:
        return found
    from .._columns import label_text

    if label_text(arm) not in found:
        raise InvalidArgumentError(f"the result has no arm {arm!r}", "arm", "it has " + ", ".join(found))
    return [label_text(arm)]


def of_arm(rows: Rows, arm: Any) -> tuple[list[dict[str, Any]], str]:
    """The rows of one arm, the first where none is named, and a few words on it where there are several."""
    found = arms_of(rows)
    if not found:
        return list(rows), ""
    chosen = arms_of(rows, arm)[0]
    words = f"Arm “{chosen}” against the control" if len(found) > 1 else ""
    return [row for row in rows if str(row["arm"]) == chosen], words


def sentence(*parts: str) -> str:
    """The parts that say something, as one line."""
    return ".  ".join(part for part in parts if part)


def effect_label(outcome: Optional[str], what: str = "Effect") -> str:
    """The label of an axis of effects, in the units of the outcome."""
    return f"{what} on {outcome}" if outcome else f"{what} (units of the outcome)"


def present(row: dict[str, Any], *keys: str) -> bool:
    """Whether a row has all of these numbers."""
    return all(isinstance(row.get(key), (int, float)) for key in keys)


def short(text: Any, limit: int = 34) -> str:
    """A name that fits beside an axis."""
    made = str(text)
    return made if len(made) <= limit else made[: limit - 1] + "…"


def number(value: Union[int, float]) -> str:
    """A number of three digits, with a proper minus sign."""
    value = float(value)
    return f"{value:.3g}".replace("-", "−")
