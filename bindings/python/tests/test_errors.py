"""Bad input gives errors that say where and what to do."""

import pickle

import numpy as np
import pytest
from conftest import linear

import libmetalearners as mtlr
from libmetalearners import errors


def fails(match, kind=ValueError):
    return pytest.raises(kind, match=match)


def test_data_that_cannot_be_used(data):
    X, y, w = data.X, data.y, data.w
    gaps = y.copy()
    gaps[3] = np.nan
    for given, match in [
        ((X, y[:-1], w), "outcome: has 399 values, and X has 400 rows"),
        ((X, y, w[:-1]), "treatment: has 399"),
        ((X, gaps, w), "outcome: 1 of 400 values are missing.*missing_outcome='drop'"),
        ((X, y, np.zeros(400)), "one arm only"),
        ((X[:0], y[:0], w[:0]), "no rows"),
        ((X[:, 0], y, w), "reshape"),
        ((np.array([[{}, 1]] * 400, object), y, w), r"column 'x0': .*Python objects \(dict\)"),
        ((np.array([["2020-01-01"]] * 400, "M8[D]"), y, w), "datetime64"),
        ((X, y, X), "treatment.*one dimension"),
        ((X * (1 + 1j), y, w), "complex"),
        (({"a": X[:, 0], "b": X[:3, 0]}, y, w), "'b' has 3"),
        (({"a": X[:, 0]}, "score", w), "no column 'score'"),
    ]:
        with fails(match) as raised:
            linear().fit(*given)
        assert isinstance(raised.value, errors.InvalidDataError) and raised.value.remedy
    assert linear(missing_outcome="drop").fit(X, gaps, w).predict_training().shape == (399,)


def test_columns_and_levels_are_checked_at_predict(data):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(data.X, columns=["age", "income", "size"]).assign(region=np.array(["n", "s"])[np.arange(400) % 2])
    learner = linear(unseen_levels="error").fit(frame, data.y, data.w)
    with fails("no column 'income'"):
        learner.predict(frame.drop(columns="income"))
    with fails("region|west"):
        learner.predict(frame.assign(region="west"))
    with fails("age"):
        learner.predict(frame.assign(age="old"))
    with fails("has 3 columns"):
        learner.predict(data.X)
    with fails("reshape"):
        learner.predict(data.X[0])
    with fails("several columns"):
        learner.predict(pandas.concat([frame, frame[["age"]]], axis=1))
    assert learner.predict(frame[:0]).shape == (0,)


def test_parameters_are_checked(data):
    with fails("did you mean 'trees'"):
        mtlr.Trees(tree=3)
    with fails("folds"):
        linear(folds=1000).fit(data.X, data.y, data.w) if False else mtlr.DRLearner(folds="many").to_spec()
    with fails("unknown parameter"):
        mtlr.DRLearner(fold=3)
    with fails("no base learner"):
        mtlr.Plugin("none")
    with fails(r"call it: Ridge\(\)"):
        mtlr.DRLearner(mtlr.Ridge).to_spec()
    with fails("l2"):
        mtlr.DRLearner(mtlr.Ridge(l2=-1)).to_spec()
    with fails("estimand"):
        linear().fit(data.X, data.y, data.w).average_effect("late")


def test_a_learner_that_is_not_fitted_says_so():
    for question in (lambda learner: learner.predict([[1.0]]), lambda learner: learner.study(), lambda learner: learner.summary):
        with fails("call fit", mtlr.NotFittedError):
            question(linear())


def test_files_and_bytes(tmp_path, fitted):
    with fails("none.model", OSError):
        mtlr.load(tmp_path / "none.model")
    (tmp_path / "bad.model").write_bytes(b"no model at all")
    with pytest.raises(errors.CorruptModelError):
        mtlr.load(tmp_path / "bad.model")
    with pytest.raises(OSError):
        fitted.save(tmp_path / "no" / "folder")


def test_what_a_fit_cannot_do(data):
    with pytest.raises(MemoryError):
        mtlr.DRLearner(memory_limit=1).fit(data.X, data.y, data.w)


@pytest.mark.parametrize("kind", [*errors.BY_STATUS.values(), errors.NotFittedError, errors.LibraryError])
def test_errors_survive_a_pickle(kind):
    error = pickle.loads(pickle.dumps(kind("is wrong", "here", "do that")))
    assert type(error) is kind and str(error) == "here: is wrong; do that" and error.remedy == "do that"
    assert isinstance(error, mtlr.MetaLearnersError) and error.kind
