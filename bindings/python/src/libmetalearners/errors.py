"""What can go wrong: one exception for each kind of error of the library.

Every exception derives from :class:`MetaLearnersError` and from the built-in exception that a Python user expects, so that
both ``except MetaLearnersError`` and ``except ValueError`` work.
"""

from __future__ import annotations

from typing import Any, Optional


class MetaLearnersError(Exception):
    """What went wrong, where, and what to do about it.

    Attributes
    ----------
    kind : str
        The kind of the error, such as ``"invalid_data"``: the name of the library's status.
    location : str or None
        A column, a path in the spec or a file.
    problem : str
        What is wrong, without place and remedy.
    remedy : str or None
        What to do about it, where that is known.
    """

    kind: str = "error"

    def __init__(
        self, problem: str = "", location: Optional[str] = None, remedy: Optional[str] = None, message: Optional[str] = None
    ) -> None:
        self.problem = problem
        self.location = location
        self.remedy = remedy
        self.message = message or _one_line(problem, location, remedy)
        super().__init__(self.message)

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> Any:
        return type(self), (self.problem, self.location, self.remedy, self.message)


def _one_line(problem: str, location: Optional[str], remedy: Optional[str]) -> str:
    return (f"{location}: " if location else "") + problem + (f"; {remedy}" if remedy else "")


class InvalidArgumentError(MetaLearnersError, ValueError):
    """An argument cannot be used: a wrong size or a value outside its range."""

    kind = "invalid_argument"


class InvalidSpecError(MetaLearnersError, ValueError):
    """A parameter is unknown, of the wrong type or outside its range."""

    kind = "invalid_spec"


class InvalidDataError(MetaLearnersError, ValueError):
    """The data cannot be used: missing outcomes, one arm only, a missing column."""

    kind = "invalid_data"


class UnsupportedError(MetaLearnersError, NotImplementedError):
    """The request is understood, but this base learner, learner or build cannot do it."""

    kind = "unsupported"


class InputOutputError(MetaLearnersError, OSError):
    """A file cannot be read or written."""

    kind = "input_output"


class CorruptModelError(MetaLearnersError, ValueError):
    """The bytes or the file of a model are damaged."""

    kind = "corrupt_model"


class IncompatibleModelError(MetaLearnersError, ValueError):
    """A model was written by a newer version of the library."""

    kind = "incompatible_model"


class NumericalFailureError(MetaLearnersError, ArithmeticError):
    """A computation broke down."""

    kind = "numerical_failure"


class CancelledError(MetaLearnersError):
    """The work was cancelled."""

    kind = "cancelled"


class OutOfMemoryError(MetaLearnersError, MemoryError):
    """There is not enough memory, or the memory limit is too small."""

    kind = "out_of_memory"


class InternalFaultError(MetaLearnersError, RuntimeError):
    """A fault of the library; please report it."""

    kind = "internal_fault"


class NotFittedError(InvalidArgumentError, AttributeError):
    """The learner has not been fitted yet."""


class LibraryError(MetaLearnersError, ImportError):
    """The native library is missing or has another version than this package."""

    kind = "library"


BY_STATUS: dict[int, type[MetaLearnersError]] = {
    1: InvalidArgumentError,
    2: InvalidSpecError,
    3: InvalidDataError,
    4: UnsupportedError,
    5: InputOutputError,
    6: CorruptModelError,
    7: IncompatibleModelError,
    8: NumericalFailureError,
    9: CancelledError,
    10: OutOfMemoryError,
    11: InternalFaultError,
}

def status_of(error: BaseException) -> int:
    """The library's status that says best what an exception is."""
    nearest: list[tuple[type[BaseException], int]] = [(kind, status) for status, kind in BY_STATUS.items()]
    nearest += [(KeyboardInterrupt, 9), (MemoryError, 10), (OSError, 5)]
    return next((status for kind, status in nearest if isinstance(error, kind)), 3)
