"""The face: drawn by differences on the other screen, plain lines elsewhere, and a dead pipe stops nothing."""

from __future__ import annotations

import io
import json
import math
import re

import pytest
from gigmate.control.big_letters import big_letters
from gigmate.control.terminal import (
    LineDisplay,
    PanelDisplay,
    as_json,
    console_on,
    open_display,
    plain_line,
)
from gigmate.engine.status import Status

from .screen import Screen

PLAYING_TOP, STOPPED_TOP = (big_letters(word, 77, 5)[0].rstrip() for word in ("PLAYING", "STOPPED"))

EXTREMES = [
    Status(),
    Status(state="playing", bar=12, beat=3, tempo_bpm=121.4, chord="Am", input_db=-12.3, output_db=-6.0),
    Status(state="fallback", input_db=-math.inf, output_db=math.nan, tempo_bpm=-1.0, misses=12345),
]
ALT_ON, ALT_OFF = "\x1b[?1049h", "\x1b[?1049l"


class Terminal(io.StringIO):
    """Encodes as a terminal does, and plays back what stands on its screen."""

    encoding = "utf-8"  # type: ignore[assignment]

    def isatty(self) -> bool:
        return True

    def take(self) -> str:
        text = self.getvalue()
        self.seek(0)
        self.truncate()
        return text


class Gone(io.StringIO):
    def write(self, text: str) -> int:
        raise BrokenPipeError("gone")


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def panel_face(columns: int = 80, rows: int = 24) -> tuple[PanelDisplay, Terminal, Clock]:
    terminal, clock = Terminal(), Clock()
    console = console_on(terminal, force_terminal=True, width=columns, height=rows, color_system="standard")
    return PanelDisplay(console, clock), terminal, clock


@pytest.mark.parametrize("status", EXTREMES)
def test_json_is_json_without_infinities(status: Status) -> None:
    values = json.loads(as_json(status), parse_constant=lambda name: pytest.fail(name))
    assert values["state"] == status.state
    assert len(values["part_db"]) == 3


def test_among_json_lines_a_note_is_one_too() -> None:
    stream = io.StringIO()
    face = open_display(stream, json_lines=True)
    face.note('hears "input 1"')
    face.show(Status(warnings=("slow: larger block",)))
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert first == {"note": 'hears "input 1"'}
    assert second["warnings"] == ["slow: larger block"]


def test_plain_lines_come_once_a_second_and_warnings_at_once() -> None:
    stream, clock = io.StringIO(), Clock()
    face = LineDisplay(stream, plain_line, clock)
    for tick in range(25):
        clock.now_s = tick * 0.1
        face.show(Status(seconds=clock.now_s, warnings=("slow: raise the block",) if tick >= 5 else ()))
    lines = stream.getvalue().splitlines()
    assert sum("stopped" in line for line in lines) == 3
    assert lines.count("warning: slow: raise the block") == 1


def test_a_plain_line_says_song_and_section() -> None:
    line = plain_line(Status(state="playing", holding=True, songs=2, song_number=1, song="So\x1bWhat", section="B"))
    assert "holding" in line and "song 1/2 So What" in line and "section B" in line
    assert line.isprintable()


@pytest.mark.parametrize("json_lines", [True, False])
def test_a_reader_that_has_gone_does_not_stop_the_music(json_lines: bool) -> None:
    face = open_display(Gone(), json_lines)
    for _ in range(3):
        face.show(EXTREMES[1])
        face.note("hello")
    face.close()


def test_a_terminal_that_has_gone_does_not_stop_the_music() -> None:
    face = PanelDisplay(console_on(Gone(), force_terminal=True, width=80, height=24))
    face.note("hello")
    face.show(EXTREMES[1])
    face.close()


def test_a_stream_without_our_letters_gets_question_marks() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    LineDisplay(stream, plain_line).note("Übung")
    assert raw.getvalue() == b"?bung\n"


