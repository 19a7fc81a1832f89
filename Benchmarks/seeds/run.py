"""How far effects move between seeds: the same rows, fitted with several seeds.

    METALEARNERS_LIBRARY=…/libmetalearners.so PYTHONPATH=bindings/python/src python3 Benchmarks/seeds/run.py
    python3 Benchmarks/seeds/run.py --rows 700 --laws smooth --draws 8 --seeds 4

A seed decides which rows share a fold, and with it how many trees are grown, and what random backends draw. Of every draw of rows and every pair of seeds the
difference of the effects of 3,000 fresh rows is squared; printed is the root of the mean of these squares, beside the error (the root mean square of estimated
less true effects) and the effects' own standard deviation. Rows and laws are drawn from numbers of their own, which no seed of a fit changes.

Needs numpy. Results are those of the library alone; no clock is read.
"""

import argparse
import itertools
import warnings

import numpy as np

import libmetalearners as mtlr

FRESH_ROWS = 3_000


def share(odds):
    return 1 / (1 + np.exp(-odds))


def smooth(x):
    """Curves and a product, confounded: the law of `Benchmarks/scale`."""
    effect = 0.5 + np.tanh(1.5 * x[:, 0]) + 0.5 * x[:, 5] + 0.7 * x[:, 1] * x[:, 2]
    control = 2 * np.sin(x[:, 0]) + x[:, 1] + x[:, 2] ** 2 / 2 + x[:, 3] * x[:, 4] / 2
    return share(0.6 * x[:, 0] - 0.5 * x[:, 1] ** 2 + 0.4), control, effect


def steps(x):
    """Effects and outcomes that jump."""
    control = (x[:, 0] > 0) + 2.0 * (x[:, 2] > 0.5) - 1.0 * ((x[:, 3] > 0) & (x[:, 4] > 0))
    return np.where(x[:, 0] > 0, 0.7, 0.35), control, 1.5 * (x[:, 1] > 0) - 0.5 + (x[:, 2] > 0.5)


LAWS = {"smooth": smooth, "steps": steps}

LEARNERS = {
    "`t`": lambda seed: mtlr.TLearner(seed=seed, threads=1),
    "`t`, 5 repeats": lambda seed: mtlr.TLearner(seed=seed, threads=1, repeats=5),
    "`x`": lambda seed: mtlr.XLearner(seed=seed, threads=1),
    "`r`": lambda seed: mtlr.RLearner(seed=seed, threads=1),
    "`r`, 5 repeats": lambda seed: mtlr.RLearner(seed=seed, threads=1, repeats=5),
    "`dr`": lambda seed: mtlr.DRLearner(seed=seed, threads=1),
    "`dr`, 5 repeats": lambda seed: mtlr.DRLearner(seed=seed, threads=1, repeats=5),
    "`auto`": lambda seed: mtlr.AutoLearner(seed=seed, threads=1),
}


def measure(law, rows, make, options):
    """The movement between seeds and the error, over draws of rows."""
    fresh = np.random.default_rng([0, rows]).standard_normal((FRESH_ROWS, 8))
    truth = LAWS[law](fresh)[2]
    moved, missed = [], []
    for draw in range(1, options.draws + 1):
        random = np.random.default_rng([draw, rows])
        x = random.standard_normal((rows, 8))
        e, control, effect = LAWS[law](x)
        w = (random.random(rows) < e).astype(np.int32)
        y = control + w * effect + random.standard_normal(rows)
        effects = [make(seed).fit(x, y, w).predict(fresh) for seed in range(1, options.seeds + 1)]
        moved += [np.mean((one - other) ** 2) for one, other in itertools.combinations(effects, 2)]
        missed += [np.mean((one - truth) ** 2) for one in effects]
    return np.sqrt(np.mean(moved)), np.sqrt(np.mean(missed)), truth.std()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=lambda text: [int(part) for part in text.split(",")], default=[700, 2_000])
    parser.add_argument("--laws", type=lambda text: text.split(","), default=list(LAWS))
    parser.add_argument("--draws", type=int, default=4, help="draws of the rows")
    parser.add_argument("--seeds", type=int, default=4, help="fits of each draw")
    options = parser.parse_args()
    warnings.simplefilter("ignore", mtlr.MetaLearnersWarning)
    print("| law | rows | learner | between seeds | error | effects' deviation |\n|---|---|---|---|---|---|")
    for law, rows in itertools.product(options.laws, options.rows):
        for name, make in LEARNERS.items():
            moved, missed, deviation = measure(law, rows, make, options)
            print(f"| `{law}` | {rows:,} | {name} | {moved:.3f} | {missed:.3f} | {deviation:.2f} |", flush=True)


main()
