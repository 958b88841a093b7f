"""What may run in the audio callback is marked, and calls nothing but what is marked: read from the source."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
MARKS = {"realtime", "realtime_fastmath", "realtime_entry"}
INTRINSIC_MAKERS = {"_loader", "_storer", "_read_modify_write", "caller"}
"""Each gives one instruction, or one call of a C function whose address stands in the state."""
BUILTINS = {"min", "max", "abs", "range", "np.float32", "np.float64", "np.int64", "np.uint32"}
"""Compiled to plain arithmetic."""
STATEMENTS = (
    *(ast.FunctionDef, ast.arguments, ast.arg, ast.Return, ast.Assign, ast.AugAssign, ast.Expr, ast.Name, ast.Constant),
    *(ast.If, ast.IfExp, ast.For, ast.While, ast.Break, ast.Continue, ast.Compare, ast.BoolOp, ast.BinOp, ast.UnaryOp),
    *(ast.Call, ast.Tuple, ast.Attribute, ast.expr_context, ast.operator, ast.cmpop, ast.boolop, ast.unaryop),
)
"""Others may raise, allocate or wait: exceptions, containers, closures, subscripts."""


@dataclass
class Module:
    functions: dict[str, ast.FunctionDef] = field(default_factory=dict)
    intrinsics: set[str] = field(default_factory=set)
    imported: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Name here -> module and name there."""


def decorators(function: ast.FunctionDef) -> set[str]:
    return {node.id for node in function.decorator_list if isinstance(node, ast.Name)}


def read_module(source: str) -> Module:
    module = Module()
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef):
            module.functions[node.name] = node
            if "intrinsic" in decorators(node):
                module.intrinsics.add(node.name)
        elif isinstance(node, ast.ImportFrom) and node.module:
            there = node.module.rpartition(".")[2]
            module.imported.update({alias.asname or alias.name: (there, alias.name) for alias in node.names})
        elif isinstance(node, ast.Assign) and ast.unparse(node.value).partition("(")[0] in INTRINSIC_MAKERS:
            module.intrinsics.update(ast.unparse(target) for target in node.targets)
    return module


def modules_of(files: dict[str, str]) -> dict[str, Module]:
    return {name: read_module(source) for name, source in files.items()}


def _is_allowed(modules: dict[str, Module], here: str, called: str) -> bool:
    if called in BUILTINS:
        return True
    there, name = modules[here].imported.get(called, (here, called))
    module = modules.get(there, Module())
    function = module.functions.get(name)
    return name in module.intrinsics or (function is not None and bool(decorators(function) & MARKS))


def breaches(modules: dict[str, Module]) -> list[str]:
    """What marked functions do that they may not."""
    found = []
    for here, module in modules.items():
        for function in module.functions.values():
            if not decorators(function) & MARKS:
                continue
            where = f"{here}.{function.name}"
            body = function.body[1:] if ast.get_docstring(function) else function.body
            for node in (part for statement in body for part in ast.walk(statement)):
                if not isinstance(node, STATEMENTS) or (isinstance(node, ast.FunctionDef) and node is not function):
                    found.append(f"{where} line {node.lineno}: {type(node).__name__}")
                elif isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)):
                    found.append(f"{where} line {node.lineno}: text")
                elif isinstance(node, ast.Attribute) and ast.unparse(node) not in BUILTINS:
                    found.append(f"{where} line {node.lineno}: {ast.unparse(node)}")
                elif isinstance(node, ast.Call) and not _is_allowed(modules, here, ast.unparse(node.func)):
                    found.append(f"{where} calls {ast.unparse(node.func)}")
    return found


def entries(modules: dict[str, Module]) -> set[str]:
    named = {
        f"{name}.{function.name}": decorators(function)
        for name, module in modules.items()
        for function in module.functions.values()
    }
    return {name for name, marks in named.items() if "realtime_entry" in marks}


def addresses_given_away(sources: list[str], modules: dict[str, Module]) -> set[str]:
    """Compiled functions of these modules whose `.address` somebody takes, as module.function."""
    found = set()
    for source in sources:
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Attribute) and node.attr == "address" and isinstance(node.value, ast.Attribute):
                module, _, name = ast.unparse(node.value).rpartition(".")
                if name in modules.get(module, Module()).functions:
                    found.add(f"{module}.{name}")
    return found


NATIVE = modules_of(
    {path.stem: path.read_text("utf-8") for path in (*ROOT.glob("dsp/*.py"), *ROOT.glob("engine/callback/**/*.py"))}
)
SOURCES = [path.read_text("utf-8") for path in (*ROOT.glob("engine/**/*.py"), *ROOT.glob("*.py"))]


def test_what_is_marked_calls_only_what_is_marked() -> None:
    assert breaches(NATIVE) == []


def test_the_callbacks_that_sound_systems_get_are_the_marked_ones() -> None:
    given_away = addresses_given_away(SOURCES, NATIVE)
    assert {"jack_callback.jack_process", "portaudio_callback.portaudio_process"} <= given_away
    assert given_away == entries(NATIVE)


def test_a_breach_is_found() -> None:
    helper = "@intrinsic\ndef load(a): ...\n@realtime\ndef good(a):\n    return load(a)\ndef plain(a):\n    return a\n"
    callback = (
        "from .helper import good, plain\n"
        "@realtime_entry\n@_cfunc(None)\n"
        "def process(state):\n"
        '    """Text is fine here."""\n'
        "    value = max(good(state), 1)\n"
        "    print(value)\n"
        "    plain(value)\n"
        "    return [value]\n"
    )
    found = breaches(modules_of({"helper": helper, "callback": callback}))
    assert found == ["callback.process calls print", "callback.process calls plain", "callback.process line 9: List"]
