"""Fits over the workers of Dask: each holds its partitions, and all fit together.

The numbers go over the network by XGBoost's communicator (the package `xgboost` or `xgboost-cpu`, which is made for Dask's workers:
it finds the others by a tracker, and a worker that is lost ends the work of all). Dask brings data and processes.
"""

from __future__ import annotations

from typing import Any, Optional, Sequence

import numpy as np

from . import MetaLearner
from .collective import Collective, Numbers
from .errors import InvalidDataError, MetaLearnersError

__all__ = ["XGBoostCollective", "fit", "predict"]


class XGBoostCollective(Collective):
    """Processes that XGBoost's communicator joins, within ``xgboost.collective.CommunicatorContext``.

    Parameters
    ----------
    rank, size : int
        The number of this process, which decides where its rows count, and how many there are. They need not be those of
        the communicator.
    """

    def __init__(self, rank: int, size: int) -> None:
        from xgboost import collective

        self._made = collective
        self.rank = rank
        self.size = size

    def sum(self, values: Numbers) -> Numbers:
        return np.asarray(self._made.allreduce(values, self._made.Op.SUM))

    def maximum(self, values: Numbers) -> Numbers:
        return np.asarray(self._made.allreduce(values, self._made.Op.MAX))

    def broadcast(self, data: bytes, root: int) -> bytes:
        return self._joined(data if self.rank == root else b"", 0, len(data))

    def gather(self, data: bytes, sizes: Sequence[int]) -> bytes:
        return self._joined(data, sum(sizes[: self.rank]), sum(sizes))

    def _joined(self, data: bytes, place: int, length: int) -> bytes:
        """Bytes that each process has at a place of its own: elsewhere it adds zeros."""
        words = np.zeros((length + 7) // 8, np.int64)
        words.view(np.uint8)[place : place + len(data)] = np.frombuffer(data, np.uint8)
        return self.sum(words).tobytes()[:length]


def _fit_part(learner: MetaLearner, parts: Sequence[Any], options: dict[str, Any], rank: int, size: int, joined: dict[str, Any]) -> Any:
    import pandas as pd
    from xgboost import collective

    with collective.CommunicatorContext(**joined):
        own = pd.concat(list(parts)) if len(parts) > 1 else parts[0]
        roles = {name: own[options[name]] for name in ("y", "w", "sample_weight") if options[name] is not None}
        X = own.drop(columns=[options[name] for name in roles])
        made = learner.fit(X, roles["y"], roles["w"], sample_weight=roles.get("sample_weight"), collective=XGBoostCollective(rank, size))
        effects = made.predict_training() if options["effects"] and len(own) else None
        return made if rank == 0 else None, effects


def fit(
    client: Any,
    frame: Any,
    learner: MetaLearner,
    *,
    y: str,
    w: str,
    sample_weight: Optional[str] = None,
    effects: bool = False,
    timeout: int = 300,
) -> Any:
    """Fits a learner to a frame of Dask, whose partitions stay on the workers.

    Parameters
    ----------
    client : dask.distributed.Client
        The client; each of its workers takes part, with partitions or without.
    frame : dask.dataframe.DataFrame
        All columns, of the same kinds in every partition.
    learner : MetaLearner
        What to fit; it is left as it is.
    y, w : str
        The columns of the outcome and of the arms.
    sample_weight : str, optional
        The column of weights.
    effects : bool
        Whether to return the out-of-fold effects of the training rows as well, in the order of the rows.
    timeout : int
        Seconds after which a worker that is lost ends the fit.

    Returns
    -------
    The fitted learner, that of one process that has all rows; with `effects` also the effects.
    """
    from distributed import wait
    from xgboost.tracker import RabitTracker

    partitions = client.compute(frame.to_delayed())
    wait(partitions)
    for partition in partitions:
        if partition.status == "error":
            partition.result()
    workers = sorted(client.nthreads())
    if not workers or not partitions:
        raise InvalidDataError("there are no workers or no partitions", "frame", "start workers, and pass a frame with rows")
    # Partitions go to the workers in their order, so that the rows count in the order of the frame.
    ends = [len(partitions) * place // len(workers) for place in range(len(workers) + 1)]
    empty = client.submit(lambda part: part.iloc[:0], partitions[0])
    tracker = RabitTracker(n_workers=len(workers), host_ip=_host(client), timeout=timeout)
    tracker.start()
    options = {"y": y, "w": w, "sample_weight": sample_weight, "effects": effects}
    joined = {**tracker.worker_args(), "dmlc_timeout": timeout, "dmlc_retry": 3}
    made = []
    for rank, worker in enumerate(workers):
        parts = partitions[ends[rank] : ends[rank + 1]] or [empty]
        task = dict(joined, dmlc_task_id=f"{rank:06d}")
        made.append(
            client.submit(
                _fit_part, learner, parts, options, rank, len(workers), task,
                workers=[worker], allow_other_workers=False, pure=False, retries=0,
            )
        )  # fmt: skip
    # One error ends all; that of the worker where it began says what is wrong.
    try:
        results = client.gather(made)
        tracker.wait_for()
    except MetaLearnersError as error:
        cause = _cause(made)
        client.cancel(made)
        raise cause or error from None
    except BaseException:
        client.cancel(made)
        raise
    finally:
        _end(tracker)
    found = results[0][0]
    if not effects:
        return found
    return found, np.concatenate([own for _, own in results if own is not None])


def predict(frame: Any, learner: MetaLearner, **options: Any) -> Any:
    """The effects of the rows of a frame of Dask, partition by partition: an array of Dask."""
    columns = list(learner.feature_names_in_)
    return frame[columns].map_partitions(lambda part: learner.predict(part, **options), meta=np.zeros((0,)))


def _cause(made: Sequence[Any]) -> Optional[MetaLearnersError]:
    """Of workers that have ended with errors, the error that none of the others told its worker of."""
    from distributed import wait

    try:
        wait(made, timeout=10)
    except Exception:  # Some go on: what is known by now must do.
        pass
    errors = [future.exception() for future in made if future.status == "error"]
    return next((error for error in errors if isinstance(error, MetaLearnersError) and error.location != "collective"), None)


def _end(tracker: Any) -> None:
    """Ends a tracker. Where workers are lost it complains; what happened is known by then."""
    try:
        tracker.free()
    except Exception:
        pass


def _host(client: Any) -> str:
    """The address by which workers reach the machine of the client."""
    import socket

    address = str(client.scheduler.address).split("://")[-1].rsplit(":", 1)[0]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((address or "127.0.0.1", 9))
        return str(probe.getsockname()[0])
