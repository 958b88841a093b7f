"""The bass player: lines from cells that lock with the kick, or walking lines. Knows no sound. Range E1 to G3."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..chord_theory import (
    fifth,
    scale_of,
    seventh,
    third,
)
from ..form import choose
from ..score import (
    METRES,
    Bar,
    Chord,
    Note,
)
from ..style import Style
from .bass_density import fitted, paced
from .density import Busy, Events, usual_of_cells
from .density_habits import MANNERS
from .drums import Kit, kind_of, steps

LOW, HIGH = 28, 55
FASTEST_BPM = 160.0
BUSY_WALKS = 0.75
"""From this density on everyone walks whose style mostly does."""


def place(pc: int, near: float, low: int = LOW, high: int = HIGH) -> int:
    """The pitch of class `pc` inside the range that lies nearest to `near`."""
    options = [p for p in range(low, high + 1) if p % 12 == pc % 12]
    return min(options, key=lambda p: abs(p - near))


def _overlap(cell: str, kick: str, cell_steps: int, kick_steps: int) -> float:
    """How well the onsets of a bass cell meet the kick's, 0..1."""
    ours = {k / cell_steps for k, c in enumerate(cell) if c not in "-."}
    theirs = {k / kick_steps for k, c in enumerate(kick[: len(kick)]) if c not in ".g?"}
    return len(ours & theirs) / max(1, len(theirs)) if theirs else 0.0


def from_kick(rng: np.random.Generator, kick: str, kick_steps: int, beats: int) -> str:
    """A cell that plays with the kick and holds in between, in 4 steps a beat."""
    size = beats * 4
    text = ["-"] * size
    hits = sorted({int(k * 4 / kick_steps) for k, c in enumerate(kick[: beats * kick_steps]) if c in "Xxo"} | {0})
    for n, at in enumerate(hits):
        text[at] = "R" if n == 0 or rng.random() < 0.72 else choose(rng, ("5", "8", "R"))
    if rng.random() < 0.45:
        text[size - 2] = "a"
    if rng.random() < 0.4 and beats == 4:
        for beat in (1, 3):
            if text[beat * 4] == "-":
                text[beat * 4] = "."
    return "".join(text)


def _pitch(mark: str, chord: Chord, root: int, target: int, rng: np.random.Generator) -> int:
    if mark in "Rrx":
        return root
    if mark == "a":
        above = target + choose(rng, (1, 2)) if rng.random() < 0.4 else target - choose(rng, (1, 2))
        return int(np.clip(above, LOW, HIGH))
    step = {"8": 12, "5": fifth(chord), "3": third(chord) or fifth(chord), "7": seventh(chord), "6": 9, "4": 5, "2": 2}[
        mark
    ]
    if chord.bass != chord.root and mark != "8":
        # Over an inversion the root is not underfoot: the nearest other chord tone above it does.
        step = min((t + chord.root - chord.bass) % 12 or 12 for t in chord.tones)
        if mark == "5":
            step = (chord.root - chord.bass) % 12
    pitch = root + step
    return pitch if pitch <= HIGH else pitch - 12


def write_bass(
    rng: np.random.Generator, style: Style, bars: list[Bar], kit: Kit, metre: str, bpm: float,
    kicks: set[float], seed: int,
) -> list[Note]:  # fmt: skip
    """All bass notes of a song. Sixteenths thin out to eighths where no finger follows (`FASTEST_BPM`). `kicks`: the
    beats of the kicks as played; `seed`: of what density makes of the lines."""
    cells = _cells(rng, style, kit, metre)
    usual = style.bass[metre]
    if bpm > FASTEST_BPM:
        cells = {kind: (_thin(text), per) if per == 4 else (text, per) for kind, (text, per) in cells.items()}
        usual = tuple(_thin(text) for text in usual) if style.steps("bass", metre) == 4 else usual
    busy = Busy(MANNERS[style.name], usual_of_cells(usual, style.steps("bass", metre)), 60.0 / bpm, seed)
    late = 2.0 / 3.0 if METRES[metre][1] else 0.5
    walking = {kind: rng.random() < style.walking for kind in ("verse", "chorus", "bridge")}
    notes: list[Note] = []
    # Where this player's hand lies: roots take the octave next to it, so approaches know where they lead.
    home = float(choose(rng, (33.5, 35.5, 36.5, 37.5)))
    here = 38.0
    for bar in bars:
        if not bar.parts[1]:
            continue
        upcoming = bars[min(bar.index + 1, len(bars) - 1)].chords[0][1]
        if bar is bars[-1]:
            notes.append(Note(float(bar.start_beat), bar.beats - 0.5, place(bar.chords[0][1].bass, here, LOW, 45), 96))
        elif walking[kind_of(bar)] or (style.walking >= 0.5 and bar.density >= BUSY_WALKS):
            line = paced(walk(rng, bar, upcoming, here, late), bar, busy, late, LOW)
            notes += line
            here = float(line[-1].pitch)
        else:
            text, per_beat = cells[kind_of(bar)]
            events = fitted(steps(text, bar, per_beat), bar, busy, kicks)
            line = _cell_bar(rng, bar, upcoming, events, per_beat, home)
            notes += line
            here = float(line[-1].pitch) if line else here
    return _near(notes)


