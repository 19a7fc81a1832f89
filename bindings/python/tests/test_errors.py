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
    with pytest.warns(mtlr.MetaLearnersWarning, match="1 rows without an outcome were dropped"):
        assert linear(missing_outcome="drop").fit(X, gaps, w).predict_training().shape == (399,)


def with_value(values, value):
    made = np.array(values, dtype=float)
    made.flat[3] = value
    return made


@pytest.mark.parametrize(
    "match, change",
    [
        ("infinite.*replace them", lambda X, y, w: dict(X=with_value(X, np.inf))),
        ("outcome.*1 of 400.*missing_outcome|outcome.*infinite.*drop", lambda X, y, w: dict(y=with_value(y, np.inf))),
        ("outcome: 400 of 400 values are missing", lambda X, y, w: dict(y=np.full(400, np.nan))),
        ("treatment.*1 of 400 rows are missing.*remove these rows", lambda X, y, w: dict(w=with_value(w, np.nan))),
        ("looks continuous", lambda X, y, w: dict(w=X[:, 0])),
        ("weight.*not negative", lambda X, y, w: dict(sample_weight=-np.ones(400))),
        ("weight.*every weight is 0", lambda X, y, w: dict(sample_weight=np.zeros(400))),
        ("weight: has 3 values.*one value for each row", lambda X, y, w: dict(sample_weight=np.ones(3))),
        ("cluster: has 3 values", lambda X, y, w: dict(cluster=np.ones(3))),
        ("1 clusters for 2 folds.*more clusters", lambda X, y, w: dict(cluster=np.ones(400))),
        ("cluster.*missing", lambda X, y, w: dict(cluster=with_value(w, np.nan))),
        ("propensity.*1.5.*not percentages", lambda X, y, w: dict(propensity=np.full(400, 1.5))),
        ("3 columns of propensities for 2 arms", lambda X, y, w: dict(propensity=np.full((400, 3), 1 / 3))),
        (r"propensity: has the shape \(3, 1\)", lambda X, y, w: dict(propensity=np.ones(3))),
        (r"two dimensions are expected, not the shape \(400, 2, 2\)", lambda X, y, w: dict(X=np.ones((400, 2, 2)))),
        ("as many values in each row", lambda X, y, w: dict(X=[[1, 2], [3]])),
        ("read the file first", lambda X, y, w: dict(X="data.csv")),
        ("outcome: one dimension is expected", lambda X, y, w: dict(y=np.column_stack([y, y]))),
    ],
)
def test_arrays_that_cannot_be_used(data, match, change):
    given = {"X": data.X, "y": data.y, "w": data.w, **change(data.X, data.y, data.w)}
    with fails(f"(?s){match}") as raised:
        linear().fit(given.pop("X"), given.pop("y"), given.pop("w"), **given)
    assert isinstance(raised.value, mtlr.MetaLearnersError) and raised.value.location


def test_what_is_asked_of_a_fitted_learner(fitted, data):
    for match, question in [
        ("use predict_training", lambda: fitted.predict(None)),
        ("no arm '7'; known are 0, 1", lambda: fitted.predict(data.X, arm=7)),
        ("scale 'log'; use 'difference'", lambda: fitted.predict(data.X, scale="log")),
        ("must be: 0 < x < 1", lambda: fitted.interval(data.X, level=95)),
        ("use 0.95 for intervals of 95 %", lambda: fitted.average_effect(level=95)),
        ("no column 'effects'; did you mean 'effect_1'", lambda: fitted.study().column("effects")),
        ("same rows in the same order", lambda: linear().fit(data.X[:50], data.y[:50], data.w[:50], reuse=fitted)),
        ("call fit", lambda: linear().fit(data.X, data.y, data.w, reuse=linear())),
        ("no row of .* has the label 'none'; known are 0, 1", lambda: linear(control="none").fit(data.X, data.y, data.w)),
    ]:
        with fails(match):
            question()
    with pytest.raises(NotImplementedError, match="fit with intervals.method: half_sampling"):
        mtlr.SLearner(mtlr.Ridge(), folds=2).fit(data.X, data.y, data.w).interval(data.X)


