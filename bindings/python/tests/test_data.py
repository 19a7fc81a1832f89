"""Every kind of data gives the same model, and is not copied where that can be avoided."""

import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import draw, linear

import libmetalearners as mtlr
from libmetalearners import _columns, _data


@pytest.fixture(scope="module")
def expected(data):
    return linear().fit(data.X, data.y, data.w).predict(data.X)


def strided(X):
    wide = np.zeros((2 * len(X), 2 * X.shape[1]))
    wide[::2, ::2] = X
    return wide[::2, ::2]


def read_only(X):
    made = X.copy()
    made.flags.writeable = False
    return made


@pytest.mark.parametrize(
    "change",
    [np.asfortranarray, strided, read_only, lambda X: X[::-1].copy()[::-1], lambda X: X.astype(">f8"), lambda X: X.tolist()],
    ids=["fortran", "strided", "read-only", "backwards", "byte-swapped", "list"],
)
def test_layouts_of_numpy(data, expected, change):
    learner = linear().fit(change(data.X), data.y, data.w)
    np.testing.assert_array_equal(learner.predict(change(data.X)), expected)


@pytest.mark.parametrize("kind", ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "?"])
def test_types_of_numpy(kind):
    drawn = draw()
    X = (drawn.X > 0).astype(kind)
    first = linear().fit(X.astype(float), drawn.y, drawn.w).predict(X.astype(float))
    np.testing.assert_array_equal(linear().fit(X, drawn.y, drawn.w).predict(X), first)


def test_a_number_that_is_repeated_without_memory_is_read_as_often():
    drawn = draw()
    half = np.broadcast_to(0.5, 400)
    learner = linear().fit({"x": drawn.X[:, 1], "same": half}, drawn.y, drawn.w, propensity=half)
    np.testing.assert_array_equal(learner.propensity(), 0.5)
    X = np.broadcast_to(drawn.X[:1], (400, 3))
    assert np.ptp(linear().fit(drawn.X, drawn.y, drawn.w).predict(X)) == 0


def test_numbers_of_numpy_are_not_copied(data):
    for X in (data.X, np.asfortranarray(data.X), strided(data.X), data.X.astype("f4"), data.X.astype("i2")):
        assert np.shares_memory(_data.frame(X).matrix, X)
    X = np.arange(6, dtype="i8")
    assert np.shares_memory(_columns.column(X, "x").numbers, X)
    truth = np.array([True, False])
    assert np.shares_memory(_columns.column(truth, "x").numbers, truth)


def test_a_fit_takes_no_memory_for_a_copy_of_the_data():
    import os
    import subprocess
    import sys

    program = """
import numpy as np, resource, libmetalearners as mtlr
X = np.random.default_rng(0).normal(size=(500_000, 40))   # 160 MB
from libmetalearners._roles import assign_roles, make_dataset
y, w = X[:, 0].copy(), (X[:, 1] > 0).astype(np.int8)
now = lambda: int(open('/proc/self/statm').read().split()[1]) * resource.getpagesize()
before = now()
dataset = make_dataset(*(lambda roles: (roles, {'data': roles.spec}))(assign_roles(X, y, w, None, None, None)), copy=False)
assert now() - before < 80e6, now() - before
"""
    subprocess.run([sys.executable, "-c", program], check=True, env=os.environ)


def test_pandas(data, expected):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(data.X, columns=["x0", "x1", "x2"])
    y, w = pandas.Series(data.y, name="score"), pandas.Series(data.w, name="coached", index=range(5, 405))
    learner = linear().fit(frame, y, w)
    np.testing.assert_array_equal(learner.predict(frame[["x2", "x0", "x1"]].assign(other="a")), expected)
    assert list(learner.feature_names_in_) == ["x0", "x1", "x2"]
    assert learner.summary["spec"]["data"]["treatment"] == "coached"
    whole = frame.assign(score=data.y, coached=data.w)
    np.testing.assert_array_equal(linear().fit(whole, "score", "coached").predict(frame), expected)


