"""Writes stack.json: what stacks of scikit-learn's models predict, weighted by rows that cross-fitting holds out.

    python3 -m pip install numpy scipy scikit-learn
    python3 make_stack.py > stack.json

Propensities of three arms: two logistic regressions, whose log-odds of each arm beside the first are put together by a logistic
regression with the penalty 3/2·(Σ(b_j − 1/2)² + a²) beside the sum of the log-likelihoods, found by SciPy's BFGS. Outcomes of each
arm: least squares and the mean, put together by SciPy's non-negative least squares about the means, each weight drawn to one half
by as much as one row says. The weights that serve a
fold are found from the held-out predictions of the other folds; those that serve new rows from all.
"""

import json

import numpy as np
from scipy.optimize import minimize, nnls
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

ROWS, FOLDS, ARMS, MARGIN, PENALTY = 180, 3, 3, 0.005, 3.0
random = np.random.default_rng(20)
x = random.standard_normal((ROWS, 3))
scores = np.column_stack([np.zeros(ROWS), x[:, 0], 0.5 - x[:, 1]])
shares = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
arm = np.array([random.choice(ARMS, p=share) for share in shares])
y = x[:, 0] + 0.5 * x[:, 2] * arm + random.standard_normal(ROWS)
fold = np.arange(ROWS) % FOLDS


def logistic(penalty):
    return lambda rows: make_pipeline(
        StandardScaler(), LogisticRegression(C=1 / penalty, tol=1e-12, max_iter=10_000)
    ).fit(x[rows], arm[rows]).predict_proba


class Mean:
    def __init__(self, value):
        self.value = value

    def predict(self, table):
        return np.full(len(table), self.value)


def log_odds(p):
    p = np.clip(p, MARGIN, 1 - MARGIN)
    return np.log(p / (1 - p))


def pair_log_odds(p, k):
    return log_odds(p[:, k] / (p[:, k] + p[:, 0]))


def stack_log_odds(members, target):
    columns = np.column_stack([np.ones(len(target)), *members])
    center = np.array([0.0, *[1 / len(members)] * len(members)])

    def loss(b):
        score = columns @ b
        return np.logaddexp(0, score).sum() - target @ score + PENALTY / 2 * ((b - center) ** 2).sum()

    def gradient(b):
        return columns.T @ (1 / (1 + np.exp(-(columns @ b))) - target) + PENALTY * (b - center)

    return minimize(loss, center, jac=gradient, method="BFGS", options={"gtol": 1e-10}).x


def stack_numbers(members, target):
    columns = np.column_stack(members)
    means = columns.mean(axis=0)
    columns, deviation, count = columns - means, target - target.mean(), len(members)
    weights, _ = nnls(columns, deviation)
    # One more row for each member, as far off as the noise: its weight is drawn to an equal share. A part of the noise is fitted away: for
    # each weight and the intercept a row of what equal shares leave is added.
    rest = np.mean((deviation - columns @ weights) ** 2)
    rest += min((count + 1) / len(target), 1) * np.mean((deviation - columns.mean(axis=1)) ** 2)
    noise = np.sqrt(rest)
    weights, _ = nnls(
        np.vstack([columns, noise * np.eye(count)]), np.append(deviation, np.full(count, noise / count))
    )
    return weights, target.mean() - means @ weights


def held_out(fit, rows_of_task):
    """Of every row, what the model without its fold says, and the models."""
    models = [fit(rows_of_task & (fold != f)) for f in range(FOLDS)]
    values = [model(x) for model in models]
    return np.array([values[fold[row]][row] for row in range(ROWS)]), models, fit(rows_of_task)


everyone = np.ones(ROWS, bool)
members = [held_out(logistic(1.0), everyone), held_out(logistic(30.0), everyone)]
propensity = np.empty((ROWS, ARMS))
new_propensity = np.empty((ROWS, ARMS))
for f in [*range(FOLDS), None]:
    rows = fold == f if f is not None else everyone
    score = np.zeros((rows.sum(), ARMS))
    for k in range(1, ARMS):
        judges = ((arm == 0) | (arm == k)) & (fold != f if f is not None else True)
        b = stack_log_odds([pair_log_odds(m[0][judges], k) for m in members], (arm[judges] == k).astype(float))
        said = [pair_log_odds(m[1][f](x[rows]) if f is not None else m[2](x[rows]), k) for m in members]
        score[:, k] = b[0] + sum(w * z for w, z in zip(b[1:], said))
    share = np.exp(score) / np.exp(score).sum(axis=1, keepdims=True)
    (propensity if f is not None else new_propensity)[rows] = share

means = np.empty((ROWS, ARMS))
for k in range(ARMS):
    own = arm == k
    members = [
        held_out(lambda rows: LinearRegression().fit(x[rows], y[rows]).predict, own),
        held_out(lambda rows: Mean(y[rows].mean()).predict, own),
    ]
    for f in range(FOLDS):
        rows, judges = fold == f, own & (fold != f)
        weights, intercept = stack_numbers([m[0][judges] for m in members], y[judges])
        means[rows, k] = intercept + sum(w * m[1][f](x[rows]) for w, m in zip(weights, members))

print(
    json.dumps(
        {
            "x": x.T.tolist(),
            "arm": arm.tolist(),
            "y": y.tolist(),
            "fold": fold.tolist(),
            "propensity": propensity.ravel().tolist(),
            "new_propensity": new_propensity.ravel().tolist(),
            "means": means.ravel().tolist(),
        }
    )
)
