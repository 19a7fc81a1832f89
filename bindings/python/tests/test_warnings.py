"""Fits, searches, studies and analyses issue what is worth knowing as Python's warnings, once, at the line that calls them."""

import copy
import pickle
import warnings
from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import draw, linear
from test_collective import together
from test_learners import LEARNERS

import libmetalearners as mtlr

COPIED = "column 'x3' says which arm a row is in"
ASSUMED = "the control is taken to be 'a'"


@pytest.fixture(scope="module")
def odd():
    """The treatment is a covariate as well, and its labels do not say which the control is."""
    drawn = draw()
    return SimpleNamespace(X=np.column_stack([drawn.X, drawn.w]), y=drawn.y, w=np.array(["a", "b"])[drawn.w])


@contextmanager
def recorded():
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        yield told


def texts(told):
    return [str(warning.message) for warning in told]


def issued(call):
    """What a function of one line returns, and its warnings, all of which point at that line."""
    with recorded() as told:
        made = call()
    for warning in told:
        assert warning.category is mtlr.MetaLearnersWarning
        assert (warning.filename, warning.lineno) == (__file__, call.__code__.co_firstlineno), warning
    return made, texts(told)


@pytest.mark.parametrize("kind", [*LEARNERS, mtlr.AutoLearner])
def test_every_fit_issues_what_its_learner_keeps_and_nothing_again(kind, odd):
    models = () if kind is mtlr.AutoLearner else (mtlr.Ridge(),)
    learner, told = issued(lambda: kind(*models, folds=2).fit(odd.X, odd.y, odd.w))
    assert told == learner.warnings and any(COPIED in text for text in told) and any(ASSUMED in text for text in told)
    _, again = issued(lambda: (learner.predict(odd.X), learner.average_effect(), learner.warnings, learner.summary, learner.study()))
    assert not set(again) & set(told)


def test_a_fit_of_plain_data_issues_nothing(data):
    learner, told = issued(lambda: linear().fit(data.X, data.y, data.w))
    assert told == learner.warnings == []


def test_each_fit_issues_them_anew(odd):
    learner = linear()
    assert issued(lambda: learner.fit(odd.X, odd.y, odd.w))[1] == issued(lambda: learner.fit(odd.X, odd.y, odd.w))[1] != []
    assert set(learner.warnings) <= set(issued(lambda: linear().fit_predict(odd.X, odd.y, odd.w))[1])


def test_whoever_loads_a_learner_is_not_warned_again(odd, tmp_path):
    learner, told = issued(lambda: linear().fit(odd.X, odd.y, odd.w))
    learner.save(tmp_path / "a.model")
    for load in (lambda: mtlr.load(tmp_path / "a.model"), lambda: pickle.loads(pickle.dumps(learner)), lambda: copy.deepcopy(learner)):
        again, nothing = issued(load)
        assert nothing == [] and again.warnings == told


def test_they_can_be_silenced_and_made_errors(odd):
    with recorded() as told:
        warnings.filterwarnings("ignore", category=mtlr.MetaLearnersWarning)
        learner = linear().fit(odd.X, odd.y, odd.w)
    assert told == [] and learner.warnings
    other = linear()
    with warnings.catch_warnings():
        warnings.filterwarnings("error", category=mtlr.MetaLearnersWarning)
        with pytest.raises(mtlr.MetaLearnersWarning):
            other.fit(odd.X, odd.y, odd.w)
    # What was fitted is there all the same.
    np.testing.assert_array_equal(other.predict(odd.X), learner.predict(odd.X))


def test_a_search_issues_its_own_and_those_of_the_best(odd):
    space = {"effect": mtlr.Ridge(l2=[0.1, 1.0])}
    search, told = issued(lambda: mtlr.GridSearch(mtlr.RLearner(mtlr.Ridge(), folds=2), **space).fit(odd.X, odd.y, odd.w))
    assert search.warnings_ and {*search.warnings_, *search.best_learner_.warnings} == set(told) and len(set(told)) == len(told)
    alone, told = issued(lambda: mtlr.GridSearch(mtlr.RLearner(mtlr.Ridge(), folds=2), **space).fit(odd.X, odd.y, odd.w, refit=False))
    assert told == alone.warnings_ == search.warnings_


def test_a_study_of_given_columns_issues_what_is_doubtful_about_them(odd):
    given = {"propensities": np.full(400, 0.5), "arm_means": np.zeros((400, 2))}
    study, told = issued(lambda: mtlr.Study(odd.y, odd.w, **given))
    assert len(told) == 1 and ASSUMED in told[0] and study.warnings == told
    study, told = issued(lambda: mtlr.Study(odd.y, odd.w, X=odd.X, **given))
    assert any(COPIED in text for text in told) and study.warnings == told


