"""What the own tests of metalearners (QuantCo) and EconML ask of their S-, T-, X-, R- and DR-learners, asked of ours.

Written anew from what those tests are about; docs/peer-tests.md has the table, and a test below holds it against this file.
"""

import pickle
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import libmetalearners as mtlr

KINDS = [mtlr.SLearner, mtlr.TLearner, mtlr.XLearner, mtlr.RLearner, mtlr.DRLearner]


def law(rows=2000, arms=2, constant=False, seed=1, labels=None):
    """Outcomes that are linear in the covariates, with effects that are constant or linear."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(rows, 4))
    place = random.integers(0, arms, rows)
    slopes = np.array([[0.0, 0.0], *([arm, 0.0 if constant else arm] for arm in range(1, arms))])
    effects = slopes[:, :1] + slopes[:, 1:] * X[:, 1]
    y = X @ [1.0, -0.5, 0.3, 0.2] + effects[place, np.arange(rows)] + 0.3 * random.normal(size=rows)
    w = place if labels is None else np.array(labels)[place]
    return SimpleNamespace(X=X, y=y, w=w, place=place, effects=effects[1:].T)


def made(kind, **options):
    outcome = mtlr.Ridge(l2=1e-3, expansion="splines_interactions") if kind is mtlr.SLearner else mtlr.Ridge(l2=1e-3)
    return kind(outcome, mtlr.Logistic(), mtlr.Ridge(l2=1e-3), folds=options.pop("folds", 3), **options)


def plain(kind, **options):
    return kind(mtlr.OLS(), mtlr.Logistic(), mtlr.OLS(), folds=options.pop("folds", 2), **options)


def error(found, true):
    return np.sqrt(np.mean((found.reshape(len(found), -1) - true) ** 2))


@pytest.mark.parametrize("prediction", ["full", "mean", "median"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("arms", [2, 3])
def test_linear_effects_are_found_in_new_rows_and_in_those_of_training(kind, arms, prediction):
    train, new = law(arms=arms), law(500, arms=arms, seed=2)
    learner = made(kind, prediction=prediction).fit(train.X, train.y, train.w)
    # S-learners shrink what is an interaction for them.
    bound = 0.25 if kind is mtlr.SLearner else 0.12
    assert error(learner.predict(new.X), new.effects) < bound and error(learner.predict_training(), train.effects) < bound
    np.testing.assert_allclose(learner.predict(new.X, numpy3d=True).mean((0, 2)), new.effects.mean(0), atol=0.1)


@pytest.mark.parametrize("kind", KINDS)
def test_constant_effects_are_found_by_linear_models(kind):
    train = law(arms=3, constant=True)
    effects = plain(kind).fit(train.X, train.y, train.w).predict(train.X)
    assert error(effects, train.effects) < 0.1


@pytest.mark.parametrize("kind", KINDS)
def test_predictions_have_three_dimensions_where_they_are_asked_for(kind):
    for arms in (2, 4):
        train = law(400, arms=arms)
        learner = plain(kind).fit(train.X, train.y, train.w)
        assert learner.predict(train.X, numpy3d=True).shape == learner.predict_training(numpy3d=True).shape == (400, arms - 1, 1)
        if kind is mtlr.RLearner:
            with pytest.raises(NotImplementedError, match="these have: s, t, x"):
                learner.predict_arms(train.X)
        else:
            assert learner.predict_arms(train.X).shape == learner.predict_arms().shape == (400, arms)


def test_effects_of_classes_have_a_place_for_each_and_add_up_to_zero():
    train = law(600, arms=3)
    outcome = np.array(["low", "middle", "high"])[np.digitize(train.y, [-1, 1])]
    for kind in KINDS[:2]:
        learner = kind(mtlr.Logistic(), folds=2, outcome_type="classes").fit(train.X, outcome, train.w)
        effects = learner.predict(train.X)
        assert effects.shape == (600, 2, 3)
        np.testing.assert_allclose(effects.sum(2), 0, atol=1e-9)


def test_arm_means_of_t_and_x_learners_differ_by_the_effect_of_the_t_learner():
    train = law(500)
    t, x = (plain(kind, seed=3).fit(train.X, train.y, train.w) for kind in (mtlr.TLearner, mtlr.XLearner))
    np.testing.assert_allclose(np.diff(t.predict_arms(train.X), axis=1)[:, 0], t.predict(train.X), atol=1e-9)
    np.testing.assert_allclose(x.predict_arms(), t.predict_arms())


@pytest.mark.parametrize("kind", KINDS)
def test_categories_and_gaps_are_taken_and_formats_give_the_same(kind):
    pandas = pytest.importorskip("pandas")
    polars, pyarrow = pytest.importorskip("polars"), pytest.importorskip("pyarrow")
    train = law(300)
    region = np.array(["north", "south", "west"])[np.arange(300) % 3]
    age = np.where(np.arange(300) % 11 == 0, np.nan, train.X[:, 0])
    frame = pandas.DataFrame({"age": age, "score": train.X[:, 1], "region": pandas.Categorical(region)})
    trees = mtlr.Trees(trees=5)
    others = [polars.from_arrow(pyarrow.Table.from_pandas(frame)), pyarrow.Table.from_pandas(frame)]
    effects = [kind(trees, mtlr.Logistic(), trees, folds=2).fit(one, train.y, train.w).predict(one) for one in (frame, *others)]
    for found in effects[1:]:
        np.testing.assert_allclose(found, effects[0], rtol=1e-9, atol=1e-12)


def test_linear_models_take_gaps_as_well():
    train = law(300)
    train.X[::9, 0] = np.nan
    assert np.isfinite(plain(mtlr.TLearner).fit(train.X, train.y, train.w).predict(train.X)).all()


def test_arms_need_no_count_and_no_codes():
    train = law(300, arms=3, labels=["none", "mail", "visit"])
    learner = plain(mtlr.DRLearner).fit(train.X, train.y, train.w)
    assert learner.arms_ == ["none", "mail", "visit"] and learner.predict(train.X).shape == (300, 2)
    with pytest.raises(ValueError, match="one arm only"):
        plain(mtlr.DRLearner).fit(train.X, train.y, np.full(300, "none"))


def test_an_outcome_of_one_class_and_classes_that_an_arm_lacks():
    train = law(300)
    learner = mtlr.TLearner(mtlr.Logistic(), folds=2, outcome_type="binary")
    try:
        effects = learner.fit(train.X, np.zeros(300), train.w).predict(train.X)
        assert np.abs(effects).max() < 1e-3
    except mtlr.MetaLearnersError as refused:
        assert refused.remedy
    outcome = np.array(["a", "b", "c"])[np.arange(300) % 3]
    outcome[(train.w == 0) & (outcome == "c")] = "a"
    effects = mtlr.TLearner(mtlr.Logistic(), folds=2, outcome_type="classes").fit(train.X, outcome, train.w).predict(train.X)
    assert effects.shape == (300, 1, 3) and effects[:, 0, 2].mean() > 0.15


def test_folds_from_one_to_many_and_the_same_for_all_models():
    train = law(300)
    for folds in (1, 2, 10):
        learner = made(mtlr.DRLearner, folds=folds).fit(train.X, train.y, train.w)
        assert learner.to_spec()["cross_fitting"]["folds"] == folds and np.isfinite(learner.predict(train.X)).all()
    with pytest.raises(ValueError, match="folds"):
        made(mtlr.DRLearner, folds=0).fit(train.X, train.y, train.w)


def test_nuisances_of_another_learner_are_taken_over():
    train = law(400)
    first = plain(mtlr.DRLearner, seed=5).fit(train.X, train.y, train.w)
    reused = plain(mtlr.XLearner, seed=5).fit(train.X, train.y, train.w, reuse=first)
    alone = plain(mtlr.XLearner, seed=5).fit(train.X, train.y, train.w)
    np.testing.assert_array_equal(reused.predict(train.X), alone.predict(train.X))
    np.testing.assert_array_equal(reused.propensity(), first.propensity())


def test_the_r_loss_is_that_of_its_formula():
    train = law(400)
    learner = plain(mtlr.RLearner).fit(train.X, train.y, train.w)
    study = learner.study()
    row = next(one for one in study.losses().tables["losses"] if one["loss"] == "r")
    e = learner.propensity()[:, 1]
    marginal = e * study.column("mean_1") + (1 - e) * study.column("mean_0")
    loss = np.mean((train.y - marginal - (train.w - e) * learner.predict_training()) ** 2)
    assert row["model"] == pytest.approx(loss, rel=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_evaluation_names_every_model(kind):
    train = law(400, arms=3)
    study = plain(kind).fit(train.X, train.y, train.w).study()
    metrics = {(row["role"], row["arm"], row["metric"]) for row in study.nuisance_metrics().tables["metrics"]}
    assert {("outcome", arm, "rmse") for arm in "012"} <= metrics and {("propensity", arm, "log_loss") for arm in "12"} <= metrics
    assert {(row["loss"], row["arm"]) for row in study.losses().tables["losses"]} == {(loss, arm) for loss in ("r", "dr") for arm in "12"}


def test_the_average_effect_of_the_dr_learner_is_doubly_robust():
    train = law(3000)
    # One of the two models may be wrong.
    for outcome, propensity in ((mtlr.OLS(), mtlr.Constant()), (mtlr.Constant(), mtlr.Logistic())):
        average = mtlr.DRLearner(outcome, propensity, mtlr.OLS()).fit(train.X, train.y, train.w).average_effect()
        assert abs(average.estimate - train.effects.mean()) < 4 * average.std_error and average.std_error < 0.1


@pytest.mark.parametrize("kind", KINDS)
def test_results_are_the_same_for_any_number_of_threads(kind):
    train = law(300)
    models = [plain(kind, threads=threads).fit(train.X, train.y, train.w)._model.to_bytes() for threads in (1, 2)]
    assert models[0] == models[1]


# ------------------------------------------------------------------------------------------------- EconML


@pytest.mark.parametrize("constant", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_three_arms_with_numbers_as_labels_and_effects_between_any_two(kind, constant):
    train, new = law(1000, arms=3, constant=constant, labels=[1, 3, 5]), law(200, arms=3, constant=constant, seed=4)
    learner = made(kind).fit(train.X, train.y, train.w)
    found = learner.predict(new.X, arm=5, baseline=3).reshape(-1)
    assert np.mean(np.abs(found - (new.effects[:, 1] - new.effects[:, 0])) < 0.5) >= 0.9
    assert np.mean(np.abs(learner.predict(new.X) - new.effects) < 0.5) >= 0.9


@pytest.mark.parametrize("kind", KINDS)
def test_lists_and_columns_of_one_are_taken_and_lengths_are_checked(kind):
    train = law(200)
    learner = plain(kind)
    effects = learner.fit(train.X.tolist(), train.y.tolist(), train.w.tolist()).predict(train.X.tolist())
    np.testing.assert_array_equal(learner.fit(train.X, train.y.reshape(-1, 1), train.w.reshape(-1, 1)).predict(train.X), effects)
    for given in ((train.X[:100], train.y, train.w), (train.X, train.y[:100], train.w), (train.X, train.y, train.w[:100])):
        with pytest.raises(ValueError, match="rows|values"):
            learner.fit(*given)


def test_outcomes_of_several_columns_are_refused_with_a_reason():
    train = law(200)
    with pytest.raises(ValueError, match="one dimension is expected.*one value for each row"):
        plain(mtlr.TLearner).fit(train.X, np.column_stack([train.y, train.y]), train.w)


@pytest.mark.parametrize("kind", KINDS)
def test_learners_can_be_pickled_before_and_after_a_fit(kind):
    train = law(200)
    learner = pickle.loads(pickle.dumps(plain(kind)))
    assert repr(learner) == repr(plain(kind))
    learner.fit(train.X, train.y, train.w)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(learner)).predict(train.X), learner.predict(train.X))


def test_intervals_of_the_linear_dr_learner_cover_the_true_effects():
    inside = []
    for seed in range(12):
        train = law(800, seed=seed)
        found = plain(mtlr.DRLearner).fit(train.X, train.y, train.w).interval(train.X[:100], level=0.9)
        inside.append(np.mean((found.lower <= train.effects[:100, 0]) & (train.effects[:100, 0] <= found.upper)))
    assert 0.7 < np.mean(inside) <= 1


def test_a_bootstrap_gives_intervals_of_any_learner():
    train = law(300)
    found = plain(mtlr.TLearner, interval_method="bootstrap", interval_samples=30).fit(train.X, train.y, train.w).interval(train.X)
    assert (found.lower < found.upper).all() and np.mean((found.lower <= found.effect) & (found.effect <= found.upper)) > 0.9


def test_without_covariates_there_is_one_effect():
    train = law(400, constant=True)
    learner = plain(mtlr.DRLearner).fit(None, train.y, train.w)
    average, plain_difference = learner.average_effect(), train.y[train.w == 1].mean() - train.y[train.w == 0].mean()
    assert average.estimate == pytest.approx(plain_difference, abs=0.02)
    assert np.ptp(learner.predict_training()) < 0.2


@pytest.mark.parametrize("kind", KINDS)
def test_whole_weights_are_rows_that_occur_as_often(kind):
    train = law(300)
    weights = 1 + np.arange(300) % 3
    known = np.full(300, 0.5)
    weighted = kind(mtlr.OLS(), mtlr.Logistic(), mtlr.OLS(), folds=1).fit(train.X, train.y, train.w, sample_weight=weights, propensity=known)
    repeated = np.repeat(np.arange(300), weights)
    often = kind(mtlr.OLS(), mtlr.Logistic(), mtlr.OLS(), folds=1).fit(
        train.X[repeated], train.y[repeated], train.w[repeated], propensity=known[repeated]
    )
    ask = {"propensity": np.full(300, 0.5)} if kind is mtlr.XLearner else {}
    np.testing.assert_allclose(weighted.predict(train.X, **ask), often.predict(train.X, **ask), atol=1e-6)


def test_groups_are_held_out_as_wholes():
    train = law(400)
    groups = np.arange(400) % 20
    # An outcome that only its group explains cannot be foreseen from other groups.
    y = np.random.default_rng(0).normal(size=20)[groups] * 5
    X = np.column_stack([train.X, groups])
    trees = mtlr.Forest(trees=50, min_leaf_size=2)
    spread = {}
    for name, given in (("whole", groups), ("rows", None)):
        means = mtlr.TLearner(trees, mtlr.Constant(), folds=5).fit(X, y, train.w, cluster=given).predict_arms()
        spread[name] = np.mean((y - means[np.arange(400), train.w]) ** 2)
    assert spread["whole"] > 1.7 * spread["rows"]


def test_estimators_of_scikit_learn_and_pipelines_stand_where_base_learners_do():
    pytest.importorskip("sklearn")
    from sklearn.linear_model import LinearRegression, LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures

    train = law(1000)
    s = mtlr.SLearner(make_pipeline(PolynomialFeatures(2), LinearRegression()), folds=2).fit(train.X, train.y, train.w)
    assert error(s.predict(train.X), train.effects) < 0.1
    dr = mtlr.DRLearner(LinearRegression(), LogisticRegression(), LinearRegression(), folds=2).fit(train.X, train.y, train.w)
    assert error(dr.predict(train.X), train.effects) < 0.1


def test_the_table_of_the_documentation_names_these_tests():
    page = Path(__file__).resolve().parents[3] / "docs" / "peer-tests.md"
    if not page.exists():
        pytest.skip("needs the repository")
    named = set(re.findall(r"`(test_\w+)`", page.read_text(encoding="utf-8")))
    written = {name for name in globals() if name.startswith("test_")} - {"test_the_table_of_the_documentation_names_these_tests"}
    # Some behaviours are tested elsewhere.
    elsewhere = {name for path in Path(__file__).parent.glob("test_*.py") for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.M)}
    assert written <= named and named <= elsewhere, (written - named, named - elsewhere)
