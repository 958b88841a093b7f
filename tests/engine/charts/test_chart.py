"""Charts: what a musician writes is what is played; what cannot be read is named by line and bar."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from gigmate.engine.charts.chart import Chart, ChartError
from gigmate.engine.charts.chart_parser import MOST_BARS, parse_chart, read_chart
from gigmate.engine.charts.chord_symbol import (
    FLAT_NAMES,
    SHARP_NAMES,
    ChordError,
    ChordSymbol,
    parse_chord,
    parse_key,
    transposed,
)
from gigmate.engine.errors import ConfigError
from hypothesis import given
from hypothesis import strategies as st

C = 0


def played(chart: Chart) -> str:
    """One pass, a bar a word, beats of a bar joined where they differ."""
    bars = []
    for bar in range(chart.bars):
        names = [chart.symbol_at(chart.beat_at_bar(bar) + beat) for beat in range(chart.beats_of_bar(bar))]
        bars.append(names[0] if len(set(names)) == 1 else ",".join(names))
    return " ".join(bars)


def tones(text: str) -> set[int]:
    return set(parse_chord(text).tones)


# ---------------------------------------------------------------------------------------------------- symbols


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ("C CM Cmaj", {0, 4, 7}),
        ("Cm C- Cmin Cmi", {0, 3, 7}),
        ("C7", {0, 4, 7, 10}),
        ("Cmaj7 CM7 CΔ C△7 C^7 Cma7", {0, 4, 7, 11}),
        ("Cm7 C-7 Cmin7", {0, 3, 7, 10}),
        ("CmM7 Cm(maj7) Cmmaj7", {0, 3, 7, 11}),
        ("Cdim C° Co", {0, 3, 6}),
        ("Cdim7 C°7 Co7", {0, 3, 6, 9}),
        ("Cø Cø7 CØ Cm7b5 Cm7♭5 C-7-5", {0, 3, 6, 10}),
        ("Caug C+", {0, 4, 8}),
        ("Caug7 C+7 C7#5 C7+5", {0, 4, 8, 10}),
        ("Csus Csus4 C4", {0, 5, 7}),
        ("Csus2 C2", {0, 2, 7}),
        ("C7sus4 C7sus", {0, 5, 7, 10}),
        ("Cadd9 C(add9) Cadd2", {0, 2, 4, 7}),
        ("C6", {0, 4, 7, 9}),
        ("C6/9 C69", {0, 2, 4, 7, 9}),
        ("C9", {0, 2, 4, 7, 10}),
        ("C11 C9sus4", {0, 2, 5, 7, 10}),
        ("C13", {0, 2, 4, 7, 9, 10}),
        ("C7alt Calt", {0, 1, 3, 4, 8, 10}),
        ("C7b9#11 C7(b9,#11)", {0, 1, 4, 6, 7, 10}),
        ("Cmaj9#11", {0, 2, 4, 6, 7, 11}),
        ("C5", {0, 7}),
        ("C7+ C7aug C+7", {0, 4, 8, 10}),
        ("CmMaj7 CmiMa7 Cm/maj7 Cm+7 C-Δ7", {0, 3, 7, 11}),
        ("C°M7 Cdim(maj7)", {0, 3, 6, 11}),
        ("C+M7 CaugM7 Cmaj7#5", {0, 4, 8, 11}),
        ("Csus24 Csus2sus4", {0, 2, 5, 7}),
        ("Csus9 C9sus", {0, 2, 5, 7, 10}),
        ("C7susadd3", {0, 4, 5, 7, 10}),
        ("C-5 C(b5)", {0, 4, 6}),
    ],
)
def test_every_quality_a_musician_writes(texts: str, expected: set[int]) -> None:
    for text in texts.split():
        assert tones(text) == expected, text


def test_roots_and_accidentals() -> None:
    for names in (FLAT_NAMES, SHARP_NAMES):
        assert [parse_chord(name).root for name in names] == list(range(12))
    assert parse_chord("B♭m7").root == 10
    assert parse_chord("F♯ø").root == 6
    assert parse_chord("E#").root == 5
    assert parse_chord("Cb").root == 11


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("H7 Hm Fis Cis7 Es Esm7 As Asus2 Esus4 Des Bes", "B7 Bm F# C#7 Eb Ebm7 Ab Asus2 Esus4 Db Bb"),
        ("C∅ C⌀7 Bh7 Ah", "Cø Cø7 Bø7 Aø"),
        ("C7M CMA7 Cj7 Cj C7M(9) Cm7M Cmj7 CMI7", "Cmaj7 Cmaj7 Cmaj7 Cmaj7 Cmaj9 CmM7 CmM7 Cm7"),
        ("C7(9) C7(9,13) C7(b9,13) Cm7(11) C7/9 CSUS4", "C9 C13 C7b9add13 Cm7add11 C9 Csus4"),
        ("C/g D7/fis Gm/B", "C/G D7/F# Gm/B"),
    ],
)
def test_spellings_of_other_countries_and_programs(written: str, plain: str) -> None:
    for text, same in zip(written.split(), plain.split(), strict=True):
        chord, expected = parse_chord(text), parse_chord(same)
        assert (chord.root, chord.bass, chord.tones) == (expected.root, expected.bass, expected.tones), text


def test_german_notation() -> None:
    written, plain = "B B7 H a a7 fis es b d° Gm/B Bb", "Bb Bb7 B Am Am7 F#m Ebm Bbm Ddim Gm/Bb Bb"
    assert [parse_chord(text, german=True).name for text in written.split()] == plain.split()


@pytest.mark.parametrize("quality", ["m7x", "maj7x", "7x", "mx", "m7b55", "maj77", "dim77", "sus44", "mmaj77", "-7z"])
def test_a_hint_has_the_third_and_the_seventh_that_were_written(quality: str) -> None:
    with pytest.raises(ChordError) as caught:
        parse_chord("C" + quality)
    hint = re.search(r"did you mean (\S+)\?", str(caught.value))
    if hint is None:
        return
    tones = set(parse_chord(hint[1]).tones)
    minor, seventh = quality.startswith(("m7", "mx", "mm", "-", "dim")), "7" in quality
    if "sus" not in quality:
        assert (3 in tones) == minor
    assert (11 in tones) == ("maj7" in quality)
    assert bool(tones & {9, 10, 11}) == seventh


def test_slash_chords_have_a_bass_that_sounds() -> None:
    chord = parse_chord("C/Bb")
    assert (chord.root, chord.bass, chord.name) == (0, 10, "C/Bb")
    assert set(chord.tones) == {0, 4, 7, 10}
    assert parse_chord("C6/9").bass == 0
    assert parse_chord("C6/9/E").bass == 4


def test_no_chord_is_silence() -> None:
    for text in ("N.C.", "NC", "n.c."):
        chord = parse_chord(text)
        assert chord.root == -1
        assert not any(chord.pitch_classes)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Amn", "did you mean Am?"),
        ("am", "did you mean Am?"),
        ("a7", "write A7 or Am7"),
        ("Cm7x", "did you mean Cm7?"),
        ("Cmaj7y", "did you mean Cmaj7?"),
        ("C7sus3", "did you mean C7sus4?"),
        ("C/X", "'X' is none"),
        ("Q", "A to G"),
        ("C" * 500, "..."),
        ("", "A to G"),
    ],
)
def test_what_is_no_chord_is_answered_with_the_nearest(text: str, words: str) -> None:
    with pytest.raises(ChordError) as caught:
        parse_chord(text)
    assert words in str(caught.value)
    assert len(str(caught.value)) < 120
    assert isinstance(caught.value, ConfigError)


def test_keys() -> None:
    assert parse_key("Am") == (9, True)
    assert parse_key("B♭") == (10, False)
    assert parse_key("F# minor") == (6, True)
    assert parse_key("c major") == (0, False)
    assert parse_key("a") == parse_key("a-Moll") == (9, True)
    assert parse_key("Es-Dur") == parse_key("Es") == parse_key("Eb") == (3, False)
    assert parse_key("fis") == (6, True)
    assert parse_key("H") == (11, False)
    assert (parse_key("B"), parse_key("B", german=True)) == ((11, False), (10, False))
    for text in ("I", "Am7", "", "Cis dor"):
        with pytest.raises(ChordError):
            parse_key(text)


# --------------------------------------------------------------------------------------------------- notation


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("| Am | F | C G |", "Am F C,C,G,G"),
        ("Am | F | C | G", "Am F C G"),
        ("|: Am | F :| C |", "Am F Am F C"),
        ("|: Am | F :| x3 C |", None),
        ("|: Am | F :| x3 | C |", "Am F Am F Am F C"),
        ("|: Am\n| F :|\n| C |", "Am F Am F C"),
        ("| C | G :|", "C G C G"),
        ("|: C :|: D :|", "C C D D"),
        ("| Am | F | x3", "Am F Am F Am F"),
        ("| Am | F | (×2)\n| C |", "Am F Am F C"),
        ("| Am | F | 2x", "Am F Am F"),
        ("|: Am | F |1. C | G :|2. C | E7 || D |", "Am F C G Am F C E7 D"),
        ("|: A |1. B :|2. C :|3. D |", "A B A C A D"),
        ("| Am | % | F . . % |", "Am Am F"),
        ("| C . G/B . | Am / / G |", "C,C,G/B,G/B Am,Am,Am,G"),
        ("| C | . . . G |", "C C,C,C,G"),
        ("| C D E F G A B C |", "C,E,G,B"),
        ("𝄆 C ‖ D 𝄇", "C D C D"),
        ("# a song\n| C | # and so on\n#| D |", "C"),
        ("[Verse] | C | D |\n[Chorus] x2\n| E |\n[Verse]", "C D E E C D"),
        ("[Chorus x2] | E |", "E E"),
        ("metre: 3/4\n| C | D . E |", "C D,D,E"),
        ("metre: 6/8\n| C D |", "C,D"),
        ("time: 5/4\n| C . . D . |", "C,C,C,D,D"),
        ("| C G | 3/4 C . G | % | 4/4 D E |", "C,C,G,G C,C,G C,C,G D,D,E,E"),
        ("| C | 3/4 % | 2 / 4 D E |", "C C D,E"),
        ("| C |\nmetre: 3/4\n| D . E |\n|: D |1. 4/4 E . F . :|2. 2/4 E F |", "C D,D,E D E,E,F,F D E,F"),
        ("| C | F | %% | |", "C F C F"),
        ("| C | F | %% | G |", "C F C F G"),
        ("| C | F | G Fine | Am D.C. al Fine |", "C F G Am C F G"),
        ("| C | segno F | G | Am | D.S. |", "C F G Am F G Am"),
        ("| C | F To Coda | G | D.C. al Coda |\n[Coda]\n| A | D |", "C F G C F A D"),
        ("𝄋\n|: C |1. D :|2. E 𝄌 |\n| F | D.S. al Coda\n𝄌 | G |", "C D C E F C E G"),
        ("[A]\n| C | F Fine |\n[B]\n|: G :| Am |\nda capo al fine", "C F G G Am C F"),
        ("|: C :| x3 | D |\nD.C.", "C C C D C D"),
        ("| C |\nFine\n| D | dc |", "C D C"),
        ("pickup: 1\n| G7 | C | F |", "C F"),
        ("| H7 | Em | B |", "B7 Em Bb"),
        ("notation: german\n| d | B | A7 |", "Dm Bb A7"),
        ("[A]\n| C . D . |\n[B]\n| 3/4 E F G |\n[A]\n[C]\n| D E |\n", "C,C,D,D E,F,G C,C,D,D D,D,E,E"),
    ],
)
def test_notation(text: str, expected: str | None) -> None:
    if expected is None:
        with pytest.raises(ChartError):
            parse_chart(text)
    else:
        assert played(parse_chart(text)) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("| Amn | F |", ["chart line 1, bar 1", "did you mean Am?"]),
        ("| C | D |\n| E | F | Gmay7 |", ["line 2, bar 3", "did you mean Gmaj7?"]),
        ("| C | | G |", ["line 1, bar 2", "%"]),
        ("|: C | D", [":|"]),
        ("|: C |1. D :| E |", ["bar 3", "no 2."]),
        ("|: C |1. D :|3. E |", ["2. was expected"]),
        ("|2. C |", ["ending 2."]),
        ("| C G Am |", ["3 chords in 4 beats", "| C . G Am |"]),
        ("tmpo: 120\n| C |", ["line 1", "did you mean tempo?"]),
        ("metre: 4/5\n| C |", ["4/4"]),
        ("| C |\nmetre: 3/5", ["line 2", "metre"]),
        ("metre: 3/4\nmetre: 4/4\n| C |", ["line 2", "twice"]),
        ("| C | 3/4 D E |", ["bar 2", "2 chords in 3 beats"]),
        ("| C | 3/4 |", ["bar 2", "nothing after 3/4"]),
        ("| C | 5/3 D |", ["bar 2", "4/4"]),
        ("| C G | 3/4 % |", ["bar 2", "4 beats in a bar of 3"]),
        ("[3/4]\n| C |", ["line 1", "| 3/4 Am |"]),
        ("tempo: 999\n| C |", ["30 to 300"]),
        ("end: stpo\n| C |", ["did you mean stop?"]),
        ("key: I\n| C |", ["line 1", "no key"]),
        ("key: C\nkey: D\n| C |", ["line 2", "twice"]),
        ("[Chorus]\n| C |\n[Chrous]", ["line 3", "did you mean Chorus?"]),
        ("Verse: | C |", ["[Verse]"]),
        ("| % |", ["none"]),
        ("| . C |", ["none"]),
        ("| C | x0", ["1 to 99"]),
        ("| %% |", ["two bars"]),
        ("| C | D.C. | E |", ["nothing leads to"]),
        ("| C | F Fine |", ["no D.C."]),
        ("| C | D.S. |", ["Segno"]),
        ("| C | F |\nD.C. al Fine", ["without a Fine"]),
        ("| C | F |\nD.C. al Coda", ["To Coda"]),
        ("| C D.C. | F D.C. |", ["more than one"]),
        ("D.S.\n| C |", ["before the first bar"]),
        ("metre: 3/4\npickup: 3\n| C |", ["pickup"]),
        ("notation: grman\n| C |", ["did you mean german?"]),
        ("", ["no bar"]),
        ("hello", ["bar line"]),
        ("|: |: C :|", ["|:"]),
        ("|: :|", ["nothing between"]),
        ("| C |" * 60 + " x99", [str(MOST_BARS)]),
    ],
)
def test_a_fault_names_its_place_and_the_mend(text: str, words: list[str]) -> None:
    with pytest.raises(ChartError) as caught:
        parse_chart(text)
    for word in words:
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_bomb_of_repeats_is_refused_before_it_is_built() -> None:
    lines = ["[A] | C | x99"] + [f"[{name}] x99\n|: C :| x99" for name in "BCDEFG"]
    with pytest.raises(ChartError, match=str(MOST_BARS)):
        parse_chart("\n".join(lines))


def test_what_may_not_be_meant_is_remarked() -> None:
    (remark,) = parse_chart("key: F\n| F | B/D | C7 |").remarks
    assert "B natural" in remark
    for text in ("key: F\n| F | Bb |", "key: E\n| E | B |", "key: F\nnotation: german\n| F | B |", "key: F\n| H7 |"):
        assert parse_chart(text).remarks == ()


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "song.chart"
    path.write_bytes("title: Früh\n| C |".encode("utf-8-sig"))
    assert read_chart(path).title == "Früh"
    path.write_bytes(b"\xff\xfe\x00|")
    with pytest.raises(ChartError, match="UTF-8"):
        read_chart(path)
    with pytest.raises(ChartError, match=r"none\.chart"):
        read_chart(tmp_path / "none.chart")
    path.write_text("| C |\n| Xm |")
    with pytest.raises(ChartError, match=r"song\.chart line 2, bar 1"):
        read_chart(path)


# ------------------------------------------------------------------------------------------------------ value

SONG = parse_chart("key: Am\n[Verse] | Am | F | C | G |\n[Chorus] | Dm7 | E7/G# |\n[Verse]\n[Outro] | Am |")


def test_chords_and_sections_by_beat() -> None:
    assert SONG.chord_at(0.0) == (9, tuple(1.0 if i in (9, 0, 4) else 0.0 for i in range(12)))
    assert SONG.symbol_at(3.999) == "Am"
    assert SONG.symbol_at(4.0) == "F"
    assert SONG.symbol_at(4.0 - 1e-9) == "F"  # sums of floats fall a hair short
    assert SONG.section_at(15.9) == "Verse"
    assert SONG.section_at(16.0) == "Chorus"
    assert SONG.bars == 11
    assert SONG.length_beats == 44.0


def test_it_goes_round_or_stays() -> None:
    assert SONG.symbol_at(44.0 + 4.0) == "F"
    assert SONG.symbol_at(1e9 * 44.0 + 4.0) == "F"
    assert not SONG.over(1e9)
    once = parse_chart("end: stop\n| C | D |")
    assert not once.over(7.9)
    assert once.over(8.0)
    assert once.symbol_at(1e9) == "D"
    assert once.next_section(4.0) is None


def test_sections_to_jump_to() -> None:
    assert SONG.section_start("chorus") == 16.0
    assert SONG.section_start("Verse", after_beats=17.0) == 24.0
    assert SONG.section_start("Verse", after_beats=30.0) == 0.0
    assert SONG.section_start("Bridge") is None
    assert SONG.next_section(0.0) == ("Chorus", 16.0)
    assert SONG.next_section(43.0) == ("Verse", 0.0)
    assert SONG.section_names == ("Verse", "Chorus", "Outro")


MIXED = parse_chart("[A] | C | F G |\n[B] | 3/4 Am . E | % | 2/4 D |\n[C] | 4/4 Em |")


def test_bars_of_several_metres() -> None:
    assert [MIXED.beats_of_bar(bar) for bar in range(-1, 13)] == [4, 4, 4, 3, 3, 2, 4, 4, 4, 3, 3, 2, 4, 4]
    assert (MIXED.bars, MIXED.length_beats, MIXED.beats_per_bar) == (6, 20.0, 4)
    assert [section.start_beats for section in MIXED.sections] == [0.0, 8.0, 16.0]
    assert MIXED.symbol_at(MIXED.beat_at_bar(3 + 2 / 3)) == "E"
    assert MIXED.beat_at_bar(10.5) == 35.0
    assert MIXED.symbol_at(35.0) == "D"
    once = parse_chart("end: stop\n| C | 3/4 D |")
    assert (once.beats_of_bar(9), once.beat_at_bar(2.0), once.beat_at_bar(4.0)) == (3, 7.0, 13.0)
    assert once.over(once.beat_at_bar(2.0))
    assert MIXED.transposed(2).metres == MIXED.metres
    assert parse_chart("| 4/4 C | 4/4 F |") == parse_chart("| C | F |")


@given(
    st.lists(st.integers(2, 7), min_size=1, max_size=9),
    st.booleans(),
    st.integers(0, 40),
    st.sampled_from([0.0, 0.25, 0.5, 2 / 3]),
)
def test_bars_to_beats_and_back(beats: list[int], loops: bool, bar: int, phase: float) -> None:
    text = " ".join(f"| {count}/4 C" for count in beats)
    chart = parse_chart(f"end: {'loop' if loops else 'stop'}\n{text} |")
    at = chart.beat_at_bar(bar + phase)
    counted = sum(chart.beats_of_bar(number) for number in range(bar)) + phase * chart.beats_of_bar(bar)
    assert at == pytest.approx(counted)
    assert chart.bar_at_beat(at) == pytest.approx(bar + phase)


def test_a_chart_is_a_value() -> None:
    text = "| C | G |"
    assert parse_chart(text) == parse_chart(text)
    assert hash(parse_chart(text)) == hash(parse_chart(text))
    with pytest.raises(AttributeError):
        SONG.title = "x"  # type: ignore[misc]


def test_transposing_by_key() -> None:
    assert played(SONG.in_key("Bm")).startswith("Bm G D A Em7 F#7/A#")
    assert played(SONG.in_key("Gm")).startswith("Gm Eb Bb F Cm7 D7/Gb")
    assert played(SONG.in_key("D")).startswith("Bm")  # D major is B minor's own scale
    assert SONG.in_key("Am") == SONG
    with pytest.raises(ChartError, match="key: "):
        parse_chart("| C |").in_key("D")


# ------------------------------------------------------------------------------------------------- properties

ROOTS = st.sampled_from([*FLAT_NAMES, *SHARP_NAMES])
QUALITIES = st.sampled_from(
    ["", "m", "7", "maj7", "m7", "dim", "ø", "sus4", "add9", "6", "6/9", "9", "13", "aug", "7alt"]
)


@st.composite
def symbols(draw: st.DrawFn) -> str:
    return draw(ROOTS) + draw(QUALITIES) + draw(st.one_of(st.just(""), ROOTS.map(lambda name: f"/{name}")))


@given(symbols(), st.integers(-24, 24), st.booleans())
def test_transposing_there_and_back(text: str, semitones: int, flats: bool) -> None:
    chord = parse_chord(text)
    moved = transposed(chord, semitones, flats)
    assert parse_chord(moved.name).pitch_classes == moved.pitch_classes
    assert (moved.root, moved.bass) == ((chord.root + semitones) % 12, (chord.bass + semitones) % 12)
    back = transposed(moved, -semitones, flats)
    assert (back.root, back.pitch_classes, back.bass) == (chord.root, chord.pitch_classes, chord.bass)


@given(st.lists(st.lists(symbols(), min_size=1, max_size=4).filter(lambda bar: len(bar) != 3), min_size=1, max_size=12))
def test_what_is_written_is_what_is_read(bars: list[list[str]]) -> None:
    chart = parse_chart("| " + " | ".join(" ".join(bar) for bar in bars) + " |")
    assert chart.bars == len(bars)
    for number, bar in enumerate(bars):
        for place, text in enumerate(bar):
            at = number * 4 + place * 4 / len(bar)
            for beat in (at, at + chart.length_beats, at + 4 / len(bar) - 0.01):
                assert chart.symbol_at(beat) == parse_chord(text).name
                assert chart.chord_at(beat) == (parse_chord(text).root, parse_chord(text).pitch_classes)


@given(
    st.lists(
        st.sampled_from(
            [
                "| C | G |",
                "|: Am",
                "| F :|",
                ":| x3",
                "|1. C",
                ":|2. D |",
                "[A]",
                "[B x2]",
                "%",
                "| % |",
                "key: G",
                "metre: 3/4",
                "| 3/4 C D E |",
                "6/8 A",
                "x2",
                "|",
                "||",
                "# no",
                "end: stop",
                "| C . D |",
                "|:",
                ":|",
                "[A] x9",
                "D.C.",
                "D.S. al Coda",
                "Fine",
                "| C segno |",
                "To Coda",
                "[Coda]",
                "%%",
                "pickup: 1",
                "notation: german",
                "| H | b |",
            ]
        ),
        max_size=12,
    ),
    st.sampled_from(["\n", " "]),
)
def test_pieces_in_any_order_are_a_chart_or_one_line(pieces: list[str], glue: str) -> None:
    check_any(glue.join(pieces))


@given(st.text(alphabet=st.sampled_from("ABCGm7|:%.x123[]/#b \n♭\u0000é"), max_size=80))
def test_any_text_is_a_chart_or_one_line(text: str) -> None:
    check_any(text)


def check_any(text: str) -> None:
    try:
        chart = parse_chart(text)
    except ChartError as error:
        assert "\n" not in str(error)
        return
    assert sum(chart.beats_of_bar(bar) for bar in range(chart.bars)) == chart.length_beats
    assert sum(section.bars for section in chart.sections) == chart.bars <= MOST_BARS
    for beat in (0.0, chart.length_beats - 1e-9, chart.length_beats, 1e7):
        root, classes = chart.chord_at(beat)
        assert -1 <= root < 12
        assert len(classes) == 12
        assert isinstance(chart.chord_symbol_at(beat), ChordSymbol)
        assert chart.next_section(beat) is None or chart.next_section(beat)[1] < chart.length_beats
