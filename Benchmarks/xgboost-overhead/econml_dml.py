"""The R-learner with `backend: xgboost` against EconML's NonParamDML on the very same XGBoost, time and peak memory.

    python3 econml_dml.py LIBMETALEARNERS [--rows 1000000] [--columns 20] [--repeats 3] [--threads 2] [--folds 5]

LIBMETALEARNERS is the shared library (scripts/build-library). Both sides get the same float32 matrix, 100 trees of 31 leaves,
learning rate 0.1, 255 bins, two threads, the propensity by XGBoost too; each run is a process of its own, by turns, and its peak
memory is that of the whole process (Python and the data included). "ours, full" has effects of the training rows by the model of
all rows, the very fits that EconML makes (2 × 5 + 1); "ours" has them out of fold, which takes five fits more.

Needs: pip install econml xgboost-cpu numpy.
"""
import argparse
import ctypes
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import time

import numpy as np


def setup_a(n, p, seed):
    """Nie and Wager's setup A."""
    rng = np.random.default_rng(seed)
    x = rng.random((n, p), dtype=np.float32)
    e = np.clip(np.sin(np.pi * x[:, 0] * x[:, 1]), 0.1, 0.9)
    b = np.sin(np.pi * x[:, 0] * x[:, 1]) + 2 * (x[:, 2] - 0.5) ** 2 + x[:, 3] + 0.5 * x[:, 4]
    tau = (x[:, 0] + x[:, 1]) / 2
    w = (rng.random(n) < e).astype(np.float64)
    y = b + (w - 0.5) * tau + rng.standard_normal(n)
    return x, w, y.astype(np.float64), tau


class Column(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("data", ctypes.c_void_p), ("stride", ctypes.c_int64),
                ("levels", ctypes.c_void_p), ("level_count", ctypes.c_int64), ("dtype", ctypes.c_int32),
                ("reserved", ctypes.c_int32)]


class Matrix(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("rows", ctypes.c_int64), ("columns", ctypes.c_int64),
                ("row_stride", ctypes.c_int64), ("column_stride", ctypes.c_int64), ("dtype", ctypes.c_int32),
                ("reserved", ctypes.c_int32)]


class Table(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_size_t), ("rows", ctypes.c_int64), ("columns", ctypes.POINTER(Column)),
                ("column_count", ctypes.c_int64), ("matrix", ctypes.POINTER(Matrix)), ("matrix_names", ctypes.c_void_p),
                ("sparse", ctypes.c_void_p), ("sparse_names", ctypes.c_void_p), ("validity", ctypes.c_void_p), ("arrow", ctypes.c_void_p)]


class Execution(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_size_t), ("threads", ctypes.c_int32), ("reserved", ctypes.c_int32),
                ("progress", ctypes.c_void_p), ("payload", ctypes.c_void_p), ("cancel_token", ctypes.c_void_p),
                ("registry", ctypes.c_void_p), ("memory_limit", ctypes.c_int64), ("poll", ctypes.c_void_p)]


def ours(options, x, w, y, test_x):
    library = ctypes.CDLL(options.library)
    library.mtlr_error_message.restype = ctypes.c_char_p
    error = ctypes.c_void_p()

    def check(status):
        if status:
            sys.exit(library.mtlr_error_message(error).decode())

    def table(matrix, columns):
        held = Matrix(matrix.ctypes.data, *matrix.shape, 0, 0, 2, 0)
        array = (Column * len(columns))(*(
            Column(name, values.ctypes.data, 0, None, 0, 1, 0) for name, values in columns))
        return Table(ctypes.sizeof(Table), len(matrix), array, len(columns), ctypes.pointer(held))

    model = dict(backend="xgboost", trees=100, max_leaves=31, learning_rate=0.1, max_bins=255, min_leaf_size=20, l2=1.0)
    spec = json.dumps(dict(
        data=dict(treatment="w", outcome="y"), learner="r", models=dict(outcome=model, propensity=model, effect=model),
        cross_fitting=dict(folds=options.folds, in_sample="full" if options.side == "full" else "out_of_fold"))).encode()
    execution = Execution(ctypes.sizeof(Execution), options.threads)
    dataset, fitted = ctypes.c_void_p(), ctypes.c_void_p()
    start, processor = time.perf_counter(), time.process_time()
    training = table(x, [(b"w", w), (b"y", y)])
    check(library.mtlr_dataset_create(ctypes.byref(dataset), ctypes.byref(training), spec, 1, ctypes.byref(error)))
    check(library.mtlr_model_fit(ctypes.byref(fitted), dataset, spec, ctypes.byref(execution), ctypes.byref(error)))
    seconds = (time.perf_counter() - start, time.process_time() - processor)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    effects = np.empty(len(test_x))
    new = table(test_x, [])
    check(library.mtlr_model_predict(
        ctypes.c_void_p(effects.ctypes.data), ctypes.c_int64(len(effects)), None, fitted, ctypes.byref(new), None,
        ctypes.byref(execution), ctypes.byref(error)))
    return seconds, peak, effects