def test_a_study_of_a_learner_keeps_its_warnings_and_issues_none_again(odd):
    learner, told = issued(lambda: linear().fit(odd.X, odd.y, odd.w))
    study, again = issued(lambda: learner.study())
    assert study.warnings == told != [] and again == []


def test_a_study_of_a_loaded_learner_keeps_its_warnings_which_nobody_issues(odd, tmp_path):
    learner, told = issued(lambda: linear().fit(odd.X, odd.y, odd.w))
    learner.save(tmp_path / "odd.model")
    loaded, said = issued(lambda: mtlr.load(tmp_path / "odd.model"))
    study, again = issued(lambda: loaded.study())
    assert study.warnings == loaded.warnings == told != [] and said == again == []


def test_a_study_issues_what_the_nuisances_that_it_fits_show(data):
    w = np.where(data.X[:, 0] > 0.5, 1, data.w)  # Nobody with a high x0 is in the control arm.
    spec = {"models": {"propensity": "logistic"}, "overlap": {"bounds": [0.45, 0.55]}}
    study, told = issued(lambda: mtlr.Study(data.y, w, X=data.X, spec=spec))
    assert study.warnings == told and any(text.startswith("overlap: ") for text in told)


def test_analyses_issue_the_warnings_of_their_answers(fitted):
    study = fitted.study()
    for ask in (lambda: study.uplift_curves(), lambda: study.run("uplift_curves")):
        answer, told = issued(ask)
        assert told == answer.warnings and any("biased" in text for text in told)


def test_plots_that_ask_a_study_point_at_who_plots(fitted):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    study = fitted.study()
    _, told = issued(lambda: mtlr.plots.gain(study))
    assert any("biased" in text for text in told)


def test_predictions_and_explanations_point_at_the_line_that_asks():
    drawn = draw()
    table = {"number": drawn.X[:, 0], "text": np.array(["u", "v"])[(drawn.X[:, 1] > 0).astype(int)]}
    new = {"number": drawn.X[:5, 0], "text": np.array(["elsewhere"] * 5)}
    learner = linear().fit(table, drawn.y, drawn.w)
    search = mtlr.GridSearch(mtlr.RLearner(mtlr.Ridge(), folds=2)).fit(table, drawn.y, drawn.w)
    for ask in (
        lambda: learner.predict(new), lambda: learner.predict_arms(new), lambda: learner.propensity(new), lambda: learner.stability(new),
        lambda: learner.interval(new), lambda: learner.individual_interval(new), lambda: learner.explain(new), lambda: search.predict(new),
    ):  # fmt: skip
        assert any("elsewhere" in text for text in issued(ask)[1])


def test_streamed_fits_and_predictions_issue_theirs(odd, tmp_path):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    table = pa.table({**{f"x{place}": odd.X[:, place] for place in range(4)}, "place": ["here"] * 200 + ["there"] * 200, "y": odd.y, "w": odd.w})
    pq.write_table(table, tmp_path / "rows.parquet")
    trees = mtlr.Trees(trees=5)
    learner, told = issued(lambda: mtlr.TLearner(trees, propensity_model=trees, folds=2).fit(tmp_path / "rows.parquet", "y", "w"))
    assert told == learner.warnings and any(ASSUMED in text for text in told)
    pq.write_table(table.set_column(4, "place", pa.array(["elsewhere"] * 400)), tmp_path / "new.parquet")
    for ask in (lambda: learner.predict(tmp_path / "new.parquet"), lambda: learner.predict_parquet(tmp_path / "new.parquet", tmp_path / "out")):
        assert any("elsewhere" in text for text in issued(ask)[1])


def test_of_processes_that_fit_together_the_first_one_warns(odd):
    def work(collective):
        own = slice(200 * collective.rank, 200 * collective.rank + 200)
        return linear(threads=1).fit(odd.X[own], odd.y[own], odd.w[own], collective=collective)

    with recorded() as told:
        made = together(2, work)
    assert texts(told) == made[0].warnings == made[1].warnings != []


def test_what_a_model_holds_is_told_to_whoever_reads_it(data, tmp_path):
    linear_model = pytest.importorskip("sklearn.linear_model")
    learner = mtlr.TLearner(linear_model.LinearRegression(), mtlr.Constant(), folds=2).fit(data.X, data.y, data.w)
    learner.save(tmp_path / "a.model")
    for load in (lambda: mtlr.load(tmp_path / "a.model", trust=True), lambda: mtlr.MetaLearner.load(tmp_path / "a.model", trust=True)):
        assert "LinearRegression" in issued(load)[1][0]
