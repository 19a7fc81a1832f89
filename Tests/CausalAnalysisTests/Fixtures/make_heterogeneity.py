"""Heterogeneity, ranking and evaluation of effects, computed by independent routes.

- Regressions (best linear projection, calibration test, groups): statsmodels WLS with HC3, HC1 or cluster-robust errors.
- TOC, AUTOC and QINI (Yadlowsky et al. 2021): plain loops over the definition, one row after another, with ties and weights.
- Uplift and Qini curves: plain loops; without ties and weights also scikit-uplift 0.5.1 (curves, uplift_auc_score,
  qini_auc_score), whose functions take binary outcomes alone.
- Metrics: scikit-learn (AUC, Brier, log loss, R2), statsmodels Logit (calibration slope), loops (DeLong's error); scipy
  (Spearman) for effects against the truth.

Run: python3 make_heterogeneity.py > heterogeneity.json   (numpy, scipy, statsmodels, scikit-learn, scikit-uplift)
"""

import json
import warnings

import numpy as np
import statsmodels.api as sm
from scipy import stats
from sklearn import metrics
from sklift.metrics import qini_auc_score, qini_curve, uplift_auc_score, uplift_curve

warnings.filterwarnings("ignore")
rng = np.random.default_rng(20261128)


def draw(n, arms, binary, weighted, clustered, ties):
    x = rng.normal(size=(n, 3))
    region = rng.integers(0, 3, size=n)
    raw = np.exp(np.outer(x[:, 0], np.linspace(-0.5, 0.5, arms)) + rng.normal(scale=0.1, size=(n, arms)))
    e = raw / raw.sum(axis=1, keepdims=True)
    w = np.array([rng.choice(arms, p=e[i]) for i in range(n)])
    lift = 0.4 + 0.5 * x[:, 1] + 0.3 * (region == 1)
    mu = x[:, :1] * 0.5 + np.arange(arms)[None, :] * lift[:, None]
    if binary:
        mu = 1 / (1 + np.exp(-mu))
        y = (rng.uniform(size=n) < mu[np.arange(n), w]).astype(float)
        mu = np.clip(mu + rng.normal(scale=0.05, size=mu.shape), 0.02, 0.98)
    else:
        y = mu[np.arange(n), w] + rng.normal(size=n)
        mu = mu + rng.normal(scale=0.2, size=mu.shape)
    truth = [lift * k for k in range(1, arms)]
    tau = [lift * k + rng.normal(scale=0.3, size=n) for k in range(1, arms)]
    if ties:
        tau = [np.round(t * 4) / 4 for t in tau]
    weights = rng.integers(1, 5, size=n) * 0.5 if weighted else np.ones(n)
    # A dataset's weights have a mean of 1.
    weights = weights / weights.mean()
    clusters = rng.integers(0, 15, size=n) if clustered else None
    return x, region, e, w, mu, y, tau, truth, weights, clusters


def fit(y, design, weights, clusters, robust):
    model = sm.WLS(y, design, weights=weights)
    if clusters is None:
        return model.fit(cov_type=robust, use_t=True)
    return model.fit(cov_type="cluster", cov_kwds={"groups": clusters, "use_correction": True}, use_t=True)


def rows(result):
    low, high = result.conf_int(0.05).T
    return {"estimate": result.params.tolist(), "std_error": result.bse.tolist(), "lower": low.tolist(), "upper": high.tolist(), "p_value": result.pvalues.tolist()}


def scores(y, w, e, mu, k):
    return mu[:, k] - mu[:, 0] + (w == k) * (y - mu[:, k]) / e[:, k] - (w == 0) * (y - mu[:, 0]) / e[:, 0]


def projection(psi, x, region, weights, clusters):
    design = np.column_stack([np.ones(len(psi)), x, region == 1, region == 2]).astype(float)
    result = fit(psi, design, weights, clusters, "HC3")
    covariance = result.cov_params()
    slopes = result.params[1:]
    wald = float(slopes @ np.linalg.solve(covariance[1:, 1:], slopes))
    return {**rows(result), "wald": wald, "wald_p_value": float(stats.chi2.sf(wald, len(slopes)))}


