"""Notes and words of a song for the panel: those of the section that is played, and no more than there is room for."""

from __future__ import annotations

import io
import re

from gigmate.control.song_words import words_of, wrapped
from gigmate.control.terminal import PanelDisplay, console_on
from gigmate.engine.status import Status

LYRICS = "[Verse]\nWoke up\nthis evening\n\n[Chorus]\nOh\n"


def test_the_words_are_those_of_the_section() -> None:
    assert words_of("Guitar begins.", LYRICS, "chorus") == ["Guitar begins.", "Oh"]
    assert words_of("", LYRICS, "Verse") == ["Woke up", "this evening"]
    assert words_of("", LYRICS, "Bridge") == []
    assert words_of("", "La\nla\n", "Verse") == ["La", "la"], "words without headings are of every section"
    assert words_of("a\x1b[2J", "", "") == ["a [2J"]


def test_long_lines_are_wrapped_and_the_rest_is_left_out() -> None:
    assert wrapped(["a " * 40, "b"], 42, 3) == ["a " * 19 + "a", "a " * 19 + "a", "b"]
    assert wrapped(["a", "b"], 80, -3) == []


def test_the_panel_shows_them_where_there_is_room() -> None:
    for rows, shown in ((40, True), (18, False)):
        stream = io.StringIO()
        display = PanelDisplay(console_on(stream, width=80, height=rows, force_terminal=True))
        display.words(["Oh what a night"])
        display.show(Status())
        text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", stream.getvalue())
        assert ("Oh what a night" in text) == shown
        display.close()
