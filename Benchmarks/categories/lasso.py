"""Compares standardised and raw indicators of levels in a cross-validated lasso and elastic net.

    python3 lasso.py [REPEATS]        (NumPy and scikit-learn; prints a Markdown table)

The law of penalties.py: outcome b0 + 0.5 b1 + u + noise on 1,000 rows, u an effect of the level or none;
the squared error is that of 4,000 new rows, whose noise has variance 1.
"""
import sys
import warnings
import numpy as np
from sklearn.linear_model import ElasticNetCV

warnings.simplefilter("ignore")
repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 4
print("| category | K | model | no category | standardised | raw |")
print("|---|---|---|---|---|---|")
for law in ("noise", "informative"):
    for levels in (10, 100, 500):
        for ratio in (1.0, 0.5):
            errors = {"no category": [], "standardised": [], "raw": []}
            for seed in range(repeats):
                r = np.random.default_rng(seed)
                n, m = 1000, 4000
                b = r.normal(size=(n + m, 3))
                c = r.integers(levels, size=n + m)
                u = (0 if law == "noise" else 0.7) * r.normal(size=levels)
                y = b[:, 0] + 0.5 * b[:, 1] + u[c] + r.normal(size=n + m)
                z = (b - b[:n].mean(0)) / b[:n].std(0)
                i = (c[:, None] == np.arange(levels)).astype(float)
                i -= i[:n].mean(0)
                s = np.where(i[:n].std(0) > 0, i[:n].std(0), 1)
                for name, x in (("no category", z), ("standardised", np.hstack([z, i / s])), ("raw", np.hstack([z, i]))):
                    model = ElasticNetCV(l1_ratio=ratio, alphas=50, cv=5).fit(x[:n], y[:n])
                    errors[name].append(((model.predict(x[n:]) - y[n:]) ** 2).mean())
            print(f"| {law} | {levels} | {'lasso' if ratio == 1 else 'elastic net'} | "
                  + " | ".join(f"{np.mean(v):.3f}" for v in errors.values()) + " |", flush=True)