def test_dates_say_what_to_make_of_them_and_decimals_are_numbers(data):
    pandas = pytest.importorskip("pandas")
    from datetime import date
    from decimal import Decimal

    days = [date(2020, 1, 1 + row % 28) for row in range(400)]
    base = pandas.DataFrame({"x": data.X[:, 0]})
    frames = [base.assign(day=days), base.assign(day=pandas.to_datetime(days)), base.assign(day=pandas.to_datetime(days).tz_localize("UTC"))]
    for frame in frames:
        with fails(r"'day'.*days since the first: .*\.dt\.days"):
            linear().fit(frame, data.y, data.w)
    with fails(r"'day'.*column\.dt\.days"):
        linear().fit(base.assign(day=pandas.to_timedelta(np.arange(400), unit="D")), data.y, data.w)
    exact = base.assign(price=[Decimal(row) / 4 for row in range(400)])
    effects = linear().fit(exact, data.y, data.w).predict(exact)
    np.testing.assert_array_equal(effects, linear().fit(exact.astype(float), data.y, data.w).predict(exact.astype(float)))


def test_columns_of_arrow_that_are_no_numbers_are_named_with_what_to_do(data):
    pyarrow = pytest.importorskip("pyarrow")
    from datetime import date, datetime, time, timedelta

    for value, match in [
        (date(2020, 1, 1), "dates"), (datetime(2020, 1, 1), "times of day and date"), (time(3), "times of day"),
        (timedelta(3), "spans of time"), ([1.0], "lists"), ({"a": 1}, "structures"),
    ]:  # fmt: skip
        table = pyarrow.table({"x": data.X[:, 0], "odd": pyarrow.array([value] * 400)})
        with pytest.raises(mtlr.MetaLearnersError, match=match) as raised:
            linear().fit(table, data.y, data.w)
        assert raised.value.location == "column 'odd'" and "leave the column out" in raised.value.remedy


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


def raises(kind, location, match, ask):
    """What is wrong is an error of this package, which says where it is and what to do."""
    with pytest.raises(kind, match=match) as raised:
        ask()
    assert raised.value.location == location and raised.value.remedy
    return raised.value


NAN, INF = float("nan"), float("inf")


def test_what_is_not_finite_in_a_spec_or_a_request_is_named(fitted, data):
    for location, ask in [
        ("models.outcome.l2", lambda: mtlr.TLearner(mtlr.Ridge(l2=NAN)).to_spec()),
        ("models.effect.l2", lambda: mtlr.DRLearner(effect_model=mtlr.Ridge(l2=np.float32("inf"))).fit(data.X, data.y, data.w)),
        ("cross_fitting.folds", lambda: mtlr.DRLearner(folds=INF).to_spec()),
        ("overlap.bounds[0]", lambda: mtlr.DRLearner(overlap_bounds=np.array([NAN, 0.9])).to_spec()),
        ("level", lambda: fitted.study().aipw(level=NAN)),
        ("seed", lambda: fitted.explain(data.X[:3], seed=NAN)),
    ]:
        raises(errors.InvalidSpecError, location, "is (nan|inf), and must be finite; give a number", ask)


def test_what_is_no_unicode_is_named(fitted, data):
    half = "a\ud800"
    texts = np.array([half, "b"], dtype=object)
    for kind, location, ask in [
        (errors.InvalidDataError, "names of columns", lambda: linear().fit({half: data.X[:, 0]}, data.y, data.w)),
        (errors.InvalidDataError, "levels of column 'k'", lambda: linear().fit({"k": texts[data.w]}, data.y, data.w)),
        (errors.InvalidDataError, "levels of column 'treatment'", lambda: linear().fit(data.X, data.y, texts[data.w])),
        (errors.InvalidSpecError, "data.control", lambda: linear(control=half).fit(data.X, data.y, data.w)),
        (errors.InvalidDataError, "arm", lambda: fitted.predict(data.X, arm=half)),
        (errors.InvalidDataError, "columns", lambda: fitted.row_predictor(["x0", half])),
        (errors.InvalidDataError, "column", lambda: fitted.study().column(half)),
        (errors.InvalidDataError, "source", lambda: mtlr.Study(data.y, data.w, X=data.X, source=half)),
        (errors.InvalidArgumentError, "path", lambda: fitted.save(half)),
    ]:
        raises(kind, location, "half of a surrogate pair", ask)


