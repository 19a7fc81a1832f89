"""Makes objectives.json: test losses that other libraries reach with monotone directions, counts and quantiles.

Data: six columns, one of them 12 categories in codes, one with missing values. Each task is fitted by XGBoost (hist,
lossguide), LightGBM and scikit-learn's HistGradientBoosting with the same parameters: 60 trees of 8 leaves, learning
rate 0.1, 20 rows a leaf, l2 1. Losses are on 1,000 rows that nobody was fitted to: squared error and deviance with
predictions rising with x0 and falling with x1; the Poisson deviance, weighted and not; the pinball loss at 0.1, 0.5, 0.9.
Nobody is told that the codes are categories.
"""
import json
import pathlib

import lightgbm
import numpy as np
import xgboost
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import log_loss, mean_pinball_loss, mean_poisson_deviance

rng = np.random.default_rng(31)
TRAIN, TEST = 1000, 1000
n = TRAIN + TEST
ROUNDS, RATE = 60, 0.1
X = np.round(rng.uniform(size=(n, 6)), 4)
X[:, 5] = rng.integers(12, size=n)
signal = 2 * X[:, 0] ** 2 - 1.5 * np.sqrt(X[:, 1]) + np.sin(5 * X[:, 2]) + (X[:, 5] % 3 == 0)
y = np.round(signal + rng.normal(size=n), 4)
binary = (rng.uniform(size=n) < 1 / (1 + np.exp(-2 * signal))).astype(int)
count = rng.poisson(np.exp(0.3 + 0.6 * signal))
skewed = np.round(signal + (0.3 + X[:, 3]) * rng.standard_exponential(size=n), 4)
weights = np.round(rng.uniform(0.2, 3, size=n), 4)
X[rng.uniform(size=n) < 0.1, 2] = np.nan
a, b = slice(0, TRAIN), slice(TRAIN, n)
DIRECTIONS = [1, -1, 0, 0, 0, 0]


def rounded(value):
    return float(f"{value:.6g}")


def fit(xgb, lgb, sk, target, loss, weight=None):
    """The loss of each peer; `xgb`, `lgb` and `sk` are its own parameters."""
    w = None if weight is None else weight[a]
    booster = xgboost.train(
        dict(tree_method="hist", grow_policy="lossguide", max_leaves=8, max_depth=0, eta=RATE, reg_lambda=1,
             min_child_weight=0, max_delta_step=0, max_bin=255, nthread=1, **xgb),
        xgboost.DMatrix(X[a], target[a], weight=w), ROUNDS)
    light = lightgbm.train(
        dict(num_leaves=8, learning_rate=RATE, min_data_in_leaf=20, lambda_l2=1, min_sum_hessian_in_leaf=0,
             max_bin=255, verbose=-1, num_threads=1, **lgb),
        lightgbm.Dataset(X[a], target[a], weight=w), ROUNDS)
    model = HistGradientBoostingClassifier if "reg" not in sk else HistGradientBoostingRegressor
    sk = {key: value for key, value in sk.items() if key != "reg"}
    forest = model(max_iter=ROUNDS, max_leaf_nodes=8, learning_rate=RATE, min_samples_leaf=20,
                   l2_regularization=1, early_stopping=False, **sk).fit(X[a], target[a], w)
    last = forest.predict_proba(X[b])[:, 1] if model is HistGradientBoostingClassifier else forest.predict(X[b])
    fitted = [booster.predict(xgboost.DMatrix(X[b])), light.predict(X[b]), last]
    test = None if weight is None else weight[b]
    return dict(zip(["xgboost", "lightgbm", "scikit-learn"],
                    [rounded(loss(target[b], p, sample_weight=test)) for p in fitted]))


def square(target, fitted, sample_weight=None):
    return np.average((target - fitted) ** 2, weights=sample_weight)


def bound(objective):
    return (dict(objective=objective[0], monotone_constraints="(" + ",".join(map(str, DIRECTIONS)) + ")"),
            dict(objective=objective[1], monotone_constraints=DIRECTIONS))


tasks = {
    "monotone": (y, fit(*bound(("reg:squarederror", "regression")), dict(reg=1, monotonic_cst=DIRECTIONS), y, square)),
    "monotone binary": (binary, fit(*bound(("binary:logistic", "binary")), dict(monotonic_cst=DIRECTIONS), binary,
                                    log_loss)),
    "count": (count, fit(dict(objective="count:poisson"), dict(objective="poisson"), dict(reg=1, loss="poisson"),
                         count, mean_poisson_deviance)),
    "weighted count": (count, fit(dict(objective="count:poisson"), dict(objective="poisson"),
                                  dict(reg=1, loss="poisson"), count, mean_poisson_deviance, weights)),
}
for level in [0.1, 0.5, 0.9]:
    def pinball(target, fitted, sample_weight=None, level=level):
        return mean_pinball_loss(target, fitted, sample_weight=sample_weight, alpha=level)

    tasks[f"quantile {level}"] = (
        skewed, fit(dict(objective="reg:quantileerror", quantile_alpha=level), dict(objective="quantile", alpha=level),
                    dict(reg=1, loss="quantile", quantile=level), skewed, pinball))
data = {
    "columns": [[None if np.isnan(v) else v for v in column] for column in X.T.tolist()],
    "weights": weights.tolist(),
    "training_rows": TRAIN,
    "tasks": {name: {"target": target.tolist(), "losses": losses} for name, (target, losses) in tasks.items()},
}
path = pathlib.Path(__file__).with_name("objectives.json")
path.write_text(json.dumps(data, separators=(",", ":")) + "\n")
print({name: losses for name, (_, losses) in tasks.items()})
