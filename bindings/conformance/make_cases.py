"""Writes the cases of bindings/conformance: what every binding must find, as this library's Python package finds it.

    python3 bindings/conformance/make_cases.py

Data are drawn once by NumPy's generator and written to four digits, so that no binding needs a generator of its own. Only run it where a
case is added or a change of the library's numbers is meant: what is written is what every binding is held against.
"""

import csv
import json
import sys
from pathlib import Path

import numpy as np

import libmetalearners as mtlr

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from cases import answers, fit, predictions  # noqa: E402

ROWS = 160


def columns(seed, arms=("0", "1"), outcome="continuous"):
    """A small trial with a number, a gap now and then, a category, weights, clusters and propensities that depend on `age`."""
    random = np.random.default_rng(seed)
    age, score = random.normal(size=ROWS), random.normal(size=ROWS)
    region = np.array(["north", "south", "west"])[random.integers(0, 3, ROWS)]
    share = 1 / (1 + np.exp(-0.5 * age))
    place = (random.random(ROWS) < share).astype(int) if len(arms) == 2 else random.integers(0, len(arms), ROWS)
    signal = 0.5 * age + place * (0.8 + score) + (region == "west") + random.normal(size=ROWS)
    outcomes = {
        "continuous": [f"{value:.4f}" for value in signal],
        "binary": [str(int(value > 0.5)) for value in signal],
        "classes": [("bus", "car", "walk")[min(2, max(0, int(value + 1)))] for value in signal],
    }
    return {
        "age": ["" if row % 23 == 7 else f"{value:.4f}" for row, value in enumerate(age)],
        "score": [f"{value:.4f}" for value in score],
        "region": list(region),
        "school": [f"s{row % 16}" for row in range(ROWS)],
        "weight": [str(1 + row % 3) for row in range(ROWS)],
        "chance": [f"{value:.4f}" for value in share],
        "arm": [arms[one] for one in place],
        "outcome": outcomes[outcome],
    }


def spec(learner, covariates=("age", "score", "region"), **more):
    data = {"treatment": "arm", "outcome": "outcome", "covariates": list(covariates), **more.pop("data", {})}
    made = {"learner": learner, "data": data, "cross_fitting": {"folds": 2}, "seed": 3, **more}
    if learner not in ("auto",):
        made.setdefault("models", {"outcome": {"backend": "ridge"}, "propensity": {"backend": "logistic"}, "effect": {"backend": "ridge"}})
    return made


CASES = {
    "dr_clusters_and_gaps": (columns(1), spec("dr", data={"cluster": "school"}), ["aipw", {"analysis": "gates", "groups": 3, "level": 0.9}, "policy_value"]),
    "r_weights_and_known_propensities": (
        columns(2), spec("r", data={"weight": "weight", "propensity": ["chance"]}), ["calibration_test", {"analysis": "ipw", "estimand": "att"}],
    ),
    "x_three_arms_of_trees": (
        columns(3, arms=("none", "mail", "visit")),
        spec("x", models={"outcome": {"backend": "trees", "trees": 20, "min_leaf_size": 5}, "effect": {"backend": "trees", "trees": 10, "min_leaf_size": 5}}),
        [{"analysis": "aipw", "arm": "visit"}, "uplift_slices"],
    ),
    "t_classes": (columns(4, outcome="classes"), spec("t", data={"outcome_type": "classes"}, models={"outcome": {"backend": "logistic"}}), []),
    "s_binary_ratio": (columns(5, outcome="binary"), spec("s", effect_scale="ratio", models={"outcome": {"backend": "logistic"}}), ["effect_distribution"]),
    "error_one_arm": ({**columns(6), "arm": ["0"] * ROWS}, spec("dr"), []),
    "error_unknown_key": (columns(7), {**spec("dr"), "lerner": "r"}, []),
    "error_out_of_range": (columns(7), spec("dr", overlap={"bounds": [0.9, 0.1]}), []),
    "error_missing_column": (columns(7), spec("dr", data={"treatment": "arms"}), []),
}  # fmt: skip


def write(path, header, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])




def main():
    for name, (data, spec, requests) in CASES.items():
        folder = HERE / "cases" / name
        folder.mkdir(parents=True, exist_ok=True)
        write(folder / "data.csv", data, zip(*data.values()))
        (folder / "spec.json").write_text(json.dumps(spec, indent=1) + "\n")
        try:
            model, dataset = fit(folder)
        except mtlr.MetaLearnersError as error:
            assert name.startswith("error_"), error
            (folder / "error.json").write_text(json.dumps({"kind": error.kind, "location": error.location}, indent=1) + "\n")
            continue
        assert not name.startswith("error_"), name
        found = predictions(model, folder)
        for file, (header, rows) in found.items():
            write(folder / f"{file}.csv", header, [[repr(float(value)) if not isinstance(value, str) else value for value in row] for row in rows])
        (folder / "requests.json").write_text(json.dumps(requests, indent=1) + "\n")
        (folder / "answers.json").write_text(json.dumps(answers(model, dataset, requests), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
