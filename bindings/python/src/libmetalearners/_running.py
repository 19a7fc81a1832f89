"""Calls that may take long: Ctrl-C, progress, threads, and the end of the interpreter."""

from __future__ import annotations

import atexit
import ctypes as c
import os
import sys
import threading
import time
from typing import Any, Callable, Optional, Union

from ._library import PROGRESS, Execution, Handle, call, failure, lib, registry

#: ``True`` for a progress bar (tqdm where it is installed, otherwise lines on standard error), or a function that is told
#: the stage, how much is done and how much there is, and may return ``False`` to cancel.
Progress = Union[bool, None, Callable[[str, int, int], Any]]

# How long Ctrl-C waits for the library to stop. After that the exception is raised, and the call ends in the background.
_PATIENCE = 0.25

_running: set["Job"] = set()


class Job:
    """One call of the library, with the token that cancels it."""

    def __init__(self, threads: int, memory_limit: int, progress: Progress) -> None:
        token = c.c_void_p()
        call(lib.mtlr_cancel_token_create, c.byref(token))
        self.token = Handle(token, lib.mtlr_cancel_token_free)
        self.holding: Any = None
        self.failed: Optional[BaseException] = None
        self.status = 0
        self.error = c.c_void_p()
        self.done = threading.Event()
        self.teller = _teller(progress)
        self._callback = PROGRESS(self._told) if self.teller else PROGRESS(0)
        self.execution = Execution(
            threads=threads, memory_limit=memory_limit, progress=self._callback, cancel_token=token, registry=registry()
        )

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
    holding: Any = None,
    release: Callable[[], None] = lambda: None,
) -> None:
    """Calls a function whose last arguments are an execution and an error, so that Ctrl-C stops it.

    Python handles signals on its main thread alone, between two of its own instructions. So the main thread waits while
    another thread makes the call, and cancels the token when an interrupt comes. Other threads make the call themselves.
    The call may outlive an interrupt for a moment: `holding` keeps alive what its pointers point to, and `release` is called
    with what it has made.
    """
    job = Job(threads or 0, memory_limit or 0, progress)
    job.holding = holding
    if threading.current_thread() is not threading.main_thread():
        job.work(function, arguments)
        return job.finish()
    worker = threading.Thread(target=job.work, args=(function, arguments), daemon=True, name="libmetalearners")
    try:
        worker.start()
        # In short steps, because the system may hand the signal to a thread that waits for nothing of ours.
        while not job.done.wait(0.05):
            pass
    except BaseException:
        job.cancel()
        if not worker.ident:
            raise
        job.done.wait(_PATIENCE)
        _when_done(job, release)
        raise
    job.finish()


def _when_done(job: Job, release: Callable[[], None]) -> None:
    """Frees what an interrupted call has made, at once or when it ends."""

    def wait() -> None:
        job.done.wait()
        if job.status:
            failure(job.error, job.status)
        else:
            release()

    if job.done.is_set():
        wait()
    else:
        threading.Thread(target=wait, daemon=True).start()


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

