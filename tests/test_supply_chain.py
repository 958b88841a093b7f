"""What comes with us and what we load: exact versions, free licences, and no file that could run code."""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
NOT_OURS = {"tests", "docs", "build", "dist", "data", "runs"}


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "tests" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


licences = script("licences")


def pins() -> dict[str, str]:
    """Package and version for this Python, from constraints.txt."""
    found = {}
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        wanted = Requirement(line)
        (exact,) = wanted.specifier
        assert exact.operator == "==", f"{line}: a constraint is one version"
        assert "*" not in exact.version, line
        if wanted.marker is None or wanted.marker.evaluate():
            assert licences.plain(wanted.name) not in found, f"{line}: two versions for one Python"
            found[licences.plain(wanted.name)] = exact.version
    return found


def test_everything_that_the_two_commands_install_is_pinned_to_its_version() -> None:
    pinned = pins()
    for package in licences.packages():
        assert package.name in pinned, f"{package.name}: add it to constraints.txt"
        assert version(package.name).partition("+")[0] == pinned[package.name].partition("+")[0], package.name


def test_the_default_install_is_free() -> None:
    assert licences.faults(licences.packages()) == []


def test_the_page_of_licences_holds_what_is_installed() -> None:
    page = licences.PAGE.read_text(encoding="utf-8")
    for package in licences.packages():
        row = f"| {package.name} | {package.licence.replace('|', '/')} |"
        assert row in page, f"{row}: run python tests/licences.py"


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("GNU General Public License v3 (GPLv3)", ("GPL",)),
        ("GPL-2.0-or-later", ("GPL",)),
        ("GNU Lesser General Public License v2 or later (LGPLv2+)", ("LGPL",)),
        ("LGPL-2.1-or-later", ("LGPL",)),
        ("CC-BY-NC-4.0", ("non-commercial",)),
        ("MIT AND BSD-3-Clause", ("BSD", "MIT")),
        ("as you like", ("unknown",)),
    ],
)
def test_kinds_of_licences_are_told_apart(text: str, kinds: tuple[str, ...]) -> None:
    assert licences.kinds_of(text) == kinds


# ---------------------------------------------------------------------------------------------- what we load


def sources() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).parts
        if parts[0] not in NOT_OURS and not parts[0].startswith("."):
            yield "/".join(parts), ast.parse(path.read_text(encoding="utf-8"))


def calls(tree: ast.Module) -> Iterator[tuple[str, dict[str, ast.expr]]]:
    """Dotted name and keyword arguments of every call."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), {k.arg: k.value for k in node.keywords if k.arg}


def is_true(value: ast.expr | None) -> bool:
    return isinstance(value, ast.Constant) and value.value is True


def test_no_code_of_ours_unpickles_or_evaluates() -> None:
    for path, tree in sources():
        for node in ast.walk(tree):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            for name in names:
                assert name.split(".")[0] not in {"pickle", "cPickle", "dill", "shelve", "joblib", "marshal"}, path
        for name, keywords in calls(tree):
            where = f"{path}: {name}"
            assert name not in {"eval", "exec", "os.system", "os.popen", "yaml.unsafe_load"}, where
            if name == "yaml.load":
                assert path == "presets/strict.py", f"{where}: presets.strict.read_yaml is the one way"
            assert not is_true(keywords.get("allow_pickle")), where
            assert not is_true(keywords.get("shell")), where
            assert "mktemp" not in name, where
            if re.fullmatch(r"torch\.load", name):
                # Official EnCodec weights exist in that form alone; they are imported on request, tensors only.
                allowed = path.startswith("training/") or path == "model/codec/encodec_adapter.py"
                assert allowed, f"{where}: weights that are shipped or given are safetensors"
                assert is_true(keywords.get("weights_only")), where
            if name == "torch.jit.load":
                assert path == "model/runtime.py", f"{where}: only programs that we have compiled ourselves"


def test_the_one_reader_of_yaml_makes_plain_values_alone(tmp_path: Path) -> None:
    from gigmate.presets.strict import read_yaml

    file = tmp_path / "evil.yaml"
    file.write_text("!!python/object/apply:os.system ['true']", encoding="utf-8")
    with pytest.raises(ValueError, match=r"evil\.yaml"):
        read_yaml(file, "preset", ValueError)


def test_weights_come_as_safetensors_alone() -> None:
    held = {path.suffix for path in (ROOT / "model" / "weights").iterdir() if path.is_file()}
    assert held <= {".safetensors", ".md", ".json"}
    assert ".safetensors" in held


def test_whom_to_tell_is_written_down() -> None:
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    for word in ("report", "pickle", "localhost", "token"):
        assert word in text
