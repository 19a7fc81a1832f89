"""Allocations, values of policies and trees, each by its definition.

    python3 make_policies.py > policies.json        (NumPy, SciPy)

- Allocations: the bound is the linear programme of all rows and arms (scipy.optimize.linprog); small ones by trying all choices.
- Values: doubly robust and normalised inverse probability scores with cluster-robust errors, written out.
- Trees: depth 2 by trying every pair of splits of every column.
"""

import itertools
import json

import numpy as np
from scipy.optimize import linprog

rng = np.random.default_rng(7)


def allocation(n, arms, budget_share):
    tau = rng.normal(0.3, 1, size=(arms, n)).round(3)
    cost = np.cumsum(rng.uniform(0.2, 1.5, size=(arms, n)).round(2), axis=0)
    budget = round(budget_share * float(cost[0].sum()), 3)
    equalities = np.zeros((n, n * arms))
    for row in range(n):
        equalities[row, row::n] = 1
    solved = linprog(-tau.ravel(), A_ub=np.vstack([cost.ravel(), equalities]), b_ub=np.r_[budget, np.ones(n)],
                     bounds=(0, 1), method="highs")
    case = {"effects": tau.tolist(), "costs": cost.tolist(), "budget": budget, "bound": -solved.fun}
    if (arms + 1) ** n <= 5000:
        best = 0.0
        for choice in itertools.product(range(arms + 1), repeat=n):
            spent = sum(cost[a - 1, i] for i, a in enumerate(choice) if a)
            gain = sum(tau[a - 1, i] for i, a in enumerate(choice) if a)
            if spent <= budget + 1e-12:
                best = max(best, gain)
        case["best"] = best
    return case


def values(n, arms, clustered, weighted):
    e = rng.uniform(0.2, 1, size=(arms, n))
    e /= e.sum(0)
    mu = rng.normal(size=(arms, n))
    w = np.array([rng.choice(arms, p=e[:, i]) for i in range(n)])
    y = mu[w, np.arange(n)] + rng.normal(size=n)
    tau = (mu[1:] - mu[0]) + rng.normal(0, 0.5, size=(arms - 1, n))
    weights = rng.uniform(0.5, 2, n) if weighted else np.ones(n)
    weights = weights / weights.mean()
    cluster = rng.integers(0, n // 5, n) if clustered else np.arange(n)
    best = np.argmax(np.vstack([np.zeros(n), tau]), axis=0)

    def error(influence):
        sums = np.array([influence[cluster == c].sum() for c in np.unique(cluster)])
        g = len(sums)
        return float(np.sqrt((sums ** 2).sum() * g / (g - 1)) / weights.sum())

    gamma = mu.copy()
    gamma[w, np.arange(n)] += (y - mu[w, np.arange(n)]) / e[w, np.arange(n)]
    shares = np.array([weights[best == k].sum() for k in range(arms)]) / weights.sum()

    def dr(scores):
        mean = (weights * scores).sum() / weights.sum()
        return float(mean), error(weights * (scores - mean))

    def hajek(probability):
        factor = weights * probability / e[w, np.arange(n)]
        theta = (factor * y).sum() / factor.sum()
        return theta, factor * (y - theta) / factor.sum() * weights.sum()

    policies = {"policy": (gamma[best, np.arange(n)], (w == best) * 1.0)}
    policies["nobody"] = (gamma[0], (w == 0) * 1.0)
    policies["random"] = (shares @ gamma, shares[w])
    out = {}
    for name, (scores, probability) in policies.items():
        theta, influence = hajek(probability)
        out[name] = {"dr": dr(scores), "ipw": [float(theta), error(influence)]}
    for name in ("nobody", "random"):
        first, second = hajek(policies["policy"][1]), hajek(policies[name][1])
        out["gain_" + name] = {
            "dr": dr(policies["policy"][0] - policies[name][0]),
            "ipw": [float(first[0] - second[0]), error(first[1] - second[1])],
        }
    return {
        "outcome": y.tolist(), "arms": w.tolist(), "propensities": e.tolist(), "means": mu.tolist(),
        "effects": tau.tolist(), "weights": weights.tolist() if weighted else [],
        "clusters": cluster.tolist() if clustered else [], "decisions": best.tolist(), "expected": out,
    }


def tree(n, columns, arms, least, depth):
    x = rng.normal(size=(n, columns)).round(2)
    x[:, -1] = rng.integers(0, 4, n)
    scores = (rng.normal(size=(arms, n)) + np.outer(np.arange(arms), np.where(x[:, 0] > 0, x[:, 1], -x[:, -1] + 1))).round(3)

    def leaf(rows):
        sums = scores[:, rows].sum(1)
        return float(sums.max()), {"arm": int(sums.argmax())}

    def stump(rows):
        best = leaf(rows)
        for column in range(columns):
            for value in np.unique(x[rows, column])[:-1]:
                left = rows[x[rows, column] <= value]
                right = rows[x[rows, column] > value]
                if min(len(left), len(right)) < least:
                    continue
                one, two = leaf(left), leaf(right)
                if one[0] + two[0] > best[0] + 1e-9:
                    best = one[0] + two[0], {"column": column, "threshold": float(value), "left": one[1], "right": two[1]}
        return best

    def quick(rows):
        # The value of the best stump alone.
        best = scores[:, rows].sum(1).max()
        total = scores[:, rows].sum(1)
        for column in range(columns):
            order = rows[np.argsort(x[rows, column], kind="stable")]
            sums = np.cumsum(scores[:, order], axis=1)
            value = sums.max(0) + (total[:, None] - sums).max(0)
            ends = np.flatnonzero(np.diff(x[order, column])) + 0
            ends = ends[(ends + 1 >= least) & (len(rows) - ends - 1 >= least)]
            if len(ends):
                best = max(best, value[ends].max())
        return best

    rows = np.arange(n)
    best = stump(rows)
    if depth == 2:
        found = None
        for column in range(columns):
            for value in np.unique(x[:, column])[:-1]:
                left, right = rows[x[:, column] <= value], rows[x[:, column] > value]
                if min(len(left), len(right)) < least:
                    continue
                total = quick(left) + quick(right)
                if total > (found[0] if found else best[0]) + 1e-9:
                    found = total, column, value
        if found:
            _, column, value = found
            one, two = stump(rows[x[:, column] <= value]), stump(rows[x[:, column] > value])
            best = one[0] + two[0], {"column": column, "threshold": float(value), "left": one[1], "right": two[1]}
    return {"x": x.T.tolist(), "scores": scores.tolist(), "min_leaf": least, "depth": depth, "value": float(best[0]), "tree": best[1]}


print(json.dumps({
    "allocations": [allocation(6, 1, 0.4), allocation(5, 3, 0.6), allocation(7, 2, 0.5), allocation(60, 3, 0.4), allocation(200, 1, 0.3)],
    "values": [values(80, 2, False, False), values(90, 3, True, True)],
    "trees": [tree(500, 4, 2, 1, 2), tree(500, 3, 3, 20, 2), tree(200, 3, 2, 10, 1)],
}))
