"""Interrupts, threads, processes and the end of the interpreter."""

import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from conftest import draw, linear

import libmetalearners as mtlr

LONG = "mtlr.DRLearner(mtlr.Trees(trees=100000), effect_model=mtlr.Trees(trees=100000))"


def predict_in_child(learner, X, results):
    results.put(learner.predict(X))
    results.put(learner.fit(X, X[:, 0], (X[:, 1] > 0)).predict(X))


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_children_predict_and_fit_the_same(method, fitted, data):
    context = multiprocessing.get_context(method)
    results = context.Queue()
    child = context.Process(target=predict_in_child, args=(fitted, data.X, results))
    child.start()
    first, second = results.get(timeout=60), results.get(timeout=60)
    child.join(60)
    assert child.exitcode == 0
    np.testing.assert_array_equal(first, fitted.predict(data.X))
    np.testing.assert_array_equal(second, linear().fit(data.X, data.X[:, 0], data.X[:, 1] > 0).predict(data.X))


def test_threads_predict_and_fit_at_once(fitted):
    rows = draw(2000)
    expected = fitted.predict(rows.X)
    with ThreadPoolExecutor(8) as pool:
        for found in pool.map(lambda _: fitted.predict(rows.X), range(32)):
            np.testing.assert_array_equal(found, expected)
        models = list(pool.map(lambda _: linear().fit(rows.X, rows.y, rows.w)._model.to_bytes(), range(4)))
    assert len(set(models)) == 1


def test_an_interrupt_stops_a_fit_long_before_it_ends():
    data = draw(20000)
    times = []

    def interrupt():
        time.sleep(1)
        times.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        eval(LONG).fit(data.X, data.y, data.w)
    # (Half a second on a machine that does nothing else; the fit takes minutes.)
    assert time.monotonic() - times[0] < 10


def test_an_interrupt_is_not_lost_with_a_progress_function():
    program = f"""
import os, signal, threading, time, numpy as np, libmetalearners as mtlr
X = np.random.default_rng(0).normal(size=(20000, 3))
threading.Timer(1, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
try:
    {LONG}.fit(X, X[:, 0], X[:, 1] > 0, progress=lambda *stage: None)
except KeyboardInterrupt:
    print("interrupted")
"""
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert told.stdout == "interrupted\n" and told.returncode == 0, told.stderr


def test_what_other_handlers_of_signals_raise_is_not_lost():
    data = draw(20000)

    def raised(number, frame):
        raise TimeoutError("late")

    before = signal.signal(signal.SIGALRM, raised)
    try:
        signal.setitimer(signal.ITIMER_REAL, 1)
        with pytest.raises(TimeoutError, match="late"):
            eval(LONG).fit(data.X, data.y, data.w)
        assert signal.getsignal(signal.SIGALRM) is raised
    finally:
        signal.signal(signal.SIGALRM, before)


def test_a_call_leaves_nothing_to_the_garbage_collector():
    data = draw(200)
    X = data.X.copy()
    gone = weakref.finalize(X, lambda: None)
    gc.collect()
    gc.disable()
    try:
        linear().fit(X, data.y, data.w)
        del X
        assert not gone.alive
    finally:
        gc.enable()


def test_a_progress_function_may_cancel_and_fail(data):
    with pytest.raises(mtlr.errors.CancelledError):
        linear().fit(data.X, data.y, data.w, progress=lambda *stage: False)

    def fails(*stage):
        raise LookupError("of the function")

    with pytest.raises(LookupError, match="of the function"):
        linear().fit(data.X, data.y, data.w, progress=fails)
    assert linear().fit(data.X, data.y, data.w, progress=True).predict(data.X).shape == (400,)


@pytest.mark.parametrize("daemon", [True, False])
def test_the_interpreter_may_end_during_a_fit(daemon):
    program = f"""
import threading, time, numpy as np, libmetalearners as mtlr
X = np.random.default_rng(0).normal(size=(20000, 3))
learner = {LONG if daemon else "mtlr.TLearner(mtlr.Ridge())"}
told = []
work = lambda: learner.fit(X, X[:, 0], X[:, 1] > 0, progress=lambda *stage: told.append(stage) if told is not None else None)
threading.Thread(target=work, daemon={daemon}).start()
time.sleep(1)
"""
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert told.returncode == 0, told.stderr
