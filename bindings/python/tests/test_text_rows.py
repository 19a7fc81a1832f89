"""Rows and columns that have numbers beside texts: numbers stay numbers, or the mixture is refused."""

import warnings

import numpy as np
import pytest
from conftest import draw, linear

import libmetalearners as mtlr
from libmetalearners import _columns, _data


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
    gaps = [["NA" if not row else value for value in values] for row, values in enumerate(rows)]
    for made in (np.array(rows), np.array(rows).astype("S"), [np.array(row) for row in rows], np.array(gaps)):
        with pytest.raises(mtlr.errors.InvalidDataError, match="column 'x0': all texts of this column are numbers.*dtype=object") as raised:
            linear().fit(made, drawn.y, drawn.w)
        assert "spec={'data': {'categorical': ['x0', 'x2', 'x3']}}" in raised.value.remedy
        for new in (made, made[:1]):
            with pytest.raises(mtlr.errors.InvalidDataError, match="column 'x0': is text in an array of texts, and the learner was fitted to numbers"):
                learner.predict(new)
    # Texts that are categories are what they are, and so are numbers that the caller makes such.
    texts = np.array([[row[1], row[1][0]] for row in rows])
    assert _data.frame(texts).columns["x1"].levels == ["n", "s", "w"]
    assert _data.frame(np.array([["", "a"], ["nan", "b"]])).columns["x0"].levels == ["", "nan"]


CODES = ["A1", "07", "12"]


