"""The panel: exactly as wide and never higher than asked, whatever the figures; what matters most stays longest."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from gigmate.control.big_letters import big_letters
from gigmate.control.display_text import (
    big_state,
    clean,
    is_on,
    loop_text,
    time_source,
)
from gigmate.control.panel import (
    MOST_COLUMNS,
    bar_of,
    decibels,
    meter_share,
    panel,
)
from gigmate.engine.status import Status
from rich.cells import cell_len

PLAYING = Status(
    state="playing",
    input_db=-12.3,
    output_db=-6.2,
    part_db=(-9.0, -14.0, -21.0),
    bar=12,
    beat=3,
    tempo_bpm=121.4,
    confidence=0.93,
    chord="Am",
    chord_played="Am7",
    step_ms=14.2,
    step_p99_ms=22.0,
    ahead_ms=85.0,
    preset="Late set",
    song="Blue Hour",
    song_number=3,
    songs=12,
    section="A",
    next_section="Bridge",
    time_source="midi_clock",
    muted=(False, False, True),
    levels_db=(-3.0, 0.0, 0.0),
    style="swing",
    density=0.6,
    recording="take.wav",
    misses=2,
    xruns=3,
    warnings=("the sound system lost a moment of sound: raise the block size to 256",),
)
EXTREMES = [
    Status(),
    PLAYING,
    Status(
        state="fallback",
        bar=123456,
        beat=12,
        beats_per_bar=12,
        tempo_bpm=299.9,
        chord="F#m7b5/C#",
        chord_played="Gbmaj9#11/Bb",
        input_db=-100.0,
        output_db=3.0,
        step_ms=12345.6,
        misses=1234567,
        xruns=1234567,
        song="夜の音楽 " * 20,
        songs=1000,
        song_number=999,
        preset="\x1b[31mred\nand more",
        warnings=("one word " * 60, "x" * 300),
    ),
    Status(state="\x1b[2Jnonsense", input_db=-math.inf, output_db=math.nan, part_db=(), levels_db=(), muted=()),
    Status(sounds=(), pans=(), rooms=(), outputs=()),
    Status(
        state="playing",
        sounds=("夜の音楽 " * 9, "\x1b[31m", "x" * 90),
        pans=(math.nan, 9.0, -9.0),
        rooms=(math.nan, 9.0, -9.0),
        outputs=("1,2,3,4,5,6,7,8", "", "\x1b"),
    ),
]


def lines_of(status: Status, columns: int, rows: int, **more) -> list[str]:  # type: ignore[no-untyped-def]
    return ["".join(text for text, _ in row) for row in panel(status, columns, rows, **more)]


@pytest.mark.parametrize("status", EXTREMES)
@pytest.mark.parametrize("blocks", [True, False])
@pytest.mark.parametrize("help_", [True, False])
def test_it_fits_every_terminal(status: Status, blocks: bool, help_: bool) -> None:
    for columns in (1, 7, 20, 39, 40, 60, 79, 80, 200):
        for rows in (1, 3, 8, 12, 20, 24, 60):
            lines = lines_of(status, columns, rows, blocks=blocks, messages=status.warnings, help_=help_)
            assert 1 <= len(lines) <= rows
            assert {cell_len(line) for line in lines} == {min(columns, MOST_COLUMNS)}
            assert all(character.isprintable() for line in lines for character in line)


def test_it_says_all_that_a_musician_needs_at_80_columns() -> None:
    text = "\n".join(lines_of(PLAYING, 79, 24, messages=PLAYING.warnings))
    for words in (
        *(line.strip() for line in big_letters("PLAYING", 77, 5)),
        "bar 12.3", "121.4 bpm", "MIDI clock", "heard Am", "played Am7", "A > Bridge",
        "3/12 Blue Hour", "Late set", "swing", "drums", "bass", "keys", "MUTED", "-3 dB", "-12 dB", "-6 dB",
        "step 14/40 ms", "ahead 85 ms", "misses 2", "xruns 3", "density", "take.wav", "raise the block size to 256",
        "space start/stop",
    ):  # fmt: skip
        assert words in text, words


@pytest.mark.parametrize(("columns", "rows", "letters"), [(79, 24, 5), (60, 24, 5), (119, 40, 5), (150, 50, 10)])
def test_the_state_is_as_large_as_the_terminal_allows(columns: int, rows: int, letters: int) -> None:
    lines = lines_of(replace(PLAYING, misses=0, xruns=0), columns, rows)
    drawn = big_letters("PLAYING", columns - 2, letters)
    assert len(drawn) == letters
    assert [line.strip() for line in lines[1 : 1 + letters]] == [line.strip() for line in drawn]


@pytest.mark.parametrize(("columns", "rows"), [(119, 40), (150, 50)])
def test_a_large_terminal_has_the_chord_in_large_letters_and_no_empty_half(columns: int, rows: int) -> None:
    lines = lines_of(PLAYING, columns, rows, messages=PLAYING.warnings)
    high = 5 if columns < 150 else 10
    chord, beat = (big_letters(text, columns // 2 - 1, high) for text in ("Am7", "12.3"))
    assert all(any(one in line and other in line for line in lines) for one, other in zip(chord, beat, strict=True))
    assert len(lines) > 0.6 * rows
    assert sum(not line.strip() for line in lines) < 10


def test_the_figures_of_the_engine_show_in_trouble_and_else_beside_the_keys() -> None:
    calm = replace(PLAYING, misses=0, xruns=0)
    assert "misses" not in "\n".join(lines_of(calm, 79, 24))
    assert "step 14/40 ms" in "\n".join(lines_of(calm, 79, 24, help_=True))
    for trouble in (replace(calm, misses=1), replace(calm, xruns=1), replace(calm, step_ms=41.0)):
        assert "misses" in "\n".join(lines_of(trouble, 79, 24))


def test_it_says_whose_chord_is_played_and_how_the_hand_leads() -> None:
    led = replace(PLAYING, section="", next_section="", chord_source="hand", hand="latched, B3 and down")
    text = "\n".join(lines_of(led, 79, 24))
    assert "by hand" in text and "hand latched, B3 and down" in text
    assert "by chart" in "\n".join(lines_of(replace(PLAYING, chord_source="chart"), 79, 24))


def row_of(part: str, status: Status, columns: int = 79) -> str:
    return next(line for line in lines_of(status, columns, 24) if line.startswith(f" {part} "))


def test_each_part_says_its_sound_its_place_and_its_room() -> None:
    mixed = replace(
        PLAYING, sounds=("standard kit", "neural", "electric piano 1"), pans=(-1.0, 0.0, 0.15), rooms=(0.14, 0.0, 1.0)
    )
    for columns in (72, 79, 100):
        assert row_of("drums", mixed, columns).split()[-6:] == ["standard", "kit", "L100", "room", "14", "%"]
        assert row_of("bass", mixed, columns).split()[-5:] == ["neural", "mid", "room", "0", "%"]
        assert row_of("keys", mixed, columns).split()[-7:] == ["electric", "piano", "1", "R15", "room", "100", "%"]
    names = ("in", "drums", "bass", "keys", "out")
    assert len({row_of(name, mixed).count("█") + row_of(name, mixed).count("░") for name in names}) == 1
    assert "room" not in row_of("drums", mixed, 71)


def test_outputs_are_shown_where_a_part_has_its_own() -> None:
    assert "out" not in row_of("drums", PLAYING)
    routed = replace(PLAYING, outputs=("3,4", "1,2", "1,2"))
    assert row_of("drums", routed).rstrip().endswith("out 3,4")
    assert row_of("keys", routed).rstrip().endswith("out 1,2")


def test_a_narrow_panel_says_the_sounds_in_one_line_where_they_are_not_all_neural() -> None:
    short = replace(PLAYING, song="", songs=0, preset="A", style="")
    assert "sound" not in "\n".join(lines_of(short, 60, 24))
    mixed = replace(short, sounds=("standard kit", "neural", "rock organ"))
    assert "sound standard kit, neural, rock organ" in "\n".join(lines_of(mixed, 60, 24))


def test_the_level_of_the_whole_band_is_shown_where_it_is_not_0() -> None:
    def out_row(level_db: float) -> str:
        lines = lines_of(replace(PLAYING, band_level_db=level_db), 79, 24)
        return next(line for line in lines if line.startswith(" out"))

    assert out_row(-8.0).rstrip().endswith("-8 dB")
    assert out_row(-8.0).count("dB") == 2
    assert out_row(-math.inf).rstrip().endswith("off")
    assert out_row(0.0).count("dB") == 1


@pytest.mark.parametrize(("columns", "rows"), [(40, 24), (79, 20), (40, 20), (40, 10)])
def test_what_matters_most_stays_in_a_small_terminal(columns: int, rows: int) -> None:
    text = "\n".join(lines_of(PLAYING, columns, rows, messages=PLAYING.warnings))
    sizes = [["P L A Y I N G"], big_letters("PLAYING", columns - 2, 3), big_letters("PLAYING", columns - 2, 5)]
    assert any(lines and all(line.strip() in text for line in lines) for lines in sizes)
    for words in ("bar 12.3", "121.4 bpm", "Am7", "misses 2", "xruns 3", "raise the block size"):
        assert words in " ".join(text.replace("\n ", " ").split()), words


def test_without_blocks_only_ascii_is_used() -> None:
    assert all(line.isascii() for line in lines_of(PLAYING, 79, 24, blocks=False))


@pytest.mark.parametrize(
    ("status", "words", "mood"),
    [
        (Status(), "STOPPED", "off"),
        (Status(state="playing"), "PLAYING", "on"),
        (Status(state="playing", holding=True), "HOLDING", "ready"),
        (Status(state="playing", holding=True, input_db=-20.0, time_source="listener"), "TAP", "care"),
        (Status(state="playing", holding=True, input_db=-20.0, time_source="midi_clock"), "HOLDING", "ready"),
        (Status(state="playing", holding=True, input_db=-80.0, time_source="listener"), "HOLDING", "ready"),
        (Status(state="stopped", pending="count-in"), "COUNT-IN", "care"),
        (Status(state="playing", pending="ending"), "LAST BAR", "care"),
        (Status(state="playing", pending="fill"), "PLAYING", "on"),
        (Status(state="stopped", pending="start"), "STARTING", "care"),
        (Status(state="fallback", pending="ending"), "COVERING", "bad"),
        (Status(state="away"), "NO SOUND", "bad"),
    ],
)
def test_the_big_state(status: Status, words: str, mood: str) -> None:
    assert big_state(status) == (words, mood)


def test_words() -> None:
    assert is_on(Status(state="playing")) and is_on(Status(state="stopped", pending="count-in"))
    assert not is_on(Status()) and not is_on(Status(state="stopping"))
    assert time_source(Status(time_source="listener")) == "ear"
    assert clean("a\x1b[31m\nb") == "a [31m b"


def test_meters_and_decibels() -> None:
    assert bar_of(0.5, 4, blocks=False) == "##.."
    assert bar_of(math.nan, 4, blocks=False) == "...."
    assert [meter_share(level) for level in (0.0, 6.0, -24.0, -math.inf, math.nan)] == [1.0, 1.0, 0.5, 0.0, 0.0]
    assert decibels(-120.0).strip() == "-" == decibels(math.nan).strip()
    assert decibels(-6.4) == "  -6"


def test_each_of_several_inputs_has_its_level() -> None:
    status = Status(input_channels=(1, 3), channel_db=(-12.0, -48.0))
    text = "\n".join("".join(part for part, _ in row) for row in panel(status, 80, 24))
    assert "1:  -12 dB" in text and "3:  -48 dB" in text
    alone = "\n".join("".join(part for part, _ in row) for row in panel(Status(input_channels=(1,)), 80, 24))
    assert "1:" not in alone


def test_the_loop_is_said_in_words() -> None:
    status = Status(loop="playing", loop_bars=4, loop_takes=2, loop_muted=True, loop_waits="tempo")
    assert loop_text(status) == "loop playing 4 bars, 2 takes, muted, waits for its tempo"
    assert loop_text(Status(loop="armed", loop_waits="line")) == "loop armed, on the next bar line"
    assert loop_text(Status()) == ""
    text = "\n".join("".join(part for part, _ in row) for row in panel(status, 80, 24))
    assert "loop playing 4 bars" in text
