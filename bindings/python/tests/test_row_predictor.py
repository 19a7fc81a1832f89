"""Learners prepared for single rows."""

import threading

import numpy as np
import pytest
from conftest import draw, linear

import libmetalearners as mtlr

LEARNERS = [
    mtlr.TLearner(mtlr.Trees(trees=9)), mtlr.XLearner(mtlr.Ridge(), effect_model=mtlr.Trees(trees=9)), linear(),
    mtlr.RLearner(mtlr.Forest(trees=5), effect_model=mtlr.Forest(trees=5)), mtlr.AutoLearner(),
]  # fmt: skip


@pytest.mark.parametrize("learner", LEARNERS, ids=lambda learner: type(learner).__name__)
@pytest.mark.parametrize("arms", [2, 3])
def test_rows_are_predicted_as_in_a_table(learner, arms):
    data = draw(300, arms)
    X = data.X.copy()
    X[::7, 1] = np.nan
    predictor = learner.fit(X, data.y, data.w).row_predictor()
    assert predictor.is_compiled and predictor.columns == ["x0", "x1", "x2"] and len(predictor.outputs) == arms - 1
    expected = learner.predict(X).reshape(len(X), -1)
    np.testing.assert_allclose([predictor(row) for row in X], expected, rtol=0, atol=1e-11)
    np.testing.assert_allclose(predictor(list(X[0])), expected[0], rtol=0, atol=1e-11)


def test_labels_names_and_missing_values():
    pandas = pytest.importorskip("pandas")
    data = draw(300)
    kinds = np.array(["u", "v", "x"])[np.arange(300) % 3]
    frame = pandas.DataFrame({"a": data.X[:, 0], "kind": pandas.Categorical(kinds), "b": data.X[:, 1]})
    learner = linear().fit(frame, data.y, data.w)
    predictor = learner.row_predictor(["kind", "unused", "b", "a"])
    assert predictor.levels == {"kind": ["u", "v", "x"]}
    for row in (0, 1, 2):
        values = {"a": data.X[row, 0], "kind": kinds[row], "b": data.X[row, 1], "unused": 1}
        expected = learner.predict(frame[row : row + 1])
        np.testing.assert_allclose(predictor(values), expected)
        np.testing.assert_allclose(predictor([kinds[row], None, data.X[row, 1], data.X[row, 0]]), expected)
        np.testing.assert_allclose(predictor(np.array([row, np.nan, data.X[row, 1], data.X[row, 0]])), expected)
    gaps = pandas.DataFrame({"a": [np.nan], "kind": pandas.Categorical([None], ["u"]), "b": [0.5]})
    np.testing.assert_allclose(predictor({"a": None, "kind": "never seen", "b": 0.5, "unused": None}), learner.predict(gaps))


def test_a_number_is_a_label_where_labels_are_numbers():
    pandas = pytest.importorskip("pandas")
    data = draw(300)
    frame = pandas.DataFrame({"a": data.X[:, 0], "region": pandas.Categorical(np.arange(300) % 3 + 1)})
    learner = linear().fit(frame, data.y + 2 * (frame["region"] == 3), data.w)
    predictor = learner.row_predictor()
    assert predictor.levels == {"region": ["1", "2", "3"]}
    for row in (0, 1, 2):
        expected = learner.predict(frame[row : row + 1])
        for value in (row + 1, float(row + 1), str(row + 1), str(row + 1).encode()):
            np.testing.assert_allclose(predictor([data.X[row, 0], value]), expected)
    gap = pandas.DataFrame({"a": [0.5], "region": pandas.Categorical([None], [1])})
    for unseen in (0, None, float("nan")):
        np.testing.assert_allclose(predictor({"a": 0.5, "region": unseen}), learner.predict(gap))


def test_what_is_wrong_with_a_row_is_said(fitted):
    predictor = fitted.row_predictor()
    for row in ([1.0], [1.0, 2, 3, 4], 1.0, {"x0": 1}):
        with pytest.raises(mtlr.errors.InvalidDataError):
            predictor(row)
    with pytest.raises(mtlr.errors.InvalidDataError, match="x1"):
        predictor([1.0, "text", 2.0])
    with pytest.raises(mtlr.MetaLearnersError, match="overflow"):
        predictor([np.inf, 0, 0])
    with pytest.raises(mtlr.errors.InvalidDataError, match="x2"):
        fitted.row_predictor(["x0", "x1"])
    with pytest.raises(mtlr.NotFittedError):
        linear().row_predictor()


def test_contrasts_of_arms():
    data = draw(300, 3)
    learner = linear().fit(data.X, data.y, data.w)
    predictor = learner.row_predictor(arm=2, baseline=1)
    np.testing.assert_allclose(predictor(data.X[0]), learner.predict(data.X[:1], arm=2, baseline=1).ravel(), atol=1e-12)


def test_threads_share_a_predictor(fitted, data):
    predictor = fitted.row_predictor()
    expected = [predictor(row) for row in data.X]
    wrong = []

    def ask():
        for _ in range(20):
            wrong.extend(row for row, one in zip(data.X, expected) if predictor(row) != one)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


class Keyed:
    """A row as data bases give it: values by place and by name."""

    def __init__(self, values):
        self._values = values

    def keys(self):
        return list(self._values)

    def __len__(self):
        return len(self._values)

    def __getitem__(self, key):
        return list(self._values.values())[key] if isinstance(key, int) else self._values[key]


