"""Makes elastic_net_reference.json: predictions of scikit-learn's lasso and elastic net on small data sets.

    python make_elastic_net_reference.py    (scikit-learn 1.5 or later)

Rows beyond those named in `rows` are new to the model. Where `clusters` are given there are as many as folds, so that
each is one: the cross-validation is then the very one that is done here. Penalties are those of a target of standard
deviation 1: scikit-learn gets the target divided by it.
"""

import json
import pathlib
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ElasticNet, ElasticNetCV
from sklearn.model_selection import PredefinedSplit
from sklearn.preprocessing import StandardScaler

warnings.simplefilter("ignore", ConvergenceWarning)  # The duality gap asked for is below what rounding allows.
cases = []
exact = {"tol": 1e-14, "max_iter": 200_000}


def add(name, backend, x, rows, target, expected, parameters, weights=None, regressor=None, clusters=None):
    def numbers(values):
        return None if values is None else [float(v) for v in values]

    cases.append({
        "name": name, "backend": backend, "parameters": parameters,
        "columns": [{"name": f"x{j}", "values": numbers(x[:, j])} for j in range(x.shape[1])],
        "rows": [int(r) for r in rows], "target": numbers(target), "weights": numbers(weights),
        "regressor": numbers(regressor), "clusters": None if clusters is None else [int(c) for c in clusters],
        "classes": 0, "expected": numbers(expected),
    })


def standardised(x, rows, weights=None):
    return StandardScaler().fit(x[rows], sample_weight=None if weights is None else weights[rows]).transform(x)


def deviation(y, rows, weights=None):
    w = None if weights is None else weights[rows]
    return np.sqrt(np.average((y[rows] - np.average(y[rows], weights=w)) ** 2, weights=w))


def fixed(x, y, rows, alpha, ratio, weights=None):
    z = standardised(x, rows, weights)
    unit = deviation(y, rows, weights)
    y = y / unit
    model = ElasticNet(alpha=alpha, l1_ratio=ratio, **exact)
    model.fit(z[rows], y[rows], sample_weight=None if weights is None else weights[rows])
    return unit * model.predict(z)


def crossed(x, y, rows, ratio, folds, weights=None, length=100, eps=1e-3, one_se=False):
    z = standardised(x, rows, weights)
    wt = None if weights is None else weights[rows]
    unit = deviation(y, rows, weights)
    y = y / unit
    centred = y[rows] - np.average(y[rows], weights=wt)
    share = np.full(len(rows), 1 / len(rows)) if wt is None else wt / wt.sum()
    largest = np.abs(z[rows].T @ (share * centred)).max() / ratio
    alphas = largest * eps ** (np.arange(length) / (length - 1))
    model = ElasticNetCV(l1_ratio=ratio, alphas=alphas, cv=PredefinedSplit(folds[rows]), **exact)
    model.fit(z[rows], y[rows], sample_weight=wt)
    # ElasticNetCV gives every fold the same weight; here each has that of its rows.
    shares = np.array([(np.ones(len(rows)) if wt is None else wt)[folds[rows] == k].sum() for k in np.unique(folds[rows])])
    means = np.average(model.mse_path_, axis=1, weights=shares)
    chosen = best = means.argmin()
    if wt is None:
        assert model.alphas_[best] == model.alpha_
    if one_se:
        bound = means[best] + model.mse_path_[best].std(ddof=1) / np.sqrt(model.mse_path_.shape[1])
        chosen = np.flatnonzero(means <= bound)[0]
    final = ElasticNet(alpha=model.alphas_[chosen], l1_ratio=ratio, **exact)
    return unit * final.fit(z[rows], y[rows], sample_weight=wt).predict(z)


random = np.random.default_rng(20240607)
n, new = 60, 6
train = np.arange(n)
x = np.round(random.normal(size=(n + new, 8)) * [1, 100, 1e-2, 5, 1, 1, 1, 1] + [0, 1000, 0, -3, 1, 0, 0, 0], 4)
x[:, 6] = np.round(x[:, 0] + 0.05 * x[:, 6], 4)  # Strongly correlated.
y = np.round(x[:, :5] @ [1, 0.02, 30, -0.5, 0] + 2 * random.normal(size=n + new), 4)
w = np.round(random.uniform(0.2, 3, size=n + new), 4)
some = np.array([r for r in train if r % 3 != 1])
for ratio in (0.1, 0.5, 1.0):
    for alpha in (0.01, 0.3):
        add(f"elastic net, {ratio}, {alpha}", "elastic_net", x, train, y, fixed(x, y, train, alpha, ratio),
            {"lambda": alpha, "l1_ratio": ratio})
add("elastic net, weighted, some rows", "elastic_net", x, some, y, fixed(x, y, some, 0.1, 0.5, w), {"lambda": 0.1},
    weights=w)
add("lasso", "lasso", x, train, y, fixed(x, y, train, 0.2, 1.0), {"lambda": 0.2})
add("lasso, next to nothing", "lasso", x, train, y, fixed(x, y, train, 1e-6, 1.0), {"lambda": 1e-6})
add("lasso, everything 0", "lasso", x, train, y, fixed(x, y, train, 1e3, 1.0), {"lambda": 1e3})

xw = np.round(random.normal(size=(36, 45)), 4)
yw = np.round(xw[:, 0] - xw[:, 1] + 0.3 * random.normal(size=36), 4)
ww = np.round(random.uniform(0.5, 2, size=36), 4)
few = np.arange(30)
add("lasso, wide", "lasso", xw, few, yw, fixed(xw, yw, few, 0.05, 1.0), {"lambda": 0.05})
add("elastic net, wide, weighted", "elastic_net", xw, few, yw, fixed(xw, yw, few, 0.05, 0.3, ww),
    {"lambda": 0.05, "l1_ratio": 0.3}, weights=ww)

# The residual loss, as weighted regression on the ratio.
r = np.round(random.normal(size=n + new), 4)
t = np.round(r * (1 + 0.5 * x[:, 0]) + 0.3 * random.normal(size=n + new), 4)
add("lasso, residual loss", "lasso", x, train, t, fixed(x, t / r, train, 0.05, 1.0, w * r * r), {"lambda": 0.05},
    weights=w, regressor=r)

# Cross-validation.
five = random.permutation(np.arange(n + new) % 5)
five[train] = random.permutation(np.arange(n) % 5)
three = np.concatenate([random.permutation(np.arange(30) % 3), np.zeros(6, dtype=int)])
for name, rows, ratio in (("all rows", train, 1.0), ("all rows", train, 0.5)):
    backend = "lasso" if ratio == 1 else "elastic_net"
    add(f"{backend}, cross-validated", backend, x, rows, y, crossed(x, y, rows, ratio, five), {}, clusters=five)
    add(f"{backend}, cross-validated, weighted", backend, x, rows, y, crossed(x, y, rows, ratio, five, w), {},
        weights=w, clusters=five)
    add(f"{backend}, one standard error", backend, x, rows, y, crossed(x, y, rows, ratio, five, one_se=True),
        {"selection": "one_se"}, clusters=five)
add("lasso, cross-validated, wide", "lasso", xw, few, yw, crossed(xw, yw, few, 1.0, three, length=40, eps=1e-2),
    {"folds": 3, "path_length": 40, "path_ratio": 0.01}, clusters=three)
add("elastic net, cross-validated, residual loss", "elastic_net", x, train, t,
    crossed(x, t / r, train, 0.5, five, w * r * r), {}, weights=w, regressor=r, clusters=five)

path = pathlib.Path(__file__).with_name("elastic_net_reference.json")
path.write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
print(len(cases), "cases")
