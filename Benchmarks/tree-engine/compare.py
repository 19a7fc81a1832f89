"""Fits the same data with the backend `trees`, XGBoost, LightGBM and scikit-learn, in turn, and prints a table.

    python3 compare.py [--work NAME …] [--repeats 5] [--threads 2] [--markdown TABLE.md]
    python3 compare.py --work "counts 1M x 20" "median 1M x 20" "three monotone columns, 1M x 20"
    python3 compare.py --work predict       1,000,000 rows × 100 trees, beside XGBoost's in-place prediction
    python3 compare.py --work growth        time and memory by rows: 10⁵, 10⁶, 10⁷ × 20, the backend alone
    python3 compare.py --work memory        memory above the data, on every shape
    python3 compare.py --work floor         what the hardware takes at least for the histograms of each shape
    python3 compare.py --work x-learner     an X-learner on 8,000,000 × 78 float32, made by the process itself
    ../single-row/run                       one row through a T-learner of 2 × 100 trees, from C

Every library gets 100 trees of 31 leaves, learning rate 0.1, 255 bins, 20 rows per leaf, l2 1, float32 rows in memory;
the time is from there to a fitted model, binning included. Repeats are alternated: each round runs every library
once. Times are medians; ratios are medians of the ratios within a round, as the machine's speed drifts.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import tempfile
import time

import numpy as np

clock = time.perf_counter  # Or time.process_time, which other programs on the machine disturb less.
HERE = pathlib.Path(__file__).resolve().parent
TREES, LEAVES, RATE, BINS, LEAF_SIZE, L2 = 100, 31, 0.1, 255, 20, 1.0
TEST_ROWS = 100_000

WORK = {
    "regression 1M x 20": dict(rows=1_000_000, columns=20),
    "regression 100k x 50": dict(rows=100_000, columns=50),
    "regression 1M x 100": dict(rows=1_000_000, columns=100),
    "weighted, 10 % missing, 1M x 20": dict(rows=1_000_000, columns=20, weights=True, missing=0.1),
    "binary, weighted, 1M x 20": dict(rows=1_000_000, columns=20, weights=True, objective="binary"),
    "20 categories of 1,000 levels, 500k": dict(rows=500_000, columns=20, levels=1000),
    "counts 1M x 20": dict(rows=1_000_000, columns=20, objective="count"),
    "median 1M x 20": dict(rows=1_000_000, columns=20, objective="median"),
    "three monotone columns, 1M x 20": dict(rows=1_000_000, columns=20, monotone=(0, 3, 4)),
    "regression 10k x 20": dict(rows=10_000, columns=20),
    "regression 10M x 20": dict(rows=10_000_000, columns=20),
}


def make(rows, columns, seed, weights=False, missing=0.0, objective="regression", levels=0,
         monotone=()):
    """Half of the columns continuous, half of few levels; the outcome of a randomised treatment with effects."""
    rng = np.random.default_rng(seed)
    if levels:
        effects = np.random.default_rng(99).standard_normal((columns, levels))
        counts = np.round(np.geomspace(10, levels, columns)).astype(int)
        X = np.stack([np.minimum(rng.zipf(1.3, rows) - 1, 10**6) % c for c in counts], 1).astype(np.float32)
        mean = sum(effects[j][X[:, j].astype(int)] for j in range(0, columns, 2)) / 2
    else:
        X = rng.standard_normal((rows, columns), dtype=np.float32)
        X[:, columns // 2 :] = np.round(X[:, columns // 2 :] * 4) / 4
        score = 0.5 * X[:, 0] - 0.5 * X[:, 1] + 0.25 * X[:, 2] * (X[:, 3] > 0)
        treated = rng.random(rows) < np.clip(1 / (1 + np.exp(-score)), 0.05, 0.95)
        mean = np.sin(np.pi * X[:, 0] * X[:, 1] / 2) + (X[:, 2] - 0.5) ** 2 / 2 + X[:, 3] + 0.5 * X[:, 4]
        mean = mean + (treated - 0.5) * (1 + 0.5 * X[:, 0] + (X[:, 1] > 0) * X[:, 5])
    y = (mean + rng.standard_normal(rows)).astype(np.float32)
    if objective == "binary":
        y = (rng.random(rows) < 1 / (1 + np.exp(-mean))).astype(np.float32)
    if objective == "count":
        y = rng.poisson(np.exp(mean / 4)).astype(np.float32)
    w = rng.uniform(0.2, 2, rows).astype(np.float32) if weights else None
    if missing:
        X[rng.random((rows, columns), dtype=np.float32) < missing] = np.nan
    return X, y, w


def loss(work, p, y, w):
    if work.get("objective") == "binary":
        p = np.clip(p, 1e-12, 1 - 1e-12)
        return float(np.average(-np.log(np.where(y == 1, p, 1 - p)), weights=w))
    if work.get("objective") == "count":
        return float(np.average(p - y * np.log(p), weights=w))
    if work.get("objective") == "median":
        return float(np.average(np.abs(y - p), weights=w))
    return float(np.sqrt(np.average((p - y) ** 2, weights=w)))


def engine(binary, folder, work, data, test, threads):
    arguments = dict(
        columns=work["columns"], threads=threads, trees=TREES, max_leaves=LEAVES, learning_rate=RATE,
        max_bins=BINS, min_leaf_size=LEAF_SIZE, l2=L2, weights=int(work.get("weights", False)),
        levels=work.get("levels", 0), objective=work.get("objective", "regression"))
    if "monotone" in work:
        arguments["monotone"] = ",".join(str(column) for column in work["monotone"])
    out = subprocess.run([binary, folder] + [f"{k}={v}" for k, v in arguments.items()],
                         check=True, capture_output=True, text=True).stdout
    result = json.loads(out.splitlines()[-1])
    p = np.fromfile(f"{folder}/p.f64")
    seconds = result["fit" if clock is time.perf_counter else "fit_cpu"]
    return seconds, p[1::2] if work.get("objective") == "binary" else p, result


def xgboost(folder, work, data, test, threads):
    import xgboost as xgb

    X, y, w = data
    kind = ["c"] * X.shape[1] if work.get("levels") else None
    start = clock()
    matrix = xgb.QuantileDMatrix(X, y, weight=w, max_bin=BINS, nthread=threads, feature_types=kind,
                                 enable_categorical=bool(kind))
    objective = {"binary": "binary:logistic", "count": "count:poisson", "median": "reg:quantileerror"}.get(
        work.get("objective"), "reg:squarederror")
    more = dict(quantile_alpha=0.5) if work.get("objective") == "median" else {}
    if "monotone" in work:
        more["monotone_constraints"] = tuple(int(c in work["monotone"]) for c in range(X.shape[1]))
    booster = xgb.train(
        dict(more, objective=objective, tree_method="hist", grow_policy="lossguide", max_leaves=LEAVES, max_depth=0,
             eta=RATE, reg_lambda=L2, min_child_weight=LEAF_SIZE if not work.get("objective") else 1,
             max_bin=BINS, nthread=threads), matrix, TREES)
    seconds = clock() - start
    p = booster.predict(xgb.DMatrix(test[0], feature_types=kind, enable_categorical=bool(kind)))
    return seconds, p, {}


def lightgbm(folder, work, data, test, threads, quantised=False):
    import lightgbm as lgb

    X, y, w = data
    categories = list(range(X.shape[1])) if work.get("levels") else "auto"
    start = clock()
    objective = {"binary": "binary", "count": "poisson", "median": "quantile"}.get(work.get("objective"), "regression")
    more = dict(alpha=0.5) if work.get("objective") == "median" else {}
    if "monotone" in work:
        more["monotone_constraints"] = [int(c in work["monotone"]) for c in range(X.shape[1])]
    parameters = dict(
        more,
        objective=objective, num_leaves=LEAVES, learning_rate=RATE, min_data_in_leaf=LEAF_SIZE, lambda_l2=L2,
        min_sum_hessian_in_leaf=0, max_bin=BINS, num_threads=threads, verbose=-1, use_quantized_grad=quantised)
    dataset = lgb.Dataset(X, y, weight=w, params=parameters, categorical_feature=categories)
    booster = lgb.train(parameters, dataset, TREES)
    return clock() - start, booster.predict(test[0]), {}


def scikit(folder, work, data, test, threads):
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits

    X, y, w = data
    binary = work.get("objective") == "binary"
    kind = HistGradientBoostingClassifier if binary else HistGradientBoostingRegressor
    more = {"count": dict(loss="poisson"), "median": dict(loss="quantile", quantile=0.5)}.get(work.get("objective"), {})
    if "monotone" in work:
        more = dict(monotonic_cst=[int(c in work["monotone"]) for c in range(X.shape[1])])
    model = kind(**more, max_iter=TREES, max_leaf_nodes=LEAVES, learning_rate=RATE, min_samples_leaf=LEAF_SIZE,
                 l2_regularization=L2, max_bins=BINS, early_stopping=False)
    with threadpool_limits(threads):
        start = clock()
        model.fit(X, y, sample_weight=w)
        seconds = clock() - start
    return seconds, model.predict_proba(test[0])[:, 1] if binary else model.predict(test[0]), {}


PEERS = {
    "XGBoost": xgboost,
    "LightGBM": lightgbm,
    "LightGBM quantised": lambda *a: lightgbm(*a, quantised=True),
    "scikit-learn": scikit,
}


def write(folder, data, test):
    for file, array in zip(("X", "y", "w", "T"), (*data, test[0])):
        if array is not None:
            array.tofile(f"{folder}/{file}.f32")


def data_of(work):
    shape = {k: v for k, v in work.items() if k != "rows"}
    return make(work["rows"], seed=0, **shape), make(TEST_ROWS, seed=1, **shape)


def predict(options):
    """Predictions of the rows in memory, one model each, alternated within the round."""
    import xgboost as xgb

    data = make(1_000_000, 20, seed=0)
    parameters = dict(objective="reg:squarederror", tree_method="hist", grow_policy="lossguide", max_leaves=LEAVES,
                      max_depth=0, eta=RATE, reg_lambda=L2, min_child_weight=LEAF_SIZE, max_bin=BINS,
                      nthread=options.threads)
    booster = xgb.train(parameters, xgb.QuantileDMatrix(data[0], data[1], max_bin=BINS), TREES)
    booster.set_param(dict(nthread=options.threads))
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as folder:
        write(folder, data, data)
        work = dict(rows=1_000_000, columns=20)
        for _ in range(options.repeats):
            seconds, _, result = engine(options.binary, folder, work, data, data, options.threads)
            ours.append(result["predict_again"])
            start = clock()
            booster.inplace_predict(data[0])
            theirs.append(clock() - start)
    ratio = statistics.median(a / b for a, b in zip(ours, theirs))
    print("| rows × trees | trees | XGBoost in place | share |\n|---|---|---|---|")
    print(f"| 1,000,000 × 100 | {statistics.median(ours):.4f} s | {statistics.median(theirs):.4f} s | {ratio:.3f} |")


def growth(options):
    """Time by rows; linear would be the same microseconds a row."""
    print("| rows × 20 | seconds | microseconds a row | memory above data |\n|---|---|---|---|", flush=True)
    for rows in (100_000, 1_000_000, 10_000_000):
        work = dict(rows=rows, columns=20)
        data, test = data_of(work)
        with tempfile.TemporaryDirectory() as folder:
            write(folder, data, test)
            runs = [engine(options.binary, folder, work, data, test, options.threads)
                    for _ in range(options.repeats)]
        seconds = statistics.median(run[0] for run in runs)
        more = max(run[2]["peak_memory_bytes"] - run[2]["memory_before_fit"] for run in runs)
        print(f"| {rows:,} | {seconds:.3f} | {1e6 * seconds / rows:.3f} | {more / 2**20:.0f} MiB |", flush=True)


def memory(options):
    """Peak above what was in use before the fit, against 2.2 bytes per cell and 100 MB."""
    print("| work | memory above data | allowed |\n|---|---|---|", flush=True)
    for name, work in WORK.items():
        data, test = data_of(work)
        with tempfile.TemporaryDirectory() as folder:
            write(folder, data, test)
            result = engine(options.binary, folder, work, data, test, options.threads)[2]
        more = result["peak_memory_bytes"] - result["memory_before_fit"]
        allowed = 2.2 * work["rows"] * work["columns"] + 1e8
        print(f"| {name} | {more / 1e6:.0f} MB | {allowed / 1e6:.0f} MB |", flush=True)


def counted(node):
    """The rows of the smaller child of each split: those that a histogram must be made of."""
    if "left_child" not in node:
        return 0
    sizes = [child.get("internal_count", child.get("leaf_count")) for child in (node["left_child"], node["right_child"])]
    return min(sizes) + counted(node["left_child"]) + counted(node["right_child"])


def floor(options):
    """Histogram updates and bytes of each shape, by the trees that LightGBM grows there, times what one core takes at
    best for each, beside what a fit takes."""
    import lightgbm as lgb

    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["cc", "-O2", str(HERE / "floor.c"), "-o", f"{folder}/floor"], check=True)
        best = json.loads(subprocess.run([f"{folder}/floor"], check=True, capture_output=True, text=True).stdout)
    print(f"One core: {best['packed']:.3f} ns an update of one word, {best['paired']:.3f} ns of two, "
          f"{best['bandwidth']:.1f} GB/s read\n")
    print("| work | rows counted a tree | updates a tree | floor of updates, s | of bytes, s | fit, s | fit / floor |\n"
          "|---|---|---|---|---|---|---|", flush=True)
    for name, work in list(WORK.items())[:5]:
        data, test = data_of(work)
        X, y, w = data
        is_binary = work.get("objective") == "binary"
        parameters = dict(objective="binary" if is_binary else "regression", num_leaves=LEAVES, learning_rate=RATE,
                          min_data_in_leaf=LEAF_SIZE, lambda_l2=L2, max_bin=BINS, num_threads=options.threads, verbose=-1)
        trees = lgb.train(parameters, lgb.Dataset(X, y, weight=w), TREES).dump_model()["tree_info"]
        # The root is counted anew where the loss is not quadratic, else once.
        rows = sum(counted(tree["tree_structure"]) + (len(y) if is_binary or i == 0 else 0)
                   for i, tree in enumerate(trees)) / TREES
        updates = rows * work["columns"]
        # Gradients and Hessians of classes go into one word, those of weighted residuals into two.
        is_paired = w is not None and not is_binary
        # Of a row: its bins, its gradient and its number.
        size = work["columns"] + (8 if is_paired else 4) + 4
        by_updates = 1e-9 * TREES * updates * best["paired" if is_paired else "packed"] / options.threads
        by_bytes = 1e-9 * TREES * rows * size / best["bandwidth"] / options.threads
        with tempfile.TemporaryDirectory() as folder:
            write(folder, data, test)
            seconds = statistics.median(engine(options.binary, folder, work, data, test, options.threads)[0]
                                        for _ in range(options.repeats))
        print(f"| {name} | {rows / len(y):.2f} n | {updates / 1e6:.1f} M | {by_updates:.3f} | {by_bytes:.3f} | "
              f"{seconds:.3f} | {seconds / max(by_updates, by_bytes):.2f} |", flush=True)


def x_learner(options):
    """A whole X-learner; rows are made in the process, so that nothing else holds them."""
    command = [options.binary, "x-learner", f"rows={options.rows}", "columns=78", f"threads={options.threads}",
               f"trees={TREES}"]
    print(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


OTHERS = {"predict": predict, "growth": growth, "memory": memory, "floor": floor, "x-learner": x_learner}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", default=str(HERE / ".build/release/tree-benchmark"))
    parser.add_argument("--work", nargs="*", default=list(WORK)[:6])
    parser.add_argument("--peers", nargs="*", default=list(PEERS))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--markdown")
    parser.add_argument("--processor-time", action="store_true",
                        help="processor time instead of wall time; meaningful with --threads 1, as waiting threads spin")
    parser.add_argument("--rows", type=int, default=8_000_000, help="of x-learner")
    options = parser.parse_args()
    if options.processor_time:
        global clock
        clock = time.process_time
    for name in [name for name in options.work if name in OTHERS]:
        OTHERS[name](options)
        options.work.remove(name)
    if not options.work:
        return
    lines = ["| work | library | seconds | trees' share of its time | test loss | peak memory above data |",
             "|---|---|---|---|---|---|"]
    print("\n".join(lines), flush=True)
    for name in options.work:
        work = WORK[name]
        data, test = data_of(work)
        with tempfile.TemporaryDirectory() as folder:
            write(folder, data, test)
            runs = {"trees": lambda *a: engine(options.binary, *a)}
            runs |= {peer: PEERS[peer] for peer in options.peers
                     if not (work.get("levels", 0) > 255 and peer == "scikit-learn")}
            seconds = {key: [] for key in runs}
            losses, memory = {}, ""
            for _ in range(options.repeats):
                for key, fit in runs.items():
                    took, p, detail = fit(folder, work, data, test, options.threads)
                    seconds[key].append(took)
                    losses[key] = loss(work, p, test[1], test[2])
                    if detail:
                        memory = f"{(detail['peak_memory_bytes'] - detail['memory_before_fit']) / 2**20:.0f} MiB"
        for key, times in seconds.items():
            ratio = statistics.median(a / b for a, b in zip(seconds["trees"], times))
            lines.append(f"| {name} | {key} | {statistics.median(times):.3f} | {ratio:.3f} | {losses[key]:.5f} | "
                         f"{memory if key == 'trees' else ''} |")
            print(lines[-1], flush=True)
    if options.markdown:
        pathlib.Path(options.markdown).write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
