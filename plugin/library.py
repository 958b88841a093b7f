"""Compiles the shell, with the face of one plug-in interface, into a library that hosts load.

Any thread. Raises EngineError for what is missing: one line with the mend.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from ..engine.errors import EngineError
from .layout import parameter_header

Face = Literal["lv2", "clap"]
SOURCE = Path(__file__).parent / "source"
FLAGS = ("-std=c11", "-O2", "-fPIC", "-shared", "-fvisibility=hidden", "-Wall", "-Wextra", "-Werror", "-pthread")
_HEADER = "lv2/core/lv2.h"
_COMPILE_S = 120


def own_command() -> str:
    """The program `gigmate` of this very installation."""
    beside = Path(sys.executable).with_name("gigmate")
    found = str(beside) if beside.exists() else shutil.which("gigmate")
    if found is None:
        raise EngineError("there is no program `gigmate` for the plug-in to start: give it with --command")
    return found


def compiler() -> str:
    """The C compiler: what CC names, else the first that is on the path."""
    named = os.environ.get("CC")
    for name in (named,) if named else ("cc", "gcc", "clang"):
        found = shutil.which(name)
        if found:
            return found
    raise EngineError(f"no C compiler ({named or 'cc, gcc, clang'}): install gcc or clang")


def compile_library(path: Path, face: Face, command: str, more: tuple[str, ...] = ()) -> None:
    """`command`: the program that the plug-in starts. `more`: flags beside FLAGS."""
    if not Path(command).is_absolute():
        command = str(Path(shutil.which(command) or command).absolute())
    if not re.fullmatch(r'[^"\\\n]+', command):
        raise EngineError(f"{command!r}: a program with such a name cannot be started: give another with --command")
    sources = [str(SOURCE / name) for name in ("shell.c", f"{face}_face.c")]
    with tempfile.TemporaryDirectory(prefix="gigmate-") as made:
        (Path(made) / "parameters.h").write_text(parameter_header(), encoding="utf-8")
        told = [*FLAGS, *more, f'-DGIGMATE_COMMAND="{command}"', f"-I{made}", *sources, "-o", str(path), "-lm"]
        try:
            done = subprocess.run([compiler(), *told], capture_output=True, text=True, timeout=_COMPILE_S, check=False)
        except subprocess.TimeoutExpired:
            raise EngineError("the C compiler does not come to an end: is the machine very busy?") from None
    if done.returncode:
        if _HEADER in done.stderr:
            raise EngineError("the header files of LV2 are not there: install them (Debian, Ubuntu: lv2-dev)")
        lines = [line for line in done.stderr.splitlines() if "error" in line] or done.stderr.splitlines() or ["?"]
        raise EngineError(f"the plug-in cannot be compiled: {lines[0]}")


def install(folder: Path, write: Callable[[Path], object], bundle: str = "") -> Path:
    """Put what `write` writes into a new folder where hosts look for plug-ins, or into a folder `bundle` there.

    What stood there is replaced when the new is whole, a file at a time: a host may have loaded it. Returns where."""
    into = folder / bundle
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".gigmate-", dir=folder) as made:
            write(Path(made))
            into.mkdir(exist_ok=True)
            for path in Path(made).iterdir():
                os.replace(path, into / path.name)
    except OSError as error:
        raise EngineError(f"{into}: cannot be written ({error.strerror}): give another folder with --to") from error
    return into
