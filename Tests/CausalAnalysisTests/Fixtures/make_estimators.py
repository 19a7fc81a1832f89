"""Average effects by every estimator, computed by independent routes:

- difference in means: scipy's Welch test; with clusters statsmodels; with weights plain loops.
- OLS: statsmodels WLS on a design built by hand, with HC0 to HC3 and cluster-robust errors and Student's t; effects over a
  population by adding up influences row by row.
- IPW: statsmodels WLS on the arm (Hajek), loops (Horvitz-Thompson).
- matching: all pairs of rows compared, the errors of Abadie and Imbens (2006) written out; make_matchit.R has MatchIt's.
- AIPW: DoubleML's IRM (ate, att, atc with the arms exchanged) and PLR (ato), with our nuisances; loops where there are weights.
- TMLE: a logistic fluctuation with an offset by statsmodels GLM.

Run: python3 make_estimators.py > estimators.json   (numpy, pandas, scipy, statsmodels, doubleml)
"""

import json
import warnings

import doubleml as dml
import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import stats

warnings.filterwarnings("ignore")
rng = np.random.default_rng(20250611)
ESTIMANDS = ["ate", "att", "atc", "ato"]


def draw(n, arms, ties):
    x1, x2 = rng.normal(size=n), rng.normal(size=n)
    level = rng.integers(0, 3, size=n)
    x2[rng.uniform(size=n) < 0.1] = np.nan
    known = np.where(np.isnan(x2), 0, x2)
    if ties:
        x1, known, x2 = np.round(x1), np.round(known), np.round(x2)
    raw = np.exp(np.outer(0.7 * x1 - 0.3 * (level == 2), np.linspace(-0.8, 0.8, arms)))
    e = raw / raw.sum(axis=1, keepdims=True)
    w = np.array([rng.choice(arms, p=e[i]) for i in range(n)])
    mu = np.stack([x1 + 0.4 * known + k * (0.5 + 0.4 * x1) for k in range(arms)], axis=1)
    y = mu[np.arange(n), w] + rng.normal(size=n) * (1 + 0.3 * np.abs(x1))
    mu = mu + 0.2 * np.sin(3 * x1)[:, None]
    return pd.DataFrame({"x1": x1, "x2": x2, "level": level}), y, w, e, mu


def summary(estimate, error, df=None, level=0.95):
    tail = stats.t(df) if df is not None else stats.norm()
    half = tail.ppf((1 + level) / 2) * error
    return {"estimate": float(estimate), "std_error": float(error), "lower": float(estimate - half),
            "upper": float(estimate + half), "p_value": float(2 * tail.sf(abs(estimate / error)))}


def aggregate(influences, clusters):
    """The standard error of a sum of influences, with G/(G - 1)."""
    if clusters is not None:
        influences = pd.Series(influences).groupby(clusters).sum().to_numpy()
    return np.sqrt((influences**2).sum() * len(influences) / (len(influences) - 1))


def ratio(a, b, v, clusters):
    theta = (v * a).sum() / (v * b).sum()
    return summary(theta, aggregate(v * (a - theta * b) / (v * b).sum(), clusters))


def difference_in_means(y, w, k, v, weighted, clusters):
    pair = (w == k) | (w == 0)
    if clusters is not None:
        fit = sm.WLS(y[pair], sm.add_constant((w[pair] == k).astype(float)), weights=v[pair]).fit(
            cov_type="cluster", cov_kwds={"groups": clusters[pair]}, use_t=True)
        return summary(fit.params[1], fit.bse[1], len(set(clusters[pair])) - 1)
    if not weighted:
        test = stats.ttest_ind(y[w == k], y[w == 0], equal_var=False)
        ends = test.confidence_interval(0.95)
        estimate = y[w == k].mean() - y[w == 0].mean()
        return {"estimate": float(estimate), "std_error": float(estimate / test.statistic),
                "lower": float(ends.low), "upper": float(ends.high), "p_value": float(test.pvalue)}
    parts = []
    for arm in (k, 0):
        own, u = y[w == arm], v[w == arm]
        mean = np.average(own, weights=u)
        n = len(own)
        parts.append((mean, n / (n - 1) * (u**2 * (own - mean) ** 2).sum() / u.sum() ** 2, n))
    variance = parts[0][1] + parts[1][1]
    df = variance**2 / sum(p[1] ** 2 / (p[2] - 1) for p in parts)
    return summary(parts[0][0] - parts[1][0], np.sqrt(variance), df)


