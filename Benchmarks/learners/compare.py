"""R-, X- and DR-learners on the backend `trees` against EconML on LightGBM and XGBoost, in the same run.

    python3 compare.py [--learners r,x,dr] [--rows 200000] [--columns 20] [--repeats 3] [--markdown RESULTS.md]

The data are Nie and Wager's setup A, 2 threads, 5 folds; every model is 100 trees of 31 leaves, learning rate 0.1,
255 bins, 20 rows per leaf, l2 1, the propensity included. The time is from arrays in memory to a fitted model. By default
ours includes the out-of-fold effects of the training rows (five effect models more than EconML fits); a second entry
makes the fits that EconML makes and no others (`in_sample: full`; for the X-learner, which EconML does not cross-fit,
`folds: 1`). EconML fits one model after another, each on two threads. Rounds alternate; times are medians, ratios medians of the ratios within a round.

Needs: pip install econml lightgbm xgboost-cpu; swift build -c release in this folder.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
TREES = dict(trees=100, max_leaves=31, learning_rate=0.1, max_bins=255, min_leaf_size=20, l2=1.0)


def setup_a(n, p, seed):
    rng = np.random.default_rng(seed)
    x = rng.random((n, p), dtype=np.float32)
    e = np.clip(np.sin(np.pi * x[:, 0] * x[:, 1]), 0.1, 0.9)
    b = np.sin(np.pi * x[:, 0] * x[:, 1]) + 2 * (x[:, 2] - 0.5) ** 2 + x[:, 3] + 0.5 * x[:, 4]
    tau = (x[:, 0] + x[:, 1]) / 2
    w = (rng.random(n) < e).astype(np.float32)
    y = (b + (w - 0.5) * tau + rng.standard_normal(n)).astype(np.float32)
    return x, w, y, tau.astype(np.float32)


def peer(library, classifier, threads):
    if library == "lightgbm":
        import lightgbm as lgb

        kind = lgb.LGBMClassifier if classifier else lgb.LGBMRegressor
        return kind(n_estimators=100, num_leaves=31, learning_rate=0.1, max_bin=255, min_child_samples=20,
                    reg_lambda=1.0, n_jobs=threads, verbose=-1)
    import xgboost as xgb

    kind = xgb.XGBClassifier if classifier else xgb.XGBRegressor
    return kind(n_estimators=100, max_leaves=31, max_depth=0, grow_policy="lossguide", learning_rate=0.1,
                max_bin=255, reg_lambda=1.0, tree_method="hist", n_jobs=threads)


def econml(learner, library, threads):
    from econml.dml import NonParamDML
    from econml.dr import DRLearner
    from econml.metalearners import XLearner

    if learner == "r":
        return NonParamDML(model_y=peer(library, False, threads), model_t=peer(library, True, threads),
                           model_final=peer(library, False, threads), discrete_treatment=True, cv=5)
    if learner == "dr":
        return DRLearner(model_regression=peer(library, False, threads), model_propensity=peer(library, True, threads),
                         model_final=peer(library, False, threads), cv=5, min_propensity=0.01)
    return XLearner(models=peer(library, False, threads), cate_models=peer(library, False, threads),
                    propensity_model=peer(library, True, threads))


# The fits that EconML makes.
ALIKE = dict(r=dict(folds=5, in_sample="full"), dr=dict(folds=5, in_sample="full"), x=dict(folds=1, in_sample="full"))


def run_peer(learner, library, data):
    x, w, y, tau, test_x, test_tau = data
    estimator = econml(learner, library, 2)
    start = time.perf_counter()
    if learner == "x":
        estimator.fit(y, w, X=x)
    else:
        estimator.fit(y, w, X=x, cache_values=False)
    seconds = time.perf_counter() - start
    error = estimator.effect(test_x).ravel() - test_tau
    return dict(fit_seconds=seconds, rmse_test=float(np.sqrt(np.mean(error**2))))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--learners", default="r,x,dr")
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--columns", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--markdown")
    options = parser.parse_args()
    x, w, y, tau = setup_a(options.rows, options.columns, 1)
    test_x, _, _, test_tau = setup_a(100_000, options.columns, 2)
    data = (x, w, y, tau, test_x, test_tau)
    lines = ["| learner | library | seconds | ours / this | ours, the same fits / this | RMSE of the CATE, new rows |",
             "|---|---|---|---|---|---|"]
    with tempfile.TemporaryDirectory() as folder:
        for name, values in dict(x=x, w=w, y=y, tau=tau, test_x=test_x, test_tau=test_tau).items():
            values.tofile(f"{folder}/{name}.f32")
        for learner in options.learners.split(","):
            model = dict(backend="trees", **TREES)
            spec = pathlib.Path(folder, "spec.json")

            def ours(cross_fitting):
                spec.write_text(json.dumps(dict(
                    learner=learner, models=dict(outcome=model, propensity=model, effect=model), keep_training=True,
                    cross_fitting=cross_fitting)))
                command = [str(HERE / ".build/release/learner-benchmark"), folder, str(spec), "2"]
                return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

            entries = {"metalearners": lambda: ours(dict(folds=5)),
                       "metalearners, the fits of EconML": lambda: ours(ALIKE[learner])}
            for library in ("lightgbm", "xgboost"):
                entries[f"EconML on {library}"] = (
                    lambda library=library: run_peer(learner, library, data))
            results = {name: [] for name in entries}
            for _ in range(options.repeats):
                for name, run in entries.items():
                    results[name].append(run())
                    print(learner, name, results[name][-1], file=sys.stderr, flush=True)
            for name, runs in results.items():
                ratios = [statistics.median(a["fit_seconds"] / b["fit_seconds"] for a, b in zip(results[own], runs))
                          for own in list(entries)[:2]]
                lines.append(
                    f"| {learner} | {name} | {statistics.median(r['fit_seconds'] for r in runs):.2f} | "
                    f"{ratios[0]:.3f} | {ratios[1]:.3f} | {statistics.median(r['rmse_test'] for r in runs):.4f} |")
    print("\n".join(lines))
    if options.markdown:
        pathlib.Path(options.markdown).write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
