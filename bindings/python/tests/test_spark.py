"""Fits over the tasks of Spark, joined by XGBoost's communicator: two executors, each a process of its own."""

import itertools
import os
import signal
import sys

import numpy as np
import pytest

import libmetalearners as mtlr

pytest.importorskip("xgboost.tracker")
pyarrow = pytest.importorskip("pyarrow")
pandas = pytest.importorskip("pandas")
pyspark = pytest.importorskip("pyspark")

from pyspark.sql import SparkSession  # noqa: E402

from libmetalearners import spark as together  # noqa: E402

NAMES = ["a", "b", "c", "place", "w", "y", "weight", "id"]
KINDS = "a double, b double, c float, place string, w int, y double, weight double, id long"


@pytest.fixture(scope="module")
def session():
    os.environ["PYSPARK_PYTHON"] = sys.executable
    made = (
        SparkSession.builder.master("local-cluster[2,1,1024]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.stage.maxConsecutiveAttempts", "2")
        .getOrCreate()
    )
    made.sparkContext.setLogLevel("ERROR")
    yield made
    made.stop()


@pytest.fixture(scope="module")
def data():
    random = np.random.default_rng(1)
    made = pandas.DataFrame(random.normal(size=(600, 2)), columns=["a", "b"])
    made["c"] = random.normal(size=600).astype(np.float32)
    made.loc[::7, "b"] = np.nan
    made["place"] = random.choice(["north", "south", "west"], 600)
    made["w"] = (random.uniform(size=600) < 0.5).astype(np.int32)
    made["y"] = made.a + made.w * (1 + made.c) + random.normal(size=600)
    made["weight"] = random.uniform(0.5, 2, 600)
    made["id"] = np.arange(600)
    return made


def parted(session, data, *shares):
    """A frame whose partitions have so many rows."""
    ends = np.cumsum([0, *shares])
    rows = data.astype(object).where(data.notna(), None).values.tolist()
    parts = [rows[start:end] for start, end in zip(ends, ends[1:])]
    pieces = session.sparkContext.parallelize(range(len(parts)), len(parts)).flatMap(lambda place: parts[place])
    return session.createDataFrame(pieces, KINDS)


def learner(kind=mtlr.DRLearner, **options):
    trees = mtlr.Trees(trees=10)
    models = {"outcome_model": trees, "effect_model": trees, "propensity_model": trees}
    taken = {name: model for name, model in models.items() if name in kind()._names}
    return kind(**taken, **options)


def alone(made, data, **options):
    """The learner of one process."""
    return made.fit(data[NAMES[:4]], data.y, data.w, **options)


@pytest.mark.parametrize(
    "kind, shares",
    [
        (mtlr.TLearner, [540, 60]),
        (mtlr.XLearner, [540, 60]),
        (mtlr.RLearner, [540, 60]),
        (mtlr.DRLearner, [540, 60]),
        (mtlr.DRLearner, [300, 300]),
        (mtlr.DRLearner, [0, 600]),
    ],
)
def test_the_learner_is_to_the_byte_that_of_one_process(session, data, kind, shares):
    frame = parted(session, data, *shares).select(NAMES[:6])
    made = together.fit(frame, learner(kind, keep_training=False), y="y", w="w")
    expected = alone(learner(kind, keep_training=False), data)
    assert made._model.to_bytes() == expected._model.to_bytes()
    assert made.arms_ == [0, 1] and made.threads is None


def test_the_warnings_of_a_fit_are_told_by_the_driver(session, data):
    # Labels that do not say which the control is.
    frame = parted(session, data, 360, 240).select("a", "b", "c", "y", "place").filter("place != 'west'")
    with pytest.warns(mtlr.MetaLearnersWarning, match="the control is taken to be 'north'") as found:
        made = together.fit(frame, learner(), y="y", w="place")
    own = [one for one in found if one.category is mtlr.MetaLearnersWarning]
    assert [str(one.message) for one in own] == made.warnings and all(one.filename == __file__ for one in own)


def test_effects_are_those_of_the_rows_in_their_order(session, data):
    frame = parted(session, data, 360, 240).drop("weight")
    made, effects = together.fit(frame, learner(), y="y", w="w", effects=True, keep=["id"])
    expected = alone(learner(), data)
    found = effects.collect()
    assert [row.id for row in found] == list(range(600))
    assert [row.cate for row in found] == expected.predict_training().tolist()
    assert effects.rdd.glom().map(len).collect() == [360, 240]
    assert effects.take(1) == found[:1]  # Parts can be read without another fit.
    predicted = together.predict(frame, made)
    assert predicted.columns == [*frame.columns, "cate"]
    assert [row.cate for row in predicted.collect()] == expected.predict(data[NAMES[:4]]).tolist()


def test_clusters_may_be_in_several_partitions(session, data):
    from pyspark.sql import functions

    frame = parted(session, data, 360, 240).drop("weight").withColumn("school", functions.col("id") % 37)
    made = together.fit(frame, learner(), y="y", w="w", cluster="school", keep=["id"])
    expected = alone(learner(), data, cluster=data.id % 37)
    X = data[NAMES[:4]]
    assert np.array_equal(made.predict(X), expected.predict(X))