def test_a_frame_of_numbers_is_read_where_it_is(data, expected):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(data.X, columns=["x0", "x1", "x2"])
    read = _data.frame(frame)
    assert read.matrix is not None and np.shares_memory(read.matrix, frame.to_numpy()) and read.names == ["x0", "x1", "x2"]
    # Columns that are taken out of it leave the others where they are.
    whole = frame.assign(score=data.y)
    np.testing.assert_array_equal(linear().fit(whole, "score", data.w).predict(frame), expected)
    np.testing.assert_array_equal(linear().fit(frame.astype("f4").astype("f8"), data.y, data.w).predict(frame.iloc[:, ::-1]).shape, (400,))
    for kind in ("int16", "bool", "float32"):
        made = (frame > 0).astype(kind)
        np.testing.assert_array_equal(linear().fit(made, data.y, data.w).predict(made), linear().fit(made.astype(float), data.y, data.w).predict(made))
    mixed = frame.assign(x1=frame["x1"].astype("f4"))
    assert _data.frame(mixed).matrix is None and list(_data.frame(mixed).columns) == ["x0", "x1", "x2"]
    assert linear().fit(frame, data.y, data.w).predict(frame[:0]).shape == (0,)
    assert linear().fit(frame[::2], data.y[::2], data.w[::2]).predict(frame.iloc[::-1]).shape == (400,)


def test_pandas_with_missing_values_and_categories():
    pandas = pytest.importorskip("pandas")
    drawn = draw()
    region = np.array(["north", "south", "west"])[np.arange(400) % 3]
    numbers = pandas.Series(np.arange(400) % 7).astype("Int64").mask(np.arange(400) % 11 == 0)
    made = {
        "text": pandas.Series(region, dtype=object).mask(np.arange(400) % 13 == 0),
        "category": pandas.Categorical(region, categories=["west", "south", "north", "east"]),
        "nullable": numbers,
        "truth": pandas.array(region == "west", dtype="boolean"),
    }
    frame = pandas.DataFrame(made)
    read = _data.frame(frame)
    assert read.columns["text"].levels == ["north", "south", "west"] and read.columns["text"].numbers[0] == -1
    assert read.columns["category"].levels == ["west", "south", "north", "east"]
    assert read.columns["nullable"].validity[0] == 0b11111110 and read.columns["nullable"].numbers[1] == 1
    learner = linear().fit(frame, drawn.y, drawn.w)
    # The codes of a category may differ between frames: levels are found by their names.
    other = frame.assign(category=pandas.Categorical(region, categories=["north", "south", "west"]))
    np.testing.assert_array_equal(learner.predict(other), learner.predict(frame))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        learner.predict(frame.assign(text="elsewhere"))
    assert any("elsewhere" in str(warning.message) for warning in told)


def test_types_of_arrow_in_pandas():
    pandas, pyarrow = pytest.importorskip("pandas"), pytest.importorskip("pyarrow")
    whole = pandas.Series([1, 2, 3]).astype(pandas.ArrowDtype(pyarrow.int32()))
    gaps = pandas.Series([1, None, 3]).astype(pandas.ArrowDtype(pyarrow.int64()))
    text = pandas.Series(["b", None, "a"]).astype(pandas.ArrowDtype(pyarrow.string()))
    truth = pandas.Series([True, None, False]).astype(pandas.ArrowDtype(pyarrow.bool_()))
    read = _data.frame(pandas.DataFrame({"whole": whole, "gaps": gaps, "text": text, "truth": truth}))
    assert list(read.columns["whole"].numbers) == [1, 2, 3]
    assert list(read.columns["gaps"].numbers[[0, 2]]) == [1, 3] and read.columns["gaps"].validity[0] == 0b101
    assert read.columns["text"].levels == ["a", "b"] and list(read.columns["text"].numbers) == [1, -1, 0]
    assert list(read.columns["truth"].numbers[[0, 2]]) == [1, 0] and read.columns["truth"].validity[0] == 0b101


