"""The commit beside a figure is that of our own code, and says when files differ from it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import gigmate
import pytest
from gigmate.training.provenance import commit, lines

VERSION = f"version {gigmate.__version__}"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    if shutil.which("git") is None:
        pytest.skip("no git here")
    who = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    (tmp_path / "code.py").write_text("1\n")
    for arguments in (["init", "-q"], ["add", "."], [*who, "commit", "-q", "-m", "x"]):
        subprocess.run(["git", "-C", str(tmp_path), *arguments], check=True)
    return tmp_path


def test_the_commit_is_that_of_the_clone(clone: Path) -> None:
    assert re.fullmatch(r"[0-9a-f]{7,}", commit(clone))
    (clone / "code.py").write_text("2\n")
    assert re.fullmatch(r"[0-9a-f]{7,}-dirty", commit(clone))


def test_a_package_inside_another_clone_gives_its_version(clone: Path) -> None:
    inside = clone / "venv" / "gigmate"
    inside.mkdir(parents=True)
    assert commit(inside) == VERSION


def test_no_clone_gives_the_version(tmp_path: Path) -> None:
    assert commit(tmp_path) == VERSION
    assert lines("gigmate eval", "2026-02-01", VERSION)[2] == f"| `gigmate eval` | 2026-02-01 | {VERSION} |"
