"""Error, time and memory of learners from a thousand rows to a million and more, ours beside EconML's.

    METALEARNERS_LIBRARY=…/libmetalearners.so PYTHONPATH=bindings/python/src python3 Benchmarks/scale/scale.py run results.csv
    python3 Benchmarks/scale/scale.py table results.csv
    python3 Benchmarks/scale/scale.py plot results.csv scale.svg

`run` goes on where it stopped: what the file holds is not fitted again. One law with 20 columns (`smooth` of `Benchmarks/accuracy`) is drawn for each number of
rows and seed, and every learner is fitted to that draw in a process of its own, one after another, so that its largest memory is its own. Seconds are those of
the fit, from arrays of 32-bit floats to a fitted model; memory is the largest resident set during the fit less the one before it, when the data are loaded and the
libraries imported; the error is the root mean square of estimated less true effects on 100,000 fresh rows.

Ours are `AutoLearner()` and the plain learners with what they do by default, averages and checks included. EconML's learners have LightGBM as it comes
(100 trees of 31 leaves) in every role and five folds; `CausalForestDML` has its own defaults with LightGBM for the nuisances.

`run` needs numpy, econml and lightgbm, `plot` needs matplotlib.
"""

import argparse
import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

COLUMNS = 20
FRESH_ROWS = 100_000
SIZES = (1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000, 10_000_000)
OURS = ("auto", "r", "x", "dr", "t")
ECONML = ("econml-r", "econml-x", "econml-dr", "econml-t")
FOREST = "econml-forest"
LEARNERS = OURS + ECONML + (FOREST,)
FIELDS = ("learner", "rows", "seed", "threads", "seconds", "memory_mib", "rmse")


def default_learners(rows):
    """What is fitted to so many rows when nobody says: a fit that takes more than a quarter of an hour is left out."""
    if rows > 1_000_000:
        return ("auto", "r")
    return OURS + ECONML + ((FOREST,) if rows <= 100_000 else ())


def default_seeds(rows):
    return 8 if rows <= 3_000 else 4 if rows <= 30_000 else 2 if rows <= 100_000 else 1


def draw(rows, seed, folder, name):
    """Writes `smooth`: curves and one product, confounded; in blocks, because ten million rows of doubles are too many."""
    random = np.random.default_rng([seed, rows])
    kinds = {"X": ((rows, COLUMNS), np.float32), "w": ((rows,), np.int32), "y": ((rows,), np.float32), "effect": ((rows,), np.float32)}
    files = {
        key: np.lib.format.open_memmap(folder / f"{name}_{key}.npy", mode="w+", dtype=kind, shape=shape)
        for key, (shape, kind) in kinds.items()
    }
    for first in range(0, rows, 1_000_000):
        block = slice(first, min(rows, first + 1_000_000))
        x = random.standard_normal((block.stop - first, COLUMNS))
        share = 1 / (1 + np.exp(-(0.6 * x[:, 0] - 0.5 * x[:, 1] ** 2 + 0.4)))
        effect = 0.5 + np.tanh(1.5 * x[:, 0]) + 0.5 * x[:, 5] + 0.7 * x[:, 1] * x[:, 2]
        w = random.random(len(x)) < share
        y = 2 * np.sin(x[:, 0]) + x[:, 1] + x[:, 2] ** 2 / 2 + x[:, 3] * x[:, 4] / 2 + w * effect + random.standard_normal(len(x))
        for key, values in {"X": x, "w": w, "y": y, "effect": effect}.items():
            files[key][block] = values
    for file in files.values():
        file.flush()


def ours(learner, threads):
    import libmetalearners as mtlr

    kinds = {"auto": mtlr.AutoLearner, "r": mtlr.RLearner, "x": mtlr.XLearner, "dr": mtlr.DRLearner, "t": mtlr.TLearner}
    fitted = kinds[learner](threads=threads)
    return lambda X, y, w: fitted.fit(X, y, w), fitted.predict