def calibration(y, w, e, mu, tau, k, weights, clusters):
    pair = (w == 0) | (w == k)
    share = (e[:, k] / (e[:, k] + e[:, 0]))[pair]
    m = share * mu[pair, k] + (1 - share) * mu[pair, 0]
    residual = (w[pair] == k) - share
    mean = np.average(tau[pair], weights=weights[pair])
    design = np.column_stack([residual * mean, residual * (tau[pair] - mean)])
    result = fit(y[pair] - m, design, weights[pair], None if clusters is None else clusters[pair], "HC3")
    freedom = pair.sum() - 2 if clusters is None else len(set(clusters[pair])) - 1
    answer = rows(result)
    answer["p_value"] = stats.t.sf(result.params / result.bse, freedom).tolist()
    return answer


def weighted_groups(values, weights, count):
    order = np.argsort(values, kind="stable")
    cumulative = np.cumsum(weights[order])
    cuts = []
    for j in range(1, count):
        place = int(np.argmax(cumulative >= j / count * cumulative[-1] - 1e-9))
        cut = values[order][place]
        if cut < values.max() and cut not in cuts:
            cuts.append(cut)
    return np.array([sum(v > c for c in cuts) for v in values]), len(cuts) + 1


def groups(psi, tau, weights, clusters, count=4):
    codes, count = weighted_groups(tau, weights, count)
    answer = {"codes": codes.tolist(), "estimate": [], "std_error": []}
    for group in range(count):
        inside = codes == group
        model = sm.WLS(psi[inside], np.ones((inside.sum(), 1)), weights=weights[inside])
        if clusters is None:
            result = model.fit(cov_type="HC1")
        else:
            result = model.fit(cov_type="cluster", cov_kwds={"groups": clusters[inside], "use_correction": True})
        answer["estimate"].append(float(result.params[0]))
        answer["std_error"].append(float(result.bse[0]))
    # The difference of the last and the first: influences added up by cluster, each side with its own G/(G − 1).
    influence = {}
    for group, sign in [(count - 1, 1), (0, -1)]:
        inside = np.flatnonzero(codes == group)
        units = len(inside) if clusters is None else len(set(clusters[inside]))
        factor = np.sqrt(units / (units - 1))
        for i in inside:
            unit = i if clusters is None else int(clusters[i])
            part = sign * factor * weights[i] * (psi[i] - answer["estimate"][group]) / weights[inside].sum()
            influence[unit] = influence.get(unit, 0) + part
    answer["difference"] = answer["estimate"][-1] - answer["estimate"][0]
    answer["difference_std_error"] = float(np.sqrt(sum(v * v for v in influence.values())))
    if clusters is None:
        middle = np.array(answer["estimate"])
        precision = 1 / np.array(answer["std_error"]) ** 2
        mean = (middle * precision).sum() / precision.sum()
        answer["equality"] = float(((middle - mean) ** 2 * precision).sum())
    return answer


def toc_and_rate(psi, tau, weights, grid):
    """By the definition: TOC at the weight of each row, tied rows counting with their average."""
    n = len(psi)
    average = {t: np.average(psi[tau == t], weights=weights[tau == t]) for t in set(tau.tolist())}
    order = sorted(range(n), key=lambda i: (-tau[i], weights[i]))
    total = weights.sum()
    ate = (psi * weights).sum() / total

    def toc(limit):
        left, gained = limit, 0.0
        for i in order:
            part = min(weights[i], left)
            gained += part * average[tau[i]]
            left -= part
            if left <= 0:
                break
        return gained / limit - ate

    autoc = qini = ahead = 0.0
    for i in order:
        ahead += weights[i]
        autoc += weights[i] * toc(ahead)
        qini += weights[i] * ahead / total * toc(ahead)
    return {"autoc": autoc / total, "qini": qini / total, "toc": [toc(q * total) for q in grid[:-1]] + [0.0]}


