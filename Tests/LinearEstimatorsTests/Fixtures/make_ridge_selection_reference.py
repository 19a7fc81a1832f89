"""Makes ridge_selection_reference.json: predictions of ridge regression with a penalty chosen by the data.

    python make_ridge_selection_reference.py    (scikit-learn 1.5 or later)

Leave-one-out is scikit-learn's RidgeCV on the same penalties. Generalised cross-validation is computed from the hat
matrix. Rows beyond those named in `rows` are new to the model.
"""

import json
import pathlib

import numpy as np
from sklearn.linear_model import Ridge, RidgeCV
from sklearn.preprocessing import StandardScaler

cases = []


def prepare(x, rows, weights):
    w = np.ones(len(rows)) if weights is None else weights[rows]
    z = StandardScaler().fit(x[rows], sample_weight=w).transform(x)
    rooted = np.sqrt(w)[:, None] * z[rows]
    largest = 100 * np.linalg.eigvalsh(rooted.T @ rooted).max()
    return z, w, rooted, largest * 1e-8 ** (np.arange(100) / 99)


def generalised(x, y, rows, weights):
    z, w, rooted, grid = prepare(x, rows, weights)
    mean = np.average(y[rows], weights=w)
    response = np.sqrt(w) * (y[rows] - mean)
    n = len(rows)
    scores = []
    for penalty in grid:
        hat = rooted @ np.linalg.solve(rooted.T @ rooted + penalty * np.eye(rooted.shape[1]), rooted.T)
        hat += np.outer(np.sqrt(w), np.sqrt(w)) / w.sum()
        scores.append(n * np.sum((response - hat @ response) ** 2) / (n - np.trace(hat)) ** 2)
    return fit(z, y, rows, w, grid[np.argmin(scores)])


def left_out(x, y, rows, weights):
    z, w, _, grid = prepare(x, rows, weights)
    model = RidgeCV(alphas=grid).fit(z[rows], y[rows], sample_weight=None if weights is None else w)
    return fit(z, y, rows, w, model.alpha_)


def fit(z, y, rows, w, penalty):
    assert penalty > 0
    return Ridge(alpha=penalty, solver="svd").fit(z[rows], y[rows], sample_weight=w).predict(z)


def add(name, x, rows, y, weights=None, target=None, regressor=None):
    importance = weights if regressor is None else weights * regressor**2
    for selection, function in (("gcv", generalised), ("loo", left_out)):
        cases.append({
            "name": f"ridge, {selection}, {name}", "backend": "ridge", "parameters": {"selection": selection},
            "columns": [{"name": f"x{j}", "values": x[:, j].tolist()} for j in range(x.shape[1])],
            "rows": rows.tolist(), "target": (y if target is None else target).tolist(),
            "weights": None if weights is None else weights.tolist(),
            "regressor": None if regressor is None else regressor.tolist(),
            "classes": 0, "expected": function(x, y, rows, importance).tolist(),
        })


random = np.random.default_rng(20240611)
x = np.round(random.normal(size=(44, 10)) * 5 + 3, 4)
x[:, 7] = np.round(x[:, 0] + 0.1 * x[:, 7], 4)
y = np.round(0.3 * x[:, 0] - 0.2 * x[:, 1] + 2 * random.normal(size=44), 4)
w = np.round(random.uniform(0.2, 3, size=44), 4)
r = np.round(random.normal(size=44), 4)
rows = np.arange(40)
add("plain", x, rows, y)
add("weighted", x, rows, y, w)
t = np.round(r * y, 4)
add("residual loss", x, rows, t / r, w, t, r)
xl = np.round(random.normal(size=(304, 4)), 4)
add("several blocks", xl, np.arange(300), np.round(xl[:, 0] + 4 * random.normal(size=304), 4))
xw = np.round(random.normal(size=(24, 30)), 4)
yw = np.round(xw[:, :4].sum(axis=1) + random.normal(size=24), 4)
add("wide", xw, np.arange(20), yw)
add("wide, weighted", xw, np.arange(20), yw, np.round(random.uniform(0.5, 2, size=24), 4))

path = pathlib.Path(__file__).with_name("ridge_selection_reference.json")
path.write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
print(len(cases), "cases")