def econml(learner, threads):
    from lightgbm import LGBMClassifier, LGBMRegressor

    numbers = lambda: LGBMRegressor(n_jobs=threads, verbose=-1)  # noqa: E731
    classes = lambda: LGBMClassifier(n_jobs=threads, verbose=-1)  # noqa: E731
    if learner == "econml-r":
        from econml.dml import NonParamDML

        fitted = NonParamDML(model_y=numbers(), model_t=classes(), model_final=numbers(), discrete_treatment=True, cv=5, random_state=1)
    elif learner == FOREST:
        from econml.dml import CausalForestDML

        fitted = CausalForestDML(model_y=numbers(), model_t=classes(), discrete_treatment=True, cv=5, n_jobs=threads, random_state=1)
    elif learner == "econml-dr":
        from econml.dr import DRLearner

        fitted = DRLearner(model_propensity=classes(), model_regression=numbers(), model_final=numbers(), cv=5, random_state=1)
    elif learner == "econml-x":
        from econml.metalearners import XLearner

        fitted = XLearner(models=numbers(), propensity_model=classes(), cate_models=numbers())
    else:
        from econml.metalearners import TLearner

        fitted = TLearner(models=numbers())
    # What is kept for a second stage by another specification is of no use here and only takes memory.
    extra = {} if learner in ("econml-x", "econml-t") else {"cache_values": False}
    return lambda X, y, w: fitted.fit(y, w, X=X, **extra), lambda X: fitted.effect(X).ravel()


