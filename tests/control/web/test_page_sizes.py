"""The page at four sizes: nothing is cut off, and what matters is in sight without scrolling."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from .stand_in import StandIn, open_remote
from .test_page import PATIENCE_MS, browser  # noqa: F401 - the fixture

SIZES = {"portrait": (390, 844), "landscape": (844, 390), "tablet": (1024, 768), "small": (320, 568)}
FIRST = ("#words", "#beats", "#chord", "#chord_played", "#go", "#panic")
"""What has to be read and touched in the dark."""
CUT_OFF = """[...document.querySelectorAll('button, #words, #chord, #chord_played')].filter(
    e => e.offsetParent && !e.closest('details:not([open])') && e.scrollWidth > e.clientWidth + 1
    ).map(e => e.textContent)"""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    band = StandIn(
        tempo_bpm=120.0, bar=128, beat=4, chord="F#m", chord_played="F#m7b5/C#", section="A", preset="Late set",
        state="playing", time_source="midi_clock", warnings=("no sound comes in: check the cable",),
    )  # fmt: skip
    face, port = open_remote(band)
    yield f"http://127.0.0.1:{port}/"
    face.close()


@pytest.mark.parametrize("name", SIZES)
def test_it_fits(name: str, address: str, browser: Any) -> None:  # noqa: F811
    width, height = SIZES[name]
    context = browser.new_context(viewport={"width": width, "height": height}, has_touch=True, is_mobile=True)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector('body[data-link="up"]')
    page.wait_for_function("document.getElementById('chord_played').textContent.length > 1")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(CUT_OFF) == []
    for selector in FIRST:
        box = page.locator(selector).bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= width, selector
        assert box["y"] >= 0 and box["y"] + box["height"] <= height, selector
    footer = page.locator("footer").bounding_box()
    covered = [
        selector
        for selector in FIRST[:4]
        if (box := page.locator(selector).bounding_box())
        and box["x"] + box["width"] > footer["x"]
        and box["y"] + box["height"] > footer["y"]
    ]
    assert covered == []
    if width > 500:  # what is touched stands beside what is read
        assert page.locator('[data-do="tap"]').bounding_box()["x"] > page.locator("#words").bounding_box()["x"] + 100
    context.close()
