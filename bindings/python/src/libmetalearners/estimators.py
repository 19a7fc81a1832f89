"""Base learners: ``Trees``, ``Forest``, ``XGBoost``, ``Ridge`` and so on, made of the library's own parameter lists.

Each class is made when the package is imported: its keywords, defaults and documentation are those that the native library
lists, so that they cannot differ from it. A parameter that is not given keeps the library's default for the role in which the
base learner is used.
"""

from __future__ import annotations

import difflib
import inspect
import keyword
import os
from typing import Any, Optional, Union

from . import _library as native
from . import _sklearn
from .errors import InvalidArgumentError, InvalidSpecError

_CLASSES = {
    "Trees": "trees",
    "Forest": "forest",
    "BART": "bart",
    "XGBoost": "xgboost",
    "Ridge": "ridge",
    "Lasso": "lasso",
    "ElasticNet": "elastic_net",
    "OLS": "ols",
    "Logistic": "logistic",
    "Constant": "constant",
    "Stack": "stack",
}


def _parameters(listed: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The parameters by their names in Python, where words of the language get an underscore: ``lambda_``."""
    names = [found["name"] for found in listed["parameters"]]
    return {name + "_" * keyword.iskeyword(name): found for name, found in zip(names, listed["parameters"])}


_LISTED = {listed["name"]: listed for listed in native.backends()}


def _spec_of(value: Any) -> Any:
    """A value as a spec has it: base learners and estimators of scikit-learn may be members of another one."""
    if isinstance(value, (BaseLearner, type)) or _sklearn.is_estimator(value):
        return model_spec(value, "members")
    return [_spec_of(entry) for entry in value] if type(value) in (list, tuple) else value


class BaseLearner:
    """A base learner and its parameters: what fits one nuisance or one effect model.

    Parameters
    ----------
    **parameters
        The parameters that differ from the defaults.

    Raises
    ------
    InvalidSpecError
        Where a parameter is unknown. Values are checked by the learner's ``fit`` and ``to_spec``.
    """

    backend: str = ""
    #: The parameters by name, each with its ``summary``, ``range`` and ``default``.
    parameters: dict[str, dict[str, Any]] = {}

    def __init__(self, **parameters: Any) -> None:
        for name in parameters:
            self._check(name)
        self._given: dict[str, Any] = parameters

    def _check(self, name: str) -> None:
        # "calibration" belongs to every model of a propensity, whatever its base learner.
        if name in self.parameters or name == "calibration":
            return
        near = difflib.get_close_matches(name, self.parameters, 1)
        known = f"did you mean '{near[0]}'?" if near else "it has " + (", ".join(self.parameters) or "no parameters")
        raise InvalidSpecError("unknown parameter", f"{type(self).__name__}.{name}", known)

    def _spelt(self, name: str) -> str:
        """The name of a parameter in a spec."""
        return str(self.parameters.get(name, {}).get("name", name))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self.parameters:
            raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")
        return self._given.get(name, self.parameters[name].get("default"))

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters that were given, as scikit-learn's ``clone`` wants them."""
        return dict(self._given)

    def set_params(self, **parameters: Any) -> "BaseLearner":
        """Sets parameters and returns the base learner itself."""
        for name in parameters:
            self._check(name)
        self._given = {**self._given, **parameters}
        return self

    def to_spec(self) -> dict[str, Any]:
        """The base learner as it stands in a spec."""
        return {"backend": self.backend, **{self._spelt(name): _spec_of(value) for name, value in self._given.items()}}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self._given.items())})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BaseLearner) and self.to_spec() == other.to_spec()

    def __hash__(self) -> int:
        return hash(repr(self.to_spec()))

    def __getstate__(self) -> dict[str, Any]:
        return dict(self.__dict__)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)


class Plugin(BaseLearner):
    """A base learner from a plug-in: a shared library that runs with all rights of this process.

    Parameters
    ----------
    name : str
        The name of the base learner.
    path : str, optional
        The shared library, which is loaded when the object is made. Without it the name must be known already.
    **parameters
        The parameters that differ from the plug-in's defaults.
    """

    def __init__(self, name: str, path: Optional[Union[str, "os.PathLike[str]"]] = None, **parameters: Any) -> None:
        self.name = name
        self.path = path
        listed = next((found for found in native.backends() if found["name"] == name), None)
        if listed is None and path is not None:
            native.load_plugin(os.fspath(path))
            listed = next((found for found in native.backends() if found["name"] == name), None)
        if listed is None:
            known = ", ".join(found["name"] for found in native.backends())
            raise InvalidArgumentError(
                f"there is no base learner of this name; known are {known}", f"Plugin('{name}')", "name its shared library by path="
            )
        self.backend = name
        self.parameters = _parameters(listed)
        super().__init__(**parameters)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The name, the path and the parameters that were given."""
        return {"name": self.name, "path": self.path, **self._given}

    def __repr__(self) -> str:
        given = [repr(self.name), *([f"path={str(self.path)!r}"] if self.path is not None else [])]
        return f"Plugin({', '.join(given + [f'{name}={value!r}' for name, value in self._given.items()])})"

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["name"], state["path"], **state["_given"])  # type: ignore[misc]


def _make(name: str) -> type[BaseLearner]:
    listed = _LISTED[_CLASSES[name]]
    parameters = _parameters(listed)
    lines = [f"{listed['summary'][:1].upper()}{listed['summary'][1:]}."]
    if parameters:
        lines += ["", "Parameters", "----------"]
    for key, parameter in parameters.items():
        lines += [f"{key} : {parameter['range']}, default {parameter['default']!r}", f"    {parameter['summary']}."]
    made = type(name, (BaseLearner,), {"backend": listed["name"], "parameters": parameters, "__doc__": "\n".join(lines)})
    made.__module__ = __name__
    made.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=found["default"]) for key, found in parameters.items()]
    )
    return made


Trees = _make("Trees")
Forest = _make("Forest")
BART = _make("BART")
XGBoost = _make("XGBoost")
Ridge = _make("Ridge")
Lasso = _make("Lasso")
ElasticNet = _make("ElasticNet")
OLS = _make("OLS")
Logistic = _make("Logistic")
Constant = _make("Constant")
Stack = _make("Stack")

_BY_BACKEND = {made.backend: made for made in (Trees, Forest, BART, XGBoost, Ridge, Lasso, ElasticNet, OLS, Logistic, Constant, Stack)}


def model_spec(model: Any, where: str) -> Any:
    """What stands in a spec for a model that a user gave: a base learner, its name, an estimator, or a part of a spec."""
    if isinstance(model, BaseLearner):
        return model.to_spec()
    if isinstance(model, (str, dict)):
        return model
    if _sklearn.is_estimator(model):
        return _sklearn.spec(model)
    remedy = "call it: " + model.__name__ + "()" if isinstance(model, type) else "use Trees(), Ridge() or another of this package, or an estimator of scikit-learn"
    raise InvalidArgumentError(f"{model!r} is no base learner", where, remedy)


def from_spec(spec: Any) -> Any:
    """The base learner of a part of a spec."""
    if isinstance(spec, str):
        spec = {"backend": spec}
    if spec.get("backend") == _sklearn.BACKEND:
        known = _sklearn.estimator(spec.get("estimator", ""))
        return spec if known is None else known
    given = {name + "_" * keyword.iskeyword(name): value for name, value in spec.items() if name != "backend"}
    made = _BY_BACKEND.get(spec.get("backend", ""))
    return made(**given) if made else Plugin(spec["backend"], **given)
