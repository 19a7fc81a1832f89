"""Fits over the workers of Dask, joined by XGBoost's communicator."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest

import libmetalearners as mtlr

pytest.importorskip("xgboost.tracker")
distributed = pytest.importorskip("distributed")
dask_frame = pytest.importorskip("dask.dataframe")
pandas = pytest.importorskip("pandas")

from libmetalearners import dask as together  # noqa: E402


@pytest.fixture(scope="module")
def client():
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        with distributed.Client(cluster) as made:
            yield made


def rows(count=600):
    random = np.random.default_rng(1)
    made = pandas.DataFrame(random.normal(size=(count, 3)), columns=["a", "b", "c"])
    made["w"] = (random.uniform(size=count) < 0.5).astype(int)
    made["y"] = made.a + made.w * (1 + made.b) + random.normal(size=count)
    return made


def learner(trees=10):
    model = mtlr.Trees(trees=trees)
    return mtlr.DRLearner(outcome_model=model, propensity_model=model, effect_model=model, threads=1)


@pytest.mark.parametrize("partitions", [1, 2, 5])
def test_the_learner_is_that_of_one_process(client, partitions):
    data = rows()
    alone = learner().fit(data.drop(columns=["w", "y"]), data.y, data.w)
    frame = dask_frame.from_pandas(data, npartitions=partitions)
    made, effects = together.fit(client, frame, learner(), y="y", w="w", effects=True)
    assert np.array_equal(effects, alone.predict_training())
    assert np.array_equal(together.predict(frame, made).compute(), alone.predict(data))


def test_the_warnings_of_a_fit_are_told_by_the_client_alone(client):
    data = rows()
    data["w"] = np.array(["a", "b"])[data.w]

    def listen():
        import warnings

        warnings.simplefilter("always")
        warnings.told = []
        warnings.showwarning = lambda message, *_: warnings.told.append(str(message))

    def told():
        import warnings

        return warnings.told

    client.run(listen)
    with pytest.warns(mtlr.MetaLearnersWarning, match="the control is taken to be 'a'") as found:
        made = together.fit(client, dask_frame.from_pandas(data, npartitions=2), learner(), y="y", w="w", effects=True)[0]
    own = [one for one in found if one.category is mtlr.MetaLearnersWarning]
    assert [str(one.message) for one in own] == made.warnings and all(one.filename == __file__ for one in own)
    assert not {*made.warnings} & {text for texts in client.run(told).values() for text in texts}


def test_clusters_may_be_in_several_partitions(client):
    data = rows()
    data["school"] = [f"school {number % 37}" for number in range(len(data))]
    alone = learner().fit(data.drop(columns=["w", "y"]), data.y, data.w, cluster="school")
    made, effects = together.fit(client, dask_frame.from_pandas(data, npartitions=3), learner(), y="y", w="w", cluster="school", effects=True)
    assert np.array_equal(effects, alone.predict_training())
    assert "school" not in list(made.feature_names_in_)
    assert np.array_equal(together.predict(dask_frame.from_pandas(data, npartitions=2), made).compute(), alone.predict(data))


def test_known_propensities_are_columns_of_the_frame(client):
    data = rows()
    data["e"] = np.linspace(0.2, 0.8, len(data))
    kind = mtlr.XLearner(mtlr.Trees(trees=10), effect_model=mtlr.Trees(trees=10), threads=1)
    alone = kind.fit(data.drop(columns=["w", "y"]), data.y, data.w, propensity="e")
    expected = alone.predict(data)
    made = together.fit(client, dask_frame.from_pandas(data, npartitions=3), kind, y="y", w="w", propensity="e")
    assert list(made.feature_names_in_) == ["a", "b", "c"]
    assert np.array_equal(made.predict(data), expected)
    assert np.array_equal(together.predict(dask_frame.from_pandas(data, npartitions=2), made).compute(), expected)


def test_effects_of_rows_without_an_outcome_are_refused(client):
    """They would stand beside other rows."""
    data = rows()
    data.loc[7, "y"] = np.nan
    kind = mtlr.TLearner("ridge", "logistic", folds=2, threads=1, missing_outcome="drop")
    frame = dask_frame.from_pandas(data, npartitions=2)
    with pytest.warns(mtlr.MetaLearnersWarning, match="1 rows without an outcome"):
        made = together.fit(client, frame, kind, y="y", w="w")
    assert together.predict(frame, made).compute().shape == (600,)
    with pytest.raises(mtlr.errors.InvalidDataError, match="rows without an outcome.*leave those rows out"):
        together.fit(client, frame, kind, y="y", w="w", effects=True)


with_xgboost = pytest.mark.skipif(
    not any(backend["name"] == "xgboost" and "collective" in backend["capabilities"] for backend in mtlr.backends()),
    reason="XGBoost is not where the library looks for it; VIRTUAL_ENV says which environment is active",
)


@with_xgboost
def test_xgboost_fits_beside_the_communicator_of_the_workers(client):
    """Its library is the very one that joins the workers."""
    data = rows().round(1)  # Few values, so that bins do not depend on the partition.
    model = mtlr.XGBoost(trees=10)
    learner = mtlr.DRLearner(outcome_model=model, propensity_model=model, effect_model=model, threads=1)
    alone = learner.fit(data.drop(columns=["w", "y"]), data.y, data.w)
    made = together.fit(client, dask_frame.from_pandas(data, npartitions=3), learner, y="y", w="w")
    assert np.array_equal(made.predict(data), alone.predict(data))


def test_an_error_of_one_worker_ends_the_fit(client):
    data = rows()
    data.loc[data.index[-1], "y"] = np.nan
    frame = dask_frame.from_pandas(data, npartitions=4)
    with pytest.raises(mtlr.MetaLearnersError, match="missing"):
        together.fit(client, frame, learner(), y="y", w="w")


def mortal(model):
    """A learner whose process of rank 1 is killed in the middle of a fit that takes longer than a second."""

    class Mortal(mtlr.TLearner):
        def fit(self, X, y, w, *, collective, **options):
            if collective.rank == 1:
                threading.Timer(1, lambda: os.kill(os.getpid(), 9)).start()
            return super().fit(X, y, w, collective=collective, **options)

    return Mortal(outcome_model=model, propensity_model=model, threads=1)


@pytest.mark.parametrize("model", [mtlr.Trees(trees=5000), pytest.param(mtlr.XGBoost(trees=5000), marks=with_xgboost)])
def test_a_lost_worker_ends_the_fit(model):
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        with distributed.Client(cluster) as client:
            frame = dask_frame.from_pandas(rows(20_000), npartitions=2)
            with pytest.raises(mtlr.errors.InputOutputError, match="a worker was lost during the fit"):
                together.fit(client, frame, mortal(model), y="y", w="w", timeout=30)


def test_a_worker_that_is_lost_before_its_task_begins_ends_the_fit(monkeypatch):
    """Dask would run its task again, on a worker that the others do not wait for, or keep it for one that never returns."""
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        with distributed.Client(cluster) as client:
            frame = dask_frame.from_pandas(rows(), npartitions=2)
            pids = list(client.run(os.getpid).values())

            class Late(together.Tracker):
                def __init__(self, *arguments):
                    super().__init__(*arguments)
                    os.kill(pids[1], 9)

            monkeypatch.setattr(together, "Tracker", Late)
            with pytest.raises(mtlr.errors.InputOutputError, match="a worker was lost during the fit"):
                together.fit(client, frame, learner(), y="y", w="w", timeout=30)
    with pytest.raises(mtlr.errors.InputOutputError, match="a worker was lost during the fit"):  # One that is started at the same address.
        together._fit_part("another process", learner(), [rows()], {}, False, 0, 1, {})


@with_xgboost
@pytest.mark.parametrize("host, end", [("127.0.0.1", "fitted"), ("no.such.host.invalid", "could not start its tracker at no.such.host.invalid")])
def test_the_address_where_xgboost_meets_may_be_named(host, end):
    script = """
import numpy as np, libmetalearners as mtlr
from test_collective import together
random = np.random.default_rng(1)
X, w = random.normal(size=(400, 2)), np.arange(400) % 2
def work(collective):
    own = slice(200 * collective.rank, 200 * collective.rank + 200)
    return mtlr.TLearner(outcome_model=mtlr.XGBoost(trees=2), threads=1).fit(X[own], X[own, 0] + w[own], w[own], collective=collective)
found = together(2, work)
print("fitted" if all(isinstance(made, mtlr.TLearner) for made in found) else found)
"""
    environment = {**os.environ, "METALEARNERS_XGBOOST_HOST": host, "PYTHONPATH": os.path.dirname(__file__)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=120)
    assert done.stdout.count(end) == (1 if end == "fitted" else 2), done.stdout + done.stderr
