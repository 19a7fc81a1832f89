"""Makes confounded.csv: 500 rows in which `income` decides both the treatment and most of the outcome, and the effect is 1.

    python3 make_confounded.py        (NumPy alone)
"""
import pathlib
import numpy as np

r = np.random.default_rng(1)
n = 500
income = r.normal(size=n)
w = (r.random(n) < 1 / (1 + np.exp(-income))) * 1
y = 3 * income + w + r.normal(size=n)
lines = [f"{a:.4f},{b},{c:.4f}\n" for a, b, c in zip(income, w, y)]
(pathlib.Path(__file__).parent / "confounded.csv").write_text("income,w,y\n" + "".join(lines))
