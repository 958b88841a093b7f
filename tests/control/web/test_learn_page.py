"""The page learns songs, and puts planned chords right."""

from __future__ import annotations

from typing import Any

from gigmate.engine.commands import KeepSong, Learn, ReplaceChord, UndoChord

from .stand_in import StandIn, wait_for
from .test_page import band, browser, expect_text, page, remote

__all__ = ["band", "browser", "page", "remote"]


def test_planned_chords_are_shown_and_one_is_put_right_by_touch(page: Any, band: StandIn) -> None:
    assert page.is_hidden("#plan")
    band.set(planned=("5: Am . F .", "6: G . . ."), planned_by="chart")
    page.wait_for_selector("#planned .bar")
    assert page.locator("#planned button").all_inner_texts() == ["Am", "F", "G"]
    expect_text(page, "#planned_by", "planned, by chart")
    page.on("dialog", lambda dialog: dialog.accept("Dm7"))
    page.tap("#planned button >> nth=1")
    wait_for(lambda: ReplaceChord(5, "Dm7", 3) in band.commands)
    page.evaluate("document.getElementById('learn_box').open = true")
    page.tap("#undo_chord")
    wait_for(lambda: UndoChord() in band.commands)


def test_learning_is_pressed_shown_and_kept(page: Any, band: StandIn) -> None:
    page.evaluate("document.getElementById('learn_box').open = true")
    band.set(learning="taking", learning_words="bar 3: Am F")
    expect_text(page, "#learn", "END SECTION")
    expect_text(page, "#learn_text", "bar 3: Am F")
    page.tap("#learn")
    wait_for(lambda: Learn() in band.commands)
    page.on("dialog", lambda dialog: dialog.accept("Harbour lights"))
    page.tap("#keep_song")
    wait_for(lambda: KeepSong("Harbour lights") in band.commands)
    band.set(learning="off", learning_words="")
    page.wait_for_selector("#keep_song:disabled", state="attached")
