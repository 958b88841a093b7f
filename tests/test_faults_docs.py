"""docs/faults.md is held to tests and code: every row has its test, every kind its row, every line its mend."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from gigmate.engine.fault_kinds import FaultKind, with_table

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
MENDS = (
    "close other programs", "start it again", "start again", "turn it down", "turn the loudspeaker", "raise the block",
    "look at", "look for", "record to", "take one", "nothing to do", "by itself", "report this", "read it all the same",
)  # fmt: skip


@cache
def functions_of(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.name.startswith("test_"))


def named() -> set[tuple[str, str]]:
    """(file or "", test) as the page names them."""
    return set(re.findall(r"`(?:(tests/[\w/]+\.py)::)?(test_\w+)`", TEXT))


def test_every_test_on_the_page_is_there() -> None:
    ours = frozenset().union(*(functions_of(path) for path in (ROOT / "tests" / "faults").glob("test_*.py")))
    for file, test in named():
        assert test in (functions_of(ROOT / file) if file else ours), f"{file} {test}"


def test_every_test_of_a_fault_is_on_the_page() -> None:
    on_page = {test for _, test in named()}
    for path in sorted((ROOT / "tests" / "faults").glob("test_*.py")):
        for test in sorted(functions_of(path)):
            assert test in on_page, f"{path.name}: add {test} to docs/faults.md"


def test_every_row_has_its_six_cells_and_a_test() -> None:
    rows = [line for line in TEXT.splitlines() if line.startswith("| ") and line.count(" | ") == 5]
    assert len(rows) > 30
    for row in rows[1:]:
        assert all(cell.strip() for cell in row.strip("|").split(" | ")), row
        assert "`test_" in row or "::test_" in row, row


@dataclass(frozen=True)
class Call:
    """One place where a fault is noted."""

    where: str
    kind: str
    """The member's name; empty where a variable holds it."""
    words: dict[str, ast.expr]

    @property
    def cause(self) -> str:
        """The constant parts of the cause's words, where they stand in the call."""
        text = self.words.get("cause")
        parts = ast.walk(text) if isinstance(text, (ast.Constant, ast.JoinedStr)) else ()
        return "".join(p.value for p in parts if isinstance(p, ast.Constant) and isinstance(p.value, str))


@cache
def calls() -> tuple[Call, ...]:
    found = []
    for path in [*sorted((ROOT / "engine").rglob("*.py")), ROOT / "session.py", ROOT / "show.py"]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
            if is_call and node.func.attr == "fault" and "fault_log" in ast.unparse(node.func.value):
                kind = node.args[0]
                named = isinstance(kind, ast.Attribute) and ast.unparse(kind.value) == "FaultKind"
                words = {word.arg or "": word.value for word in node.keywords}
                found.append(Call(f"{path.name}:{node.lineno}", kind.attr if named else "", words))
    return tuple(found)


def braces(kind: FaultKind) -> set[str]:
    return set(re.findall(r"{(\w+)}", kind.said))


def test_every_fault_that_is_noted_is_of_a_kind_and_has_its_words() -> None:
    assert len(calls()) > 25
    for call in calls():
        if call.kind:
            assert braces(FaultKind[call.kind]) == set(call.words), f"{call.where}: {call.kind}"
    # a variable holds the kind only where a table gives it: what failed of the player, and what a conductor remarks
    assert sorted(call.where.partition(":")[0] for call in calls() if not call.kind) == [
        "guarded_player.py",
        "status_builder.py",
    ]


def test_every_kind_is_noted_somewhere() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "engine").rglob("*.py")))
    for kind in FaultKind:
        assert f"FaultKind.{kind.name}" in source, f"{kind}: nobody notes it"
        assert kind.name == kind.value.upper(), "the name in the report is the member's"


def test_every_kind_says_what_is_heard_said_kept_and_what_mends_it() -> None:
    for kind in FaultKind:
        for cell in (kind.heard, kind.said, kind.kept, kind.mend):
            assert cell.strip() and "|" not in cell and "\n" not in cell, kind


def test_the_table_of_the_page_is_made_from_the_kinds() -> None:
    assert with_table(TEXT) == TEXT, "python -m gigmate.engine.fault_kinds docs/faults.md"
    names = re.findall(r"^\| `([a-z_]+)` \|", TEXT.partition("## Names in the report")[2], re.MULTILINE)
    assert names == [kind.value for kind in FaultKind]


def test_a_page_without_its_table_is_refused() -> None:
    with pytest.raises(ValueError, match="no table"):
        with_table("# When something goes wrong\n")
    stale = with_table(TEXT).replace("| `howl` |", "| `hum` |")
    assert with_table(stale) == TEXT


def test_every_fault_is_said_with_its_mend() -> None:
    checked = 0
    said = [(kind.value, kind.said) for kind in FaultKind if braces(kind).isdisjoint(("cause", "mend"))]
    said += [(call.where, call.cause) for call in calls() if call.cause and call.kind != "RECONNECTING"]
    for name, words in said:
        assert any(mend in words for mend in MENDS), f"{name}: {words}"
        checked += 1
    assert checked >= 20
