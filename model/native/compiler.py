"""Builds the step in C with the machine's compiler, once for each version, compiler and processor. Any thread.

The library lies in the user's cache directory beside the compiled programs of the other runtime. It is built for the
very processor that runs it, so the processor is part of its name.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from functools import lru_cache
from pathlib import Path

import platformdirs

SOURCE = Path(__file__).parent / "source"
COMPILERS = ("cc", "gcc", "clang")
COMPILE_S = 120
_FLAGS = (
    "-std=c11", "-O3", "-fPIC", "-shared", "-fno-math-errno", "-fno-trapping-math", "-fassociative-math",
    "-fno-signed-zeros", "-freciprocal-math", "-Wno-psabi",
)  # fmt: skip


class CompilerError(Exception):
    """The step in C cannot be built here: one line that says why. Any thread."""


def find_compiler() -> str:
    """The C compiler: what CC names, else the first that is on the path. Raises CompilerError where there is none."""
    named = os.environ.get("CC")
    for name in (named,) if named else COMPILERS:
        found = shutil.which(name)
        if found:
            return found
    raise CompilerError(f"no C compiler ({named or ', '.join(COMPILERS)}): install gcc or clang")


def library() -> Path:
    """The built library, from the cache where it is there. Raises CompilerError."""
    if sys.platform == "win32":
        raise CompilerError("the step in C is not built on Windows")
    compiler = find_compiler()
    name = f"step-{_key(compiler)}.so"
    folder = Path(os.environ.get("GIGMATE_CACHE_DIR") or platformdirs.user_cache_dir("gigmate")) / "programs"
    path = folder / name
    if path.exists():
        return path
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _build(compiler, path)
    except OSError:
        # no cache on a read-only or full disk: a library that lives as long as the process
        path = Path(_own_folder().name) / name
        if not path.exists():
            _build(compiler, path)
    return path


@lru_cache(maxsize=1)
def _own_folder() -> tempfile.TemporaryDirectory[str]:
    try:
        return tempfile.TemporaryDirectory(prefix="gigmate-step-")
    except OSError as error:
        raise CompilerError(f"nowhere to build the step in C ({error})") from error


@lru_cache(maxsize=4)
def _key(compiler: str) -> str:
    """Of the sources, how they are built, by what, and for which processor."""
    digest = hashlib.sha256()
    for path in sorted(SOURCE.iterdir()):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    status = os.stat(os.path.realpath(compiler))
    for text in (*_FLAGS, os.path.realpath(compiler), f"{status.st_size} {status.st_mtime_ns}", _processor()):
        digest.update(text.encode() + b"\0")
    return digest.hexdigest()[:24]


def _processor() -> str:
    """What tells this processor from others that run the same cache: its name and what it can do."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    told = {line for line in lines if line.startswith(("model name", "flags", "Features", "CPU part"))}
    return " ".join([platform.machine(), platform.processor(), *sorted(told)])


def _build(compiler: str, path: Path) -> None:
    """Raises CompilerError where the compiler fails, OSError where the file cannot be written."""
    part = path.with_suffix(f".{os.getpid()}.part")
    part.touch()
    sources = sorted(str(source) for source in SOURCE.glob("*.c"))
    said = ""
    try:
        for processor in ("-march=native", "-mcpu=native", ""):
            command = [compiler, *_FLAGS, *([processor] if processor else []), "-o", str(part), *sources, "-lm"]
            try:
                done = subprocess.run(command, capture_output=True, text=True, timeout=COMPILE_S, check=False)
            except (OSError, subprocess.TimeoutExpired) as error:
                raise CompilerError(f"{compiler} cannot be run ({error})") from error
            if done.returncode == 0:
                part.replace(path)
                return
            said = next((line for line in done.stderr.splitlines() if "error" in line), done.stderr.strip()[:200])
        raise CompilerError(f"{compiler} cannot build the step in C ({said})")
    finally:
        part.unlink(missing_ok=True)