def columns(x, v):
    missing = x["x2"].isna().to_numpy()
    filled = x["x2"].to_numpy().copy()
    filled[missing] = np.average(filled[~missing], weights=v[~missing])
    c = np.column_stack([x["x1"], filled, missing, x["level"] == 1, x["level"] == 2]).astype(float)
    return c, ["x1", "x2", "x2 is missing", "level = b", "level = c"]


def ols(x, y, w, arms, v, clusters, adjustment, errors):
    c, names = columns(x, v)
    n = len(y)
    indicators = np.column_stack([w == k for k in range(1, arms)]).astype(float)
    labels = [f"treatment = arm {k}" for k in range(1, arms)]
    design, terms = [np.ones(n), indicators], ["(constant)"] + labels
    mean = np.average(c, axis=0, weights=v)
    if adjustment == "plain":
        design.append(c)
        terms += names
    if adjustment == "interacted":
        design.append(c - mean)
        terms += names
        for k in range(arms - 1):
            design.append(indicators[:, [k]] * (c - mean))
            terms += [f"{labels[k]} × {name}" for name in names]
    design = np.column_stack(design)
    model = sm.WLS(y, design, weights=v)
    if clusters is None:
        fit = model.fit(cov_type=errors.upper(), use_t=True)
        df = n - design.shape[1]
    else:
        fit = model.fit(cov_type="cluster", cov_kwds={"groups": clusters}, use_t=True)
        df = len(set(clusters)) - 1
    ends = fit.conf_int(0.05)
    coefficients = [
        {"term": terms[j], "estimate": float(fit.params[j]), "std_error": float(fit.bse[j]), "lower": float(ends[j][0]),
         "upper": float(ends[j][1]), "p_value": float(fit.pvalues[j]), "t": float(fit.tvalues[j])}
        for j in range(design.shape[1])]

    # Influences by definition: (X'VX)^-1 x v r, with residuals that the kind of errors adjusts.
    bread = np.linalg.inv(design.T @ (v[:, None] * design))
    residuals = y - design @ fit.params
    leverage = v * np.einsum("ij,jk,ik->i", design, bread, design)
    kind = "cluster" if clusters is not None else errors
    groups = len(set(clusters)) if clusters is not None else 0
    factor = {"hc0": 1, "hc1": np.sqrt(n / (n - design.shape[1])), "hc2": 1 / np.sqrt(1 - leverage), "hc3": 1 / (1 - leverage),
              "cluster": np.sqrt(groups / (groups - 1) * (n - 1) / (n - design.shape[1])) if groups else 0}[kind]
    effects = {}
    for k in range(1, arms):
        for estimand in ["ate", "att", "atc"]:
            member = {"ate": np.ones(n), "att": w == k, "atc": w == 0}[estimand] * v
            contrast = np.zeros(design.shape[1])
            contrast[k] = 1
            extra = np.zeros(n)
            if adjustment == "interacted":
                target = np.average(c, axis=0, weights=member)
                first = arms + c.shape[1] * k
                contrast[first:first + c.shape[1]] = target - mean
                extra = member * ((c - target) @ fit.params[first:first + c.shape[1]]) / member.sum()
            influence = (design @ bread @ contrast) * v * residuals * factor + extra
            if clusters is not None:
                influence = pd.Series(influence).groupby(clusters).sum().to_numpy()
            effects.setdefault(estimand, []).append(
                summary(contrast @ fit.params, np.sqrt((influence**2).sum()), df))
            if adjustment != "interacted":
                assert abs(effects[estimand][-1]["std_error"] / fit.bse[k] - 1) < 1e-9
    return {"coefficients": coefficients, "r_squared": float(fit.rsquared), "effects": effects}


