"""What the tests of charts from elsewhere share: a file's bytes read, and bars as text."""

from __future__ import annotations

from gigmate.engine.charts.chart import Chart
from gigmate.sheets.library import open_bytes
from gigmate.sheets.writers.notation import cells


def read(text: str | bytes, suffix: str = "", song: int = 0) -> Chart:
    """The chart in a file of that text."""
    data = text if isinstance(text, bytes) else text.encode()
    return open_bytes(data, f"song{suffix}", suffix).song(song).chart


def played(chart: Chart) -> str:
    """Its bars as they are played."""
    return " | ".join(cells(chart, chart.beat_at_bar(bar), chart.beats_of_bar(bar)) for bar in range(chart.bars))


def sections(chart: Chart) -> list[tuple[str, int]]:
    """Names and lengths."""
    return [(section.name, section.bars) for section in chart.sections]
