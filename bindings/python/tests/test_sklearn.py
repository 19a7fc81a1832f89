"""Estimators of scikit-learn as base learners."""

import os
import pickle
import subprocess
import sys
import threading

import numpy as np
import pytest
from conftest import draw

import libmetalearners as mtlr

pytest.importorskip("sklearn")
from sklearn.base import BaseEstimator, clone  # noqa: E402
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier, RandomForestRegressor  # noqa: E402
from sklearn.linear_model import LinearRegression, LogisticRegression  # noqa: E402
from sklearn.neighbors import KNeighborsRegressor  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402


def learner(**options):
    return mtlr.DRLearner(
        RandomForestRegressor(10), LogisticRegression(), make_pipeline(StandardScaler(), LinearRegression()), folds=2, seed=1, **options
    )


@pytest.fixture(scope="module")
def data():
    return draw(300)


@pytest.fixture(scope="module")
def fitted(data):
    return learner().fit(data.X, data.y, data.w)


def test_least_squares_is_that_of_the_library(data):
    own = mtlr.TLearner(mtlr.OLS(), mtlr.Constant()).fit(data.X, data.y, data.w).predict(data.X)
    theirs = mtlr.TLearner(LinearRegression(), mtlr.Constant()).fit(data.X, data.y, data.w)
    np.testing.assert_allclose(theirs.predict(data.X), own, atol=1e-9)
    predictor = theirs.row_predictor()
    assert not predictor.is_compiled
    np.testing.assert_allclose(predictor(data.X[0]), own[:1], atol=1e-9)


def test_they_are_members_of_stacks(data, tmp_path):
    members = [LinearRegression(), mtlr.Trees(max_leaves=4), "constant"]
    made = mtlr.TLearner(mtlr.Stack(members=members), mtlr.Constant(), folds=2).fit(data.X, data.y, data.w)
    assert made.to_spec()["models"]["outcome"]["members"][1] == {"backend": "trees", "max_leaves": 4}
    effects = made.predict(data.X)
    assert np.corrcoef(effects, 1 + data.X[:, 1])[0, 1] > 0.3
    # The library's own least squares says the same.
    own = mtlr.TLearner(mtlr.Stack(members=[mtlr.OLS(), *members[1:]]), mtlr.Constant(), folds=2).fit(data.X, data.y, data.w)
    np.testing.assert_allclose(own.predict(data.X), effects, atol=1e-6)
    made.save(tmp_path / "stack.model")
    with pytest.warns(mtlr.MetaLearnersWarning, match="LinearRegression"):
        read = mtlr.load(tmp_path / "stack.model", trust=True)
    np.testing.assert_array_equal(read.predict(data.X), effects)


@pytest.mark.parametrize("kind", ["SLearner", "TLearner", "XLearner", "RLearner", "DRLearner"])
def test_every_learner_takes_them(kind, data):
    made = getattr(mtlr, kind)(HistGradientBoostingRegressor(max_iter=20), RandomForestClassifier(10), LinearRegression(), folds=2)
    X = data.X.copy()
    X[::9, 2] = np.nan
    effects = made.fit(np.delete(X, 2, 1), data.y, data.w).predict(np.delete(X, 2, 1))
    assert np.isfinite(effects).all() and np.corrcoef(effects, 1 + data.X[:, 1])[0, 1] > 0.3


def test_the_same_seed_gives_the_same_model(fitted, data):
    again = learner().fit(data.X, data.y, data.w)
    assert again._model.to_bytes() == fitted._model.to_bytes()
    assert learner(threads=1).fit(data.X, data.y, data.w)._model.to_bytes() == fitted._model.to_bytes()


