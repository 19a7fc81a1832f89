"""Explanations of effects."""

import numpy as np
import pytest
from conftest import draw, linear

import libmetalearners as mtlr

LEARNERS = [
    (mtlr.TLearner(mtlr.Trees(trees=9)), "path_dependent"), (linear(), "interventional"),
    (mtlr.XLearner(mtlr.Trees(trees=9), effect_model=mtlr.Trees(trees=9)), "interventional"),
    (mtlr.RLearner(mtlr.Forest(trees=25), effect_model=mtlr.Forest(trees=25)), "path_dependent"),
    (mtlr.RLearner(mtlr.BART(sweeps=8, burn_in=3), effect_model=mtlr.BART(sweeps=8, burn_in=3)), "path_dependent"),
    (mtlr.AutoLearner(), "interventional"),
]  # fmt: skip


@pytest.mark.parametrize("learner, method", LEARNERS, ids=lambda part: type(part).__name__)
@pytest.mark.parametrize("arms", [2, 3])
def test_values_add_up_to_the_effects(learner, method, arms):
    data = draw(300, arms)
    found = learner.fit(data.X, data.y, data.w).explain(data.X[:40], background=data.X)
    assert found.method == method and found.standard_error is None and found.feature_names == ["x0", "x1", "x2"]
    shape = (40, 3) if arms == 2 else (40, arms - 1, 3)
    assert found.values.shape == shape and found.base_values.shape == found.effects.shape == shape[:-1]
    np.testing.assert_allclose(found.values.sum(axis=-1) + found.base_values, found.effects, atol=1e-9)
    np.testing.assert_array_equal(found.effects, learner.predict(data.X[:40]))
    np.testing.assert_array_equal(found.data, data.X[:40])
    # The effect is 1 + x1.
    assert (found.mean_absolute().argmax(axis=-1) == 1).all()
    assert len(found) == 40 and "40 rows" in repr(found)


def test_a_linear_effect_is_its_coefficients_times_the_distance_from_the_mean():
    data = draw(500)
    learner = linear().fit(data.X, data.y, data.w)
    found = learner.explain(data.X[:20], background=data.X[100:150])
    steps = np.eye(3)
    slopes = [learner.predict(data.X[:1] + step)[0] - learner.predict(data.X[:1])[0] for step in steps]
    np.testing.assert_allclose(found.values, (data.X[:20] - data.X[100:150].mean(axis=0)) * slopes, atol=1e-9)
    np.testing.assert_allclose(found.base_values, learner.predict(data.X[100:150]).mean(), atol=1e-12)


def test_estimators_of_python_are_asked_and_state_an_error():
    sklearn = pytest.importorskip("sklearn.linear_model")
    data = draw(200)
    learner = mtlr.TLearner(sklearn.LinearRegression(), folds=2).fit(data.X, data.y, data.w)
    found = learner.explain(data.X[:6], background=data.X[:10])
    assert found.method == "permutation" and found.standard_error.shape == (6, 3)
    np.testing.assert_allclose(found.values.sum(axis=1) + found.base_values, learner.predict(data.X[:6]), atol=1e-9)
    # Whatever the order, a linear effect has one answer.
    assert found.standard_error.max() < 1e-7


def test_categories_are_one_covariate_with_labels():
    pandas = pytest.importorskip("pandas")
    data = draw(300)
    kinds = np.array(["u", "v", "x"])[np.arange(300) % 3]
    kinds[5] = "x"
    frame = pandas.DataFrame({"a": data.X[:, 0], "kind": pandas.Categorical(kinds), "b": data.X[:, 1]})
    frame.loc[3, "kind"] = None
    found = linear().fit(frame, data.y, data.w).explain(frame[:8])
    assert found.values.shape == (8, 3) and found.levels == {"kind": ["u", "v", "x"]}
    assert list(found.display_data[:, 1]) == ["u", "v", "x", None, "v", "x", "u", "v"]
    assert list(found.to_frame().columns) == ["a", "kind", "b"]
    part = found[2:5]
    assert len(part) == 3 and part.feature_names == found.feature_names
    np.testing.assert_array_equal(part.values, found.values[2:5])


def test_arms_and_outputs_by_name():
    pytest.importorskip("pandas")
    data = draw(300, 3)
    learner = linear().fit(data.X, data.y, data.w)
    found = learner.explain(data.X[:9])
    assert found.output_names == ["cate_1", "cate_2"]
    single = learner.explain(data.X[:9], arm=2)
    np.testing.assert_allclose(found.values[:, 1], single.values, atol=1e-12)
    np.testing.assert_array_equal(found.to_frame("cate_2").to_numpy(), found.values[:, 1])
    np.testing.assert_array_equal(found.to_frame(0).to_numpy(), found.values[:, 0])
    with pytest.raises(mtlr.errors.InvalidArgumentError, match="several effects"):
        found.to_frame()
    with pytest.raises(mtlr.errors.InvalidArgumentError, match="cate_3"):
        found.to_frame("cate_3")


def test_objects_of_shap():
    pytest.importorskip("shap")
    data = draw(300, 3)
    found = linear().fit(data.X, data.y, data.w).explain(data.X[:9])
    one, all_of_them = found.to_shap("cate_1"), found.to_shap()
    assert one.shape == (9, 3) and all_of_them.shape == (9, 3, 2)
    np.testing.assert_array_equal(one.values, found.values[:, 0])
    np.testing.assert_array_equal(all_of_them.values[:, :, 1], found.values[:, 1])
    assert list(one.feature_names) == ["x0", "x1", "x2"]
    np.testing.assert_allclose(one.values.sum(axis=1) + one.base_values, found.effects[:, 0], atol=1e-9)


def test_without_shap_the_error_says_what_to_install(fitted, data, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "shap", None)
    with pytest.raises(mtlr.errors.UnsupportedError, match="install shap"):
        fitted.explain(data.X[:3]).to_shap()


def test_requests_that_cannot_be(fitted, data):
    with pytest.raises(mtlr.errors.InvalidSpecError, match="method"):
        fitted.explain(data.X[:3], method="exact")
    with pytest.raises(mtlr.errors.InvalidArgumentError, match="no arm"):
        fitted.explain(data.X[:3], arm="nobody")
    with pytest.raises(mtlr.errors.InvalidDataError, match="no rows"):
        fitted.explain(data.X[:3], background=data.X[:0])
    with pytest.raises(mtlr.NotFittedError):
        linear().explain(data.X)


def test_progress_is_told_and_cancels(fitted, data):
    seen = []
    fitted.explain(data.X, method="permutation", background_rows=5, progress=lambda *told: seen.append(told))
    assert seen[-1] == ("explain", 2, 2)
    with pytest.raises(mtlr.errors.CancelledError):
        fitted.explain(data.X, method="permutation", background_rows=5, progress=lambda *told: False)
