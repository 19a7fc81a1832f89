"""Fits to rows that several processes hold: what joins the processes."""

from __future__ import annotations

import ctypes as c
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, Mapping, Optional, Sequence

import numpy as np
import numpy.typing as npt

from . import _library as native

Numbers = npt.NDArray[Any]


class Collective:
    """What joins processes that each hold some of the rows: how they add numbers up, and what they tell each other.

    A subclass sets `rank` and `size` and has the methods below. All processes call ``fit(..., collective=...)`` with their own
    rows and the same parameters, and all get the same learner. Every method is called by all processes in the same order, by
    one thread at a time (not always the one that called ``fit``). What a method raises ends the fit of its process, and `leave`
    is called once, so that the others do not wait.
    """

    #: The number of this process, from 0; rows count in the order of ranks.
    rank: int
    #: How many processes there are.
    size: int

    def sum(self, values: Numbers) -> Numbers:
        """The sums over all processes of an array of ``int64`` or ``float64``."""
        raise NotImplementedError

    def maximum(self, values: Numbers) -> Numbers:
        """The largest of all processes, of an array of ``int64``."""
        raise NotImplementedError

    def broadcast(self, data: bytes, root: int) -> bytes:
        """The bytes of `root`; those of every process are as many."""
        raise NotImplementedError

    def gather(self, data: bytes, sizes: Sequence[int]) -> bytes:
        """The bytes of all processes one after another; `sizes` says how many each has."""
        raise NotImplementedError

    def leave(self) -> None:
        """Says that this process takes part no longer because a method has failed."""


class MPICollective(Collective):
    """Processes of MPI, by mpi4py.

    Parameters
    ----------
    comm : mpi4py.MPI.Comm, optional
        The communicator; ``MPI.COMM_WORLD`` where it is not given.
    """

    def __init__(self, comm: Any = None) -> None:
        from mpi4py import MPI

        self._mpi = MPI
        self._comm = MPI.COMM_WORLD if comm is None else comm
        self.rank = self._comm.Get_rank()
        self.size = self._comm.Get_size()

    def sum(self, values: Numbers) -> Numbers:
        self._comm.Allreduce(self._mpi.IN_PLACE, values, op=self._mpi.SUM)
        return values

    def maximum(self, values: Numbers) -> Numbers:
        self._comm.Allreduce(self._mpi.IN_PLACE, values, op=self._mpi.MAX)
        return values

    def broadcast(self, data: bytes, root: int) -> bytes:
        buffer = bytearray(data)
        self._comm.Bcast(buffer, root=root)
        return bytes(buffer)

    def gather(self, data: bytes, sizes: Sequence[int]) -> bytes:
        buffer = bytearray(sum(sizes))
        self._comm.Allgatherv(data, [buffer, list(sizes)])
        return bytes(buffer)

    def leave(self) -> None:
        self._comm.Abort(1)