def test_known_propensities_are_columns_of_the_frame(session, data):
    from pyspark.sql import functions

    known = 0.3 + (data.id % 5) / 10
    frame = parted(session, data, 360, 240).drop("weight").withColumn("e", 0.3 + (functions.col("id") % 5) / 10)
    kind = mtlr.XLearner(mtlr.Trees(trees=10), effect_model=mtlr.Trees(trees=10))
    made = together.fit(frame, kind, y="y", w="w", propensity="e", keep=["id"])
    X = data[NAMES[:4]]
    expected = alone(kind, data, propensity=known.to_numpy()).predict(X, propensity=known.to_numpy())
    assert list(made.feature_names_in_) == NAMES[:4]
    assert np.array_equal(made.predict(X.assign(e=known)), expected)
    assert np.array_equal(together.predict(frame, made).toPandas().sort_values("id").cate, expected)
    with pytest.raises(mtlr.errors.InvalidDataError, match="no column 'f' in the frame"):
        together.fit(frame, kind, y="y", w="w", propensity=["e", "f"], keep=["id"])


def test_linear_models_agree(session, data):
    data = data.assign(w=data.id % 3)

    def linear():
        return mtlr.DRLearner(mtlr.Ridge(l2=1.0), mtlr.Logistic(l2=1.0), mtlr.Ridge(l2=1.0))

    frame = parted(session, data, 540, 60).drop("id")
    made = together.fit(frame, linear(), y="y", w="w", sample_weight="weight")
    expected = alone(linear(), data, sample_weight=data.weight)
    X = data[NAMES[:4]]
    assert np.abs(made.predict(X) - expected.predict(X)).max() < 1e-9
    rows = together.predict(frame, made, column="effect").select("effect_1", "effect_2").collect()
    assert np.array_equal(np.array(rows), made.predict(X))
    rows = together.predict(frame, made, arm=2, baseline=1).select("cate").collect()
    assert np.array_equal(np.array(rows)[:, 0], made.predict(X, arm=2, baseline=1)[:, 0])


def test_what_is_wrong_in_one_task_is_told(session, data):
    data = data.copy()
    data.loc[599, "y"] = np.nan
    with pytest.raises(mtlr.errors.InvalidDataError, match="1 of 60 values are missing"):
        together.fit(parted(session, data, 540, 60), learner(), y="y", w="w")


def test_what_cannot_be_is_refused_before_anything_is_run(session, data):
    frame = parted(session, data, 300, 300)
    with pytest.raises(mtlr.errors.InvalidDataError, match="no column 'outcome'"):
        together.fit(frame, learner(), y="outcome", w="w")
    with pytest.raises(mtlr.errors.InvalidDataError, match="no column 'name'"):
        together.fit(frame, learner(), y="y", w="w", keep=["name"])
    with pytest.raises(mtlr.errors.InvalidArgumentError, match="column of the fit already"):
        together.fit(frame, learner(), y="y", w="w", keep=["w"])
    with pytest.raises(mtlr.errors.InvalidDataError, match=r"has 3 partitions, and Spark runs 2 tasks at once.*coalesce\(2\)"):
        together.fit(parted(session, data, 200, 200, 200), learner(), y="y", w="w", timeout=1)
    fitted = alone(learner(), data)
    with pytest.raises(mtlr.errors.InvalidDataError, match="no column 'place'"):
        together.predict(frame.drop("place"), fitted)
    with pytest.raises(mtlr.errors.InvalidArgumentError, match="a column 'a' already"):
        together.predict(frame, fitted, column="a")


def mortal(folder, deaths):
    """A learner whose process of rank 1 is killed in the middle of a fit, as often as `deaths` says."""

    class Mortal(mtlr.DRLearner):
        def fit(self, X, y, w, *, collective, **options):
            calls = itertools.count()
            add = collective.sum

            def counted(values):
                if collective.rank == 1 and next(calls) == 200 and len(os.listdir(folder)) < deaths:
                    open(f"{folder}/{os.getpid()}", "w").close()
                    os.kill(os.getpid(), signal.SIGKILL)
                return add(values)

            collective.sum = counted
            return super().fit(X, y, w, collective=collective, **options)

    return learner(Mortal, keep_training=False)


def test_spark_fits_again_where_a_process_is_lost(session, data, tmp_path):
    frame = parted(session, data, 300, 300).select(NAMES[:6])
    made = together.fit(frame, mortal(str(tmp_path), 1), y="y", w="w")
    assert len(os.listdir(tmp_path)) == 1
    assert made._model.to_bytes() == alone(learner(keep_training=False), data)._model.to_bytes()


def test_the_fit_ends_where_processes_are_lost_again_and_again(session, data, tmp_path):
    frame = parted(session, data, 300, 300).select(NAMES[:6])
    with pytest.raises(mtlr.errors.InputOutputError, match="Spark has given the fit up: .*crashed"):
        together.fit(frame, mortal(str(tmp_path), 10), y="y", w="w")
    assert len(os.listdir(tmp_path)) == 2


def test_a_part_of_a_stage_is_no_answer(session, data, monkeypatch):
    """Where a task ends just as Spark takes its stage back, Spark runs the others again, alone."""
    frame = parted(session, data, 300, 300).select(NAMES[:6])
    answers, parts = together._answers, iter([[(0, 1, "done", 0, b"")], [(0, 2, "done", 0, b"")]])

    def partly(session, frame, work):
        part = next(parts, None)
        return answers(session, frame, work) if part is None else (session.sparkContext.parallelize(part, 1), 2)

    monkeypatch.setattr(together, "_answers", partly)
    made = together.fit(frame, learner(keep_training=False), y="y", w="w")
    assert made._model.to_bytes() == alone(learner(keep_training=False), data)._model.to_bytes()
    parts = itertools.repeat([(0, 1, "learner", 0, b"")])
    with pytest.raises(mtlr.errors.InputOutputError, match="a part of the stage"):
        together.fit(frame, learner(), y="y", w="w")
