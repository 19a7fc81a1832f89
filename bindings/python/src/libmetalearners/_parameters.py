"""The parameters of learners by scikit-learn's conventions, which do not need scikit-learn."""

from __future__ import annotations

from typing import Any, TypeVar

from . import estimators
from .errors import InvalidSpecError

Self = TypeVar("Self", bound="Parameters")


class Parameters:
    """What has parameters: those of `__init__`, kept under their names."""

    #: Their names.
    _names: tuple[str, ...] = ()

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters by name; with `deep` those of the base learners too, as ``effect_model__trees``."""
        made = {name: getattr(self, name) for name in self._names}
        if deep:
            for name, value in list(made.items()):
                if isinstance(value, estimators.BaseLearner):
                    made.update({f"{name}__{key}": inner for key, inner in value.get_params().items()})
        return made

    def set_params(self: Self, **parameters: Any) -> Self:
        """Sets parameters, also those of base learners (``effect_model__trees=50``), and returns the learner."""
        for name, value in parameters.items():
            outer, _, inner = name.partition("__")
            if outer not in self._names:
                raise InvalidSpecError("unknown parameter", f"{type(self).__name__}.{outer}", "it has " + ", ".join(self._names))
            if inner:
                getattr(self, outer).set_params(**{inner: value})
            else:
                setattr(self, outer, value)
        return self

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import InputTags, Tags, TargetTags

        return Tags(
            estimator_type=None, target_tags=TargetTags(required=True), input_tags=InputTags(allow_nan=True, categorical=True, sparse=True)
        )  # fmt: skip

    def __repr__(self) -> str:
        given = [f"{name}={getattr(self, name)!r}" for name in self._names if getattr(self, name) is not None]
        return f"{type(self).__name__}({', '.join(given)})"
