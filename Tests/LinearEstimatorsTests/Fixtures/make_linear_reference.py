"""Makes linear_reference.json: predictions of scikit-learn's linear models on small data sets.

    python make_linear_reference.py    (scikit-learn 1.5 or later)

Rows beyond those named in `rows` are new to the model. Encodings are written out here, apart from the library:
numbers are imputed by their weighted mean with an indicator of what was missing, categories have one indicator
for each level seen, and numbers are standardised by weighted moments. Indicators are left as they are.
"""

import json
import pathlib

import numpy as np
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler

cases = []


def rounded(values):
    """Few digits, for a small file."""
    return np.round(values, 4)


def numeric(name, values):
    return {"name": name, "values": [None if np.isnan(v) else float(v) for v in values]}


def add(name, backend, columns, rows, target, expected, parameters=None, weights=None, regressor=None, classes=0):
    cases.append({
        "name": name, "backend": backend, "parameters": parameters or {}, "columns": columns,
        "rows": [int(r) for r in rows], "target": [float(t) for t in target],
        "weights": None if weights is None else [float(w) for w in weights],
        "regressor": None if regressor is None else [float(r) for r in regressor],
        "classes": classes, "expected": [float(e) for e in np.ravel(expected)],
    })


def matrix_columns(x):
    return [numeric(f"x{j}", x[:, j]) for j in range(x.shape[1])]


def standardised(x, rows, weights=None):
    w = None if weights is None else weights[rows]
    return StandardScaler().fit(x[rows], sample_weight=w).transform(x)


def least_squares(x, y, rows, weights=None, l2=0.0):
    z = standardised(x, rows, weights)
    model = Ridge(alpha=l2, solver="svd") if l2 else LinearRegression()
    model.fit(z[rows], y[rows], sample_weight=None if weights is None else weights[rows])
    return model.predict(z)


def logistic(x, y, rows, weights=None, l2=1.0):
    z = standardised(x, rows, weights)
    solver = "newton-cholesky" if len(np.unique(y[rows])) == 2 else "newton-cg"
    model = LogisticRegression(C=1 / l2, solver=solver, tol=1e-13, max_iter=100_000)
    model.fit(z[rows], y[rows], sample_weight=None if weights is None else weights[rows])
    return model.predict_proba(z)


random = np.random.default_rng(20240501)
n, new = 60, 8
train = np.arange(n)

# Plain, with columns of very different scale.
x = rounded(random.normal(size=(n + new, 5)) * [1, 100, 1e-2, 5, 1] + [0, 1000, 0, -3, 1])
y = rounded(x @ [1, 0.02, 30, -0.5, 0] + random.normal(size=n + new))
w = rounded(random.uniform(0.2, 3, size=n + new))
add("ols", "ols", matrix_columns(x), train, y, least_squares(x, y, train))
add("ols, weighted", "ols", matrix_columns(x), train, y, least_squares(x, y, train, w), weights=w)
for l2 in (0.01, 1.0, 250.0):
    add(f"ridge, l2 {l2}", "ridge", matrix_columns(x), train, y, least_squares(x, y, train, l2=l2), {"l2": l2})
add("ridge, weighted", "ridge", matrix_columns(x), train, y, least_squares(x, y, train, w, 2.0), {"l2": 2.0},
    weights=w)

# Some rows left out of the training rows.
some = np.array([r for r in train if r % 3 != 1])
add("ridge, some rows", "ridge", matrix_columns(x), some, y, least_squares(x, y, some, w, 1.0), weights=w)

# More rows than a block has.
xl = rounded(random.normal(size=(600, 3)))
yl = rounded(xl @ [1, -1, 0.5] + random.normal(size=600))
add("ridge, several blocks", "ridge", matrix_columns(xl), np.arange(590), yl,
    least_squares(xl, yl, np.arange(590), l2=1.0))

# Collinear columns: the solution of least norm on standardised columns.
xc = np.column_stack([x[:, 0], x[:, 3], x[:, 0] + 2 * x[:, 3], x[:, 4], np.full(n + new, 7.0)])
add("ols, collinear", "ols", matrix_columns(xc), train, y, least_squares(xc, y, train))
add("ridge, collinear", "ridge", matrix_columns(xc), train, y, least_squares(xc, y, train, l2=1.0))
add("ridge, collinear, tiny penalty", "ridge", matrix_columns(xc), train, y,
    least_squares(xc, y, train, l2=1e-7), {"l2": 1e-7})
xcl = np.column_stack([xl, xl[:, 0] - xl[:, 1]])
add("ols, collinear, several blocks", "ols", matrix_columns(xcl), np.arange(590), yl,
    least_squares(xcl, yl, np.arange(590)))

# More columns than rows.
xw = rounded(random.normal(size=(28, 35)))
yw = rounded(xw[:, 0] - xw[:, 1] + random.normal(size=28))
ww = rounded(random.uniform(0.5, 2, size=28))
few = np.arange(20)
add("ols, wide", "ols", matrix_columns(xw), few, yw, least_squares(xw, yw, few))
add("ridge, wide", "ridge", matrix_columns(xw), few, yw, least_squares(xw, yw, few, l2=1.0))
add("ridge, wide, weighted", "ridge", matrix_columns(xw), few, yw, least_squares(xw, yw, few, ww, 3.0), {"l2": 3.0},
    weights=ww)

