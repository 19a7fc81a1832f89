"""The JSON schemas (bindings/schema) take what the library takes and gives, and nothing that it refuses."""

import copy
import json
from pathlib import Path

import pytest
from conftest import draw, linear

import libmetalearners as mtlr

jsonschema = pytest.importorskip("jsonschema")
REPOSITORY = Path(__file__).resolve().parents[3]
FOLDER = REPOSITORY / "bindings" / "schema"
if not FOLDER.exists():
    pytest.skip("needs the repository", allow_module_level=True)


def validator(name, part=None):
    schema = json.loads((FOLDER / f"{name}.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    if part:
        schema = {"$schema": schema["$schema"], "$ref": f"#/$defs/{part}", "$defs": schema["$defs"]}
    return jsonschema.Draft202012Validator(schema)


SPEC, REQUEST = validator("spec"), validator("request")
LEARNERS = ["s", "t", "f", "m", "x", "u", "r", "ra", "dr", "auto", "ensemble"]


@pytest.mark.parametrize("learner", LEARNERS)
def test_specs_of_every_learner_with_every_default(learner):
    SPEC.validate(mtlr._library.resolve_spec({"learner": learner}))


@pytest.mark.parametrize("backend", [found["name"] for found in mtlr.backends() if found["name"] != "python"])
def test_specs_of_every_base_learner(backend):
    spec = {"learner": "t", "models": {"outcome": backend}}
    SPEC.validate(spec)
    try:
        resolved = mtlr._library.resolve_spec(spec)
    except mtlr.errors.UnsupportedError:
        pytest.skip(f"{backend} is not installed")
    SPEC.validate(resolved)
    assert set(resolved["models"]["outcome"]) <= set(SPEC.schema["$defs"][backend]["properties"])


def test_specs_that_stand_in_the_repository():
    found = [*(REPOSITORY / "examples/specs").glob("*.json"), *(REPOSITORY / "bindings/conformance/cases").glob("*/spec.json")]
    assert len(found) > 5
    for path in found:
        spec = json.loads(path.read_text(encoding="utf-8"))
        expected = "error_unknown_key" not in str(path)
        assert SPEC.is_valid(spec) == expected, path


def test_specs_of_learners_in_python():
    learner = mtlr.XLearner(
        mtlr.Trees(trees=9, monotone={"age": "increasing"}), mtlr.Logistic(), mtlr.Lasso(), folds=3, overlap="trim", overlap_bounds=(0.1, 0.9),
        interval_method="bootstrap", effect_scale="ratio", control="none", missing_outcome="drop",
    )  # fmt: skip
    SPEC.validate(learner.to_spec())
    SPEC.validate(json.loads(mtlr._arguments.dumps(learner._spec())))


WRONG = [
    ("learner", 7), ("lerner", "x"), ("cross_fitting.folds", 0), ("cross_fitting.folds", "many"), ("cross_fitting.fold", 3), ("cross_fitting.aggregation", "mode"),
    ("overlap.policy", "drop"), ("overlap.bounds", [0.1]), ("overlap.bounds", [0, 2]), ("prediction", "best"), ("effect_scale", "log"),
    ("average_effects", "perhaps"), ("seed", -1), ("intervals.level", 1.5), ("intervals.samples", 0), ("data.outcome_type", "ordinal"),
    ("data.exclude", [[]]), ("models.outcome", {"backend": "trees", "tree": 3}), ("models.outcome", {"backend": "trees", "trees": 0}),
    ("models.outcome", {"backend": "ridge", "l2": -1}), ("models.effects", "ridge"), ("multi_arm", "both"),
]  # fmt: skip
RIGHT = [
    ("cross_fitting.folds", 2), ("overlap.bounds", [0.2, 0.7]), ("models.outcome", "ridge"), ("models.effect", {"backend": "forest", "trees": 7}),
    ("data.control", 0), ("data.control", "none"), ("data.propensity", [0.5]), ("ensemble.members", ["s", {"learner": "x"}]), ("seed", 12), ("models.outcome", {"trees": 3}),
    ("intervals.method", "half_sampling"), ("intervals.samples", "auto"), ("intervals.samples", 40),
    ("models.propensity", {"backend": "logistic", "calibration": "platt"}), ("data.missing_values", [-9, "refused"]),
]  # fmt: skip


@pytest.mark.parametrize("path, value", WRONG + RIGHT)
def test_the_library_and_the_schema_agree(path, value):
    spec = {"learner": "dr"}
    place = spec
    *parents, key = path.split(".")
    for parent in parents:
        place = place.setdefault(parent, {})
    place[key] = value
    try:
        mtlr._library.resolve_spec(spec)
        taken = True
    except mtlr.MetaLearnersError:
        taken = False
    assert taken == ((path, value) in RIGHT), "the library"
    assert SPEC.is_valid(spec) == taken, "the schema"


def test_requests_with_every_default():
    for listed in mtlr.analyses():
        REQUEST.validate(listed["name"])
        REQUEST.validate({"analysis": listed["name"], **{found["name"]: found["default"] for found in listed["parameters"]}})


@pytest.mark.parametrize(
    "request_",
    [
        "aipv", {}, {"analysis": "aipw", "lvl": 0.9}, {"analysis": "aipw", "level": 2}, {"analysis": "gates", "groups": 1}, {"analysis": "aipw", "estimand": "late"},
        {"analysis": "rate", "replicates": 1.5}, {"level": 0.9}, {"analysis": "average_effects", "estimands": ["late"]},
    ],
)  # fmt: skip
def test_requests_that_the_library_refuses(request_, fitted):
    assert not REQUEST.is_valid(request_)
    with pytest.raises(mtlr.MetaLearnersError):
        mtlr._running.make(
            mtlr._library.lib.mtlr_analysis_run, mtlr._library.lib.mtlr_analysis_free, fitted.study()._handle.pointer, mtlr._arguments.dumps(request_)
        )


def test_answers_of_every_analysis(fitted):
    answers, study = validator("result", "analysis"), fitted.study()
    several = linear().fit(*(lambda drawn: (drawn.X, drawn.y, drawn.w))(draw(300, arms=3))).study()
    whole = validator("result")
    count = 0
    for listed in mtlr.analyses():
        for asked in (study, several):
            try:
                answer = asked.run(listed["name"]).to_dict()
            except mtlr.errors.UnsupportedError:
                continue
            answers.validate(answer)
            whole.validate(answer)
            count += 1
    assert count > 60
    broken = copy.deepcopy(answer)
    broken["findings"] = [3]
    assert not answers.is_valid(broken) and not answers.is_valid({**answer, "analysis": "none"})


def test_average_effects_and_lists(fitted):
    averages = validator("result", "average_effects")
    rows = fitted.average_effect("att").to_dict()
    averages.validate(rows)
    assert not averages.is_valid([{**rows[0], "estimand": "late"}]) and not averages.is_valid([{**rows[0], "level": 95}])
    validator("result", "backends").validate({"backends": mtlr.backends()})
    validator("result", "analyses").validate(mtlr.analyses())
