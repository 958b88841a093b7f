"""A plain install: every module and every verb says which extra of the package is missing, in one line."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gigmate.cli import boundary
from gigmate.cli.extras import EXTRA_OF, missing_line, need
from gigmate.engine.errors import EngineError
from packaging.requirements import Requirement

if sys.version_info >= (3, 11):
    import tomllib
else:
    tomllib = pytest.importorskip("tomli")

ROOT = Path(__file__).resolve().parents[2]
NOT_OURS = {"tests", "docs", "build", "dist", "data", "runs", "findings"}
DISTRIBUTIONS = {
    "python_multipart": "python-multipart", "pythonosc": "python-osc", "PIL": "pillow", "pyaudio": "PyAudio",
    "sklearn": "scikit-learn", "python_stretch": "python-stretch",
    "starlette": "fastapi", "llvmlite": "numba", "yaml": "PyYAML", "jack": "JACK-Client", "rtmidi": "python-rtmidi",
}  # fmt: skip
"""Where the module's name is not the distribution's (starlette is fastapi's own ground, llvmlite numba's)."""
TOLD_BY_HAND = {"music21"}
"""Needed by one verb alone, which says so itself; no extra brings it."""

# With every optional package out of reach, as a plain install has it. Prints "MODULE or VERB <tab> what came of it".
PLAIN_INSTALL = """
import contextlib, importlib, io, sys
blocked = set(sys.argv[1].split(","))
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in blocked:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Blocker())
import importlib.util
there = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name.split(".")[0] in blocked else there(name, *more)
from gigmate.cli import boundary, main
for line in sys.stdin.read().splitlines():
    kind, _, what = line.partition(" ")
    if kind == "module":
        try:
            importlib.import_module(what)
            said = "fine"
        except ModuleNotFoundError as error:
            said = boundary.explain(error)[0]
    else:
        errors = io.StringIO()
        with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(io.StringIO()):
            code = boundary.run(main.app, "gigmate", what.split())
        said = f"{code} {errors.getvalue()!r}"
    print(what, said, sep="\\t", flush=True)
"""


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def names(requirements: list[str]) -> set[str]:
    return {Requirement(line).name.lower() for line in requirements}


def sources() -> Iterator[Path]:
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).parts
        if parts[0] not in NOT_OURS and not parts[0].startswith("."):
            yield path


def imported(path: Path) -> Iterator[str]:
    """Top names of other people's modules that a file imports anywhere."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.split(".")[0]


def test_every_import_is_of_the_plain_install_or_has_its_extra() -> None:
    asked = project()
    plain = names(asked["dependencies"])
    extras = {extra: names(lines) for extra, lines in asked["optional-dependencies"].items()}
    for path in sources():
        for module in imported(path):
            if module in sys.stdlib_module_names or module in TOLD_BY_HAND:
                continue
            distribution = DISTRIBUTIONS.get(module, module).lower()
            if module in EXTRA_OF:
                assert distribution in extras[EXTRA_OF[module]], f"{path}: {module}"
            else:
                assert distribution in plain, f"{path}: {module} is neither installed nor in cli/extras.py"


def plain_install(lines: list[str]) -> dict[str, str]:
    import gigmate

    root = Path(gigmate.__file__).parent
    done = subprocess.run(
        [sys.executable, "-c", PLAIN_INSTALL, ",".join(sorted({*EXTRA_OF, *TOLD_BY_HAND} - {"websockets"}))],
        input="\n".join(lines), capture_output=True, text=True, timeout=110, check=False,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(map(str, (root.parent, *sys.path)))},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return dict(line.split("\t", 1) for line in done.stdout.splitlines())


def test_every_module_on_a_plain_install_is_fine_or_says_its_extra() -> None:
    modules = []
    for path in sources():
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts[-1] not in ("__init__", "__main__"):
            modules.append(".".join(("gigmate", *parts)))
    found = plain_install([f"module {name}" for name in modules])
    assert set(found) == set(modules)
    for name, said in found.items():
        extra = re.fullmatch(r"\w+ is missing: pip install 'gigmate\[(\w+)\]'", said)
        assert said == "fine" or extra is not None, f"{name}: {said}"
        if extra is not None:  # who plays needs none
            assert name.split(".")[1] in {"training"} or "service" in name or ".osc" in name, f"{name}: {said}"


def test_every_verb_that_needs_an_extra_says_which(tmp_path: Path) -> None:
    song = tmp_path / "song"
    song.mkdir()
    import numpy as np
    import soundfile

    for stem in ("lead", "drums"):
        soundfile.write(song / f"{stem}.wav", np.random.default_rng(0).normal(0, 0.1, 320_000), 32_000)
    out = tmp_path / "out"
    verbs = {
        f"data render --songs 1 --out {out}": "train",
        f"data listen --songs 1 --out {out}": "train",
        "data stats --songs 1 --judge": "train",
        f"data import {song} --out {out}": "train",
        f"train store --songs 1 --out {out}": "train",
        "eval --quick": "train",
        "eval listener --songs 1": "train",
        "eval codec --songs 1 --split test": "train",
        "serve --port 0": "api",
        "live --osc 9100": "osc",
        f"latency --plot {tmp_path / 'loop.png'}": "train",
    }
    found = plain_install([f"verb {verb}" for verb in verbs])
    for verb, extra in verbs.items():
        said = found[verb]
        assert re.match(r"1 [\"']gigmate: ", said), f"{verb}: {said}"
        assert f"is missing: pip install \\'gigmate[{extra}]\\'" in said or f"pip install 'gigmate[{extra}]'" in said, (
            f"{verb}: {said}"
        )
        assert "error in GigMate" not in said and said.count("\\n") == 1, f"{verb}: {said}"


def test_a_package_of_the_plain_install_that_is_gone_is_said_too() -> None:
    line, code = boundary.explain(ModuleNotFoundError("No module named 'soxr.x'", name="soxr.x"))
    assert code == 1 and line.startswith("soxr is missing") and "install GigMate again" in line
    assert missing_line("scipy.signal") == "scipy is missing: pip install 'gigmate[train]'"
    line, _ = boundary.explain(ModuleNotFoundError("No module named 'gigmate.gone'", name="gigmate.gone"))
    assert "error in GigMate" in line
    with pytest.raises(EngineError, match="nothing_of_that_name is missing"):
        need("nothing_of_that_name")
