"""The page as a thumb has it: driven in headless Chromium at the size of a phone, against a server on this machine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gigmate.control.web.server import WebRemote
from gigmate.engine.commands import (
    NOW,
    CountIn,
    Ending,
    Fill,
    JumpSection,
    Panic,
    ScaleCount,
    SelectPreset,
    SelectSong,
    SetBandLevel,
    SetControl,
    SetLevel,
    SetMix,
    SetMute,
    SetOption,
    ShiftHalfBeat,
    Start,
    StepSong,
    StepSound,
    Stop,
    Tap,
    ThisIsOne,
)

from .stand_in import StandIn, open_remote, wait_for

IN_CI = os.environ.get("CI", "").lower() in ("1", "true", "yes")
PHONE = {"width": 390, "height": 844}
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PATIENCE_MS = 30_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    program = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if program is None:
        if IN_CI:
            pytest.fail("Chromium must be there in CI: apt install chromium")
        pytest.skip("no Chromium here: apt install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        quiet = [
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-component-update",
        ]
        opened = playwright.chromium.launch(executable_path=program, args=quiet, timeout=90_000)
        yield opened
        opened.close()


@pytest.fixture
def band() -> StandIn:
    return StandIn(tempo_bpm=120.0, bar=3, beat=2, chord="Am", chord_played="Am7", section="A", preset="Late set")


@pytest.fixture
def remote(band: StandIn) -> Iterator[tuple[WebRemote, int]]:
    face, port = open_remote(band)
    yield face, port
    face.close()


@pytest.fixture
def page(browser: Any, remote: tuple[WebRemote, int]) -> Iterator[Any]:
    """The page on a phone, connected; it must not have complained when the test is over."""
    yield from opened(browser, f"http://127.0.0.1:{remote[1]}/")


def opened(browser: Any, address: str) -> Iterator[Any]:
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True, device_scale_factor=2)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if "Security Policy" in said.text else None)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    page.wait_for_selector('body[data-link="up"]')
    yield page
    assert complaints == []
    own = address.partition("#")[0].partition("://")[2].rstrip("/")
    assert all(url.partition("://")[2].startswith(own) for url in asked), asked  # nothing from elsewhere
    context.close()


def expect_text(page: Any, selector: str, text: str) -> None:
    page.wait_for_function(
        "([selector, text]) => document.querySelector(selector).textContent.includes(text)", arg=[selector, text]
    )


def test_start_level_panic_next_song(page: Any, band: StandIn) -> None:
    expect_text(page, "#words", "STOPPED")
    page.tap("#go")
    expect_text(page, "#words", "PLAYING")
    expect_text(page, "#go", "STOP")
    page.locator('[data-part="bass"] input').fill("-12")
    wait_for(lambda: SetLevel("bass", -12.0) in band.commands)
    expect_text(page, '[data-part="bass"] output', "-12 dB")
    page.tap('[data-do="next"]')
    expect_text(page, "#title", "<b>Loud</b>")  # a title is text, whatever it holds
    assert page.locator("#title b").count() == 0
    page.tap("#panic")
    expect_text(page, "#words", "STOPPED")
    assert band.commands == [Start(), SetLevel("bass", -12.0), StepSong(1), Panic()]


@pytest.mark.parametrize("key", ["Enter", " "])
def test_a_key_that_is_held_presses_its_button_once(page: Any, band: StandIn, key: str) -> None:
    expect_text(page, "#words", "STOPPED")
    page.focus("#go")
    for _ in range(12):  # each after the first is a repeat
        page.keyboard.down(key)
        page.wait_for_timeout(30)
    page.keyboard.up(key)
    expect_text(page, "#words", "PLAYING")
    page.wait_for_timeout(300)
    assert band.commands == [Start()]


def test_the_level_of_the_whole_band(page: Any, band: StandIn) -> None:
    expect_text(page, "#band_level_text", "0 dB")
    page.locator("#band_level").fill("-8")
    wait_for(lambda: SetBandLevel(-8.0) in band.commands)
    expect_text(page, "#band_level_text", "-8 dB")
    page.locator("#band_level").fill("-40")
    wait_for(lambda: SetBandLevel(float("-inf")) in band.commands)
    expect_text(page, "#band_level_text", "off")


def test_everything_that_can_be_touched(page: Any, band: StandIn) -> None:
    for selector, command in (
        ('[data-do="tap"]', Tap(NOW)),
        ("#count_box summary", None),
        ('[data-do="this_is_one"]', ThisIsOne()),
        ('[data-do="half_beat"]', ShiftHalfBeat()),
        ('[data-do="double_time"]', ScaleCount(2.0)),
        ("#hand_box summary", None),
        ("#by_hand", SetOption("chords", "turn")),
        ("#latch", SetOption("chords_hold", "turn")),
        ("#split", SetOption("chords_split", "learn")),
        ('[data-do="count_in"]', CountIn()),
        ('[data-do="fill"]', Fill()),
        ('[data-do="ending"]', Ending()),
        ('[data-part="keys"] button', SetMute("keys", True)),
        ('[data-part="keys"] button[aria-pressed="true"]', SetMute("keys", False)),
        ('[data-part="keys"] .sound', StepSound("keys")),
        ("#sections button:last-child", JumpSection("Bridge")),
        ("#set summary", None),
        ("#songs li:nth-child(3) button", SelectSong(3)),
        ('[data-do="previous"]', StepSong(-1)),
        ("#preset_box summary", None),
        ("#presets li:first-child button", SelectPreset("rock")),
        ("#go", Start()),
        ("#go.on", Stop()),
    ):
        page.tap(selector)
        if command is not None:
            wait_for(lambda command=command: band.commands and band.commands[-1] == command)
    page.locator("#density").fill("0.75")
    wait_for(lambda: band.commands[-1] == SetControl("density", 0.75))
    page.locator('[data-part="drums"] input').fill("-40")  # the left end is off
    wait_for(lambda: band.commands[-1] == SetLevel("drums", float("-inf")))
    expect_text(page, '[data-part="drums"] output', "off")
    page.locator("#panic").focus()
    page.keyboard.press("Enter")
    wait_for(lambda: band.commands[-1] == Panic())


def test_what_is_shown(page: Any, band: StandIn) -> None:
    band.set(
        state="playing", pending="ending", next_section="Bridge", time_source="midi_clock", misses=3, step_ms=55.0,
        chord_source="hand", hand="latched, B3 and down",
        warnings=("the sound system lost a moment of sound: raise the block size to 256",), input_db=-12.0, beat=4,
    )  # fmt: skip
    expect_text(page, "#words", "LAST BAR")
    for selector, text in (
        ("#bar", "bar 3.4"), ("#tempo", "120.0 bpm"), ("#source", "by midi clock"), ("#chord", "Am"),
        ("#pending", "ending"), ("#chord_played", "Am7"), ("#chord_source", "by hand"),
        ("#hand_box .now", "BY HAND"), ("#latch.now", "LATCH"), ("#warnings", "raise the block size to 256"),
        ("#warned", "raise the block size to 256"),
        ("#subtitle", "1 of 3"), ("#subtitle", "then Bridge"), ("#input_text", "-12 dB"), ("#figures", "3 misses"),
        ("#sections .now", "A"), ("#sections .next", "Bridge"),
    ):  # fmt: skip
        expect_text(page, selector, text)
    assert page.evaluate("[...document.querySelectorAll('#beats i')].map(light => light.className)") == [
        "",
        "",
        "",
        "now",
    ]
    assert page.evaluate("document.getElementById('figures').className") == "bad"


def test_pan_and_room_of_each_part(page: Any, band: StandIn) -> None:
    page.tap("#mix_box summary")
    page.locator('[aria-label="pan of keys"]').fill("-0.5")
    wait_for(lambda: SetMix("keys", "pan", -0.5) in band.commands)
    row = '#mix [data-mix="pan"][data-place="2"]'
    expect_text(page, f"{row} output", "50 left")
    page.locator('[aria-label="room of drums"]').fill("0.2")
    wait_for(lambda: SetMix("drums", "room", 0.2) in band.commands)
    expect_text(page, '#mix [data-mix="room"][data-place="0"] output', "20 %")


def test_outputs_are_said_where_a_part_has_its_own(page: Any, band: StandIn) -> None:
    expect_text(page, '[data-part="drums"] .sound', "neural")
    assert page.text_content('[data-part="drums"] .outputs') == ""
    band.set(outputs=("3,4", "1,2", "1,2"))
    expect_text(page, '[data-part="drums"] .outputs', "out 3,4")
    expect_text(page, '[data-part="keys"] .outputs', "out 1,2")


def test_thumbs_find_everything(page: Any) -> None:
    page.tap("#set summary")
    page.tap("#preset_box summary")
    page.tap("#mix_box summary")
    sizes = page.evaluate("""[...document.querySelectorAll("button, input, summary")].filter(e => e.offsetParent)
        .map(e => [e.id || e.textContent, e.getBoundingClientRect().width, e.getBoundingClientRect().height])""")
    assert len(sizes) > 15
    assert [size for size in sizes if size[1] < 56 or size[2] < 56] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for selector, least in (("#go", 200), ("#panic", 100)):
        box = page.locator(selector).bounding_box()
        assert box["width"] >= least and box["height"] >= 100
        assert box["y"] + box["height"] <= PHONE["height"]  # in sight without scrolling


def test_a_slider_that_is_held_does_not_jump(page: Any, band: StandIn) -> None:
    slider = page.locator('[data-part="bass"] input')
    slider.evaluate("e => { e.value = -20; e.dispatchEvent(new Event('input')); }")
    band.set(levels_db=(0.0, 3.0, 0.0))  # another remote, or the band's own answer that comes late
    page.wait_for_timeout(300)
    assert slider.input_value() == "-20"
    page.wait_for_timeout(1500)
    wait_for(lambda: SetLevel("bass", -20.0) in band.commands)


def test_it_says_that_the_band_has_ended_and_comes_back_by_itself(browser: Any, band: StandIn) -> None:
    import socket

    face, port = open_remote(band)
    pages = opened(browser, f"http://127.0.0.1:{port}/")
    page = next(pages)
    face.close()
    page.wait_for_selector('body[data-link="down"]')
    assert "The band has ended" in page.inner_text("#link") and page.is_visible("#link")
    page.wait_for_timeout(1200)  # several tries in vain, which end otherwise
    assert "The band has ended" in page.inner_text("#link")
    page.tap("#go")  # is not kept for later
    listening = socket.create_server(("127.0.0.1", port))
    again = WebRemote(listening, band.post, lambda: band.status, band.lists)
    again.start()
    page.wait_for_selector('body[data-link="up"]')
    assert not page.is_visible("#link")
    page.tap("#panic")
    wait_for(lambda: band.commands == [Panic()])
    next(pages, None)
    again.close()


def test_a_server_that_is_silent_is_not_taken_for_a_quiet_one(page: Any, remote: tuple[WebRemote, int]) -> None:
    loop = remote[0]._loop
    assert loop is not None
    import threading

    go_on = threading.Event()
    loop.call_soon_threadsafe(go_on.wait, 30)
    try:
        page.wait_for_selector('body[data-link="down"]')
        assert "NOT CONNECTED: the band plays on" in page.inner_text("#link")
    finally:
        go_on.set()
    page.wait_for_selector('body[data-link="up"]')


def test_the_token_comes_with_the_address_or_by_hand(browser: Any, band: StandIn) -> None:
    face, port = open_remote(band, token="open-sesame", wrong_token_s=0.01)
    try:
        for page in opened(browser, f"http://127.0.0.1:{port}/#token=open-sesame"):
            page.tap("#go")
            wait_for(lambda: band.commands == [Start()])
        context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True)
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{port}/")
        page.wait_for_selector('body[data-link="wrong"]')
        page.fill("#token", "open-sesame")
        page.tap("#ask button")
        page.wait_for_selector('body[data-link="up"]')
        assert page.is_hidden("#ask")
        context.close()
    finally:
        face.close()


def test_another_site_cannot_reach_the_band(browser: Any, remote: tuple[WebRemote, int], tmp_path: Path) -> None:
    """A page from elsewhere in the same browser: its socket is refused, for its origin."""
    import functools
    import http.server
    import threading

    (tmp_path / "index.html").write_text("<!doctype html><title>elsewhere</title>")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as elsewhere:
        threading.Thread(target=elsewhere.serve_forever, daemon=True).start()
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{elsewhere.server_address[1]}/")
        answer = page.evaluate(
            """port => new Promise(done => { const s = new WebSocket(`ws://127.0.0.1:${port}/ws`);
            s.onopen = () => done("open"); s.onerror = () => done("refused"); })""",
            remote[1],
        )
        page.close()
        elsewhere.shutdown()
    assert answer == "refused"
    assert remote[0].counts.refused == 1
