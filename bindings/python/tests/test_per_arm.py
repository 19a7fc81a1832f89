"""Numbers for each row and arm whose columns are named after the arms."""

import warnings

import numpy as np
import pytest
from conftest import draw, linear

import libmetalearners as mtlr

pandas = pytest.importorskip("pandas")


@pytest.fixture(scope="module")
def drawn():
    data = draw(300, 3)
    data.w = np.array(["control", "a", "b"])[data.w]
    data.e = np.column_stack([0.4 + 0.1 * np.tanh(data.X[:, 0]), 0.35 - 0.1 * np.tanh(data.X[:, 0]), np.full(300, 0.25)])
    data.m = np.column_stack([data.X[:, 0], data.X[:, 0] + 1, data.X[:, 0] - 1])
    return data


def tables(values, names):
    yield pandas.DataFrame(values, columns=names)
    yield {name: values[:, place] for place, name in enumerate(names)}
    polars = pytest.importorskip("polars")
    yield polars.DataFrame({name: values[:, place] for place, name in enumerate(names)})
    yield pytest.importorskip("pyarrow").table({name: values[:, place] for place, name in enumerate(names)})


ARMS = ["control", "a", "b"]
ORDER = [2, 0, 1]


def test_columns_named_after_arms_are_found_in_any_order(drawn):
    expected = mtlr.Study(drawn.y, drawn.w, propensities=drawn.e, arm_means=drawn.m, effects=drawn.m[:, 1:] - drawn.m[:, :1])
    fitted = linear().fit(drawn.X, drawn.y, drawn.w, propensity=drawn.e)
    swapped = [ARMS[place] for place in ORDER]
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*named after no arm")
        for e, m in zip(tables(drawn.e[:, ORDER], swapped), tables(drawn.m[:, ORDER], swapped)):
            effects = pandas.DataFrame({"b": drawn.m[:, 2] - drawn.m[:, 0], "a": drawn.m[:, 1] - drawn.m[:, 0]})
            study = mtlr.Study(drawn.y, drawn.w, propensities=e, arm_means=m, effects=effects)
            np.testing.assert_array_equal(study.scores(), expected.scores())
            np.testing.assert_array_equal(study.effects(), expected.effects())
        for e in tables(drawn.e[:, ORDER], swapped):
            learner = linear().fit(drawn.X, drawn.y, drawn.w, propensity=e)
            np.testing.assert_array_equal(learner.propensity(), fitted.propensity())
            np.testing.assert_array_equal(learner.predict(drawn.X, propensity=e), fitted.predict(drawn.X, propensity=drawn.e))


def test_the_control_of_the_spec_is_the_first_arm(drawn):
    e = pandas.DataFrame(drawn.e, columns=ARMS)
    learner = linear(control="b").fit(drawn.X, drawn.y, drawn.w, propensity=e)
    assert learner.arms_[0] == "b"
    np.testing.assert_allclose(learner.propensity(), e[learner.arms_].to_numpy())


def test_two_arms(drawn):
    data = draw(300)
    e = 1 / (1 + np.exp(-data.X[:, 0]))
    for names in ([1, 0], ["1", "0"], [1.0, 0.0], [True, False]):
        table = pandas.DataFrame(np.column_stack([e, 1 - e]), columns=pandas.Index(names, dtype=object))
        study = mtlr.Study(data.y, data.w, propensities=table, arm_means=np.zeros((300, 2)))
        np.testing.assert_array_equal(study.column("propensity_1"), e)
        np.testing.assert_allclose(linear().fit(data.X, data.y, data.w, propensity=table).propensity()[:, 1], e)
    # Of the treated arm alone; alone, the control's would be taken for it.
    np.testing.assert_allclose(linear().fit(data.X, data.y, data.w, propensity=pandas.DataFrame({"1": e})).propensity()[:, 1], e)
    for ask in (
        lambda given: linear().fit(data.X, data.y, data.w, propensity=given),
        lambda given: mtlr.Study(data.y, data.w, propensities=given, arm_means=np.zeros((300, 2))),
    ):
        for given in (pandas.DataFrame({"0": 1 - e}), pandas.DataFrame({"0": 1 - e, "treated": e}), pandas.DataFrame({"1": e, "0": 1 - e, "2": e})):
            with pytest.raises(mtlr.errors.InvalidDataError, match="propensit.*the arms are '0', '1', the control first.*to_numpy"):
                ask(given)
        with pytest.warns(mtlr.MetaLearnersWarning, match="columns 'p0', 'p1' are named after no arm.*in their order for the arms '0', '1'"):
            ask(pandas.DataFrame({"p0": 1 - e, "p1": e}))
        # A frame whose columns nobody named is an array.
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message=".*named after no arm")
            ask(pandas.DataFrame(np.column_stack([1 - e, e])))


def test_many_arms_that_are_numbers_may_be_named():
    random = np.random.default_rng(5)
    arms = np.repeat(np.arange(25), 40)
    shares = np.full((1000, 25), 1 / 25)
    table = pandas.DataFrame(shares, columns=[str(arm) for arm in range(25)])
    fitted = mtlr.TLearner(mtlr.Ridge()).fit(random.normal(size=(1000, 2)), random.normal(size=1000), arms, propensity=table)
    assert len(fitted.arms_) == 25


def test_costs_by_arm_take_the_arms_as_they_are(fitted):
    study = fitted.study()
    assert study.policy_value(cost={1: 0.1}).to_dict() == study.policy_value(cost={"1": 0.1}).to_dict()
