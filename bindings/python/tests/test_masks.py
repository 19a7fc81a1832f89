"""What a mask of NumPy hides is missing, and never what lies beneath it."""

import numpy as np
import pytest
from conftest import draw, linear

import libmetalearners as mtlr
from libmetalearners import _columns, _data

ROWS = 300


@pytest.fixture(scope="module")
def drawn():
    return draw(ROWS)


def hidden(values, rows, beneath):
    """The values with some rows masked, and another value beneath the mask."""
    made = np.ma.masked_array(np.array(values), mask=np.zeros(len(values), bool))
    made.data[rows] = beneath
    made[rows] = np.ma.masked
    made.data[rows] = beneath
    return made


def gaps(values, rows):
    made = np.array(values, dtype=float)
    made[rows] = np.nan
    return made


def test_masked_covariates_are_missing(drawn):
    some = np.arange(0, ROWS, 7)
    masked = np.ma.masked_array(drawn.X.copy(), mask=np.zeros(drawn.X.shape, bool))
    masked[some, 1] = np.ma.masked
    masked.data[some, 1] = -999
    plain = drawn.X.copy()
    plain[some, 1] = np.nan
    expected = linear().fit(plain, drawn.y, drawn.w)
    wanted = expected.predict(plain)
    for X in (masked, list(masked), {f"x{place}": masked[:, place] for place in range(3)}, {f"x{place}": list(masked[:, place]) for place in range(3)}):
        learner = linear().fit(X, drawn.y, drawn.w)
        np.testing.assert_allclose(learner.predict(X), wanted, atol=1e-12)
        np.testing.assert_allclose(expected.predict(X), wanted, atol=1e-12)
    np.testing.assert_allclose(mtlr.Study(drawn.y, drawn.w, X=masked).scores(), mtlr.Study(drawn.y, drawn.w, X=plain).scores(), atol=1e-9)
    # A mask that hides nothing costs nothing.
    clear = np.ma.masked_array(drawn.X)
    assert np.shares_memory(_data.frame(clear).matrix, drawn.X)


def test_masked_values_of_every_type_are_missing():
    large = hidden([2**60 + 1, 2**60 + 2, 2**60 + 3], [1], 5)
    read = _columns.column(large, "k")
    assert read.numbers.dtype == np.int64 and list(read.numbers[[0, 2]]) == [2**60 + 1, 2**60 + 3] and read.validity[0] == 0b101
    read = _columns.column(hidden(["a", "b", "c"], [1], "z"), "k")
    assert read.levels == ["a", "c"] and list(read.numbers) == [0, -1, 1]
    read = _columns.column(hidden(np.array(["a", "b", "c"], object), [1], "z"), "k")
    assert read.levels == ["a", "c"] and list(read.numbers) == [0, -1, 1]
    read = _columns.column(hidden(np.array([1, 2, 3], "f4"), [1], 9), "k")
    assert read.numbers.dtype == np.float32 and np.isnan(read.numbers[1])
    read = _columns.column(hidden([True, False, True], [1], True), "k")
    assert read.validity[0] == 0b101
    assert list(_columns.column(["a", np.ma.masked, "c"], "k").numbers) == [0, -1, 1]
    assert np.isnan(_columns.column([1.0, np.ma.masked], "k").numbers[1])


def test_masked_outcomes_are_missing(drawn):
    y = hidden(drawn.y, [3, 5], 1e9)
    with pytest.raises(mtlr.errors.InvalidDataError, match="2 of 300 values are missing.*missing_outcome='drop'"):
        linear().fit(drawn.X, y, drawn.w)
    for made in (y, list(y)):
        learner = linear(missing_outcome="drop").fit(drawn.X, made, drawn.w)
        np.testing.assert_array_equal(learner.predict(drawn.X), linear(missing_outcome="drop").fit(drawn.X, gaps(drawn.y, [3, 5]), drawn.w).predict(drawn.X))
    with pytest.raises(mtlr.errors.InvalidDataError, match="2 of 300 values are missing"):
        mtlr.Study(y, drawn.w, X=drawn.X)


@pytest.mark.parametrize("whole", [False, True])
def test_masked_arms_weights_clusters_and_propensities_are_refused_as_missing_ones_are(drawn, whole):
    kind = np.int64 if whole else np.float64
    with pytest.raises(mtlr.errors.InvalidDataError, match="treatment.*missing"):
        linear().fit(drawn.X, drawn.y, hidden(drawn.w.astype(kind), [4], 1))
    for option, match in [("sample_weight", "weight"), ("cluster", "cluster.*missing"), ("propensity", "propensity")]:
        values = (np.arange(ROWS) // 3 if option == "cluster" else np.ones(ROWS)).astype(kind)
        if option == "propensity":
            values = np.full(ROWS, 0.5) if not whole else np.ones(ROWS, kind)
        with pytest.raises(mtlr.MetaLearnersError, match=match):
            linear().fit(drawn.X, drawn.y, drawn.w, **{option: hidden(values, [4], 1)})
    texts = hidden(np.array(["no", "yes"])[drawn.w], [4], "yes")
    with pytest.raises(mtlr.errors.InvalidDataError, match="treatment.*missing"):
        linear().fit(drawn.X, drawn.y, texts)


def test_masked_estimates_of_a_study_are_refused_as_missing_ones_are(drawn):
    given = {"propensities": np.full((ROWS, 2), 0.5), "arm_means": np.zeros((ROWS, 2)), "effects": np.zeros(ROWS)}
    for name in given:
        masked = np.ma.masked_array(given[name], mask=np.zeros(given[name].shape, bool))
        assert len(mtlr.Study(drawn.y, drawn.w, **{**given, name: masked})) == ROWS
        masked[4] = np.ma.masked
        with pytest.raises(mtlr.MetaLearnersError, match="row index 4 has nan"):
            mtlr.Study(drawn.y, drawn.w, **{**given, name: masked})


def test_a_masked_value_of_a_single_row_is_missing(drawn):
    predictor = linear().fit(drawn.X, drawn.y, drawn.w).row_predictor()
    row = np.ma.masked_array([0.1, 0.2, 0.3], mask=[0, 1, 0])
    np.testing.assert_array_equal(predictor(row), predictor([0.1, None, 0.3]))
    np.testing.assert_array_equal(predictor([0.1, np.ma.masked, 0.3]), predictor([0.1, None, 0.3]))
