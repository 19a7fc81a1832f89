"""Makes logistic_reference.json: probabilities of scikit-learn's logistic regression with an elastic net, and of ridge
regression with a penalty chosen by k-fold cross-validation, on small data sets.

    python make_logistic_reference.py    (scikit-learn 1.5 or later)

Rows beyond those named in `rows` are new to the model. Where `clusters` are given there are as many as folds, so that
each is one: the cross-validation is then the very one that is done here.
"""

import json
import pathlib
import warnings

import numpy as np
from scipy.special import expit
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler

warnings.simplefilter("ignore")
cases = []


def numbers(values):
    return None if values is None else [float(v) for v in np.ravel(values)]


def add(name, backend, x, rows, target, expected, parameters, weights=None, clusters=None, classes=0):
    cases.append({
        "name": name, "backend": backend, "parameters": parameters,
        "columns": [{"name": f"x{j}", "values": numbers(x[:, j])} for j in range(x.shape[1])],
        "rows": [int(r) for r in rows], "target": numbers(target), "weights": numbers(weights),
        "clusters": None if clusters is None else [int(c) for c in clusters],
        "classes": classes, "expected": numbers(expected),
    })


def standardised(x, rows, weights=None):
    return StandardScaler().fit(x[rows], sample_weight=None if weights is None else weights[rows]).transform(x)


def logistic(z, y, rows, l1, l2, weights=None):
    total = l1 + l2
    model = LogisticRegression(
        penalty="elasticnet", solver="saga", C=1 / total, l1_ratio=l1 / total, tol=1e-13, max_iter=300_000)
    return model.fit(z[rows], y[rows], sample_weight=None if weights is None else weights[rows])


def deviance(model, z, y, rows, weights):
    p = model.predict_proba(z[rows])[np.arange(len(rows)), y[rows].astype(int)]
    return (weights[rows] * -np.log(p)).sum()


random = np.random.default_rng(20240611)
n, new = 80, 8
train = np.arange(n)
x = np.round(random.normal(size=(n + new, 6)) * [1, 50, 1e-2, 1, 1, 1] + [0, 300, 0, -3, 1, 0], 4)
x[:, 5] = np.round(x[:, 0] + 0.1 * x[:, 5], 4)
score = x @ [1.2, 0.01, 40, 0, 0, 0] - 3
y = (random.uniform(size=n + new) < expit(score)).astype(float)
w = np.round(random.uniform(0.3, 2.5, size=n + new), 4)
some = np.array([r for r in train if r % 4 != 2])
z = standardised(x, train)
for l1, l2 in ((3.0, 0.0), (0.2, 0.0), (2.0, 1.0), (8.0, 0.0)):
    add(f"logistic, {l1}, {l2}", "logistic", x, train, y, logistic(z, y, train, l1, l2).predict_proba(z),
        {"l1": l1, "l2": l2}, classes=2)
zw = standardised(x, some, w)
add("logistic, weighted, some rows", "logistic", x, some, y,
    logistic(zw, y, some, 1.5, 0.5, w).predict_proba(zw), {"l1": 1.5, "l2": 0.5}, weights=w, classes=2)

three = np.clip(np.floor(score / 1.5 + 1.5 + random.normal(size=n + new)), 0, 2)
for l1, l2 in ((2.0, 0.0), (1.0, 0.5)):
    add(f"multinomial, {l1}, {l2}", "logistic", x, train, three,
        logistic(z, three, train, l1, l2).predict_proba(z), {"l1": l1, "l2": l2}, classes=3)
add("multinomial, weighted", "logistic", x, some, three,
    logistic(zw, three, some, 1.0, 1.0, w).predict_proba(zw), {"l1": 1.0, "l2": 1.0}, weights=w, classes=3)

xw = np.round(random.normal(size=(46, 60)), 4)
yw = (xw[:, 0] - xw[:, 1] + random.normal(size=46) > 0).astype(float)
few = np.arange(40)
zf = standardised(xw, few)
add("logistic, wide", "logistic", xw, few, yw, logistic(zf, yw, few, 2.0, 0.0).predict_proba(zf),
    {"l1": 2.0, "l2": 0.0}, classes=2)


