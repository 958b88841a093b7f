"""ChordPro, sheets of words, ABC: what is written is what is played."""

from __future__ import annotations

import pytest
from gigmate.engine.charts.chart import ChartError
from gigmate.sheets.library import open_bytes
from gigmate.sheets.writers.chordpro import as_chordpro

from .reading import played, read, sections

SONG = """# a comment
{title: Harbour Song}
{artist: Nobody}
{key: G}
{tempo: 96}
{time: 3/4}
{c: Intro}
[G] [D/F#] [Em7] [Cadd9]
{start_of_verse: Verse 1}
[G]Down by the [D]harbour, [*slowly]we [Em]went [Bb7]
{end_of_verse}
{soc}
[C]La la [D]la
{eoc}
{start_of_grid label="Solo"}
|: G . . | C . D | % . . |1 Em . . :|2 D7 . . ||
{end_of_grid}
{chorus}
"""


def test_chordpro_sections_grids_and_the_chorus_again() -> None:
    chart = read(SONG, ".cho")
    assert sections(chart) == [("Intro", 4), ("Verse 1", 4), ("Chorus", 2), ("Solo", 4), ("Solo", 4), ("Chorus", 2)]
    assert played(chart) == (
        "G | D/F# | Em7 | Cadd9 | G | D | Em | Bb7 | C | D | G | C . D | C . D | Em | G | C . D | C . D | D7 | C | D"
    )
    assert (chart.title, chart.key, chart.tempo_bpm, chart.beats_per_bar) == ("Harbour Song", "G", 96, 3)
    assert chart.remarks == ("line 8: words tell no bars: there each chord lasts one bar",)


@pytest.mark.parametrize(
    ("head", "expected", "key"),
    [
        ("{capo: 2}", "A | E", "A"),
        ("{transpose: -2}", "F | C", "F"),
        ("{capo: 2}{x}\n{transpose: 1}", "Bb | F", "Bb"),
        ("{meta: capo 3}", "Bb | F", "Bb"),
    ],
)
def test_what_sounds_is_played_not_what_is_fingered(head: str, expected: str, key: str) -> None:
    chart = read(f"{{title: T}}\n{{key: G}}\n{head}\n[G]one [D]two\n".replace("}{x}", "}"), ".cho")
    assert (played(chart), chart.key) == (expected, key)


def test_a_transposition_in_the_song_counts_from_there() -> None:
    assert played(read("{t: T}\n[C]a [F]b\n{transpose: 2}\n[C]c [F]d\n", ".cho")) == "C | F | D | G"


def test_a_songbook_is_several_songs() -> None:
    found = open_bytes(b"{t: One}\n[C]a\n{ns}\n{t: Two}\n[G]b [D]c\n", "book.cho", ".cho")
    assert [entry.title for entry in found.entries] == ["One", "Two"]
    assert played(found.song(1).chart) == "G | D"


def test_what_is_no_chord_in_brackets_is_said_and_left_out() -> None:
    chart = read("{t: T}\n[C]a [Riff]b [x2]\n{sot}\ne|--0--|\n{eot}\n[F7wild]c\n", ".cho")
    assert played(chart) == "C | C | F7"
    assert [text.split(":")[0] for text in chart.remarks] == ["line 2", "line 2", "line 3", "line 6"]
    assert "no chord 'F7wild'" in chart.remarks[3]


def test_chordpro_is_written_as_grids() -> None:
    song = open_bytes(SONG.encode(), "a.cho").song(0)
    again = read(as_chordpro(song), ".cho")
    assert played(again) == played(song.chart) and sections(again) == sections(song.chart)


WORDS = """My Little Tune
Key: Am
Capo 1

[Intro]
Am  F  C  G  x2

Verse 1:
Am            F
 Walking down the street
C        G/B      Am7
 A house I know

Chorus: F | C G | Am |
F / G /
Bm7(b5)  B7sus4   Eadd9  (Gmaj7#11)
e|-----0--3---|
"""


def test_words_with_chords_above_them() -> None:
    chart = read(WORDS, ".txt")
    assert chart.title == "My Little Tune" and chart.key == "Bbm"
    assert sections(chart)[0] == ("Intro", 4) and sections(chart)[1][0] == "Intro"
    assert played(chart).endswith(
        "| Bbm | Gb | Db | Ab/C | Bbm7 | Gb | Db Ab | Bbm | Gb Ab | Cm7b5 | C7sus4 | Fadd9 | Abmaj7#11"
    )
    assert any("tablature" in text and text.startswith("line 17") for text in chart.remarks)