def curves(y, w, tau, k, weights, grid, binary):
    pair = np.flatnonzero((w == 0) | (w == k))
    if not binary:
        # Outcomes count from their mean: where an arm has no row yet, the outcome's zero must not matter.
        y = y - (weights[pair] * y[pair]).sum() / weights[pair].sum()
    total, treated_total = weights[pair].sum(), weights[pair][w[pair] == k].sum()

    def walk(value):
        points = [(0.0, 0.0, 0.0)]
        for level in sorted(set(value[pair].tolist()), reverse=True):
            first = pair[value[pair] >= level]
            t, c = first[w[first] == k], first[w[first] == 0]
            nt, nc = weights[t].sum(), weights[c].sum()
            yt, yc = (weights[t] * y[t]).sum(), (weights[c] * y[c]).sum()
            uplift = (yt / nt if nt > 0 else 0) - (yc / nc if nc > 0 else 0)
            qini = yt - (yc * nt / nc if nc > 0 else 0)
            points.append(((nt + nc) / total, uplift * (nt + nc) / total, qini / treated_total))
        return np.array(points)

    points = walk(tau)
    excess = [float(np.trapezoid(points[:, j], points[:, 0]) - points[-1, j] / 2) for j in (1, 2)]
    answer = {
        "auuc": excess[0], "qini": excess[1], "auuc_normalized": excess[0] / points[-1, 1],
        "qini_normalized": excess[1] / points[-1, 2],
        "gain": np.interp(grid, points[:, 0], points[:, 1]).tolist(),
        "qini_curve": np.interp(grid, points[:, 0], points[:, 2]).tolist(),
    }
    if binary:
        # scikit-uplift's perfect rankings: of uplift, rows whose outcome is their arm, responders of the control before or after the
        # others; of Qini, treated responders first and responders of the control last.
        responders = weights[(y == 1) & (w == 0)].sum()
        others = weights[(y == 0) & (w == k)].sum()
        ideal = 2.0 * (y == (w == k)) + (y if responders > others else (w == k))
        for j, name, perfect in ((1, "auuc", walk(ideal)), (2, "qini", walk(np.where(w == k, y, -y)))):
            best = np.trapezoid(perfect[:, j], perfect[:, 0]) - perfect[-1, j] / 2
            answer[f"{name}_of_perfect"] = float(excess[j - 1] / best)
        if len(set(tau[pair])) == len(pair) and np.ptp(weights) == 0:
            yp, tp, wp = y[pair].astype(int), tau[pair], (w[pair] == k).astype(int)
            assert abs(uplift_auc_score(yp, tp, wp) - answer["auuc_of_perfect"]) < 1e-12
            assert abs(qini_auc_score(yp, tp, wp) - answer["qini_of_perfect"]) < 1e-12
            n, gain = uplift_curve(yp, tp, wp)
            assert abs(metrics.auc(n, gain) / len(pair) ** 2 - points[-1, 1] / 2 - excess[0]) < 1e-12
            n, qini = qini_curve(yp, tp, wp)
            assert abs(metrics.auc(n, qini) / len(pair) / wp.sum() - points[-1, 2] / 2 - excess[1]) < 1e-12
            answer["scikit_uplift"] = [uplift_auc_score(yp, tp, wp), qini_auc_score(yp, tp, wp)]
    return answer


def losses(y, w, e, mu, tau, k, weights, clusters):
    def compare(target, slope, use):
        constant = (weights * slope * target)[use].sum() / (weights * slope * slope)[use].sum()
        model = (target - slope * tau)[use] ** 2
        base = (target - slope * constant)[use] ** 2
        answer = {}
        for name, values in (("model", model), ("constant", base), ("gain", base - model)):
            fitted = sm.WLS(values, np.ones((use.sum(), 1)), weights=weights[use])
            if clusters is None:
                result = fitted.fit(cov_type="HC1")
            else:
                result = fitted.fit(cov_type="cluster", cov_kwds={"groups": clusters[use], "use_correction": True})
            answer[name] = [float(result.params[0]), float(result.bse[0])]
        return answer

    pair = (w == 0) | (w == k)
    share = e[:, k] / (e[:, k] + e[:, 0])
    m = share * mu[:, k] + (1 - share) * mu[:, 0]
    return {
        "r": compare(y - m, (w == k) - share, pair),
        "dr": compare(scores(y, w, e, mu, k), np.ones(len(y)), np.ones(len(y), bool)),
    }