def tilts(w, e, k, estimand):
    treated, control = e[:, k], e[:, 0]
    overlap = treated * control / (treated + control)
    h = {"ate": np.ones(len(w)), "att": treated, "atc": control, "ato": overlap}[estimand]
    population = {"ate": h, "att": (w == k).astype(float), "atc": (w == 0).astype(float), "ato": overlap}[estimand]
    return np.where(w == k, h / treated, np.where(w == 0, h / control, 0)), population


def hajek(y, w, e, k, v, clusters, estimand):
    weight, _ = tilts(w, e, k, estimand)
    pair = (w == k) | (w == 0)
    fit = sm.WLS(y[pair], sm.add_constant((w[pair] == k).astype(float)), weights=(v * weight)[pair])
    if clusters is None:
        n = len(y)
        fit = fit.fit(cov_type="HC0")
    else:
        n = len(set(clusters))
        fit = fit.fit(cov_type="cluster", cov_kwds={"groups": clusters[pair], "use_correction": False})
    return summary(fit.params[1], fit.bse[1] * np.sqrt(n / (n - 1)))


def horvitz_thompson(y, w, e, k, v, clusters, estimand):
    weight, population = tilts(w, e, k, estimand)
    return ratio(np.where(w == k, 1, -1) * weight * y, population, v, clusters)


def matching(y, w, e, k, v, clusters, estimand, options):
    share = e[:, k] / (e[:, 0] + e[:, k])
    score = np.log(e[:, k] / e[:, 0]) if options["score"] == "logit" else share
    pair = np.flatnonzero((w == k) | (w == 0))
    width = options["caliper"] * score[pair].std(ddof=1) if options["caliper"] else np.inf
    treated, control = np.flatnonzero(w == k), np.flatnonzero(w == 0)
    jobs = {"att": [(treated, control)], "atc": [(control, treated)], "ate": [(treated, control), (control, treated)]}[estimand]
    n = len(y)
    uses, squares, own = np.zeros(n), np.zeros(n), np.zeros(n)
    difference, missed = {}, 0
    for targets, pool in jobs:
        sets = {}
        if options["replacement"]:
            for i in targets:
                distance = np.abs(score[pool] - score[i])
                limit = np.sort(distance)[min(options["ratio"], len(pool)) - 1]
                chosen = pool[(distance <= limit + 1e-12) & (distance <= width)]
                if limit > width:
                    chosen = pool[distance <= width]
                sets[i] = chosen
        else:
            free = set(pool)
            sets = {i: [] for i in targets}
            order = sorted(targets, key=lambda i: -score[i] if estimand == "att" else score[i])
            for _ in range(options["ratio"]):
                for i in order:
                    if not free:
                        continue
                    nearest = min(free, key=lambda j: abs(score[j] - score[i]))
                    if abs(score[nearest] - score[i]) <= width:
                        free.remove(nearest)
                        sets[i].append(nearest)
        for i, chosen in sets.items():
            chosen = np.array(chosen, dtype=int)
            if len(chosen) == 0:
                missed += 1
                continue
            shares = v[chosen] / v[chosen].sum()
            difference[i] = (1 if w[i] == k else -1) * (y[i] - shares @ y[chosen])
            own[i] = v[i]
            uses[chosen] += v[i] * shares
            squares[chosen] += (v[i] * shares) ** 2
    rows = np.array(sorted(difference))
    d = np.array([difference[i] for i in rows])
    total = v[rows].sum()
    theta = v[rows] @ d / total
    weights = own + uses
    if clusters is not None:
        mean = {arm: (weights * y)[w == arm].sum() / total for arm in (0, k)}
        influence = np.zeros(n)
        for i in pair:
            influence[i] = (1 if w[i] == k else -1) * weights[i] * (y[i] - mean[w[i]]) / total
        error = aggregate(influence, clusters)
        assert abs(mean[k] - mean[0] - theta) < 1e-10
    elif not options["replacement"]:
        scores, members = np.zeros(n), np.zeros(n)
        scores[rows], members[rows] = d, 1
        error = ratio(scores, members, v, None)["std_error"]
    else:
        variance = (v[rows] ** 2 * (d - theta) ** 2).sum()
        for i in np.flatnonzero(uses > 0):
            others = np.flatnonzero((w == w[i]) & (np.arange(n) != i))
            distance = np.abs(score[others] - score[i])
            limit = np.sort(distance)[min(options["neighbours"], len(others)) - 1]
            near = others[distance <= limit + 1e-12]
            sigma = len(near) / (len(near) + 1) * (y[i] - y[near].mean()) ** 2
            variance += ((own[i] + uses[i]) ** 2 - own[i] ** 2 - squares[i]) * sigma
        error = np.sqrt(variance) / total
    return {**summary(theta, error), "weights": [float(f"{u:.12g}") for u in weights], "unmatched": missed}