def econml(options, x, w, y, test_x):
    import xgboost as xgb
    from econml.dml import NonParamDML

    def model(kind):
        return kind(n_estimators=100, max_leaves=31, max_depth=0, grow_policy="lossguide", learning_rate=0.1, max_bin=255,
                    reg_lambda=1.0, min_child_weight=20 if kind is xgb.XGBRegressor else 4, tree_method="hist",
                    n_jobs=options.threads)

    estimator = NonParamDML(
        model_y=model(xgb.XGBRegressor), model_t=model(xgb.XGBClassifier), model_final=model(xgb.XGBRegressor),
        discrete_treatment=True, cv=options.folds)
    start, processor = time.perf_counter(), time.process_time()
    estimator.fit(y, w, X=x, cache_values=False)
    seconds = (time.perf_counter() - start, time.process_time() - processor)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return seconds, peak, estimator.effect(test_x).ravel()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--side", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        x, w, y, _ = setup_a(options.rows, options.columns, 1)
        test_x, _, _, tau = setup_a(100_000, options.columns, 2)
        seconds, peak, effects = (econml if options.side == "econml" else ours)(options, x, w, y, test_x)
        rmse = float(np.sqrt(np.mean((effects - tau) ** 2)))
        print(json.dumps(dict(seconds=seconds[0], processor=seconds[1], mebibytes=peak / 1024, rmse=rmse)))
        return

    import importlib.util

    package = pathlib.Path(importlib.util.find_spec("xgboost").origin).parent
    environment = dict(os.environ, METALEARNERS_XGBOOST=str(package / "lib/libxgboost.so"))
    names = {"full": "ours, full", "ours": "ours", "econml": "EconML"}
    runs = {side: [] for side in names}
    load = []
    for _ in range(options.repeats):
        for side in names:
            load.append(os.getloadavg()[0])
            done = subprocess.run([sys.executable, __file__, *sys.argv[1:], "--side", side], env=environment, check=True,
                                  capture_output=True, text=True)
            runs[side].append(json.loads(done.stdout.strip().splitlines()[-1]))
            print(side, f"load {load[-1]:.1f}", runs[side][-1], file=sys.stderr, flush=True)

    version = (package / "VERSION").read_text().strip()
    print(f"XGBoost {version}, {options.rows:,} x {options.columns}, {options.folds} folds, {options.threads} threads, "
          f"medians of {options.repeats} by turns, load average from {min(load):.1f} to {max(load):.1f}:\n")
    print("| | seconds | this / EconML, within a round | processor seconds | this / EconML | peak MiB | RMSE, new rows |")
    print("|---|---|---|---|---|---|---|")
    for side, name in names.items():
        def ratio(key):
            return statistics.median(a[key] / b[key] for a, b in zip(runs[side], runs["econml"]))

        median = {key: statistics.median(run[key] for run in runs[side]) for key in runs[side][0]}
        print(f"| {name} | {median['seconds']:.1f} | {ratio('seconds'):.3f} | {median['processor']:.1f} | "
              f"{ratio('processor'):.3f} | {median['mebibytes']:.0f} | {median['rmse']:.4f} |")


if __name__ == "__main__":
    main()
