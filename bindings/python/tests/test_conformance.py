"""The cases that every binding runs (bindings/conformance)."""

import json
import math
import sys
from pathlib import Path

import pytest

import libmetalearners as mtlr

FOLDER = Path(__file__).resolve().parents[2] / "conformance"
if not FOLDER.exists():
    pytest.skip("needs the repository", allow_module_level=True)
sys.path.insert(0, str(FOLDER))
import cases  # noqa: E402


def same(found, expected, where):
    if isinstance(expected, dict):
        assert set(found) == set(expected), where
        for key in expected:
            same(found[key], expected[key], f"{where}.{key}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), where
        for place, pair in enumerate(zip(found, expected)):
            same(*pair, f"{where}[{place}]")
    elif isinstance(expected, float) or isinstance(found, float):
        assert math.isclose(found, expected, rel_tol=1e-6, abs_tol=1e-8), f"{where}: {found} is not {expected}"
    else:
        assert found == expected, where


def typed(value):
    try:
        return float(value)
    except ValueError:
        return value


@pytest.mark.parametrize("name", cases.names())
def test_case(name):
    folder = cases.FOLDER / name
    if (folder / "error.json").exists():
        expected = json.loads((folder / "error.json").read_text())
        with pytest.raises(mtlr.MetaLearnersError) as raised:
            cases.fit(folder)
        assert (raised.value.kind, raised.value.location) == (expected["kind"], expected["location"])
        return
    model, dataset = cases.fit(folder)
    for file, (header, rows) in cases.predictions(model, folder).items():
        expected_header, expected = cases.read_csv(folder / f"{file}.csv")
        assert header == expected_header
        same([list(map(typed, row)) for row in rows], [list(map(typed, row)) for row in expected], file)
    requests = json.loads((folder / "requests.json").read_text())
    same(cases.answers(model, dataset, requests), json.loads((folder / "answers.json").read_text(encoding="utf-8")), "answers")


@pytest.mark.parametrize("name", [name for name in cases.names() if not name.startswith("error_")])
def test_the_learners_of_the_package_find_the_same(name):
    """The cases go through the calls of C; users go through `fit`, which finds columns, roles and levels by itself."""
    folder = cases.FOLDER / name
    spec = json.loads((folder / "spec.json").read_text())
    table, data = cases.read_table(folder / "data.csv"), spec["data"]
    X = {column: table[column] for column in data["covariates"]}
    known = table[data["propensity"][0]] if "propensity" in data else None
    learner = mtlr.MetaLearner.from_spec(spec).fit(
        X, table["outcome"], table["arm"], cluster=table.get(data.get("cluster")), sample_weight=table.get(data.get("weight")), propensity=known
    )
    expected = [list(map(float, row)) for row in cases.read_csv(folder / "effects.csv")[1]]
    same(learner.predict(X).reshape(len(expected), -1).tolist(), expected, "effects")


def test_every_kind_of_case_is_there():
    specs = [json.loads((cases.FOLDER / name / "spec.json").read_text()) for name in cases.names()]
    assert {"cluster", "weight", "propensity", "outcome_type"} <= {key for spec in specs for key in spec["data"]}
    assert sum((cases.FOLDER / name / "error.json").exists() for name in cases.names()) >= 4
    assert {"dr", "r", "x", "t", "s"} <= {spec["learner"] for spec in specs}
