"""Fits over the workers of Dask, joined by XGBoost's communicator."""

import os
import threading
import time

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


@pytest.mark.skipif(
    not any(backend["name"] == "xgboost" and "collective" in backend["capabilities"] for backend in mtlr.backends()),
    reason="XGBoost is not where the library looks for it; VIRTUAL_ENV says which environment is active",
)
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


def test_a_lost_worker_ends_the_fit():
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        with distributed.Client(cluster) as client:
            frame = dask_frame.from_pandas(rows(20_000), npartitions=2)
            pids = list(client.run(os.getpid).values())
            threading.Thread(target=lambda: (time.sleep(4), os.kill(pids[1], 9)), daemon=True).start()
            with pytest.raises(Exception):  # noqa: B017  # Dask's or XGBoost's, by who notices first.
                together.fit(client, frame, learner(5000), y="y", w="w", timeout=30)
