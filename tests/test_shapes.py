"""The shape of the code, read from the source: calls that a reader can take in at a glance."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from .source_trees import tree_of

ROOT = Path(__file__).resolve().parents[1]
MOST_ARGUMENTS, MOST_LINES_OF_A_FILE, MOST_LINES_OF_A_FUNCTION = 7, 400, 60
_LONGER = {
    "engine/callback/bridge.py": 410,
    "engine/run/worker.py": 420,
    "engine/timing/beats/beat_tracker.py": 410,
    "engine/timing/conductor.py": 480,
}
"""Files that are still to be split, and how long they may be until then: no other may join them."""
_OF_FEW_ARGUMENTS = ("engine", "model", "dsp", "latency", "control")
_COMPILED = (
    "cfunc",
    "cached_cfunc",
    "cached_function",
    "njit",
    "realtime",
    "realtime_entry",
    "realtime_fastmath",
    "intrinsic",
)
"""Compiled functions take plain numbers one by one: what would group them needs memory that somebody owns."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(packages: tuple[str, ...]) -> Iterator[tuple[str, Function]]:
    """Every function of the packages, with `path:line name`."""
    for package in packages:
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(tree_of(path)):
                if isinstance(node, Function):
                    yield f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", node


def sources() -> list[Path]:
    """Every file of the package."""
    packages = [path.parent for path in ROOT.glob("*/__init__.py")]
    return sorted([*ROOT.glob("*.py"), *(path for package in packages for path in package.rglob("*.py"))])


def arguments(function: Function) -> list[str]:
    """The names of its arguments without the object's or class's own."""
    given = function.args
    names = [one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    return names[1:] if names[:1] in (["self"], ["cls"]) else names


def is_compiled(function: Function) -> bool:
    words = {node.id for mark in function.decorator_list for node in ast.walk(mark) if isinstance(node, ast.Name)}
    return not words.isdisjoint(_COMPILED)


def test_arguments_are_counted_as_a_reader_counts_them() -> None:
    source = "class A:\n    def f(self, a, /, b, *rest, c=1, **more): ...\n    @realtime\n    def g(x): ..."
    first, second = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef))
    assert arguments(first) == ["a", "b", "c"]
    assert not is_compiled(first) and is_compiled(second)


def test_no_call_takes_more_arguments_than_a_reader_can_hold() -> None:
    found = list(functions(_OF_FEW_ARGUMENTS))
    assert len(found) > 1000, "the packages were not found"
    too_many = [
        f"{where}: {len(arguments(node))}, of which some belong together in a named tuple or a frozen dataclass"
        for where, node in found
        if len(arguments(node)) > MOST_ARGUMENTS and not is_compiled(node)
    ]
    assert not too_many, "\n".join(too_many)


def length(path: Path, function: Function) -> int:
    """Its lines; those of a verb, and of the band for programs, without the options, which are what the user reads."""
    of_users = path.is_relative_to(ROOT / "cli") or path == ROOT / "band.py"
    first = function.body[0].lineno if of_users else function.lineno
    return (function.end_lineno or first) - first + 1


def test_no_file_is_longer_than_a_reader_can_hold() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in sources()}
    assert len(lengths) > 250, "the package was not found"
    too_long = {
        path: lines for path, lines in lengths.items() if lines > max(MOST_LINES_OF_A_FILE, _LONGER.get(path, 0))
    }
    assert not too_long, f"split them where a seam is: {too_long}"
    assert set(_LONGER) <= set(lengths), "strike it from _LONGER"


def test_no_function_is_longer_than_a_screen() -> None:
    too_long = []
    for path in sources():
        for node in ast.walk(tree_of(path)):
            if isinstance(node, Function) and length(path, node) > MOST_LINES_OF_A_FUNCTION:
                too_long.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name}: {length(path, node)} lines")
    assert not too_long, "\n".join(too_long)


def test_options_of_a_verb_do_not_count_as_its_lines() -> None:
    source = "def verb(\n    option: int = 1,\n) -> None:\n    pass\n    pass\n"
    (verb,) = ast.parse(source).body
    assert isinstance(verb, ast.FunctionDef)
    assert length(ROOT / "cli" / "main.py", verb) == 2
    assert length(ROOT / "band.py", verb) == 2
    assert length(ROOT / "session.py", verb) == 5
