"""Exported models against the program's own predictions: every learner, in C, ONNX and SQL.

usage: sweep.py METALEARNERS FOLDER [NAME...]

Each case is fitted to 400 rows and predicts 10,000: with missing values, levels that training did not have, and numbers that lie on the
borders of trees or next to them. Names and levels have quotation marks, backslashes, comment signs and letters of other scripts.
"""
import csv
import ctypes
import json
import math
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import numpy as np

program, folder, *only = sys.argv[1:]
# The short form: each learner with something, each kind of model, each kind of outcome, several arms.
SHORT = {
    "s, linear", "t, trees", "f, forest", "m, mixed", "x, mixed", "x, stack", "u, linear", "r, trees", "r, xgboost", "ra, linear", "dr, forest",
    "t, three arms", "x, binary", "t, count", "s, classes", "r, joint", "auto", "ensemble", "t, unseen levels refused",
}
folder = pathlib.Path(folder)
ROWS = 10_000
NUMBERS = ["cate", 'in"come', "gaps"]
CATEGORIES = ["région */ ??/", "co'de"]
LEVELS = {
    CATEGORIES[0]: ["north", "so'uth", 'e"ast', "w\\est", "*/ ü ??/ %d", "1"],
    CATEGORIES[1]: [str(code) for code in range(40)],
}
# Every prediction is held against the program's with this bound, relative to the largest; XGBoost adds up in single precision.
BOUND = {"c": 1e-12, "onnx": 1e-9, "duckdb": 1e-9, "postgres": 1e-9}
XGBOOST_BOUND = 1e-5


def optional(name):
    try:
        return __import__(name)
    except ImportError:
        return None


onnxruntime, onnx, duckdb = optional("onnxruntime"), optional("onnx"), optional("duckdb")
compilers = [name for name in ("gcc", "clang") if shutil.which(name)] or [name for name in ("cc",) if shutil.which(name)]
failures = 0


def report(word, name, detail=""):
    global failures
    failures += word == "FAILED"
    print(word, name + (f": {detail}" if detail else ""), flush=True)


# ----------------------------------------------------------------------------------------------------------------- Data


def draw(count, seed, extra=()):
    rng = np.random.default_rng(seed)
    data = {
        "cate": rng.normal(40, 12, count),
        'in"come': np.exp(rng.normal(10, 1, count)),
        "gaps": np.round(rng.normal(0, 1, count), 1),
    }
    data["gaps"][rng.random(count) < 0.15] = math.nan
    data["gaps"][rng.random(count) < 0.1] = -9
    for name, levels in LEVELS.items():
        known = rng.integers(0, len(levels) + len(extra), count)
        values = [(levels + list(extra))[code] for code in known]
        data[name] = [None if rng.random() < 0.05 else value for value in values]
    return data, rng


def training(case):
    data, rng = draw(400, 1)
    arms = case.get("arms", 2)
    arm = rng.integers(0, arms, 400)
    x = (data["cate"] - 40) / 12
    gaps = np.where(np.isnan(data["gaps"]), 0.7, data["gaps"])
    codes = np.array([0 if value is None else LEVELS[CATEGORIES[0]].index(value) for value in data[CATEGORIES[0]]])
    mean = x * arm + 0.3 * codes + 0.2 * np.maximum(gaps, -1) + np.log(data['in"come']) / 10
    score = mean + 0.3 * rng.normal(size=400)
    kind = case.get("outcome", "number")
    outcome = {
        "number": lambda: [repr(float(value)) for value in score],
        "binary": lambda: [int(value > 1.8) for value in score],
        "count": lambda: [int(value) for value in rng.poisson(np.exp(np.clip(mean / 2, -2, 2)))],
        "classes": lambda: [["low", "middle", "high"][int(value)] for value in np.clip(np.floor(score), 0, 2)],
    }[kind]()
    data["arm"] = [f"arm {value}" for value in arm]
    data["outcome"] = outcome
    return data


def write(path, data):
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(data)
        for row in zip(*data.values()):
            writer.writerow([
                "" if value is None or isinstance(value, float) and math.isnan(value)
                else repr(float(value)) if isinstance(value, float) else value
                for value in row])


