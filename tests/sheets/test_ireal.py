"""iReal Pro: what is written there is what is played; what cannot be kept is said with its bar."""

from __future__ import annotations

import html
from pathlib import Path
from urllib.parse import quote

import pytest
from gigmate.engine.charts.chart import Chart, ChartError
from gigmate.sheets.library import Song, open_bytes, open_songs, read_chart, read_song
from gigmate.sheets.readers.ireal_links import scrambled, songs_of
from gigmate.sheets.writers.ireal import as_page
from gigmate.sheets.writers.notation import as_notation, cells


def link(*bodies: str, style: str = "Medium Swing", key: str = "C", tempo: int = 0) -> str:
    songs = [f"Song {n}=Doe Jane=={style}={key}=={scrambled(body)}=={tempo}=0" for n, body in enumerate(bodies, 1)]
    return "irealb://" + quote("===".join([*songs, "Tonight"] if len(songs) > 1 else songs))


def song(body: str, **given: str | int) -> Song:
    return open_bytes(link(body, **given).encode(), "a.txt").song(0)  # type: ignore[arg-type]


def played(chart: Chart) -> str:
    return " | ".join(cells(chart, chart.beat_at_bar(bar), chart.beats_of_bar(bar)) for bar in range(chart.bars))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("[T44C^7   |A-7   |D-9   |G7#5   Z", "Cmaj7 | A-7 | D-9 | G7#5"),
        # each section's second ending is led in by its own bars (findings/pyrealparser-endings.sh)
        (
            "*A{T44C |F |N1G |C }|N2G |D ]*B{E |A |N1B |E }|N2B |E ]",
            "C | F | G | C | C | F | G | D | E | A | B | E | E | A | B | E",
        ),
        ("{T44C |N1D }|N2E }|N3F ]", "C | D | C | E | C | F"),
        (
            "[*AT44C |F |Q G |C ][*BE |A |<D.C. al Coda>D |G ][QC6 |C6 Z",
            "C | F | G | C | E | A | D | G | C | F | C6 | C6",
        ),
        ("[T44C |SF |G |CQ |E |A <D.S. al Coda> ]QB |E Z", "C | F | G | C | E | A | F | G | C | B | E"),
        ("[T44C |F |G <Fine> |C ]E |A <D.C. al Fine> Z", "C | F | G | C | E | A | C | F | G"),
        ("{*AT44C |N1D }|N2E ][*BF |<D.C. al 3rd End.>G ]N3A Z", "C | D | C | E | F | G | C | A"),
        ("{T44C |N1D }|N2E ][*BF |<D.C. al 2nd End.>G Z", "C | D | C | E | F | G | C | E"),
        ("<3x>{T44C |F }G Z", "C | F | C | F | C | F | G"),
        # r stands for two bars, of which the second is left empty
        ("[T44C   |F   |r|XyQ|G   | x  Kcl LZA7   Z", "C | F | C | F | G | G | G | A7"),
        ("[T44C   |ppGp|n   |F7 W/A |ppEb7 |  D Z", "C | C G | N.C. | F7 F7/A | F7/A Eb7 | D"),
        ("[T44C^7(A-7)   |F7#11 sBb7,A7|lGh7 |C-^7 Z", "Cmaj7 | F7#11 . Bb7 A7 | Gø7 | C-maj7"),
        ("[T34C  |F G|G-7,C7,F7,|T44A   Z", "C | F . G | G-7 C7 F7 | A"),
    ],
)
def test_bars_are_played_as_the_signs_say(body: str, expected: str) -> None:
    assert played(song(body).chart) == expected


QUALITIES = """5 2 add9 + o h sus ^ - ^7 -7 7 7sus h7 o7 ^9 ^13 6 69 ^7#11 ^9#11 ^7#5 -6 -69 -^7 -^9 -9 -11 -7b5 h9 -b6
-#5 9 7b9 7#9 7#11 7b5 7#5 9#11 9b5 9#5 7b13 7#9#5 7#9b5 7#9#11 7b9#11 7b9b5 7b9#5 7b9#9 7b9b13 7alt 13 13#11 13b9 13#9
7b9sus 7susadd3 9sus 13sus 7b13sus 11"""


@pytest.mark.parametrize("quality", QUALITIES.split())
def test_every_chord_that_the_program_has_is_read(quality: str) -> None:
    chart = song(f"[T44Bb{quality}   |Bb{quality}/D   Z").chart
    assert not chart.remarks
    first, second = (change.chord for change in chart.changes)
    assert (first.root, second.root, second.bass) == (10, 10, 2)


def test_metres_change_where_they_are_written() -> None:
    chart = song("[T44C   |T34F  |T12G   |T68A  Z").chart
    assert [chart.beats_of_bar(bar) for bar in range(4)] == [4, 3, 4, 2]
    assert [chart.quarters_of_beat(bar) for bar in range(4)] == [1.0, 1.0, 1.5, 1.5]


