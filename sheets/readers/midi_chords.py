"""Standard MIDI files: chords by name (markers, texts, lyrics, Yamaha's chord events), else heard from the notes.

Time signatures and tempo are the file's. The bytes are mido's business. Pure functions, any thread.
"""

from __future__ import annotations

import io
import itertools
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import mido

from ...engine.charts.chord_symbol import FLAT_NAMES, ChordSymbol, parse_chord
from ..order import mark_of
from ..sheet import MOST_BARS, ChordReader, Sheet, SheetBar, SheetError, exact_chord, section_name

MOST_BYTES = 4_000_000
MOST_EVENTS = 400_000
_DRUMS = 9
_FITS = ("", "m", "7", "maj7", "m7", "m7b5", "dim7", "sus4", "7sus4", "sus2", "6", "m6", "aug", "dim")
_ODD = {
    "6": 0.02,
    "m6": 0.02,
    "aug": 0.06,
    "dim": 0.04,
    "sus4": 0.03,
    "dim7": 0.03,
    "m7b5": 0.02,
    "7": 0.01,
    "maj7": 0.01,
    "m7": 0.01,
    "sus2": 0.05,
    "7sus4": 0.02,
}
"""What a chord that is met less often must be better by."""
_YAMAHA_ROOTS = "CDEFGAB"
_YAMAHA_SIGNS = ("bbb", "bb", "b", "", "#", "##", "###")
_YAMAHA_KINDS = (
    "", "6", "maj7", "maj7#11", "add9", "maj9", "6/9", "aug", "m", "m6", "m7", "m7b5",
    "madd9", "m9", "m11", "mMaj7", "mMaj9", "dim", "dim7", "7", "7sus4", "7b5", "9", "7#11", "13", "7b9", "7b13", "7#9",
    "maj7#5", "7#5", "5", "5", "sus4", "sus2",
)  # fmt: skip


@dataclass(slots=True)
class _Song:
    """All that matters, at places in quarter notes."""

    names: list[tuple[Fraction, ChordSymbol]] = field(default_factory=list)
    notes: list[tuple[Fraction, Fraction, int]] = field(default_factory=list)  # from, to, pitch
    metres: list[tuple[Fraction, int, int]] = field(default_factory=list)
    words: list[tuple[Fraction, str]] = field(default_factory=list)
    length: Fraction = Fraction(0)
    tempo_bpm: float = 0.0
    tempi: int = 0
    key: str = ""
    title: str = ""


def sheet_of(data: bytes) -> Sheet:
    """The song. Raises SheetError for damaged bytes and for a file without chords and notes."""
    if data[:4] == b"RIFF":  # a MIDI file inside a file of Windows
        data = data[max(0, data.find(b"MThd", 0, 64)) :]
    if len(data) > MOST_BYTES:
        raise SheetError(f"more than {MOST_BYTES // 1_000_000} MB of MIDI: is this one song?")
    try:
        file = mido.MidiFile(file=io.BytesIO(data), clip=True)
    except (OSError, EOFError, ValueError, IndexError, KeyError, TypeError) as error:
        raise SheetError(f"a damaged MIDI file ({' '.join(str(error).split())[:60] or 'it ends too early'})") from None
    if file.ticks_per_beat <= 0 or file.ticks_per_beat >= 0x8000:
        raise SheetError("a MIDI file in film frames: it has no bars")
    if file.type == 2:
        raise SheetError("a MIDI file of format 2, whose tracks are songs of their own: save it as format 1")
    sheet = Sheet()
    song = _song(file, ChordReader(sheet))
    sheet.title, sheet.key, sheet.tempo_bpm = song.title, song.key, song.tempo_bpm
    if song.tempi > 1:
        sheet.say("tempi", f"the tempo changes {song.tempi - 1} times: the chart keeps the first one")
    _bars(sheet, song)
    if song.names:
        _put(sheet, song.names)
    elif song.notes:
        _hear(sheet, song.notes)
    else:
        raise SheetError("a MIDI file without notes and without chords")
    _sections(sheet, song.words)
    return sheet


