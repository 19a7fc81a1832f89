"""Columns that nobody asks for may be of any kind: those beside the covariates of new rows, and those that the spec leaves out."""

import pickle
from datetime import date, timedelta

import numpy as np
import pytest
from conftest import draw, linear

import libmetalearners as mtlr

ROWS = 200
ODD = {
    "day": [date(2020, 1, 1) + timedelta(days=row) for row in range(ROWS)],
    "span": [timedelta(days=row) for row in range(ROWS)],
    "list": [[row, row] for row in range(ROWS)],
}


@pytest.fixture(scope="module")
def rows():
    drawn = draw(ROWS)
    plain = {name: drawn.X[:, place] for place, name in enumerate("abc")}
    learner = linear().fit(plain, drawn.y, drawn.w)
    return drawn, plain, learner, learner.predict(plain)


class Stream:
    """What exports a stream of Arrow and is of no package that this one knows."""

    def __init__(self, table):
        self._table = table

    def __arrow_c_stream__(self, requested_schema=None):
        return self._table.__arrow_c_stream__(requested_schema)


def tables(plain):
    """The columns among others that cannot be used, as every package has them."""
    wide = {"day": ODD["day"], "c": plain["c"], "span": ODD["span"], "a": plain["a"], "list": ODD["list"], "b": plain["b"]}
    pandas = pytest.importorskip("pandas")
    yield "mapping", {**wide, "lazy": object(), "short": [1.0]}
    yield "pandas", pandas.DataFrame(wide)
    yield "twice", pandas.concat([pandas.DataFrame(wide), pandas.DataFrame(wide)[["day", "span"]]], axis=1)
    numbers = pandas.DataFrame(plain)
    yield "numbers twice", pandas.concat([numbers, numbers[["a"]].set_axis(["z"], axis=1), numbers[["a"]].set_axis(["z"], axis=1)], axis=1)
    yield "polars", pytest.importorskip("polars").DataFrame(wide)
    pyarrow = pytest.importorskip("pyarrow")
    table = pyarrow.table(wide)
    yield "pyarrow", table
    yield "pyarrow batch", table.to_batches()[0]
    yield "pyarrow reader", table.to_reader()
    yield "pyarrow twice", table.append_column("z", table.column("a")).append_column("z", table.column("day"))
    yield "stream", Stream(table)


def test_new_rows_may_have_columns_of_any_kind_beside_the_covariates(rows):
    _, plain, learner, expected = rows
    for kind, table in tables(plain):
        np.testing.assert_array_equal(learner.predict(table), expected, err_msg=kind)
    assert learner.interval(dict(tables(plain))["pandas"]).effect.shape == (ROWS,)
    assert learner.explain(dict(tables(plain))["pandas"][:5]).values.shape == (5, 3)


@pytest.mark.parametrize("data", [{"exclude": ["day", "span", "list", "lazy", "short", "z"]}, {"covariates": ["a", "b", "c"]}], ids=["exclude", "covariates"])
def test_a_fit_leaves_columns_alone_that_its_spec_leaves_out(rows, data):
    drawn, plain, _, expected = rows
    for kind, table in tables(plain):
        names = list(table) if isinstance(table, dict) else []
        given = dict(data)
        if "exclude" in given:
            present = names or list(getattr(table, "columns", None) if kind in ("pandas", "twice", "numbers twice", "polars") else plain)
            if kind.startswith("pyarrow") or kind == "stream":
                present = ["day", "span", "list", *(["z"] if kind.endswith("twice") else [])]
            given["exclude"] = [name for name in given["exclude"] if name in present]
        learner = linear(spec={"data": given}).fit(table, drawn.y, drawn.w)
        assert sorted(learner.feature_names_in_) == ["a", "b", "c"], kind
        np.testing.assert_allclose(learner.predict(plain), expected, atol=1e-9, err_msg=kind)
    # What is asked for is still refused, with what to do.
    with pytest.raises(mtlr.MetaLearnersError, match="'day'"):
        linear(spec={"data": {"exclude": ["span", "list"]}}).fit(dict(tables(plain))["pandas"], drawn.y, drawn.w)
    with pytest.raises(mtlr.errors.InvalidDataError, match="no column 'dya'"):
        linear(spec={"data": {"exclude": ["dya"]}}).fit(plain, drawn.y, drawn.w)


def test_roles_may_be_among_columns_that_are_left_out(rows):
    pandas = pytest.importorskip("pandas")
    drawn, plain, _, expected = rows
    frame = pandas.DataFrame(plain).assign(y=drawn.y, w=np.array(["no", "yes"])[drawn.w], day=ODD["day"], half=0.5)
    learner = linear(spec={"data": {"covariates": ["a", "b", "c"]}}).fit(frame, "y", "w")
    np.testing.assert_allclose(learner.predict(frame), expected, atol=1e-9)
    learner = linear(spec={"data": {"exclude": ["day"]}}).fit(frame, "y", "w", propensity=["half"])
    assert list(learner.feature_names_in_) == ["a", "b", "c"] and learner.predict(frame).shape == (ROWS,)