def _thin(cell: str) -> str:
    """A cell of four steps a beat without what falls between eighths."""
    return "".join(mark if k % 2 == 0 or mark in "-." else "-" for k, mark in enumerate(cell))


def _near(notes: list[Note]) -> list[Note]:
    """Takes the note before a leap of more than a tenth to the octave that lies nearer."""
    out = list(notes)
    for k in range(len(out) - 2, -1, -1):
        gap = out[k + 1].pitch - out[k].pitch
        if abs(gap) > 16:
            moved = out[k].pitch + (12 if gap > 0 else -12)
            if LOW <= moved <= HIGH:
                out[k] = replace(out[k], pitch=moved)
    return out


def _cells(rng: np.random.Generator, style: Style, kit: Kit, metre: str) -> dict[str, tuple[str, int]]:
    cells: dict[str, tuple[str, int]] = {}
    beats, compound = METRES[metre]
    per_beat = style.steps("bass", metre)
    for kind in ("verse", "chorus", "bridge"):
        kick = kit.kick[kind]
        if rng.random() < style.kick_lock * 0.6 and not compound:
            cells[kind] = (from_kick(rng, kick, kit.groove.steps_per_beat, beats), 4)
            continue
        options = style.bass[metre]
        weights = np.array([0.15 + _overlap(c, kick, per_beat, kit.groove.steps_per_beat) ** 2 for c in options])
        cells[kind] = (options[int(rng.choice(len(options), p=weights / weights.sum()))], per_beat)
    if rng.random() < 0.4:
        cells["chorus"] = cells["verse"]
    return cells


def _cell_bar(
    rng: np.random.Generator, bar: Bar, upcoming: Chord, events: Events, per_beat: int, home: float
) -> list[Note]:
    changes = bar.changes
    notes: list[Note] = []
    current: Chord | None = None
    root = 0
    # A line of roots and fifths alone rocks down to the fifth below; a line that climbs passes it on its way up.
    pastoral = {mark for _, mark in events} <= set("Rr5ax-.")
    for k, (offset, mark) in enumerate(events):
        chord = bar.chord_at(offset)
        fresh = chord is not current
        if fresh:
            current = chord
            root = place(chord.bass, home, LOW, 45)
        if (offset in changes or (offset == 0 and mark not in ".")) and (fresh or mark in "-"):
            mark = "R" if mark in "-.57382a46" else mark
        if mark in "-.":
            continue
        later = [at for at, _ in bar.chords if at > offset]
        following = bar.chord_at(later[0]) if later else upcoming
        target = place(following.bass, home, LOW, 45)
        length = 1
        while k + length < len(events) and events[k + length][1] == "-" and events[k + length][0] not in changes:
            length += 1
        pitch = _pitch(mark, chord, root, target, rng)
        if mark == "5" and pastoral and pitch - 12 >= LOW and root >= 38:
            pitch -= 12
        accent = 100 if offset == 0 else 92 if offset % 1 == 0 else 84
        velocity = int(
            np.clip((48 if mark == "x" else 74 if mark == "r" else accent) * (0.84 + 0.22 * bar.density), 20, 124)
        )
        sounding = 0.12 if mark == "x" else length / per_beat * (0.94 if length > 1 else 0.82)
        notes.append(Note(bar.start_beat + offset, sounding, pitch, velocity))
    if bar.fill_beats >= 1 and bar.beats >= 3 and notes and rng.random() < 0.3 and len(bar.chords) == 1:
        notes = _run(rng, bar, upcoming, notes, home)
    return notes