def test_german_sheets_say_so_by_their_h() -> None:
    chart = read("Ein Lied\na        E7       a\nAuf dem Weg nach Haus\nH7       E    B    cis\ngeht es gut\n", ".txt")
    assert played(chart) == "Am | E7 | Am | B7 | E | Bb | C#m"


def test_words_alone_are_no_chart() -> None:
    with pytest.raises(ChartError):
        read("A horse, a horse,\nmy kingdom for a horse\n", ".txt")


@pytest.mark.parametrize(
    ("tune", "expected"),
    [
        ('"C"CCCC|"F"FFFF:|\n"G"GGGG|"Am"AAAA:|', "C | F | C | F | G | Am | G | Am"),
        ('|:"C"CCCC|1"F"FFFF:|2"G"GGGG||"Am"AAAA|]', "C | F | C | G | Am"),
        # a last ending that nothing ends is as long as the first, and what is behind it repeats by itself
        ('|:"C"C4|[1"F"F4:|[2"G"G4|"Am"A4|"Dm"D4:|', "C | F | C | G | Am | Dm | Am | Dm"),
        ('"C"C4||"F"F4|"G"G4:|', "C | F | G | F | G"),
        ('"C"C4|!segno!"F"F4|"G"G4!fine!|"Am"A4!D.S.!|]', "C | F | G | Am | F | G"),
        ('"C"C2"G7"G2|"^loud""Am"A>B "D7/F#"(3ABA|', "C G7 | Am D7/F#"),
        ('"F"[FA]4|"C" [CE]2 "G"z2|Z2|"Hm"B4|', "F | C G | G | G | Bm"),
        ('"C"C2 [M:3/4]|"F"F3|"Bb""Gm"B3|', "F | Bb"),
    ],
)
def test_abc(tune: str, expected: str) -> None:
    assert played(read(f"X:1\nT:Tune\nM:4/4\nL:1/4\nK:C\n{tune}\n", ".abc")) == expected


def test_a_pick_up_is_yours_and_its_beat_is_taken_from_the_last_bar() -> None:
    chart = read('X:1\nT:T\nM:4/4\nL:1/4\nQ:1/4=120\nK:Dmix\nA|"D"d4|"G"g3:|\nF|"A"a4|"D"d3|]\n')
    assert played(chart) == "D | G | D | G | A | D"
    assert [chart.beats_of_bar(bar) for bar in range(6)][-1] == 4
    assert chart.tempo_bpm == 120 and "pick-up" in chart.remarks[0]


def test_a_bar_of_one_beat_is_counted_with_the_bar_before() -> None:
    chart = read('X:1\nM:4/4\nL:1/4\nK:C\n"C"C4|"G"G4||"A7"A||"Dm"D4|\n')
    assert [chart.beats_of_bar(bar) for bar in range(chart.bars)] == [4, 5, 4]
    assert played(chart) == "C | G . . . A7 | Dm" and "one beat" in chart.remarks[0]


def test_abc_of_several_voices_takes_the_one_with_chords() -> None:
    chart = read('X:1\nM:4/4\nL:1/4\nK:F\nV:1\nF,4|C4|\nV:2\n"F"FAcf|"C7"cegc|\n')
    assert played(chart) == "F | C7"


@pytest.mark.parametrize("text", ["X:1\nK:C\n" + "|:" * 3000, "X:1\nK:C\n" + '"C"C|' * 5000, "X:1\nK:C\nZ999999|" * 50])
def test_what_no_musician_wrote_is_one_line(text: str) -> None:
    with pytest.raises(ChartError) as error:
        read(text, ".abc")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "text",
    [
        "-" * 19_000 + "q",
        "{a" + " " * 19_000,
        '"C"' + "{" * 19_000,
        "[" * 19_000,
        "(" * 19_000,
        "C " * 9_000 + "q",
        "x" * 5_000_000,
    ],
)
@pytest.mark.parametrize("suffix", [".txt", ".cho", ".abc"])
@pytest.mark.timeout(20)
def test_long_lines_take_no_longer_than_they_are(text: str, suffix: str) -> None:
    with pytest.raises(ChartError) as error:
        read(f"X:1\nK:C\n{text}\n" if suffix == ".abc" else text, suffix)
    assert "\n" not in str(error.value)
