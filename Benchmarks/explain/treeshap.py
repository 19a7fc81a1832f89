"""Times SHAP values of an effect made of XGBoost's trees: ours, and `pred_contribs` of XGBoost, of the same trees in the same run.

usage: METALEARNERS_LIBRARY=.../libmetalearners.so PYTHONPATH=bindings/python/src python3 Benchmarks/explain/treeshap.py
"""

import argparse
import statistics
import struct
import time

import numpy as np
import xgboost

import libmetalearners as mtlr


def booster_of(learner):
    """The trees of the learner's effect model, as XGBoost itself wrote them into the model file."""
    data = learner._fitted.to_bytes()
    at = 0
    found = []
    while (at := data.find(b"learner", at)) >= 0:
        # What XGBoost saves is a mapping with the key "learner", and stands behind its length.
        for begin in (at - 2, at - 10):
            if begin >= 8 and data[begin : begin + 1] == b"{":
                length = struct.unpack("<Q", data[begin - 8 : begin])[0]
                if 0 < length <= len(data) - begin:
                    try:
                        booster = xgboost.Booster()
                        booster.load_model(bytearray(data[begin : begin + length]))
                        found.append(booster)
                    except xgboost.core.XGBoostError:
                        pass
        at += 1
    return found[-1]  # Effect models come last, and the one of all rows behind those of folds.


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--columns", type=int, default=20)
    parser.add_argument("--trees", type=int, default=100)
    parser.add_argument("--leaves", type=int, default=31)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    asked = parser.parse_args()
    random = np.random.default_rng(1)
    X = random.normal(size=(asked.rows, asked.columns))
    w = random.integers(0, 2, asked.rows)
    y = X[:, 0] + w * (np.sin(X[:, 1]) + X[:, 2] * X[:, 3] + np.abs(X[:, 4:8]).sum(axis=1)) + random.normal(size=asked.rows)
    effect = mtlr.XGBoost(trees=asked.trees, max_leaves=asked.leaves, max_depth=0, learning_rate=0.1, growth="leaf_wise")
    learner = mtlr.DRLearner(mtlr.Ridge(), mtlr.Constant(), effect, folds=2, threads=asked.threads, spec={"prediction": "full"})
    learner.fit(X, y, w)
    booster = booster_of(learner)
    booster.set_param({"nthread": asked.threads})
    dump = booster.get_dump()
    leaves = [tree.count("leaf=") for tree in dump]
    print(f"{len(dump)} trees, {statistics.mean(leaves):.1f} leaves on average, {max(leaves)} at most; {asked.rows} rows, {asked.columns} columns, {asked.threads} threads; XGBoost {xgboost.__version__}")

    single = X.astype(np.float32)
    ours, theirs, predicted = [], [], []
    for run in range(asked.runs + 1):
        start = time.perf_counter()
        explanation = learner.explain(X, method="path_dependent", background=X[:100])
        middle = time.perf_counter()
        matrix = xgboost.DMatrix(single, nthread=asked.threads)
        made = time.perf_counter()
        contributions = booster.predict(matrix, pred_contribs=True)
        end = time.perf_counter()
        learner.predict(X)
        last = time.perf_counter()
        if run:  # The first run warms up.
            ours.append(middle - start)
            theirs.append(end - made)
            predicted.append(last - end)
    # Ours are in units of the outcome, XGBoost's in units that it was given.
    scale = np.abs(explanation.values).max() / np.abs(contributions[:, :-1]).max()
    difference = np.abs(explanation.values - scale * contributions[:, :-1]).max()
    size = np.abs(explanation.values).max()
    print(f"largest difference {difference:.1e}, of values up to {size:.2f}; largest gap {np.abs(explanation.values.sum(1) + explanation.base_values - explanation.effects).max():.1e}")
    print(f"ours      {statistics.median(ours):8.3f} s   (min {min(ours):.3f}, max {max(ours):.3f}), of which predicting {statistics.median(predicted):.3f} s")
    print(f"xgboost   {statistics.median(theirs):8.3f} s   (min {min(theirs):.3f}, max {max(theirs):.3f}), without making its matrix")
    print(f"ratio     {statistics.median(ours) / statistics.median(theirs):8.4f}")


if __name__ == "__main__":
    main()
