"""A band that hears its lead: figures struck together, gaps that the drummer fills, loud and soft bars.

Laid over a song that is written already, so that the song without it stays as it was. What the band does follows from
what was heard: of a figure that comes back in every fourth bar, the lead has the first alone, and the band is in it
from the second on; a pause of the lead is filled where it comes back; the band is as loud, bar by bar, as the lead
is. Which bar of four holds the figure and which the pause is drawn for each lead, so that another lead at the same
chords stops and pauses elsewhere. Knows no sound.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..form import choose
from ..score import METRES, PARTS, Bar, Note, Score

PHRASE_BARS = 4
STRONG, MOST_ELSE, CRASH, KICK, SNARE = 127, 104, 49, 36, 38
"""Velocity of a figure's strokes, and the most that anything else has: a stroke stands out."""
_TOMS = (50, 47, 45, 43)
STOP_BEATS = 0.45
"""How long a stroke of a figure sounds."""
SECTION_DB = {"intro": -4.0, "verse": -3.0, "chorus": 2.0, "bridge": -1.0, "solo": 0.0, "ending": 1.0}
SWELL_DB, SOLO_RISE_DB, BAND_FOLLOWS = 2.0, 0.6, 0.9
"""From bar to bar the lead gets louder or softer by about so much; a solo rises with each bar; the band goes along."""
RANGE_DB = (-9.0, 3.0)


def answered(rng: np.random.Generator, score: Score) -> Score:
    """The song with a lead that makes figures, pauses and dynamics, and a band that answers. Notes are replaced."""
    beats = METRES[score.metre][0]
    made = {part: list(score.notes[part]) for part in (*PARTS, "lead")}
    strokes, pause = _figure(rng, beats), _pause(rng, beats)
    figure_place, pause_place = (int(place) for place in rng.permutation(PHRASE_BARS)[:2])
    seen_figure = seen_pause = False
    for bar in score.bars[:-1]:
        if not answering(bar):
            continue
        place = bar.bar_in_section % PHRASE_BARS
        if place == figure_place:
            _strike(made, score, bar, strokes, seen_figure)
            seen_figure = True
        elif place == pause_place:
            _fill(made, bar, pause, seen_pause)
            seen_pause = True
    swell_db = _swell(rng, score)
    for part, notes in made.items():
        follows = 1.0 if part == "lead" else BAND_FOLLOWS
        ordered = sorted(notes, key=lambda n: (n.beat, n.pitch))
        score.notes[part] = [_as_loud(note, score, follows * swell_db) for note in ordered]
    return score


def answering(bar: Bar) -> bool:
    """Whether a bar may hold a figure or a pause: all play in it, from end to end, and nobody fills it already."""
    return all(bar.parts) and bar.lead_from_beats == 0.0 and bar.lead_to_beats >= bar.beats and not bar.fill_beats


def _figure(rng: np.random.Generator, beats: int) -> tuple[float, ...]:
    """Strokes of a bar: the first beat or the last, and one or two off the beat."""
    places = [k / 2 for k in range(1, 2 * beats - 1)]
    off = [place for place in places if place % 1.0] or places
    count = min(len(off), int(choose(rng, (1, 2, 2))))
    chosen = {float(place) for place in rng.permutation(off)[:count]}
    return tuple(sorted(chosen | {0.0})) if rng.random() < 0.6 else tuple(sorted(chosen | {float(beats - 1)}))


def _pause(rng: np.random.Generator, beats: int) -> float:
    """How many of the bar's last beats the lead leaves."""
    return float(choose(rng, (1.5, 2.0))) if beats > 2 else 1.0


def _swell(rng: np.random.Generator, score: Score) -> np.ndarray:
    """How much louder each bar of the lead is than it would be, dB: by its section, and a walk of its own."""
    made, walk_db = np.zeros(len(score.bars)), 0.0
    for number, bar in enumerate(score.bars):
        walk_db = 0.6 * walk_db + float(rng.normal(0.0, SWELL_DB))
        rise_db = SOLO_RISE_DB * (bar.bar_in_section - 4) if bar.section == "solo" else 0.0
        made[number] = min(max(SECTION_DB.get(bar.section, 0.0) + walk_db + rise_db, RANGE_DB[0]), RANGE_DB[1])
    return made


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
        return [Note(beat, 0.2, KICK, STRONG), Note(beat, 0.5, CRASH, STRONG), Note(beat, 0.2, SNARE, STRONG)]
    chord = bar.chord_at(beat - bar.start_beat)
    pitches = _fullest(before, bar)
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


def _fullest(before: list[Note], bar: Bar) -> list[int]:
    """The pitches of the fullest attack of the last two bars: a stroke is no thinner than what is around it."""
    attacks: dict[float, set[int]] = {}
    for note in before:
        if note.beat >= bar.start_beat - 2 * bar.beats:
            attacks.setdefault(round(note.beat, 2), set()).add(note.pitch)
    fullest: set[int] = max(attacks.values(), key=len, default=set())
    return sorted(fullest)


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
        fill.append(Note(start + k / 4, 0.2, pitch, min(MOST_ELSE, 84 + 3 * k)))
    made["drums"] = fill


def _as_loud(note: Note, score: Score, swell_db: np.ndarray) -> Note:
    """As loud as its bar is; what is struck as a figure stays as it is."""
    if note.velocity >= STRONG:
        return note
    number = min(max(int(note.beat // score.beats_per_bar), 0), len(score.bars) - 1)
    velocity = round(min(note.velocity, MOST_ELSE) * 10.0 ** (float(swell_db[number]) / 20.0))
    return replace(note, velocity=min(max(velocity, 1), MOST_ELSE))
