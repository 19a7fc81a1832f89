"""The weights of R's MatchIt for nearest-neighbour matching on a score, from data without ties.

Run: python3 make_matchit.py > matchit.json   (numpy, and R with the package MatchIt: apt install r-cran-matchit)
"""

import json
import pathlib
import subprocess
import tempfile

import numpy as np

rng = np.random.default_rng(20250612)
n = 150
x = rng.normal(size=n)
e = 1 / (1 + np.exp(-(0.9 * x - 0.4 + 0.3 * rng.normal(size=n))))
w = (rng.uniform(size=n) < e).astype(int)
y = x + w * (1 + 0.5 * x) + rng.normal(size=n)

SETTINGS = [
    # score, replacement, ratio, caliper (in standard deviations), estimand
    ("propensity", True, 1, 0, "att"), ("propensity", True, 3, 0, "att"), ("logit", True, 2, 0.1, "att"),
    ("propensity", True, 1, 0, "atc"), ("logit", True, 2, 0.1, "atc"),
    ("propensity", False, 1, 0, "att"), ("propensity", False, 1, 0.2, "att"), ("logit", False, 2, 0.15, "att"),
    ("logit", False, 1, 0.05, "atc"), ("propensity", False, 1, 0, "atc"),
]
PROGRAM = """
suppressMessages(library(MatchIt))
d <- read.csv("data.csv")
settings <- read.csv("settings.csv")
for (i in seq_len(nrow(settings))) {
  s <- settings[i, ]
  score <- if (s$score == "logit") log(d$e / (1 - d$e)) else d$e
  m <- suppressWarnings(matchit(w ~ x, data = d, method = "nearest", distance = score, replace = s$replacement == "True",
    ratio = s$ratio, caliper = if (s$caliper > 0) s$caliper else NULL, std.caliper = TRUE, estimand = toupper(s$estimand)))
  cat(format(m$weights, digits = 15), "\\n")
}
"""
with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    (folder / "data.csv").write_text("x,w,e\n" + "".join(f"{a!r},{b},{c!r}\n" for a, b, c in zip(x.tolist(), w, e.tolist())))
    (folder / "settings.csv").write_text("score,replacement,ratio,caliper,estimand\n" + "".join(
        ",".join(map(str, s)) + "\n" for s in SETTINGS))
    (folder / "program.R").write_text(PROGRAM)
    lines = subprocess.run(["Rscript", "program.R"], cwd=folder, check=True, capture_output=True, text=True).stdout.splitlines()
cases = []
for (score, replacement, ratio, caliper, estimand), line in zip(SETTINGS, lines, strict=True):
    weights = np.array([float(value) for value in line.split()])
    assert len(weights) == n
    effect = np.average(y[w == 1], weights=weights[w == 1]) - np.average(y[w == 0], weights=weights[w == 0])
    cases.append({"score": score, "replacement": replacement, "ratio": ratio, "caliper": caliper, "estimand": estimand,
                  "weights": weights.tolist(), "estimate": float(effect)})
print(json.dumps({"arms": w.tolist(), "outcome": y.tolist(), "propensity": e.tolist(), "cases": cases}))
