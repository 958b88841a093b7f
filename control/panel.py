"""The panel of the terminal: rows of styled text for a status, at a given number of columns and rows.

Knows neither terminals nor time. Pure functions, any thread. Nothing here is wider or higher than what it was given.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size

from ..engine.actions import PARTS
from ..engine.status import SILENCE_DB, Status
from .big_letters import big_letters
from .display_text import (
    asks_for_tap,
    big_state,
    clean,
    loop_text,
    moves_text,
    next_text,
    outputs_differ,
    place_text,
    plan_text,
    song_line,
    sounds_line,
    time_source,
    tuning,
)
from .key_rows import key_rows

Segment = tuple[str, str]
"""A piece of a row and its style, as rich names styles."""
Row = tuple[Segment, ...]

MOST_COLUMNS = 160
METER_FLOOR_DB = -48.0
_MOOD_STYLES = {
    "off": "bold white on grey23",
    "ready": "bold black on cyan",
    "on": "bold black on green",
    "care": "bold black on yellow",
    "bad": "bold white on red",
}
_DIM = "dim"
_ALARM = "bold red"
_NAME_COLUMNS = 6
_SOUND_COLUMNS = 17
_MIX_FROM_COLUMNS = 72
"""From this width on each part's row says its sound, its place and its room."""
_FEW_KEYS = "space on/off  ! panic  ? keys  q quit"
_MORE_KEYS = "space start/stop  t tap  c count-in  f fill  e ending  ! panic  ? keys  q quit"


@dataclass(frozen=True, slots=True)
class Field:
    """A piece of a row that goes as a whole where there is no room; the lowest rank goes last. Any thread."""

    text: str
    style: str = ""
    rank: int = 0


