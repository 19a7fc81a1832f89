"""Values are taken row by row: what pandas would align by its index, and what belongs to other rows, is refused."""

import numpy as np
import pytest
from conftest import draw, linear

import libmetalearners as mtlr

pandas = pytest.importorskip("pandas")
REFUSED = mtlr.errors.InvalidDataError
OTHERS = ("sample_weight", "cluster", "propensity")


def test_an_index_in_another_order_is_refused():
    drawn = draw(200, seed=3)
    X = pandas.DataFrame(drawn.X, columns=["a", "b", "c"])
    y, w = pandas.Series(drawn.y), pandas.Series(drawn.w)
    mixed = y.sample(frac=1, random_state=0)
    expected = linear().fit(X, y, w).predict(X)
    for role, arguments in [("outcome", (X, mixed, w)), ("treatment", (X, y, w.loc[mixed.index]))]:
        with pytest.raises(REFUSED, match=f"{role}: has the rows of X in another order.*loc"):
            linear().fit(*arguments)
    for option in ("sample_weight", "cluster", "propensity"):
        with pytest.raises(REFUSED, match="in another order"):
            linear().fit(X, y, w, **{option: pandas.Series(np.full(200, 0.5)).loc[mixed.index]})
    # Rows that were chosen and numbered anew, and indexes that name no rows of X, are as they stand.
    np.testing.assert_array_equal(linear().fit(X, y.set_axis(np.arange(1000, 1200)), w.to_numpy()).predict(X), expected)
    np.testing.assert_array_equal(linear().fit(X.loc[mixed.index], mixed, w.loc[mixed.index]).predict(X).shape, expected.shape)


def series(values, index):
    return pandas.Series(np.asarray(values), index=index)


@pytest.fixture(scope="module")
def rows():
    drawn = draw(200, seed=3)
    mixed = np.random.default_rng(0).permutation(200)
    named = pandas.Index([f"p{row}" for row in range(200)])
    return drawn, mixed, named


def test_what_belongs_to_other_rows_is_refused(rows):
    drawn, mixed, named = rows
    X = pandas.DataFrame(drawn.X, columns=["a", "b", "c"], index=named)
    y, w = series(drawn.y, named), series(drawn.w, named)
    numbered = pandas.Index(np.arange(200) + 7)
    twice = pandas.Index(np.arange(200) // 2)
    for own, other in [
        (named, pandas.Index([f"q{row}" for row in range(200)])),  # Training and test mixed up: no row in common.
        (named, named[100:].append(pandas.Index([f"q{row}" for row in range(100)]))),  # Some in common.
        (numbered, pandas.Index(np.arange(200) + 8)),
        (twice, twice[mixed]),
        (named, pandas.MultiIndex.from_arrays([named, named])),
    ]:
        for arguments in (
            (X.set_axis(own), y.set_axis(other), w.set_axis(own)),
            (X.set_axis(own), y.set_axis(own), w.set_axis(other)),
            (drawn.X, y.set_axis(own), w.set_axis(other)),
        ):
            with pytest.raises(REFUSED, match=r"has other rows than (X|outcome).*reset_index\(drop=True\)"):
                linear().fit(*arguments)
        for option in OTHERS:
            with pytest.raises(REFUSED, match="has other rows than X"):
                linear().fit(X.set_axis(own), y.to_numpy(), w.to_numpy(), **{option: series(np.full(200, 0.5), other)})
        with pytest.raises(REFUSED, match="column 'b': has other rows than column 'a'"):
            linear().fit({"a": series(drawn.X[:, 0], own), "b": series(drawn.X[:, 1], other)}, drawn.y, drawn.w)
        learner = linear().fit(X.set_axis(own), y.set_axis(own), w.set_axis(own))
        expected = linear().fit(X.reset_index(drop=True), drawn.y, drawn.w).predict(X)
        np.testing.assert_array_equal(learner.predict(X), expected)
        # The remedy helps.
        np.testing.assert_array_equal(linear().fit(X.set_axis(own), y.set_axis(other).reset_index(drop=True), drawn.w).predict(X), expected)


def test_indexes_are_compared_with_each_other_where_the_covariates_have_none(rows):
    drawn, mixed, named = rows
    y, w = series(drawn.y, named), series(drawn.w, named)
    with pytest.raises(REFUSED, match="treatment: has the rows of outcome in another order"):
        linear().fit(drawn.X, y, w.iloc[mixed])
    for option in OTHERS:
        with pytest.raises(REFUSED, match="has the rows of outcome in another order"):
            linear().fit(drawn.X, y, drawn.w, **{option: series(np.full(200, 0.5), named).iloc[mixed]})
    columns = {"a": series(drawn.X[:, 0], named), "b": series(drawn.X[:, 1], named).iloc[mixed]}
    with pytest.raises(REFUSED, match="column 'b': has the rows of column 'a' in another order"):
        linear().fit(columns, drawn.y, drawn.w)
    learner = linear().fit({"a": drawn.X[:, 0], "b": drawn.X[:, 1]}, drawn.y, drawn.w)
    with pytest.raises(REFUSED, match="column 'b': has the rows of column 'a' in another order"):
        learner.predict(columns)


def test_predictions_studies_and_searches_compare_indexes_too(rows):
    drawn, mixed, named = rows
    X = pandas.DataFrame(drawn.X, columns=["a", "b", "c"], index=named)
    y, w, half = series(drawn.y, named), series(drawn.w, named), series(np.full(200, 0.5), named)
    learner = linear().fit(X, y, w, propensity=half)
    with pytest.raises(REFUSED, match="propensity: has the rows of X in another order"):
        learner.predict(X, propensity=half.iloc[mixed])
    given = {"propensities": half, "arm_means": np.zeros((200, 2)), "effects": half}
    assert len(mtlr.Study(y, w, **given)) == 200
    for name in ("propensities", "effects"):
        with pytest.raises(REFUSED, match=f"{name}: has the rows of outcome in another order"):
            mtlr.Study(y, w, **{**given, name: half.iloc[mixed]})
        with pytest.raises(REFUSED, match=f"{name}: has the rows of treatment in another order"):
            mtlr.Study(drawn.y, w, **{**given, name: half.iloc[mixed]})
    with pytest.raises(REFUSED, match="treatment: has the rows of outcome in another order"):
        mtlr.Study(y, w.iloc[mixed], **given)
    search = mtlr.GridSearch(mtlr.TLearner(mtlr.Ridge()), outcome={"backend": "ridge", "l2": [1, 2]})
    with pytest.raises(REFUSED, match="outcome: has the rows of X in another order"):
        search.fit(X, y.iloc[mixed], w)


def test_sorting_by_the_index_leaves_a_default_one(data):
    frame = pandas.DataFrame({"a": data.X[:, 0], "b": data.X[:, 1]})
    named = pandas.Series(data.y, index=[f"id {row}" for row in range(len(data.y))])
    frame = frame.sort_values("a").sort_index()
    assert mtlr.TLearner(mtlr.Ridge()).fit(frame, named, data.w).predict(frame[:3]).shape == (3,)