def aipw(y, w, e, mu, k, v, clusters, estimand, plain):
    treated, control = (w == k).astype(float), (w == 0).astype(float)
    below0, below1 = y - mu[:, 0], y - mu[:, k]
    if estimand == "ate":
        a = mu[:, k] - mu[:, 0] + treated * below1 / e[:, k] - control * below0 / e[:, 0]
        b = np.ones(len(y))
    elif estimand == "att":
        a, b = treated * below0 - control * e[:, k] / e[:, 0] * below0, treated
    elif estimand == "atc":
        a, b = treated * e[:, 0] / e[:, k] * below1 - control * below1, control
    else:
        share = e[:, k] / (e[:, 0] + e[:, k])
        m = share * mu[:, k] + (1 - share) * mu[:, 0]
        pair = treated + control
        a, b = pair * (treated - share) * (y - m), pair * (treated - share) ** 2
    result = ratio(a, b, v, clusters)
    if plain:
        n = len(y)
        d, m1, g0, g1, sign = treated, e[:, k], mu[:, 0], mu[:, k], 1
        if estimand == "atc":
            d, m1, g0, g1, sign = control, e[:, 0], mu[:, k], mu[:, 0], -1
        data = dml.DoubleMLData.from_arrays(np.zeros((n, 1)) + rng.normal(size=(n, 1)), y, d)
        dummy_g, dummy_m = dml.utils.DMLDummyRegressor(), dml.utils.DMLDummyClassifier()
        column = lambda values: np.asarray(values, dtype=float).reshape(-1, 1)
        if estimand == "ato":
            model = dml.DoubleMLPLR(data, dummy_g, dummy_m, n_folds=2)
            model.fit(external_predictions={"d": {"ml_l": column(m1 * g1 + (1 - m1) * g0), "ml_m": column(m1)}})
        else:
            model = dml.DoubleMLIRM(data, dummy_g, dummy_m, n_folds=2, score="ATE" if estimand == "ate" else "ATTE")
            model.fit(external_predictions={"d": {"ml_g0": column(g0), "ml_g1": column(g1), "ml_m": column(m1)}})
        assert abs(sign * model.coef[0] - result["estimate"]) < 1e-9, (estimand, model.coef, result)
        error = model.se[0] * np.sqrt(n / (n - 1))
        assert abs(error / result["std_error"] - 1) < 1e-8, (estimand, error, result)
        result = summary(sign * model.coef[0], error)
    return result


