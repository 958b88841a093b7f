"""Every JSON that the program writes holds plain values, whatever numpy left in them."""

from __future__ import annotations

import ast
import json
import math
from dataclasses import fields
from enum import Enum
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from gigmate.cli import listen
from gigmate.cli.output_files import write_json
from gigmate.cli.service import stream_messages
from gigmate.control.terminal import as_json
from gigmate.control.web import web_messages
from gigmate.engine.hand import Hand, PartHand
from gigmate.engine.player import Controls, HeardFrame, Moment
from gigmate.engine.status import SILENCE_DB, Status
from gigmate.engine.timing.conductor import Conductor
from gigmate.files.json_text import json_text, plain
from gigmate.session import Session
from gigmate.training.sinks import JsonLines

ROOT = Path(__file__).resolve().parents[2]
ALLOWED = {"files/json_text.py", "latency/calibration.py"}
"""Calibrations are converted value by value where they are written; `latency` imports nothing of ours."""


def numpy_twin(value: Any) -> Any:
    """The same value as careless arithmetic would leave it."""
    if isinstance(value, bool):
        return np.bool_(value)
    if isinstance(value, (int, float)):
        return np.float32(value) if isinstance(value, float) else np.int64(value)
    if isinstance(value, tuple):
        return tuple(numpy_twin(item) for item in value)
    return np.str_(value)


def strict(text: str | bytes) -> Any:
    """Read as other programs do: no NaN, no Infinity."""

    def refuse(word: str) -> float:
        raise AssertionError(f"{word} is no JSON")

    return json.loads(text, parse_constant=refuse)


CARELESS = Status(**{field.name: numpy_twin(getattr(Status(), field.name)) for field in fields(Status)})
FIGURES = {
    "share": np.float32(0.5),
    "none": np.float64("nan"),
    "beats": np.arange(3),
    "playing": np.bool_(True),
    np.int64(3): (np.int8(1), Path("take.wav")),
}
PLAIN_FIGURES = {"share": 0.5, "none": None, "beats": [0, 1, 2], "playing": True, "3": [1, "take.wav"]}


def test_what_numpy_leaves_in_values_is_turned_plain() -> None:
    assert plain(FIGURES) == PLAIN_FIGURES
    assert strict(json_text(FIGURES, indent=1)) == PLAIN_FIGURES
    assert json_text({"a": [1, math.inf]}, compact=True, not_finite=-120.0) == '{"a":[1,-120.0]}'
    assert json_text(np.float32(0.25)) == "0.25"


@pytest.mark.parametrize("value", [object(), {"a": print}, b"bytes", Enum])
def test_what_is_no_value_is_said(value: object) -> None:
    with pytest.raises(TypeError, match="no value that JSON has"):
        json_text(value)


def test_a_status_made_of_numpy_is_plain() -> None:
    json.dumps({field.name: getattr(CARELESS, field.name) for field in fields(Status)})
    assert Status() == CARELESS


def test_what_is_heard_and_the_moment_are_plain() -> None:
    heard = HeardFrame(activity=np.float32(0.9), level_db=np.float64(-20.0), delay_samples=np.int64(0))  # type: ignore[arg-type]
    json.dumps([heard.activity, heard.level_db, heard.delay_samples])
    conductor = Conductor(48_000.0)
    frame = np.float64(1920.0)
    careless = SimpleNamespace(
        **{name: getattr(heard, name) for name in HeardFrame.__slots__} | {"activity": np.float32(0.9)}
    )
    for n in range(30):
        conductor.hear(careless, (n + 1) * frame, frame)  # type: ignore[arg-type]
        moment = conductor.moment(np.float64(n * 1920.0))
        json.dumps({field.name: getattr(moment, field.name) for field in fields(Moment)})


LEVELS_DB = (np.float32(0.0), -math.inf, 0.0)
HAND = Hand(
    (PartHand(hit_at=0.5, voices=("kick", "crash")), PartHand(rest=True, level_db=-3.0), PartHand(keep_out=(60, 72)))
)


def written(folder: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, str | bytes]:
    """What each writer of the program makes of careless values."""
    write_json(folder / "report.json", FIGURES)
    sink = JsonLines(folder / "lines.jsonl")
    sink.write(1, {"loss": np.float32(1.5), "norm": math.nan})  # type: ignore[dict-item]
    sink.close()
    beat = {"seconds": np.float32(1.0), "playing": np.bool_(True), "chord": np.str_("Am")}
    listen.say(beat, True)
    port = SimpleNamespace(backend="file", input_names=("a",), output_names=(), part_output_names={})
    engine = SimpleNamespace(report=lambda: FIGURES)
    session = SimpleNamespace(
        port=port, engine=engine, preset=SimpleNamespace(name="rock"), config=SimpleNamespace(seed=np.int64(0)),
        load_s=np.float32(0.5), runtime=np.str_("native"),
    )  # fmt: skip
    moment = Moment(*map(np.float32, (0.25, 0.5, 120.0)), np.int64(4), np.float32(1.0), playing=np.bool_(True))  # type: ignore[arg-type]
    return {
        "report": (folder / "report.json").read_text(),
        "training's lines": (folder / "lines.jsonl").read_text(),
        "listen": capsys.readouterr().out,
        "live --json": as_json(CARELESS),
        "page": web_messages.numbered(web_messages.status_text(CARELESS), 1),
        "page's lists": web_messages.hello({"presets": [np.str_("rock")], "songs": (np.int64(1),)}),
        "live report": json.dumps(Session.report(session)),  # type: ignore[arg-type]
        "serve": stream_messages.pack_ask(moment, Controls(levels_db=LEVELS_DB, hand=HAND)),
    }


def test_every_writer_writes_plain_values(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts = written(tmp_path, capsys)
    for name, text in texts.items():
        assert strict(text), name
    assert strict(texts["report"]) == PLAIN_FIGURES
    assert strict(texts["live --json"])["input_db"] == SILENCE_DB
    moment, controls = stream_messages.unpack_ask(bytes(texts["serve"]))  # type: ignore[arg-type]
    assert moment.beats_per_bar == 4 and controls.levels_db == (0.0, -math.inf, 0.0)
    assert controls.hand == HAND


def test_json_is_written_in_one_place() -> None:
    """So that the tests above hold for every verb, and for those to come."""
    for path in sorted(ROOT.rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if name in ALLOWED or name.split("/")[0] in {"tests", "build", "dist", "findings"} or name.startswith("."):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                wrong = ast.unparse(node.func) in {"json.dumps", "json.dump", "json.JSONEncoder"}
                assert not wrong, f"{name}:{node.lineno}: use files.json_text"