def _song(file: mido.MidiFile, chords: ChordReader) -> _Song:
    song, events = _Song(), 0
    for track in file.tracks:
        at, open_notes = 0, {}  # type: ignore[var-annotated]
        for message in track:
            events += 1
            if events > MOST_EVENTS:
                raise SheetError(f"more than {MOST_EVENTS} events: is this one song?")
            at += message.time
            place = Fraction(at, file.ticks_per_beat)
            if message.type in ("note_on", "note_off") and message.channel != _DRUMS:
                _note(song, open_notes, message, place)
            elif message.is_meta:
                _meta(song, message, place, chords)
        song.length = max(song.length, max((note[1] for note in song.notes), default=Fraction(0)))
    ends = [Fraction(sum(message.time for message in track), file.ticks_per_beat) for track in file.tracks]
    if not song.notes:
        song.length = max(ends, default=Fraction(0))
    song.length = max(song.length, max((place + 1 for place, _ in song.names), default=Fraction(0)))
    return song


def _note(song: _Song, open_notes: dict[tuple[int, int], Fraction], message: mido.Message, place: Fraction) -> None:
    key = (message.channel, message.note)
    began = open_notes.pop(key, None)
    if began is not None and place > began:
        song.notes.append((began, place, message.note))
    if message.type == "note_on" and message.velocity:
        open_notes[key] = place


def _meta(song: _Song, message: mido.MetaMessage, place: Fraction, chords: ChordReader) -> None:
    if message.type == "set_tempo" and message.tempo > 0:
        song.tempi += 1
        song.tempo_bpm = song.tempo_bpm or round(60_000_000 / message.tempo, 2)
    elif message.type == "time_signature":
        song.metres.append((place, message.numerator, message.denominator))
    elif message.type == "key_signature":
        song.key = song.key or message.key
    elif message.type == "track_name" and not song.title and place == 0:
        song.title = " ".join(message.name.split())[:100]
    elif message.type in ("marker", "text", "lyrics", "cue_marker"):
        text = message.name if message.type == "cue_marker" and hasattr(message, "name") else message.text
        chord = exact_chord(text.strip())
        if chord is not None:
            song.names.append((place, chord))
        elif message.type in ("marker", "cue_marker") and text.strip():
            song.words.append((place, text.strip()))
    elif message.type == "sequencer_specific":
        chord = _yamaha(tuple(message.data))
        if chord is not None:
            song.names.append((place, chord))


def _yamaha(data: tuple[int, ...]) -> ChordSymbol | None:
    """A chord event of Yamaha's XF: 43 7B 01, root, kind, bass, kind of the bass."""
    if len(data) < 5 or data[:3] != (0x43, 0x7B, 0x01):
        return None

    def note(value: int) -> str:
        letter, sign = value & 0x0F, value >> 4
        return _YAMAHA_ROOTS[letter - 1] + _YAMAHA_SIGNS[sign] if 1 <= letter <= 7 and sign < 7 else ""

    root = note(data[3])
    if not root or data[4] >= len(_YAMAHA_KINDS):
        return None
    bass = note(data[5]) if len(data) > 5 and data[5] != 0x7F else ""
    return exact_chord(root + _YAMAHA_KINDS[data[4]] + (f"/{bass}" if bass and bass != root else ""))


# -------------------------------------------------------------------------------------------------------- bars