def test_anything_that_exports_an_arrow_stream(data, expected):
    pyarrow = pytest.importorskip("pyarrow")
    table = pyarrow.table({f"x{i}": data.X[:, i] for i in range(3)})

    class Stream:
        def __arrow_c_stream__(self, requested_schema=None):
            return table.__arrow_c_stream__(requested_schema)

    np.testing.assert_array_equal(linear().fit(Stream(), data.y, data.w).predict(Stream()), expected)


def test_polars(data, expected):
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame({f"x{i}": data.X[:, i] for i in range(3)})
    learner = linear().fit(frame, polars.Series("score", data.y), polars.Series("coached", data.w))
    np.testing.assert_array_equal(learner.predict(frame), expected)
    with pytest.raises(mtlr.MetaLearnersError, match="collect"):
        learner.predict(frame.lazy())


def test_pyarrow(data, expected):
    pyarrow = pytest.importorskip("pyarrow")
    table = pyarrow.table({f"x{i}": pyarrow.chunked_array([data.X[:100, i], data.X[100:, i]]) for i in range(3)})
    learner = linear().fit(table, pyarrow.array(data.y), pyarrow.array(data.w))
    np.testing.assert_array_equal(learner.predict(table), expected)


@pytest.fixture(scope="module")
def mixed(data):
    """Columns of every kind, with missing values, as lists; and the effects that pandas gives."""
    pandas = pytest.importorskip("pandas")
    rows = range(len(data.y))
    columns = {
        "text": [None if row % 7 == 0 else "yxz"[row % 3] for row in rows],
        "whole": [None if row % 5 == 0 else row % 11 for row in rows],
        "truth": [None if row % 6 == 0 else row % 4 == 1 for row in rows],
        "number": [None if row % 8 == 0 else float(value) for row, value in enumerate(data.X[:, 0])],
        "exact": [row % 9 for row in rows],
    }
    frame = pandas.DataFrame(columns).astype({"whole": "Int16", "truth": "boolean", "number": "float64", "exact": "uint32"})
    frame["text"] = frame["text"].astype("category")
    return SimpleNamespace(columns=columns, frame=frame, effects=linear().fit(frame, data.y, data.w).predict(frame))


def test_polars_by_arrow(data, mixed):
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame(mixed.columns)
    for made in (frame, frame.with_columns(polars.col("text").cast(polars.Categorical)), frame.rechunk().vstack(frame)[: len(data.y)]):
        read = _data.frame(made)
        assert read.arrow.names == list(mixed.columns) and not read.columns
        np.testing.assert_allclose(linear().fit(made, data.y, data.w).predict(made), mixed.effects, atol=1e-9)
    # A column of nothing is missing throughout.
    wide = frame.with_columns(polars.Series("nothing", [None] * len(frame)))
    np.testing.assert_allclose(linear().fit(wide, data.y, data.w).predict(wide), mixed.effects, atol=1e-6)
    # Roles may be columns of the frame.
    whole = frame.with_columns(polars.Series("y", data.y), polars.Series("w", np.array(["no", "yes"])[data.w]))
    learner = linear().fit(whole, "y", "w")
    assert learner.arms_ == ["no", "yes"] and list(learner.feature_names_in_) == list(mixed.columns)
    np.testing.assert_allclose(learner.predict(whole), mixed.effects, atol=1e-9)
    np.testing.assert_allclose(learner.predict(frame), mixed.effects, atol=1e-9)


