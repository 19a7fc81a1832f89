"""Makes level_reference.json: scikit-learn's penalised linear models on categories of many levels.

    python make_level_reference.py    (scikit-learn 1.5 or later)

Indicators are left as they are, one for each level that occurs in training, as a `OneHotEncoder` makes them: what
scikit-learn's `LogisticRegression` with C = 1 and `Ridge` do to them is what is done here. Numbers are standardised. Rows
beyond those named in `rows` are new to the model.
"""

import json
import pathlib

import numpy as np
from sklearn.linear_model import ElasticNet, LinearRegression, LogisticRegression, Ridge

cases = []
random = np.random.default_rng(20241105)


def add(name, backend, x, codes, levels, rows, target, expected, parameters=None, weights=None, classes=0):
    cases.append({
        "name": name, "backend": backend, "parameters": parameters or {},
        "columns": [{"name": f"x{j}", "values": x[:, j].tolist()} for j in range(x.shape[1])]
        + [{"name": "level", "codes": codes.tolist(), "levels": [f"l{k}" for k in range(levels)]}],
        "rows": rows.tolist(), "target": [float(t) for t in target],
        "weights": None if weights is None else weights.tolist(), "regressor": None,
        "classes": classes, "expected": [round(float(e), 9) for e in np.ravel(expected)],
    })


def design(x, codes, levels, rows, weights):
    w = np.ones(len(rows)) if weights is None else weights[rows]
    mean = np.average(x[rows], axis=0, weights=w)
    z = (x - mean) / np.sqrt(np.average((x[rows] - mean) ** 2, axis=0, weights=w))
    seen = np.isin(np.arange(levels), codes[rows])
    indicators = (codes[:, None] == np.arange(levels)).astype(float)[:, seen]
    share = np.average(indicators[rows], axis=0, weights=w)
    # A level that never occurred stands at the shares.
    return np.hstack([z, np.where(seen[codes][:, None], indicators - share, 0)])


def cases_of(label, n, new, levels, backends):
    x = np.round(random.normal(size=(n + new, 2)) * [1, 30] + [0, 100], 2)
    codes = np.minimum((levels * random.uniform(size=n + new) ** 1.3).astype(int), levels - 1)
    effect = random.normal(size=levels)
    y = np.round(x[:, 0] + 0.01 * x[:, 1] + effect[codes] + random.normal(size=n + new), 2)
    rows = np.array([r for r in range(n) if r % 5 != 3])
    half = np.round(random.uniform(0.5, 2, size=n + new), 2)
    for weights in (None, half):
        z = design(x, codes, levels, rows, weights)
        w = None if weights is None else weights[rows]
        suffix = label + ("" if weights is None else ", weighted")
        t = np.round((y > np.median(y)).astype(float))
        three = np.digitize(y, np.quantile(y, [1 / 3, 2 / 3])).astype(float)
        mean = np.average(y[rows], weights=w)
        unit = np.sqrt(np.average((y[rows] - mean) ** 2, weights=w))
        if "ridge" in backends:
            add("ridge, " + suffix, "ridge", x, codes, levels, rows, y,
                Ridge(alpha=1.0, solver="cholesky").fit(z[rows], y[rows], sample_weight=w).predict(z), weights=weights)
        if "ols" in backends:
            add("ols, " + suffix, "ols", x, codes, levels, rows, y,
                LinearRegression().fit(z[rows], y[rows], sample_weight=w).predict(z), weights=weights)
        if "logistic" in backends:
            model = LogisticRegression(C=1.0, solver="newton-cholesky", tol=1e-13, max_iter=1000)
            add("logistic, " + suffix, "logistic", x, codes, levels, rows, t,
                model.fit(z[rows], t[rows], sample_weight=w).predict_proba(z), weights=weights, classes=2)
        if "multinomial" in backends:
            model = LogisticRegression(C=1.0, solver="newton-cg", tol=1e-13, max_iter=10_000)
            add("multinomial, " + suffix, "logistic", x, codes, levels, rows, three,
                model.fit(z[rows], three[rows], sample_weight=w).predict_proba(z), weights=weights, classes=3)
        for backend, ratio in (("lasso", 1.0), ("elastic_net", 0.5)):
            if backend in backends:
                model = ElasticNet(alpha=0.004, l1_ratio=ratio, tol=1e-14, max_iter=500_000)
                model.fit(z[rows], y[rows] / unit, sample_weight=w)
                add(f"{backend}, " + suffix, backend, x, codes, levels, rows, y, unit * model.predict(z),
                    {"lambda": 0.004}, weights=weights)


cases_of("70 levels", 240, 10, 70, {"ridge", "ols", "logistic", "multinomial", "lasso", "elastic_net"})
cases_of("600 levels", 700, 10, 600, {"ridge", "logistic"})

path = pathlib.Path(__file__).with_name("level_reference.json")
path.write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
print(len(cases), "cases")
