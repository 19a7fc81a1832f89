"""Learners: numbers, shapes, parameters, files."""

import copy
import gc
import inspect
import json
import os
import pickle
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from conftest import draw, linear

import libmetalearners as mtlr

LEARNERS = [
    mtlr.SLearner, mtlr.TLearner, mtlr.FLearner, mtlr.MLearner, mtlr.XLearner, mtlr.ULearner, mtlr.RLearner, mtlr.RALearner,
    mtlr.DRLearner, mtlr.EnsembleLearner,
]  # fmt: skip


@pytest.mark.parametrize("kind", LEARNERS)
def test_every_learner_fits_and_predicts(kind, data):
    learner = kind(mtlr.Ridge(), effect_model=mtlr.Ridge(), folds=2).fit(data.X, data.y, data.w)
    effects = learner.predict(data.X)
    assert effects.shape == (400,) and learner.predict(data.X, numpy3d=True).shape == (400, 1, 1)
    assert learner.predict_training().shape == (400,) and learner.propensity().shape == (400, 2)
    assert 0.8 < learner.average_effect().estimate < 1.4
    assert learner.to_spec()["learner"] == kind._learner
    assert inspect.signature(kind).parameters["folds"].default is None and "folds" in kind.__doc__


def test_auto_needs_nothing(data):
    learner = mtlr.AutoLearner(folds=2).fit(data.X[:200], data.y[:200], data.w[:200])
    assert learner.predict(data.X).shape == (400,) and learner.average_effect("att").estimand == "att"


def test_a_dr_learner_of_linear_models_gives_the_average_of_its_scores(fitted, data):
    effect = fitted.average_effect()
    scores = fitted.study().scores()
    assert effect.estimate == pytest.approx(scores.mean(), rel=1e-12)
    assert effect.std_error == pytest.approx(scores.std(ddof=1) / 20, rel=1e-12)
    e, means = fitted.propensity()[:, 1], fitted.predict_arms()
    residual = data.y - np.where(data.w == 1, means[:, 1], means[:, 0])
    by_hand = means[:, 1] - means[:, 0] + np.where(data.w == 1, residual / e, -residual / (1 - e))
    np.testing.assert_allclose(scores, by_hand, rtol=1e-12)
    np.testing.assert_allclose(np.corrcoef(fitted.predict(data.X), 1 + data.X[:, 1])[0, 1], 1, atol=0.1)


def test_a_t_learner_is_the_difference_of_two_regressions(data):
    learner = mtlr.TLearner(mtlr.OLS(), folds=2).fit(data.X, data.y, data.w)
    design = np.column_stack([np.ones(400), data.X])
    slopes = [np.linalg.lstsq(design[data.w == arm], data.y[data.w == arm], rcond=None)[0] for arm in (0, 1)]
    np.testing.assert_allclose(learner.predict(data.X), design @ (slopes[1] - slopes[0]), rtol=1e-9)


def test_intervals_hold_their_effects_and_widen_with_the_level(fitted, data):
    narrow, wide = fitted.interval(data.X, 0.5), fitted.interval(data.X, 0.99)
    np.testing.assert_allclose(narrow.effect, fitted.predict(data.X))
    assert (wide.lower < narrow.lower).all() and (narrow.upper < wide.upper).all()
    average = fitted.average_effect(level=0.5)
    assert average.level == 0.5 and average.upper - average.lower < 2 * average.std_error


def test_every_learner_has_intervals_by_halves_and_individual_ones(data):
    learner = mtlr.AutoLearner(folds=2, interval_method="half_sampling", interval_samples=20).fit(data.X, data.y, data.w)
    mean, own = learner.interval(data.X), learner.individual_interval(data.X)
    np.testing.assert_array_equal(mean.effect, own.effect)
    # A row's own effect varies by the noise of its two outcomes as well.
    assert (mean.lower < mean.effect).all() and (own.upper - own.lower > mean.upper - mean.lower).all()
    narrow = learner.individual_interval(data.X, 0.5)
    assert (own.lower < narrow.lower).all() and (narrow.upper < own.upper).all()
    np.testing.assert_array_equal(learner.individual_interval().effect, learner.predict_training())
    turned = learner.individual_interval(data.X, arm=0, baseline=1, scale="difference")
    np.testing.assert_allclose(turned.upper, -own.lower)
    with pytest.raises(mtlr.errors.InvalidDataError, match="new rows"):
        learner.individual_interval(propensity=np.full(400, 0.5))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(learner)).individual_interval(data.X).upper, own.upper)


