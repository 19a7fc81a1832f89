"""True functions of the laws of docs/generators.md, on covariates drawn here: propensities and means in each arm.

    python3 make_laws.py > laws.json        (NumPy, SciPy)
"""

import json

import numpy as np
from scipy.special import expit
from scipy.stats import beta

rng = np.random.default_rng(20)
cases = []


def add(law, parameters, x, propensities, means, constants=None, cluster=None):
    cases.append({
        "law": law, "parameters": parameters, "x": x.tolist(),
        "propensities": np.column_stack(propensities).tolist(), "means": np.column_stack(means).tolist(),
        "constants": {k: list(v) for k, v in (constants or {}).items()},
        "cluster": cluster.tolist() if cluster is not None else [],
    })


def two(law, parameters, x, e, mean0, tau, **more):
    e = np.broadcast_to(e, len(x))
    tau = np.broadcast_to(tau, len(x))
    add(law, parameters, x, [1 - e, e], [mean0, mean0 + tau], **more)


pos = lambda v: np.maximum(v, 0)
n = 12

# Nie & Wager: b, e, tau as printed; mu_w = b + (w - 1/2) tau.
for effect in (1.0, 0.5):
    x = rng.uniform(size=(n, 6))
    wave = np.sin(np.pi * x[:, 0] * x[:, 1])
    b = wave + 2 * (x[:, 2] - 0.5) ** 2 + x[:, 3] + 0.5 * x[:, 4]
    tau = effect * (x[:, 0] + x[:, 1]) / 2
    two("nie_wager", {"setup": "a", "effect": effect}, x, np.clip(wave, 0.1, 0.9), b - tau / 2, tau)
x = rng.normal(size=(n, 6))
b = np.maximum.reduce([x[:, 0] + x[:, 1], x[:, 2], np.zeros(n)]) + pos(x[:, 3] + x[:, 4])
tau = x[:, 0] + np.log(1 + np.exp(x[:, 1]))
two("nie_wager", {"setup": "b"}, x, 0.5, b - tau / 2, tau)
x = rng.normal(size=(n, 6))
b = 2 * np.log(1 + np.exp(x[:, 0] + x[:, 1] + x[:, 2]))
two("nie_wager", {"setup": "c"}, x, 1 / (1 + np.exp(x[:, 1] + x[:, 2])), b - 0.5, 1.0)
x = rng.normal(size=(n, 6))
first, second = pos(x[:, 0] + x[:, 1] + x[:, 2]), pos(x[:, 3] + x[:, 4])
tau = first - second
two("nie_wager", {"setup": "d"}, x, 1 / (1 + np.exp(-x[:, 0]) + np.exp(-x[:, 1])),
    (first + second) / 2 - tau / 2, tau)

# Künzel and others.
x = rng.normal(size=(n, 20))
c = rng.uniform(-5, 5, 20)
two("kunzel", {"setup": 1}, x, 0.01, x @ c + 5 * (x[:, 0] > 0.5), 8.0 * (x[:, 1] > 0.1), constants={"beta": c})
c0, c1 = rng.uniform(1, 30, 20), rng.uniform(1, 30, 20)
two("kunzel", {"setup": 2}, x, 0.5, x @ c0, x @ (c1 - c0), constants={"beta_0": c0, "beta_1": c1})
step = lambda v: 2 / (1 + np.exp(-12 * (v - 0.5)))
half = step(x[:, 0]) * step(x[:, 1]) / 2
two("kunzel", {"setup": 3}, x, 0.5, -half, 2 * half)
c = rng.uniform(1, 30, 5)
two("kunzel", {"setup": 4}, x, 0.5, x[:, :5] @ c, 0.0, constants={"beta": c})
c = rng.uniform(-15, 15, 15)
mean = np.where(x[:, 19] < -0.4, x[:, :5] @ c[:5],
                np.where(x[:, 19] <= 0.4, x[:, 5:10] @ c[5:10], x[:, 10:15] @ c[10:15]))
two("kunzel", {"setup": 5}, x, 0.5, mean, 0.0, constants={"beta": c})
x = rng.uniform(size=(n, 20))
two("kunzel", {"setup": 6}, x, (1 + beta.pdf(x[:, 0], 2, 4)) / 4, 2 * x[:, 0] - 1, 0.0)

# Wager & Athey.
x = rng.uniform(size=(n, 10))
two("wager_athey", {"setup": "confounding"}, x, (1 + beta.pdf(x[:, 0], 2, 4)) / 4, 2 * x[:, 0] - 1, 0.0)
smooth = lambda v: 1 + 1 / (1 + np.exp(-20 * (v - 1 / 3)))
for name, f in (("smooth", smooth), ("sharp", step)):
    tau = f(x[:, 0]) * f(x[:, 1])
    two("wager_athey", {"setup": name}, x, 0.5, -tau / 2, tau)

# Those of this project.
x = rng.normal(size=(n, 6))
two("hidden_confounder", {"on_treatment": 0.7, "on_outcome": -2, "effect": 2}, x,
    expit(x[:, 0] / 2 + 0.7 * x[:, 5]), x[:, 0] + x[:, 1] ** 2 / 2 - 2 * x[:, 5], 2 * (1 + x[:, 0] / 2))
x = rng.normal(size=(n, 5))
odds = np.exp(np.outer(x[:, 1], np.arange(4)) / 4)
control = x[:, 0] + x[:, 1] ** 2 / 2
add("several_arms", {"arms": 4}, x, list((odds / odds.sum(1, keepdims=True)).T),
    [control] + [control + k * (0.5 + x[:, 0] / 2) - x[:, 1] / 2 for k in (1, 2, 3)])
e = expit(x[:, 0] / 2)
add("binary_outcome", {"slope": 0.8}, x, [1 - e, e],
    [expit(-0.5 + x[:, 0]), expit(x[:, 0] + 0.8 * x[:, 1])])
add("count_outcome", {"rate": 1.5}, x, [1 - e, e],
    [1.5 * np.exp(x[:, 0] / 2), 1.5 * np.exp(x[:, 0] / 2 + 0.2 + x[:, 1] / 4)])
z = rng.normal(size=2)
x[:, 0] = z[0]
two("clustered_trial", {"share": 0.4, "cluster_noise": 1.5}, x, 0.4, x[:, 1] + 1.5 * z[1], 1 + x[:, 0] / 2, cluster=z)
x = rng.normal(size=(n, 21))
x[:, 0], x[:, 1] = rng.integers(18, 66, n), rng.integers(8, 19, n)
x[:, 2], x[:, 3], x[:, 4] = rng.uniform(3, 30, n), rng.integers(0, 2, n), rng.integers(0, 5, n)
control = (x[:, 2] + 0.3 * (x[:, 1] - 12) - 1.5 * x[:, 3] + 0.5 * x[:, 5] + 0.4 * x[:, 4]
           - 0.002 * (x[:, 0] - 40) ** 2)
tau = 2 * x[:, 3] * expit((40 - x[:, 0]) / 5) + 1.5 * expit(2 * x[:, 5]) - 1.2 * expit((x[:, 2] - 14) / 2)
two("scaled_programme", {}, x, 0.5, control, tau)

print(json.dumps({"cases": cases}))