def test_pyarrow_by_arrow(data, mixed):
    pyarrow = pytest.importorskip("pyarrow")
    table = pyarrow.table(mixed.columns)
    parts = pyarrow.concat_tables([table[:100], table[100:100], table[100:]])
    types = {"text": pyarrow.large_string(), "whole": pyarrow.uint8(), "number": pyarrow.float64(), "exact": pyarrow.decimal128(25, 2)}
    other = table.cast(pyarrow.schema([(name, types.get(name, kind)) for name, kind in zip(table.column_names, table.schema.types)]))
    coded = table.set_column(0, "text", table["text"].dictionary_encode())
    for made in (table, parts, other, coded, table.to_batches()[0]):
        assert _data.frame(made).arrow.names == list(mixed.columns)
        np.testing.assert_allclose(linear().fit(made, data.y, data.w).predict(made), mixed.effects, atol=1e-9)
    whole = table.append_column("y", pyarrow.array(data.y)).append_column("w", pyarrow.array(data.w))
    learner = linear().fit(whole, "y", "w")
    np.testing.assert_allclose(learner.predict(table), mixed.effects, atol=1e-9)
    with pytest.raises(mtlr.MetaLearnersError, match="'day'"):
        linear().fit(table.append_column("day", pyarrow.array([None] * len(data.y), pyarrow.date32())), data.y, data.w)


def test_duckdb(data, mixed):
    duckdb, pyarrow = pytest.importorskip("duckdb"), pytest.importorskip("pyarrow")
    connection = duckdb.connect()
    connection.register("people", pyarrow.table(mixed.columns))
    learner = linear().fit(connection.sql("SELECT * FROM people"), data.y, data.w)
    np.testing.assert_allclose(learner.predict(connection.sql("SELECT * FROM people")), mixed.effects, atol=1e-9)


def test_arrow_points_into_the_numbers_of_the_caller(data):
    pyarrow = pytest.importorskip("pyarrow")
    import resource

    rows = 2_000_000
    table = pyarrow.table({f"x{place}": np.arange(rows, dtype=float) for place in range(8)})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    read = _data.frame(table)
    assert read.rows == rows
    # (Kilobytes.) A copy would take 128 MB.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32_000


def test_whole_numbers_with_gaps_keep_their_masks(data):
    pandas = pytest.importorskip("pandas")
    values = pandas.array([None, *range(399)], dtype="Int64")
    read = _columns.column(pandas.Series(values), "a")
    assert read.numbers.dtype == np.int64 and list(np.unpackbits(read.validity, bitorder="little")[:3]) == [0, 1, 1]
    wide = pandas.DataFrame({"a": pandas.array([None, *range(2**60, 2**60 + 399)], dtype="Int64")})
    with pytest.raises(mtlr.errors.InvalidDataError, match="53 bits"):
        linear().fit(wide, data.y, data.w)
    arms = pandas.array(data.w, dtype="Int8")
    assert linear().fit(data.X, data.y, pandas.Series(arms)).arms_ == [0, 1]
    arms[3] = None
    with pytest.raises(mtlr.errors.InvalidDataError, match="missing"):
        linear().fit(data.X, data.y, pandas.Series(arms))


def test_sparse(data):
    sparse = pytest.importorskip("scipy.sparse")
    X = np.where(np.abs(data.X) > 1, data.X, 0)
    dense = linear().fit(X, data.y, data.w).predict(X)
    for kind in (sparse.csr_matrix, sparse.csc_matrix, sparse.csr_array):
        learner = linear().fit(kind(X), data.y, data.w)
        np.testing.assert_allclose(learner.predict(kind(X)), dense, rtol=1e-6, atol=1e-8)


