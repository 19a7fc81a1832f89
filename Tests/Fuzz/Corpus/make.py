#!/usr/bin/env python3
"""Writes the first seeds of the fuzzers into this folder. What a fuzzer found later stands beside them, as `found-…`.

usage: Tests/Fuzz/Corpus/make.py
"""

import gzip
import json
import pathlib

here = pathlib.Path(__file__).parent
examples = here.parents[2] / "examples" / "specs"


def write(target, seeds):
    folder = here / target
    folder.mkdir(exist_ok=True)
    for name, content in seeds.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


specs = {
    "minimal": {"data": {"treatment": "w", "outcome": "y"}},
    "linear": {
        "data": {"treatment": "w", "outcome": "y", "categorical": ["group"], "missing_values": [-9, "refused"]},
        "learner": "x",
        "models": {"outcome": {"backend": "ridge", "l2": 0.5}, "propensity": {"backend": "logistic", "calibration": "platt"},
                   "effect": {"backend": "lasso", "selection": "one_se"}},
        "cross_fitting": {"folds": 3, "repeats": 2},
        "overlap": {"policy": "trim", "bounds": [0.05, 0.95]},
        "seed": 1,
    },
    "trees": {
        "version": 1,
        "data": {"treatment": "w", "outcome": "y", "control": 0, "propensity": [0.5, 0.5], "exclude": ["x1"]},
        "learner": "r",
        "multi_arm": "joint",
        "models": {"outcome": {"backend": "trees", "trees": 10, "monotone": {"x0": 1}, "growth": "depth_wise"},
                   "effect": {"backend": "forest", "trees": 4, "min_leaf_size": 3}},
        "intervals": {"method": "forest", "level": 0.9},
        "keep_training": False,
    },
    "ensemble": {
        "data": {"treatment": "w", "outcome": "y", "outcome_type": "count", "cluster": "group"},
        "learner": "ensemble",
        "ensemble": {"members": ["t", {"learner": "s", "models": {"outcome": {"backend": "constant"}}}], "loss": "dr"},
        "effect_scale": "ratio",
    },
    "auto": {"data": {"treatment": "w", "outcome": "y", "weight": "x1"}, "auto": {"also": ["t"]}},
}
write("spec", {name: json.dumps(spec) for name, spec in specs.items()})
write("spec", {"wrong": '{"a":[1e400,-0,1.5e-3,8.3e18,"\\ud83d\\ude00\\u0000",null,true,{}],"a":{"":[[[]]]}}'})
write("yaml", {
    "flow": json.dumps(specs["linear"]),
    "block": (examples / "learning_mindset.yaml").read_text(),
    "kinds": "a: &x [1, 0x1F, 0o17, .inf, -.NaN, ~, yes, null, 1e400, 'it''s', \"\\u00e9\\n\"]\nb: *x\n? c\n: |\n  text\n  more\n"
             "d: >-\n  folded\n  line\n--- # two\n",
    "merge": "base: &b {trees: 3}\nmodels: {<<: *b, effect: !!str 5}\n",
})
write("toml", {
    "example": (examples / "learning_mindset.toml").read_text(),
    "kinds": 'a = [1, 0x1F, 0o17, 0b1, inf, -nan, 1_000, 1e6, true]\n"b c" = \'raw\'\n[d."e".f]\ng = """\ntwo\\\n  lines"""\n'
             "[[h]]\ni = {j = 1, k = [ {l = 2} ]}\n[[h]]\nm = 1979-05-27T07:32:00Z\n",
    "found-brackets": "[[[",
    "found-dots": "a" + ".a" * 2000 + " = 1",
})
rows = "".join(f"{i / 7:.3f},{'abc'[i % 3]},{i % 2},{i * 1.5}\n" for i in range(12))
write("csv", {
    "plain": b"\0" + ("x,c,w,y\n" + rows).encode(),
    "quoted": b"\x0f" + b'\xef\xbb\xbf"x",c,"w",y\r\n"1,5","a ""b""",no,NA\r\n-9,"two\r\nlines",yes,refused\r\n\r\n3,,no,n/a\r\n',
    "semicolons": b"\0" + ("x;c;w;y\n" + rows.replace(",", ";").replace(".", ",")).encode(),
    "tabs": b"\x40" + ("x\tc\tw\ty\n" + rows.replace(",", "\t")).encode(),
    "late": b"\0x,w,y\n" + b"1,0,1\n" * 300 + b"two,1,3\n",
    "gzip": b"\0" + gzip.compress(("x,c,w,y\n" + rows).encode(), mtime=0),
    "header": b"\x80x,w,y\n",
    "numbers": b"\x82x,w,y\n9223372036854775807,0,1e400\n-0,1,1e-400\n+.5,0,0x10\nInf,1,1_000\n 7 ,0,$5\n",
})
columns = [{"name": "x"}, {"name": 'y"*/'}, {"name": "kind", "levels": ["p", "q'"]}]
write("formulas", {
    "steps": json.dumps({
        "columns": columns, "unseen_levels": "missing", "missing_values": ["-9", "q'"], "names": [f"f{i}" for i in range(19)], "nodes": [
            {"op": "constant", "value": 0.1}, {"op": "number", "column": 0}, {"op": "number", "column": 1},
            {"op": "levels", "column": 2, "values": [0.5, -2], "other": 9}, {"op": "is_missing", "column": 2},
            {"op": "standardised", "of": [1], "mean": 0.1, "deviation": 0.3, "missing": -7},
            {"op": "spline", "of": [1], "knots": [-1, 0, 0.5, 2], "index": 1},
            {"op": "linear", "of": [1, 0], "intercept": 0.1, "coefficients": [0.2, -0.3]},
            {"op": "sum", "of": [1, 2]}, {"op": "difference", "of": [1, 2]}, {"op": "product", "of": [1, 2, 3]},
            {"op": "quotient", "of": [1, 2], "otherwise": 3}, {"op": "clip", "of": [8], "lower": -0.5},
            {"op": "sigmoid", "of": [12]}, {"op": "exp", "of": [1]}, {"op": "log", "of": [14]},
            {"op": "softmax", "of": [1, 2, 3], "index": 1},
            {"op": "curve", "of": [13], "points": [0, 0.2, 0.2, 1], "values": [0, 1, 2, 4]}, {"op": "median", "of": [1, 2, 5, 7]},
            {"op": "mean", "of": [18, 17]}], "outputs": list(range(1, 20))}),
    "trees": json.dumps({
        "columns": columns, "unseen_levels": "error", "names": ["cate"], "nodes": [
            {"op": "trees", "base": 1.5, "scale": 0.1, "trees": [
                [{"column": 0, "above": 40.5, "missing_go_right": False, "left": 1, "right": 2}, {"leaf": -0.25},
                 {"column": 2, "levels": [0, 1], "level_count": 2, "others_go_right": True, "left": 3, "right": 4}, {"leaf": 1}, {"leaf": 2}],
                [{"leaf": 7}], [{"column": 1, "goes_right": "missing", "left": 1, "right": 2}, {"leaf": 3}, {"leaf": 4}]]}],
        "outputs": [0]}),
})
parameters = json.dumps([
    {"name": "trees", "summary": "rounds", "default": 5, "integer": True, "minimum": 1, "maximum": 9},
    {"name": "rate", "default": 0.5, "above": 0, "mapping": "approximate", "engine": "eta", "note": "near"},
    {"name": "kind", "default": "a", "choices": ["a", "b"]}, {"name": "l2", "mapping": "unsupported", "note": "none"},
    {"name": "list", "default": []}, {"name": "object", "default": {}}, {"name": "any"}, {"name": "flag", "default": True},
])
write("plugin", {
    "plain": bytes([0]) + b"[]\0\0" + bytes(40),
    "parameters": bytes([2]) + parameters.encode()[:399] + b"\0" + b', "trees": 3, "kind": "b"\0' + bytes(range(60)),
    "explained": bytes([67]) + b"[]\0\0" + bytes([2]) + bytes(range(0, 240, 3)),
    "faulty": bytes([64]) + b"[]\0\0" + bytes([0]) + bytes(8) + bytes([245, 3, 255, 241]) * 8,
})
steps = bytes((i * 37 + 11) % 251 for i in range(200))
write("views", {f"seed{i}": bytes([i]) + bytes([20, 0]) + bytes(i * 5) + steps for i in range(4)})
write("views", {"zeros": bytes(150), "matrix": bytes([1, 16, 1, 4, 0, 60]) + steps})
write("sparse", {f"seed{i}": bytes([20 + i, 8, i % 2, i // 2, 0]) + steps for i in range(4)})
write("arrow", {f"seed{i}": bytes([20 + i, 1 + i % 4, i]) + bytes((j * 53 + 17 * i) % 249 for j in range(900)) for i in range(16)})
write("arrow", {"zeros": bytes(60)})
write("archive", {f"model{i}": bytes([i]) for i in range(8)})
write("archive", {"bytes": bytes([0, 0, 200, 1, 0, 7, 1, 100, 0, 0, 255, 255, 255, 255]),
                  "pieces": bytes([2, 3, 0, 1, 0, 8, 0, 5, 0, 2, 0, 16, 0, 1, 0, 2, 0])})