# The residual loss, as weighted regression on the ratio.
r = rounded(random.normal(size=n + new))
tau = 1 + 0.5 * x[:, 0]
t = rounded(r * tau + 0.3 * random.normal(size=n + new))
for backend, l2 in (("ols", 0.0), ("ridge", 1.0)):
    add(f"{backend}, residual loss", backend, matrix_columns(x), train, t,
        least_squares(x, t / r, train, w * r * r, l2), weights=w, regressor=r)

# Missing values and categories, encoded by hand. Level d and what is missing in `size` are met in new rows only.
number = x[:, 0].copy()
number[[3, 10, 11, 40, n + 1]] = np.nan
size = x[:, 4].copy()
size[[n + 2]] = np.nan
level = random.integers(0, 3, size=n + new)
level[[5, 6, 30, n + 3]] = -1
level[n + 4] = 3
shade = random.integers(0, 4, size=n + new)
shade[[n + 5]] = -1
columns = [
    numeric("number", number), numeric("size", size),
    {"name": "level", "codes": [int(c) for c in level], "levels": ["a", "b", "c", "d"]},
    {"name": "shade", "codes": [int(c) for c in shade], "levels": ["p", "q", "r", "s"]},
]


def encoded(weights):
    """Standardised numbers, and indicators less their shares; a level without an indicator stands at these, at 0."""
    wt = np.ones(n) if weights is None else weights[:n]
    parts, indicators = [], []
    for values in (number, size):
        missing = np.isnan(values)
        mean = np.average(values[:n][~missing[:n]], weights=wt[~missing[:n]])
        parts.append(np.where(missing, mean, values))
        if missing[:n].any():
            indicators.append(len(parts))
            parts.append(missing.astype(float))
    unknown = []
    for codes, seen, has_missing in ((level, [0, 1, 2], True), (shade, [0, 1, 2, 3], False)):
        first = len(parts)
        for code in seen:
            parts.append((codes == code).astype(float))
        if has_missing:
            parts.append((~np.isin(codes, seen)).astype(float))
        else:
            unknown.append((~np.isin(codes, seen), first, len(parts)))
        indicators += range(first, len(parts))
    z = standardised(np.column_stack(parts), np.arange(n), weights)
    for column in indicators:
        z[:, column] = parts[column] - np.average(parts[column][:n], weights=wt)
    for rows, first, last in unknown:
        z[rows, first:last] = 0
    return z


for weights in (None, w):
    z = encoded(weights)
    wt = None if weights is None else weights[:n]
    label = "" if weights is None else ", weighted"
    add("ridge, encoded" + label, "ridge", columns, train, y,
        Ridge(alpha=1.0, solver="svd").fit(z[:n], y[:n], sample_weight=wt).predict(z), weights=weights)
    add("ols, encoded" + label, "ols", columns, train, y,
        LinearRegression().fit(z[:n], y[:n], sample_weight=wt).predict(z), weights=weights)
    g = (random.uniform(size=n + new) < 1 / (1 + np.exp(-x[:, 0]))).astype(float)
    model = LogisticRegression(C=1.0, solver="newton-cholesky", tol=1e-13, max_iter=10_000)
    model.fit(z[:n], g[:n], sample_weight=wt)
    add("logistic, encoded" + label, "logistic", columns, train, g, model.predict_proba(z), weights=weights, classes=2)

# Logistic.
b = (random.uniform(size=n + new) < 1 / (1 + np.exp(-(x[:, 0] + 0.2 * x[:, 3])))).astype(float)
for l2 in (0.05, 1.0, 40.0):
    add(f"logistic, l2 {l2}", "logistic", matrix_columns(x), train, b, logistic(x, b, train, l2=l2), {"l2": l2},
        classes=2)
add("logistic, weighted", "logistic", matrix_columns(x), train, b, logistic(x, b, train, w), weights=w, classes=2)
add("logistic, wide", "logistic", matrix_columns(xw), few, (yw > 0).astype(float),
    logistic(xw, (yw > 0).astype(float), few), classes=2)
separable = (x[:, 0] > 0).astype(float)
add("logistic, separable", "logistic", matrix_columns(x), train, separable, logistic(x, separable, train), classes=2)

# Multinomial.
scores = np.column_stack([x[:, 0], -x[:, 0] + 0.3 * x[:, 3], x[:, 4]])
m = np.argmax(scores + random.gumbel(size=scores.shape), axis=1).astype(float)
add("multinomial", "logistic", matrix_columns(x), train, m, logistic(x, m, train), classes=3)
add("multinomial, weighted", "logistic", matrix_columns(x), train, m, logistic(x, m, train, w, 0.3), {"l2": 0.3},
    weights=w, classes=3)
# A class that never occurs, between those that do.
gap = np.where(m == 2, 3, m)
p = logistic(x, gap, train)
add("multinomial, absent class", "logistic", matrix_columns(x), train, gap,
    np.column_stack([p[:, 0], p[:, 1], np.zeros(n + new), p[:, 2]]), classes=4)

path = pathlib.Path(__file__).with_name("linear_reference.json")
path.write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
print(len(cases), "cases")
