"""Calls that may take long: Ctrl-C, progress, threads, and the end of the interpreter."""

from __future__ import annotations

import atexit
import contextlib
import ctypes as c
import os
import signal
import sys
import threading
import time
from typing import Any, Callable, Iterator, Optional, Union

from ._arguments import whole
from ._library import POLL, PROGRESS, Execution, Handle, call, failure, lib, registry
from .collective import Callbacks, Collective

#: ``True`` for a progress bar (tqdm where it is installed, otherwise lines on standard error), or a function that is told
#: the stage, how much is done and how much there is, and may return ``False`` to cancel.
Progress = Union[bool, None, Callable[[str, int, int], Any]]

_running: set["Job"] = set()

_NUMBERS = sorted(int(number) for number in signal.valid_signals())
# What `signal` wraps in enumerations, which would cost as much as a prediction of many rows.
_bare: Any = sys.modules.get("_signal", signal)
_handler: Callable[[int], Any] = _bare.getsignal
_handle: Callable[[int, Any], Any] = _bare.signal


class Job:
    """One call of the library, with the token that cancels it."""

    def __init__(
        self, threads: Optional[int], memory_limit: Optional[int], progress: Progress, collective: Optional[Collective] = None
    ) -> None:
        token = c.c_void_p()
        call(lib.mtlr_cancel_token_create, c.byref(token))
        self.token = Handle(token, lib.mtlr_cancel_token_free)
        self.holding: Any = None
        self.failed: Optional[BaseException] = None
        self.status = 0
        self.error = c.c_void_p()
        self.done = threading.Event()
        self.teller = _teller(progress)
        self._callback: Any = PROGRESS(self._told) if self.teller else PROGRESS(0)
        # The library asks on the thread that makes the call, and tells the progress there: both are Python's own.
        self._poll: Any = POLL(self._asked)
        self._joined = None if collective is None else Callbacks(collective)
        self.execution: Any = Execution(
            threads=whole(threads, "threads", 2**31 - 1),
            memory_limit=whole(memory_limit, "memory_limit", 2**63 - 1),
            progress=self._callback,
            cancel_token=token,
            registry=registry(),
            poll=self._poll if threading.current_thread() is threading.main_thread() else POLL(0),
            collective=None if self._joined is None else c.cast(c.pointer(self._joined.native), c.c_void_p),
        )

    def _asked(self, payload: Any) -> int:
        return 1 if self.failed else 0  # To come here is enough: Python handles signals on its way.

    def _told(self, payload: Any, stage: bytes, done: int, total: int) -> int:
        assert self.teller
        try:
            return 0 if self.teller(stage.decode(), done, total) is False else 1
        except BaseException as raised:  # Nothing may leave a callback; the exception is raised again by `run`.
            self.failed = raised
            return 0

    def cancel(self) -> None:
        lib.mtlr_cancel_token_cancel(self.token.pointer)

    def work(self, function: Callable[..., int], arguments: tuple[Any, ...]) -> None:
        _running.add(self)
        try:
            self.status = function(*arguments, c.byref(self.execution), c.byref(self.error))
        except BaseException as raised:
            self.failed = raised
        finally:
            _running.discard(self)
            self.done.set()

    def finish(self) -> None:
        close = getattr(self.teller, "close", None)
        if close:
            close()
        # The callbacks hold this object, and it holds them: the data must not wait for the garbage collector.
        if self._joined is not None:
            self.failed = self.failed or self._joined.raised
        self.holding = self.execution = self._poll = self._callback = self._joined = None
        error = failure(self.error, self.status) if self.status else None
        if self.failed:
            raise self.failed
        if error:
            raise error


def run(
    function: Callable[..., int],
    *arguments: Any,
    threads: Optional[int] = None,
    memory_limit: Optional[int] = None,
    progress: Progress = None,
    collective: Optional[Collective] = None,
    holding: Any = None,
    release: Callable[[], None] = lambda: None,
) -> None:
    """Calls a function whose last arguments are an execution and an error, so that Ctrl-C stops it.

    Python handles signals on its main thread alone, between two of its own instructions. So the library asks there, twenty
    times a second, whether to go on. `holding` keeps alive what the pointers of the call point to, and `release` is called with
    what a call has made that ended with an exception all the same.
    """
    job = Job(threads, memory_limit, progress, collective)
    job.holding = holding
    with _interrupts(job):
        job.work(function, arguments)
    if job.failed and not job.status:
        release()
    job.finish()


@contextlib.contextmanager
def _interrupts(job: Job) -> Iterator[None]:
    """On the main thread, what the handler of a signal raises cancels the job and waits for its end.

    Raised where Python happens to be, it would be lost between the library and a callback.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: dict[int, Any] = {number: handler for number in _NUMBERS if callable(handler := _handler(number))}

    def handle(number: int, frame: Any) -> None:
        try:
            before[number](number, frame)
        except BaseException as raised:
            job.failed = job.failed or raised
            job.cancel()

    try:
        for number in before:
            _handle(number, handle)
        yield
    finally:
        for number, handler in before.items():
            # A handler may have set another one, which stays.
            if _handler(number) is handle:
                _handle(number, handler)


def make(
    function: Callable[..., int], free: Callable[[c.c_void_p], None], *arguments: Any, kept: Any = None, holding: Any = None, **options: Any
) -> Handle:
    """Makes an object by a long call whose first argument is where it goes."""
    made = c.c_void_p()
    run(function, c.byref(made), *arguments, holding=(kept, holding), release=lambda: free(made), **options)
    return Handle(made, free, kept)


def _teller(progress: Progress) -> Optional[Callable[[str, int, int], Any]]:
    if not progress:
        return None
    if callable(progress):
        return progress
    try:
        return _Bars()
    except ImportError:
        return _lines


class _Bars:
    """A bar of tqdm for each stage."""

    def __init__(self) -> None:
        from tqdm.auto import tqdm

        self._new = tqdm
        self._bars: dict[str, Any] = {}

    def __call__(self, stage: str, done: int, total: int) -> None:
        bar = self._bars.get(stage)
        if bar is None:
            bar = self._bars[stage] = self._new(total=total, desc=stage)
        bar.update(done - bar.n)

    def close(self) -> None:
        for bar in self._bars.values():
            bar.close()


def _lines(stage: str, done: int, total: int) -> None:
    print(f"{stage}: {done} of {total}", file=sys.stderr)


def _stop_all() -> None:
    """At the end of the interpreter: calls of daemon threads must not come back to a Python that is gone."""
    for job in list(_running):
        job.cancel()
    end = time.monotonic() + 5
    for job in list(_running):
        job.done.wait(max(0.0, end - time.monotonic()))


atexit.register(_stop_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_running.clear)