def test_sparse_matrices_are_read_whatever_their_arrays_are(data):
    """SciPy lets arrays be set that it would not make: places of another type than starts of rows, with gaps, in another order of bytes."""
    sparse = pytest.importorskip("scipy.sparse")
    X = sparse.csr_matrix(np.where(np.abs(data.X) > 1, data.X, 0))
    learner = linear().fit(X, data.y, data.w)
    expected = learner.predict(X)

    def changed(**arrays):
        made = X.copy()
        for name, values in arrays.items():
            setattr(made, name, values)
        return made

    def with_gaps(values):
        return np.repeat(values, 2)[::2]

    for made in (
        changed(indices=X.indices.astype("i8")), changed(indptr=X.indptr.astype("i8")),
        changed(indices=X.indices.astype("i8"), indptr=X.indptr.astype("i8")),
        changed(indices=X.indices.astype(">i4")), changed(indptr=X.indptr.astype("u4"), indices=X.indices.astype("u2")),
        changed(data=with_gaps(X.data)), changed(indices=with_gaps(X.indices)), changed(indptr=with_gaps(X.indptr)),
        changed(data=X.data.astype(">f8")), sparse.csr_matrix((with_gaps(X.data), with_gaps(X.indices), X.indptr), X.shape),
    ):  # fmt: skip
        before = [values.copy() for values in (made.data, made.indices, made.indptr)]
        np.testing.assert_array_equal(learner.predict(made), expected)
        np.testing.assert_array_equal(linear().fit(made, data.y, data.w).predict(X), expected)
        for values, kept in zip((made.data, made.indices, made.indptr), before):
            assert values.dtype == kept.dtype and (values == kept).all()
    for made in (
        changed(indices=X.indices[:-1]), changed(data=X.data[:-1]), changed(indices=X.indices + 3), changed(indices=X.indices - 1),
        changed(indptr=X.indptr[::-1].copy()), changed(indptr=X.indptr[:-1]), changed(data=X.data * 1j), changed(data=np.full(X.nnz, 2**60 + 1)),
    ):  # fmt: skip
        with pytest.raises(mtlr.errors.InvalidDataError, match="X: .*(make the matrix anew|astype|53 bits)"):
            learner.predict(made)


def test_labels_of_arms_come_back_as_they_are(data):
    for labels in (["control", "email", "visit"], [10, 20, 30], [0.5, 1.5, 2.5], [np.int8(3), np.int8(4), np.int8(7)]):
        w = np.array(labels)[np.arange(400) % 3]
        learner = linear().fit(data.X, data.y, w)
        assert learner.arms_ == [label.item() if isinstance(label, np.generic) else label for label in labels]
        assert learner.predict(data.X[:5]).shape == (5, 2)
        one = learner.predict(data.X[:5], arm=labels[2], baseline=labels[1])
        both = learner.predict(data.X[:5])
        np.testing.assert_allclose(one, both[:, 1] - both[:, 0] if one.ndim == 1 else (both[:, 1] - both[:, 0])[:, None])
    assert linear().fit(data.X, data.y, data.w == 1).arms_ == [False, True]
    assert linear(control="email").fit(data.X, data.y, np.array(["a", "email"])[data.w]).arms_ == ["email", "a"]


def with_names(X):
    return {name: X[:, place] for place, name in enumerate(("a", "b", "c", "d", "e")[: X.shape[1]])}


ASKED = {
    "predict": lambda learner, X: learner.predict(X),
    "numpy3d": lambda learner, X: learner.predict(X, numpy3d=True),
    "predict_arms": lambda learner, X: learner.predict_arms(X),
    "propensity": lambda learner, X: learner.propensity(X),
    "interval": lambda learner, X: learner.interval(X).lower,
    "individual_interval": lambda learner, X: learner.individual_interval(X).lower,
    "stability": lambda learner, X: learner.stability(X),
    "explain": lambda learner, X: learner.explain(X).values,
    "background": lambda learner, X: learner.explain(np.asarray(X)[:9, :3], background=X).values,
}


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
def test_arrays_have_as_many_columns_as_the_learner_has_covariates(data, tmp_path, ask):
    fitted = [linear().fit(X, data.y, data.w) for X in (data.X, with_names(data.X))]
    for place, learner in enumerate(list(fitted)):
        learner.save(tmp_path / f"{place}.model")
        fitted.append(mtlr.load(tmp_path / f"{place}.model"))
    expected = ask(fitted[0], data.X)
    for learner in fitted:
        # By place, also where the learner was fitted to a table.
        np.testing.assert_array_equal(ask(learner, data.X), expected)
        for count in (1, 2, 4, 5):
            X = np.column_stack([data.X, data.X])[:, :count]
            columns = "1 column" if count == 1 else f"{count} columns"
            for given in (X, X.tolist(), X.astype(object)):
                with pytest.raises(mtlr.errors.InvalidDataError, match=f"has {columns} without names.*fitted to 3.*table that names"):
                    ask(learner, given)