def test_an_array_of_objects_may_have_columns_that_are_left_out(rows):
    drawn, plain, _, expected = rows
    wide = np.array([[a, day, b, c] for a, day, b, c in zip(plain["a"], ODD["day"], plain["b"], plain["c"])], dtype=object)
    for X in (wide, wide.tolist()):
        for data in ({"exclude": ["x1"]}, {"covariates": ["x0", "x2", "x3"]}):
            learner = linear(spec={"data": data}).fit(X, drawn.y, drawn.w)
            # New rows are those of the fit, or have the covariates alone.
            for new in (X, drawn.X, drawn.X.tolist()):
                np.testing.assert_allclose(learner.predict(new), expected, atol=1e-9)
            with pytest.raises(mtlr.errors.InvalidDataError, match="has 5 columns without names"):
                learner.predict(np.zeros((3, 5)))


@pytest.mark.parametrize("data", [{"exclude": ["a"]}, {"covariates": ["c", "b"]}], ids=["exclude", "covariates"])
def test_the_features_of_a_learner_are_what_its_model_uses(rows, tmp_path, data):
    pandas = pytest.importorskip("pandas")
    drawn, plain, _, _ = rows
    for X in (plain, pandas.DataFrame(plain), pytest.importorskip("polars").DataFrame(plain)):
        learner = linear(spec={"data": data}).fit(X, drawn.y, drawn.w)
        learner.save(tmp_path / "chosen.model")
        expected = linear().fit({"b": plain["b"], "c": plain["c"]}, drawn.y, drawn.w).predict(plain)
        for one in (learner, mtlr.load(tmp_path / "chosen.model"), pickle.loads(pickle.dumps(learner))):
            assert list(one.feature_names_in_) == ["b", "c"] and one.n_features_in_ == 2
            assert one.row_predictor().columns == ["b", "c"]
            np.testing.assert_allclose(one.predict(pandas.DataFrame(plain)[["c", "b"]]), expected, atol=1e-9)
            np.testing.assert_allclose(one.predict(drawn.X[:, 1:]), expected, atol=1e-9)
        # Arrays may have the columns of the fit, too, while the learner knows them.
        np.testing.assert_allclose(learner.predict(drawn.X), expected, atol=1e-9)


def test_searches_leave_columns_alone_too(rows):
    pandas = pytest.importorskip("pandas")
    drawn, plain, _, _ = rows
    frame = pandas.DataFrame(plain).assign(day=ODD["day"])
    search = mtlr.GridSearch(mtlr.TLearner(mtlr.Ridge(), spec={"data": {"exclude": ["day"]}}), outcome={"backend": "ridge", "l2": [1, 2]})
    search.fit(frame, drawn.y, drawn.w, validation={"X": frame, "y": drawn.y + 0.1, "w": drawn.w})
    assert list(search.best_learner_.feature_names_in_) == ["a", "b", "c"]
    assert search.predict(frame).shape == (ROWS,)


def test_parquet_files_may_have_columns_that_are_left_out(rows, tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    import pyarrow.parquet

    drawn, plain, _, _ = rows
    table = pyarrow.table({**plain, "y": drawn.y, "w": drawn.w, "day": ODD["day"]})
    pyarrow.parquet.write_table(table, tmp_path / "rows.parquet")
    for data in ({"exclude": ["day"]}, {"covariates": ["a", "b", "c"]}):
        learner = mtlr.TLearner(mtlr.Trees(trees=5), mtlr.Trees(trees=5), spec={"data": data}).fit(tmp_path / "rows.parquet", "y", "w")
        assert list(learner.feature_names_in_) == ["a", "b", "c"]
        np.testing.assert_array_equal(learner.predict(tmp_path / "rows.parquet"), learner.predict(plain))


def test_a_reader_that_was_read_says_so(rows):
    pyarrow = pytest.importorskip("pyarrow")
    drawn, plain, learner, expected = rows
    whole = pyarrow.table({**plain, "y": drawn.y, "w": drawn.w})
    reader = whole.to_reader()
    np.testing.assert_allclose(linear().fit(reader, "y", "w").predict(plain), expected, atol=1e-9)
    with pytest.warns(mtlr.MetaLearnersWarning, match=r"this reader has no rows \(left\).*read_all"):
        with pytest.raises(mtlr.errors.InvalidDataError, match="there are no rows"):
            linear().fit(reader, "y", "w")
    with pytest.warns(mtlr.MetaLearnersWarning, match="this reader has no rows"):
        assert learner.predict(reader).shape == (0,)