def tmle(y, w, e, mu, k, v, clusters, estimand):
    low, width = y.min(), y.max() - y.min()
    scaled = (y - low) / width
    moved = mu.copy()
    for arm, clever in {
        "ate": [(0, 1 / e[:, 0]), (k, 1 / e[:, k])], "att": [(0, e[:, k] / e[:, 0])], "atc": [(k, e[:, 0] / e[:, k])],
    }[estimand]:
        offset = np.clip((mu[:, arm] - low) / width, 0.0005, 0.9995)
        offset = np.log(offset / (1 - offset))
        own = w == arm
        fit = sm.GLM(scaled[own], np.ones((own.sum(), 1)), family=sm.families.Binomial(), offset=offset[own],
                     var_weights=v[own] * clever[own]).fit(tol=1e-14, maxiter=200)
        moved[:, arm] = low + width / (1 + np.exp(-(offset + fit.params[0])))
    if estimand == "ate":
        plug_in = np.average(moved[:, k] - moved[:, 0], weights=v)
    elif estimand == "att":
        plug_in = np.average((y - moved[:, 0])[w == k], weights=v[w == k])
    else:
        plug_in = np.average((moved[:, k] - y)[w == 0], weights=v[w == 0])
    result = aipw(y, w, e, moved, k, v, clusters, estimand, False)
    assert abs(result["estimate"] - plug_in) < 1e-9, (estimand, result, plug_in)
    return result


MATCHING = [
    {"score": "propensity", "replacement": True, "ratio": 1, "caliper": 0, "neighbours": 2},
    {"score": "logit", "replacement": True, "ratio": 3, "caliper": 0.2, "neighbours": 1},
    {"score": "logit", "replacement": False, "ratio": 1, "caliper": 0.5, "neighbours": 2},
    {"score": "propensity", "replacement": False, "ratio": 2, "caliper": 0, "neighbours": 2},
]

cases = []
for name, n, arms, weighted, clustered, ties in [
    ("plain", 120, 2, False, False, False),
    ("ties", 120, 2, False, False, True),
    ("weights", 120, 2, True, False, False),
    ("clusters", 120, 2, False, True, False),
    ("three arms", 160, 3, False, False, False),
    ("three arms, weights and clusters", 160, 3, True, True, False),
]:
    x, y, w, e, mu = draw(n, arms, ties)
    v = rng.uniform(0.2, 3.0, size=n) if weighted else np.ones(n)
    clusters = rng.integers(0, 15, size=n) if clustered else None
    treated = range(1, arms)
    clipped = np.clip(e, 0.2, 0.8)
    entry = {
        "name": name, "x1": x["x1"].tolist(), "x2": [None if np.isnan(u) else u for u in x["x2"]],
        "level": ["abc"[u] for u in x["level"]], "arms": w.tolist(), "outcome": y.tolist(),
        "propensities": e.T.tolist(), "arm_outcomes": mu.T.tolist(), "weights": v.tolist() if weighted else [],
        "clusters": clusters.tolist() if clustered else [],
        "difference_in_means": {"ate": [difference_in_means(y, w, k, v, weighted, clusters) for k in treated]},
        "ols": {adjustment: {errors: ols(x, y, w, arms, v, clusters, adjustment, errors)
                             for errors in (["hc1"] if clustered else ["hc0", "hc1", "hc2", "hc3"])}
                for adjustment in ["none", "plain", "interacted"]},
        "ipw_hajek": {s: [hajek(y, w, e, k, v, clusters, s) for k in treated] for s in ESTIMANDS},
        "ipw_hajek_clipped": {s: [hajek(y, w, clipped, k, v, clusters, s) for k in treated] for s in ESTIMANDS},
        "ipw_horvitz_thompson": {s: [horvitz_thompson(y, w, e, k, v, clusters, s) for k in treated] for s in ESTIMANDS},
        "aipw": {s: [aipw(y, w, e, mu, k, v, clusters, s, arms == 2 and not weighted and not clustered) for k in treated]
                 for s in ESTIMANDS},
        "tmle": {s: [tmle(y, w, e, mu, k, v, clusters, s) for k in treated] for s in ESTIMANDS[:3]},
        "matching": [
            {**options, "effects": {
                s: [matching(y, w, e, k, v, clusters, s, options) for k in treated]
                for s in (["ate", "att", "atc"] if options["replacement"] else ["att", "atc"])}}
            # Without replacement equal scores are taken in an order of their own.
            for options in MATCHING if options["replacement"] or not ties],
    }
    cases.append(entry)
print(json.dumps({"cases": cases}))