def test_classes_have_effects_of_their_own(data):
    outcome = np.array(["bus", "car", "walk"])[np.arange(400) % 3]
    learner = mtlr.TLearner(mtlr.Logistic(), folds=2, outcome_type="classes").fit(data.X, outcome, data.w)
    effects = learner.predict(data.X)
    assert effects.shape == (400, 1, 3) and learner.predict_arms(data.X).shape == (400, 2, 3)
    np.testing.assert_allclose(effects.sum(axis=2), 0, atol=1e-9)
    assert len(learner.average_effect()) == 3


@pytest.mark.parametrize("names", ["e1", ["e1"], ["e0", "e1"]])
def test_known_propensities_may_be_named_columns(data, names):
    """They are no covariates, and new rows bring theirs."""
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(data.X, columns=["a", "b", "c"])
    frame["e1"] = np.linspace(0.2, 0.8, 400)
    frame["e0"] = 1 - frame.e1
    given = frame[["e0", "e1"]].to_numpy() if len(names) == 2 and names != "e1" else frame.e1.to_numpy()
    kind = mtlr.XLearner(mtlr.Ridge(), effect_model=mtlr.Ridge(), folds=2)
    made = kind.fit(frame.drop(columns=[] if isinstance(given[0], np.ndarray) else "e0"), data.y, data.w, propensity=names)
    assert list(made.feature_names_in_) == ["a", "b", "c"]
    expected = mtlr.XLearner(mtlr.Ridge(), effect_model=mtlr.Ridge(), folds=2).fit(frame[["a", "b", "c"]], data.y, data.w, propensity=given)
    np.testing.assert_array_equal(made.predict(frame), expected.predict(frame[["a", "b", "c"]], propensity=given))
    np.testing.assert_array_equal(made.predict(frame[["a", "b", "c"]], propensity=given), made.predict(frame))
    with pytest.raises(mtlr.errors.InvalidDataError, match="no column 'e9' in X"):
        kind.fit(frame, data.y, data.w, propensity=["e0", "e9"])


def test_weights_clusters_and_known_propensities(data):
    known = linear().fit(data.X, data.y, data.w, propensity=np.full(400, 0.5))
    np.testing.assert_array_equal(known.propensity(), 0.5)
    mixed = mtlr.XLearner(mtlr.Ridge(), effect_model=mtlr.Ridge(), folds=2)
    mixed.fit(data.X, data.y, data.w, propensity=np.full((400, 2), 0.5))
    with pytest.warns(mtlr.MetaLearnersWarning, match="known propensities"):
        mixed.predict(data.X)
    assert mixed.predict(data.X[:7], propensity=np.full((7, 2), 0.5)).shape == (7,)
    # One column is the treated arm's, and the first of two the control's: neither stands for the other.
    one = mtlr.XLearner(mtlr.Ridge(), effect_model=mtlr.Ridge(), folds=2).fit(data.X, data.y, data.w, propensity=np.full(400, 0.5))
    for learner, shape, match in ((mixed, (7, 3), "has 3 columns.*fit had 2"), (mixed, 7, "has 1 column,.*fit had 2"), (one, (7, 2), "has 2.*fit had 1")):
        with pytest.raises(mtlr.errors.InvalidDataError, match=match):
            learner.predict(data.X[:7], propensity=np.full(shape, 0.3))
    assert known.predict(data.X).shape == (400,)
    with pytest.raises(mtlr.errors.InvalidArgumentError, match="not fitted to known propensities of rows.*leave it out"):
        linear().fit(data.X, data.y, data.w).predict(data.X[:7], propensity=np.full(7, 0.3))
    clusters = np.array(["a", "b", "c", "d", "e", "f", "g", "h"])[np.arange(400) % 8]
    learner = linear().fit(data.X, data.y, data.w, sample_weight=np.arange(1.0, 401), cluster=clusters)
    assert learner.average_effect().std_error != linear().fit(data.X, data.y, data.w).average_effect().std_error
    assert list(learner.feature_names_in_) == ["x0", "x1", "x2"]


