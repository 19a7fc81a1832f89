"""The growth-mindset study's grid of 324 candidates by this library and by `metalearners` (PyPI) with LightGBM, in one run.

The R-learner, one train and validation split (a fifth of the rows, the same for both), five folds; outcome trees 25/50/100 x depth
unlimited/5, propensity trees 5/50 x depth unlimited/3/5, effect trees 5/20/50 x depth unlimited/3/5; learning rate 0.1, 31 leaves.

pip install metalearners narwhals "lightgbm<4.6" "scikit-learn<1.6" polars pyarrow pandas
METALEARNERS_LIBRARY=.build-dist/libmetalearners.so.0 PYTHONPATH=bindings/python/src python3 Benchmarks/tuning/compare.py
"""

import argparse
import statistics
import time
import warnings

import numpy as np
import pandas as pd

import libmetalearners as mtlr

warnings.filterwarnings("ignore")
CATEGORIES = ["ethnicity", "gender", "frst_in_family", "school_urbanicity"]


class Clock:
    """Seconds on the wall, and of all threads: on a machine that others use, the second is what counts."""

    def __init__(self):
        self.start = time.perf_counter(), time.process_time()

    def read(self):
        return time.perf_counter() - self.start[0], time.process_time() - self.start[1]


def data(path):
    """Covariates, outcome and arm, and which rows are held out."""
    pupils = pd.read_csv(path).drop(columns="schoolid")
    pupils[CATEGORIES] = pupils[CATEGORIES].astype("category")
    y, w = pupils.pop("achievement_score").to_numpy(), pupils.pop("intervention").to_numpy()
    held = np.random.default_rng(1).random(len(y)) < 0.2
    return pupils, y, w, held


def grid(small):
    """Trees and depths of outcome, propensity and effect; -1 is no limit."""
    if small:
        return ([5, 10], [-1]), ([5], [-1, 3]), ([5, 10], [-1, 3])
    return ([25, 50, 100], [-1, 5]), ([5, 50], [-1, 3, 5]), ([5, 20, 50], [-1, 3, 5])


def ours(X, y, w, held, space, threads):
    def trees(counts, depths):
        return mtlr.Trees(learning_rate=0.1, max_leaves=31, trees=counts, max_depth=[max(depth, 0) for depth in depths])

    outcome, propensity, effect = (trees(*part) for part in space)
    search = mtlr.GridSearch(
        mtlr.RLearner(folds=5, seed=1), outcome=outcome, propensity=propensity, effect=effect, strategy="joint", score="r_loss",
        threads=threads,
    )  # fmt: skip
    clock = Clock()
    search.fit(X[~held], y[~held], w[~held], validation={"X": X[held], "y": y[held], "w": w[held]}, refit=False)
    return clock.read(), search


def peer(X, y, w, held, space, threads):
    from lightgbm import LGBMClassifier, LGBMRegressor
    from metalearners import RLearner
    from metalearners.grid_search import MetaLearnerGridSearch

    def parameters(counts, depths):
        return {"n_estimators": counts, "max_depth": depths, "verbose": [-1], "n_jobs": [threads]}

    outcome, propensity, effect = (parameters(*part) for part in space)
    search = MetaLearnerGridSearch(
        metalearner_factory=RLearner,
        metalearner_params={"is_classification": False, "n_variants": 2, "n_folds": 5},
        base_learner_grid={"outcome_model": [LGBMRegressor], "propensity_model": [LGBMClassifier], "treatment_model": [LGBMRegressor]},
        param_grid={
            "outcome_model": {"LGBMRegressor": outcome},
            "propensity_model": {"LGBMClassifier": propensity},
            "treatment_model": {"LGBMRegressor": effect},
        },
        random_state=1,
        store_raw_results=False,
    )
    clock = Clock()
    search.fit(X[~held], y[~held], w[~held], X[held], y[held], w[held])
    return clock.read(), search


def tables(own, other):
    """The best five of each, and both scores of each setting."""
    keys = ["outcome_trees", "outcome_max_depth", "propensity_trees", "propensity_max_depth", "effect_trees", "effect_max_depth"]
    mine = own.to_frame()
    constant = mine[mine.learner == "constant"].r_loss.iloc[0]
    mine = mine[mine.learner == "r"].set_index(keys)
    theirs = other.results_.reset_index().rename(
        columns={
            "outcome_model_n_estimators": keys[0], "outcome_model_max_depth": keys[1], "propensity_model_n_estimators": keys[2],
            "propensity_model_max_depth": keys[3], "treatment_model_n_estimators": keys[4], "treatment_model_max_depth": keys[5],
        }
    )  # fmt: skip
    for key in keys:
        theirs[key] = theirs[key].clip(lower=0)
    loss = next(name for name in theirs.columns if name.startswith("test_r_loss"))
    theirs = theirs.set_index(keys)
    both = pd.DataFrame({"ours": mine.r_loss.astype(float), "peer": theirs[loss] ** 2})
    print(f"\nOne effect for everybody: {constant:.4f} (ours)\n\nThe best five of ours\n{both.sort_values('ours').head().to_string()}")
    print(f"\nThe best five of the peer\n{both.sort_values('peer').head().to_string()}")
    print(f"\nRank correlation of the two columns: {both.corr('spearman').iloc[0, 1]:.2f} over {len(both)} settings")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--data", default="examples/data/learning_mindset.csv")
    arguments.add_argument("--repeats", type=int, default=3)
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--small", action="store_true", help="a grid of 16, to see that it runs")
    options = arguments.parse_args()
    rows, space = data(options.data), grid(options.small)
    times = {"ours": [], "peer": []}
    for repeat in range(options.repeats):
        for name, run in (("ours", ours), ("peer", peer)) if repeat % 2 == 0 else (("peer", peer), ("ours", ours)):
            seconds, search = run(*rows, space, options.threads)
            times[name].append(seconds)
            print(f"{name}: {seconds[0]:.2f} s, {seconds[1]:.2f} s of all threads", flush=True)
            if name == "ours":
                own = search
            else:
                other = search
    for place, what in enumerate(("on the wall", "of all threads")):
        own_time, peer_time = (statistics.median(found[place] for found in times[name]) for name in ("ours", "peer"))
        print(f"median seconds {what}: ours {own_time:.2f}, peer {peer_time:.2f}, {peer_time / own_time:.0f} times as many")
    print("fits of ours:", own.to_dict()["fits"])
    tables(own, other)


if __name__ == "__main__":
    main()
