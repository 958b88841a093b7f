"""The face: fits 80 columns whatever the numbers, one plain line a second, and a dead pipe stops nothing."""

from __future__ import annotations

import io
import json
import math

import pytest
from gigmate.control.tui import (
    WIDTH_COLUMNS,
    LineFace,
    LiveFace,
    as_json,
    decibels,
    meter,
    open_face,
    plain_line,
    segments,
)
from gigmate.engine.status import Status

EXTREMES = [
    Status(),
    Status(state="playing", bar=12, beat=3, tempo_bpm=121.4, chord="Am", input_db=-12.3, output_db=-6.0),
    Status(
        state="fallback",
        bar=123456,
        beat=12,
        tempo_bpm=299.9,
        chord="F#m7b5/C#",
        input_db=-100.0,
        output_db=-119.6,
        step_ms=1234.5,
        frame_ms=40.0,
        misses=123456,
        xruns=1234567,
    ),
    Status(input_db=-math.inf, output_db=math.nan, tempo_bpm=-1.0),
]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Gone(io.StringIO):
    def write(self, text: str) -> int:
        raise BrokenPipeError("gone")


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.mark.parametrize("status", EXTREMES)
@pytest.mark.parametrize("blocks", [True, False])
def test_the_line_fits_80_columns(status: Status, blocks: bool) -> None:
    line = "".join(text for text, _ in segments(status, blocks))
    assert len(line) <= WIDTH_COLUMNS
    assert blocks or line.isascii()


def test_the_line_says_what_a_musician_needs() -> None:
    line = "".join(text for text, _ in segments(EXTREMES[1]))
    for word in ("PLAYING", "12.3", "121bpm", "Am", "-12", "-6", "0/40ms", "miss 0", "xrun 0"):
        assert word in line


def test_meter_and_decibels() -> None:
    assert meter(0.0, blocks=False) == "####"
    assert meter(6.0, blocks=False) == "####"
    assert meter(-24.0, blocks=False) in ("##..",)
    assert meter(-math.inf, blocks=False) == meter(math.nan, blocks=False) == "...."
    assert decibels(-120.0).strip() == "-"
    assert decibels(-6.4) == "  -6"


@pytest.mark.parametrize("status", EXTREMES)
def test_json_is_json_without_infinities(status: Status) -> None:
    values = json.loads(as_json(status), parse_constant=lambda name: pytest.fail(name))
    assert values["state"] == status.state
    assert len(values["part_db"]) == 3


def test_plain_lines_come_once_a_second_and_warnings_at_once() -> None:
    stream, clock = io.StringIO(), Clock()
    face = LineFace(stream, plain_line, clock)
    for tick in range(25):
        clock.now_s = tick * 0.1
        face.show(Status(seconds=clock.now_s, warnings=("slow: raise the block",) if tick >= 5 else ()))
    lines = stream.getvalue().splitlines()
    assert sum("stopped" in line for line in lines) == 3
    assert lines.count("warning: slow: raise the block") == 1


@pytest.mark.parametrize("json_lines", [True, False])
def test_a_reader_that_has_gone_does_not_stop_the_music(json_lines: bool) -> None:
    face = open_face(Gone(), json_lines)
    for _ in range(3):
        face.show(EXTREMES[1])
        face.note("hello")
    face.close()


def test_the_live_line_stays_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    from rich.console import Console

    stream, clock = Terminal(), Clock()
    face = LiveFace(Console(file=stream, force_terminal=True, width=80), clock)
    for tick in range(30):
        clock.now_s = tick * 0.1
        face.show(EXTREMES[2])
    face.close()
    assert stream.getvalue().count("FALLBACK") >= 30
    assert stream.getvalue().count("\n") <= 2  # redrawn in place, left standing at the end


def test_a_dumb_terminal_gets_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(open_face(Terminal()), LineFace)
    monkeypatch.setenv("TERM", "xterm")
    face = open_face(Terminal())
    assert isinstance(face, LiveFace)
