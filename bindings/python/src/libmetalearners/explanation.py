"""How far each covariate moves the effects: SHAP values of the CATE."""

from __future__ import annotations

import ctypes as c
import json
from typing import Any, Optional

import numpy as np

from . import _library as native
from ._arguments import dumps
from ._data import Frame
from ._library import lib
from ._model import FloatArray, Model
from ._running import Progress, make
from ._warnings import tell
from .errors import InvalidArgumentError, UnsupportedError


class Explanation:
    """The explanation of the effects of some rows; ``learner.explain(X)`` makes it.

    For every row and output the values and the base value add up to the effect that ``predict`` gives. A category is one
    covariate, however a base learner encodes it.

    Attributes
    ----------
    values : ndarray, shape (n, p), or (n, outputs, p) of several effects
        How far each covariate moves the effect from the base value.
    base_values : ndarray, shape (n,) or (n, outputs)
        The expected effect, which the values start from: the same in every row.
    effects : ndarray, shape (n,) or (n, outputs)
        The effects explained.
    standard_error : ndarray shaped as ``values``, or None
        Where values are estimated from random orders of the covariates, how far they are from those of all orders. None where
        they are exact.
    data : ndarray, shape (n, p)
        The covariates as numbers: codes for categories, NaN for what is missing.
    feature_names, output_names : list of str
        The covariates, and the effects as ``predict`` orders them: ``["cate"]``, ``["cate_b", "cate_c"]``.
    levels : dict
        The levels of each category by its name; codes are places in it.
    method : {"path_dependent", "interventional", "permutation"}
        How the values were found.
    note : str
        The same in a sentence.
    """

    def __init__(
        self,
        values: FloatArray,
        base_values: FloatArray,
        effects: FloatArray,
        standard_error: Optional[FloatArray],
        data: FloatArray,
        feature_names: list[str],
        output_names: list[str],
        levels: dict[str, list[str]],
        method: str,
        note: str,
    ) -> None:
        self.values = values
        self.base_values = base_values
        self.effects = effects
        self.standard_error = standard_error
        self.data = data
        self.feature_names = feature_names
        self.output_names = output_names
        self.levels = levels
        self.method = method
        self.note = note

    @property
    def display_data(self) -> Any:
        """The covariates as people read them: labels in place of codes. Shape (n, p), objects."""
        shown = self.data.astype(object)
        for place, name in enumerate(self.feature_names):
            levels = self.levels.get(name)
            if levels:
                codes = self.data[:, place]
                shown[:, place] = [None if code != code else levels[int(code)] for code in codes]
        return shown

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, rows: Any) -> "Explanation":
        """The explanation of some of the rows: a slice, a list of places or a mask."""
        if isinstance(rows, (int, np.integer)):
            rows = [rows]
        return Explanation(
            self.values[rows], self.base_values[rows], self.effects[rows],
            None if self.standard_error is None else self.standard_error[rows], self.data[rows],
            self.feature_names, self.output_names, self.levels, self.method, self.note,
        )  # fmt: skip

    def __repr__(self) -> str:
        return (
            f"Explanation({len(self)} rows, {len(self.feature_names)} covariates, outputs={self.output_names}, "
            f"method={self.method!r}: {self.note})"
        )

    def _output(self, output: Any) -> int:
        if output is None:
            if len(self.output_names) == 1:
                return 0
            raise InvalidArgumentError("there are several effects", "output", "name one of " + ", ".join(self.output_names))
        if output in self.output_names:
            return self.output_names.index(output)
        if isinstance(output, (int, np.integer)) and 0 <= output < len(self.output_names):
            return int(output)
        raise InvalidArgumentError(f"there is no effect {output!r}", "output", "use one of " + ", ".join(self.output_names))

    def _of(self, array: FloatArray, output: Any) -> FloatArray:
        place = self._output(output)
        return array if len(self.output_names) == 1 else array[:, place]

    def mean_absolute(self) -> FloatArray:
        """The mean absolute value of each covariate: how much the effect depends on it. Shape (p,) or (outputs, p)."""
        made: FloatArray = np.abs(self.values).mean(axis=0)
        return made

    def to_frame(self, output: Any = None) -> Any:
        """The values of an effect (by name or place) as a pandas data frame: rows × covariates."""
        try:
            import pandas
        except ImportError:
            raise UnsupportedError("a frame needs pandas", "to_frame", "install pandas, or use .values") from None
        return pandas.DataFrame(self._of(self.values, output), columns=self.feature_names)

    def to_shap(self, output: Any = None) -> Any:
        """The values of an effect as a ``shap.Explanation``, for the plots of the package ``shap``.

        Without `output` all effects are in it, along the last axis as ``shap`` has them.
        """
        try:
            import shap
        except ImportError:
            raise UnsupportedError("an object of shap needs shap", "to_shap", "install shap, or use .values") from None
        if output is None and len(self.output_names) > 1:
            return shap.Explanation(
                values=np.moveaxis(self.values, 1, 2), base_values=self.base_values, data=self.data,
                display_data=self.display_data, feature_names=self.feature_names, output_names=self.output_names,
                error_std=None if self.standard_error is None else np.moveaxis(self.standard_error, 1, 2),
            )  # fmt: skip
        return shap.Explanation(
            values=self._of(self.values, output), base_values=self._of(self.base_values, output), data=self.data,
            display_data=self.display_data, feature_names=self.feature_names,
            error_std=None if self.standard_error is None else self._of(self.standard_error, output),
        )  # fmt: skip


def explain(
    model: Model,
    rows: Frame,
    background: Optional[Frame],
    request: dict[str, Any],
    threads: Optional[int],
    memory_limit: Optional[int],
    progress: Progress,
) -> Explanation:
    """Asks the library."""
    table, kept = rows.table()
    others, kept_too = background.table() if background is not None else (None, None)
    handle = make(
        lib.mtlr_model_explain, lib.mtlr_explanation_free, model.handle.pointer, c.byref(table),
        c.byref(others) if others is not None else None, dumps(request),
        holding=(model, kept, kept_too), threads=threads, memory_limit=memory_limit, progress=progress,
    )  # fmt: skip
    pointer = handle.pointer
    told = json.loads(lib.mtlr_explanation_json(pointer))
    tell(told["warnings"])
    outputs, features = told["outputs"], told["features"]
    count = int(lib.mtlr_explanation_rows(pointer))

    def numbers(name: str, *shape: int) -> FloatArray:
        made = np.empty(shape)
        native.call(getattr(lib, f"mtlr_explanation_{name}"), made.ctypes.data, made.size, pointer)
        return made

    def single(array: FloatArray) -> FloatArray:
        return array[:, 0] if len(outputs) == 1 else array

    bases = np.broadcast_to(numbers("base_values", len(outputs)), (count, len(outputs))).copy()
    return Explanation(
        values=single(numbers("values", count, len(outputs), len(features))),
        base_values=single(bases),
        effects=single(numbers("effects", count, len(outputs))),
        standard_error=None if told["exact"] else single(numbers("standard_errors", count, len(outputs), len(features))),
        data=numbers("features", count, len(features)),
        feature_names=features,
        output_names=outputs,
        levels={name: levels for name, levels in zip(features, told["levels"]) if levels},
        method=told["method"],
        note=told["note"],
    )
