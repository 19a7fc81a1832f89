"""Estimators of scikit-learn as base learners: a regressor or classifier of any library stands where a backend does.

The library calls them through a table of functions (``metalearners_plugin.h``) under the name ``python``. A spec names an
estimator by its class and a hash of its parameters; the object itself is kept here. Each fit gets a clone with the seed of its
task. In a model file an estimator is a pickle, which runs code when it is read: files are refused unless the caller trusts them.
"""

from __future__ import annotations

import contextlib
import copy
import ctypes as c
import hashlib
import inspect
import io
import itertools
import os
import pickle
import threading
from typing import Any, Iterator, Optional

import numpy as np

from . import _library as native
from . import _plugin as plugin
from .errors import InvalidSpecError

BACKEND = "python"
VERSION = b"1"
_TRUST = "the model holds pickled Python objects, which can run any code: pass trust=True if you trust whoever made the file"

#: The estimators that specs name, each with the classes and functions that its pickle names.
_estimators: dict[str, tuple[Any, list[Any]]] = {}
#: What handles of the library stand for.
_objects: dict[int, Any] = {}
_numbers = itertools.count(1)
#: Hashes of the pickles that this process has written itself.
_own: set[bytes] = set()
_trusting = threading.RLock()
#: The classes of the pickles that were read for a caller who trusts them; None where nobody does.
_read: Optional[list[str]] = None


def is_estimator(model: Any) -> bool:
    """Whether an object can be fitted and asked as scikit-learn's estimators are."""
    return not isinstance(model, type) and callable(getattr(model, "fit", None)) and callable(getattr(model, "predict", None))


def spec(estimator: Any) -> dict[str, Any]:
    """What stands in a spec for an estimator.

    A pickle names classes and functions and does not hold them: one that is defined anew, as in a notebook, is another estimator.
    """
    own = _clone(estimator)
    pickled = io.BytesIO()
    pickler = _Pickler(pickled)
    try:
        pickler.dump(own)
    except Exception as error:
        raise InvalidSpecError(
            f"{type(estimator).__name__} cannot be pickled, which model files need ({error})", "estimator",
            "define its class and its functions at the top level of a module or a notebook, and make it of their newest definitions",
        ) from error  # fmt: skip
    stem = f"{type(own).__name__}-{hashlib.sha256(pickled.getvalue()).hexdigest()[:16]}"
    for number in itertools.count():
        key = f"{stem}-{number}" if number else stem
        _, named = _estimators.setdefault(key, (own, pickler.named))
        if len(named) == len(pickler.named) and all(one is other for one, other in zip(named, pickler.named)):
            return {"backend": BACKEND, "estimator": key}
    raise AssertionError


class _Pickler(pickle.Pickler):
    """A pickler that remembers the classes and functions that it names."""

    def __init__(self, file: Any) -> None:
        super().__init__(file)
        self.named: list[Any] = []

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, type) or inspect.isroutine(value):
            self.named.append(value)
        return NotImplemented


def estimator(key: str) -> Any:
    """The estimator that a spec names; None where this process has never seen it."""
    return _estimators[key][0] if key in _estimators else None


@contextlib.contextmanager
def trusting(trust: bool) -> Iterator[list[str]]:
    """While it lasts, pickles in model files are read where `trust` says so; it gives the list of their classes."""
    global _read
    # Loads without trust wait for one with it: what this one may read they may not. (A pickle may hold a model itself.)
    with _trusting:
        before = _read
        read: list[str] = []
        _read = read if trust else None
        try:
            yield read
        finally:
            _read = before


def _forget_trust() -> None:
    """In a forked child nobody is loading."""
    global _read, _trusting
    _read = None
    _trusting = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_trust)


def _clone(estimator: Any) -> Any:
    if hasattr(estimator, "get_params"):
        try:
            from sklearn.base import clone
        except ImportError:
            return copy.deepcopy(estimator)
        return clone(estimator)
    return copy.deepcopy(estimator)


def _seeded(estimator: Any, seed: int) -> Any:
    """A clone that draws its random numbers from the seed, unless the user gave one."""
    made = _clone(estimator)
    if hasattr(made, "get_params"):
        free = [name for name, value in made.get_params().items() if name.split("__")[-1] == "random_state" and value is None]
        if free:
            made.set_params(**{name: seed % 2**31 for name in free})
    return made


def _weights_keyword(estimator: Any) -> str:
    """What the weights of rows are called by an estimator's ``fit``; empty where it takes none."""
    steps = getattr(estimator, "steps", None)
    if steps:
        inner = _weights_keyword(steps[-1][1])
        return f"{steps[-1][0]}__{inner}" if inner else ""
    parameters = inspect.signature(estimator.fit).parameters
    return "sample_weight" if "sample_weight" in parameters else ""


class _Fitted:
    """A fitted estimator, and how many classes it tells apart; 0 for a regression."""

    def __init__(self, estimator: Any, classes: int) -> None:
        self.estimator = estimator
        self.classes = classes

    def predict(self, X: Any) -> Any:
        if not self.classes:
            return np.asarray(self.estimator.predict(X), np.float64).reshape(len(X))
        shares = np.zeros((len(X), self.classes))
        shares[:, np.asarray(self.estimator.classes_, int)] = self.estimator.predict_proba(X)
        return shares / shares.sum(axis=1, keepdims=True)


