"""From a frame of pandas to effects: an R-learner with five folds beside EconML with LightGBM.

    METALEARNERS_LIBRARY=…/libmetalearners.so PYTHONPATH=bindings/python/src python3 Benchmarks/python/end_to_end.py [ROWS] [REPEATS] [THREADS]

It needs pandas, EconML and LightGBM. Both libraries fit boosted trees of the same size (200 rounds of 8 leaves at a rate of 0.05 for outcome and
propensity, 200 of 4 leaves for the effect) by five folds, on two threads by default, and predict all rows. Every fit is a process of its own, so that its largest memory
(the peak of its resident set) is its own; the two take turns. Time is that of fit and predict, from a frame that is in memory; on a machine that does other
work as well, look at the processor's time of one thread. The error is the root of the
mean square of estimated less true effects (PEHE).
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

SIZE = dict(trees=200, rate=0.05, leaves=8, effect_leaves=4, min_leaf=20, threads=int(os.environ.get("END_TO_END_THREADS", 2)), folds=5)


def draw(rows, folder):
    random = np.random.default_rng(0)
    X = random.normal(size=(rows, 20))
    share = 1 / (1 + np.exp(-0.8 * X[:, 0] + 0.4 * X[:, 1]))
    w = (random.random(rows) < share).astype(np.int64)
    effect = 1 + np.tanh(X[:, 2]) + 0.5 * (X[:, 3] > 0)
    y = X[:, 0] + np.sin(2 * X[:, 4]) + 0.5 * X[:, 5] * X[:, 6] + w * effect + random.normal(size=rows)
    for name, values in {"X": X, "w": w, "y": y, "effect": effect}.items():
        np.save(folder / f"{name}.npy", values)


def ours(frame, y, w):
    import libmetalearners as mtlr

    common = dict(trees=SIZE["trees"], learning_rate=SIZE["rate"], min_leaf_size=SIZE["min_leaf"])
    nuisance, effect = mtlr.Trees(max_leaves=SIZE["leaves"], **common), mtlr.Trees(max_leaves=SIZE["effect_leaves"], **common)
    learner = mtlr.RLearner(nuisance, nuisance, effect, folds=SIZE["folds"], threads=SIZE["threads"], average_effects=False)
    return learner.fit(frame, y, w).predict(frame)


def theirs(frame, y, w):
    from econml.dml import NonParamDML
    from lightgbm import LGBMClassifier, LGBMRegressor

    common = dict(
        n_estimators=SIZE["trees"], learning_rate=SIZE["rate"], min_child_samples=SIZE["min_leaf"], n_jobs=SIZE["threads"], verbose=-1, random_state=1
    )
    learner = NonParamDML(
        model_y=LGBMRegressor(num_leaves=SIZE["leaves"], **common), model_t=LGBMClassifier(num_leaves=SIZE["leaves"], **common),
        model_final=LGBMRegressor(num_leaves=SIZE["effect_leaves"], **common), discrete_treatment=True, cv=SIZE["folds"], random_state=1,
    )  # fmt: skip
    return learner.fit(y, w, X=frame).effect(frame).ravel()


def one(name, folder):
    import pandas as pd

    frame = pd.DataFrame(np.load(folder / "X.npy"), columns=[f"x{place}" for place in range(20)])
    y, w = np.load(folder / "y.npy"), np.load(folder / "w.npy")
    # What the program is before it does anything: imports and data.
    if name == "ours":
        import libmetalearners  # noqa: F401
    else:
        import econml.dml  # noqa: F401
        import lightgbm  # noqa: F401
    before = resource.getrusage(resource.RUSAGE_SELF)
    start = time.monotonic()
    effects = {"ours": ours, "theirs": theirs}[name](frame, y, w)
    seconds = time.monotonic() - start
    used = resource.getrusage(resource.RUSAGE_SELF)
    spent = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
    error = float(np.sqrt(np.mean((effects - np.load(folder / "effect.npy")) ** 2)))
    print(json.dumps({"seconds": seconds, "processor": spent, "peak": used.ru_maxrss / 1024, "before": before.ru_maxrss / 1024, "error": error}))


def main():
    if sys.argv[1:2] == ["--one"]:
        return one(sys.argv[2], Path(sys.argv[3]))
    os.environ["END_TO_END_THREADS"] = sys.argv[3] if len(sys.argv) > 3 else "2"
    rows, repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000, int(sys.argv[2]) if len(sys.argv) > 2 else 3
    with tempfile.TemporaryDirectory() as folder:
        draw(rows, Path(folder))
        found = {"ours": [], "theirs": []}
        for _ in range(repeats):
            for name in found:
                told = subprocess.run([sys.executable, "-W", "ignore", __file__, "--one", name, folder], check=True, capture_output=True, text=True)
                found[name].append(json.loads(told.stdout.splitlines()[-1]))
                print(name, found[name][-1], file=sys.stderr, flush=True)
    print(f"| {rows:,} × 20, R-learner, {SIZE['folds']} folds, {os.environ['END_TO_END_THREADS']} threads | seconds | processor seconds | peak, MiB | beyond data and imports, MiB | error (PEHE) |\n|---|---|---|---|---|---|")
    medians = {}
    for name, title in (("theirs", "EconML (`NonParamDML`) with LightGBM"), ("ours", "libmetalearners (`RLearner` with `Trees`)")):
        middle = {key: statistics.median(run[key] for run in found[name]) for key in found[name][0]}
        medians[name] = middle
        print(f"| {title} | {middle['seconds']:.1f} | {middle['processor']:.1f} | {middle['peak']:,.0f} | {middle['peak'] - middle['before']:,.0f} | {middle['error']:.4f} |")
    own, other = medians["ours"], medians["theirs"]
    print(
        f"| ratio | {own['seconds'] / other['seconds']:.2f} | {own['processor'] / other['processor']:.2f} | {own['peak'] / other['peak']:.2f} |"
        f" {(own['peak'] - own['before']) / (other['peak'] - other['before']):.2f} | {own['error'] / other['error']:.2f} |"
    )


if __name__ == "__main__":
    main()
