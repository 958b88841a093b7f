"""The moves on the page: a press asks at once, and a button says what waits and what is on."""

from __future__ import annotations

from typing import Any

from gigmate.engine.commands import Break, Build, Hit, SetFeel, SetSolo

from .stand_in import StandIn, wait_for
from .test_page import band, browser, expect_text, page, remote

__all__ = ["band", "browser", "page", "remote"]


def test_every_move_is_asked_for_by_its_button(page: Any, band: StandIn) -> None:
    for name, command in (
        ("hit", Hit()),
        ("break", Break()),
        ("build", Build()),
        ("half_time_feel", SetFeel(0.5, turn=True)),
        ("double_time_feel", SetFeel(2.0, turn=True)),
        ("solo", SetSolo()),
    ):
        page.tap(f'[data-move="{name}"]')
        wait_for(lambda command=command: command in band.commands)
    assert len(band.commands) == 6, "a tap is one press"
    page.focus('[data-move="hit"]')
    page.keyboard.press("Enter")
    wait_for(lambda: band.commands.count(Hit()) == 2)


def test_what_waits_and_what_is_on_can_be_seen(page: Any, band: StandIn) -> None:
    band.set(pending="half-time feel, back", pending_beats=2.4, moves=("break", "solo"))
    expect_text(page, "#pending", "next: half-time feel, back in 3")
    page.wait_for_selector('[data-move="half_time_feel"].next')
    on = page.eval_on_selector_all("#moves .now", "all => all.map(one => one.dataset.move)")
    assert on == ["break", "solo"]
    band.set(pending="", pending_beats=0.0, moves=())
    page.wait_for_function("() => !document.querySelector('#moves .now, #moves .next')")
    assert page.text_content("#pending") == ""