def test_sparse_matrices_have_as_many_columns_as_the_learner_has_covariates(data):
    sparse = pytest.importorskip("scipy.sparse")
    for X in (data.X, sparse.csr_matrix(data.X), with_names(data.X)):
        learner = linear().fit(X, data.y, data.w)
        assert learner.predict(sparse.csr_matrix(data.X)).shape == (400,)
        with pytest.raises(mtlr.errors.InvalidDataError, match="has 6 columns without names.*fitted to 3"):
            learner.predict(sparse.csr_matrix(np.column_stack([data.X, data.X])))


def test_columns_with_names_are_found_in_any_order_among_others(data, expected):
    learner = linear().fit(with_names(data.X), data.y, data.w)
    a, b, c = data.X.T
    np.testing.assert_array_equal(learner.predict({"other": c, "c": c, "a": a, "more": a, "b": b}), expected)
    with pytest.raises(mtlr.errors.InvalidDataError, match="no column 'b'; pass every column that the learner was fitted to$"):
        learner.predict({"other": c, "c": c, "a": a})


def test_a_table_is_asked_for_the_names_that_columns_of_an_array_have(data, expected):
    learner = linear().fit(data.X, data.y, data.w)
    with pytest.raises(mtlr.errors.InvalidDataError, match="no columns 'x0', 'x1', 'x2'.*called x0, x1 and so on"):
        learner.predict(with_names(data.X))
    x0, x1, x2 = data.X.T
    np.testing.assert_array_equal(learner.predict({"x2": x2, "other": x0, "x1": x1, "x0": x0}), expected)


def test_a_column_of_an_array_that_is_the_outcome_is_none_of_its_covariates(data, expected):
    learner = linear().fit(np.column_stack([data.y, data.X]), "x0", data.w)
    assert list(learner.feature_names_in_) == ["x1", "x2", "x3"]
    np.testing.assert_array_equal(learner.predict(data.X), expected)
    with pytest.raises(mtlr.errors.InvalidDataError, match="has 4 columns without names.*fitted to 3"):
        learner.predict(np.column_stack([data.y, data.X]))


