"""A chart as a text or as bytes that are no file's, as servers are sent them: any format, and nothing is opened."""

from __future__ import annotations

import io
from pathlib import Path

import mido
import pytest
from gigmate.engine.charts.chart import ChartError
from gigmate.engine.charts.chart_parser import parse_chart
from gigmate.sheets.library import Song, chart_of_bytes, chart_of_text, open_bytes
from gigmate.sheets.writers.targets import text_for

from .reading import played

CHART = parse_chart("title: Pier\nkey: Am\n[A]\n| Am | F | C/G | G7 |")
SONG = Song("Pier", "", "", "", CHART)
BARS = "Am | F | C/G | G7"
ABC = 'X:1\nT:Pier\nM:4/4\nL:1/4\nK:Am\n"Am"A4 | "F"F4 | "C/G"G4 | "G7"G4 |]\n'
WORDS = "Am          F\nDown by the pier\nC/G        G7\nwaiting for you\n"


@pytest.mark.parametrize("suffix", [".chart", ".cho", ".html", ".musicxml"])
def test_what_we_write_is_read_without_a_name(suffix: str) -> None:
    text = text_for([SONG], suffix, "pier")
    chart = chart_of_text(text)
    assert [chart.chord_at(beat) for beat in range(16)] == [CHART.chord_at(beat) for beat in range(16)]
    assert chart == chart_of_bytes(text.encode(), f"pier{suffix}")


@pytest.mark.parametrize("text", [ABC, WORDS, "\ufeff| Am | F | C/G | G7 |"])
def test_other_texts(text: str) -> None:
    assert played(chart_of_text(text)) == BARS


@pytest.mark.parametrize("encoding", ["UTF-16", "latin-1", "no-such"])
def test_the_encoding_that_a_score_once_had_says_nothing_of_its_letters(encoding: str) -> None:
    text = text_for([SONG], ".musicxml", "pier")
    declared = text.replace('encoding="UTF-8"', f'encoding="{encoding}"')
    assert declared != text
    assert chart_of_text(declared).symbol_at(8) == "C/G"


def test_midi_as_bytes() -> None:
    file = mido.MidiFile(ticks_per_beat=480)
    track = mido.MidiTrack()
    track += [
        mido.MetaMessage("marker", text=name, time=0 if not place else 1920) for place, name in enumerate(("Am", "F"))
    ]
    track.append(mido.MetaMessage("end_of_track", time=1920))
    file.tracks.append(track)
    data = io.BytesIO()
    file.save(file=data)
    assert played(chart_of_bytes(data.getvalue())) == "Am | F"


def test_one_of_several_songs_is_not_guessed() -> None:
    page = text_for([SONG, SONG], ".html", "pier")
    with pytest.raises(ChartError, match=r"chart: 2 songs \(Pier, Pier"):
        chart_of_text(page)


@pytest.mark.parametrize("name", ["/etc/passwd", "song.chart", "https://127.0.0.1/song.chart", "", " "])
def test_a_name_is_no_chart(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "song.chart").write_text("| C |")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ChartError, match="chart"):
        chart_of_text(name)


@pytest.mark.parametrize("data", [b"", b"MThd", b"PK\x03\x04", b"<?xml version='1.0'?><a/>", b"\x00" * 99])
def test_bytes_that_are_none_are_one_line(data: bytes) -> None:
    with pytest.raises(ChartError) as raised:
        chart_of_bytes(data, "a.mid", "chart_file")
    assert "\n" not in str(raised.value)
    assert str(raised.value).startswith("chart_file")
    assert open_bytes(b"| C |", "a").format


def test_files_of_programs_that_are_not_read_are_named() -> None:
    with pytest.raises(ChartError, match="Band-in-a-Box"):
        chart_of_bytes(b"anything", "song.mgu")