def _keep(made: Any, out: Any) -> None:
    number = next(_numbers)
    _objects[number] = made
    out[0] = number


def _guarded(function: Any) -> Any:
    """Nothing may leave a callback: exceptions are told to the library."""

    def call(*arguments: Any) -> int:
        try:
            return int(function(*arguments) or plugin.OK)
        except MemoryError:
            status, text = plugin.OUT_OF_MEMORY, "there is not enough memory"
        except NotImplementedError as raised:
            status, text = plugin.UNSUPPORTED, str(raised)
        except Exception as raised:
            status, text = plugin.INVALID_DATA, f"{type(raised).__name__}: {raised}"
        except BaseException as raised:  # Ctrl-C, or the end of the interpreter: raised again by who called.
            native.pending.exception = raised
            status, text = plugin.CANCELLED, "the work was interrupted"
        arguments[-1].contents.say(text)
        return status

    return call


def _create(payload: Any, given: Any, out: Any, error: Any) -> None:
    key = given.contents.values[0].text.decode()
    if key not in _estimators:
        raise NotImplementedError(f"the estimator '{key}' is of another process: give the learner the estimator itself")
    _keep(_estimators[key][0], out)


def _fit(payload: Any, number: int, given: Any, execution: Any, out: Any, error: Any) -> None:
    task = given.contents
    rows = plugin.array(task.rows, "<i4", task.row_count)
    total = task.features.contents.row_count
    X = plugin.features(task.features.contents, rows)
    y = plugin.array(task.target, "<f8", total)[rows]
    made = _seeded(_objects[number], task.seed)
    classes = task.class_count if task.objective == plugin.CLASSIFICATION else 0
    if classes and not hasattr(made, "predict_proba"):
        raise NotImplementedError(f"{type(made).__name__} has no predict_proba, and probabilities are asked for: use a classifier")
    if not classes and hasattr(made, "predict_proba"):
        raise NotImplementedError(f"{type(made).__name__} is a classifier, and numbers are to be predicted: use a regressor")
    options = {}
    if task.weights:
        keyword = _weights_keyword(made)
        if not keyword:
            raise NotImplementedError(f"the fit of {type(made).__name__} takes no sample_weight, and there are weights")
        options[keyword] = plugin.array(task.weights, "<f8", total)[rows]
    _keep(_Fitted(made.fit(X, y.astype(int) if classes else y, **options), classes), out)


def _predict(payload: Any, number: int, table: Any, rows: Any, count: int, results: int, execution: Any, error: Any) -> None:
    fitted = _objects[number]
    if not count:
        return
    chosen = plugin.array(rows, "<i4", count) if rows else None
    found = fitted.predict(plugin.features(table.contents, chosen))
    if found.size != count * max(1, fitted.classes):
        raise ValueError(f"the estimator predicted {found.size} numbers for {count} rows")
    plugin.write(results, found)


def _serialise(payload: Any, number: int, sink: Any, error: Any) -> None:
    data = pickle.dumps(_objects[number], protocol=4)
    _own.add(hashlib.sha256(data).digest())
    sink.contents.write(sink.contents.host, data, len(data))


def _deserialise(payload: Any, address: int, count: int, version: bytes, out: Any, error: Any) -> None:
    data = plugin.array(address, "|u1", count).tobytes()
    if _read is None and hashlib.sha256(data).digest() not in _own:
        raise NotImplementedError(_TRUST)
    made = pickle.loads(data)
    if not isinstance(made, _Fitted):
        raise ValueError("the pickle is of something else")
    if _read is not None:
        _read.append(type(made.estimator).__name__)
    _keep(made, out)


def _free(payload: Any, number: int) -> None:
    _objects.pop(number, None)


_FUNCTIONS = {
    "create": _guarded(_create),
    "free_estimator": _free,
    "fit": _guarded(_fit),
    "predict": _guarded(_predict),
    "serialise": _guarded(_serialise),
    "deserialise": _guarded(_deserialise),
    "free_model": _free,
}
_PARAMETERS = b'[{"name": "estimator", "summary": "the class of the estimator, and a hash of its parameters", "default": ""}]'
#: As long as the process: the library calls its functions.
_TABLE = plugin.Vtable.of(
    _FUNCTIONS,
    capabilities=plugin.CAN_REGRESSION | plugin.CAN_BINARY | plugin.CAN_MULTICLASS | plugin.CAN_WEIGHTS
    | plugin.CAN_MISSING_VALUES | plugin.CAN_CATEGORICALS,
    name=BACKEND.encode(),
    version=VERSION,
    summary=b"an estimator of scikit-learn or of any library that follows its conventions",
    parameters=_PARAMETERS,
)  # fmt: skip


def register(registry: Any) -> None:
    """Adds the base learner to a registry."""
    native.call(native.lib.mtlr_registry_add_callbacks, registry, c.byref(_TABLE))