def panel(
    status: Status, columns: int, rows: int, blocks: bool = True, messages: Sequence[str] = (), help_: bool = False
) -> list[Row]:
    """The whole panel: at most `rows` rows of exactly `columns` cells (160 at most). Newest message last.

    `blocks`: whether the terminal can show more than ASCII.
    """
    width = max(1, min(columns, MOST_COLUMNS))
    ranked = _help_rows(status, width) if help_ else _rows(status, width, blocks)
    kept_rows = sum(rank <= 2 for rank, _ in ranked)
    most = rows - len(ranked) if help_ else min(4, (rows - kept_rows) // 2)
    words = _words(messages, width, most=max(1, most))
    for rank in sorted({rank for rank, _ in ranked}, reverse=True):
        if len(ranked) + len(words) <= rows:
            break
        if rank > 0:
            ranked = [(own, row) for own, row in ranked if own != rank]
    if not help_:
        ranked = _enlarged(status, ranked, width, rows - len(words), blocks)
    lines = [row for _, row in ranked]
    place = len(lines) - 1 if ranked[-1][0] == KEYS_RANK else len(lines)
    lines[place:place] = words
    return [fitted(line, width) for line in lines[: max(1, rows)]]


def code_panel(address: str, code: Sequence[str], columns: int, rows: int) -> list[Row]:
    """The remote's address under its code, at most `rows` rows; without the code where that has no room."""
    width = max(1, min(columns, MOST_COLUMNS))
    fits = bool(code) and len(code) + 1 <= rows and all(len(line) <= width for line in code)
    style = "black on bright_white"
    left = (width - len(code[0])) // 2 if fits else 0
    drawn: list[Row] = [((" " * left, ""), (line, style)) for line in code] if fits else []
    words = textwrap.wrap(clean(address), width, break_on_hyphens=False) or [""]
    if not fits:
        words += textwrap.wrap("make the terminal larger, and a code for the phone's camera stands here", width)
    lines: list[Row] = [*drawn, *(((line, "bold"),) for line in words)]
    return [fitted(line, width) for line in lines[: max(1, rows)]]


def _words(messages: Sequence[str], width: int, most: int) -> list[Row]:
    """The newest messages that fit into `most` rows, oldest first; the newest from its beginning."""
    words: list[Row] = []
    for message in reversed(messages):
        lines = textwrap.wrap(clean(message), max(8, width - 2)) or [""]
        rows = [((("! " if place == 0 else "  ") + line, "yellow"),) for place, line in enumerate(lines)]
        if words and len(words) + len(rows) > most:
            break
        words = [*rows[:most], *words]
    return words


KEYS_RANK = 5
STATE_RANK = 0
EDGE_RANK = 8
_LEAST_FREE_ROWS = 1


def _enlarged(
    status: Status, ranked: list[tuple[int, Row]], width: int, rows: int, blocks: bool
) -> list[tuple[int, Row]]:
    """The rows with the state, and where there is room the chord and the beat, as large as `rows` allow."""
    words, mood = big_state(status)
    free = rows - len(ranked) - _LEAST_FREE_ROWS
    state = big_letters(words, width - 2, free + 1, blocks)
    if not state:
        return ranked
    place = next(place for place, (rank, _) in enumerate(ranked) if rank == STATE_RANK)
    style = _MOOD_STYLES[mood]
    large: list[tuple[int, Row]] = [(STATE_RANK, ((line.center(width), style),)) for line in state]
    ranked = [*ranked[:place], *large, *ranked[place + 1 :]]
    chord = _chord_banner(status, width, rows - len(ranked) - 2, blocks)
    place = next((place for place, (rank, _) in enumerate(ranked) if rank == 1), len(ranked))
    return [*ranked[:place], *((EDGE_RANK, row) for row in chord), *ranked[place:]]


def _chord_banner(status: Status, width: int, rows: int, blocks: bool) -> list[Row]:
    """The chord that the band plays, or else heard, in large letters, the beat on its right; none without room."""
    chord = clean(status.chord_played) or clean(status.chord)
    beat = f"{status.bar}.{status.beat}" if status.beat > 0 else ""
    if rows < 3 or not (chord or beat):
        return []
    half = width // 2 - 1
    left, right = big_letters(chord, half, rows, blocks), big_letters(beat, half, rows, blocks)
    if len(left) != len(right) and left and right:  # of one height, so that they stand on one line
        least = min(len(left), len(right))
        left, right = big_letters(chord, half, least, blocks), big_letters(beat, half, least, blocks)
    high = max(len(left), len(right))
    if not high:
        return []
    blank = [""] * high
    pairs = zip(left or blank, right or blank, strict=True)
    gap: Row = (("", ""),)
    drawn: list[Row] = [
        ((f" {one:<{half}}", "bold magenta"), (other.rjust(half), "bold green")) for one, other in pairs
    ]
    return [gap, *drawn, gap]


def _rows(status: Status, width: int, blocks: bool) -> list[tuple[int, Row]]:
    """Every row with its rank: those of the highest rank go first where there are too few lines."""
    words, mood = big_state(status)
    style = _MOOD_STYLES[mood]
    spread = " ".join(words) if 2 * len(words) < width else words
    bar = ((spread.center(width), style),)
    edge = ((" " * width, style),)
    ranked: list[tuple[int, Row]] = [
        (EDGE_RANK, edge),
        (STATE_RANK, bar),
        (EDGE_RANK, edge),
        (1, _beat_row(status, width, blocks)),
        (1, _chord_row(status, width)),
        (3, _song_row(status, width)),
        *([(3, _row(width, Field(f" {plan_text(status)}", "", 0)))] if plan_text(status) else []),
        (9, (("", ""),)),
        (2, _meter_row("in", status.input_db, status, width, blocks)),
    ]
    if len(status.input_channels) > 1:
        ranked.append((7, _channel_row(status, width)))
    for place, part in enumerate(PARTS):
        ranked.append((6, _part_row(part, place, status, width, blocks)))
    ranked += [
        (2, _meter_row("out", status.output_db, status, width, blocks, _band_note(status))),
        (9, (("", ""),)),
        *([(2, _health_row(status, width))] if _in_trouble(status) else []),
        *([(3, _row(width, Field(f" {loop_text(status)}", "bold green", 0)))] if status.loop else []),
        (4, _play_row(status, width, blocks)),
        (KEYS_RANK, ((_MORE_KEYS if width >= len(_MORE_KEYS) + 1 else _FEW_KEYS, _DIM),)),
    ]
    return ranked


def _help_rows(status: Status, width: int) -> list[tuple[int, Row]]:
    words, mood = big_state(status)
    rows: list[tuple[int, Row]] = [(0, ((words.center(width), _MOOD_STYLES[mood]),))]
    rows.append((1, _health_row(status, width)))
    return rows + [(3 + place, row) for place, row in enumerate(key_rows(width))]


def _beat_row(status: Status, width: int, blocks: bool) -> Row:
    on, off = ("●", "○") if blocks else ("*", "-")
    beats = min(max(status.beats_per_bar, 1), 12)
    lights = " ".join(on if beat + 1 == status.beat else off for beat in range(beats))
    known = status.beat > 0
    source = time_source(status)
    return _row(
        width,
        Field(f" {lights} ", "bold green" if known else _DIM, 1),
        Field(f" bar {status.bar}.{status.beat}" if known else " bar -", "bold" if status.beat == 1 else "", 0),
        Field(f"  {status.tempo_bpm:.1f} bpm" if status.tempo_bpm > 0 else "  --- bpm", "", 2),
        Field(f"  by {source}" if source else "  no beat yet", "" if source else _DIM, 4),
        Field("  tap the beat" if asks_for_tap(status) else "", "yellow", 5),
        Field(f"  sure {100 * _share(status.confidence):.0f} %", _DIM, 6),
        Field(f"  next: {next_text(status)}" if status.pending else "", "yellow", 3),
        Field(f"  {moves_text(status)}" if status.moves else "", "bold yellow", 3),
    )


def _chord_row(status: Status, width: int) -> Row:
    section = clean(status.section)
    ahead = f" > {clean(status.next_section)}" if status.next_section else ""
    return _row(
        width,
        Field(f" heard {clean(status.chord) or '-':<5.8}", "bold cyan", 0),
        Field(f"  played {clean(status.chord_played) or '-':<5.8}", "bold magenta", 1),
        Field(f"  section {section}{ahead}" if section or ahead else "", "", 3),
        Field(f"  {tuning(status)}" if tuning(status) else "", "yellow", 4),
        Field(f"  by {clean(status.chord_source)}" if status.chord_source else "", _DIM, 5),
        Field(f"  hand {clean(status.hand)}" if status.hand else "", "", 6),
    )


def _song_row(status: Status, width: int) -> Row:
    song = song_line(status)
    return _row(
        width,
        Field(f" {song}" if song else "", "bold", 0),
        Field(f"  preset {clean(status.preset) or '-'}" if song else f" preset {clean(status.preset) or '-'}", "", 1),
        Field(f"  style {clean(status.style)}" if status.style else "", _DIM, 3),
        Field(f"  {sounds_line(status)}" if width < _MIX_FROM_COLUMNS and sounds_line(status) else "", _DIM, 4),
    )


def _play_row(status: Status, width: int, blocks: bool) -> Row:
    return _row(
        width,
        Field(f" density {bar_of(_share(status.density), 10, blocks)} {_share(status.density):.1f}", "", 0),
        Field(f"  rec {clean(status.recording)}" if status.recording else "", "red", 1),
        Field(f"  notes to {clean(status.midi_out)}" if status.midi_out else "", _DIM, 2),
    )


def _in_trouble(status: Status) -> bool:
    """Whether the figures of the engine are a musician's business now; else they stand beside the keys."""
    return status.misses > 0 or status.xruns > 0 or status.step_ms > status.frame_ms


def _health_row(status: Status, width: int) -> Row:
    late = status.step_ms > status.frame_ms
    return _row(
        width,
        Field(f" step {_capped(status.step_ms)}/{_capped(status.frame_ms)} ms", _ALARM if late else "", 0),
        Field(f"  p99 {_capped(status.step_p99_ms)}", _DIM, 4),
        Field(f"  ahead {_capped(status.ahead_ms)} ms" if status.ahead_ms > 0 else "", "", 3),
        Field(f"  misses {_count(status.misses)}", _ALARM if status.misses else _DIM, 1),
        Field(f"  xruns {_count(status.xruns)}", _ALARM if status.xruns else _DIM, 1),
    )


def _band_note(status: Status) -> str:
    """The level of the whole band, where it is not as the parts have it."""
    if not status.band_level_db:
        return ""
    return " off" if status.band_level_db <= -60.0 else f" {status.band_level_db:+.0f} dB"


def _meter_row(name: str, level_db: float, status: Status, width: int, blocks: bool, note: str = "") -> Row:
    return (
        (f" {name:<{_NAME_COLUMNS}}", ""),
        (bar_of(meter_share(level_db), _meter_cells(status, width), blocks), loudness_style(level_db) or "green"),
        (f" {decibels(level_db)} dB", loudness_style(level_db)),
        (note[: _note_columns(width)], "bold yellow"),
    )


def _channel_row(status: Status, width: int) -> Row:
    """The channels whose mean is heard, each with its level: two that cancel are both loud."""
    fields = [Field(" " * (1 + _NAME_COLUMNS), "", 0)]
    for place, (channel, level_db) in enumerate(zip(status.input_channels, status.channel_db, strict=False)):
        fields.append(Field(f"{channel}: {decibels(level_db)} dB  ", loudness_style(level_db) or _DIM, 1 + place))
    return _row(width, *fields)


def _part_row(part: str, place: int, status: Status, width: int, blocks: bool) -> Row:
    level_db = status.part_db[place] if place < len(status.part_db) else SILENCE_DB
    gain_db = status.levels_db[place] if place < len(status.levels_db) else 0.0
    muted = place < len(status.muted) and status.muted[place]
    note = " MUTED" if muted else (" off" if gain_db <= -60.0 else f" {gain_db:+.0f} dB")
    return (
        (f" {part:<{_NAME_COLUMNS}.{_NAME_COLUMNS}}", _DIM if muted else ""),
        (bar_of(meter_share(level_db), _meter_cells(status, width), blocks), _DIM if muted else "blue"),
        (f" {decibels(level_db)} dB", _DIM),
        (f"{note[: _note_columns(width)]:<{_note_columns(width)}}", "bold yellow" if muted else _DIM),
        (_mix_note(place, status, width), _DIM),
    )


def _meter_cells(status: Status, width: int) -> int:
    """Of the bars of all meters, which stand under each other."""
    taken = _NAME_COLUMNS + 9 + _note_columns(width) + cell_len(_mix_note(0, status, width))
    return max(4, width - taken)


def _mix_note(place: int, status: Status, width: int) -> str:
    """What a part sounds with, where it stands, its room, and its outputs where those of the parts differ."""
    shown = (status.sounds, status.pans, status.rooms, status.outputs)
    if width < _MIX_FROM_COLUMNS or any(place >= len(values) for values in shown):
        return ""
    sound = set_cell_size(clean(status.sounds[place]), _SOUND_COLUMNS)
    room = f"room {100 * _share(status.rooms[place]):.0f} %"
    outputs = f" out {clean(status.outputs[place]):<6.6}" if outputs_differ(status) else ""
    return f"  {sound} {place_text(status.pans[place]):<4} {room:<10}{outputs}"


def _note_columns(width: int) -> int:
    """Room for a part's level or mute, in the rows of all meters."""
    return 8 if width >= 50 else 0


def _row(width: int, *fields: Field) -> Row:
    """The fields in their order, without those that found no room."""
    kept = [field for field in fields if field.text]
    while len(kept) > 1 and sum(cell_len(field.text) for field in kept) > width:
        kept.remove(max(kept, key=lambda field: field.rank))
    return tuple((field.text, field.style) for field in kept)


def fitted(row: Row, width: int) -> Row:
    """The row cut or filled to exactly `width` cells."""
    fit: list[Segment] = []
    left = width
    for text, style in row:
        cells = cell_len(text)
        if cells > left:
            text, cells = set_cell_size(text, left), left
        if text:
            fit.append((text, style))
        left -= cells
    if left:
        fit.append((" " * left, ""))
    return tuple(fit)


def bar_of(share: float, cells: int, blocks: bool = True) -> str:
    """A bar of so many cells, filled by a share from 0 to 1."""
    full, empty = ("█", "░") if blocks else ("#", ".")
    filled = round(_share(share) * cells)
    return full * filled + empty * (cells - filled)


def meter_share(level_db: float) -> float:
    """How full a meter from -48 to 0 dBFS is, from 0 to 1."""
    return _share((level_db - METER_FLOOR_DB) / -METER_FLOOR_DB)


def decibels(level_db: float) -> str:
    """Four columns: the level in whole dB, or a dash where it is silent."""
    return f"{db_text(level_db):>4.4}"


def db_text(level_db: float) -> str:
    """The level in whole dB, or a dash where it is silent."""
    return "-" if math.isnan(level_db) or level_db <= -100.0 else f"{level_db:.0f}"


def loudness_style(level_db: float) -> str:
    """Red near full scale, yellow below that, else plain."""
    return _ALARM if level_db > -1.0 else ("yellow" if level_db > -6.0 else "")


def _share(value: float) -> float:
    return 0.0 if math.isnan(value) else min(max(value, 0.0), 1.0)


def _capped(milliseconds: float) -> str:
    return f"{min(max(milliseconds, 0.0), 9999.0):.0f}"


def _count(number: int) -> str:
    return str(number) if number < 10_000 else "10k+"
