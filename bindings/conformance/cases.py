"""Cases as the Python package runs them: the one place that knows how a case becomes calls of that binding."""

import csv
import json
from pathlib import Path

import libmetalearners as mtlr
from libmetalearners import _library as native
from libmetalearners import _model, _roles

FOLDER = Path(__file__).resolve().parent / "cases"


def names():
    return sorted(path.name for path in FOLDER.iterdir())


def read_csv(path):
    with open(path, newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    return header, rows


def read_table(path):
    """The columns of a file: texts where any value is no number, an empty cell for what is missing."""
    header, rows = read_csv(path)
    table = {}
    for name, values in zip(header, zip(*rows)):
        try:
            table[name] = [float(value) if value else float("nan") for value in values]
        except ValueError:
            table[name] = [value or None for value in values]
    return table


def fit(folder):
    """Model and dataset of a case, by the calls that every binding has."""
    from libmetalearners._data import frame

    spec = json.loads((folder / "spec.json").read_text(encoding="utf-8"))
    table = frame(read_table(folder / "data.csv"))
    dataset = _roles.make_dataset(_roles.Roles(table, {}, table.columns["arm"], []), spec, copy=True)
    return _model.Model.fit(dataset, spec), dataset


def answers(model, dataset, requests):
    """The answers of a case, in the order of its requests, as the JSON that the library gives."""
    study = mtlr.Study._of_model(model, dataset, None, None) if requests else None
    return [study.run(**({"analysis": one} if isinstance(one, str) else one)).to_dict() for one in requests]


def predictions(model, folder):
    """What a case is compared by: effects of the rows as new ones and out of fold, and averages, as header and rows."""
    from libmetalearners._data import frame

    new = model.predict(frame(read_table(folder / "data.csv")), native.EFFECTS)
    training = model.predict(None, native.EFFECTS)
    header = [f"effect_{place}" for place in range(new.shape[1])]
    averages = [
        [row["arm"], row.get("class") or "", row["estimand"], *(row[name] for name in ("estimate", "std_error", "lower", "upper", "p_value"))]
        for estimand in ("ate", "att")
        for row in model.average_effects(estimand, 0.9, None)
    ]
    return {
        "effects": (header, new.tolist()),
        "training": (header, training.tolist()),
        "averages": (["arm", "class", "estimand", "estimate", "std_error", "lower", "upper", "p_value"], averages),
    }