def test_a_class_that_is_defined_anew_is_another_estimator(data, monkeypatch):
    """As in a notebook, where a cell runs again: the pickle has the same bytes, and the class is not the same."""
    import __main__

    def cell(value):
        code = f"""
from sklearn.base import BaseEstimator, RegressorMixin
import numpy as np
class Mine(RegressorMixin, BaseEstimator):
    def fit(self, X, y):
        return self
    def predict(self, X):
        return np.full(len(X), {value})
"""
        exec(code, vars(__main__))
        return vars(__main__)["Mine"]()

    try:
        effects = []
        for value in (1.0, 2.0):
            made = mtlr.DRLearner("ridge", "logistic", cell(value), folds=2).fit(data.X, data.y, data.w)
            effects.append(made.predict(data.X)[0])
            again = mtlr.DRLearner("ridge", "logistic", vars(__main__)["Mine"](), folds=2)
            assert again.to_spec()["models"]["effect"] == made.to_spec()["models"]["effect"]
        assert effects == [1.0, 2.0]
    finally:
        vars(__main__).pop("Mine", None)


def test_an_estimator_that_cannot_be_pickled_is_refused_in_words(data):
    class Local(LinearRegression):
        pass

    with pytest.raises(mtlr.errors.InvalidSpecError, match="Local cannot be pickled.*top level of a module"):
        mtlr.TLearner(Local()).fit(data.X, data.y, data.w)


def test_the_estimators_that_were_given_are_left_alone(data):
    given = LinearRegression()
    mtlr.TLearner(given, mtlr.Constant()).fit(data.X, data.y, data.w)
    assert not hasattr(given, "coef_")


def test_clones_pickles_and_specs(fitted, data):
    assert clone(fitted).effect_model is not fitted.effect_model
    assert fitted.get_params()["outcome_model"].n_estimators == 10
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.predict(data.X), fitted.predict(data.X))
    spec = fitted.to_spec()
    assert spec["models"]["outcome"]["backend"] == "python"
    np.testing.assert_array_equal(mtlr.MetaLearner.from_spec(spec).fit(data.X, data.y, data.w).predict(data.X), fitted.predict(data.X))


def test_files_are_read_by_those_who_trust_them(fitted, data, tmp_path):
    path = tmp_path / "model"
    fitted.save(path)
    # This process wrote them itself.
    np.testing.assert_array_equal(mtlr.load(path).predict(data.X), fitted.predict(data.X))
    np.save(tmp_path / "X.npy", data.X)
    program = f"""
import warnings, numpy as np, libmetalearners as mtlr
try:
    mtlr.load({str(path)!r})
except mtlr.MetaLearnersError as error:
    assert "trust=True" in str(error), error
else:
    raise SystemExit("it was read")
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    learner = mtlr.load({str(path)!r}, trust=True)
assert any("RandomForestRegressor" in str(one.message) for one in told), told
np.save({str(tmp_path / "effects.npy")!r}, learner.predict(np.load({str(tmp_path / "X.npy")!r})))
try:
    mtlr.load({str(path)!r})
except mtlr.MetaLearnersError:
    print("done")
"""
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=os.environ)
    assert told.stdout == "done\n", told.stderr
    np.testing.assert_array_equal(np.load(tmp_path / "effects.npy"), fitted.predict(data.X))


def test_trust_is_not_lent_to_other_threads_and_may_be_nested():
    from libmetalearners import _sklearn

    seen = []

    def load():
        with _sklearn.trusting(False):
            seen.append(_sklearn._read)

    with _sklearn.trusting(True):
        with _sklearn.trusting(True):
            pass
        other = threading.Thread(target=load)
        other.start()
        other.join(0.2)
        assert other.is_alive() and not seen and _sklearn._read is not None
        with _sklearn.trusting(False):
            assert _sklearn._read is None
    other.join()
    assert seen == [None] and _sklearn._read is None


def test_categories_come_as_a_frame(data):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": data.X[:, 0], "b": data.X[:, 1], "kind": pandas.Categorical(np.array(["u", "v"])[data.w])})
    trees = HistGradientBoostingRegressor(max_iter=10, categorical_features="from_dtype")
    made = mtlr.TLearner(trees, mtlr.Constant(), folds=2).fit(frame, data.y, 1 - data.w)
    assert np.isfinite(made.predict(frame)).all()