def resident(field):
    """A line of this process's memory, in MiB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) / 1024
    raise SystemExit(f"/proc/self/status has no {field}")


def one(learner, folder, name, threads):
    """Fits in this process, and prints what it took."""
    X, y, w = (np.load(folder / f"{name}_{key}.npy") for key in ("X", "y", "w"))
    fit, predict = (econml if learner.startswith("econml") else ours)(learner, threads)
    # From here on the largest resident set is that of the fit.
    Path("/proc/self/clear_refs").write_text("5")
    before = resident("VmRSS")
    start = time.monotonic()
    fit(X, y, w)
    seconds = time.monotonic() - start
    memory = resident("VmHWM") - before
    error = predict(np.load(folder / "fresh_X.npy")) - np.load(folder / "fresh_effect.npy")
    print(json.dumps({"seconds": seconds, "memory_mib": memory, "rmse": float(np.sqrt(np.mean(error.astype(np.float64) ** 2)))}))


def read(path):
    with open(path, newline="") as file:
        return [
            {**row, "rows": int(row["rows"]), "seed": int(row["seed"]), **{key: float(row[key]) for key in FIELDS[4:]}}
            for row in csv.DictReader(file)
        ]


def run(options):
    path = Path(options.results)
    if not path.exists():
        path.write_text(",".join(FIELDS) + "\n")
    done = {(row["learner"], row["rows"], row["seed"]) for row in read(path)}
    for rows in options.rows:
        for seed in range(1, (options.seeds or default_seeds(rows)) + 1):
            learners = [each for each in options.learners or default_learners(rows) if (each, rows, seed) not in done]
            if not learners:
                continue
            with tempfile.TemporaryDirectory() as folder:
                folder = Path(folder)
                draw(rows, seed, folder, "data")
                draw(FRESH_ROWS, 1_000 + seed, folder, "fresh")
                for learner in learners:
                    command = [sys.executable, "-W", "ignore", __file__, "one", learner, folder, "data", str(options.threads)]
                    told = subprocess.run(command, capture_output=True, text=True)
                    if told.returncode:
                        raise SystemExit(f"{learner} on {rows:,} rows: {told.stderr[-2000:]}")
                    found = json.loads(told.stdout.splitlines()[-1])
                    line = [learner, rows, seed, options.threads] + [f"{found[key]:.4g}" for key in FIELDS[4:]]
                    with open(path, "a", newline="") as file:
                        csv.writer(file, lineterminator="\n").writerow(line)
                    print(*line, flush=True)


def middles(rows):
    """By learner and number of rows: the median seconds and memory, the geometric mean of errors."""
    cells = {}
    for row in rows:
        cells.setdefault((row["learner"], row["rows"]), []).append(row)
    return {
        cell: {
            "seconds": statistics.median(each["seconds"] for each in found),
            "memory_mib": statistics.median(each["memory_mib"] for each in found),
            "rmse": statistics.geometric_mean(each["rmse"] for each in found),
            "draws": len(found),
        }
        for cell, found in cells.items()
    }


def table(options):
    cells = middles(read(options.results))
    sizes = sorted({rows for _, rows in cells})
    draws = {rows: max(cell["draws"] for (_, many), cell in cells.items() if many == rows) for rows in sizes}
    learners = [each for each in LEARNERS if any(learner == each for learner, _ in cells)]
    for title, key, digits in (
        ("RMSE of the effect on fresh rows", "rmse", None),
        ("seconds of the fit", "seconds", 3),
        ("MiB beyond data and imports", "memory_mib", 3),
    ):
        print(f"| {title} | " + " | ".join(f"{rows:,} ({draws[rows]})" for rows in sizes) + " |")
        print("|---|" + "---|" * len(sizes))
        for learner in learners:
            values = []
            for rows in sizes:
                cell = cells.get((learner, rows))
                values.append("" if cell is None else f"{cell[key]:.3f}" if digits is None else f"{float(f'{cell[key]:.{digits}g}'):,g}")
            print(f"| `{learner}` | " + " | ".join(values) + " |")
        print()


def plot(options):
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "scale"
    import matplotlib.pyplot as plt

    cells = middles(read(options.results))
    figure, axes = plt.subplots(1, 3, figsize=(13, 4.6))
    # Colour-blind safe (Okabe & Ito): a kind of learner has one colour, ours a solid line, EconML's a broken one.
    colours = {"auto": "#000000", "r": "#0072B2", "x": "#009E73", "dr": "#D55E00", "t": "#CC79A7", "forest": "#E69F00"}
    for axis, (title, key) in zip(
        axes, (("RMSE of the effect, fresh rows", "rmse"), ("seconds of the fit", "seconds"), ("MiB beyond data and imports", "memory_mib"))
    ):
        for learner in LEARNERS:
            points = sorted((rows, cell[key]) for (each, rows), cell in cells.items() if each == learner)
            if points:
                theirs = learner.startswith("econml-")
                kind = learner.removeprefix("econml-")
                axis.plot(
                    *zip(*points), color=colours[kind], linestyle="--" if theirs else "-", marker="o", markersize=3,
                    linewidth=2.4 if learner == "auto" else 1.3, label=f"EconML {kind}" if theirs else kind,
                )  # fmt: skip
        axis.set(xscale="log", yscale="log", xlabel="rows (20 columns)", title=title)
        axis.grid(True, which="major", color="#dddddd", linewidth=0.6)
        for side in ("top", "right"):
            axis.spines[side].set_visible(False)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncol=len(labels), frameon=False, fontsize=9)
    figure.tight_layout(rect=(0, 0.07, 1, 1))
    figure.savefig(options.picture, metadata={"Date": None})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    numbers = lambda text: [int(part.replace("_", "")) for part in text.split(",")]  # noqa: E731
    command = commands.add_parser("run", help="fits, and appends to the results")
    command.add_argument("results")
    command.add_argument("--rows", type=numbers, default=list(SIZES), help="numbers of rows")
    command.add_argument("--seeds", type=int, help="how many draws of each number of rows (8 to 1 by default, fewer of many rows)")
    command.add_argument("--learners", type=lambda text: text.split(","), help=", ".join(LEARNERS))
    command.add_argument("--threads", type=int, default=os.cpu_count())
    commands.add_parser("table", help="prints the results as tables").add_argument("results")
    command = commands.add_parser("plot", help="draws the results as SVG")
    command.add_argument("results")
    command.add_argument("picture")
    command = commands.add_parser("one")
    for argument in ("learner", "folder", "name", "threads"):
        command.add_argument(argument)
    options = parser.parse_args()
    if options.command == "one":
        one(options.learner, Path(options.folder), options.name, int(options.threads))
    else:
        {"run": run, "table": table, "plot": plot}[options.command](options)


if __name__ == "__main__":
    main()
