"""Models written in other languages: what comes out, where it goes, and what is refused."""

import json
import os

import numpy as np
import pytest

import libmetalearners as mtlr


@pytest.fixture(scope="module")
def fitted():
    rng = np.random.default_rng(0)
    n = 300
    X = {
        "age": rng.normal(size=n),
        "re\"gion": np.array(["north", "so'uth", "west"], dtype=object)[rng.integers(0, 3, n)],
    }
    X["age"][::7] = np.nan
    w = rng.integers(0, 2, n)
    y = np.nan_to_num(X["age"]) * w + (X["re\"gion"] == "west") + rng.normal(size=n)
    learner = mtlr.XLearner(mtlr.Trees(trees=10), mtlr.Logistic(), mtlr.Trees(trees=10))
    return learner.fit(X, y, w), X


def test_every_language_comes_as_text_or_bytes(fitted):
    learner, _ = fitted
    formulas = json.loads(learner.export(format="json", what=["effects", "propensities"]))
    assert [column["name"] for column in formulas["columns"]] == ["age", 're"gion']
    assert formulas["names"][0] == "cate" and len(formulas["names"]) == 3
    assert "double gain(const double *x);" in learner.export(format="c", name="gain")
    assert learner.export(format="onnx", categories="codes").startswith(b"\x08")
    assert 'FROM "people" AS' in learner.export(format="sql", dialect="postgres", table="people")


def test_sql_gives_the_predictions(fitted):
    duckdb = pytest.importorskip("duckdb")
    pandas = pytest.importorskip("pandas")
    learner, X = fitted
    people = pandas.DataFrame({"place": range(len(X["age"])), **X})
    connection = duckdb.connect()
    connection.register("people", people)
    query = learner.export(format="sql", table="people").strip().rstrip(";")
    found = connection.execute(f"SELECT cate FROM ({query}) ORDER BY place").fetchnumpy()["cate"]
    np.testing.assert_allclose(found, learner.predict(X), rtol=1e-12, atol=1e-12)


def test_a_file_is_there_in_full_or_not_at_all(fitted, tmp_path):
    learner, _ = fitted
    path = tmp_path / "model.c"
    assert learner.export(path, format="c") is None
    assert path.read_text() == learner.export(format="c")
    with pytest.raises(mtlr.errors.UnsupportedError):
        learner.export(path, format="c", what="intervals")
    assert path.read_text() == learner.export(format="c")
    with pytest.raises(OSError):
        learner.export(tmp_path / "nowhere" / "model.c", format="c")
    assert os.listdir(tmp_path) == ["model.c"]


def test_what_is_none_is_refused(fitted):
    learner, _ = fitted
    with pytest.raises(mtlr.errors.InvalidSpecError, match="format"):
        learner.export(format="pmml")
    with pytest.raises(mtlr.errors.InvalidSpecError, match="colour"):
        learner.export(format="c", colour="red")
    with pytest.raises(mtlr.errors.InvalidArgumentError, match="name"):
        learner.export(format="c", name="not a name")
    with pytest.raises(mtlr.errors.NotFittedError):
        mtlr.TLearner().export(format="c")
