"""Who imports whom, read from the source: the design's layers, no circles, relative inside, a light CLI."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from .source_trees import tree_of

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = (
    *("cli", "control", "dsp", "engine", "files", "latency", "model", "plugin", "presets", "sheets", "sound"),
    "training",
)

# Each package, and what of ours it may import: whole packages, or single modules.
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "dsp": (),
    "files": (),
    "latency": (),
    "engine": ("dsp", "files", "latency"),
    "model": ("dsp", "files"),
    "presets": (
        "engine.config",
        "engine.errors",
        "engine.actions",
        "engine.gestures",
        "engine.mix",
        "engine.part_sounds",
        "engine.charts",
        "files",
        "sheets",
    ),
    "control": ("engine.commands", "engine.errors", "engine.status", "engine.actions", "engine.gestures", "files"),
    "training": ("model", "dsp", "files"),
    "plugin": ("dsp", "engine", "presets", "session", "show"),
    "sheets": ("engine.charts", "engine.errors", "files"),
    "sound": ("dsp",),
    "show": ("engine", "presets", "sound"),
    "session": ("engine", "files", "model", "presets", "show", "sound"),
    "band": ("engine", "model", "presets", "session", "sheets", "show", "sound"),
    "cli": (
        "band",
        "control",
        "dsp",
        "engine",
        "files",
        "latency",
        "model",
        "plugin",
        "presets",
        "session",
        "sheets",
        "show",
        "sound",
        "training",
    ),
    "__main__": ("cli",),
    "__init__": ("band",),
}


# The rooms of `engine` from the bottom up: each may import what stands before it, its own files and `engine`'s values.
ENGINE_ROOMS = (
    "callback",
    "charts",
    "harmony",
    "timing",
    "learning",
    "notes",
    "lead",
    "loops",
    "output",
    "ports",
    "run",
)
ENGINE_VALUES = ("actions", "commands")
"""Folders of `engine` that hold values: no rooms."""
MOST_FILES = 15


@dataclass(frozen=True)
class Import:
    module: str
    """Dotted, from the repository's root: `engine.worker`."""
    target: str
    line: int
    lazy: bool
    """Inside a function or under TYPE_CHECKING: it makes no circle at import."""


def modules() -> dict[str, Path]:
    """Every module of the package by its dotted name below the root."""
    files = list(ROOT.glob("*.py"))
    for package in PACKAGES:
        files += (ROOT / package).rglob("*.py")
    named = {}
    for path in files:
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts[-1] == "__init__" and len(parts) > 1:
            parts = parts[:-1]
        named[".".join(parts)] = path
    return named


MODULES = modules()


def imports_of(name: str, path: Path) -> Iterator[Import]:
    tree = tree_of(path)
    lazy_nodes: set[ast.AST] = set()
    for node in ast.walk(tree):
        guard = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        if guard or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            lazy_nodes.update(ast.walk(node))
    package = name if path.name == "__init__.py" and name != "__init__" else name.rpartition(".")[0]
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom) or node.level == 0:
            continue
        base = package.split(".") if package else []
        base = base[: len(base) - (node.level - 1)] if node.level > 1 else base
        prefix = ".".join([*base, *([node.module] if node.module else [])])
        for alias in node.names:
            full = f"{prefix}.{alias.name}" if prefix else alias.name
            target = full if full in MODULES else prefix
            yield Import(name, target or "__init__", node.lineno, node in lazy_nodes)


@cache
def all_imports() -> list[Import]:
    return [found for name, path in MODULES.items() for found in imports_of(name, path)]


def absolute_imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and first name of each import that is not relative."""
    for node in ast.walk(tree_of(path)):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module or ""]
        for name in names:
            yield node.lineno, name.split(".")[0]


def test_the_table_names_every_package() -> None:
    tops = {name.split(".")[0] for name in MODULES}
    assert tops == set(MAY_IMPORT), "a new package or root module needs its line in MAY_IMPORT"


def test_every_import_keeps_to_its_layer() -> None:
    wrong = []
    for found in all_imports():
        own, target = found.module.split(".")[0], found.target
        if target.split(".")[0] == own or target == "__init__":  # __init__: the version
            continue
        allowed = MAY_IMPORT[own]
        if not any(target == name or target.startswith(name + ".") for name in allowed):
            wrong.append(f"{found.module}:{found.line} imports {target}")
    assert not wrong, "\n".join(wrong)


def _room(module: str) -> str:
    """`callback` of `engine.callback.bridge`; `` of `engine.status`, which is a value."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in ENGINE_ROOMS else ""


def test_every_room_of_the_engine_stands_on_those_below_it() -> None:
    assert {path.parent.name for path in (ROOT / "engine").glob("*/__init__.py")} == {*ENGINE_ROOMS, *ENGINE_VALUES}
    height = {room: place for place, room in enumerate(("", *ENGINE_ROOMS))}
    wrong = [
        f"{found.module}:{found.line} imports {found.target}"
        for found in all_imports()
        if found.module.startswith("engine.") and found.target.startswith("engine.")
        if height[_room(found.target)] > height[_room(found.module)]
    ]
    assert not wrong, "\n".join(wrong)


def test_no_folder_holds_more_files_than_a_reader_can_take_in() -> None:
    folders: dict[Path, int] = {}
    for path in MODULES.values():
        folders[path.parent] = folders.get(path.parent, 0) + (path.name != "__init__.py")
    assert not {str(folder): count for folder, count in folders.items() if count > MOST_FILES}


def test_imports_inside_are_relative() -> None:
    wrong = [
        f"{name}:{line}"
        for name, path in MODULES.items()
        for line, first in absolute_imports(path)
        if first == "gigmate"
    ]
    assert not wrong, "\n".join(wrong)


def test_relative_imports_lead_somewhere() -> None:
    wrong = [
        f"{found.module}:{found.line} imports {found.target}" for found in all_imports() if found.target not in MODULES
    ]
    assert not wrong, "\n".join(wrong)


def test_no_circles_at_import() -> None:
    graph: dict[str, set[str]] = {name: set() for name in MODULES}
    for found in all_imports():
        if not found.lazy and found.target != found.module and found.target in MODULES:
            graph[found.module].add(found.target)
    done: set[str] = set()

    def walk(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, " -> ".join([*way[way.index(name) :], name])
        if name not in done:
            for target in sorted(graph[name]):
                walk(target, (*way, name))
            done.add(name)

    for name in sorted(graph):
        walk(name, ())


@pytest.mark.parametrize("package", ["dsp", "engine", "latency", "control", "presets"])
def test_torch_stays_in_the_model(package: str) -> None:
    wrong = [
        f"{name}:{line}"
        for name, path in MODULES.items()
        if name.split(".")[0] == package
        for line, first in absolute_imports(path)
        if first == "torch"
    ]
    assert not wrong, "\n".join(wrong)


def test_the_command_line_starts_light() -> None:
    heavy = ("torch", "numba", "numpy", "scipy", "jack", "sounddevice", "pydantic")
    code = f"import sys, gigmate.cli.main; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_every_file_says_what_it_holds() -> None:
    silent = [str(path.relative_to(ROOT)) for path in MODULES.values() if not ast.get_docstring(tree_of(path))]
    assert not silent, f"no docstring: {silent}"