@pytest.mark.parametrize("kind", ["object", "pandas", "polars", "pyarrow"])
def test_large_whole_numbers_stay_apart(kind):
    drawn = draw(400, seed=3)
    ids = [10**17 + 3 * (number // 4) for number in range(400)]
    arms = [2**60 + int(arm) for arm in drawn.w]
    if kind == "object":
        given = [np.array(values, dtype=object) for values in (ids, arms)]
    else:
        module = pytest.importorskip(kind)
        make = {"pandas": lambda values: module.Series(values, dtype="Int64"), "polars": lambda values: module.Series("ids", values),
                "pyarrow": lambda values: module.array(values)}[kind]  # fmt: skip
        given = [make(values) for values in (ids, arms)]
    made = linear().fit(drawn.X, drawn.y, given[1], cluster=given[0])
    assert made.arms_ == [2**60, 2**60 + 1]
    assert made.average_effect().std_error == linear().fit(drawn.X, drawn.y, drawn.w, cluster=np.arange(400) // 4).average_effect().std_error
    with pytest.raises(mtlr.errors.InvalidDataError, match="more than 64 bits"):
        linear().fit(drawn.X, drawn.y, np.array([2**70 + int(arm) for arm in drawn.w], dtype=object))


def test_whole_numbers_with_gaps_are_what_they_are():
    polars, pyarrow = pytest.importorskip("polars"), pytest.importorskip("pyarrow")
    drawn = draw(200, seed=3)
    values = [None if number % 7 == 0 else number % 5 for number in range(200)]
    expected = [np.nan if value is None else float(value) for value in values]
    base = {"a": drawn.X[:, 0]}
    wanted = mtlr.TLearner("trees").fit({**base, "k": np.array(expected)}, drawn.y, drawn.w).predict({**base, "k": np.array(expected)})
    for made in (np.array(values, dtype=object), polars.Series("k", values), pyarrow.array(values)):
        learner = mtlr.TLearner("trees").fit({**base, "k": made}, drawn.y, drawn.w)
        np.testing.assert_array_equal(learner.predict({**base, "k": made}), wanted)


def test_a_dictionary_of_arrow_may_have_a_missing_value_and_the_same_value_twice():
    pandas, pyarrow = pytest.importorskip("pandas"), pytest.importorskip("pyarrow")
    drawn = draw(200)
    codes = np.arange(200, dtype="u1") % 4
    expected = np.array(["north", "south", None, "north"], dtype=object)[codes]
    gaps = np.where(np.arange(200) == 7, None, codes)
    expected[7] = None
    made = pyarrow.DictionaryArray.from_arrays(pyarrow.array(gaps, pyarrow.uint8()), pyarrow.array(["north", "south", None, "north"]))
    series = pandas.Series(made, dtype=pandas.ArrowDtype(made.type))
    for given in (made, pyarrow.chunked_array([made]), series):
        read = _columns.column(given, "region")
        assert read.levels == ["north", "south"]
        assert [None if code < 0 else read.levels[code] for code in read.numbers] == list(expected)
    base = {"a": drawn.X[:, 0]}
    wanted = linear().fit({**base, "region": expected}, drawn.y, drawn.w)
    frame = pandas.DataFrame({**base, "region": series})
    learner = linear().fit(frame, drawn.y, drawn.w)
    assert learner.row_predictor().levels == {"region": ["north", "south"]}
    np.testing.assert_array_equal(learner.predict(frame), wanted.predict({**base, "region": expected}))


def test_decimals_of_polars_are_numbers_wherever_they_stand(data):
    polars = pytest.importorskip("polars")
    from decimal import Decimal

    y = polars.Series("y", [Decimal(int(value * 100)) / 100 for value in data.y])
    w = polars.Series("w", [Decimal(int(arm)) for arm in data.w])
    assert y.dtype.is_decimal()
    learner = linear().fit(data.X, y, w)
    assert learner.arms_ == [0, 1]
    np.testing.assert_allclose(learner.predict(data.X), linear().fit(data.X, y.cast(polars.Float64), data.w).predict(data.X))


@pytest.mark.parametrize("kind", ["numpy", "objects", "gaps", "pandas", "polars", "pyarrow"])
def test_arms_that_are_true_or_false_come_back_as_such(data, kind):
    w = data.w == 1
    if kind == "objects":
        w = w.astype(object)
    elif kind == "gaps":
        w = np.ma.masked_array(w, mask=np.zeros(len(w), bool))
    elif kind == "pandas":
        w = pytest.importorskip("pandas").array(w, dtype="boolean")
    elif kind != "numpy":
        module = pytest.importorskip(kind)
        w = module.Series("w", w) if kind == "polars" else module.array(w)
    learner = linear().fit(data.X, data.y, w)
    assert [type(arm) for arm in learner.arms_] == [bool, bool] and learner.arms_ == [False, True]
    for arm in (True, np.True_, 1, "1"):
        np.testing.assert_array_equal(learner.predict(data.X, arm=arm), linear().fit(data.X, data.y, data.w).predict(data.X, arm=1))
