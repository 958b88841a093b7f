"""docs/faults.md is held to tests and code: every row has its test, every fault its name, every word its mend."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
MENDS = (
    "close other programs", "start it again", "start again", "turn it down", "turn the loudspeaker", "raise the block",
    "look at", "look for", "record to", "nothing to do", "by itself", "report this", "read it all the same",
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


def faults_in_code() -> list[tuple[str, str]]:
    """(name, words) of every fault that is noted; what is put together stands as its constant parts."""

    def constants(node: ast.expr) -> str:
        return "".join(
            part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str)
        )

    found = []
    for path in [*sorted((ROOT / "engine").rglob("*.py")), ROOT / "session.py", ROOT / "show.py"]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
            if (
                is_call
                and node.func.attr == "fault"
                and "fault_log" in ast.unparse(node.func.value)
                and len(node.args) > 1
            ):
                text = node.args[1]
                words = constants(text) if isinstance(text, (ast.Constant, ast.JoinedStr)) else ""
                found.append((constants(node.args[0]), words))
    return found


def test_every_fault_has_its_name_on_the_page() -> None:
    names = set(re.findall(r"`([a-z_]+)`", TEXT.partition("## Names in the report")[2]))
    for name, _ in faults_in_code():
        assert name in names or any(other.startswith(name) for other in names), f"add {name} to docs/faults.md"


def test_every_fault_is_said_with_its_mend() -> None:
    checked = 0
    for name, words in faults_in_code():
        if words and name not in ("recording_failed", "reconnecting"):  # those carry the mend of their cause
            assert any(mend in words for mend in MENDS), f"{name}: {words}"
            checked += 1
    assert checked > 12
