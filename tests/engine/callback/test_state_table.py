"""The native state: no word on another's place, none that nobody reads or writes, and a page that says the same."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from gigmate.dsp import limiter, ring
from gigmate.dsp.word_table import CACHE_LINE_WORDS, WordTable
from gigmate.engine.callback import state_table

ROOT = Path(__file__).resolve().parents[3]
FILES = [ROOT / "dsp/ring.py", ROOT / "dsp/limiter.py", *(ROOT / "engine/callback").rglob("*.py")]
FILES += (ROOT / "engine/ports").glob("*.py")

# Which argument of a call is the word.
READERS = {"word": 0, "_take_peak": 0, "read_word": 1, "take_word": 1, "_word": 1, "atomic_swap": 1}
READERS |= {"_count": 1, "total": 0}
READERS |= {f"load_{kind}": 1 for kind in ("i64", "f64", "acquire", "relaxed")}
WRITERS = {"set_word": 0, "set_table": 0, "write_word": 1, "raise_peak": 1, "_set_word": 1, "_raise": 0}
WRITERS |= {"_count": 1}
WRITERS |= {f"store_{kind}": 1 for kind in ("i64", "f64", "release", "relaxed")}


def names_in(node: ast.AST) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            yield part.id
        elif isinstance(part, ast.Attribute):
            yield part.attr


def uses(source: str) -> tuple[set[str], set[str]]:
    """Names that this source reads as words, and names that it writes."""
    read: set[str] = set()
    written: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            function = node.func
            if isinstance(function, ast.Attribute) and function.attr == "ctypes":  # write_word.ctypes(...)
                function = function.value
            called = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
            for table, found in ((READERS, read), (WRITERS, written)):
                if called in table and len(node.args) > table[called]:
                    found.update(names_in(node.args[table[called]]))
        elif isinstance(node, ast.Subscript):
            (written if isinstance(node.ctx, ast.Store) else read).update(names_in(node.slice))
        elif isinstance(node, ast.BinOp) and isinstance(node.left, ast.Constant) and node.left.value == 8:
            for found in (read, written):  # the address of a word in bytes: what stands there is itself a table
                found.update(names_in(node.right))
        elif isinstance(node, ast.For) and "set_word" in names_in(node):
            written.update(names_in(node.iter))
    return read, written


def unused(tables: tuple[WordTable, ...]) -> list[str]:
    read: set[str] = set()
    written: set[str] = set()
    for path in FILES:
        for total, found in zip((read, written), uses(path.read_text(encoding="utf-8")), strict=True):
            total |= found
    missing = []
    for word in (word for table in tables for word in table.declared):
        missing += [f"nobody reads {word.name}"] * (word.name not in read)
        missing += [f"nobody writes {word.name}"] * (word.name not in written)
    return missing


def test_every_word_is_read_and_written_somewhere() -> None:
    assert unused(state_table.TABLES) == []


def test_a_word_that_nobody_uses_is_found() -> None:
    table = WordTable("One more", "")
    table.word("POSITION", "int64", "used")
    table.word("GHOST", "int64", "used by nobody")
    assert unused((table,)) == ["nobody reads GHOST", "nobody writes GHOST"]


@pytest.mark.parametrize("table", state_table.TABLES, ids=lambda table: table.title)
def test_no_word_stands_on_another_and_no_cache_line_has_two_writers(table: WordTable) -> None:
    taken: dict[int, str] = {}
    writers: dict[int, str] = {}
    for word in table.declared:
        assert word.writer and word.meaning
        for place in range(word.offset, word.offset + word.words):
            assert place not in taken, f"{word.name} stands on {taken[place]}"
            taken[place] = word.name
            assert writers.setdefault(place // CACHE_LINE_WORDS, word.writer) == word.writer
    assert max(taken) < table.size


@pytest.mark.parametrize("table", state_table.TABLES, ids=lambda table: table.title)
def test_the_constants_bear_the_names_of_the_table(table: WordTable) -> None:
    module = {"Ring": ring, "Limiter": limiter}.get(table.title, state_table)
    assert {word.name: getattr(module, word.name) for word in table.declared} == {
        word.name: word.offset for word in table.declared
    }


def test_a_name_is_declared_once() -> None:
    table = WordTable("Twice", "")
    table.word("A", "int64", "first")
    with pytest.raises(ValueError, match="Twice: the word A is declared twice"):
        table.word("A", "int64", "second")


def test_a_new_writer_begins_a_new_cache_line() -> None:
    table = WordTable("Lines", "")
    table.writer("one")
    assert [table.word(name, "int64", "") for name in "AB"] == [0, 1]
    assert table.word("BLOCK", "int64", "", words=20) == 2
    table.writer("two")
    assert table.word("C", "int64", "") == 32
    assert table.size == 48


def test_the_page_is_made_from_the_tables() -> None:
    page = (ROOT / "docs" / "native-state.md").read_text(encoding="utf-8")
    assert page == state_table.page(), "python -m gigmate.engine.callback.state_table > docs/native-state.md"
