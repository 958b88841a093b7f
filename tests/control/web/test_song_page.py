"""The song and the set on the page: words beside the chords, the order of the evening, a next that waits."""

from __future__ import annotations

from typing import Any

from gigmate.engine.commands import MoveSong, NextAtEnd, SelectSong

from .stand_in import SONGS, StandIn, wait_for
from .test_page import band, browser, expect_text, page, remote

__all__ = ["band", "browser", "page", "remote"]


def test_the_order_of_the_evening_is_changed_by_buttons(page: Any, band: StandIn) -> None:
    page.tap("#set summary")
    page.tap('#songs li:nth-child(2) [data-order="up"]')
    wait_for(lambda: MoveSong(2, 1) in band.commands)
    page.tap('#songs li:nth-child(2) [data-order="down"]')
    wait_for(lambda: MoveSong(2, 3) in band.commands)
    assert page.is_disabled('#songs li:first-child [data-order="up"]')
    assert page.is_disabled('#songs li:last-child [data-order="down"]')
    page.tap("#songs li:nth-child(3) button:first-child")
    wait_for(lambda: SelectSong(3) in band.commands)
    band.more["songs"] = [SONGS[1], SONGS[0], SONGS[2]]
    expect_text(page, "#songs li:first-child", "<b>Loud</b>")


def test_notes_and_words_stand_beside_the_chords_and_follow_the_section(page: Any, band: StandIn) -> None:
    assert page.is_hidden("#words_box")
    band.more["song"] = {
        "notes": "Guitar begins.",
        "lyrics": "[A]\nWoke up <i>this</i> evening\n\n[Bridge]\n" + "la\n" * 40 + "\n[Out]\nbye\n",
    }
    expect_text(page, "#song_notes", "Guitar begins.")
    expect_text(page, "#lyrics", "Woke up <i>this</i> evening")
    assert page.locator("#lyrics i").count() == 0, "words are text"
    band.set(section="bridge")
    page.wait_for_selector('#lyrics [data-section="bridge"].sung')
    assert page.locator("#lyrics .sung").count() == 1
    assert page.evaluate("document.getElementById('lyrics').scrollTop") > 0
    band.more["song"] = {}
    page.wait_for_selector("#words_box", state="hidden")


def test_the_next_song_may_wait_for_the_end(page: Any, band: StandIn) -> None:
    page.tap("#next_at_end")
    wait_for(lambda: NextAtEnd() in band.commands)
    band.set(next_at_end=True)
    page.wait_for_selector("#next_at_end.next")
    band.set(songs=0)
    page.wait_for_selector("#next_at_end", state="hidden")
