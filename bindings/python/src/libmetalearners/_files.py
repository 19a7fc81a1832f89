"""Files that are written in full or not at all."""

from __future__ import annotations

import os
import threading
from typing import Union


def replace_file(path: Union[str, "os.PathLike[str]"], content: bytes) -> None:
    """Writes a file under a name of its own, and puts it into the place of `path` once it is on the disk. A link stays one."""
    place = os.path.realpath(path)
    unfinished = f"{place}.{os.getpid()}.{threading.get_ident()}.part"
    try:
        with open(unfinished, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, place)
    finally:
        if os.path.exists(unfinished):
            os.remove(unfinished)
