"""What the Python package costs over the C calls that it makes, and how long an interrupt takes to act.

    METALEARNERS_LIBRARY=…/libmetalearners.so PYTHONPATH=bindings/python/src python3 Benchmarks/python/overhead.py [ROWS]

Import: the processor time of `import libmetalearners` beyond that of NumPy, in processes of their own. Fit and predict: the time of a call of the package
less the time that it spent inside the library, which a wrapper around each C function measures. A single row: the row predictor, the table of one
row. Interrupts: SIGINT half a second after the beginning of a fit, and the time until KeyboardInterrupt is there, with a progress function.
"""

import os
import resource
import signal
import statistics
import subprocess
import sys
import threading
import time

import numpy as np

import libmetalearners as mtlr
from libmetalearners import _library


def imports():
    def seconds(program):
        times = []
        for _ in range(11):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run([sys.executable, "-c", program], check=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        return statistics.median(times)

    return 1e3 * (seconds("import numpy, libmetalearners") - seconds("import numpy"))


class Watch:
    """Adds up the time within C functions."""

    def __init__(self, names):
        self.total = 0.0
        for name in names:
            setattr(_library.lib, name, self.wrap(getattr(_library.lib, name)))

    def wrap(self, function):
        def call(*arguments):
            start = time.perf_counter()
            try:
                return function(*arguments)
            finally:
                self.total += time.perf_counter() - start

        call.argtypes = getattr(function, "argtypes", None)
        return call


def overhead(watch, call, times):
    shares, costs = [], []
    for _ in range(times):
        watch.total = 0.0
        start = time.perf_counter()
        call()
        whole = time.perf_counter() - start
        shares.append((whole - watch.total) / watch.total)
        costs.append(1e3 * whole)
    return statistics.median(shares), statistics.median(costs)


def row_times(learner, X):
    predictor = learner.row_predictor()
    row, listed = X[0].copy(), X[0].tolist()

    def microseconds(call, count):
        best = []
        for _ in range(9):
            start = time.process_time()
            for _ in range(count):
                call()
            best.append((time.process_time() - start) / count)
        return 1e6 * statistics.median(best)

    return (
        microseconds(lambda: predictor(row), 5000),
        microseconds(lambda: predictor(listed), 5000),
        microseconds(lambda: learner.predict(X[:1]), 300),
    )


def interrupts(rows):
    random = np.random.default_rng(0)
    X = random.normal(size=(rows, 20))
    w, y = random.integers(0, 2, rows), X[:, 0] + random.normal(size=rows)
    trees, forest, ridge = mtlr.Trees(trees=2000), mtlr.Forest(trees=2000), mtlr.Ridge(expansion="splines_interactions")
    lasso, logistic = mtlr.Lasso(expansion="splines_interactions"), mtlr.Logistic(expansion="splines_interactions")
    learners = {
        "t, trees": mtlr.TLearner(trees), "x, trees": mtlr.XLearner(trees, effect_model=trees), "dr, forest": mtlr.DRLearner(forest, effect_model=forest),
        "r, ridge": mtlr.RLearner(ridge, logistic, ridge), "dr, lasso": mtlr.DRLearner(lasso, logistic, lasso), "auto": mtlr.AutoLearner(),
        "t, trees, bootstrap": mtlr.TLearner(mtlr.Trees(trees=200), interval_method="bootstrap"),
    }  # fmt: skip
    for name, learner in learners.items():
        times, outcome = [], []
        for delay in (0.3, 1.0, 2.5, 4.0):
            sent = []

            def interrupt():
                sent.append(time.monotonic())
                os.kill(os.getpid(), signal.SIGINT)

            timer = threading.Timer(delay, interrupt)
            timer.start()
            try:
                learner.fit(X, y, w, progress=lambda *stage: None)
                timer.cancel()
                outcome.append("done before")
                timer.join()
            except KeyboardInterrupt:
                times.append(time.monotonic() - sent[0])
        print(f"| {name} | {', '.join(f'{1e3 * one:.0f}' for one in times)} | {'; '.join(outcome)} |", flush=True)


def main():
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    print(f"import beyond NumPy's: {imports():.0f} ms")
    random = np.random.default_rng(0)
    X = random.normal(size=(10_000, 20))
    w, y = random.integers(0, 2, 10_000), X[:, 0] + random.normal(size=10_000)
    learner = mtlr.DRLearner(mtlr.Ridge(), mtlr.Logistic(), mtlr.Ridge())
    learner.fit(X, y, w)
    print("| row predictor, array, µs | list, µs | predict of one row, µs |\n|---|---|---|")
    print("| " + " | ".join(f"{one:.1f}" for one in row_times(learner, X)) + " |")
    watch = Watch(["mtlr_dataset_create", "mtlr_model_fit", "mtlr_model_predict"])
    print("| 10,000 × 20 | over the C calls | whole, ms |\n|---|---|---|")
    for name, call, times in (("fit", lambda: learner.fit(X, y, w), 15), ("predict", lambda: learner.predict(X), 50)):
        share, cost = overhead(watch, call, times)
        print(f"| {name} | {100 * share:.1f} % | {cost:.2f} |")
    print(f"| learner, {rows} × 20 | SIGINT to KeyboardInterrupt, ms | |\n|---|---|---|")
    interrupts(rows)


if __name__ == "__main__":
    main()
