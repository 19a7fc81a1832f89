"""Makes bart.json: how near stochtree's Bayesian trees come to the truth, and how uncertain they are of it.

Two problems of 400 rows to learn from and 400 fresh ones: Friedman's function of five of eight uniform columns with normal noise, for a sum of
trees alone (`BARTModel`, 200 and 50 trees), and an outcome with steps and curves whose treatment has an effect with steps, for a
coefficient beside its level (`BCFModel`, 250 and 50 prognostic trees, 50 and 20 trees of the effect, without a propensity). Ten sweeps from the
root, then 200 of Markov chain Monte Carlo. Stored are the data, the truth of fresh rows, and the errors of stochtree's posterior means.

    python3 -m pip install numpy stochtree==0.4.5
    python3 make_bart.py
"""
import json
import pathlib

import numpy as np
from stochtree import BARTModel, BCFModel

TRAIN, TEST = 400, 400
rng = np.random.default_rng(7)
n = TRAIN + TEST
X = np.round(rng.uniform(size=(n, 8)), 4)
friedman = 10 * np.sin(np.pi * X[:, 0] * X[:, 1]) + 20 * (X[:, 2] - 0.5) ** 2 + 10 * X[:, 3] + 5 * X[:, 4]
y = np.round(friedman + 2 * rng.normal(size=n), 4)

share = 0.3 + 0.4 * (X[:, 0] > 0.5)
treatment = (rng.uniform(size=n) < share).astype(float)
effect = 1.5 * (X[:, 1] > 0.4) - 0.5 + (X[:, 5] > 0.7)
outcome = np.round((X[:, 0] > 0.5) + np.sin(5 * X[:, 2]) + 2 * X[:, 3] + treatment * effect + rng.normal(size=n), 4)

fit, new = slice(0, TRAIN), slice(TRAIN, n)


def rmse(estimate, truth):
    return float(np.sqrt(np.mean((estimate - truth) ** 2)))


def bart(trees):
    model = BARTModel()
    model.sample(X_train=X[fit], y_train=y[fit], X_test=X[new], num_gfr=10, num_mcmc=200,
                 general_params={"random_seed": 1}, mean_forest_params={"num_trees": trees})
    return rmse(model.y_hat_test.mean(axis=1), friedman[new])


def bcf(level, slope):
    model = BCFModel()
    model.sample(X_train=X[fit], Z_train=treatment[fit], y_train=outcome[fit], propensity_train=np.full(TRAIN, 0.5),
                 X_test=X[new], Z_test=treatment[new], propensity_test=np.full(TEST, 0.5), num_gfr=10, num_mcmc=200,
                 general_params={"random_seed": 1}, prognostic_forest_params={"num_trees": level},
                 treatment_effect_forest_params={"num_trees": slope})
    return rmse(model.tau_hat_test.mean(axis=1), effect[new])


document = {
    "train": TRAIN,
    "columns": X.T.tolist(),
    "regression": {"target": y.tolist(), "truth": np.round(friedman, 4).tolist(),
                   "error": {str(trees): bart(trees) for trees in (200, 50)}},
    "coefficient": {"target": outcome.tolist(), "regressor": treatment.tolist(), "truth": effect.tolist(),
                    "error": {f"{level}+{slope}": bcf(level, slope) for level, slope in ((250, 50), (50, 20))}},
}
print(document["regression"]["error"], document["coefficient"]["error"], effect[new].std(), friedman[new].std())
pathlib.Path(__file__).with_name("bart.json").write_text(json.dumps(document) + "\n")
