"""Rows that are read batch by batch, by pyarrow."""

import os

import numpy as np
import pytest

import libmetalearners as mtlr
from libmetalearners.errors import InvalidArgumentError, InvalidDataError, InvalidSpecError, UnsupportedError

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")
ds = pytest.importorskip("pyarrow.dataset")

ROWS = 3000


@pytest.fixture(scope="module")
def table():
    random = np.random.default_rng(3)
    x = random.normal(size=ROWS)
    x[::17] = np.nan
    small = random.integers(0, 9, ROWS)
    region = random.choice(["north", "south", "east"], ROWS)
    w = random.choice(["control", "drug"], ROWS)
    y = np.nan_to_num(x) + (w == "drug") * (1 + small / 9) + random.normal(size=ROWS)
    return pa.table(
        {
            "x": x, "small": pa.array(small, mask=small == 4), "region": pa.array(region, mask=small == 2), "flag": small > 4,
            "coded": pa.array(region).dictionary_encode(), "w": w, "y": y, "weight": random.uniform(0.5, 2, ROWS).astype(np.float32),
        }
    )  # fmt: skip


@pytest.fixture(scope="module")
def path(table, tmp_path_factory):
    made = tmp_path_factory.mktemp("rows") / "rows.parquet"
    pq.write_table(table, made, row_group_size=700)
    return made


def learner(kind=mtlr.TLearner, **options):
    trees = mtlr.Trees(trees=5)
    return kind(trees, propensity_model=trees, folds=2, keep_training=False, **options)


def saved(fitted, tmp_path):
    fitted.save(tmp_path / "model")
    return (tmp_path / "model").read_bytes()


def sources(path):
    return [str(path), path, [path], pq.ParquetFile(path), ds.dataset(path), str(path.parent)]


@pytest.mark.parametrize("place", range(6))
def test_the_learner_is_that_of_the_table(table, path, tmp_path, place):
    source = sources(path)[place]
    # (A file has one dictionary for all rows.)
    expected = saved(learner().fit(pq.read_table(path), "y", "w"), tmp_path)
    fitted = learner().fit(source, "y", "w")
    assert saved(fitted, tmp_path) == expected
    assert list(fitted.feature_names_in_) == ["x", "small", "region", "flag", "coded", "weight"]
    assert fitted.arms_ == ["control", "drug"]


@pytest.mark.parametrize("kind", [mtlr.XLearner, mtlr.RLearner, mtlr.DRLearner, mtlr.SLearner])
def test_so_it_is_for_other_learners_with_weights(table, path, tmp_path, kind):
    trees = mtlr.Trees(trees=5, max_bins=40)
    options = {} if kind is mtlr.SLearner else {"effect_model": trees}
    made = [kind(trees, propensity_model=trees, folds=2, keep_training=False, **options) for _ in range(2)]
    whole = saved(made[0].fit(pq.read_table(path), "y", "w", sample_weight="weight"), tmp_path)
    assert saved(made[1].fit(path, "y", "w", sample_weight="weight"), tmp_path) == whole


def test_arms_are_numbers_where_the_treatment_is_one(table, tmp_path):
    numbered = table.set_column(5, "w", pa.array((np.asarray(table["w"]) == "drug").astype(np.int64)))
    pq.write_table(numbered, tmp_path / "numbered.parquet")
    assert learner().fit(tmp_path / "numbered.parquet", "y", "w").arms_ == [0, 1]


def test_predictions_by_batches_are_those_of_the_table(table, path, tmp_path):
    fitted = learner().fit(path, "y", "w")
    expected = fitted.predict(table)
    for source in sources(path):
        np.testing.assert_array_equal(fitted.predict(source), expected)
    parts = list(fitted.predict_batches(path))
    assert len(parts) > 1
    np.testing.assert_array_equal(np.concatenate(parts), expected)
    out = tmp_path / "effects.parquet"
    assert fitted.predict_parquet(path, out) == ROWS
    written = pq.read_table(out)
    assert written.column_names == ["cate_drug"] or len(written.column_names) == 1
    np.testing.assert_array_equal(written.column(0).to_numpy(), expected)
    assert os.listdir(tmp_path) == ["effects.parquet"]


