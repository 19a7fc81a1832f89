"""The notebooks of examples/notebooks run from beginning to end, say what their texts say, and are stored without output."""

import ast
import json
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[3] / "examples" / "notebooks"
if not FOLDER.exists():
    pytest.skip("needs the repository", allow_module_level=True)
pytest.importorskip("pandas")
matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")


def cells(name):
    return json.loads((FOLDER / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]


def run(name, monkeypatch):
    """Every cell in one namespace, as a kernel does it: what a cell ends with is shown."""
    from matplotlib import pyplot

    monkeypatch.chdir(FOLDER)
    names, figures = {}, 0
    for place, cell in enumerate(cells(name)):
        if cell["cell_type"] != "code":
            continue
        source = "".join(cell["source"])
        tree = ast.parse(source)
        shown = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) and not source.rstrip().endswith(";") else None
        exec(compile(tree, f"{name}, cell {place}", "exec"), names)
        if shown is not None:
            value = eval(compile(ast.Expression(shown.value), f"{name}, cell {place}", "eval"), names)
            assert repr(value)
            assert not hasattr(value, "_repr_html_") or value._repr_html_()
        for number in pyplot.get_fignums():
            pyplot.figure(number).canvas.draw()
            figures += 1
        pyplot.close("all")
    return names, figures


def test_mindset(monkeypatch):
    names, figures = run("mindset", monkeypatch)
    assert figures == 9
    assert names["average"].estimate == pytest.approx(0.385, abs=0.01)
    assert names["overlap"]["verdict"] == "good" and names["balance"].tables["largest"][0]["verdict"] == "moderate"
    estimates = {row["estimator"]: row["estimate"] for row in names["averages"].tables["estimates"] if row["estimand"] == "ate"}
    assert estimates["difference_in_means"] == pytest.approx(0.472, abs=0.001) and 0.37 < min(estimates.values())
    slope = names["calibration"].tables["calibration"][1]
    assert slope["upper"] < 1 and slope["p_value"] > 0.05, "differences are exaggerated, and not demonstrably real"
    gains = {row["over"]: row for row in names["value"].tables["gains"] if row["method"] == "dr"}
    assert gains["nobody"]["lower"] > 0 and gains["random"]["lower"] < 0 < gains["random"]["upper"]


def test_rand(monkeypatch):
    names, figures = run("rand", monkeypatch)
    assert figures == 8
    assert names["overlap"]["verdict"] == "poor" and names["clean"].overlap()["verdict"] == "good"
    assert 0.6 <= names["average"].estimate <= 0.7 or names["average"].lower < 0.65 < names["average"].upper
    found = [row["estimate"] for row in names["contradicting"].tables["estimates"] if row["estimand"] == "ate"]
    assert min(found) < 0.1 and max(found) > 1
    agreeing = [row["estimate"] for row in names["agreeing"].tables["estimates"] if row["estimand"] == "ate"]
    assert 0.5 < min(agreeing) and max(agreeing) < 0.8


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.ipynb")))
def test_notebooks_are_stored_without_output(name):
    found = cells(name)
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in found if cell["cell_type"] == "code")
    assert len({cell["id"] for cell in found}) == len(found)
