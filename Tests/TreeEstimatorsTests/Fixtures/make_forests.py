"""Makes forests.json: test errors of scikit-learn's random forests and extremely randomised trees.

Data: regression (Friedman 1991) and three classes, 600 rows to learn from and 1,000 to test. 100 trees, 5 rows a
leaf, a third of the columns a node in regression and their square root in classification.
"""
import json
import pathlib

import numpy as np
from sklearn.ensemble import (
    ExtraTreesClassifier, ExtraTreesRegressor, RandomForestClassifier, RandomForestRegressor)
from sklearn.metrics import log_loss

rng = np.random.default_rng(31)
TRAIN, TEST = 600, 1000
n = TRAIN + TEST
X = np.round(rng.uniform(size=(n, 6)), 4)
friedman = (
    10 * np.sin(np.pi * X[:, 0] * X[:, 1]) + 20 * (X[:, 2] - 0.5) ** 2 + 10 * X[:, 3] + 5 * X[:, 4]
)
y = np.round(friedman + rng.normal(size=n), 4)
classes = np.digitize(friedman + 2 * rng.normal(size=n), [11, 17])
common = dict(n_estimators=100, min_samples_leaf=5, random_state=1)
a, b = slice(0, TRAIN), slice(TRAIN, n)

losses = {}
for name, model in [("bagged", RandomForestRegressor), ("extra_random", ExtraTreesRegressor)]:
    fit = model(max_features=1 / 3, **common).fit(X[a], y[a])
    losses["regression " + name] = float(np.mean((fit.predict(X[b]) - y[b]) ** 2))
for name, model in [("bagged", RandomForestClassifier), ("extra_random", ExtraTreesClassifier)]:
    fit = model(max_features="sqrt", **common).fit(X[a], classes[a])
    losses["multiclass " + name] = float(log_loss(classes[b], fit.predict_proba(X[b])))

data = {
    "columns": X.T.tolist(), "training_rows": TRAIN, "regression": y.tolist(),
    "multiclass": classes.tolist(), "losses": {key: float(f"{value:.6g}") for key, value in losses.items()},
}
path = pathlib.Path(__file__).with_name("forests.json")
path.write_text(json.dumps(data, separators=(",", ":")) + "\n")
print(losses)
