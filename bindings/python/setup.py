"""Puts the native library and what it is linked with into the wheel.

The library is the one that the environment variable METALEARNERS_LIBRARY names, or the one that `scripts/build-library` of the
repository has built. Everything that it is linked with goes beside it, but for what every Linux has (the C and C++ libraries).
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py
from setuptools.dist import Distribution

HERE = Path(__file__).resolve().parent
EVERYWHERE = re.compile(r"^(linux-vdso|ld-linux.*|libc|libm|libdl|libpthread|librt|libutil|libresolv|libgcc_s|libstdc\+\+)\.so")


def native_library():
    named = os.environ.get("METALEARNERS_LIBRARY")
    if named:
        if not Path(named).is_file():
            sys.exit(f"error: METALEARNERS_LIBRARY names {named}, which is no file")
        return Path(named).resolve()
    built = sorted((HERE.parent.parent / ".build-dist").glob("libmetalearners.so.[0-9]*"))
    if not built:
        sys.exit(
            "error: there is no native library: run scripts/build-library in the repository, or let the environment variable"
            " METALEARNERS_LIBRARY name libmetalearners.so"
        )
    return built[-1]


def needed(path):
    """What a library is linked with, by soname, with everything that these are linked with."""
    listed = subprocess.run(["ldd", str(path)], check=True, capture_output=True, text=True).stdout
    missing = re.findall(r"(\S+) => not found", listed)
    if missing:
        sys.exit(f"error: {path} needs {', '.join(missing)}, which is not there")
    found = dict(re.findall(r"(\S+) => (/\S+)", listed))
    return {name: Path(place) for name, place in found.items() if not EVERYWHERE.match(name)}


def bundle(library, folder):
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*"):
        old.unlink()
    main = folder / "libmetalearners.so"
    shutil.copyfile(library, main)
    # Names of our own, so that a library of another package of the same name is never taken in the place of ours.
    names = {name: re.sub(r"^(.*?)(\.so.*)$", r"\1-mtlr\2", name) for name in needed(library)}
    copies = {name: folder / names[name] for name in names}
    for name, place in needed(library).items():
        shutil.copyfile(place, copies[name])
    for path in [main, *copies.values()]:
        path.chmod(0o755)
        links = subprocess.run(["patchelf", "--print-needed", path], check=True, capture_output=True, text=True).stdout.split()
        renamed = [part for name in links if name in names for part in ("--replace-needed", name, names[name])]
        subprocess.run(["patchelf", "--set-rpath", "$ORIGIN", *renamed, path], check=True)
        if path is not main:
            subprocess.run(["patchelf", "--set-soname", path.name, path], check=True)
    return [main, *copies.values()]


def glibc(paths):
    """The oldest version of the C library that has all that is needed: the one that the wheel is labelled with."""
    asked = [match for path in paths for match in re.findall(rb"GLIBC_2\.(\d+)", path.read_bytes())]
    return max(map(int, asked), default=17)


class BuildPy(build_py):
    def run(self):
        super().run()
        package = Path(self.build_lib) / "libmetalearners"
        bundle(native_library(), package / "lib")
        repository = HERE.parent.parent
        for licence in [repository / "LICENSE", *(repository / "THIRD_PARTY").glob("*")]:
            if licence.is_file():
                (package / "licences").mkdir(exist_ok=True)
                shutil.copyfile(licence, package / "licences" / licence.name)


class Wheel(bdist_wheel):
    def finalize_options(self):
        super().finalize_options()
        self.root_is_pure = False

    def get_tag(self):
        _, _, platform = super().get_tag()
        folder = Path(self.bdist_dir) / "libmetalearners" / "lib"
        if platform.startswith("linux_"):
            folder = folder if folder.exists() else Path(self.get_finalized_command("build_py").build_lib) / "libmetalearners/lib"
            minor = glibc(list(folder.glob("*")) or [native_library()])
            platform = f"manylinux_2_{max(minor, 17)}_{platform[len('linux_'):]}"
        return "py3", "none", platform


class BinaryDistribution(Distribution):
    def has_ext_modules(self):
        return True


setup(cmdclass={"build_py": BuildPy, "bdist_wheel": Wheel}, distclass=BinaryDistribution)