class XGBoostCollective(Collective):
    """Processes that XGBoost's communicator joins (the package `xgboost` or `xgboost-cpu`, 3.0 or later), between ``with`` and its end.

    One of them, or another process, runs an ``xgboost.tracker.RabitTracker``, by which they find each other. A communicator belongs to
    the thread that has made it: this one has a thread of its own.

    Parameters
    ----------
    rank, size : int
        The number of this process, which decides where its rows count, and how many there are. They need not be those of
        the communicator.
    arguments : mapping
        What ``xgboost.collective.CommunicatorContext`` takes, such as the tracker's ``worker_args()``.
    """

    def __init__(self, rank: int, size: int, arguments: Mapping[str, Any]) -> None:
        from xgboost import collective

        self._made = collective
        self._context = collective.CommunicatorContext(**{"dmlc_task_id": f"{rank:06d}", **arguments})
        self._thread: Optional[ThreadPoolExecutor] = None
        self.rank = rank
        self.size = size

    def __enter__(self) -> "XGBoostCollective":
        self._thread = ThreadPoolExecutor(1, "libmetalearners-collective")
        try:
            self._call(self._context.__enter__)
        except BaseException:
            self._thread.shutdown()
            raise
        return self

    def __exit__(self, kind: Any, raised: Any, trace: Any) -> None:
        thread = self._thread
        try:
            self._call(self._context.__exit__, None, None, None)
        except Exception:
            if raised is None:  # Else it is no news that the others are gone.
                raise
        finally:
            self._thread = None
            if thread is not None:
                thread.shutdown()

    def _call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        if self._thread is None:
            raise RuntimeError("the processes are joined between 'with' and its end alone")
        return self._thread.submit(function, *arguments).result()

    def sum(self, values: Numbers) -> Numbers:
        return np.asarray(self._call(self._made.allreduce, values, self._made.Op.SUM))

    def maximum(self, values: Numbers) -> Numbers:
        return np.asarray(self._call(self._made.allreduce, values, self._made.Op.MAX))

    def broadcast(self, data: bytes, root: int) -> bytes:
        return self._joined(data if self.rank == root else b"", 0, len(data))

    def gather(self, data: bytes, sizes: Sequence[int]) -> bytes:
        return self._joined(data, sum(sizes[: self.rank]), sum(sizes))

    def leave(self) -> None:
        """Nothing: the others see that the connections end."""

    def _joined(self, data: bytes, place: int, length: int) -> bytes:
        """Bytes that each process has at a place of its own: elsewhere it adds zeros."""
        words = np.zeros((length + 7) // 8, np.int64)
        words.view(np.uint8)[place : place + len(data)] = np.frombuffer(data, np.uint8)
        return self.sum(words).tobytes()[:length]


class Callbacks:
    """The functions of C that call a collective, and the first exception that one of them has raised."""

    def __init__(self, collective: Collective) -> None:
        self.raised: Optional[BaseException] = None
        self._collective = collective
        self.native: Any = native.Collective(
            rank=collective.rank,
            size=collective.size,
            sum_int64=native.SUM_INT64(lambda _, values, count: self._reduce(collective.sum, values, count)),
            sum_double=native.SUM_DOUBLE(lambda _, values, count: self._reduce(collective.sum, values, count)),
            max_int64=native.SUM_INT64(lambda _, values, count: self._reduce(collective.maximum, values, count)),
            broadcast=native.BROADCAST(self._broadcast),
            gather=native.GATHER(self._gather),
            leave=native.LEAVE(self._leave),
        )

    def _guarded(self, work: Callable[[], None]) -> int:
        try:
            work()
            return 0
        except BaseException as raised:  # Nothing may leave a callback; the exception is raised again by the call.
            self.raised = self.raised or raised
            return 1

    def _reduce(self, function: Callable[[Numbers], Numbers], values: Any, count: int) -> int:
        def work() -> None:
            target = np.ctypeslib.as_array(values, (count,))
            target[:] = function(target.copy())

        return self._guarded(work)

    def _broadcast(self, _: Any, place: int, length: int, root: int) -> int:
        def work() -> None:
            c.memmove(place, _checked(self._collective.broadcast(c.string_at(place, length), root), length), length)

        return self._guarded(work)

    def _gather(self, _: Any, place: int, length: int, target: int, lengths: Any) -> int:
        def work() -> None:
            sizes = [lengths[rank] for rank in range(self._collective.size)]
            own = c.string_at(place, length) if length else b""
            c.memmove(target, _checked(self._collective.gather(own, sizes), sum(sizes)), sum(sizes))

        return self._guarded(work)

    def _leave(self, _: Any) -> None:
        self._guarded(self._collective.leave)


def _checked(data: Any, length: int) -> bytes:
    made = bytes(data)
    if len(made) != length:
        raise ValueError(f"the collective gave {len(made)} bytes where {length} were expected")
    return made
