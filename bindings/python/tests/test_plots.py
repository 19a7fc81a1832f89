"""Plots show the numbers of results, and say what they need."""

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import draw, linear

import libmetalearners as mtlr

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")

from matplotlib import pyplot  # noqa: E402

from libmetalearners import plots  # noqa: E402


@pytest.fixture(autouse=True)
def closed():
    before = dict(matplotlib.rcParams)
    yield
    # A library leaves the settings of its host alone.
    assert dict(matplotlib.rcParams) == before
    pyplot.close("all")


@pytest.fixture(scope="module")
def study(fitted):
    return fitted.study()


@pytest.fixture(scope="module")
def several():
    drawn = draw(600, arms=3)
    return linear().fit(drawn.X, drawn.y, np.array(["none", "mail", "visit"])[drawn.w])


def texts(ax):
    return " ".join(text.get_text() for text in ax.texts)


def line(ax, label):
    return next(one for one in ax.lines if one.get_label() == label)


def labels(axis):
    return [text.get_text() for text in axis.get_ticklabels()]


def explained(rows=80, covariates=5, outputs=None, seed=0):
    random = np.random.default_rng(seed)
    size = np.arange(covariates, 0, -1.0)
    values = random.normal(size=(rows, *([outputs] if outputs else []), covariates)) * size
    data = random.normal(size=(rows, covariates))
    return SimpleNamespace(
        values=values, base_values=np.zeros(rows), data=data, feature_names=[f"c{place}" for place in range(covariates)],
        output_names=["cate"] if outputs is None else [f"cate_{place}" for place in range(outputs)],
    )  # fmt: skip


ALL = [
    plots.overlap, plots.balance, plots.effect_distribution, plots.calibration, plots.estimates, plots.toc, plots.uplift, plots.gain,
    plots.qini, plots.budget_curve, plots.policy_value, plots.policy_tree,
]  # fmt: skip


@pytest.mark.parametrize("plot", ALL, ids=lambda plot: plot.__name__)
def test_every_plot_asks_a_study_draws_into_the_axes_given_and_can_be_rendered(plot, study, several):
    figure, (first, second) = pyplot.subplots(1, 2, figsize=(14, 5))
    assert plot(study, ax=first) is first and plot(several, ax=second) is second
    for ax in (first, second):
        assert ax.get_title("left").endswith("?") and ax.has_data() or plot is plots.policy_tree
        assert plot is plots.policy_tree or ax.get_xlabel()
    figure.canvas.draw()
    assert plot(study).figure is not figure


def test_every_analysis_that_has_a_plot_draws_itself(study):
    for name in plots.BY_ANALYSIS:
        result = study.run(name, **({"by": "x1"} if name == "group_effects" else {}))
        assert result.plot().get_title("left"), name
    with pytest.raises(mtlr.errors.UnsupportedError, match="no plot of 'losses'"):
        study.losses().plot()


def test_curves_are_those_of_the_tables(study):
    rate = study.rate()
    ax = plots.toc(rate)
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), [row["estimate"] for row in rate.tables["toc"]])
    band = ax.collections[0].get_paths()[0].vertices[:, 1]
    assert band.min() == min(row["band_lower"] for row in rate.tables["toc"])
    curves = study.uplift_curves()
    for plot, key in ((plots.gain, "gain"), (plots.qini, "qini")):
        drawn = line(plot(curves), "ranked by estimated effect").get_ydata()
        np.testing.assert_array_equal(drawn, [0, *(row[key] for row in curves.tables["curves"])])
    curve = study.budget_curve()
    drawn = line(plots.budget_curve(curve), "the same budget at random").get_ydata()
    np.testing.assert_array_equal(drawn[1:], [row["random_gain"] for row in curve.tables["curve"]])
    slices = study.uplift_slices(shares=[0.5, 0.25, 1])
    np.testing.assert_array_equal(plots.uplift(slices).lines[0].get_xdata(), [0.25, 0.5, 1])


