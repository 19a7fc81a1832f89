"""Average effects by AIPW, computed by an independent route: for each estimand the estimate is the coefficient of
a constant in a weighted least-squares regression of the influence values (statsmodels WLS), with HC1 or
cluster-robust standard errors. Point estimates are cross-checked by plain loops over the textbook formulas.

Run: python3 make_average_effects.py > average_effects.json   (numpy, scipy, statsmodels)
"""

import json

import numpy as np
import statsmodels.api as sm
from scipy import stats

rng = np.random.default_rng(20240607)


def draw(n, arms, binary):
    x = rng.normal(size=n)
    raw = np.exp(np.outer(x, np.linspace(-0.6, 0.6, arms)) + rng.normal(scale=0.2, size=(n, arms)))
    e = raw / raw.sum(axis=1, keepdims=True)
    w = np.array([rng.choice(arms, p=e[i]) for i in range(n)])
    if binary:
        mu = 1 / (1 + np.exp(-(x[:, None] * 0.5 + np.arange(arms)[None, :] * 0.4 + rng.normal(scale=0.1, size=(n, arms)))))
        y = (rng.uniform(size=n) < mu[np.arange(n), w]).astype(float)
    else:
        mu = x[:, None] + np.arange(arms)[None, :] * (0.5 + 0.3 * x[:, None]) + rng.normal(scale=0.3, size=(n, arms))
        y = mu[np.arange(n), w] + rng.normal(size=n)
    return y, w, e, mu


def regress(values, weights, clusters):
    model = sm.WLS(values, np.ones((len(values), 1)), weights=weights)
    if clusters is None:
        fit = model.fit(cov_type="HC1", use_t=False)
    else:
        fit = model.fit(cov_type="cluster", cov_kwds={"groups": clusters, "use_correction": True}, use_t=False)
    low, high = fit.conf_int(0.05)[0]
    return {
        "estimate": float(fit.params[0]), "std_error": float(fit.bse[0]), "lower": float(low), "upper": float(high),
        "p_value": float(2 * stats.norm.sf(abs(fit.params[0] / fit.bse[0]))),
    }


def average_treatment_effect(y, w, e, mu, k, weights, clusters):
    n = len(y)
    score = mu[:, k] - mu[:, 0] + (w == k) * (y - mu[:, k]) / e[:, k] - (w == 0) * (y - mu[:, 0]) / e[:, 0]
    result = regress(score, weights, clusters)
    total = 0.0
    for i in range(n):
        value = mu[i, k] - mu[i, 0]
        if w[i] == k:
            value += (y[i] - mu[i, k]) / e[i, k]
        elif w[i] == 0:
            value -= (y[i] - mu[i, 0]) / e[i, 0]
        total += weights[i] * value
    assert abs(total / sum(weights) - result["estimate"]) < 1e-12
    return result


def effect_on_the_treated(y, w, e, mu, k, weights, clusters):
    treated = (w == k).astype(float)
    a = (treated - (w == 0) * e[:, k] / e[:, 0]) * (y - mu[:, 0])
    numerator = denominator = 0.0
    for i in range(len(y)):
        if w[i] == k:
            numerator += weights[i] * (y[i] - mu[i, 0])
            denominator += weights[i]
        elif w[i] == 0:
            numerator -= weights[i] * e[i, k] / e[i, 0] * (y[i] - mu[i, 0])
    theta = numerator / denominator
    share = np.average(treated, weights=weights)
    result = regress((a - theta * treated) / share + theta, weights, clusters)
    assert abs(result["estimate"] - theta) < 1e-10
    return result


def through_ratio(a, b, weights, clusters):
    """The ratio of weighted sums of a and b, with the errors of a regression of its influences on a constant."""
    theta = np.average(a, weights=weights) / np.average(b, weights=weights)
    result = regress((a - theta * b) / np.average(b, weights=weights) + theta, weights, clusters)
    assert abs(result["estimate"] - theta) < 1e-10
    return result


def effect_on_the_controls(y, w, e, mu, k, weights, clusters):
    control = (w == 0).astype(float)
    a = ((w == k) * e[:, 0] / e[:, k] - control) * (y - mu[:, k])
    return through_ratio(a, control, weights, clusters)


def effect_on_the_overlap(y, w, e, mu, k, weights, clusters):
    """Robinson's regression of residuals on residuals among the rows of the pair."""
    pair = ((w == k) | (w == 0)).astype(float)
    share = e[:, k] / (e[:, 0] + e[:, k])
    distance = pair * ((w == k) - share)
    result = through_ratio(distance * (y - share * mu[:, k] - (1 - share) * mu[:, 0]), distance**2, weights, clusters)
    # The same as least squares through the origin.
    inside = pair == 1
    slope = sm.WLS((y - share * mu[:, k] - (1 - share) * mu[:, 0])[inside], distance[inside], weights=weights[inside]).fit()
    assert abs(result["estimate"] - slope.params[0]) < 1e-10
    return result


cases = []
for name, n, arms, binary, weighted, clustered in [
    ("plain", 80, 2, False, False, False),
    ("weights", 80, 2, False, True, False),
    ("clusters", 90, 2, False, False, True),
    ("weights and clusters", 90, 2, False, True, True),
    ("three arms", 120, 3, False, False, False),
    ("three arms, weights and clusters", 120, 3, False, True, True),
    ("binary outcome", 100, 2, True, False, False),
]:
    y, w, e, mu = draw(n, arms, binary)
    weights = rng.uniform(0.2, 3.0, size=n) if weighted else np.ones(n)
    clusters = rng.integers(0, 12, size=n) if clustered else None
    cases.append(
        {
            "name": name, "arms": w.tolist(), "outcome": y.tolist(), "propensities": e.T.tolist(),
            "arm_outcomes": mu.T.tolist(), "weights": weights.tolist() if weighted else [],
            "clusters": clusters.tolist() if clustered else [], "binary": binary,
            "ate": [average_treatment_effect(y, w, e, mu, k, weights, clusters) for k in range(1, arms)],
            "att": [effect_on_the_treated(y, w, e, mu, k, weights, clusters) for k in range(1, arms)],
            "atc": [effect_on_the_controls(y, w, e, mu, k, weights, clusters) for k in range(1, arms)],
            "ato": [effect_on_the_overlap(y, w, e, mu, k, weights, clusters) for k in range(1, arms)],
        }
    )
print(json.dumps({"cases": cases}))
