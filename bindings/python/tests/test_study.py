"""Studies and analyses."""

import inspect

import numpy as np
import pytest
from conftest import draw, linear

import libmetalearners as mtlr


@pytest.fixture(scope="module")
def study(fitted):
    return fitted.study()


def test_there_is_a_method_for_every_analysis_with_its_options():
    for listed in mtlr.analyses():
        method = getattr(mtlr.Study, listed["name"])
        assert {found["name"] for found in listed["parameters"]} <= {*inspect.signature(method).parameters}
        assert listed["title"] in method.__doc__


def test_every_analysis_answers_or_says_what_is_missing(study):
    for listed in mtlr.analyses():
        try:
            answer = study.run(listed["name"])
        except mtlr.MetaLearnersError as error:
            # Only simulated data have what this study lacks.
            assert error.kind == "unsupported" and "true effects" in listed["needs"], listed["name"]
        else:
            assert repr(answer) and answer._repr_html_() and answer.to_dict()["analysis"] == listed["name"]
            assert all(column.shape == (400,) for column in answer.columns.values())


def test_aipw(study, fitted):
    answer = study.aipw(level=0.9)
    row = answer.tables["estimates"][0]
    assert row["estimate"] == pytest.approx(fitted.average_effect().estimate)
    assert row["lower"] == pytest.approx(fitted.average_effect(level=0.9).lower)
    assert "estimate" in repr(answer) and "<table>" in answer._repr_html_()
    pandas = pytest.importorskip("pandas")
    assert isinstance(answer.to_frame("estimates"), pandas.DataFrame) and len(fitted.average_effect().to_frame()) == 1
    with pytest.raises(ValueError, match="no table 'x'"):
        answer.to_frame("x")


def test_options_are_checked(study):
    with pytest.raises(ValueError, match="unknown option"):
        study.aipw(lvl=0.9)
    with pytest.raises(ValueError, match="level"):
        study.aipw(level=2)
    with pytest.raises(ValueError, match="nothing"):
        study.run("nothing")


def test_effects_and_nuisances_from_elsewhere(fitted, data):
    given = {"propensities": fitted.propensity()[:, 1], "arm_means": fitted.predict_arms(), "effects": fitted.predict_training()}
    for source in (given, {**given, "propensities": fitted.propensity()}, {**given, "X": data.X}):
        other = mtlr.Study(data.y, data.w, source="elsewhere", **source)
        np.testing.assert_allclose(other.scores(), fitted.study().scores())
        np.testing.assert_allclose(other.effects(), given["effects"])
    with pytest.raises(ValueError, match="rows"):
        mtlr.Study(data.y, data.w, **{**given, "effects": np.zeros(3)})
    with pytest.raises(ValueError, match="pass X"):
        mtlr.Study(data.y, data.w, effects=given["effects"])


def test_a_study_of_covariates_alone_fits_its_nuisances(data):
    spec = {"models": {"outcome": "ridge"}, "cross_fitting": {"folds": 2}}
    study = mtlr.Study(data.y, data.w, X=data.X, spec=spec)
    assert len(study) == 400 and "mean_0" in study.column_names and study.scores().shape == (400,)


def test_several_arms():
    drawn = draw(arms=3)
    study = linear().fit(drawn.X, drawn.y, drawn.w).study()
    assert study.scores().shape == (400, 2) and len(study.aipw().tables["estimates"]) == 2


def test_report(study, tmp_path):
    page = study.report(tmp_path / "report.html", ["aipw"])
    assert page.startswith("<!") and (tmp_path / "report.html").read_text(encoding="utf-8") == page
