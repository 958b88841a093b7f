"""The shape of the code, read from the source: calls that a reader can take in at a glance."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MOST_ARGUMENTS = 7
_OF_FEW_ARGUMENTS = ("engine", "model", "dsp", "latency", "control")
_COMPILED = ("cfunc", "cached_cfunc", "njit", "realtime", "realtime_entry", "realtime_fastmath", "intrinsic")
"""Compiled functions take plain numbers one by one: what would group them needs memory that somebody owns."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(packages: tuple[str, ...]) -> Iterator[tuple[str, Function]]:
    """Every function of the packages, with `path:line name`."""
    for package in packages:
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
                if isinstance(node, Function):
                    yield f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", node


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