def test_bands_of_uplift_curves_are_two_standard_errors(study):
    curves = study.uplift_curves(replicates=400)
    rows = curves.tables["curves"]
    for plot, key in ((plots.gain, "gain"), (plots.qini, "qini")):
        ends = plot(curves).collections[0].get_paths()[0].vertices
        half = next(row for row in rows if row["share"] == 0.5)
        at_half = ends[ends[:, 0] == 0.5, 1]
        assert at_half.max() == pytest.approx(half[key] + 2 * half[f"{key}_std_error"])
    # With arms of equal size both curves are nearly the same, and so are their errors, but that the Qini also counts by chance how many of
    # those ranked first were treated; the last point has none.
    ratios = [row["qini_std_error"] / row["gain_std_error"] for row in rows[:-1]]
    assert 1 < ratios[0] < 2 and all(0.9 < ratio < 2 for ratio in ratios) and 0.9 < ratios[-1] < 1.1
    assert rows[-1]["qini_std_error"] is None and rows[-1]["gain_std_error"] is None


def test_bars_of_the_overlap_are_the_shares_of_both_arms(study):
    found = study.overlap()
    bins = [row for row in found.tables["histogram"] if row["propensity"] == "boosted trees"]
    heights = [bar.get_height() for bar in plots.overlap(found).patches]
    assert heights == [row["treated_share"] for row in bins] + [-row["control_share"] for row in bins]
    assert "the learner’s model" in plots.overlap(found, propensity="the model's").get_xlabel()


def test_balance_has_a_row_for_each_covariate_and_the_worst_on_top(study):
    ax = plots.balance(study, limit=2)
    rows = sorted(study.balance().tables["balance"], key=lambda row: -abs(row["smd_raw"]))
    assert labels(ax.yaxis) == [row["column"] for row in rows[:2]][::-1] and "The 2 that differ most of 3" in texts(ax)


def test_the_histogram_of_effects_counts_every_row_once(study):
    ax = plots.effect_distribution(study, outcome="score")
    assert sum(bar.get_height() for bar in ax.patches) == pytest.approx(1) and ax.get_xlabel() == "Estimated effect on score"
    with pytest.raises(ValueError, match="pass the study"):
        plots.effect_distribution(study.effect_distribution())


def test_ranked_effects_rise_and_their_shares_add_up(fitted, data):
    intervals = fitted.interval(data.X)
    ax = intervals.plot()
    drawn = line(ax, "estimated effect").get_ydata()
    assert (np.diff(drawn) >= 0).all() and "250 of 400" in texts(ax)
    assert drawn[0] == intervals.effect.min() and drawn[-1] == intervals.effect.max()
    assert len(plots.ranked_effects(intervals, points=1000).lines[0].get_xdata()) == 400
    with pytest.raises(ValueError, match="one length"):
        plots.ranked_effects(([1.0], [1.0, 2.0], [1.0]))
    # Individual intervals may have no ends.
    effect, lower, upper = intervals
    open_ended = mtlr.results.Intervals(effect, np.where(np.arange(len(lower)) % 7 == 0, -np.inf, lower), upper)
    assert all(np.isfinite(open_ended.plot().get_ylim()))


def test_calibration_of_effects_and_of_probabilities(study):
    groups = study.gates().tables["groups"]
    x, y = plots.calibration(study).lines[3].get_data()
    assert list(x) == [row["predicted"] for row in groups] and list(y) == [row["estimate"] for row in groups]
    assert "probability" in plots.calibration(study.nuisance_metrics()).get_xlabel()
    with pytest.raises(ValueError, match="role"):
        plots.calibration(study.nuisance_metrics(), role="outcome")


def test_estimates_of_averages_groups_and_slopes(study, several, fitted):
    assert len(labels(plots.estimates(study.average_effects()).yaxis)) == len(
        [row for row in study.average_effects().tables["estimates"] if row["estimand"] == "ate" and row["lower"] is not None]
    )
    assert labels(several.average_effect().plot().yaxis) == ["arm “visit”", "arm “mail”"]
    assert "the treated" in texts(plots.estimates(study.average_effects(), estimand="att"))
    assert labels(plots.estimates(study.best_linear_projection()).yaxis) == ["x2", "x1", "x0"]
    assert len(labels(plots.estimates(study.gates()).yaxis)) == 5


