"""Effects with their intervals, and how far they depend on the rows that were learnt from."""

from __future__ import annotations

from typing import Any, Optional, Protocol

import numpy as np

from . import _library as native
from ._model import FloatArray
from .errors import InvalidDataError
from .results import Intervals


class Predicting(Protocol):
    """What a fitted learner has that predicts."""

    _dataset: Optional[native.Handle]

    def _predict(self, X: Any, output: int, propensity: Any = None, **asked: Any) -> FloatArray: ...

    def _shape(self, values: FloatArray, numpy3d: bool) -> FloatArray: ...


def _ends(learner: Predicting, values: FloatArray) -> Intervals:
    return Intervals(*(learner._shape(np.ascontiguousarray(values[:, part::3]), False) for part in range(3)))


class WithIntervals:
    """The part of a learner that tells how sure its effects are."""

    def stability(self: Predicting, X: Any = None) -> FloatArray:
        """The standard deviation of the effects over the models of the folds, shaped as the effects."""
        return self._shape(self._predict(X, native.STABILITY, dataset=self._dataset if X is None else None), False)

    def interval(
        self: Predicting, X: Any = None, level: Optional[float] = None, *, arm: Any = None, baseline: Any = None, scale: Optional[str] = None
    ) -> Intervals:
        """The effects with confidence intervals, by models of all rows. Training rows as new ones without `X`.

        They are of the effect that rows of the same covariates have on average (the CATE). The learner is fitted with
        ``interval_method``: "half_sampling" serves every learner, `AutoLearner` among them.

        Parameters
        ----------
        X : table, shape (n, p), optional
            The rows, as ``predict`` takes them.
        level : float, optional
            That of the spec (0.95) by default.
        arm, baseline, scale : optional
            As those of ``predict``.
        """
        kept = self._dataset if X is None else None
        asked = {"level": level or 0.0, "arm": arm, "baseline": baseline, "scale": scale, "dataset": kept}
        return _ends(self, self._predict(X, native.INTERVALS, **asked))

    def individual_interval(
        self: Predicting,
        X: Any = None,
        level: Optional[float] = None,
        *,
        arm: Any = None,
        baseline: Any = None,
        scale: Optional[str] = None,
        propensity: Any = None,
    ) -> Intervals:
        """The effects with intervals of each row's own effect (the ITE), by conformal prediction. Training rows without `X`.

        The difference between the outcomes that a row itself would have with and without the treatment lies in them in about `level` of
        rows or more, however the two outcomes hang together. Every learner has them, fitted with any ``interval_method``.

        Parameters
        ----------
        X : table, shape (n, p), optional
            The rows, as ``predict`` takes them.
        level : float, optional
            The share of rows that are held, from 0.5 to 1; that of the spec (0.95) by default.
        arm, baseline, scale : optional
            As those of ``predict``; effects of single rows are differences.
        propensity : array, optional
            Of new rows, the probabilities of the arms where these are known by design.

        Returns
        -------
        Intervals
            Ends are infinite where an arm has too few training rows like a row.
        """
        if X is None and propensity is not None:
            raise InvalidDataError("is for new rows: the learner has those of its training rows", "propensity", "leave it out")
        asked = {"level": level or 0.0, "arm": arm, "baseline": baseline, "scale": scale}
        return _ends(self, self._predict(X, native.INDIVIDUAL_INTERVALS, propensity, **asked))
