"""Fits of processes that XGBoost's communicator joins: what Dask and Spark share.

One process has XGBoost's tracker, by which the others find each other. A process that is lost ends the calls of all others, at once
where its connections break, and within the time limit otherwise.
"""

from __future__ import annotations

import contextlib
from typing import Any, Optional, Sequence, Union

from ._metalearner import MetaLearner
from ._warnings import quietly
from .collective import XGBoostCollective
from .errors import InvalidDataError, MetaLearnersError

#: The columns of a fit by the argument that names them: one, or of `propensity` perhaps several.
Roles = dict[str, Union[str, Sequence[str], None]]


class Tracker:
    """XGBoost's tracker in this process.

    Parameters
    ----------
    host : str
        The address of this machine by which all processes reach it.
    size : int
        How many processes there are.
    timeout : int
        Seconds for the processes to come together, and for each exchange between them.
    """

    def __init__(self, host: str, size: int, timeout: int) -> None:
        from xgboost.tracker import RabitTracker

        self._made = RabitTracker(n_workers=size, host_ip=host, timeout=timeout)
        self._made.start()
        #: What processes join with.
        self.arguments: dict[str, Any] = {**self._made.worker_args(), "dmlc_timeout": timeout, "dmlc_retry": 3}

    def wait(self) -> None:
        """Waits until all processes have parted."""
        self._made.wait_for()

    def end(self) -> None:
        """Ends it. Where processes are lost it complains; what happened is known by then."""
        with contextlib.suppress(Exception):
            self._made.free()


def fit_part(
    learner: MetaLearner, rows: Any, roles: Roles, effects: bool, rank: int, size: int, arguments: dict[str, Any]
) -> tuple[MetaLearner, Any]:
    """Fits a learner to the rows of this process and those of all others. Who has asked for the fit tells its warnings.

    Parameters
    ----------
    rows : table
        All columns; here may be no rows.
    roles : dict
        The names of the columns `y`, `w`, `sample_weight`, `cluster` and `propensity`.
    effects : bool
        Whether the out-of-fold effects of the rows are wanted.
    arguments : dict
        Those of the tracker.

    Returns
    -------
    The learner, and the effects where they are wanted and there are rows.
    """
    with XGBoostCollective(rank, size, arguments) as collective:
        with quietly():
            made = learner.fit(
                rows, roles["y"], roles["w"], sample_weight=roles["sample_weight"], cluster=roles["cluster"],
                propensity=roles["propensity"], collective=collective,
            )  # fmt: skip
        wanted = effects and made._model is not None and made._model.own_rows > 0
        found = made.predict_training() if wanted else None
        # (Every process says so by itself: none waits for another any more.)
        if effects and (0 if found is None else len(found)) != len(rows):
            raise InvalidDataError(
                "rows without an outcome had no part in the fit and have no effects out of fold", "effects",
                "leave those rows out of the frame, or effects out of the fit, and predict",
            )  # fmt: skip
        return made, found


def columns_to_predict(learner: MetaLearner, present: Sequence[Any]) -> list[Any]:
    """The columns that predictions are made of: the covariates and, where they are there, known propensities."""
    return [*learner.feature_names_in_, *(name for name in learner._propensity if name in present)]


def cause(errors: Sequence[BaseException]) -> Optional[BaseException]:
    """Of the errors of several processes the one that says what is wrong: none of the others was told of it."""
    first = [error for error in errors if isinstance(error, MetaLearnersError) and error.location != "collective"]
    return next(iter([*first, *errors]), None)