def test_what_a_streamed_learner_can_still_do(path):
    trees = mtlr.Trees(trees=5)
    fitted = mtlr.DRLearner(trees, propensity_model=trees, effect_model=trees, folds=2).fit(path, "y", "w")
    assert len(fitted.predict_training()) == ROWS
    assert fitted.stability().shape == (ROWS,)
    assert len(fitted.average_effect()) == 1
    study = fitted.study()
    assert len(study) == ROWS


def test_rows_without_an_outcome_can_be_dropped(table, tmp_path):
    outcome = np.asarray(table["y"]).copy()
    outcome[5:20] = np.nan
    pq.write_table(table.set_column(6, "y", pa.array(outcome)), tmp_path / "holes.parquet", row_group_size=7)
    holes = pq.read_table(tmp_path / "holes.parquet")
    made = [learner(missing_outcome="drop") for _ in range(2)]
    with pytest.warns(mtlr.MetaLearnersWarning, match="15 rows without an outcome were dropped"):
        assert saved(made[0].fit(tmp_path / "holes.parquet", "y", "w"), tmp_path) == saved(made[1].fit(holes, "y", "w"), tmp_path)


def test_what_is_refused(table, path, tmp_path):
    with pytest.raises(UnsupportedError, match="these can: trees"):
        mtlr.TLearner(mtlr.Ridge()).fit(path, "y", "w")
    with pytest.raises(UnsupportedError, match="only the bins of trees"):
        mtlr.AutoLearner().fit(path, "y", "w")
    with pytest.raises(InvalidArgumentError, match="name a column of X"):
        learner().fit(path, np.zeros(ROWS), "w")
    with pytest.raises(InvalidDataError, match="there is no column 'z'"):
        learner().fit(path, "z", "w")
    with pytest.raises(InvalidArgumentError, match="no such file"):
        learner().fit(tmp_path / "none.parquet", "y", "w")
    with pytest.raises(InvalidArgumentError, match="no table"):
        learner().fit("rows.csv", "y", "w")
    fitted = learner().fit(path, "y", "w")
    with pytest.raises(InvalidArgumentError, match="batch by batch"):
        list(fitted.predict_batches(table))
    pq.write_table(table.drop_columns(["x"]), tmp_path / "less.parquet")
    with pytest.raises(InvalidDataError, match="'x'"):
        fitted.predict(tmp_path / "less.parquet")


class Failing:
    """A data set of pyarrow that fails at a batch of a reading."""

    __module__ = "pyarrow.test"

    def __init__(self, table, reading, error):
        self.table, self.reading, self.error, self.readings = table, reading, error, 0
        self.schema = table.schema
        self.scanner = None

    def to_batches(self, batch_size, columns):
        self.readings += 1
        for place, batch in enumerate(self.table.to_batches(1000)):
            if self.readings == self.reading and place == 1:
                raise self.error
            yield batch


@pytest.mark.parametrize("reading", [1, 2, 3])
@pytest.mark.parametrize("error", [OSError("the disk is gone"), KeyboardInterrupt()])
def test_what_a_source_raises_comes_out_of_the_fit(table, reading, error):
    source = Failing(table, reading, error)
    with pytest.raises(type(error)):
        learner().fit(source, "y", "w")
    assert source.readings == reading


def test_the_progress_can_cancel(path):
    told = []

    def progress(stage, done, total):
        told.append((stage, done, total))
        return len(told) < 3

    with pytest.raises(mtlr.errors.CancelledError):
        learner().fit(path, "y", "w", progress=progress)
    assert told[0][0] == "rows"
