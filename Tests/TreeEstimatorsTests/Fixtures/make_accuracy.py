"""Makes accuracy.json: small data sets with the test loss that other libraries reach on them.

Data: regression (Friedman 1991, with a category and missing values), binary and three classes. Each is fitted by
XGBoost (hist, lossguide), LightGBM and scikit-learn's HistGradientBoosting with the same parameters: 60 trees of
8 leaves, learning rate 0.1, 20 rows a leaf, l2 1. Losses are on 1,000 rows that nobody was fitted to.
"""
import json
import pathlib

import lightgbm
import numpy as np
import xgboost
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import log_loss

rng = np.random.default_rng(20)
TRAIN, TEST = 1000, 1000
n = TRAIN + TEST
X = np.round(rng.uniform(size=(n, 5)), 4)
friedman = (
    10 * np.sin(np.pi * X[:, 0] * X[:, 1]) + 20 * (X[:, 2] - 0.5) ** 2 + 10 * X[:, 3] + 5 * X[:, 4]
)
X[rng.uniform(size=n) < 0.1, 2] = np.nan
y = np.round(friedman + rng.normal(size=n), 4)
binary = (rng.uniform(size=n) < 1 / (1 + np.exp(-(friedman - 14) / 3))).astype(int)
classes = np.digitize(friedman + 3 * rng.normal(size=n), [11, 17])


def rounded(value):
    return float(f"{value:.6g}")


def losses(target, kind):
    a, b = slice(0, TRAIN), slice(TRAIN, n)
    K = int(target.max()) + 1
    objectives = {
        "regression": ("reg:squarederror", "regression"),
        "binary": ("binary:logistic", "binary"),
        "multiclass": ("multi:softprob", "multiclass"),
    }[kind]
    extra = {"num_class": K} if kind == "multiclass" else {}
    booster = xgboost.train(
        dict(objective=objectives[0], tree_method="hist", grow_policy="lossguide", max_leaves=8, max_depth=0,
             eta=0.1, reg_lambda=1, min_child_weight=0, max_bin=255, nthread=1, **extra),
        xgboost.DMatrix(X[a], target[a]), 60)
    light = lightgbm.train(
        dict(objective=objectives[1], num_leaves=8, learning_rate=0.1, min_data_in_leaf=20, lambda_l2=1,
             min_sum_hessian_in_leaf=0, max_bin=255, verbose=-1, num_threads=1, **extra),
        lightgbm.Dataset(X[a], target[a]), 60)
    model = HistGradientBoostingRegressor if kind == "regression" else HistGradientBoostingClassifier
    sk = model(max_iter=60, max_leaf_nodes=8, learning_rate=0.1, min_samples_leaf=20, l2_regularization=1,
               early_stopping=False).fit(X[a], target[a])
    if kind == "regression":
        predictions = [booster.predict(xgboost.DMatrix(X[b])), light.predict(X[b]), sk.predict(X[b])]
        return [rounded(np.mean((p - target[b]) ** 2)) for p in predictions]
    predictions = [booster.predict(xgboost.DMatrix(X[b])), light.predict(X[b]), sk.predict_proba(X[b])]
    return [rounded(log_loss(target[b], p)) for p in predictions]


names = ["xgboost", "lightgbm", "scikit-learn"]
tasks = {}
for kind, target in [("regression", y), ("binary", binary), ("multiclass", classes)]:
    tasks[kind] = {"target": target.tolist(), "losses": dict(zip(names, losses(target, kind)))}
data = {
    "columns": [[None if np.isnan(v) else v for v in column] for column in X.T.tolist()],
    "training_rows": TRAIN,
    "tasks": tasks,
}
path = pathlib.Path(__file__).with_name("accuracy.json")
path.write_text(json.dumps(data, separators=(",", ":")) + "\n")
print({kind: task["losses"] for kind, task in tasks.items()})
