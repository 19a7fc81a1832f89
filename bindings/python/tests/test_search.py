"""Searches of hyper-parameters."""

import json

import numpy as np
import pytest
from conftest import draw

import libmetalearners as mtlr


def base(**options):
    return mtlr.RLearner(mtlr.Ridge(), effect_model=mtlr.Ridge(), folds=2, **options)


@pytest.fixture(scope="module")
def search(data):
    found = mtlr.GridSearch(base(), effect=[mtlr.Trees(trees=[2, 5], max_leaves=3), mtlr.Ridge(l2=mtlr.Range(0.1, 10, log=True, points=2))])
    return found.fit(data.X, data.y, data.w)


def test_the_table_has_every_candidate_and_the_constant(search):
    assert len(search.results_) == 5 and {row["learner"] for row in search.results_} == {"r", "constant"}
    assert [row["rank"] for row in search.results_] == [1, 2, 3, 4, 5]
    scores = [row["r_loss"] for row in search.results_]
    assert scores == sorted(scores) and search.best_score_ == scores[0]
    assert search.is_complete_ and search.findings_ and search.nuisances_
    assert "r_loss" in repr(search) and "<table>" in search._repr_html_()
    assert json.dumps(search.to_dict())


def test_the_best_is_fitted_and_is_that_of_its_spec(search, data):
    again = mtlr.MetaLearner.from_spec(search.best_spec_).fit(data.X, data.y, data.w)
    assert (search.predict(data.X) == again.predict(data.X)).all()
    assert search.best_learner_.arms_ == [0, 1]
    assert search.best_learner_.study().aipw().findings


def test_frames_and_files(search, tmp_path):
    search.to_csv(tmp_path / "results.csv")
    assert (tmp_path / "results.csv").read_text().startswith("rank,candidate,learner")
    pandas = pytest.importorskip("pandas")
    frame = search.to_frame()
    assert len(frame) == 5 and frame.sort_values("std_dev_effect").learner.iloc[0] == "constant"
    assert set(search.to_frame("nuisances").role) == {"outcome", "propensity"}
    assert pandas.read_csv(tmp_path / "results.csv").r_loss.tolist() == frame.r_loss.tolist()
    with pytest.raises(ValueError, match="no table"):
        search.to_frame("x")


def test_validation_rows_and_several_learners(data):
    other = draw(200, seed=5)
    held = {"X": other.X, "y": other.y, "w": other.w}
    found = mtlr.RandomSearch(
        base(), learners=["dr", mtlr.TLearner], outcome=mtlr.Ridge(l2=mtlr.Range(0.01, 10, log=True)), candidates=3, score="dr_loss"
    ).fit(data.X, data.y, data.w, validation=held)
    assert found.to_dict()["validation_rows"] == 200
    assert sum(row["learner"] == "t" for row in found.results_) == 3
    share = mtlr.GridSearch(base(), validation_share=0.25).fit(data.X, data.y, data.w)
    assert share.to_dict()["rows"] == 300
    scores = [
        mtlr.GridSearch(base()).fit(dict(zip("cab", data.X.T)), data.y, data.w, validation={**held, "X": X}).best_score_
        for X in (other.X, dict(zip("cab", other.X.T)), dict(zip("bac", other.X[:, [2, 1, 0]].T)))
    ]
    assert scores[0] == scores[1] == scores[2]
    with pytest.raises(mtlr.errors.InvalidDataError, match="validation.X: has 6 columns without names.*fitted to 3"):
        share.fit(data.X, data.y, data.w, validation={**held, "X": np.column_stack([other.X, other.X])})
    with pytest.raises(ValueError, match="validation.x"):
        share.fit(data.X, data.y, data.w, validation={"x": 1})
    with pytest.raises(ValueError, match="validation.w"):
        share.fit(data.X, data.y, data.w, validation={"X": data.X, "y": data.y})


def test_halving_and_a_journal(data, tmp_path):
    found = mtlr.HalvingSearch(base(), effect=mtlr.Trees(trees=9, max_leaves=[2, 3, 4, 5, 6, 7]), resource="trees", factor=2)
    found.fit(data.X, data.y, data.w, journal=tmp_path / "journal")
    assert 0 < sum(row["resource"] == 1 for row in found.results_) < 7
    again = mtlr.HalvingSearch(base(), effect=mtlr.Trees(trees=9, max_leaves=[2, 3, 4, 5, 6, 7]), resource="trees", factor=2)
    again.fit(data.X, data.y, data.w, journal=tmp_path / "journal")
    assert again.results_ == found.results_
    with pytest.raises(ValueError, match="another search"):
        mtlr.GridSearch(base()).fit(data.X, data.y, data.w, journal=tmp_path / "journal")


def test_what_is_wrong_is_said(data):
    with pytest.raises(ValueError, match="trees"):
        mtlr.GridSearch(base(), effect={"backend": "trees", "tres": [5]}).fit(data.X, data.y, data.w)
    with pytest.raises(ValueError, match="r_loss"):
        mtlr.GridSearch(base(), score="r_los").fit(data.X, data.y, data.w)
    with pytest.raises(ValueError, match="no learner"):
        mtlr.GridSearch("r")
    with pytest.raises(mtlr.NotFittedError):
        mtlr.GridSearch(base()).results_
    with pytest.raises(mtlr.NotFittedError, match="best"):
        mtlr.GridSearch(base()).fit(data.X, data.y, data.w, refit=False).best_learner_


def test_progress_and_threads_change_nothing(data):
    told = []
    space = {"effect": mtlr.Trees(trees=[2, 4], max_leaves=[2, 3])}
    one = mtlr.GridSearch(base(), threads=1, **space).fit(data.X, data.y, data.w, progress=lambda *report: told.append(report))
    two = mtlr.GridSearch(base(), threads=2, **space).fit(data.X, data.y, data.w)
    assert [row["r_loss"] for row in one.results_] == [row["r_loss"] for row in two.results_]
    assert ("candidates", 4, 4) in told and np.isfinite(one.best_score_)
