"""How often analyses of training rows find differences between effects where there are none.

    python3 run.py [--learners "dr ridge,x ridge,…"] [--trials 100] [--rows 500]

Trials with the effect 0.3 for everybody; every learner is fitted with five folds, and its out-of-fold effects are judged on its own training rows. A
line for each learner: in how many of 100 trials an answer at 5 % says that effects differ as estimated ("+"), or that they are upside down ("−"), where
2.5 of each are due; and the two-sided test of `homogeneity_test`, where 5 are. `calibration_test` is one-sided: 5 are due.
Needs: the package libmetalearners.
"""
import argparse
import collections
import warnings

import numpy as np

import libmetalearners as mtlr

warnings.filterwarnings("ignore")
LEARNERS = {
    "dr ridge": lambda: mtlr.DRLearner("ridge", "logistic", "ridge", threads=1),
    "r ridge": lambda: mtlr.RLearner("ridge", "logistic", "ridge", threads=1),
    "t ridge": lambda: mtlr.TLearner("ridge", "logistic", threads=1),
    "x ridge": lambda: mtlr.XLearner("ridge", "logistic", "ridge", threads=1),
    "ra ridge": lambda: mtlr.RALearner("ridge", "logistic", "ridge", threads=1),
    "dr lasso": lambda: mtlr.DRLearner("ridge", "logistic", "lasso", threads=1),
    "dr forest": lambda: mtlr.DRLearner("ridge", "logistic", mtlr.Forest(trees=100), threads=1),
    "dr trees": lambda: mtlr.DRLearner("ridge", "logistic", mtlr.Trees(trees=20), threads=1),
    "dr default": lambda: mtlr.DRLearner(threads=1),
    "x default": lambda: mtlr.XLearner(threads=1),
    "r default": lambda: mtlr.RLearner(threads=1),
    "ensemble": lambda: mtlr.EnsembleLearner("ridge", "logistic", "ridge", members=["t", "x", "r", "dr"], threads=1),
    "auto": lambda: mtlr.AutoLearner(threads=1),
}


def draw(seed, rows):
    random = np.random.default_rng(seed + 1000)
    X = random.normal(size=(rows, 4))
    w = random.integers(0, 2, rows)
    return X, 10 + X[:, 0] + 0.3 * w + random.normal(size=rows), w


def answers(study):
    """The sign of each answer: 1, −1 or 0."""
    def sign(row, key="estimate"):
        return 0 if row["p_value"] is None or row["p_value"] >= 0.05 else 1 if row[key] > 0 else -1

    rate = study.rate()
    yield "rate", sign(next(row for row in rate["rates"] if row["weighting"] == "autoc"))
    yield "gates", sign(study.gates()["differences"][0])
    yield "curves", sign(next(row for row in study.uplift_curves()["areas"] if row["measure"] == "qini"))
    yield "losses", sign(next(row for row in study.losses()["losses"] if row["loss"] == "dr"))
    gains = [row for row in study.policy_value(share=0.3).to_dict()["gains"] if row["over"] == "random" and row["method"] == "dr"]
    yield "policy", sign(gains[0]) if gains else 0
    slope = next(row for row in study.calibration_test()["calibration"] if row["term"] == "differential_prediction")
    yield "calibration", int(slope["p_value"] is not None and slope["p_value"] < 0.05)
    groups = [row for row in study.homogeneity_test()["tests"] if row["test"] == "sorted_groups"]
    yield "homogeneity", int(bool(groups) and groups[0]["p_value"] is not None and groups[0]["p_value"] < 0.05)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--learners", default=",".join(LEARNERS))
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--rows", type=int, default=500)
    options = parser.parse_args()
    names = ["rate", "gates", "curves", "losses", "policy"]
    print("| learner | trials | " + " | ".join(f"{name} + / −" for name in names) + " | calibration | homogeneity |")
    print("|" + "---|" * (len(names) + 4))
    for learner in options.learners.split(","):
        counts = collections.Counter()
        for seed in range(options.trials):
            X, y, w = draw(seed, options.rows)
            for name, sign in answers(LEARNERS[learner]().fit(X, y, w).study()):
                counts[name, sign] += 1
        share = {key: f"{100 * count / options.trials:.3g}" for key, count in counts.items()}
        cells = [f"{share.get((name, 1), 0)} / {share.get((name, -1), 0)}" for name in names]
        print(f"| {learner} | {options.trials} | " + " | ".join([*cells, str(share.get(("calibration", 1), 0)), str(share.get(("homogeneity", 1), 0))]) + " |", flush=True)


if __name__ == "__main__":
    main()
