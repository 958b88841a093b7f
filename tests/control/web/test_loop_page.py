"""The looper on the page, in a headless Chromium: its button says what comes next, and every press arrives."""

from __future__ import annotations

from typing import Any

from gigmate.engine.commands import LoopDo, LoopKeep, LoopPress, SetLoop

from .stand_in import StandIn
from .test_page import band, browser, expect_text, page, remote, wait_for

__all__ = ["band", "browser", "page", "remote"]


def test_the_looper(page: Any, band: StandIn) -> None:
    page.tap("#loop_box summary")
    expect_text(page, "#loop", "RECORD")
    for selector, command in (
        ("#loop", LoopPress()),
        ("#loop_keep", LoopKeep(4)),
        ("#loop_undo", LoopDo("undo")),
        ("#loop_clear", LoopDo("clear")),
        ("#hear_loop", SetLoop("heard")),
    ):
        page.tap(selector)
        wait_for(lambda command=command: command in band.commands)
    page.locator("#loop_level").fill("-9")
    wait_for(lambda: SetLoop("level", -9.0) in band.commands)
    band.set(loop="playing", loop_bars=4, loop_takes=2, loop_place=0.5, loop_level_db=-9.0, loop_muted=True)
    expect_text(page, "#loop_text", "playing, 4 bars, 2 takes")
    expect_text(page, "#loop", "OVERDUB")
    expect_text(page, "#loop_level_text", "-9 dB")
    band.set(loop_waits="tempo")
    expect_text(page, "#loop_text", "waits for its tempo")
