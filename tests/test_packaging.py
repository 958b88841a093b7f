"""The package is what the tree is: packages, version, commands, data files and pins agree; a wheel runs."""

from __future__ import annotations

import importlib
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import gigmate
import pytest
from gigmate.cli import doctor

if sys.version_info >= (3, 11):
    import tomllib
else:
    tomllib = pytest.importorskip("tomli")

ROOT = Path(__file__).resolve().parents[1]
NOT_OURS = {"tests", "docs", "build", "dist", "data", "runs"}


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def packages_in_tree() -> set[str]:
    found = {"gigmate"}
    for path in ROOT.rglob("__init__.py"):
        parts = path.relative_to(ROOT).parts[:-1]
        if parts and parts[0] not in NOT_OURS and not parts[0].startswith("."):
            found.add(".".join(("gigmate", *parts)))
    return found


def test_packages_listed_are_those_in_the_tree() -> None:
    listed = project()["tool"]["setuptools"]["packages"]
    assert set(listed) == packages_in_tree()
    assert len(listed) == len(set(listed))


def test_every_folder_with_code_is_a_package() -> None:
    packages = packages_in_tree()
    for path in ROOT.rglob("*.py"):
        parts = path.relative_to(ROOT).parts[:-1]
        if parts and parts[0] not in NOT_OURS and not parts[0].startswith("."):
            assert ".".join(("gigmate", *parts)) in packages, f"{path} lies outside every package"


def test_no_code_strays_in_the_root() -> None:
    modules = {"__init__.py", "__main__.py", "band.py", "session.py", "show.py"}
    assert {path.name for path in ROOT.glob("*.py")} == modules
    assert not list((ROOT / "tests").rglob("__init__.py"))


def test_version() -> None:
    assert project()["project"]["version"] == gigmate.__version__
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## \[(Unreleased|{re.escape(gigmate.__version__)})\]", changelog, re.MULTILINE)


def test_commands_resolve() -> None:
    scripts = project()["project"]["scripts"]
    assert {"gigmate", "gigmate-live"} <= set(scripts)
    for target in scripts.values():
        module, _, function = target.partition(":")
        assert callable(getattr(importlib.import_module(module), function))


def test_pins_of_torch_agree() -> None:
    """The range in pyproject, what the doctor knows of it, the constraints and the Makefile are one thing."""
    torch_pin = next(line for line in project()["project"]["dependencies"] if line.startswith("torch"))
    low, high = (".".join(map(str, pair)) for pair in (doctor.TORCH_FROM, doctor.TORCH_BELOW))
    assert torch_pin == f"torch>={low},<{high}"
    constraint = re.search(r"^torch==(\S+)$", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE)
    makefile = re.search(r"^TORCH_VERSION := (\S+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert constraint is not None
    assert makefile is not None
    assert constraint[1] == makefile[1]
    assert doctor.TORCH_FROM <= tuple(int(part) for part in constraint[1].split(".")[:2]) < doctor.TORCH_BELOW


def test_every_requirement_is_constrained() -> None:
    """What the two commands install is the tested set, to the version."""

    def plain(name: str) -> str:
        return re.split(r"[\[<>=;! ]", name)[0].lower().replace("_", "-")

    constrained = {
        plain(line)
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    }
    extras = project()["project"]["optional-dependencies"]
    wanted = project()["project"]["dependencies"] + [
        line for name in ("pyaudio", "api", "osc", "train", "test", "lint") for line in extras[name]
    ]
    assert {plain(line) for line in wanted} <= constrained


@pytest.mark.slow
def test_a_wheel_holds_everything_and_runs(tmp_path: Path) -> None:
    """Built from the tree, installed without its dependencies beside those of this environment."""
    tree = tmp_path / "tree"  # a copy: building leaves its droppings where it builds
    shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(".*", "build", "dist", "data", "runs", "*.egg-info"))
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(tmp_path), str(tree)],
        check=True,
        timeout=300,
    )
    (wheel,) = tmp_path.glob("gigmate-*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    for package in packages_in_tree():
        assert f"{package.replace('.', '/')}/__init__.py" in names
    for name in ("gigmate/py.typed", "gigmate/presets/rock.yaml", "gigmate/session.py"):
        assert name in names
    assert not [name for name in names if name.startswith(("tests/", "gigmate/tests/"))]
    target = tmp_path / "site"
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(target), str(wheel)],
        check=True,
        timeout=120,
    )
    code = (
        f"import sys; sys.path.insert(0, {str(target)!r}); import gigmate; print(gigmate.__file__); "
        "import gigmate.cli.main as m; sys.argv = ['gigmate-live', '--help']; m.main_live()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=tmp_path,
        check=True,
    )
    assert done.stdout.startswith(str(target))  # not the tree that the tests run from
    assert "--input" in done.stdout
