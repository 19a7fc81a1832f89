"""References for overlap, balance, refutation and sensitivity: python make_checks.py

Needs numpy, scipy, scikit-learn, statsmodels, PySensemakr and DoubleML. Where a library knows the quantity, it computes it;
else it is computed from its definition by brute force.
"""

import json
import pathlib

import doubleml
import numpy as np
import pandas as pd
import sensemakr
import statsmodels.api as sm
from scipy.optimize import linprog
from scipy.stats import norm, wilcoxon
from sklearn.base import BaseEstimator
from sklearn.metrics import roc_auc_score

rng = np.random.default_rng(20)


def numbers(values):
    return [None if not np.isfinite(v) else float(v) for v in np.asarray(values, float)]


def auc():
    cases = []
    for weighted in (False, True):
        scores = np.round(rng.normal(size=60), 1)
        positive = rng.random(60) < 1 / (1 + np.exp(-scores))
        weights = rng.uniform(0.2, 3, 60) if weighted else np.ones(60)
        cases.append({
            "scores": numbers(scores), "positive": numbers(positive), "weights": numbers(weights),
            "auc": roc_auc_score(positive, scores, sample_weight=weights)})
    return cases


def crump():
    """The set of rows of least Σ w g / (Σ w)², over all thresholds."""
    cases = []
    for scale in (0.3, 2.5):
        e = 1 / (1 + np.exp(-scale * rng.normal(size=80)))
        w = rng.uniform(0.5, 2, 80)
        g = 1 / (e * (1 - e))
        best = min(g, key=lambda c: w[g <= c] @ g[g <= c] / w[g <= c].sum() ** 2)
        kept = g <= best
        mean = w[kept] @ g[kept] / w[kept].sum()
        alpha = 0.0 if kept.all() else 0.5 - np.sqrt(0.25 - 1 / (2 * mean))
        # The fixed point of the paper: the rows within α and 1 − α are those that are kept.
        assert kept.all() or (kept == ((e >= alpha) & (e <= 1 - alpha))).all()
        cases.append({
            "propensity": numbers(e), "weights": numbers(w), "threshold": alpha,
            "kept": w[kept].sum() / w.sum()})
    return cases


def study(n=120, seed=1, confounded=1.0):
    """A small study with nuisances that are given."""
    r = np.random.default_rng(seed)
    x1, x2 = r.normal(size=n), r.uniform(size=n)
    group = r.integers(0, 3, n)
    e = 1 / (1 + np.exp(-confounded * (x1 - x2 + 0.3 * (group == 1))))
    e = np.clip(e, 0.05, 0.95)
    d = (r.random(n) < e).astype(float)
    m0 = x1 + x2 + 0.4 * (group == 2)
    m1 = m0 + 1 + 0.5 * x1
    y = np.where(d == 1, m1, m0) + r.normal(size=n)
    w = r.uniform(0.3, 2, n)
    w /= w.mean()
    return dict(x1=x1, x2=x2, group=group, e=e, d=d, m0=m0, m1=m1, y=y, w=w)


def shown(s):
    return {k: numbers(v) for k, v in s.items()}


def moments(values, weights):
    mean = weights @ values / weights.sum()
    return mean, weights @ (values - mean) ** 2 / (weights.sum() - (weights**2).sum() / weights.sum())


def balance(s):
    """Differences by raw, inverse-probability, overlap and matched weights; matched by brute force."""
    d, e, w = s["d"] == 1, s["e"], s["w"]
    matched = np.where(d, w, 0.0)
    for i in np.flatnonzero(d):
        control = np.flatnonzero(~d)
        matched[control[np.argmin(np.abs(e[control] - e[i]))]] += w[i]
    ways = [w, w / np.where(d, e, 1 - e), w * np.where(d, 1 - e, e), matched]
    rows = []
    terms = [("x1", s["x1"]), ("x2", s["x2"])] + [
        (f"group {k}", (s["group"] == k).astype(float)) for k in range(3)]
    for name, x in terms:
        scale = np.sqrt((moments(x[d], w[d])[1] + moments(x[~d], w[~d])[1]) / 2)
        smd, ratio = [], []
        for weights in ways:
            (mean1, var1), (mean0, var0) = moments(x[d], weights[d]), moments(x[~d], weights[~d])
            smd.append((mean1 - mean0) / scale)
            ratio.append(var1 / var0)
        rows.append({"term": name, "smd": smd, "ratio": ratio})
    sizes = [[float(v[k].sum() ** 2 / (v[k] ** 2).sum()) for k in (d, ~d)] for v in ways]
    return {"rows": rows, "effective": sizes}