def crossed(z, y, rows, ratio, folds, weights, length, eps, one_se):
    """The penalty by cross-validation; penalties stand beside the mean."""
    wt = weights[rows]
    if len(np.unique(y[rows])) == 2:
        pull = np.abs(z[rows].T @ (wt * (y[rows] - np.average(y[rows], weights=wt)))).max()
    else:
        pull = max(np.abs(z[rows].T @ (wt * ((y[rows] == k) - np.average(y[rows] == k, weights=wt)))).max()
                   for k in np.unique(y[rows]))
    lambdas = pull / wt.sum() / ratio * eps ** (np.arange(length) / (length - 1))
    losses = []
    for k in np.unique(folds[rows]):
        outside, inside = rows[folds[rows] != k], rows[folds[rows] == k]
        total = weights[outside].sum()
        losses.append([
            deviance(logistic(z, y, outside, v * ratio * total, v * (1 - ratio) * total, weights), z, y, inside, weights)
            for v in lambdas])
    losses = np.array(losses)
    shares = np.array([weights[rows[folds[rows] == k]].sum() for k in np.unique(folds[rows])])
    means = losses.sum(axis=0) / shares.sum()
    chosen = best = means.argmin()
    if one_se:
        spread = np.average((losses[:, best] / shares - means[best]) ** 2, weights=shares)
        chosen = np.flatnonzero(means <= means[best] + np.sqrt(spread / (len(shares) - 1)))[0]
    total = wt.sum()
    return logistic(z, y, rows, lambdas[chosen] * ratio * total, lambdas[chosen] * (1 - ratio) * total, weights)


ones = np.ones(n + new)
folds = random.permutation(np.arange(n + new) % 4)
common = {"folds": 4, "path_length": 12, "path_ratio": 0.02}
for name, ratio, one_se in (("lasso", 1.0, False), ("elastic net", 0.5, False), ("one standard error", 0.5, True)):
    model = crossed(z, y, train, ratio, folds, ones, 12, 0.02, one_se)
    add(f"logistic, cross-validated, {name}", "logistic", x, train, y, model.predict_proba(z),
        {**common, "selection": "one_se" if one_se else "min", "l1_ratio": ratio}, clusters=folds, classes=2)
model = crossed(z, three, train, 1.0, folds, ones, 12, 0.02, False)
add("multinomial, cross-validated", "logistic", x, train, three, model.predict_proba(z),
    {**common, "selection": "min", "l1_ratio": 1.0}, clusters=folds, classes=3)


def ridge(x, y, rows, folds, weights, length=100, eps=1e-8):
    z = standardised(x, rows, weights)
    wt = weights[rows]
    root = np.sqrt(wt)[:, None]
    largest = 100 * np.linalg.eigvalsh((root * z[rows]).T @ (root * z[rows])).max()
    penalties = largest * eps ** (np.arange(length) / (length - 1))
    losses = np.zeros(length)
    for k in np.unique(folds[rows]):
        outside, inside = rows[folds[rows] != k], rows[folds[rows] == k]
        for i, alpha in enumerate(penalties):
            model = Ridge(alpha=alpha, solver="svd").fit(z[outside], y[outside], sample_weight=weights[outside])
            losses[i] += (weights[inside] * (y[inside] - model.predict(z[inside])) ** 2).sum()
    model = Ridge(alpha=penalties[losses.argmin()], solver="svd").fit(z[rows], y[rows], sample_weight=wt)
    return model.predict(z)


t = np.round(x @ [1, 0.02, 30, -0.5, 0, 0] + 2 * random.normal(size=n + new), 4)
add("ridge, cross-validated", "ridge", x, train, t, ridge(x, t, train, folds, ones),
    {"selection": "cv", "folds": 4}, clusters=folds)
add("ridge, cross-validated, weighted", "ridge", x, some, t, ridge(x, t, some, folds, w),
    {"selection": "cv", "folds": 4}, weights=w, clusters=folds)
tw = np.round(xw[:, :5].sum(axis=1) + 0.5 * random.normal(size=46), 4)
foldw = random.permutation(np.arange(46) % 4)
add("ridge, cross-validated, wide", "ridge", xw, few, tw, ridge(xw, tw, few, foldw, np.ones(46), 40, 1e-6),
    {"selection": "cv", "folds": 4, "path_length": 40, "path_ratio": 1e-6}, clusters=foldw)

path = pathlib.Path(__file__).with_name("logistic_reference.json")
path.write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
print(len(cases), "cases")
