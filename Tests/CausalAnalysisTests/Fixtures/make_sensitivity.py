"""Quantile-balanced bounds of the marginal sensitivity model (Dorn & Guo 2023) as the linear programmes that define them, solved by HiGHS.

- "programmes": max and min of sum a z r over 1/L <= z <= L with sum a z = sum a and sum a z h = sum a h.
- "studies": the bounds of an average effect by them. The mean of an arm is that of the outcome model plus
  sum w (1 + z (1 - e)/e) r / sum w/e, with h constant for a continuous outcome, and for a binary one the quantile given the covariates
  less the mean: 1{m > 1 - tau} - m, tau = L/(L + 1) at the upper end and 1/(L + 1) at the lower one.

Run: python3 make_sensitivity.py > sensitivity.json   (numpy, scipy)
"""

import json

import numpy as np
from scipy.optimize import linprog

rng = np.random.default_rng(20261128)
LAMBDAS = [1.0, 1.2, 2.0, 5.0]


def extreme(a, r, h, factor, upper):
    sign = -1 if upper else 1
    # Numbers of like size keep the solver's tolerances meaningful.
    scale = a.sum()
    result = linprog(
        sign * a * r / scale, A_eq=np.array([a, a * h]) / scale, b_eq=np.array([a.sum(), (a * h).sum()]) / scale,
        bounds=[(1 / factor, factor)] * len(a), method="highs",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10})
    assert result.status == 0, result
    return sign * result.fun * scale


programmes = []
for kind in ["continuous", "ties", "binary", "constant"]:
    n = 80
    a = rng.gamma(2, 1, n)
    h = rng.normal(size=n) ** 2
    r = rng.normal(size=n) * (0.5 + h)
    if kind == "ties":
        r, h = np.round(r), np.round(h)
    if kind == "binary":
        mean = rng.uniform(0.1, 0.9, n)
        r, h = (rng.uniform(size=n) < mean) - mean, (mean > 0.4) - mean
    if kind == "constant":
        h = np.full(n, 2.5)
    programmes.append({
        "kind": kind, "residuals": r.tolist(), "feature": h.tolist(), "weights": a.tolist(), "lambdas": LAMBDAS,
        "upper": [extreme(a, r, h, f, True) for f in LAMBDAS], "lower": [extreme(a, r, h, f, False) for f in LAMBDAS]})

studies = []
for binary in [False, True]:
    n = 150
    x = rng.normal(size=n)
    e = 1 / (1 + np.exp(-x / 2))
    w = (rng.uniform(size=n) < e).astype(int)
    v = rng.gamma(4, 0.25, n)
    v /= v.mean()
    if binary:
        m = np.column_stack([1 / (1 + np.exp(-x)), 1 / (1 + np.exp(-x - 0.7))])
        y = (rng.uniform(size=n) < m[np.arange(n), w]).astype(float)
    else:
        m = np.column_stack([x, 1 + 1.5 * x])
        y = m[np.arange(n), w] + rng.normal(size=n) * (1 + np.abs(x))
    bounds = []
    for factor in LAMBDAS:
        ends = []
        for upper in [False, True]:
            total = np.average(m[:, 1] - m[:, 0], weights=v)
            for arm, sign in [(1, 1), (0, -1)]:
                own = w == arm
                share = e[own] if arm else 1 - e[own]
                a = v[own] * (1 - share) / share
                r = (y - m[:, arm])[own]
                arm_upper = upper == (sign == 1)
                tau = factor / (factor + 1) if arm_upper else 1 / (factor + 1)
                mean = m[own, arm]
                h = (mean > 1 - tau) - mean if binary else np.zeros(own.sum())
                total += sign * ((v[own] * r).sum() + extreme(a, r, h, factor, arm_upper)) / (v[own] / share).sum()
            ends.append(total)
        bounds.append(ends)
    studies.append({
        "binary": binary, "x": x.tolist(), "e": e.tolist(), "arms": w.tolist(), "weights": v.tolist(), "outcome": y.tolist(),
        "means": m.T.tolist(), "lambdas": LAMBDAS, "lower": [b[0] for b in bounds], "upper": [b[1] for b in bounds]})

print(json.dumps({"programmes": programmes, "studies": studies}))
