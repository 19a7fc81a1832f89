"""Files that are written in full or not at all."""

from __future__ import annotations

import contextlib
import os
import threading
from typing import Iterator, Union

from ._arguments import path as path_of
from .errors import InputOutputError, MetaLearnersError


@contextlib.contextmanager
def aside(path: Union[str, "os.PathLike[str]"]) -> Iterator[str]:
    """A name of its own to write a file under, which is put into the place of `path` at the end. A link stays one.

    Raises
    ------
    InputOutputError
        Where the file cannot be written; it names `path`.
    """
    path_of(path)
    told = os.fspath(path)
    place = os.path.realpath(path)
    unfinished = f"{place}.{os.getpid()}.{threading.get_ident()}.part"
    try:
        yield unfinished
        os.replace(unfinished, place)
    except OSError as error:
        if isinstance(error, MetaLearnersError):
            raise
        reason = os.strerror(error.errno) if error.errno else str(error)
        remedy = "make the folder first" if isinstance(error, FileNotFoundError) else "write to another place"
        raise InputOutputError(f"cannot be written: {reason}", told, remedy) from error
    finally:
        if os.path.exists(unfinished):
            os.remove(unfinished)


def replace_file(path: Union[str, "os.PathLike[str]"], content: bytes) -> None:
    """Writes a file, and puts it into the place of `path` once it is on the disk. What is no regular file, such as a pipe, is written to."""
    if os.path.exists(path_of(path)) and not os.path.isfile(path) and not os.path.isdir(path):
        with open(path, "wb") as special:
            special.write(content)
        return
    with aside(path) as unfinished:
        with open(unfinished, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
