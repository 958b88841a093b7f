"""docs/osc.md and the code say the same: every action in the table of what comes in, every field in the other."""

from __future__ import annotations

import dataclasses
import re
import time
from pathlib import Path

from gigmate.control.osc import LOCAL_HOST, Osc
from gigmate.control.osc_wire import messages_of, status_packets, status_values
from gigmate.engine.actions import ACTIONS
from gigmate.engine.commands import Command, CountIn, SetLevel
from gigmate.engine.status import Status

TEXT = (Path(__file__).resolve().parents[1] / "docs" / "osc.md").read_text(encoding="utf-8")
COMING, GOING = TEXT.split("\n## Out\n")


def rows(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("| `")]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines]


def test_the_table_of_what_comes_in_is_the_table_of_actions() -> None:
    expected = []
    for action in ACTIONS.values():
        names = [f"[{a.name.upper()}]" if a.optional else a.name.upper() for a in action.arguments]
        texts = [f"[{a.name}: {a.text}]" if a.optional else f"{a.name}: {a.text}" for a in action.arguments]
        expected.append([" ".join([f"/gigmate/{action.name}", *names]), "; ".join(texts), action.text])
    assert rows(COMING) == expected


def test_the_table_of_what_goes_out_is_the_status() -> None:
    letters = {float: "f", int: "i", str: "s", bool: "T"}
    sent = {}
    for data in status_packets(status_values(Status(warnings=("one", "two"), moves=("hit", "solo")))):
        for message in messages_of(data):
            sent[message.address] = "".join(letters[type(value)] for value in message.arguments)
    for name in ("moves", "planned", "learnt_sections", "warnings"):
        sent[f"/gigmate/status/{name}"] = "s..."
    assert [row[:2] for row in rows(GOING)] == [list(item) for item in sent.items()]
    assert len(sent) == len(dataclasses.fields(Status))


def test_the_program_runs_as_it_stands_there() -> None:
    posted: list[Command] = []
    osc = Osc(listen=(LOCAL_HOST, 0))
    osc.begin(posted.append, Status)
    try:
        (program,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
        assert "9100" in program
        exec(program.replace("9100", str(osc.port)), {})
        end_s = time.monotonic() + 30
        while len(posted) < 2 and time.monotonic() < end_s:
            time.sleep(0.01)
    finally:
        osc.close()
    assert posted == [CountIn(1), SetLevel("bass", -3.0)]