def test_arguments_of_a_wrong_type_are_named(fitted, data):
    X, y, w = data.X, data.y, data.w
    for location, ask in [
        ("threads", lambda: linear(threads="a").fit(X, y, w)),
        ("threads", lambda: linear(threads=1.5).fit(X, y, w)),
        ("threads", lambda: linear(threads=2**33 + 1).fit(X, y, w)),
        ("threads", lambda: mtlr.Study(y, w, X=X, threads="a")),
        ("memory_limit", lambda: linear(memory_limit="1GB").fit(X, y, w)),
        ("level", lambda: fitted.average_effect(level="a")),
        ("level", lambda: fitted.individual_interval(X, level="a")),
        ("estimand", lambda: fitted.average_effect(None)),
        ("scale", lambda: fitted.predict(X, scale=["ratio"])),
        ("reuse", lambda: linear().fit(X, y, w, reuse=3)),
        ("collective", lambda: linear().fit(X, y, w, collective=3)),
        ("analyses", lambda: fitted.study().report(analyses=3)),
        ("path", lambda: fitted.save(None)),
        ("path", lambda: fitted.save("a\0b")),
        ("path", lambda: mtlr.load(3.5)),
    ]:
        raises(errors.InvalidArgumentError, location, location, ask)
    for location, ask in [
        ("spec", lambda: linear(spec=[1]).fit(X, y, w)),
        ("data", lambda: linear(spec={"data": ["a"]}).fit(X, y, w)),
        ("spec", lambda: mtlr.Study(y, w, X=X, spec="dr")),
    ]:
        raises(errors.InvalidSpecError, location, "must be a dictionary", ask)
    with pytest.raises(errors.InvalidSpecError, match="is no name"):
        linear(spec={(1, 2): 3}).to_spec()
    # Whole numbers of NumPy are whole numbers.
    np.testing.assert_array_equal(linear(threads=np.int64(1)).fit(X, y, w).predict(X), fitted.predict(X))


def test_files_that_cannot_be_written_are_named(fitted, data, tmp_path):
    nowhere = tmp_path / "none" / "file"
    asked = [lambda: fitted.export(nowhere, format="c"), lambda: fitted.study().report(nowhere, ["aipw"])]
    search = mtlr.GridSearch(mtlr.TLearner(mtlr.Ridge()), outcome={"backend": "ridge", "l2": [1, 2]}).fit(data.X, data.y, data.w)
    asked.append(lambda: search.to_csv(nowhere))
    for ask in asked:
        error = raises(errors.InputOutputError, str(nowhere), "cannot be written: No such file.*make the folder first", ask)
        assert isinstance(error, OSError) and ".part" not in str(error)
    # A folder stands in the way: nothing is left beside it.
    (tmp_path / "folder").mkdir()
    raises(errors.InputOutputError, str(tmp_path / "folder"), "cannot be written", lambda: fitted.study().report(tmp_path / "folder", ["aipw"]))
    assert sorted(found.name for found in tmp_path.iterdir()) == ["folder"]


def test_a_report_replaces_the_one_before_in_full_or_not_at_all(fitted, tmp_path, monkeypatch):
    import os

    from libmetalearners import _files

    page = tmp_path / "report.html"
    page.write_text("before")

    def fails_to_replace(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_files.os, "replace", fails_to_replace)
    raises(errors.InputOutputError, str(page), os.strerror(28), lambda: fitted.study().report(page, ["aipw"]))
    assert page.read_text() == "before" and len(list(tmp_path.iterdir())) == 1


def test_labels_of_single_precision_are_spelt_as_people_write_them(data):
    for kind in (np.float32, np.float16):
        w = (data.w * 0.5 + 0.1).astype(kind)
        for control in (w[data.w == 1][0], kind(0.6)):
            learner = linear(control=control).fit(data.X, data.y, w)
            np.testing.assert_allclose(learner.arms_, [0.6, 0.1], rtol=1e-3)
            assert learner.predict(data.X, arm=kind(0.1)).shape == (400,)
    learner = linear(control=0.1).fit(data.X, data.y, (data.w * 0.5 + 0.1).astype(np.float32))
    assert learner.arms_ == [0.1, 0.6]


def test_a_fit_whose_arms_cannot_be_told_leaves_the_learner_as_it_was(data, monkeypatch):
    from libmetalearners import _roles

    learner = linear().fit(data.X, data.y, data.w)
    before, state = learner.predict(data.X), dict(learner.__dict__)

    def fails_to_tell(self, labels):
        raise RuntimeError("no labels")

    monkeypatch.setattr(_roles.Roles, "arms", fails_to_tell)
    with pytest.raises(RuntimeError):
        learner.fit({"a": data.X[:, 0]}, -data.y, data.w)
    assert learner.__dict__ == state
    np.testing.assert_array_equal(learner.predict(data.X), before)
    fresh = linear()
    with pytest.raises(RuntimeError):
        fresh.fit(data.X, data.y, data.w)
    assert not fresh.__sklearn_is_fitted__()
