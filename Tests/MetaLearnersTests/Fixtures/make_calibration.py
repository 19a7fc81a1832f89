"""Reference values for the calibration of propensities: scikit-learn's IsotonicRegression, and Platt's curve as a
binomial GLM of statsmodels on the logit of the prediction with Platt's targets.

    python3 make_calibration.py > calibration.json
"""
import json

import numpy as np
import statsmodels.api as sm
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import brier_score_loss, log_loss

rng = np.random.default_rng(7)
n = 200
truth = rng.uniform(0.05, 0.95, n)
predicted = np.round(np.clip(truth**1.7, 0.02, 0.98), 2)  # Rounded, so that there are ties.
label = (rng.random(n) < truth).astype(float)
weight = rng.integers(1, 4, n).astype(float)
grid = np.concatenate([[0.0, 0.01, 1.0], np.round(rng.uniform(0, 1, 40), 4)])

isotonic = IsotonicRegression(out_of_bounds="clip").fit(predicted, label, sample_weight=weight)

ones, zeros = weight[label == 1].sum(), weight[label == 0].sum()
target = np.where(label == 1, (ones + 1) / (ones + 2), 1 / (zeros + 2))
logit = np.log(predicted / (1 - predicted))
glm = sm.GLM(target, sm.add_constant(logit), family=sm.families.Binomial(), freq_weights=weight).fit(tol=1e-14)

print(json.dumps(dict(
    predicted=predicted.tolist(), label=label.tolist(), weight=weight.tolist(), grid=grid.tolist(),
    isotonic=isotonic.predict(grid).tolist(), slope=float(glm.params[1]), intercept=float(glm.params[0]),
    brier=float(brier_score_loss(label, predicted, sample_weight=weight)),
    log_loss=float(log_loss(label, predicted, sample_weight=weight)))))