def new_rows(document):
    """Rows with the borders of the model's trees among them, exactly and a bit beside."""
    unseen = ("Atlantis", "") if document["unseen_levels"] == "missing" else ()
    data, rng = draw(ROWS, 2, [value for value in unseen if value])
    borders = {name: [] for name in NUMBERS}
    for node in document["nodes"]:
        for tree in node.get("trees", []):
            for split in tree:
                if "above" in split:
                    borders[document["columns"][split["column"]]["name"]].append(split["above"])
    for name, values in borders.items():
        if not values:
            continue
        values = np.array(values)
        values = np.concatenate([values, np.nextafter(values, -np.inf), np.nextafter(values, np.inf)])
        rows = rng.choice(ROWS, ROWS // 2, replace=False)
        data[name][rows] = rng.choice(values, len(rows))
    return data


# ------------------------------------------------------------------------------------------------------------- Languages


def run(*arguments):
    done = subprocess.run([program, *arguments, "--quiet"], capture_output=True, text=True, encoding="utf-8")
    if done.returncode:
        raise RuntimeError(done.stderr.strip() or f"status {done.returncode}")
    return done.stdout


def codes(document, data):
    """Every column as numbers, with the codes of levels."""
    columns = []
    for column in document["columns"]:
        values = data[column["name"]]
        if "levels" in column:
            place = {level: code for code, level in enumerate(column["levels"])}
            # A level that training did not have gets a code beyond all.
            values = [math.nan if value is None else place.get(value, len(place)) for value in values]
        columns.append(np.array(values, dtype=float))
    return np.column_stack(columns)


def in_c(model, options, document, data, path):
    run("export", model, "--c", "-o", f"{path}.c", "--name", "score", *options)
    results = []
    for compiler in compilers:
        # (A library that is loaded stays so: the next one needs another name.)
        library = f"{path}.{compiler}.{'_'.join(options)}.so"
        done = subprocess.run(
            [compiler, "-std=c99", "-O2", "-Wall", "-Wextra", "-pedantic", "-Werror", "-fPIC", "-shared", f"{path}.c", "-o", library, "-lm"],
            capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr[:2000])
        loaded = ctypes.CDLL(library)
        loaded.score_all.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
        loaded.score.argtypes, loaded.score.restype = [ctypes.c_void_p], ctypes.c_double
        rows = np.ascontiguousarray(codes(document, data))
        out = np.empty((len(rows), len(document["names"])))
        for row in range(len(rows)):
            loaded.score_all(rows[row].ctypes.data, out[row].ctypes.data)
        if loaded.score(rows[7].ctypes.data) != out[7, 0] and not math.isnan(out[7, 0]):
            raise RuntimeError("predict is not the first of predict_all")
        if any("levels" in column for column in document["columns"]):
            loaded.score_code.argtypes = [ctypes.c_int, ctypes.c_char_p]
            for place, column in enumerate(document["columns"]):
                for code, level in enumerate(column.get("levels", [])):
                    if loaded.score_code(place, level.encode()) != code:
                        raise RuntimeError(f"the code of {level!r} is not found")
                if loaded.score_code(place, b"Atlantis") != -1:
                    raise RuntimeError("a level that is none has a code")
        results.append(out)
    if len(results) > 1 and not np.allclose(results[0], results[1], rtol=1e-12, atol=1e-12, equal_nan=True):
        raise RuntimeError("the compilers do not agree")
    return results[0]


def in_onnx(model, options, document, data, path):
    results = []
    for categories in ("strings", "codes"):
        run("export", model, "--onnx", "-o", f"{path}.onnx", "--categories", categories, *options)
        if onnx:
            onnx.checker.check_model(f"{path}.onnx", full_check=True)
        session = onnxruntime.InferenceSession(f"{path}.onnx", providers=["CPUExecutionProvider"])
        feed = {}
        for column in document["columns"]:
            values = data[column["name"]]
            if "levels" not in column:
                feed[column["name"]] = np.array(values, dtype=float)[:, None]
            elif categories == "strings":
                feed[column["name"]] = np.array(["" if value is None else value for value in values], dtype=object)[:, None]
            else:
                place = {level: code for code, level in enumerate(column["levels"])}
                feed[column["name"]] = np.array(
                    [-1 if value is None else place.get(value, len(place)) for value in values], dtype=np.int64)[:, None]
        names = [output.name for output in session.get_outputs()]
        if names != outputs(document):
            raise RuntimeError(f"outputs {names}")
        results.append(np.column_stack(session.run(None, feed)))
    if not np.array_equal(results[0], results[1], equal_nan=True):
        raise RuntimeError("strings and codes do not agree")
    return results[0]


def outputs(document):
    """The names of predictions where those of columns stand beside them: one of the columns is called cate."""
    columns = {column["name"] for column in document["columns"]}
    return [name + "_" * (name in columns) for name in document["names"]]


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def expression(model, options, path):
    """The exported expressions; None where they would be too long, which are for queries."""
    try:
        return run("export", model, *options, "-o", "-")
    except RuntimeError as error:
        if "name a table" not in str(error):
            raise
        return None


def in_duckdb(model, options, document, data, path):
    connection = duckdb.connect()
    declared = ", ".join(f"{quoted(name)} {'VARCHAR' if name in LEVELS else 'DOUBLE'}" for name in data)
    connection.execute(f'CREATE TABLE "the rows" (place INTEGER, {declared})')
    # Of missing numbers some are NULL, some NaN.
    write(f"{path}.csv", {"place": list(range(ROWS)), **data})
    connection.execute(f"COPY \"the rows\" FROM '{path}.csv' (HEADER, NULLSTR '')")
    connection.execute('UPDATE "the rows" SET gaps = \'NaN\' WHERE gaps IS NULL AND place % 2 = 0')
    expressions = expression(model, ["--sql", *options], path)
    query = run("export", model, "--sql", "--table", '"the rows"', "-o", "-", *options)
    columns = ", ".join(quoted(name) for name in outputs(document))
    results = []
    texts = [f'SELECT {expressions} FROM "the rows" ORDER BY place'] * (expressions is not None)
    for text in texts + [f"SELECT {columns} FROM ({query.strip().rstrip(';')}) AS q ORDER BY place"]:
        rows = connection.execute(text).fetchall()
        results.append(np.array([[math.nan if value is None else value for value in row] for row in rows], dtype=float))
    if not np.allclose(results[0], results[-1], rtol=1e-12, atol=1e-12, equal_nan=True):
        raise RuntimeError("the expression and the query do not agree")
    return results[0]


class Postgres:
    """A server of its own, on a socket in a folder; None where there is none."""

    def __init__(self):
        places = [pathlib.Path("/usr/lib/postgresql")]
        found = sorted(path for place in places if place.exists() for path in place.glob("*/bin/initdb"))
        self.bin = found[-1].parent if found else (pathlib.Path(shutil.which("initdb")).parent if shutil.which("initdb") else None)
        self.why = "it is not installed" if self.bin is None else None
        if self.bin is None:
            return
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
        # The server does not run as root.
        self.user = []
        if os.geteuid() == 0:
            if not shutil.which("setpriv"):
                self.why = "it does not run as root"
                return
            shutil.chown(self.folder, "nobody")
            self.user = ["setpriv", "--reuid=nobody", "--clear-groups"]
        done = self.call(self.bin / "initdb", "-D", self.folder / "data", "-A", "trust", "-U", "tester", "-E", "UTF8", "--locale=C", "--no-sync")
        if done.returncode == 0:
            done = self.call(self.bin / "pg_ctl", "-D", self.folder / "data", "-w", "-l", self.folder / "log", "-o",
                             f"-k {self.folder} -c listen_addresses= -c fsync=off -c jit=off -c statement_timeout=300s", "start")
        if done.returncode:
            self.why = done.stderr.strip().splitlines()[-1:] or ["it does not start"]

    def call(self, *arguments, text=None):
        return subprocess.run([*self.user, *map(str, arguments)], input=text, capture_output=True, text=True, encoding="utf-8",
                              cwd=self.folder)

    def query(self, text):
        psql = self.bin / "psql"
        done = self.call(psql, "-h", self.folder, "-U", "tester", "-d", "postgres", "-v", "ON_ERROR_STOP=1", "-q", "-At", "-F", "\t", text=text)
        if done.returncode:
            raise RuntimeError(done.stderr[:2000])
        return [[math.nan if cell == "" else float(cell) for cell in line.split("\t")] for line in done.stdout.splitlines()]

    def stop(self):
        if self.bin and self.why is None:
            self.call(self.bin / "pg_ctl", "-D", self.folder / "data", "-m", "immediate", "stop")
        if self.bin:
            shutil.rmtree(self.folder, ignore_errors=True)


postgres = Postgres()


def in_postgres(model, options, document, data, path):
    expressions = expression(model, ["--sql", "--dialect", "postgres", *options], path)
    query = run("export", model, "--sql", "--dialect", "postgres", "--table", '"the rows"', "-o", "-", *options)
    columns = ", ".join(quoted(name) for name in outputs(document))
    declared = ", ".join(f"{quoted(name)} {'text' if name in LEVELS else 'float8'}" for name in data)
    write(f"{path}.csv", {"place": list(range(ROWS)), **data})
    with open(f"{path}.csv", encoding="utf-8") as file:
        rows = file.read()
    setup = (f'DROP TABLE IF EXISTS "the rows"; CREATE TABLE "the rows" (place integer, {declared});\n'
             f'COPY "the rows" FROM STDIN (FORMAT csv, HEADER);\n{rows}\\.\n'
             "UPDATE \"the rows\" SET gaps = 'NaN' WHERE gaps IS NULL AND place % 2 = 0;\n")
    results = [np.array(postgres.query(setup + f'SELECT {expressions or 1} FROM "the rows" ORDER BY place;'))]
    results.append(np.array(postgres.query(f"SELECT {columns} FROM ({query.strip().rstrip(';')}) AS q ORDER BY place;")))
    if expressions and not np.allclose(*results, rtol=1e-12, atol=1e-12, equal_nan=True):
        raise RuntimeError("the expression and the query do not agree")
    return results[1]


# ----------------------------------------------------------------------------------------------------------------- Cases

TREES = {"backend": "trees", "trees": 15, "max_leaves": 8, "min_leaf_size": 5}
FOREST = {"backend": "forest", "trees": 12, "min_leaf_size": 5}
XGBOOST = {"backend": "xgboost", "trees": 12, "max_depth": 3}
MODELS = {
    "trees": {"outcome": TREES, "propensity": {**TREES, "calibration": "isotonic"}, "effect": TREES},
    "forest": {"outcome": FOREST, "propensity": FOREST, "effect": FOREST},
    "linear": {"outcome": "ridge", "propensity": "logistic", "effect": "lasso"},
    "mixed": {
        "outcome": {"backend": "ridge", "expansion": "splines_interactions", "columns": ["cate", CATEGORIES[0]]},
        "propensity": {"backend": "logistic", "calibration": "platt"},
        "effect": {**TREES, "columns": ["gaps", CATEGORIES[1], 'in"come']},
    },
    "xgboost": {"outcome": XGBOOST, "propensity": "logistic", "effect": XGBOOST},
    "stack": {
        "outcome": {"backend": "stack", "members": ["ridge", TREES]},
        "propensity": {"backend": "stack", "members": ["logistic", TREES], "least_advantage": 0},
        "effect": {"backend": "stack", "members": ["ols", TREES], "folds": 2},
    },
}
has_xgboost = "xgboost" in json.loads(run("backends", "--json")).__str__() and any(
    engine for engine in re.findall(r"libxgboost", run("backends")))


def cases():
    for learner in ("s", "t", "f", "m", "x", "u", "r", "ra", "dr"):
        for name, models in MODELS.items():
            if name == "xgboost" and (learner not in ("t", "x", "r") or not has_xgboost):
                continue
            wanted = {role: model for role, model in models.items() if role != "effect" or learner not in "st"}
            yield f"{learner}, {name}", {"learner": learner, "models": wanted}, {}
        yield f"{learner}, three arms", {"learner": learner, "models": MODELS["trees"] if learner not in "st" else
                                         {"outcome": TREES, "propensity": TREES}, "prediction": "median"}, {"arms": 3}
    for learner in ("s", "t", "x", "dr"):
        models = {"outcome": "logistic", "propensity": "logistic"}
        yield f"{learner}, binary", {"learner": learner, "models": models if learner in "st" else {**models, "effect": "ridge"}}, {"outcome": "binary"}
    yield "t, binary trees", {"learner": "t", "models": {"outcome": TREES, "propensity": "constant"}}, {"outcome": "binary"}
    yield "t, count", {"learner": "t", "models": {"outcome": TREES, "propensity": "logistic"}}, {"outcome": "count"}
    for learner in ("s", "t"):
        yield f"{learner}, classes", {"learner": learner, "models": {"outcome": "logistic", "propensity": "logistic"}}, {"outcome": "classes"}
        yield f"{learner}, classes of trees", {"learner": learner, "models": {"outcome": TREES, "propensity": FOREST}}, {"outcome": "classes", "arms": 3}
    yield "r, joint", {"learner": "r", "multi_arm": "joint", "models": MODELS["trees"]}, {"arms": 3}
    yield "auto", {"learner": "auto"}, {}
    yield "auto, three arms", {"learner": "auto"}, {"arms": 3}
    yield "ensemble", {"learner": "ensemble", "ensemble": {"members": [
        {"learner": "t", "models": {"outcome": TREES}}, {"learner": "dr", "models": {"outcome": "ridge", "effect": "ridge"}}]}}, {}
    yield "t, unseen levels refused", {"learner": "t", "models": {"outcome": TREES, "propensity": "logistic"}, "unseen_levels": "error"}, {}


WHAT = [["effects"], ["effects", "arm_means", "propensities"]]


def check(name, spec, case):
    place = folder / re.sub(r"\W+", "_", name)
    place.mkdir(exist_ok=True)
    data = {"treatment": "arm", "outcome": "outcome", "missing_values": ["-9"], "control": "arm 0", "categorical": CATEGORIES}
    spec = dict(spec)
    if "unseen_levels" in spec:
        data["unseen_levels"] = spec.pop("unseen_levels")
    if case.get("outcome") in ("binary", "count", "classes"):
        data["outcome_type"] = case["outcome"]
    write(place / "training.csv", training(case))
    (place / "spec.json").write_text(json.dumps({"data": data, "cross_fitting": {"folds": 2}, "seed": 3, **spec}))
    model = str(place / "model")
    run("fit", str(place / "spec.json"), str(place / "training.csv"), "-o", model)
    full = json.loads(run("export", model, "--json", "-o", "-"))
    rows = new_rows(full)
    write(place / "rows.csv", rows)
    expected = {}
    for what in ("effects", "arm_means", "propensities"):
        try:
            run("predict", model, str(place / "rows.csv"), "-o", str(place / "predicted.csv"), "--what", what)
        except RuntimeError as error:
            if "unsupported" not in str(error) and "no outcome model" not in str(error):
                raise
            # What cannot be predicted cannot be exported, for the same reason.
            for flag in ("--c", "--onnx", "--sql"):
                try:
                    run("export", model, flag, "-o", str(place / "nothing"), "--what", what)
                    raise RuntimeError(f"{flag} exports {what}, which cannot be predicted")
                except RuntimeError as other:
                    if str(other) != str(error):
                        raise
            continue
        with open(place / "predicted.csv", encoding="utf-8") as file:
            table = list(csv.reader(file))
        expected[what] = (table[0], np.array([[float(cell or "nan") for cell in row] for row in table[1:]]))
    languages = {"c": in_c if compilers else None, "onnx": in_onnx if onnxruntime else None,
                 "duckdb": in_duckdb if duckdb else None, "postgres": None if postgres.why else in_postgres}
    wanted = [what for what in WHAT if all(one in expected for one in what)] if len(expected) == 3 else [list(expected)]
    worst = {}
    for language, compute in languages.items():
        if compute is None:
            continue
        # (Everything at once has each by itself within.)
        for what in wanted if language == "c" else wanted[-1:]:
            options = [option for one in what for option in ("--what", one)]
            document = json.loads(run("export", model, "--json", "-o", "-", *options))
            names = sum((expected[one][0] for one in what), [])
            if document["names"] != names:
                raise RuntimeError(f"names {document['names']}, not {names}")
            own = np.column_stack([expected[one][1] for one in what])
            found = compute(model, options, document, rows, str(place / language))
            scale = np.maximum(1, np.abs(own).max(axis=0))
            difference = np.abs(found - own) / scale
            bound = XGBOOST_BOUND if "xgboost" in name else BOUND[language]
            if found.shape != own.shape or not (difference <= bound).all():
                row, column = np.unravel_index(np.nanargmax(np.where(np.isnan(difference), np.inf, difference)), difference.shape)
                raise RuntimeError(f"{language}, {names[column]}, row {row}: {found[row, column]!r} for {own[row, column]!r}; "
                                   f"{int((~(difference <= bound)).sum())} differ")
            worst[language] = max(worst.get(language, 0), float(difference.max()))
    return ", ".join(f"{language} {value:.0e}" for language, value in worst.items())


for needed, what, why in ((compilers, "exports to C", "there is no compiler"), (onnxruntime, "exports to ONNX", "onnxruntime cannot be fetched"),
                          (duckdb, "exports to SQL in DuckDB", "duckdb cannot be fetched"), (not postgres.why, "exports to SQL in Postgres", postgres.why),
                          (has_xgboost, "exports of XGBoost", "its library is not there")):
    if not needed:
        report("skipped", what, why)
try:
    for name, spec, case in cases():
        if only != ["all"] and name not in (only or SHORT):
            continue
        try:
            detail = check(name, spec, case)
            if detail:
                report("ok", f"exported: {name}" + (f" (largest differences: {detail})" if only else ""))
        except Exception as error:  # A failed case is a line; the others go on.
            report("FAILED", f"exported: {name}", f"{type(error).__name__} {error}"[:1500])
        if not only:
            shutil.rmtree(folder / re.sub(r"\W+", "_", name), ignore_errors=True)
finally:
    postgres.stop()
sys.exit(1 if failures else 0)
