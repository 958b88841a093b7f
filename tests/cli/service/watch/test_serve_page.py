"""The server's own page in headless Chromium: a file goes in, and what the band makes of it is played."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ....engine.fakes import wait_until
from ..service_fakes import Server, ask, lead, serving, wav

IN_CI = os.environ.get("CI", "").lower() in ("1", "true", "yes")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PATIENCE_MS = 30_000
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking")


@pytest.fixture(scope="module")
def page() -> Iterator[Any]:
    program = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if program is None:
        if IN_CI:
            pytest.fail("Chromium must be there in CI: apt install chromium")
        pytest.skip("no Chromium here: apt install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        page = browser.new_page(viewport={"width": 390, "height": 844})
        page.set_default_timeout(PATIENCE_MS)
        page.faults = []
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        page.on("console", lambda line: line.type == "error" and page.faults.append(line.text))
        yield page
        browser.close()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(token="sesame") as server:
        yield server


def test_a_file_goes_in_and_the_band_comes_out(page: Any, server: Server, tmp_path: Path) -> None:
    """With a token, which is asked for where it is missing; then a wrong file, which is said in the server's words."""
    take = tmp_path / "take.wav"
    take.write_bytes(wav(lead(2.0)))
    page.goto(server.url + "/")
    page.wait_for_selector("#token")  # shown once the presets were refused
    page.fill("#token", "sesame")
    page.faults.clear()  # the refusal is one, for the browser
    page.set_input_files("#request", str(take))
    page.uncheck("text=Bass")
    page.click("#go")
    page.wait_for_selector("#result:not([hidden])")
    assert page.input_value("#preset") == "rock"
    audio = "document.getElementById('audio')"
    assert wait_until(lambda: page.evaluate(f"{audio}.duration") > 1.9)
    page.evaluate(f"{audio}.play()")
    assert wait_until(lambda: page.evaluate(f"{audio}.currentTime") > 0.1)
    assert page.get_attribute("#save", "download") == "band.wav"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert not page.faults

    (tmp_path / "text.wav").write_bytes(b"no sound at all " * 99)
    page.set_input_files("#request", str(tmp_path / "text.wav"))
    page.click("#go")
    page.wait_for_selector("#said.wrong")
    assert "text" not in page.inner_text("#said") and page.inner_text("#said").strip()
    assert page.is_enabled("#go")


def test_the_page_may_load_nothing_from_elsewhere(server: Server) -> None:
    for path in ("/", "/page.js", "/page.css"):
        status, body = ask(server.url + path)
        assert status == 200 and b"http" not in body.replace(b"http-equiv", b"")