def test_nuisances_are_reused(data, fitted):
    told = []
    other = mtlr.RALearner(mtlr.Ridge(), effect_model=mtlr.Ridge(), folds=2)
    other.fit(data.X, data.y, data.w, reuse=fitted, progress=lambda *stage: told.append(stage))
    alone = mtlr.RALearner(mtlr.Ridge(), effect_model=mtlr.Ridge(), folds=2).fit(data.X, data.y, data.w)
    np.testing.assert_array_equal(other.predict(data.X), alone.predict(data.X))
    assert told and told[-1][1] <= told[-1][2]


def test_the_same_seed_gives_the_same_bytes_on_any_number_of_threads(data):
    made = [linear(threads=threads).fit(data.X, data.y, data.w)._model.to_bytes() for threads in (1, 2)]
    assert made[0] == made[1]


def test_files_and_pickles_predict_the_same(fitted, data, tmp_path):
    fitted.save(tmp_path / "a.model")
    for learner in (mtlr.load(tmp_path / "a.model"), pickle.loads(pickle.dumps(fitted)), copy.deepcopy(fitted)):
        np.testing.assert_array_equal(learner.predict(data.X), fitted.predict(data.X))
        assert type(learner) is mtlr.DRLearner and learner.effect_model.backend == "ridge"
        assert len(learner.study()) == 400
    assert repr(pickle.loads(pickle.dumps(linear()))) == repr(linear())


def test_parameters_follow_the_conventions_of_scikit_learn(data):
    learner = linear(seed=3)
    assert learner.set_params(effect_model__l2=7, folds=4) is learner
    assert learner.get_params()["effect_model__l2"] == 7 and learner.effect_model.l2 == 7
    assert repr(learner) == "DRLearner(outcome_model=Ridge(), effect_model=Ridge(l2=7), folds=4, seed=3)"
    sklearn = pytest.importorskip("sklearn")
    cloned = sklearn.base.clone(learner)
    assert cloned is not learner and repr(cloned) == repr(learner) and cloned.effect_model is not learner.effect_model
    pipeline = sklearn.pipeline.make_pipeline(sklearn.preprocessing.StandardScaler(), cloned)
    pipeline.fit(data.X, data.y, drlearner__w=data.w)
    assert pipeline.predict(data.X).shape == (400,)


def test_specs_go_there_and_back():
    learner = linear(overlap="trim", overlap_bounds=(0.05, 0.95), seed=9, control="none")
    spec = learner.to_spec()
    assert spec["overlap"] == {"policy": "trim", "bounds": [0.05, 0.95]} or spec["overlap"]["bounds"] == [0.05, 0.95]
    again = mtlr.MetaLearner.from_spec(spec)
    assert type(again) is mtlr.DRLearner and again.to_spec() == spec
    json.dumps(spec)


def test_base_learners_are_what_the_library_lists():
    for listed in mtlr.estimators._LISTED.values():
        if listed["name"] == "python":  # Estimators of other libraries, which need no class here.
            continue
        found = [kind for kind in vars(mtlr).values() if isinstance(kind, type) and getattr(kind, "backend", "") == listed["name"]]
        assert len(found) == 1 and all(parameter["summary"] in found[0].__doc__ for parameter in listed["parameters"])
        assert [found["name"] for found in listed["parameters"]] == [name.rstrip("_") for name in found[0].parameters]
        assert pickle.loads(pickle.dumps(found[0]())) == found[0]()
    assert mtlr.Trees(trees=3).trees == 3 and mtlr.Lasso(lambda_=0.1).to_spec() == {"backend": "lasso", "lambda": 0.1}
    assert mtlr.Plugin("ridge", l2=2).to_spec() == mtlr.Ridge(l2=2).to_spec()


