"""The same spec with the backend swapped: every learner on examples/data/learning_mindset.csv.

    python3 run.py METALEARNERS [--plugin lightgbm_plugin.so] [--backends trees,xgboost,…] [--learners s,t,…]
                   [--repeats 3] [--results RESULTS.md]

METALEARNERS is the command line (scripts/build-cli). XGBoost is found by METALEARNERS_XGBOOST or where the system has it,
LightGBM by METALEARNERS_LIGHTGBM (see docs/plugins.md). Backends alternate within each round; times are medians. Every fit is a
process of its own, so its processor seconds and its peak memory are those of reading, fitting and averaging effects. Needs Python
alone.
"""
import argparse
import csv
import io
import json
import math
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = ROOT / "examples/data/learning_mindset.csv"
SPEC = ROOT / "examples/specs/learning_mindset.yaml"
# What estimates the propensity: the backend itself, or what its family has for classes.
PROPENSITY = {"ridge": "logistic", "elastic_net": "{backend: logistic, selection: min}"}
LEARNERS = ["s", "t", "f", "m", "x", "u", "r", "ra", "dr"]
BACKENDS = ["trees", "xgboost", "lightgbm", "forest", "ridge", "elastic_net"]
HAS_ARM_MEANS = {"s", "t", "x", "ra", "dr"}


def run(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stderr}")
    return done.stdout


def columns(text):
    rows = list(csv.DictReader(io.StringIO(text)))
    return {name: [float(row[name]) for row in rows] for name in rows[0]}


def rmse(estimates, values):
    return math.sqrt(statistics.fmean((a - b) ** 2 for a, b in zip(estimates, values)))


class Study:
    def __init__(self, options, folder):
        self.cli = options.cli
        self.plugins = [word for file in options.plugin for word in ("--plugin", file)]
        self.model = str(pathlib.Path(folder, "model"))
        with open(DATA) as file:
            data = columns(file.read())
        self.treated, self.outcome = data["intervention"], data["achievement_score"]

    def fit(self, learner, backend):
        propensity = PROPENSITY.get(backend, backend)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        result = json.loads(run([
            self.cli, "fit", SPEC, DATA, "-o", self.model, "--json", "--quiet", "--set", f"learner={learner}", "--set",
            f"models={{outcome: {backend}, propensity: {propensity}, effect: {backend}}}", *self.plugins]))
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        average = result["estimates"][0]
        return dict(ate=average["estimate"], error=average["std_error"], seconds=result["seconds"]["fit"],
                    processor=after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
                    mebibytes=result["peak_memory_bytes"] / 2**20)

    def nuisances(self, learner):
        """Out-of-fold errors of the model that was just fitted."""
        def predicted(what):
            return columns(run([self.cli, "predict", self.model, DATA, "-o", "-", "--what", what, "--training", "--quiet",
                                *self.plugins]))
        errors = dict(propensity=rmse(predicted("propensities")["propensity_1"], self.treated))
        if learner in HAS_ARM_MEANS:
            means = predicted("arm_means")
            own = [means["mean_1" if arm else "mean_0"][row] for row, arm in enumerate(self.treated)]
            errors["outcome"] = rmse(own, self.outcome)
        return errors


def table(title, learners, backends, cell):
    lines = [f"{title}", "", "| learner | " + " | ".join(backends) + " |", "|---" * (len(backends) + 1) + "|"]
    for learner in learners:
        lines.append(f"| {learner} | " + " | ".join(cell(learner, backend) for backend in backends) + " |")
    return lines + [""]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cli")
    parser.add_argument("--plugin", action="append", default=[])
    parser.add_argument("--backends", default=",".join(BACKENDS))
    parser.add_argument("--learners", default=",".join(LEARNERS))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--results")
    options = parser.parse_args()
    backends, learners = options.backends.split(","), options.learners.split(",")
    runs, errors = {}, {}
    load = [os.getloadavg()[0]]
    with tempfile.TemporaryDirectory() as folder:
        study = Study(options, folder)
        for round in range(options.repeats):
            for learner in learners:
                for backend in backends:
                    runs.setdefault((learner, backend), []).append(study.fit(learner, backend))
                    if round == 0:
                        errors[learner, backend] = study.nuisances(learner)
                    print(round, learner, backend, runs[learner, backend][-1], errors[learner, backend], file=sys.stderr,
                          flush=True)
            load.append(os.getloadavg()[0])

    def median(key):
        return lambda learner, backend: statistics.median(run[key] for run in runs[learner, backend])

    def error(key):
        return lambda learner, backend: (
            f"{errors[learner, backend][key]:.4f}" if key in errors[learner, backend] else "–")

    first = {key: results[0] for key, results in runs.items()}
    lines = table("Average treatment effect (standard error), in standard deviations of grades:", learners, backends,
                  lambda *key: f"{first[key]['ate']:.3f} ({first[key]['error']:.3f})")
    lines += table("RMSE of the outcome models, out of fold, at the arm that each row is in:", learners, backends,
                   error("outcome"))
    lines += table("RMSE of the propensity, out of fold:", learners, backends, error("propensity"))
    seconds, processor, memory = median("seconds"), median("processor"), median("mebibytes")
    what = f"median of {options.repeats}" if options.repeats > 1 else "one run each"
    lines += table(f"Processor seconds of the process, all threads together, {what}:", learners, backends,
                   lambda *key: f"{processor(*key):.2f}")
    lines += table(f"Seconds to fit, by the clock, {what}:", learners, backends, lambda *key: f"{seconds(*key):.2f}")
    lines += table("Peak memory of the process, MiB:", learners, backends, lambda *key: f"{memory(*key):.0f}")
    listed = json.loads(run([options.cli, "backends", "--json", *study.plugins]))["backends"]
    versions = ", ".join(f"{b['name']} {b['version']}" for b in listed if b["name"] in ("xgboost", "lightgbm"))
    lines.append(f"{versions}; {os.cpu_count()} processors, load average from {min(load):.1f} to {max(load):.1f}.")
    print("\n".join(lines))
    if options.results:
        pathlib.Path(options.results).write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
