"""Fits to rows that several processes hold; here each process is a thread."""

import threading

import numpy as np
import pytest

import libmetalearners as mtlr
from libmetalearners.collective import Collective


class Group:
    def __init__(self, size):
        self.barrier = threading.Barrier(size, timeout=60)
        self.brought = [None] * size

    def exchange(self, rank, value, combine):
        self.brought[rank] = value
        self.barrier.wait()
        made = combine(self.brought)
        self.barrier.wait()
        return made


class Threads(Collective):
    def __init__(self, group, rank, size, allowed=None):
        self.group, self.rank, self.size, self.allowed = group, rank, size, allowed

    def _exchange(self, value, combine):
        if self.allowed is not None:
            if self.allowed == 0:
                raise RuntimeError("the network is gone")
            self.allowed -= 1
        return self.group.exchange(self.rank, value, combine)

    def sum(self, values):
        return self._exchange(values, lambda all: np.sum(all, axis=0))

    def maximum(self, values):
        return self._exchange(values, lambda all: np.max(all, axis=0))

    def broadcast(self, data, root):
        return self._exchange(data, lambda all: all[root])

    def gather(self, data, sizes):
        assert len(data) == sizes[self.rank]
        return self._exchange(data, b"".join)

    def leave(self):
        self.group.barrier.abort()


def together(size, work, allowed=None):
    """What `work` gives or raises in each of several threads."""
    group = Group(size)
    made = [None] * size

    def run(rank):
        try:
            made[rank] = work(Threads(group, rank, size, (allowed or {}).get(rank)))
        except Exception as raised:
            made[rank] = raised

    threads = [threading.Thread(target=run, args=(rank,)) for rank in range(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return made


@pytest.fixture(scope="module")
def rows():
    random = np.random.default_rng(1)
    X = random.normal(size=(600, 4))
    w = (random.uniform(size=600) < 0.5).astype(int)
    y = X[:, 0] + w * (1 + X[:, 1]) + random.normal(size=600)
    return X, y, w


def learner():
    trees = mtlr.Trees(trees=10)
    return mtlr.DRLearner(outcome_model=trees, propensity_model=trees, effect_model=trees, threads=1)


@pytest.mark.parametrize("shares", [[300, 300], [540, 60], [600, 0], [200, 0, 400]])
def test_all_processes_get_the_learner_of_one(rows, shares):
    X, y, w = rows
    alone = learner().fit(X, y, w)
    ends = np.cumsum([0, *shares])

    def work(collective):
        own = slice(ends[collective.rank], ends[collective.rank + 1])
        made = learner().fit(X[own], y[own], w[own], collective=collective)
        return made, made.average_effect(collective=collective)

    found = together(len(shares), work)
    assert not [made for made in found if isinstance(made, Exception)]
    for made, average in found:
        assert made.arms_ == alone.arms_
        assert np.array_equal(made.predict(X), alone.predict(X))
        assert average[0].estimate == alone.average_effect()[0].estimate
    own = [made.predict_training() for (made, _), count in zip(found, shares) if count]
    assert np.array_equal(np.concatenate(own), alone.predict_training())


def test_auto_takes_part_and_so_do_clusters(rows):
    X, y, w = (values[:240] for values in rows)
    clinic = np.arange(240) * 7 % 23
    alone = mtlr.AutoLearner(threads=1).fit(X, y, w, cluster=clinic)

    def work(collective):
        own = slice(150 * collective.rank, 150 + 90 * collective.rank)
        made = mtlr.AutoLearner(threads=1).fit(X[own], y[own], w[own], cluster=clinic[own], collective=collective)
        return made, made.average_effect(collective=collective)

    found = together(2, work)
    assert not [made for made in found if isinstance(made, Exception)]
    expected = alone.average_effect()[0]
    for made, average in found:
        assert np.abs(made.predict(X) - alone.predict(X)).max() < 1e-9
        assert abs(average[0].estimate - expected.estimate) < 1e-9
        assert abs(average[0].std_error - expected.std_error) < 1e-9
    own = np.concatenate([made.predict_training() for made, _ in found])
    assert np.abs(own - alone.predict_training()).max() < 1e-9
    assert np.array_equal(found[0][0].predict(X), found[1][0].predict(X))


@pytest.mark.parametrize("allowed", [0, 3, 40])
def test_a_failing_method_ends_all(rows, allowed):
    X, y, w = rows

    def work(collective):
        own = slice(300 * collective.rank, 300 * collective.rank + 300)
        return learner().fit(X[own], y[own], w[own], collective=collective)

    found = together(2, work, {1: allowed})
    assert isinstance(found[1], RuntimeError) and "the network is gone" in str(found[1])
    assert isinstance(found[0], Exception)


def test_what_is_wrong_in_one_process_ends_all(rows):
    X, y, w = rows

    def work(collective):
        own = slice(300 * collective.rank, 300 * collective.rank + 300)
        given = y[own].copy()
        if collective.rank == 1:
            given[7] = np.nan
        return learner().fit(X[own], given, w[own], collective=collective)

    found = together(2, work)
    assert isinstance(found[1], mtlr.errors.InvalidDataError) and "missing" in str(found[1])
    assert isinstance(found[0], mtlr.errors.InvalidDataError) and found[0].location == "collective"
    assert "process 1 of 2 ended the work: outcome: 1 of 300 values are missing" in str(found[0])


@pytest.mark.parametrize(
    "raised, kind",
    [(FileNotFoundError("rows.csv"), mtlr.errors.InputOutputError), (TypeError("no table"), mtlr.errors.InvalidDataError)],
)
def test_the_others_are_told_what_was_raised(rows, raised, kind):
    X, y, w = rows

    class Rows:
        def __array__(self, *_, **__):
            raise raised

    found = together(2, lambda collective: learner().fit(Rows() if collective.rank else X[:300], y[:300], w[:300], collective=collective))
    assert found[1] is raised
    assert isinstance(found[0], kind) and f"process 1 of 2 ended the work: {type(raised).__name__}: {raised}" in str(found[0])
