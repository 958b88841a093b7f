"""A band that hears its lead: figures struck together, gaps that the drummer fills, loud and soft stretches.

Laid over a song that is written already, so that the song without it stays as it was. What the band does follows from
what was heard: of a figure that comes back in every fourth bar, the lead has the first alone, and the band is in it
from the second on; a pause of the lead is filled where it comes back; the band is as loud as the lead was. Knows no
sound.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..form import choose
from ..score import METRES, PARTS, Bar, Note, Score

PHRASE_BARS = 4
STRONG, CRASH, KICK, SNARE = 118, 49, 36, 38
_TOMS = (50, 47, 45, 43)
STOP_BEATS = 0.45
"""How long a stroke of a figure sounds."""
LOUD = {"intro": -8, "verse": -6, "chorus": 8, "bridge": -2, "solo": 5, "ending": 6}
"""Velocity of the lead's sections, besides what is written; the band goes with it."""


def answered(rng: np.random.Generator, score: Score) -> Score:
    """The song with a lead that makes figures, pauses and dynamics, and a band that answers. Notes are replaced."""
    beats = METRES[score.metre][0]
    made = {part: list(score.notes[part]) for part in (*PARTS, "lead")}
    strokes, pause = _figure(rng, beats), _pause(rng, beats)
    seen_figure = seen_pause = False
    for bar in score.bars[:-1]:
        place = bar.bar_in_section % PHRASE_BARS
        free = all(bar.parts) and bar.lead_from_beats == 0.0 and bar.lead_to_beats >= bar.beats and not bar.fill_beats
        if not free:
            continue
        if place == PHRASE_BARS - 1:
            _strike(made, score, bar, strokes, seen_figure)
            seen_figure = True
        elif place == 1:
            _fill(made, bar, pause, seen_pause)
            seen_pause = True
    for part, notes in made.items():
        score.notes[part] = [_louder(note, score) for note in sorted(notes, key=lambda n: (n.beat, n.pitch))]
    return score


def _figure(rng: np.random.Generator, beats: int) -> tuple[float, ...]:
    """Strokes of a bar: the first beat or none, and two or three off the beat."""
    places = [k / 2 for k in range(1, 2 * beats - 1)]
    off = [place for place in places if place % 1.0] or places
    count = min(len(off), int(choose(rng, (1, 2, 2))))
    chosen = {float(place) for place in rng.permutation(off)[:count]}
    return tuple(sorted(chosen | {0.0})) if rng.random() < 0.6 else tuple(sorted(chosen | {float(beats - 1)}))


def _pause(rng: np.random.Generator, beats: int) -> float:
    """How many of the bar's last beats the lead leaves."""
    return float(choose(rng, (1.5, 2.0))) if beats > 2 else 1.0


def _inside(note: Note, first: float, last: float) -> bool:
    return first - 1e-6 <= note.beat < last - 1e-6


def _strike(made: dict[str, list[Note]], score: Score, bar: Bar, strokes: tuple[float, ...], known: bool) -> None:
    """Stop time: the lead strikes at `strokes` and nowhere else, the band too if it knows the figure."""
    start, end = float(bar.start_beat), float(bar.start_beat + bar.beats)
    for part in ("lead", *(PARTS if known else ())):
        before = [note for note in made[part] if note.beat < end - 1e-6]
        rest = [note for note in made[part] if not _inside(note, start, end)]
        made[part] = [_ending(note, start) for note in rest] + [
            note for stroke in strokes for note in _struck(part, before, start + stroke, bar)
        ]


def _ending(note: Note, line: float) -> Note:
    """What sounds into the bar ends at its line."""
    if note.beat < line < note.beat + note.length_beats:
        return replace(note, length_beats=max(0.1, line - note.beat))
    return note


def _struck(part: str, before: list[Note], beat: float, bar: Bar) -> list[Note]:
    if part == "drums":
        return [Note(beat, 0.2, KICK, STRONG), Note(beat, 0.5, CRASH, STRONG - 6), Note(beat, 0.2, SNARE, STRONG - 10)]
    chord = bar.chord_at(beat - bar.start_beat)
    earlier = [note for note in before if note.beat <= beat + 1e-6]
    last = max((note.beat for note in earlier), default=beat)
    pitches = sorted({note.pitch for note in earlier if note.beat >= last - 0.02})
    if part == "bass":
        near = pitches[0] if pitches else 36
        pitches = [min((p for p in range(28, 52) if p % 12 == chord.bass), key=lambda p: abs(p - near))]
    elif part == "keys":
        pitches = [
            min((p for p in range(54, 78) if p % 12 == tone), key=lambda p: abs(p - 64)) for tone in chord.pcs[:3]
        ]
    elif not pitches:
        pitches = [60 + chord.root]
    return [Note(beat, STOP_BEATS, pitch, STRONG) for pitch in sorted(set(pitches))]


def _fill(made: dict[str, list[Note]], bar: Bar, beats: float, known: bool) -> None:
    """The lead leaves the bar's last beats; the drummer fills them, from the second time on."""
    end = float(bar.start_beat + bar.beats)
    start = end - beats
    made["lead"] = [_ending(note, start) for note in made["lead"] if not _inside(note, start, end)]
    if not known:
        return
    fill = [note for note in made["drums"] if not _inside(note, start, end)]
    count = round(beats * 4)
    for k in range(count):
        pitch = SNARE if k < count // 2 else _TOMS[(k - count // 2) * len(_TOMS) // max(1, count - count // 2)]
        fill.append(Note(start + k / 4, 0.2, pitch, 84 + 3 * k))
    made["drums"] = fill


def _louder(note: Note, score: Score) -> Note:
    """As loud as the section is, rising over a solo."""
    bar = score.bars[min(max(int(note.beat // score.beats_per_bar), 0), len(score.bars) - 1)]
    by = LOUD.get(bar.section, 0) + (2 * (bar.bar_in_section // 2) - 6 if bar.section == "solo" else 0)
    return replace(note, velocity=min(max(note.velocity + by, 1), 127))