def probabilities(event, p, weights, clusters):
    answer = {
        "log_loss": metrics.log_loss(event, p, sample_weight=weights),
        "brier": metrics.brier_score_loss(event, p, sample_weight=weights),
        "auc": metrics.roc_auc_score(event, p, sample_weight=weights),
        "r_squared": metrics.r2_score(event, p, sample_weight=weights),
        "rmse": metrics.root_mean_squared_error(event, p, sample_weight=weights),
    }
    odds = np.log(p / (1 - p))
    logit = sm.GLM(event, np.column_stack([np.ones(len(p)), odds]), family=sm.families.Binomial(), freq_weights=weights).fit(tol=1e-14, maxiter=200)
    answer["calibration_slope"] = float(logit.params[1])
    if clusters is None and np.ptp(weights) == 0:
        # DeLong's variance by its definition, with the divisors n rather than n − 1 that influences have.
        a, b = p[event == 1], p[event == 0]
        v10 = np.array([np.mean((x > b) + 0.5 * (x == b)) for x in a])
        v01 = np.array([np.mean((a > x) + 0.5 * (a == x)) for x in b])
        variance = v10.var() / len(a) + v01.var() / len(b)
        answer["auc_std_error"] = float(np.sqrt(variance * len(p) / (len(p) - 1)))
    return answer


def against_truth(tau, truth, weights):
    answer = {
        "pehe": float(np.sqrt(np.average((tau - truth) ** 2, weights=weights))),
        "ate_error": float(np.average(tau - truth, weights=weights)),
        "policy_risk": float(np.average(np.maximum(truth, 0) - (tau > 0) * truth, weights=weights)),
    }
    if np.ptp(weights) == 0:
        answer["rank_correlation"] = float(stats.spearmanr(tau, truth)[0])
        answer["correlation"] = float(stats.pearsonr(tau, truth)[0])
    return answer


cases = []
for name, n, arms, binary, weighted, clustered, ties in [
    ("plain", 120, 2, False, False, False, False),
    ("ties and weights", 120, 2, False, True, False, True),
    ("clusters and weights", 150, 2, False, True, True, False),
    ("binary", 160, 2, True, False, False, False),
    ("binary, ties, weights and clusters", 160, 2, True, True, True, True),
    ("three arms, ties", 180, 3, False, False, False, True),
]:
    x, region, e, w, mu, y, tau, truth, weights, clusters = draw(n, arms, binary, weighted, clustered, ties)
    grid = [(j + 1) / 5 for j in range(5)]
    case = {
        "name": name, "x": x.T.tolist(), "region": region.tolist(), "arms": w.tolist(), "outcome": y.tolist(),
        "propensities": e.T.tolist(), "arm_means": mu.T.tolist(), "effects": [t.tolist() for t in tau],
        "truth": [t.tolist() for t in truth], "weights": weights.tolist() if weighted else [],
        "clusters": clusters.tolist() if clustered else [], "binary": binary, "by_arm": [],
    }
    for k in range(1, arms):
        psi = scores(y, w, e, mu, k)
        case["by_arm"].append({
            "projection": projection(psi, x, region, weights, clusters),
            "calibration": calibration(y, w, e, mu, tau[k - 1], k, weights, clusters),
            "groups": groups(psi, tau[k - 1], weights, clusters),
            "rate": toc_and_rate(psi, tau[k - 1], weights, grid),
            "curves": curves(y, w, tau[k - 1], k, weights, grid, binary),
            "losses": losses(y, w, e, mu, tau[k - 1], k, weights, clusters),
            "propensity": probabilities((w == k).astype(float), e[:, k], weights, clusters),
            "truth": against_truth(tau[k - 1], truth[k - 1], weights),
        })
    if binary:
        case["outcomes"] = [probabilities(y[w == k], mu[w == k, k], weights[w == k], None if clusters is None else clusters[w == k]) for k in range(arms)]
    else:
        case["outcomes"] = [{"r_squared": metrics.r2_score(y[w == k], mu[w == k, k], sample_weight=weights[w == k]),
                             "rmse": metrics.root_mean_squared_error(y[w == k], mu[w == k, k], sample_weight=weights[w == k])} for k in range(arms)]
    cases.append(case)
print(json.dumps({"cases": cases}))
