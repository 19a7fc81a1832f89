"""Data that the tests share: a coaching programme whose effect is 1 + motivation."""

from types import SimpleNamespace

import numpy as np
import pytest

import libmetalearners as mtlr


def draw(rows=400, arms=2, seed=0):
    random = np.random.default_rng(seed)
    X = random.normal(size=(rows, 3))
    w = random.integers(0, arms, rows)
    y = X[:, 0] + w * (1 + X[:, 1]) + random.normal(size=rows)
    return SimpleNamespace(X=X, y=y, w=w)


def linear(**options):
    """A learner that is fitted in milliseconds."""
    return mtlr.DRLearner(mtlr.Ridge(), effect_model=mtlr.Ridge(), folds=2, **options)


@pytest.fixture(scope="session")
def data():
    return draw()


@pytest.fixture(scope="session")
def fitted(data):
    return linear().fit(data.X, data.y, data.w)
