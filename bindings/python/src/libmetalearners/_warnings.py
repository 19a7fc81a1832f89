"""What is worth knowing and no error, told at the line of the caller."""

from __future__ import annotations

import contextlib
import contextvars
import sys
import warnings
from typing import Iterable, Iterator

_is_quiet = contextvars.ContextVar("is_quiet", default=False)


class MetaLearnersWarning(UserWarning):
    """Something worth knowing that is no error: arms that do not overlap, or a level that training did not have.

    Fits, searches, predictions, explanations, analyses and studies of given columns issue it, once for each sentence, at the line that
    calls them. A path in it such as ``overlap.policy`` is one of a spec; the notes of each learner say which keyword that is.
    ``warnings.filterwarnings("ignore", category=libmetalearners.MetaLearnersWarning)`` silences it.
    """


def tell(texts: Iterable[str]) -> None:
    """Issues a warning for each text, at the first line up the stack that is not of this package."""
    if _is_quiet.get():
        return
    frame, level = sys._getframe(), 1
    while frame.f_back is not None and str(frame.f_globals.get("__name__")).split(".")[0] == __package__:
        frame, level = frame.f_back, level + 1
    for text in texts:
        warnings.warn(text, MetaLearnersWarning, stacklevel=level)


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """While it lasts, this thread tells nothing: somebody else will, where the user can see it."""
    before = _is_quiet.set(True)
    try:
        yield
    finally:
        _is_quiet.reset(before)
