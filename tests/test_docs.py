"""README is short, every link of every page leads somewhere, every page is in the index, every example can be heard."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import soundfile
from gigmate.engine.run import lookahead
from gigmate.engine.run.start import rehearsal
from gigmate.latency import budget

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "model" / "weights" / "README.md"])


def prose(path: Path) -> str:
    """The page without blocks of code."""
    return re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def anchors(path: Path) -> set[str]:
    """The names that headings get on GitHub."""
    headings = re.findall(r"^#+ (.+)$", prose(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").split()) <= 1500


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", prose(page)) + re.findall(r'\bsrc="([^"]+)"', prose(page))
    for link in links:
        if re.match(r"(https?|mailto):", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), f"{page.name}: {link}"
        if anchor:
            assert anchor in anchors(target), f"{page.name}: {link}"


def test_every_page_is_in_the_index() -> None:
    index = ROOT / "docs" / "README.md"
    linked = {(index.parent / link).resolve() for link in re.findall(r"\]\(([^)#\s]+)\)", prose(index))}
    for page in (ROOT / "docs").rglob("*.md"):
        assert page == index or page in linked, f"add {page.relative_to(ROOT)} to docs/README.md"


def test_every_example_can_be_heard() -> None:
    page = prose(ROOT / "docs" / "listen.md")
    players = re.findall(r'<audio controls preload="none" src="([^"]+)"></audio> \[[^\]]+\]\(([^)]+)\)', page)
    files = {path.name for path in (ROOT / "docs" / "results" / "examples").glob("*.ogg")}
    assert {Path(source).name for source, _ in players} == files
    for source, link in players:
        assert source == link
        assert soundfile.info(ROOT / "docs" / source).duration > 10


def test_the_terms_of_the_look_ahead_are_those_of_the_budget() -> None:
    text = prose(ROOT / "docs" / "latency.md")
    rows = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", text, re.MULTILINE))
    stages = budget.Budget(1920, budget.Delays(), 0.0).stages()
    assert {*stages, "resample_in", "listen"} == set(rows)
    declared = {name.removesuffix("_samples") for name in budget.Delays.__slots__}
    assert declared <= set(rows)
    examples = [float(re.split(r" \| ", rows[name])[2].split()[0]) for name in stages]
    assert f"The sum of the example is {sum(examples):.1f} ms." in text
    assert f"fixed (`MARGIN_MS`) | {lookahead.MARGIN_MS} ms" in text
    assert f"At most {budget.MAX_AHEAD_FRAMES} frames ({40 * budget.MAX_AHEAD_FRAMES} ms)" in text
    assert rehearsal.PACED_FRAMES == 10 and "its last ten frames" in text
    assert f"{rehearsal.SLOW_STEP} times the median" in text
    assert lookahead.OFFSETS_PER_FRAME == 16 and "a sixteenth of a frame (2.5 ms)" in text
    assert (budget.SETTLE_RESERVE, budget.SHRINK_RESERVE, budget.LEAST_SPARED) == (0.05, 0.25, 0.125)
    assert "with a twentieth of a frame (2 ms) to spare" in text and "leaves a quarter of one to spare" in text
    assert "60 s in which 5 ms less would have done" in text
    assert f"{lookahead.OFFLINE_STEP_SHARE} of a frame" in text