def linear(s):
    """Robustness values and benchmarks by sensemakr; partial R² by statsmodels."""
    data = pd.DataFrame({"y": s["y"], "d": s["d"], "x1": s["x1"], "x2": s["x2"],
                         "g1": (s["group"] == 1) * 1.0, "g2": (s["group"] == 2) * 1.0})
    result = sm.OLS(data.y, sm.add_constant(data[["d", "x1", "x2", "g1", "g2"]])).fit()
    sense = sensemakr.Sensemakr(model=result, treatment="d", benchmark_covariates=["x1", "x2"],
                                kd=[1, 2, 3])
    bounds = sense.bounds
    group = sensemakr.Sensemakr(model=result, treatment="d", benchmark_covariates=[["g1", "g2"]],
                                kd=[1, 2, 3]).bounds

    def listed(frame):
        return [{k: float(row[k]) for k in (
            "r2dz_x", "r2yz_dx", "adjusted_estimate", "adjusted_se",
            "adjusted_lower_CI", "adjusted_upper_CI")} for _, row in frame.iterrows()]

    weighted = sm.WLS(data.y, sm.add_constant(data[["d", "x1", "x2", "g1", "g2"]]), weights=s["w"]).fit()
    def sse(columns):
        return sm.WLS(data.y, sm.add_constant(data[columns]), weights=s["w"]).fit().ssr
    full = sse(["d", "x1", "x2", "g1", "g2"])
    return {
        "estimate": result.params["d"], "std_error": result.bse["d"],
        "rv": float(sense.sensitivity_stats["rv_q"]), "rv_a": float(sense.sensitivity_stats["rv_qa"]),
        "r2": float(sense.sensitivity_stats["r2yd_x"]),
        "bounds": listed(bounds), "group": listed(group),
        "weighted": {
            "estimate": weighted.params["d"], "std_error": weighted.bse["d"],
            "r2_group": 1 - full / sse(["d", "x1", "x2"]), "r2_x1": 1 - full / sse(["d", "x2", "g1", "g2"])}}


def robustness_values():
    """Of many t and degrees of freedom, the rare branch as well."""
    cases = []
    for t, dof in [(4.18, 783), (0.5, 50), (2.1, 100), (-3, 20), (15, 4), (60, 8), (1000, 5000)]:
        cases.append({
            "t": t, "dof": dof,
            "rv": float(np.ravel(sensemakr.robustness_value(t_statistic=t, dof=dof, q=1))[0]),
            "rv_a": float(np.ravel(sensemakr.robustness_value(t_statistic=t, dof=dof, q=1, alpha=0.05))[0])})
    return cases


class Given(BaseEstimator):
    """Stands for a learner; its predictions are given to DoubleML."""

    def fit(self, *_):
        return self

    def predict(self, x):
        return np.zeros(len(x))

    def predict_proba(self, x):
        return np.full((len(x), 2), 0.5)


class GivenClassifier(Given):
    _estimator_type = "classifier"
    classes_ = np.array([0, 1])


def doubly_robust(s):
    n = len(s["y"])
    data = doubleml.DoubleMLData.from_arrays(np.column_stack([s["x1"], s["x2"]]), s["y"], s["d"])
    from sklearn.dummy import DummyClassifier, DummyRegressor
    model = doubleml.DoubleMLIRM(data, DummyRegressor(), DummyClassifier(), n_folds=2)
    model.fit(external_predictions={"d": {
        "ml_g0": s["m0"].reshape(-1, 1), "ml_g1": s["m1"].reshape(-1, 1), "ml_m": s["e"].reshape(-1, 1)}})
    cases = []
    for cf, rho in [(0.01, 1.0), (0.03, 1.0), (0.1, 0.7)]:
        model.sensitivity_analysis(cf_y=cf, cf_d=cf, rho=rho, level=0.975)
        p = model.sensitivity_params
        # The errors of both ends from their influence functions. DoubleML 0.11 scales its score by a derivative of −1, so that
        # it gives each end the error of the other one.
        d, e, y = s["d"], s["e"], s["y"]
        score = s["m1"] - s["m0"] + d * (y - s["m1"]) / e - (1 - d) * (y - s["m0"]) / (1 - e)
        left = (y - np.where(d == 1, s["m1"], s["m0"])) ** 2
        alpha = 2 * (1 / e + 1 / (1 - e)) - (d / e - (1 - d) / (1 - e)) ** 2
        bias = np.sqrt(left.mean() * alpha.mean())
        influence = (left.mean() * (alpha - alpha.mean()) + alpha.mean() * (left - left.mean())) / (2 * bias)
        c = rho * np.sqrt(cf * cf / (1 - cf))
        errors = [np.sqrt(((score - score.mean() + k * c * influence) ** 2).sum() / (n - 1) / n) for k in (-1, 1)]
        assert np.allclose(np.array(errors[::-1]) * np.sqrt((n - 1) / n),
                           [p["se"]["lower"][0], p["se"]["upper"][0]], rtol=1e-10)
        cases.append({
            "strength": cf, "rho": rho, "theta_lower": p["theta"]["lower"][0],
            "theta_upper": p["theta"]["upper"][0], "lower": p["theta"]["lower"][0] - norm.ppf(0.975) * errors[0],
            "upper": p["theta"]["upper"][0] + norm.ppf(0.975) * errors[1], "rv": p["rv"][0]})
    return {"estimate": model.coef[0], "cases": cases, "rows": n}


