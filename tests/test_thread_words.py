"""Every class of the live half says which thread may use it, in one of the words that CONTRIBUTING.md lists."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from .source_trees import tree_of

ROOT = Path(__file__).resolve().parents[1]
EACH_METHOD = "Each method says its thread"
WORDS = (
    "Any thread",
    "One thread at a time",
    "Inference thread only",
    "Audio callback",
    "Control thread only",
    "Main thread only",
    "Web thread only",
    EACH_METHOD,
)
SAID = re.compile(rf"(?:^|[.)] )({'|'.join(WORDS)})[.,:;]")
OTHER = re.compile(
    r"(?:^|[.)] )((?:[A-Z][\w']+ )?(?:[Tt]hread|[Ww]orker|[Pp]ort)s?(?: only| alone)|[A-Z][\w']+ thread)[.,:;]"
)
"""A sentence of few words about a thread: one of ours, or one that the vocabulary lacks."""


def public_classes(tree: ast.Module) -> Iterator[ast.ClassDef]:
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield node


def text_of(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    return " ".join((ast.get_docstring(node) or "").split())


def wordless(tree: ast.Module) -> list[str]:
    """Public classes that do not say their thread, and methods that a class says would."""
    missing = []
    for node in public_classes(tree):
        said = SAID.findall(text_of(node))
        if not said:
            missing.append(node.name)
        if EACH_METHOD not in said:
            continue
        for method in node.body:
            is_public = isinstance(method, (ast.FunctionDef, ast.AsyncFunctionDef)) and method.name[0] != "_"
            if is_public and not SAID.search(text_of(method)):
                missing.append(f"{node.name}.{method.name}")
    return missing


FILES = [path for package in ("engine", "model", "control") for path in sorted((ROOT / package).rglob("*.py"))]


def test_every_public_class_says_its_thread() -> None:
    missing = {str(path.relative_to(ROOT)): wordless(tree_of(path)) for path in FILES}
    assert not {path: names for path, names in missing.items() if names}


def test_no_class_uses_a_thread_word_of_its_own() -> None:
    strange = [
        f"{path.relative_to(ROOT)} {node.name}: {said}"
        for path in FILES
        for node in ast.walk(tree_of(path))
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
        for said in OTHER.findall(text_of(node))
        if said not in WORDS
    ]
    assert not strange, "\n".join(strange)


def test_the_words_are_those_of_the_contributors_page() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| ([^|]+?)\. \| ", page, re.MULTILINE)
    assert tuple(listed) == WORDS


def test_a_class_without_a_word_is_found() -> None:
    silent = 'class Silent:\n    """Holds something."""\n'
    partly = (
        'class Partly:\n    """Holds something. Each method says its thread."""\n'
        '    def good(self):\n        """Any thread. Reads."""\n'
        '    def bad(self):\n        """Reads."""\n'
    )
    assert wordless(ast.parse(silent + partly)) == ["Silent", "Partly.bad"]
