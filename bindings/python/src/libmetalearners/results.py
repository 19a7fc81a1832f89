"""Answers: average effects and the results of analyses."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Optional, Union, overload

import numpy as np
import numpy.typing as npt

from .errors import InvalidArgumentError, UnsupportedError

Rows = list[dict[str, Any]]


class Intervals(NamedTuple):
    """Effects with the ends of their intervals, each shaped as the effects of ``predict``."""

    effect: npt.NDArray[np.float64]
    lower: npt.NDArray[np.float64]
    upper: npt.NDArray[np.float64]

    def plot(self, *, arm: int = 0, outcome: Optional[str] = None, ax: Any = None) -> Any:
        """The effects with their intervals, from the lowest to the highest; see ``libmetalearners.plots.ranked_effects``."""
        from . import plots

        return plots.ranked_effects(self, arm=arm, outcome=outcome, ax=ax)


def to_pandas(rows: Any) -> Any:
    """Rows as a pandas DataFrame, where pandas is installed."""
    try:
        import pandas
    except ImportError:
        raise UnsupportedError("a frame needs pandas", None, "install pandas, or use to_dict()") from None
    return pandas.DataFrame(rows)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    return json.dumps(value) if isinstance(value, (dict, list)) else str(value)


def _keys(rows: Rows) -> list[str]:
    """The columns that say anything: a column of notes without a note is left out."""
    return list(dict.fromkeys(key for row in rows for key, value in row.items() if value not in (None, "")))


def as_text(rows: Rows, limit: int = 12) -> str:
    """A table for terminals; numbers are right-aligned."""
    keys, shown = _keys(rows), rows[:limit]
    cells = [keys, *([_text(row.get(key)) for key in keys] for row in shown)]
    widths = [max(len(line[place]) for line in cells) for place in range(len(keys))]
    right = [any(isinstance(row.get(key), (int, float)) for row in shown) for key in keys]
    lines = [
        "  ".join(cell.rjust(width) if to_right else cell.ljust(width) for cell, width, to_right in zip(line, widths, right)).rstrip()
        for line in cells
    ]
    return "\n".join(lines + ([f"… {len(rows) - limit} more rows"] if len(rows) > limit else []))


def as_html(rows: Rows, limit: int = 30) -> str:
    """A table for notebooks."""
    keys = _keys(rows)
    head = "".join(f"<th>{html.escape(key)}</th>" for key in keys)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(_text(row.get(key)))}</td>" for key in keys) + "</tr>" for row in rows[:limit]
    )
    more = f"<p>… {len(rows) - limit} more rows</p>" if len(rows) > limit else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


class Row(Mapping[str, Any]):
    """One row of a table: its values by key and as attributes."""

    def __init__(self, values: dict[str, Any]) -> None:
        self._values = values

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self._values:
            raise AttributeError(f"there is no '{name}'; there are " + ", ".join(self.__dict__.get("_values", ())))
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return as_text([self._values])


class AverageEffects(Sequence[Row]):
    """The average effect of each arm (and class): `estimate`, `std_error`, `lower`, `upper`, `p_value`, `arm`, `control`.

    A sequence with a row for each arm but the control. Of two arms the numbers are attributes of the whole as well.
    """

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    @overload
    def __getitem__(self, place: int) -> Row: ...
    @overload
    def __getitem__(self, place: slice) -> list[Row]: ...
    def __getitem__(self, place: Union[int, slice]) -> Union[Row, list[Row]]:
        return Row(self._rows[place]) if isinstance(place, int) else [Row(row) for row in self._rows[place]]

    def __len__(self) -> int:
        return len(self._rows)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if len(self._rows) != 1:
            raise AttributeError(f"there are {len(self._rows)} effects: ask one of them, as in effects[0].{name}")
        return getattr(self[0], name)

    def to_dict(self) -> Rows:
        """The rows as dictionaries."""
        return [dict(row) for row in self._rows]

    def to_frame(self) -> Any:
        """The rows as a pandas DataFrame."""
        return to_pandas(self._rows)

    def plot(self, *, outcome: Optional[str] = None, ax: Any = None) -> Any:
        """The effects with their intervals; see ``libmetalearners.plots.estimates``."""
        from . import plots

        return plots.estimates(self, outcome=outcome, ax=ax)

    def __repr__(self) -> str:
        return as_text(self._rows)

    def _repr_html_(self) -> str:
        return as_html(self._rows)


class AnalysisResult:
    """The answer of an analysis.

    Attributes
    ----------
    findings, warnings, assumptions : list of str
        The answer in whole sentences, what makes it doubtful, and what must hold for it. Each of the warnings was issued as a
        `MetaLearnersWarning` when the analysis ran.
    tables : dict of str to list of dict
        The tables by name.
    columns : dict of str to ndarray, shape (n,)
        Numbers for each row of the study: ranks, decisions.
    """

    def __init__(self, answer: dict[str, Any], columns: dict[str, npt.NDArray[np.float64]]) -> None:
        self._answer = answer
        self.columns = columns
        self.name: str = str(answer.get("analysis", ""))
        self.title: str = str(answer.get("title", self.name))
        self.findings: list[str] = _sentences(answer.get("findings"))
        self.warnings: list[str] = _sentences(answer.get("warnings"))
        self.assumptions: list[str] = _sentences(answer.get("assumptions"))
        self.complete: bool = answer.get("complete", True) is not False
        texts = ("findings", "warnings", "assumptions", "charts")
        self.tables: dict[str, Rows] = {
            key: value
            for key, value in answer.items()
            if key not in texts and isinstance(value, list) and value and all(isinstance(row, dict) for row in value)
        }

    def to_dict(self) -> dict[str, Any]:
        """The whole answer, as the command line prints it with ``--json``."""
        return dict(self._answer)

    def to_frame(self, table: Optional[str] = None) -> Any:
        """A table as a pandas DataFrame; the first one where none is named."""
        name = table or next(iter(self.tables), None)
        if name not in self.tables:
            raise InvalidArgumentError(
                f"there is no table '{name}'" if name else "there is no table", self.name, "there are " + ", ".join(self.tables)
            )
        return to_pandas(self.tables[name])

    def plot(self, **options: Any) -> Any:
        """Draws the result with the plot of its analysis.

        Parameters
        ----------
        **options
            Those of the plot in ``libmetalearners.plots``, such as `ax`, `arm` and `outcome`.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        UnsupportedError
            There is no plot of this analysis, or no matplotlib.
        """
        from . import plots

        return plots.draw(self, **options)

    def __getitem__(self, name: str) -> Any:
        """A table, a column or any other key of the answer."""
        return self.columns[name] if name in self.columns else self._answer[name]

    def _numbers(self) -> dict[str, float]:
        """The numbers of the answer that stand in no table."""
        return {
            key: value for key, value in self._answer.items() if isinstance(value, (int, float)) and not isinstance(value, bool)
        }

    def __repr__(self) -> str:
        lines = [self.title, *(f"  {finding}" for finding in self.findings)]
        lines += [f"  {name}: {_text(value)}" for name, value in self._numbers().items()]
        for name, rows in self.tables.items():
            lines += ["", name, as_text(rows)]
        if self.columns:
            lines += ["", "columns: " + ", ".join(self.columns)]
        return "\n".join(lines + [f"warning: {warning}" for warning in self.warnings])

    def _repr_html_(self) -> str:
        parts = [f"<h4>{html.escape(self.title)}</h4>", *(f"<p>{html.escape(finding)}</p>" for finding in self.findings)]
        parts += [f"<p>{html.escape(name)}: {_text(value)}</p>" for name, value in self._numbers().items()]
        for name, rows in self.tables.items():
            parts += [f"<h5>{html.escape(name)}</h5>", as_html(rows)]
        return "".join(parts + [f"<p><em>{html.escape(warning)}</em></p>" for warning in self.warnings])


def _sentences(found: Any) -> list[str]:
    return [text if isinstance(text, str) else str(text.get("text", text)) for text in found or []]