def _bars(sheet: Sheet, song: _Song) -> None:
    metres = sorted(song.metres) or [(Fraction(0), 4, 4)]
    if metres[0][0] > 0:
        metres.insert(0, (Fraction(0), 4, 4))
    at, number = Fraction(0), 0
    length = max(song.length, Fraction(1, 64))
    while at < length:
        while number + 1 < len(metres) and metres[number + 1][0] <= at:
            number += 1
        _, count, kind = metres[number]
        count = count if 1 <= count <= 64 else 4
        kind = kind if kind in (1, 2, 4, 8, 16) else 4
        bar = SheetBar(count, kind, f"bar {len(sheet.bars) + 1}")
        if number + 1 < len(metres) and at < metres[number + 1][0] < at + bar.nominal:
            bar.quarters = metres[number + 1][0] - at  # a new time signature within the bar
        if len(sheet.bars) >= MOST_BARS:
            raise SheetError(f"more than {MOST_BARS} bars: is this one song?")
        sheet.add(bar)
        at += bar.length


def _starts(sheet: Sheet) -> list[Fraction]:
    return list(itertools.accumulate((bar.length for bar in sheet.bars), initial=Fraction(0)))


def _put(sheet: Sheet, names: Sequence[tuple[Fraction, ChordSymbol]]) -> None:
    starts = _starts(sheet)
    for place, chord in sorted(names, key=lambda one: one[0]):
        number = min(bisect_right(starts, place) - 1, len(sheet.bars) - 1)
        bar = sheet.bars[number]
        bar.put(max(place - starts[number], bar.chords[-1][0] if bar.chords else Fraction(0)), chord)


def _sections(sheet: Sheet, words: Sequence[tuple[Fraction, str]]) -> None:
    starts = _starts(sheet)
    for place, text in words:
        number = min(bisect_right(starts, place + Fraction(1, 4)) - 1, len(sheet.bars) - 1)
        if not mark_of(text):
            sheet.bars[number].section = section_name(text)


# ------------------------------------------------------------------------------------------------------- notes


def _hear(sheet: Sheet, notes: Sequence[tuple[Fraction, Fraction, int]]) -> None:
    """A chord for each half bar, from all that sounds in it; the same one goes on where it is as good."""
    sheet.say("heard", "the file names no chords: they are guessed from its notes; look them through")
    starts = _starts(sheet)
    slots: list[tuple[int, Fraction, Fraction]] = []
    for number, bar in enumerate(sheet.bars):
        halves = 2 if bar.count % 2 == 0 and bar.length >= 2 else 1
        for half in range(halves):
            step = bar.length / halves
            slots.append((number, half * step, (half + 1) * step))
    edges = [starts[number] + first for number, first, _ in slots]
    weights = [[0.0] * 12 for _ in slots]
    lowest: list[tuple[int, int]] = [(128, 0)] * len(slots)
    for began, ended, pitch in notes:
        slot = max(0, bisect_right(edges, began) - 1)
        while slot < len(slots) and edges[slot] < ended:
            number, _, last = slots[slot]
            share = min(ended, starts[number] + last) - max(began, edges[slot])
            weights[slot][pitch % 12] += float(share)
            if share > Fraction(1, 4):
                lowest[slot] = min(lowest[slot], (pitch, pitch % 12))
            slot += 1
    before = ""
    for (number, first, _), weight, (low, bass) in zip(slots, weights, lowest, strict=True):
        if sum(weight) <= 0:
            continue
        name = _nearest(weight, bass if low < 128 else -1, before)
        if name != before:
            sheet.bars[number].put(first, parse_chord(name))
        before = name


def _nearest(weight: Sequence[float], bass: int, before: str) -> str:
    """The chord whose tones hold most of what sounds, for each tone that it has."""
    total = sum(weight)
    best, score = before or "C", -1.0
    for root, quality in itertools.product(range(12), _FITS):
        name = FLAT_NAMES[root] + quality
        tones = parse_chord(name).tones
        inside = sum(weight[tone] for tone in tones) / total
        there = sum(weight[tone] > 0.08 * total for tone in tones) / len(tones)
        value = inside + 0.35 * there - _ODD.get(quality, 0.0)
        value += 0.12 * (bass == root) + 0.06 * (name == before) + 0.1 * weight[root] / total
        if value > score:
            best, score = name, value
    return best
