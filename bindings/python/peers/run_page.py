"""Runs the blocks of Python of a page, one after the other.

    python run_page.py PAGE.md [--alone]

With --alone those that need the other library (```python peer) are left out.
"""

import re
import sys
from pathlib import Path


def blocks(text, alone):
    for found in re.finditer(r"^```python( peer)?\n(.*?)^```$", text, re.S | re.M):
        if not (alone and found[1]):
            yield text[: found.start()].count("\n") + 1, found[2]


def main():
    page, names = Path(sys.argv[1]), {}
    count = 0
    for line, code in blocks(page.read_text(encoding="utf-8"), "--alone" in sys.argv):
        # Lines in tracebacks are those of the page.
        exec(compile("\n" * line + code, str(page), "exec"), names)
        count += 1
    if count < 2:
        sys.exit(f"{page} has no blocks of Python")
    print(f"{page.name}: {count} blocks")


main()
