"""Rows and columns that have numbers beside texts: numbers stay numbers, or the mixture is refused."""

import numpy as np
import pytest
from conftest import draw, linear

import libmetalearners as mtlr
from libmetalearners import _data


@pytest.fixture(scope="module")
def mixed():
    drawn = draw()
    regions = ["north", "south", "west"]
    rows = [[float(drawn.X[row, 0]), regions[row % 3], float(drawn.X[row, 1]), row % 5] for row in range(400)]
    columns = {name: [row[place] for row in rows] for place, name in enumerate(("x0", "x1", "x2", "x3"))}
    return drawn, rows, columns


@pytest.mark.parametrize("kind", [list, tuple])
def test_numbers_in_rows_with_texts_stay_numbers(mixed, kind):
    drawn, rows, columns = mixed
    rows = kind(kind(row) for row in rows)
    read = _data.frame(rows)
    assert [name for name, values in read.columns.items() if values.levels] == ["x1"] and read.columns["x3"].numbers.dtype == np.int64
    expected = linear().fit(columns, drawn.y, drawn.w)
    learner = linear().fit(rows, drawn.y, drawn.w)
    np.testing.assert_array_equal(learner.predict(rows), expected.predict(columns))
    # Of new rows, too: one row at a time, and as arrays of objects.
    np.testing.assert_array_equal(learner.predict(np.array(rows, dtype=object)), expected.predict(columns))
    np.testing.assert_array_equal(learner.predict(rows[:1]), expected.predict(columns)[:1])
    np.testing.assert_allclose([learner.row_predictor()(row)[0] for row in rows[:9]], expected.predict(columns)[:9])


def test_studies_and_searches_read_rows_with_texts_alike(mixed):
    drawn, rows, columns = mixed
    study, other = (mtlr.Study(drawn.y, drawn.w, X=X, spec={"seed": 1}) for X in (rows, columns))
    np.testing.assert_array_equal(study.scores(), other.scores())
    searches = [
        mtlr.GridSearch(mtlr.TLearner(mtlr.Ridge()), outcome={"backend": "ridge", "l2": [1, 2]}).fit(X, drawn.y, drawn.w) for X in (rows, columns)
    ]
    assert [row["r_loss"] for row in searches[0].results_] == [row["r_loss"] for row in searches[1].results_]


def test_arrays_of_texts_with_numbers_among_them_are_refused(mixed):
    drawn, rows, columns = mixed
    learner = linear().fit(rows, drawn.y, drawn.w)
    for made in (np.array(rows), np.array(rows).astype("S"), [np.array(row) for row in rows], np.array(rows)[:1]):
        with pytest.raises(mtlr.errors.InvalidDataError, match="column 'x0': all texts of this column are numbers.*dtype=object") as raised:
            learner.predict(made)
        assert "astype(object)" in raised.value.remedy
    with pytest.raises(mtlr.errors.InvalidDataError, match="column 'x0'"):
        linear().fit(np.array(rows), drawn.y, drawn.w)
    # Texts that are categories are what they are, and so are numbers that the caller makes such.
    texts = np.array([[row[1], row[1][0]] for row in rows])
    assert _data.frame(texts).columns["x1"].levels == ["n", "s", "w"]
    codes = np.array([["01", "a"], ["2", "b"]])
    with pytest.raises(mtlr.errors.InvalidDataError, match="column 'x0'"):
        _data.frame(codes)
    assert _data.frame(codes.astype(object)).columns["x0"].levels == ["01", "2"]
    assert _data.frame(np.array([["", "a"], ["nan", "b"]])).columns["x0"].levels == ["", "nan"]


def test_a_column_is_of_numbers_or_of_texts(mixed):
    drawn, _, columns = mixed
    for values in ([1.5, "a"], [True, "a"], (1, "a")):
        with pytest.raises(mtlr.errors.InvalidDataError, match="column 'k'"):
            _data.column(values, "k")
    with pytest.raises(mtlr.errors.InvalidDataError, match="outcome"):
        linear().fit(columns, [*drawn.y[1:].tolist(), "1.5"], drawn.w)
    read = _data.column(["b", None, float("nan"), "a"], "k")
    assert read.levels == ["a", "b"] and list(read.numbers) == [1, -1, -1, 0]