def test_a_row_that_has_names_is_read_by_them():
    pandas = pytest.importorskip("pandas")
    from collections import namedtuple

    data = draw(300)
    frame = pandas.DataFrame(data.X, columns=["a", "b", "c"])
    learner = linear().fit(frame, data.y, data.w)
    predictor, expected = learner.row_predictor(), learner.predict(frame)
    other = frame.assign(more=1.0)[["c", "more", "a", "b"]]
    for row in range(3):
        a, b, c = data.X[row]
        record = np.array([(c, a, b)], dtype=[("c", "f8"), ("a", "f8"), ("b", "f8")])[0]
        rows = [
            other.iloc[row], frame.iloc[row], other.iloc[row].astype(object), next(other[row : row + 1].itertuples()),
            namedtuple("Row", "b c a")(b, c, a), record, Keyed({"c": c, "b": b, "a": a}), {"c": c, "b": b, "a": a},
        ]  # fmt: skip
        for given in rows:
            np.testing.assert_allclose(predictor(given), expected[row : row + 1], atol=1e-12)
        # Names that are places are none.
        for given in (pandas.Series([a, b, c]), namedtuple("Row", "u v z")(a, b, c)):
            np.testing.assert_allclose(predictor(given), expected[row : row + 1], atol=1e-12)
    with pytest.raises(mtlr.errors.InvalidDataError, match="no value for 'c'"):
        predictor(frame[["a", "b"]].assign(z=1.0).iloc[0])
    with pytest.raises(mtlr.errors.InvalidDataError, match="no value for 'a', 'b', 'c'"):
        predictor(pandas.Series([1.0, 2.0, 3.0], index=["u", "v", "z"]))
    with pytest.raises(mtlr.errors.InvalidDataError, match="no value for 'b'"):
        predictor(namedtuple("Row", "a u c")(1, 2, 3))
    with pytest.raises(mtlr.errors.InvalidDataError, match="several values for 'a'"):
        predictor(pandas.Series([1.0, 2.0, 3.0, 4.0], index=["a", "a", "b", "c"]))


def test_rows_of_polars_are_read_by_name_or_in_order():
    polars = pytest.importorskip("polars")
    data = draw(300)
    frame = polars.DataFrame({name: data.X[:, place] for place, name in enumerate("abc")})
    learner = linear().fit(frame, data.y, data.w)
    predictor, expected = learner.row_predictor(), learner.predict(frame)
    other = frame.select(["c", "a", "b"])
    np.testing.assert_allclose(predictor(other.row(4, named=True)), expected[4:5], atol=1e-12)
    np.testing.assert_allclose(predictor(frame.row(4)), expected[4:5], atol=1e-12)
    np.testing.assert_allclose(predictor(polars.Series(frame.row(4))), expected[4:5], atol=1e-12)


def test_what_has_no_order_is_no_row(fitted):
    predictor = fitted.row_predictor()
    for row in ({1.0, 2.0, 3.0}, frozenset([1.0, 2.0, 3.0]), (value for value in (1.0, 2.0, 3.0)), {"a": 1}.values(), "123", 1.0, None):
        with pytest.raises(mtlr.errors.InvalidDataError, match="cannot be read as one row.*in the order of columns"):
            predictor(row)
    pandas = pytest.importorskip("pandas")
    with pytest.raises(mtlr.errors.InvalidDataError, match="cannot be read as one row"):
        predictor(pandas.DataFrame([[1.0, 2.0, 3.0]], columns=["x2", "x1", "x0"]))


def test_a_code_is_one_though_some_labels_look_like_numbers():
    data = draw(300)
    for words in (["inf", "nan", "word"], ["1e5", "a", "b"], ["3_5", "4_7", "1_0"], ["inf", "nan", "infinity"]):
        kinds = np.array(words, dtype=object)[np.arange(300) % 3]
        X = {"a": data.X[:, 0], "kind": kinds}
        learner = linear().fit(X, data.y + 2 * (np.arange(300) % 3), data.w)
        predictor, expected = learner.row_predictor(), learner.predict(X)
        for row in range(3):
            code = predictor.levels["kind"].index(kinds[row])
            for value in (code, float(code), np.int64(code), kinds[row]):
                np.testing.assert_allclose(predictor([data.X[row, 0], value]), expected[row : row + 1], atol=1e-12)
    # A number that is the label of one level and the code of another could be either.
    kinds = np.array(["1", "12", "a"], dtype=object)[np.arange(300) % 3]
    X = {"a": data.X[:, 0], "kind": kinds}
    learner = linear().fit(X, data.y + 2 * (np.arange(300) % 3), data.w)
    predictor, expected = learner.row_predictor(), learner.predict(X)
    assert predictor.levels["kind"] == ["1", "12", "a"]
    with pytest.raises(mtlr.errors.InvalidDataError, match="1 may be the label '1' or the code of '12'; pass the label as a text"):
        predictor([0.0, 1])
    np.testing.assert_allclose(predictor([data.X[0, 0], "1"]), expected[:1], atol=1e-12)
    np.testing.assert_allclose(predictor([data.X[1, 0], 12]), expected[1:2], atol=1e-12)
    np.testing.assert_allclose(predictor([data.X[2, 0], 2]), expected[2:3], atol=1e-12)


def test_tuples_of_a_frame_whose_names_python_cannot_write_are_in_order(data):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"age": data.X[:, 0], "my column": data.X[:, 1]})
    fitted = mtlr.TLearner(mtlr.Ridge()).fit(frame, data.y, data.w)
    row = next(frame.itertuples(index=False))
    assert fitted.row_predictor()(row) == pytest.approx(fitted.predict(frame[:1]))
