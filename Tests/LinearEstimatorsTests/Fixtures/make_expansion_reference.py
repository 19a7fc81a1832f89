"""Makes expansion_reference.json: linear models on splines and products that are written out here.

    python make_expansion_reference.py    (scikit-learn 1.5 or later)

Rows beyond those named in `rows` are new to the model, some beyond the range trained on.
"""

import json
import pathlib

import numpy as np
from sklearn.linear_model import ElasticNet, LinearRegression, LogisticRegression, Ridge

cases = []
n, new = 80, 6
random = np.random.default_rng(20240613)
wide = np.round(random.normal(size=n + new), 3)
wide[[4, 9, 30, n]] = np.nan
wide[n + 1:n + 3] = [50, -50]
skewed = np.round(np.exp(random.normal(size=n + new)), 3)
skewed[n + 3] = 1e4
heavy = np.where(random.uniform(size=n + new) < 0.6, 0.0, np.round(random.uniform(1, 9, size=n + new), 3))
few = random.integers(0, 5, size=n + new).astype(float)
few[n + 4] = 99
level = random.integers(0, 3, size=n + new)
weights = np.round(random.uniform(0.3, 2, size=n + new), 3)
signal = np.sin(2 * np.nan_to_num(np.clip(wide, -3, 3))) + 0.2 * np.minimum(skewed, 5) * (level == 1) + 0.1 * few
y = np.round(signal + 0.3 * random.normal(size=n + new), 4)
label = (y > np.median(y)).astype(float)
rows = np.arange(n)


def knots_of(values, w):
    distinct, inverse = np.unique(values, return_inverse=True)
    if len(distinct) <= 6:
        return []
    mass = np.bincount(inverse, weights=w)
    middles = (np.cumsum(mass) - mass / 2) / mass.sum()
    points = np.interp([0.05, 0.275, 0.5, 0.725, 0.95], middles, distinct)
    kept = []
    for point in points:
        if not kept or point - kept[-1] > 1e-3 * (points[-1] - points[0]):
            kept.append(point)
    return kept if len(kept) >= 3 else []


def curve(x, t):
    def cube(knot):
        return np.maximum(x - knot, 0) ** 3

    return [
        cube(t[j]) - cube(t[-2]) * (t[-1] - t[j]) / (t[-1] - t[-2]) + cube(t[-1]) * (t[-2] - t[j]) / (t[-1] - t[-2])
        for j in range(len(t) - 2)
    ]


def expanded(w, products):
    def scaled(column):
        mean = np.average(column[:n], weights=w)
        return (column - mean) / np.sqrt(np.average((column[:n] - mean) ** 2, weights=w))

    def centred(column):
        return column - np.average(column[:n], weights=w)

    linear, owner, bent, indicator = [], [], [], []
    for feature, values in enumerate((wide, skewed, heavy, few)):
        missing = np.isnan(values)
        there = ~missing[:n]
        t = knots_of(values[:n][there], w[there])
        x = np.clip(values, np.nanmin(values[:n]), np.nanmax(values[:n]))
        for index, column in enumerate([x] + (curve(x, t) if len(t) else [])):
            filled = np.where(missing, np.average(column[:n][there], weights=w[there]), column)
            if index == 0:
                linear.append(scaled(filled))
                owner.append(feature)
                indicator.append(False)
            else:
                bent.append(scaled(filled))
        if missing[:n].any():
            # A penalty meets indicators as they are, and so their products.
            linear.append(centred(missing.astype(float)))
            owner.append(feature)
            indicator.append(True)
    for code in range(3):
        linear.append(centred((level == code).astype(float)))
        owner.append(4)
        indicator.append(True)
    crossed = [
        (centred if indicator[i] or indicator[j] else scaled)(linear[i] * linear[j]) for i in range(len(linear)) for j in range(i) if owner[i] != owner[j]
    ] if products else []
    return np.column_stack(linear + bent + crossed)


for expansion in ("splines", "splines_interactions"):
    for weighted in (False, True):
        w = weights[:n] if weighted else np.ones(n)
        z = expanded(w, expansion == "splines_interactions")
        # The penalty of an elastic net is that of a target of standard deviation 1.
        unit = np.sqrt(np.average((y[:n] - np.average(y[:n], weights=w)) ** 2, weights=w))
        fits = [
            ("ridge", {"l2": 2.0}, Ridge(alpha=2.0, solver="svd").fit(z[:n], y[:n], sample_weight=w).predict(z)),
            ("elastic_net", {"lambda": 0.05}, unit * ElasticNet(alpha=0.05, tol=1e-14, max_iter=500_000).fit(
                z[:n], y[:n] / unit, sample_weight=w).predict(z)),
            ("logistic", {"l2": 3.0}, LogisticRegression(C=1 / 3, solver="newton-cholesky", tol=1e-13).fit(
                z[:n], label[:n], sample_weight=w).predict_proba(z)),
        ]
        if expansion == "splines":
            fits.append(("ols", {}, LinearRegression().fit(z[:n], y[:n], sample_weight=w).predict(z)))
        for backend, parameters, expected in fits:
            logistic = backend == "logistic"
            cases.append({
                "name": f"{backend}, {expansion}" + (", weighted" if weighted else ""), "backend": backend,
                "parameters": {"expansion": expansion, **parameters},
                "columns": [
                    {"name": name, "values": [None if np.isnan(v) else float(v) for v in values]}
                    for name, values in (("wide", wide), ("skewed", skewed), ("heavy", heavy), ("few", few))
                ] + [{"name": "level", "codes": level.tolist(), "levels": ["a", "b", "c"]}],
                "rows": rows.tolist(), "target": (label if logistic else y).tolist(),
                "weights": weights.tolist() if weighted else None, "regressor": None,
                "classes": 2 if logistic else 0, "expected": np.ravel(expected).tolist(),
            })

path = pathlib.Path(__file__).with_name("expansion_reference.json")
path.write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
print(len(cases), "cases")