def test_what_is_not_kept_is_said_once_with_its_bar() -> None:
    remarks = song("[T44C^7(A-7)   |D7(Ab7) f |<break>G7   |U C  Z").chart.remarks
    assert len(remarks) == 4
    assert remarks[0] == "bar 1: the alternate chord (A-7) is left out"
    assert any("'break'" in text and text.startswith("bar 3") for text in remarks)


def test_a_chord_that_is_none_is_said_and_the_rest_of_it_read() -> None:
    chart = song("[T44C*7wild*   |F  Z").chart
    assert played(chart) == "C7 | F"
    assert "bar 1: no chord 'C7wild'" in chart.remarks[0] and "read as C7" in chart.remarks[0]


def test_sections_and_head() -> None:
    found = song("{*iT44C |F }[*AG |A |B |C ]*BD |E Z", style="Bossa Nova", key="D-", tempo=132)
    assert [(one.name, one.bars) for one in found.chart.sections] == [("Intro", 2), ("Intro", 2), ("A", 4), ("B", 2)]
    assert (found.chart.key, found.chart.tempo_bpm, found.preset, found.composer) == (
        "Dm",
        132,
        "bossa_nova",
        "Doe Jane",
    )
    assert found.chart.loops


def test_a_song_without_composer_or_style_and_a_book_without_a_name() -> None:
    body = scrambled("[T44C |F Z")
    text = f"One===Swing=A-=={body}==120=2===Two=Doe== =C=={body}=Jazz-Swing=90=3===Three=Doe==Bossa Nova=F=-5={body}"
    first, second, third = songs_of("irealb://" + quote(text))
    assert (first.title, first.composer, first.style, first.key, first.tempo_bpm) == ("One", "", "Swing", "A-", 120)
    assert (second.title, second.style, second.key, second.tempo_bpm) == ("Two", "", "C", 90)
    assert (third.title, third.style, third.key, third.body) == ("Three", "Bossa Nova", "F", "[T44C |F Z")


def test_long_bodies_are_unscrambled() -> None:
    body = "[T44" + "|".join(f"{root}-7{' ' * (n % 4)}" for n, root in enumerate("ABCDEFG" * 9)) + "Z"
    assert songs_of(link(body))[0].body == body
    assert len(played(song(body).chart).split(" | ")) == 63


def test_a_page_with_a_playlist(tmp_path: Path) -> None:
    page = tmp_path / "tonight.html"
    page.write_text(f'<html><a href="{html.escape(link("[T44C |F Z", "[T34G7 |C Z"))}">Tonight</a></html>')
    found, numbers = open_songs(page)
    assert [entry.title for entry in found.entries] == ["Song 1", "Song 2"] and numbers == [0, 1]
    with pytest.raises(ChartError, match="holds 2 songs"):
        read_chart(page)
    assert played(read_chart(f"{page}#2")) == played(read_chart(f"{page}#song 2")) == "G7 | C"
    with pytest.raises(ChartError, match=r"no song 'Sing 2' \(did you mean Song 2\?\)"):
        read_chart(f"{page}#Sing 2")


def test_open_links_of_the_published_protocol() -> None:
    chart = read_song("irealbook://Song Title=Doe Jane=Swing=Ab=n=T44*A{C^7 |A-7 |D-9 |G7#5 }").chart
    assert played(chart) == "Cmaj7 | A-7 | D-9 | G7#5 | Cmaj7 | A-7 | D-9 | G7#5"
    assert chart.key == "Ab"


@pytest.mark.parametrize(
    "broken",
    ["irealb://", "irealb://Half a song", "irealb://A=B==Swing=C==1r34LbKcu7", "irealb://=" + "=" * 3000, "irealbook://A=B=C",
     link("x|r|x"), link("Z" * 300), link("{" * 400 + "C" + "}" * 400), link("{<99x>C " * 70 + "}" * 70)],
)  # fmt: skip
def test_what_is_no_song_is_one_line(broken: str) -> None:
    try:
        chart = open_bytes(broken.encode(), "a.txt").song(0).chart
    except ChartError as error:
        assert "\n" not in str(error) and str(error).startswith("a.txt")
    else:
        assert chart.bars <= 4000


@pytest.mark.parametrize(
    "body",
    [
        "[T44C^7   |A-7 D7|T34G  |T12Fh7/B   |C D E Z",
        "{*AT44C |N1D }|N2E ][*vF7alt |n ][*AC |E Z",
        "{*AT44C |D }[*BE |F ][*AC |D Z",
        "[*AT44C |D ][*AE |F ][*AE |F ][*BG |T34A ][*AE |F ][*AC |D Z",
    ],
)
def test_what_is_written_reads_as_the_same(body: str) -> None:
    first = song(body)
    again = open_bytes(as_page([first], "a").encode(), "a.html").song(0).chart
    assert played(again) == played(first.chart) and again.metres == first.chart.metres
    notation = open_bytes(as_notation(first.chart).encode(), "a.chart", ".chart").song(0).chart
    assert played(notation) == played(first.chart)
    assert {section.name for section in notation.sections} == {section.name for section in first.chart.sections}