def test_weights(data):
    weights = np.where(data.X[:, 2] > 0, 1.0, 0.001)
    own = mtlr.TLearner(mtlr.OLS(), mtlr.Constant()).fit(data.X, data.y, data.w, sample_weight=weights).predict(data.X)
    pipeline = make_pipeline(StandardScaler(), LinearRegression())
    theirs = mtlr.TLearner(pipeline, mtlr.Constant()).fit(data.X, data.y, data.w, sample_weight=weights).predict(data.X)
    np.testing.assert_allclose(theirs, own, atol=1e-8)
    with pytest.raises(mtlr.MetaLearnersError, match="sample_weight"):
        mtlr.TLearner(KNeighborsRegressor(), mtlr.Constant()).fit(data.X, data.y, data.w, sample_weight=weights)


class Failing(BaseEstimator):
    def fit(self, X, y):
        raise LookupError("nothing to be found")

    def predict(self, X):
        return np.zeros(len(X))


def test_what_an_estimator_says_is_told(data):
    with pytest.raises(mtlr.MetaLearnersError, match="nothing to be found"):
        mtlr.TLearner(Failing(), mtlr.Constant()).fit(data.X, data.y, data.w)
    with pytest.raises(mtlr.MetaLearnersError, match="classifier"):
        mtlr.DRLearner(mtlr.Ridge(), LinearRegression()).fit(data.X, data.y, data.w)
    with pytest.raises(mtlr.MetaLearnersError, match="regressor"):
        mtlr.TLearner(LogisticRegression(), mtlr.Constant()).fit(data.X, data.y, data.w)
    with pytest.raises(mtlr.MetaLearnersError, match="call it"):
        mtlr.TLearner(LinearRegression).fit(data.X, data.y, data.w)


class Ranking(BaseEstimator):
    """A learner as scikit-learn's tools want it: the arm is a column of X, and the score is what they maximise."""

    def __init__(self, learner=None):
        self.learner = learner

    def fit(self, X, y):
        self.learner_ = clone(self.learner).fit(X[:, :-1], y, X[:, -1])
        return self

    def predict(self, X):
        return self.learner_.predict(X[:, :-1])

    def score(self, X, y):
        return float(np.corrcoef(self.predict(X), 1 + X[:, 1])[0, 1])


def test_grid_search_pipelines_and_tags(data):
    from sklearn.model_selection import GridSearchCV, cross_val_score
    from sklearn.utils.validation import check_is_fitted

    made = mtlr.DRLearner(mtlr.Ridge(), mtlr.Logistic(), mtlr.Ridge(), folds=2)
    whole = np.column_stack([data.X, data.w])
    search = GridSearchCV(Ranking(made), {"learner__effect_model__l2": [0.1, 1e6], "learner__folds": [2, 3]}, cv=3).fit(whole, data.y)
    assert search.best_params_["learner__effect_model__l2"] in (0.1, 1e6) and len(search.cv_results_["params"]) == 4
    assert search.best_estimator_.learner_.effect_model.l2 == search.best_params_["learner__effect_model__l2"]
    # What was searched is left as it was, and so are copies.
    assert made.effect_model == mtlr.Ridge() and made._model is None
    assert cross_val_score(Ranking(made), whole, data.y, cv=3).shape == (3,)
    tags = made.__sklearn_tags__() if hasattr(made, "__sklearn_tags__") else None
    if tags is not None:
        assert tags.input_tags.allow_nan and tags.input_tags.categorical and tags.target_tags.required
    check_is_fitted(clone(made).fit(data.X, data.y, data.w))
    from sklearn.exceptions import NotFittedError

    with pytest.raises(NotFittedError):
        check_is_fitted(clone(made))
