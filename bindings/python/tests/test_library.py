"""The package and the library that it calls belong together."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import libmetalearners as mtlr
from libmetalearners import _library, _plugin

STRUCTURES = {**_library.STRUCTURES, **_plugin.STRUCTURES}

HEADERS = Path(os.environ.get("METALEARNERS_INCLUDE", Path(__file__).resolve().parents[3] / "include"))


def test_the_version_is_that_of_the_package():
    project = Path(__file__).resolve().parents[1] / "pyproject.toml"
    assert re.search(r'^version = "(.*)"', project.read_text(), re.M).group(1) == mtlr.__version__


@pytest.mark.skipif(not HEADERS.exists() or not shutil.which("cc"), reason="needs the C headers and a compiler")
def test_structures_have_the_layout_that_the_compiler_gives_them(tmp_path):
    lines = []
    for name, structure in STRUCTURES.items():
        lines.append(f'printf("{name} %zu\\n", sizeof({name}));')
        for field, *_ in structure._fields_:
            lines.append(f'printf("{name}.{field} %zu\\n", offsetof({name}, {field}));')
    program = "#include <metalearners.h>\n#include <metalearners_plugin.h>\n#include <stddef.h>\n#include <stdio.h>\nint main(void) {" + "\n".join(lines) + "return 0;}"
    (tmp_path / "layout.c").write_text(program)
    subprocess.run(["cc", "-I", HEADERS, tmp_path / "layout.c", "-o", tmp_path / "layout"], check=True)
    told = subprocess.run([tmp_path / "layout"], check=True, capture_output=True, text=True).stdout
    import ctypes

    ours = []
    for name, structure in STRUCTURES.items():
        ours.append(f"{name} {ctypes.sizeof(structure)}")
        ours += [f"{name}.{field} {getattr(structure, field).offset}" for field, *_ in structure._fields_]
    assert told.split("\n")[:-1] == ours


@pytest.mark.skipif(not HEADERS.exists() or not shutil.which("cc"), reason="needs the C headers and a compiler")
def test_functions_have_as_many_arguments_as_in_the_headers():
    text = subprocess.run(
        ["cc", "-E", "-P", "-I", HEADERS, HEADERS / "metalearners.h"], check=True, capture_output=True, text=True
    ).stdout
    declared = dict(re.findall(r"\b(mtlr_\w+) *\(([^()]*)\);", " ".join(text.split())))
    for name, (_, arguments) in _library._PROTOTYPES.items():
        given = declared[name].strip()
        assert len(arguments) == (0 if given == "void" else given.count(",") + 1), name


def test_importing_it_needs_nothing_but_numpy():
    program = (
        "import sys; sys.modules.update(dict.fromkeys(['pandas', 'polars', 'pyarrow', 'scipy', 'sklearn', 'tqdm', 'typing_extensions']));"
        "import libmetalearners"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_library_that_is_not_there_says_what_to_do(tmp_path):
    environment = {**os.environ, "METALEARNERS_LIBRARY": str(tmp_path / "none.so")}
    told = subprocess.run([sys.executable, "-c", "import libmetalearners"], env=environment, capture_output=True, text=True)
    assert told.returncode and "METALEARNERS_LIBRARY" in told.stderr and "LibraryError" in told.stderr
