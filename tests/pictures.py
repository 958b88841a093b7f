"""Draws the pictures of docs/pictures: the terminal's panel and the page on a phone. `make pictures`."""

from __future__ import annotations

import dataclasses
import io
import shutil
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent / "control" / "web"))

from gigmate.control.panel import panel
from gigmate.engine.charts.chart_position import planned_bar
from gigmate.engine.status import Status
from gigmate.presets.loader import load_preset
from gigmate.sheets.library import open_songs
from rich.console import Console
from rich.text import Text

PICTURES = Path(__file__).resolve().parents[1] / "docs" / "pictures"
IREAL = PICTURES.parent / "examples" / "friday.html"
MOST_BYTES = 150_000
PHONE = {"width": 390, "height": 844}
SIZES = {"page-landscape": (844, 390), "page-tablet": (1024, 768), "page-small": (320, 568)}
STATUS = Status(
    state="playing", seconds=83.0, input_db=-12.3, output_db=-4.2, part_db=(-9.0, -14.0, -21.0),
    bar=12, beat=3, beat_phase=0.1, tempo_bpm=121.4, confidence=0.93, chord="Am", chord_played="Am7",
    step_ms=14.2, step_p99_ms=22.0, ahead_samples=4080, ahead_ms=85.0, xruns=1,
    preset="Late set", song="Blue Hour", song_number=1, songs=3, section="A", next_section="Bridge",
    time_source="midi_clock", muted=(False, False, True), levels_db=(-3.0, 0.0, 0.0), style="swing", density=0.6,
    recording="take.wav", warnings=("the sound system lost a moment of sound: raise the block size to 256",),
)  # fmt: skip

LEARNING = {
    "planned": ("5: Am . F .", "6: C . G .", "7: Am . . .", "8: E7 . . ."), "planned_by": "chart",
    "learning": "round", "learning_words": "Verse goes round, 8 bars; 2 learnt",
    "chord_source": "chart", "chord_played": "Am", "warnings": (),
    "song": "", "songs": 0, "song_number": 0, "section": "Verse", "next_section": "",
}  # fmt: skip


def terminal() -> None:
    """The panel at 80 columns, as SVG."""
    console = Console(record=True, width=80, file=io.StringIO(), force_terminal=True)
    for row in panel(STATUS, 79, 24, messages=STATUS.warnings):
        console.print(Text.assemble(*row, no_wrap=True))
    console.save_svg(str(PICTURES / "terminal.svg"), title="gigmate-live")


def ireal_set(browser: Any) -> None:
    """The page with a set that came from iReal Pro: a song under way, and the set list."""
    from stand_in import StandIn, open_remote

    found, numbers = open_songs(IREAL)
    songs = [found.song(number) for number in numbers]

    class Evening(StandIn):
        def lists(self) -> dict[str, Any]:
            rows = [
                {
                    "title": song.title,
                    "preset": load_preset(song.preset).name,
                    "key": song.chart.key,
                    "tempo_bpm": song.chart.tempo_bpm,
                }
                for song in songs
            ]
            return super().lists() | {"songs": rows}

    chart = songs[1].chart
    bars = [
        planned_bar(bar + 1, [chart.symbol_at(4.0 * bar + beat) for beat in range(4)]) for bar in range(2, 6)
    ]  # fmt: skip
    band = Evening()
    band.sections = list(chart.section_names)
    band.status = dataclasses.replace(
        STATUS, **LEARNING | {
            "planned": tuple(bars), "learning": "", "learning_words": "", "chord_played": chart.symbol_at(8.0),
            "song": songs[1].title, "song_number": 2, "songs": len(songs), "section": "A", "next_section": "",
            "tempo_bpm": chart.tempo_bpm, "time_source": "set tempo", "style": "bossa_nova", "preset": "Bossa nova",
            "chord": "Gm", "bar": 3, "recording": "", "muted": (False, False, False),
        }
    )  # fmt: skip
    face, port = open_remote(band)
    page = browser.new_page(viewport=PHONE, has_touch=True, is_mobile=True)
    page.goto(f"http://127.0.0.1:{port}/")
    page.wait_for_selector("#planned .bar")
    page.screenshot(path=PICTURES / "page-ireal-song.png")
    page.evaluate("document.querySelectorAll('details').forEach(e => { e.open = e.id === 'set'; })")
    page.locator("#set").scroll_into_view_if_needed()
    page.locator("#set").screenshot(path=PICTURES / "page-ireal-set.png")
    page.close()
    face.close()


def screens() -> None:
    """The page on a phone, at its top and scrolled down, and the panel's SVG, as PNG."""
    from playwright.sync_api import sync_playwright
    from stand_in import SONGS, StandIn, open_remote

    SONGS[1]["title"] = "Bright Side"
    band = StandIn()
    band.status = STATUS
    face, port = open_remote(band)
    program = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport=PHONE, has_touch=True, is_mobile=True, device_scale_factor=1.5)
        page.goto(f"http://127.0.0.1:{port}/")
        page.wait_for_selector('body[data-link="up"]')
        page.screenshot(path=PICTURES / "page.png")
        page.evaluate("document.querySelectorAll('details').forEach(e => { e.open = true; })")
        page.evaluate("scrollTo(0, 560)")
        page.screenshot(path=PICTURES / "page-lists.png")
        for name, (width, height) in SIZES.items():
            page = browser.new_page(viewport={"width": width, "height": height}, has_touch=True, is_mobile=True)
            page.goto(f"http://127.0.0.1:{port}/")
            page.wait_for_selector('body[data-link="up"]')
            page.screenshot(path=PICTURES / f"{name}.png")
        page.evaluate("scrollTo(0, 0)")
        band.status = dataclasses.replace(STATUS, **LEARNING)
        page.wait_for_selector("#planned .bar")
        page.evaluate("document.querySelectorAll('details').forEach(e => { e.open = e.id === 'learn_box'; })")
        page.screenshot(path=PICTURES / "page-learnt.png")
        ireal_set(browser)
        page = browser.new_page(viewport={"width": 1000, "height": 600})
        page.set_content((PICTURES / "terminal.svg").read_text(encoding="utf-8"))
        page.locator("svg").screenshot(path=PICTURES / "terminal.png")
        browser.close()
    face.close()


if __name__ == "__main__":
    PICTURES.mkdir(exist_ok=True)
    terminal()
    screens()
    for picture in sorted(PICTURES.iterdir()):
        print(f"{picture.name} {picture.stat().st_size} bytes")
        if picture.stat().st_size > MOST_BYTES:
            sys.exit(f"{picture.name} is larger than {MOST_BYTES} bytes")
