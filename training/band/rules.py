"""The rules of a playable song; each violation is reported as one line. Knows no sound.

For tests and statistics: the arranger is mended, never the song.
"""

from __future__ import annotations

import itertools
from collections import defaultdict

from .chord_theory import cluttered
from .players.bass import HIGH, LOW
from .players.drums import (
    CLAP,
    FEET,
    OPEN,
    PEDAL,
)
from .score import METRES, Note, Score

KEYS_LOW, KEYS_HIGH = 48, 84
LONGEST_LEAP = 16
BLOCK_JUMP = 5
_HAND_PERCUSSION = 54


def faults(score: Score) -> list[str]:
    """Every fault found, as `part: what @ beat`; empty for a song that may stand."""
    return [
        *_ranges(score), *_limbs(score.notes["drums"]), *_clutter(score.notes["keys"]),
        *_jumps(score.notes["keys"]), *_bass_line(score),
        *_silences(score), *_form(score), *_values(score), *_speed(score),
    ]  # fmt: skip


def _ranges(score: Score) -> list[str]:
    found = [f"bass: {n.pitch} out of range @ {n.beat:.2f}" for n in score.notes["bass"] if not LOW <= n.pitch <= HIGH]
    found += [
        f"keys: {n.pitch} out of range @ {n.beat:.2f}"
        for n in score.notes["keys"]
        if not KEYS_LOW <= n.pitch <= KEYS_HIGH
    ]
    return found


def _moments(notes: list[Note]) -> dict[float, list[Note]]:
    at: dict[float, list[Note]] = defaultdict(list)
    for note in notes:
        at[round(note.beat, 3)].append(note)
    return at


def _limbs(notes: list[Note]) -> list[str]:
    """Two hands on the kit, one kick, one pedal; a second player may hold shaker, tambourine or clap."""
    found = []
    for beat, hits in _moments(notes).items():
        pitches = [n.pitch for n in hits]
        kit = [p for p in pitches if p not in FEET and (p < _HAND_PERCUSSION or p == 57) and p != CLAP]
        if len(kit) > 2:
            found.append(f"drums: {len(kit)} hands @ {beat}")
        if len(set(pitches)) != len(pitches):
            found.append(f"drums: one drum struck twice @ {beat}")
        if OPEN in pitches and PEDAL in pitches:
            found.append(f"drums: hat open and closed by foot @ {beat}")
    return found


def _clutter(notes: list[Note]) -> list[str]:
    found = []
    for beat, chord in _moments(notes).items():
        pitches = tuple(sorted({n.pitch for n in chord}))
        if len(pitches) >= 3 and cluttered(pitches):
            found.append(f"keys: muddy voicing {pitches} @ {beat}")
        if len(pitches) > 5:
            found.append(f"keys: {len(pitches)} fingers @ {beat}")
    return found


def _jumps(notes: list[Note]) -> list[str]:
    """Chords that follow one another within a bar or two never jump as a block: all voices one way by a fourth."""
    found = []
    chords = [(beat, sorted({n.pitch for n in at})) for beat, at in sorted(_moments(notes).items()) if len(at) >= 3]
    for (before, a), (beat, b) in itertools.pairwise(chords):
        if len(a) != len(b) or beat - before > 8:
            continue
        moves = [q - p for p, q in zip(a, b, strict=True)]
        if min(moves) >= BLOCK_JUMP or max(moves) <= -BLOCK_JUMP:
            found.append(f"keys: block jump of {moves} @ {beat}")
    return found


def _bass_line(score: Score) -> list[str]:
    """One note at a time, no leap beyond a tenth, and the chord's bass on most changes of chord."""
    notes = sorted(score.notes["bass"], key=lambda n: n.beat)
    found = []
    for a, b in itertools.pairwise(notes):
        if abs(a.pitch - b.pitch) > LONGEST_LEAP:
            found.append(f"bass: leap of {abs(a.pitch - b.pitch)} @ {b.beat:.2f}")
        if a.beat + a.length_beats > b.beat + 0.05:
            found.append(f"bass: two notes at once @ {b.beat:.2f}")
    right = total = 0
    starts = {round(n.beat, 3): n for n in notes}
    for bar in score.bars:
        for at, chord in bar.chords:
            note = starts.get(round(bar.start_beat + at, 3))
            if note is not None:
                total += 1
                right += note.pitch % 12 == chord.bass
    if total >= 8 and right < 0.7 * total:
        found.append(f"bass: the chord's bass on only {right} of {total} changes @ 0")
    return found


def _silences(score: Score) -> list[str]:
    """Nobody plays where his part is marked silent (a drum pick-up excepted)."""
    found = []
    for index, part in enumerate(("drums", "bass", "keys")):
        for bar in score.bars:
            if bar.parts[index]:
                continue
            begin, end = float(bar.start_beat), bar.start_beat + bar.beats - (bar.pickup_beats if index == 0 else 0.0)
            if any(begin - 1e-6 <= n.beat < end - 1e-6 for n in score.notes[part]):
                found.append(f"{part}: plays in a silent bar @ {begin}")
    for bar in score.bars:
        begin, end = bar.start_beat + bar.lead_to_beats, float(bar.start_beat + bar.beats)
        if any(begin + 0.01 <= n.beat < end - 1e-6 for n in score.notes["lead"]) and bar.lead_from_beats == 0:
            found.append(f"lead: plays where it is silent @ {begin}")
    return found


def _form(score: Score) -> list[str]:
    """Bars join without gaps, are as long as the metre says, and the band never enters before it heard the lead."""
    found = []
    beats = METRES[score.metre][0]
    for k, bar in enumerate(score.bars):
        if bar.start_beat != k * beats or bar.beats != beats:
            found.append(f"form: bar {k} is out of place @ {bar.start_beat}")
    for before, bar in itertools.pairwise(score.bars):
        heard = min(before.lead_to_beats, float(before.beats)) > before.lead_from_beats
        if bar.band and not before.band and not heard:
            found.append(f"form: the band enters without the lead @ {bar.start_beat}")
        if bar.band and not heard:
            found.append(f"form: the band goes on after the lead stopped @ {bar.start_beat}")
    return found


def _values(score: Score) -> list[str]:
    found = []
    for part, notes in score.notes.items():
        for n in notes:
            if not (1 <= n.velocity <= 127 and 0 <= n.pitch <= 127 and n.length_beats > 0):
                found.append(f"{part}: impossible note {n} @ {n.beat:.2f}")
    return found


def _speed(score: Score) -> list[str]:
    """No finger or stick goes faster than it can: bass 11 notes a second, one cymbal hand 10."""
    found = []
    hat = [n for n in score.notes["drums"] if n.pitch in (42, 51)]
    for part, notes, limit in (("bass", score.notes["bass"], 11.5), ("drums", hat, 10.0)):
        times = sorted({round(score.note_seconds(n)[0], 4) for n in notes if n.shift_ms < 100})
        for a, b in itertools.pairwise(times[::6]):
            if 6.0 / max(b - a, 1e-6) > limit:
                found.append(f"{part}: {6.0 / (b - a):.1f} notes a second @ {a:.1f} s")
                break
    return found