def test_objects_may_go_in_any_order(data):
    for order in range(6):
        learner = linear().fit(data.X.copy(), data.y.copy(), data.w.copy())
        study = learner.study()
        answer = study.aipw()
        kept = [learner, study, answer]
        del learner, study, answer
        for _ in range(3):
            kept.pop(order % len(kept))
            gc.collect()
            for rest in kept:
                repr(rest)


REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.mark.skipif(not (REPOSITORY / "examples").exists() or not shutil.which("cc"), reason="needs the repository and a compiler")
def test_a_plugin_is_a_base_learner(data, tmp_path):
    source, library = REPOSITORY / "examples/plugin/knn.c", tmp_path / "knn.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-I", REPOSITORY / "include", source, "-o", library, "-lm"], check=True)
    with pytest.raises(ValueError, match="path="):
        mtlr.Plugin("knn")
    nearest = mtlr.Plugin("knn", path=library)
    assert "knn" in [found["name"] for found in mtlr.backends()]
    learner = mtlr.TLearner(nearest, folds=2).fit(data.X, data.y, data.w)
    again = pickle.loads(pickle.dumps(learner))
    np.testing.assert_array_equal(again.predict(data.X), learner.predict(data.X))
    assert again.outcome_model == nearest and repr(nearest) == f"Plugin('knn', path={str(library)!r})"
    with pytest.raises(ValueError, match="unknown parameter"):
        mtlr.Plugin("knn", neighbour=3)


EXAMPLE = REPOSITORY / "examples/data/learning_mindset.csv"


@pytest.mark.skipif(not EXAMPLE.exists(), reason="needs the repository")
@pytest.mark.parametrize("folder", [1, 3], ids=["package", "repository"])
def test_the_example_of_the_readme_says_what_it_should(folder, tmp_path, monkeypatch, capsys):
    pytest.importorskip("pandas")
    readme = (Path(__file__).resolve().parents[folder] / "README.md").read_text()
    program = readme.split("```python\n")[1].split("```")[0]
    (tmp_path / "examples").symlink_to(EXAMPLE.parents[1])
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(compile(program, "README.md", "exec"), names)
    assert 0.3 < names["learner"].average_effect().estimate < 0.5
    if folder == 1:
        assert os.path.getsize("coaching.model") and os.path.getsize("coaching.html")
    assert "ate" in capsys.readouterr().out


def test_every_path_that_messages_name_has_its_keyword_in_the_documentation(data):
    from libmetalearners._options import OPTIONS

    for name, path in OPTIONS.items():
        if path not in ("", name):
            assert f"``{path}`` is ``{name}``" in mtlr.DRLearner.__doc__, path
    assert "PATHS" not in mtlr.DRLearner.__doc__
    # All other paths are keys of `spec`, as the documentation says.
    without = linear(spec={"data": {"exclude": ["x1"]}}).fit(data.X, data.y, data.w)
    assert without.to_spec()["data"]["exclude"] == ["x1"] and without.summary["covariates"] != linear().fit(data.X, data.y, data.w).summary["covariates"]


def test_arms_of_a_learner_from_a_file_are_texts_and_are_asked_for_by_either(data, tmp_path):
    fitted = linear().fit(data.X, data.y, data.w)
    fitted.save(tmp_path / "a.model")
    read = mtlr.load(tmp_path / "a.model")
    assert fitted.arms_ == [0, 1] and read.arms_ == ["0", "1"]
    for arm in (1, 1.0, True, "1"):
        np.testing.assert_array_equal(read.predict(data.X, arm=arm), fitted.predict(data.X))
