"""Fits over the workers of Dask: each holds its partitions, and all fit together.

The numbers go over the network by XGBoost's communicator (the package `xgboost` or `xgboost-cpu`, which is made for Dask's workers:
it finds the others by a tracker, and a worker that is lost ends the work of all). Dask brings data and processes.
"""

from __future__ import annotations

import contextlib
import uuid
from typing import Any, Optional, Sequence, Union

import numpy as np

from . import MetaLearner
from ._communicator import Roles, Tracker, cause, columns_to_predict, fit_part
from ._warnings import tell
from .collective import XGBoostCollective
from .errors import InputOutputError, InvalidDataError, MetaLearnersError

__all__ = ["XGBoostCollective", "fit", "predict"]

#: What tells this process from one that is started in its place, perhaps at the same address.
_PROCESS = uuid.uuid4().hex
#: Seconds between two looks at whether all workers are still there.
_LOOK = 1.0


def _process() -> str:
    return _PROCESS


def _fit_part(
    process: str, learner: MetaLearner, parts: Sequence[Any], roles: Roles, effects: bool, rank: int, size: int, arguments: dict[str, Any]
) -> Any:
    import pandas as pd

    if process != _process():  # Dask runs the tasks of a lost worker again; the others have ended by then, or wait in vain.
        raise _lost()
    own = pd.concat(list(parts)) if len(parts) > 1 else parts[0]
    made, found = fit_part(learner, own, roles, effects, rank, size, arguments)
    return made if rank == 0 else None, found


def fit(
    client: Any,
    frame: Any,
    learner: MetaLearner,
    *,
    y: str,
    w: str,
    sample_weight: Optional[str] = None,
    cluster: Optional[str] = None,
    propensity: Union[str, Sequence[str], None] = None,
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
    cluster : str, optional
        The column of clusters, whose rows may be in several partitions: whole ones are held out, and standard errors allow for them.
    propensity : str or list of str, optional
        The column of known propensities of the treated arm, or those of every arm with the control first. ``predict`` finds them in
        its frame.
    effects : bool
        Whether to return the out-of-fold effects of the training rows as well, in the order of the rows.
    timeout : int
        Seconds after which a worker that is lost ends the fit.

    Returns
    -------
    The fitted learner, that of one process that has all rows; with `effects` also the effects. The warnings of the fit are issued here,
    and not on the workers.

    Raises
    ------
    MetaLearnersError
        What is wrong on a worker, as that worker has it; ``InputOutputError`` where a worker is lost.
    """
    from distributed import wait

    partitions = client.compute(frame.to_delayed())
    wait(partitions)
    for partition in partitions:
        if partition.status == "error":
            partition.result()
    processes = client.run(_process)
    workers = sorted(processes)
    if not workers or not partitions:
        raise InvalidDataError("there are no workers or no partitions", "frame", "start workers, and pass a frame with rows")
    # Partitions go to the workers in their order, so that the rows count in the order of the frame.
    ends = [len(partitions) * place // len(workers) for place in range(len(workers) + 1)]
    empty = client.submit(lambda part: part.iloc[:0], partitions[0])
    tracker = Tracker(_host(client), len(workers), timeout)
    roles: Roles = {"y": y, "w": w, "sample_weight": sample_weight, "cluster": cluster, "propensity": propensity}
    made = []
    for rank, worker in enumerate(workers):
        parts = partitions[ends[rank] : ends[rank + 1]] or [empty]
        made.append(
            client.submit(
                _fit_part, processes[worker], learner, parts, roles, effects, rank, len(workers), tracker.arguments,
                workers=[worker], allow_other_workers=False, pure=False, retries=0,
            )
        )  # fmt: skip
    # One error ends all; that of the worker where it began says what is wrong.
    try:
        _wait(client, made, workers)
        results = client.gather(made)
        tracker.wait()
    except Exception as error:
        told = _cause(client, made, workers)
        raise told or error from (None if isinstance(error, MetaLearnersError) else error)
    finally:
        client.cancel([future for future in made if future.status != "finished"])
        tracker.end()
    found = results[0][0]
    tell(found.warnings)
    if not effects:
        return found
    return found, np.concatenate([own for _, own in results if own is not None])


def predict(frame: Any, learner: MetaLearner, **options: Any) -> Any:
    """The effects of the rows of a frame of Dask, partition by partition: an array of Dask."""
    columns = columns_to_predict(learner, list(frame.columns))
    return frame[columns].map_partitions(lambda part: learner.predict(part, **options), meta=np.zeros((0,)))


def _wait(client: Any, made: Sequence[Any], workers: Sequence[str]) -> None:
    """Waits until all have ended or one has failed. The task of a worker that is lost would wait for it for ever: Dask may run it there
    alone."""
    import distributed

    while True:
        pending = [future for future in made if future.status == "pending"]
        if not pending or any(future.status != "finished" for future in made if future not in pending):
            return
        if not _all_there(client, workers):
            raise _lost()
        with contextlib.suppress(distributed.TimeoutError):
            distributed.wait(pending, timeout=_LOOK, return_when="FIRST_COMPLETED")


def _lost() -> InputOutputError:
    return InputOutputError("a worker was lost during the fit", "client", "see in Dask's logs what became of it, and fit again")


def _cause(client: Any, made: Sequence[Any], workers: Sequence[str]) -> Optional[BaseException]:
    """Of workers that have ended with errors or are lost, the error that none of the others told its worker of."""
    from distributed import wait

    there = set(client.nthreads())
    with contextlib.suppress(Exception):  # Some go on: what is known by then must do.
        wait([future for future, worker in zip(made, workers) if worker in there], timeout=10)
    errors = [future.exception() for future in made if future.status == "error"]
    return cause([*errors, *([] if _all_there(client, workers) else [_lost()])])


def _all_there(client: Any, workers: Sequence[str]) -> bool:
    return set(workers) <= set(client.nthreads())


def _host(client: Any) -> str:
    """The address by which workers reach the machine of the client."""
    import socket

    address = str(client.scheduler.address).split("://")[-1].rsplit(":", 1)[0]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((address or "127.0.0.1", 9))
        return str(probe.getsockname()[0])