def signed_rank():
    cases = []
    for digits, shift in [(6, 0.4), (1, 0.3), (0, -0.8)]:
        x = np.round(rng.normal(size=70) + shift, digits)
        x = x + 0.0
        kept = x[x != 0]
        up = wilcoxon(x, alternative="greater", correction=False, method="asymptotic").pvalue
        down = wilcoxon(x, alternative="less", correction=False, method="asymptotic").pvalue
        from scipy.stats import rankdata
        ranks = rankdata(np.abs(kept))
        t = max(ranks[kept > 0].sum(), ranks[kept < 0].sum())
        bounds = []
        for gamma in (1, 1.3, 2, 4):
            row = [gamma]
            for p in (1 / (1 + gamma), gamma / (1 + gamma)):
                # Each pair's rank counts with probability p: mean and variance of a sum of independent draws.
                mean, variance = (ranks * p).sum(), (ranks**2 * p * (1 - p)).sum()
                row.append(norm.sf((t - mean) / np.sqrt(variance)))
            bounds.append(row)
        cases.append({"differences": numbers(x), "p": float(min(up, down)), "bounds": bounds})
    return cases


def extreme(r, certain, uncertain, lam, sign):
    """max of sign · Σ v r / Σ v, v = certain + z uncertain, 1/Λ ≤ z ≤ Λ: a linear programme (Charnes & Cooper)."""
    n = len(r)
    # Variables v_i ≥ 0 scaled so that Σ v = 1, and the scale s: certain s + uncertain s/Λ ≤ v ≤ certain s + uncertain s Λ.
    cost = np.append(-sign * r, 0.0)
    upper = np.hstack([np.eye(n), -(certain + uncertain * lam)[:, None]])
    lower = np.hstack([-np.eye(n), (certain + uncertain / lam)[:, None]])
    found = linprog(cost, A_ub=np.vstack([upper, lower]), b_ub=np.zeros(2 * n),
                    A_eq=np.append(np.ones(n), 0.0)[None], b_eq=[1], bounds=[(0, None)] * (n + 1),
                    method="highs", options={"primal_feasibility_tolerance": 1e-10,
                                             "dual_feasibility_tolerance": 1e-10})
    return -sign * found.fun * sign if sign < 0 else -found.fun


def marginal(s):
    cases = []
    d, e, w = s["d"] == 1, s["e"], s["w"]
    for method in ("aipw", "ipw"):
        m1, m0 = (s["m1"], s["m0"]) if method == "aipw" else (0 * s["m1"], 0 * s["m0"])
        base = w @ (m1 - m0) / w.sum()
        for lam in (1, 1.2, 2, 5):
            ends = []
            for sign in (-1, 1):
                one = linear_end(s["y"][d] - m1[d], w[d], w[d] * (1 - e[d]) / e[d], lam, sign)
                zero = linear_end(s["y"][~d] - m0[~d], w[~d], w[~d] * e[~d] / (1 - e[~d]), lam, -sign)
                ends.append(base + one - zero)
            cases.append({"method": method, "lambda": lam, "lower": ends[0], "upper": ends[1]})
    return cases


def linear_end(r, certain, uncertain, lam, sign):
    value = extreme(sign * r, certain, uncertain, lam, 1)
    return sign * value


def e_values(s):
    d, e, w = s["d"] == 1, s["e"], s["w"]
    p1 = 1 / (1 + np.exp(-s["m1"]))
    p0 = 1 / (1 + np.exp(-s["m0"]))
    y = (rng.random(len(d)) < np.where(d, p1, p0)).astype(float)
    g1 = p1 + d * (y - p1) / e
    g0 = p0 + ~d * (y - p0) / (1 - e)
    a, b = w @ g1 / w.sum(), w @ g0 / w.sum()
    # The delta method by its gradient on the covariance matrix of both means.
    n = len(d)
    influence = np.column_stack([w * (g1 - a), w * (g0 - b)]) / w.sum()
    covariance = influence.T @ influence * n / (n - 1)
    gradient = np.array([1 / a, -1 / b])
    error = np.sqrt(gradient @ covariance @ gradient)
    z = norm.ppf(0.975)
    return {"outcome": numbers(y), "p0": numbers(p0), "p1": numbers(p1), "risk_ratio": a / b,
            "lower": a / b * np.exp(-z * error), "upper": a / b * np.exp(z * error)}


one = study()
unweighted = dict(one, w=np.ones(len(one["y"])))
document = {
    "auc": auc(), "crump": crump(), "study": shown(one), "balance": balance(one), "linear": linear(one),
    "robustness_values": robustness_values(), "doubly_robust": doubly_robust(one),
    "signed_rank": signed_rank(), "marginal": marginal(one), "e_value": e_values(one),
}
path = pathlib.Path(__file__).with_name("checks.json")
path.write_text(json.dumps(document, indent=1, allow_nan=False) + "\n")
print(path, path.stat().st_size)
