"""Writes xgboost_reference.json: predictions of the Python package for the backend's tests.

Run with the xgboost package (made with 3.2.0), numpy: python make_xgboost_reference.py

What the backend does by itself is written out here: targets centred, boosting of classes started from the log shares
(base_margin), and min_leaf_size turned into min_child_weight, less a little, so that rounding does not count.
"""

import json
from pathlib import Path

import numpy as np
import xgboost as xgb

ROWS = 240
ROUNDS = 40
rng = np.random.default_rng(20240611)
# Numbers of few digits, so that the file is small and the same in every reader.
x = np.round(rng.normal(size=(ROWS, 4)), 3)
x[rng.uniform(size=x.shape) < 0.05] = np.nan
group = rng.integers(0, 5, size=ROWS).astype(float)
group[::17] = np.nan
filled = np.nan_to_num(x)
effect = np.array([0.0, 2.0, -1.0, 1.0, -2.0])[np.nan_to_num(group).astype(int)]
signal = filled[:, 0] + np.sin(2 * filled[:, 1]) + 0.5 * effect
y = np.round(signal + 0.5 * rng.normal(size=ROWS), 3)
binary = (signal + rng.normal(size=ROWS) > 0).astype(float)
several = np.digitize(signal + 0.5 * rng.normal(size=ROWS), [-0.7, 0.7]).astype(float)
weights = np.round(rng.uniform(0.2, 2, size=ROWS), 3)
regressor = np.round(rng.uniform(-1, 1, size=ROWS), 3)
features = np.column_stack([x, group])


SLACK = 1 - 2.0**-16


def numbers(values):
    return [None if np.isnan(v) else float(v) for v in np.asarray(values, dtype=float).ravel()]


def train(label, parameters, *, categorical=False, margin=None, weight=None, custom=None):
    columns = features if categorical else x
    types = ["float"] * 4 + (["c"] if categorical else [])
    matrix = xgb.QuantileDMatrix(
        columns, label, weight=weight, base_margin=margin, max_bin=parameters.get("max_bin", 255),
        feature_types=types, enable_categorical=True)
    full = {"tree_method": "hist", "base_score": 0.5, "nthread": 1, "eta": 0.05, "max_leaves": 8, "max_depth": 0,
            "grow_policy": "lossguide", "lambda": 1.0, "max_bin": 255, **parameters}
    booster = xgb.train(full, matrix, ROUNDS, obj=custom)
    return booster.predict(
        xgb.DMatrix(columns, base_margin=margin, feature_types=types, enable_categorical=True),
        output_margin=custom is not None)


cases = []


def add(name, objective, target, parameters, expected, **extra):
    cases.append({"name": name, "objective": objective, "target": target, "parameters": parameters,
                  "expected": numbers(expected), **extra})


def regression(name, ours, theirs, *, categorical=False, weight=None):
    mean = np.average(y, weights=weight)
    full = np.ones(ROWS) if weight is None else weight
    leaf = {"min_child_weight": SLACK * ours.get("min_leaf_size", 20) * full.mean()}
    margin = np.zeros(ROWS)
    fitted = mean + train(y - mean, {"objective": "reg:squarederror", **leaf, **theirs},
                          categorical=categorical, weight=weight, margin=margin)
    add(name, "regression", "y", ours, fitted, categorical=categorical, weighted=weight is not None)


regression("default", {}, {})
regression("weights", {}, {}, weight=weights)
regression("categories", {"min_leaf_size": 5}, {}, categorical=True)
regression("one_hot", {"min_leaf_size": 5, "engine": {"max_cat_to_onehot": 16}}, {"max_cat_to_onehot": 16},
           categorical=True)
regression("depth", {"max_depth": 3, "max_leaves": 0, "growth": "depth_wise", "learning_rate": 0.3},
           {"max_depth": 3, "max_leaves": 0, "grow_policy": "depthwise", "eta": 0.3})
regression("penalties", {"l1": 3.0, "l2": 4.0, "min_split_gain": 2.5}, {"alpha": 3.0, "lambda": 4.0, "gamma": 2.5})
regression("step", {"engine": {"max_delta_step": 0.25}}, {"max_delta_step": 0.25})
regression("bins", {"max_bins": 8, "min_leaf_size": 2}, {"max_bin": 8})

share = binary.mean()
margin = np.full(ROWS, np.log(share / (1 - share)))
add("binary", "binary", "binary", {"min_leaf_size": 5},
    train(binary, {"objective": "binary:logistic", "min_child_weight": SLACK * 5 * share * (1 - share)}, margin=margin))

shares = np.bincount(several.astype(int)) / ROWS
margin = np.tile(np.log(shares), (ROWS, 1))
add("several", "several", "several", {"min_leaf_size": 5},
    train(several, {"objective": "multi:softprob", "num_class": 3,
                    "min_child_weight": SLACK * 5 * np.mean(2 * shares * (1 - shares))}, margin=margin))

level = np.sum(weights * regressor * y) / np.sum(weights * regressor**2)


def residual_loss(margins, _):
    gradient = weights * regressor * (regressor * margins - (y - regressor * level))
    return gradient, weights * regressor**2


add("residual", "residual", "y", {"min_leaf_size": 5},
    level + train(y, {"objective": "reg:squarederror", "min_child_weight": SLACK * 5 * np.mean(weights * regressor**2)},
                  margin=np.zeros(ROWS), custom=residual_loss), weighted=True)

document = {
    "made_with": xgb.__version__, "rounds": ROUNDS, "columns": [numbers(c) for c in x.T], "group": numbers(group),
    "y": numbers(y), "binary": numbers(binary), "several": numbers(several), "weights": numbers(weights),
    "regressor": numbers(regressor), "cases": cases,
}
(Path(__file__).parent / "xgboost_reference.json").write_text(json.dumps(document) + "\n")