def test_a_policy_tree_names_its_rules_and_its_arms(study):
    result = study.policy_tree(depth=1)
    said = texts(plots.policy_tree(result, names={"1": "coaching"}))
    assert f"{result['tree']['column']} ≤" in said and "coaching" in said and "yes" in said
    shares = [f"{100 * row['share']:.0f} % of rows" for row in result.tables["rules"]]
    assert all(share in said for share in shares)


def test_an_arm_can_be_named_and_otherwise_all_or_the_first_are_drawn(several):
    study = several.study()
    assert {one.get_label() for one in plots.toc(study).lines} >= {"arm “mail”", "arm “visit”"}
    assert "visit" not in "".join(str(one.get_label()) for one in plots.toc(study, arm="mail").lines)
    assert "“mail”" in texts(plots.balance(study)) and "“visit”" in texts(plots.balance(study, arm="visit"))
    with pytest.raises(ValueError, match="no arm 'post'; it has mail, visit"):
        plots.balance(study, arm="post")


def test_wrong_results_and_late_options_are_refused(study):
    with pytest.raises(ValueError, match=r"result of 'gates' .*study.rate\(\)"):
        plots.toc(study.gates())
    with pytest.raises(ValueError, match="computed already"):
        plots.toc(study.rate(), replicates=100)
    with pytest.raises(ValueError, match="list has not"):
        plots.overlap([])


@pytest.mark.parametrize("plot", [plots.importance, plots.beeswarm], ids=["importance", "beeswarm"])
def test_explanations_put_the_strongest_covariate_on_top(plot):
    ax = plot(explained(), limit=3)
    assert labels(ax.yaxis) == ["c2", "c1", "c0"] and "strongest 3 of 5" in texts(ax)
    both = explained(outputs=2)
    assert "Effect “cate_0”" in texts(plot(both)) and "Effect “cate_1”" in texts(plot(both, output="cate_1"))
    # shap has the outputs last.
    theirs = SimpleNamespace(values=both.values.transpose(0, 2, 1), base_values=0, data=both.data, feature_names=both.feature_names)
    assert labels(plot(theirs, output=1).yaxis) == labels(plot(both, output=1).yaxis)
    with pytest.raises(ValueError, match="no output 'cate_9'"):
        plot(both, output="cate_9")
    with pytest.raises(ValueError, match="explain"):
        plot(np.zeros((3, 2)))


def test_bars_are_mean_absolute_contributions():
    given = explained()
    widths = [bar.get_width() for bar in plots.importance(given).patches]
    np.testing.assert_allclose(widths, np.abs(given.values).mean(0)[::-1])


def test_points_are_contributions_coloured_by_ranks_with_categories_and_gaps_in_grey():
    given = explained(rows=60, covariates=2)
    given.data[0, 0] = np.nan
    given.data[1, 0] = 1e9  # Does not press all other values into one colour.
    given.display_data = given.data.astype(object)
    given.display_data[:, 1] = "bus"
    ax = plots.beeswarm(given)
    colours = [points.get_array() for points in ax.collections if points.get_array() is not None and points.get_array().size]
    assert len(colours) == 1 and colours[0].min() == 0 and colours[0].max() == 1 and 0.3 < np.median(np.asarray(colours[0])) < 0.7
    drawn = np.concatenate([points.get_offsets()[:, 0] for points in ax.collections if len(points.get_offsets())])
    np.testing.assert_allclose(np.sort(drawn), np.sort(given.values.ravel()))
    assert "Grey" in texts(ax)
    assert len(plots.beeswarm(explained(rows=500), points=100).figure.axes) == 2


def test_without_matplotlib_the_error_says_what_to_install(tmp_path):
    program = """
import sys
sys.modules["matplotlib"] = None
import numpy as np, libmetalearners as mtlr
assert not [name for name in sys.modules if name.startswith("matplotlib.")]
try:
    mtlr.plots.importance(type("E", (), {"values": np.ones((2, 2)), "base_values": 0})())
except NotImplementedError as error:
    assert "install matplotlib" in str(error), error
    print("told")
"""
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert told.stdout == "told\n", told.stderr