def test_only_rows_that_changed_are_written() -> None:
    face, terminal, clock = panel_face()
    screen = Screen(80, 24)
    face.show(Status(state="playing", bar=1, beat=1))
    first = terminal.take()
    assert first.startswith(ALT_ON)
    screen.feed(first)
    assert any(PLAYING_TOP in line for line in screen.lines())
    before = screen.lines()
    clock.now_s = 0.06
    face.show(Status(state="playing", bar=1, beat=2))
    second = terminal.take()
    screen.feed(second)
    assert any("bar 1.2" in line for line in screen.lines())
    moved = [int(row) for row in re.findall(r"\x1b\[(\d+);1H", second)]
    assert moved == [place + 1 for place, row in enumerate(screen.lines()) if row != before[place]]
    assert len(moved) == 4  # the lights, and the three rows of the large figures
    assert "\x1b[2J" not in second and "\x1b[K" not in second and "\x1b[2K" not in second  # nothing is wiped first
    clock.now_s = 0.2
    face.show(Status(state="playing", bar=1, beat=2))
    assert terminal.take() == ""
    face.close()
    assert ALT_OFF in terminal.take()


def test_it_is_drawn_at_most_twenty_times_a_second() -> None:
    face, terminal, clock = panel_face()
    drawn = 0
    for tick in range(1000):
        clock.now_s = tick * 0.001
        face.show(Status(beat=tick % 4 + 1, bar=tick, input_db=-tick % 40))
        drawn += bool(terminal.take())
    assert 18 <= drawn <= 20
    for tick in range(1000):
        clock.now_s = 2.0 + tick * 0.001
        face.show(Status(input_db=-float(tick % 40)))  # meters alone
        drawn += bool(terminal.take())
    assert drawn <= 31


def test_it_is_painted_anew_now_and_then_and_when_the_size_changes() -> None:
    face, terminal, clock = panel_face()
    face.show(Status())
    terminal.take()
    clock.now_s = 6.0
    face.show(Status())
    screen = Screen(80, 24)
    screen.feed(terminal.take())
    assert any(STOPPED_TOP in line for line in screen.lines())
    face._console._width, face._console._height = 40, 10
    clock.now_s = 6.2
    face.show(Status())
    small = Screen(40, 10)
    small.feed(terminal.take())
    assert any("S T O P P E D" in line for line in small.lines())


def test_help_and_back() -> None:
    face, terminal, clock = panel_face()
    screen = Screen(80, 24)
    for at_s, words in ((0.0, "heard"), (1.0, "panic: fades out"), (2.0, "heard")):
        if at_s:
            face.help()
        clock.now_s = at_s
        face.show(Status())
        screen.feed(terminal.take())
        assert any(words in line for line in screen.lines())
    assert not any("panic: fades out" in line for line in screen.lines())


def test_a_warning_makes_room_after_a_while_and_stays_beside_the_keys() -> None:
    face, terminal, clock = panel_face()
    screen = Screen(80, 24)
    slow = Status(warnings=("slow: close other programs",))
    face.note("remote on http://127.0.0.1:8765/")

    def shown(at_s: float) -> str:
        clock.now_s = at_s
        face.show(slow)
        text = terminal.take().partition(ALT_ON)
        screen.feed(text[2] or text[0])
        return "\n".join(screen.lines())

    assert "! slow: close other programs" in shown(0.0)
    assert "slow" in shown(50.0)
    assert "slow" not in shown(70.0)
    face.help()
    assert "! slow: close other programs" in shown(71.0) and "8765" in shown(71.0)


def test_notes_and_warnings_are_left_on_the_ordinary_screen() -> None:
    face, terminal, _clock = panel_face()
    face.note("before [b]brackets[/b]")
    face.show(Status(warnings=("slow: close other programs",)))
    face.note("a pedal came back")
    during = terminal.take()
    face.close()
    after = terminal.take().partition(ALT_OFF)[2]
    assert during.index("before [b]brackets[/b]") < during.index(ALT_ON)
    assert after.splitlines() == ["warning: slow: close other programs", "a pedal came back"]
    face.note("the summary")
    face.close()
    assert terminal.take() == "the summary\n"


def test_a_dumb_terminal_gets_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(open_display(Terminal()), LineDisplay)
    monkeypatch.setenv("TERM", "xterm")
    assert isinstance(open_display(Terminal()), PanelDisplay)