def _run(rng: np.random.Generator, bar: Bar, upcoming: Chord, notes: list[Note], home: float) -> list[Note]:
    """Replaces the last beat by a scale run of eighths into the next root."""
    start = bar.start_beat + bar.beats - 1
    target = place(upcoming.bass, home, LOW, 45)
    scale = scale_of(bar.chords[-1][1], bar.key, bar.minor)
    direction = -1 if target > LOW + 5 and rng.random() < 0.6 else 1
    path = []
    pitch = target
    for _ in range(2):
        pitch += direction
        while pitch % 12 not in scale:
            pitch += direction
        path.append(int(np.clip(pitch, LOW, HIGH)))
    kept = [n for n in notes if n.beat < start - 1e-6]
    if kept and kept[-1].beat + kept[-1].length_beats > start:
        last = kept[-1]
        kept[-1] = Note(last.beat, start - last.beat, last.pitch, last.velocity)
    return kept + [Note(start + 0.5 * k, 0.45, p, 90) for k, p in enumerate(reversed(path))]


def _next_root(pc: int, last: float) -> int:
    """The octave of a root that a walking line reaches from its last note: the near one, with a pull to the middle."""
    return min((p for p in range(LOW, 51) if p % 12 == pc), key=lambda p: abs(p - last) + 0.2 * abs(p - 38))


def _pull(pitch: int, goal: float, line: list[int], chord_pcs: set[int]) -> float:
    """How much a walking line wants this pitch next: towards its goal, by step, chord tones on strong beats."""
    strong = len(line) % 2 == 0
    weight = np.exp(-abs(pitch - goal) / 2.5) * np.exp(-max(0, abs(pitch - line[-1]) - 2) / 2.5)
    if pitch % 12 in chord_pcs:
        weight *= 2.6 if strong else 1.6
    elif strong:
        weight *= 0.4
    if len(line) > 1 and pitch == line[-2]:
        weight *= 0.15
    return float(weight)


def walk(rng: np.random.Generator, bar: Bar, upcoming: Chord, here: float, late: float = 0.5) -> list[Note]:
    """A walking bar: roots on the changes, chord and scale tones between, a chromatic or scale approach at the end.
    `late`: where in a beat a skipped note lies."""
    notes: list[Note] = []
    pitch = here
    spans = [
        (at, chord, bar.chords[k + 1][0] if k + 1 < len(bar.chords) else float(bar.beats))
        for k, (at, chord) in enumerate(bar.chords)
    ]
    for n, (at, chord, end) in enumerate(spans):
        following = spans[n + 1][1] if n + 1 < len(spans) else upcoming
        count = int(end - at)
        first = chord.bass
        if bar.bar_in_section and n == 0 and rng.random() < 0.12 and chord.bass == chord.root:
            first = (chord.root + (third(chord) or 7)) % 12
        root = _next_root(first, pitch)
        line = [root]
        target = _next_root(following.bass, root)
        chord_pcs = {(chord.root + t) % 12 for t in chord.tones}
        scale = set(scale_of(chord, bar.key, bar.minor)) | chord_pcs
        while len(line) < count:
            left = count - len(line)
            if left == 1:
                approaches = [target - 1, target + 1]
                approaches += [p for p in (target - 2, target + 2, target + 7, target - 5) if p % 12 in scale]
                # on the note beside the lowest one nothing of these is left: from a whole tone above
                approaches = [p for p in approaches if LOW <= p <= 52 and p != line[-1]] or [target + 2]
                near = np.array([np.exp(-abs(p - line[-1]) / 2.5) for p in approaches])
                costs = near * np.array([1.6 if abs(p - target) == 1 else 1.0 for p in approaches])
                line.append(int(approaches[int(rng.choice(len(approaches), p=costs / costs.sum()))]))
                continue
            goal = line[-1] + (target - line[-1]) / left
            reach = range(max(LOW, line[-1] - 7), min(52, line[-1] + 7) + 1)
            options = [p for p in reach if p % 12 in scale and p != line[-1]]
            weights = np.array([_pull(p, goal, line, chord_pcs) for p in options])
            line.append(int(options[int(rng.choice(len(options), p=weights / weights.sum()))]))
        for k, p in enumerate(line):
            skip = rng.random() < 0.07 and k < count - 1
            beat = bar.start_beat + at + k
            velocity = int((94 if k % 2 == 0 else 98) * (0.86 + 0.2 * bar.density))
            notes.append(Note(beat, late - 0.02 if skip else 0.93, p, velocity))
            if skip:
                notes.append(
                    Note(beat + late, 0.8 * (1.0 - late), p if rng.random() < 0.5 else line[k + 1], int(velocity * 0.7))
                )
        pitch = line[-1]
    return notes