@pytest.fixture(scope="module")
def coded():
    """Rows of texts in which a category has codes some of which are numbers, and a learner that was fitted to them."""
    drawn = draw()
    texts = np.array([[CODES[row % 3], "nsw"[row // 3 % 3]] for row in range(400)])
    return drawn, texts, linear().fit(texts, drawn.y, drawn.w)


def test_new_rows_are_what_the_learner_knows_them_as_whichever_rows_they_are(coded):
    drawn, texts, learner = coded
    expected = learner.predict(texts)
    numbers = np.flatnonzero(texts[:, 0] != "A1")
    for kind in (np.asarray, lambda rows: rows.astype("S"), lambda rows: rows.tolist(), lambda rows: rows.astype(object)):
        np.testing.assert_array_equal(learner.predict(kind(texts[numbers])), expected[numbers])
    np.testing.assert_array_equal([learner.predict(texts[row : row + 1])[0] for row in range(9)], expected[:9])
    some = texts[numbers][:20]
    assert learner.individual_interval(some).effect.shape == (20,)
    assert learner.propensity(some).shape == learner.predict_arms(some).shape == (20, 2)
    assert learner.stability(some).shape == (20,)
    assert learner.explain(some, background=some, method="permutation").values.shape == (20, 2)
    np.testing.assert_allclose([learner.row_predictor()(row)[0] for row in some], expected[numbers][:20])


def test_rows_to_validate_by_are_read_as_those_that_are_learnt_from(coded):
    drawn, texts, _ = coded
    numbers = np.flatnonzero(texts[:, 0] != "A1")
    held = {"X": texts[numbers], "y": drawn.y[numbers] + 0.1, "w": drawn.w[numbers]}
    search = mtlr.GridSearch(mtlr.TLearner(mtlr.Ridge()), outcome={"backend": "ridge", "l2": [1, 2]})
    assert len(search.fit(texts, drawn.y, drawn.w, validation=held).results_) >= 2


@pytest.mark.parametrize("first", [[f"u{row}" for row in range(400)], [f"{row % 7}" for row in range(400)]], ids=["names", "numbers"])
def test_columns_that_are_left_out_may_be_of_any_texts(coded, first):
    drawn, texts, learner = coded
    wider = np.column_stack([np.array(first), texts])
    for data in ({"exclude": ["x0"]}, {"covariates": ["x1", "x2"]}):
        left = linear(spec={"data": data}).fit(wider, drawn.y, drawn.w)
        np.testing.assert_array_equal(left.predict(wider), learner.predict(texts))
        assert left.predict(wider[1:3]).shape == (2,)


def test_columns_that_look_like_identifiers_may_be_of_any_texts(coded):
    drawn, texts, learner = coded
    wider = np.column_stack([np.array([f"u{row}" for row in range(400)]), texts])
    with pytest.warns(mtlr.MetaLearnersWarning, match="x0"):
        left = linear().fit(wider, drawn.y, drawn.w)
    np.testing.assert_array_equal(left.predict(wider), learner.predict(texts))


def test_a_learner_that_was_loaded_knows_its_categories(coded, tmp_path):
    _, texts, learner = coded
    learner.save(tmp_path / "codes.model")
    loaded = mtlr.load(tmp_path / "codes.model")
    np.testing.assert_array_equal(loaded.predict(texts[1:3]), learner.predict(texts[1:3]))


def spelt(kind, texts):
    """Two columns of texts, the first of which are numbers, as other packages have them."""
    names = ["x0", "x1"]
    if kind == "rows":
        return texts.tolist()
    if kind == "objects":
        return texts.astype(object)
    if kind == "mapping":
        return {name: texts[:, place].tolist() for place, name in enumerate(names)}
    if kind.startswith("pandas"):
        made = pytest.importorskip("pandas").DataFrame(texts.astype(object), columns=names)
        return made.astype("string") if kind == "pandas strings" else made
    if kind == "polars":
        return pytest.importorskip("polars").DataFrame(spelt("mapping", texts))
    return pytest.importorskip("pyarrow").table(spelt("mapping", texts))


KINDS = ["rows", "objects", "mapping", "pandas", "pandas strings", "polars", "pyarrow"]


@pytest.mark.parametrize("kind", KINDS)
def test_numbers_that_are_texts_are_warned_of(kind):
    drawn = draw()
    texts = np.array([[str(row % 7 / 2), "nsw"[row % 3]] for row in range(400)], dtype="U4")
    for gap in (None, "NA", "n/a"):
        if gap:
            texts[5, 0] = gap
        X = spelt(kind, texts)
        with pytest.warns(mtlr.MetaLearnersWarning, match="column 'x0': all texts are numbers, and yet they are categories") as told:
            learner = linear().fit(X, drawn.y, drawn.w)
        [text] = [str(one.message) for one in told if "all texts are numbers" in str(one.message)]
        assert text in learner.warnings and text in learner.study().warnings
        with pytest.warns(mtlr.MetaLearnersWarning, match="column 'x0': all texts are numbers"):
            assert text in mtlr.Study(drawn.y, drawn.w, X=X, spec={"seed": 1}).warnings
    # New rows are as those of the fit, and nothing is said of them.
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert learner.predict(spelt(kind, texts[:5])).shape == (5,)
    search = mtlr.GridSearch(mtlr.TLearner(mtlr.Ridge()), outcome={"backend": "ridge", "l2": [1, 2]})
    with pytest.warns(mtlr.MetaLearnersWarning, match="column 'x0': all texts are numbers"):
        assert text in search.fit(X, drawn.y, drawn.w).warnings_


@pytest.mark.parametrize("kind", [*KINDS, "array", "pandas category", "polars category", "Arrow dictionary"])
def test_numbers_that_are_categories_on_purpose_are_not(kind):
    drawn = draw()
    texts = np.array([[str(row % 7), "nsw"[row % 3]] for row in range(400)])
    spec = {}
    if kind == "array":
        X, spec = texts, {"data": {"categorical": ["x0"]}}
    elif kind == "pandas category":
        X = spelt("pandas", texts).astype("category")
    elif kind == "polars category":
        polars = pytest.importorskip("polars")
        X = spelt("polars", texts).with_columns(polars.col("x0").cast(polars.Categorical))
    elif kind == "Arrow dictionary":
        table = spelt("pyarrow", texts)
        X = table.set_column(0, "x0", table.column("x0").dictionary_encode())
    else:
        X, spec = spelt(kind, texts), {"data": {"categorical": ["x0"]}}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        learner = linear(spec=spec).fit(X, drawn.y, drawn.w)
    assert learner._fitted.numbers == set()
    # Columns that are no covariates are not asked.
    if kind == "mapping":
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            linear(spec={"data": {"exclude": ["x0"]}}).fit(X, drawn.y, drawn.w)
            linear().fit(X, drawn.y, drawn.w, cluster="x0")


def test_a_column_is_of_numbers_or_of_texts(mixed):
    drawn, _, columns = mixed
    for values in ([1.5, "a"], [True, "a"], (1, "a")):
        with pytest.raises(mtlr.errors.InvalidDataError, match="column 'k'"):
            _columns.column(values, "k")
    with pytest.raises(mtlr.errors.InvalidDataError, match="outcome"):
        linear().fit(columns, [*drawn.y[1:].tolist(), "1.5"], drawn.w)
    read = _columns.column(["b", None, float("nan"), "a"], "k")
    assert read.levels == ["a", "b"] and list(read.numbers) == [1, -1, -1, 0]


def test_numbers_are_what_a_file_has_as_such():
    """Python's own rule takes "1_0", which is a code, and digits of other scripts."""
    drawn = draw()
    for texts in (["3_5", "4_7", "1_0"], ["\u0663", "\u0664", "\u0665"]):
        X = {"a": drawn.X[:, 0], "code": [texts[row % 3] for row in range(400)]}
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message=".*all texts are numbers")
            linear().fit(X, drawn.y, drawn.w)
            linear().fit(np.array(X["code"])[:, None], drawn.y, drawn.w)
    for texts in (["1.", "-.5", "+2e-3"], ["1", "inf", "-Infinity"]):
        with pytest.warns(mtlr.MetaLearnersWarning, match="column 'code': all texts are numbers"):
            linear().fit({"a": drawn.X[:, 0], "code": [texts[row % 3] for row in range(400)]}, drawn.y, drawn.w)


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_spec_calls_missing_is_so_among_texts_that_are_numbers(kind):
    drawn = draw()
    texts = np.array([[str(row % 7 / 2), "nsw"[row % 3]] for row in range(400)], dtype="U7")
    texts[5, 0] = "refused"
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*all texts are numbers")
        linear().fit(spelt(kind, texts), drawn.y, drawn.w)
    with pytest.warns(mtlr.MetaLearnersWarning, match="column 'x0': all texts are numbers"):
        linear(spec={"data": {"missing_values": ["refused", -9]}}).fit(spelt(kind, texts), drawn.y, drawn.w)


def test_texts_of_every_layout_of_arrow_are_looked_through():
    pyarrow = pytest.importorskip("pyarrow")
    drawn = draw()
    for name in ("string", "large_string", "string_view"):
        if not hasattr(pyarrow, name):
            continue
        column = pyarrow.array([str(row % 7 / 2) for row in range(400)], getattr(pyarrow, name)())
        with pytest.warns(mtlr.MetaLearnersWarning, match="column 'x0': all texts are numbers"):
            linear().fit(pyarrow.table({"x0": column, "a": drawn.X[:, 0]}), drawn.y, drawn.w)
        arms = pyarrow.array(["no" if arm else "yes" for arm in drawn.w], getattr(pyarrow, name)())
        assert linear().fit(drawn.X, drawn.y, arms).arms_ == ["no", "yes"]


COUNTRIES = ["NA", "DE", "FR", "ES"]


@pytest.mark.parametrize("kind", [*KINDS, "array", "pandas category", "polars category", "Arrow dictionary"])
def test_levels_that_a_file_has_as_missing_are_warned_of(kind):
    drawn = draw()
    texts = np.array([["ab"[row % 2], COUNTRIES[row % 4]] for row in range(400)])

    def made(texts):
        if kind == "array":
            return texts
        if kind == "pandas category":
            return spelt("pandas", texts).astype("category")
        if kind == "polars category":
            polars = pytest.importorskip("polars")
            return spelt("polars", texts).with_columns(polars.col("x1").cast(polars.Categorical))
        if kind == "Arrow dictionary":
            table = spelt("pyarrow", texts)
            return table.set_column(1, "x1", table.column("x1").dictionary_encode())
        return spelt(kind, texts)

    X = made(texts)
    with pytest.warns(mtlr.MetaLearnersWarning, match="column 'x1': the text 'NA' is a level here, and in a file.*missing.*pass None.*rename") as told:
        learner = linear().fit(X, drawn.y, drawn.w)
    [text] = [str(one.message) for one in told if "in a file of the same data" in str(one.message)]
    assert text in learner.warnings and "x0" not in text
    # Each remedy that it names helps.
    assert "spec={'data': {'missing_values': ['NA']}}" in text
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*in a file of the same data")
        levels = linear(spec={"data": {"missing_values": ["NA"]}}).fit(X, drawn.y, drawn.w).row_predictor().levels
        assert sorted(levels["x1"]) == ["DE", "ES", "FR"]
        linear().fit(made(np.where(texts == "NA", "Nam", texts)), drawn.y, drawn.w)
        linear(spec={"data": {"exclude": ["x1"]}}).fit(X, drawn.y, drawn.w)
        if kind not in ("array",):
            gaps = texts.astype(object)
            gaps[texts == "NA"] = None
            linear().fit(made(gaps), drawn.y, drawn.w)


def test_every_spelling_of_missing_is_known_and_arms_and_outcomes_are_looked_through():
    drawn = draw()
    spellings = ["", " ", "na", "N/A", "NaN", "nan", "NULL", "<NA>", "#N/A", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#NULL!", "NaT"]
    for text in spellings:
        X = {"a": drawn.X[:, 0], "k": [["u", "v", text][row % 3] for row in range(400)]}
        with pytest.warns(mtlr.MetaLearnersWarning, match="column 'k'.*in a file of the same data"):
            linear().fit(X, drawn.y, drawn.w)
    # These are names among texts, and missing among numbers.
    for text in ("none", "-", "?", "Nat", "missing"):
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message=".*in a file of the same data")
            linear().fit({"a": drawn.X[:, 0], "k": [["u", "v", text][row % 3] for row in range(400)]}, drawn.y, drawn.w)
        if text != "Nat":
            with pytest.warns(mtlr.MetaLearnersWarning, match="column 'k'.*in a file of the same data"):
                linear().fit({"a": drawn.X[:, 0], "k": [["1", "2", text][row % 3] for row in range(400)]}, drawn.y, drawn.w)
    with pytest.warns(mtlr.MetaLearnersWarning, match="column 'treatment': the text 'NA'"):
        linear().fit(drawn.X, drawn.y, np.array(["NA", "yes"])[drawn.w])
    with pytest.warns(mtlr.MetaLearnersWarning, match="column 'outcome': the texts 'NA', 'null' are levels"):
        mtlr.TLearner("trees").fit(drawn.X, np.array(["NA", "null"])[(drawn.y > 0).astype(int)], drawn.w)
