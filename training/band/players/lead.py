"""The musician: strummed and picked guitar, piano comping, riffs and melodies, with their errors. Knows no sound."""

from __future__ import annotations

import numpy as np

from ..chord_theory import (
    BLUES,
    MAJOR_PENTATONIC,
    MINOR_PENTATONIC,
    guitar_shape,
    lead_voices,
    scale_of,
)
from ..form import choose
from ..score import METRES, Bar, Note
from ..style import Style
from .drums import kind_of, steps

GUITARS = (24, 25, 26, 27, 28, 29, 30)
PROGRAMS: dict[str, tuple[int, ...]] = {
    "strum": (24, 25, 25, 26, 27, 27, 29),
    "pick": (24, 25, 26, 27, 27),
    "power": (28, 29, 30, 30, 27),
    "comp": (0, 1, 2, 4, 5, 16),
    "riff": (25, 26, 27, 29, 30, 28, 5, 7),
    "melody": (26, 27, 29, 30, 24, 65, 66, 56, 40, 73, 11, 22, 71, 80, 0, 4),
}
CHORDAL = ("strum", "pick", "power", "comp")
RANGES = {
    56: (58, 82),
    65: (55, 80),
    66: (50, 75),
    71: (52, 82),
    73: (62, 91),
    40: (57, 90),
    11: (60, 86),
    22: (60, 84),
}
ARPEGGIOS = ("02132312", "0123", "01234321", "0213", "03231323", "0312", "02320232", "012310", "04342434")


def settle_lead(rng: np.random.Generator, style: Style, metre: str, mode: str, program: int) -> Lead:
    """What the lead settles on before anyone plays: patterns, riffs, the hand's place."""
    return Lead(rng, style, metre, mode, program)


def write_lead(rng: np.random.Generator, state: Lead, bars: list[Bar]) -> list[Note]:
    """All notes of the lead, cut to the bars' lead windows."""
    chordal = state.mode if state.mode in CHORDAL else None
    single = state.mode if chordal is None else choose(rng, ("melody", "riff"))
    mixed = rng.random() < 0.45 and state.program not in (16, 24)
    notes: list[Note] = []
    for bar in bars:
        solo = bar.section == "solo" or (mixed and kind_of(bar) == "bridge")
        kind = single if chordal is None or solo else chordal
        if chordal is None and mixed and bar.section == "intro":
            kind = "riff"
        if bar is bars[-1]:
            made = state.last(bar, chordal)
        else:
            made = {
                "strum": state.strum,
                "pick": state.pick,
                "power": state.power,
                "comp": state.comp,
                "riff": state.riff,
                "melody": state.melody,
            }[kind](bar, bars)
        notes += _window(bar, made)
    notes = _errors(rng, notes, bars)
    return notes + _entries(state, bars, notes)


def _window(bar: Bar, notes: list[Note]) -> list[Note]:
    begin, end = bar.start_beat + bar.lead_from_beats, bar.start_beat + min(bar.lead_to_beats, float(bar.beats))
    if bar.lead_to_beats == 0.25:
        notes = [Note(n.beat, 0.3, n.pitch, min(n.velocity + 10, 124), n.shift_ms) for n in notes]
    kept = [n for n in notes if begin - 1e-6 <= n.beat < end - 1e-6]
    if bar.lead_to_beats < bar.beats:
        kept = [
            Note(n.beat, max(0.1, min(n.length_beats, end + 0.15 - n.beat)), n.pitch, n.velocity, n.shift_ms)
            for n in kept
        ]
    return kept


def _entries(state: Lead, bars: list[Bar], notes: list[Note]) -> list[Note]:
    """Notes for places where the lead comes in after a silence and its phrase would let the band wait."""
    added: list[Note] = []
    starts = np.array(sorted(n.beat for n in notes))
    silent = True
    for bar in bars:
        begin, end = (
            float(bar.start_beat + bar.lead_from_beats),
            bar.start_beat + min(bar.lead_to_beats, float(bar.beats)),
        )
        if end <= begin:
            silent = True
            continue
        soon = np.any((starts >= begin - 1e-6) & (starts <= begin + 0.51))
        if (silent or bar.lead_from_beats > 0) and not soon:
            pool = [p for p in range(state.low, state.high) if p % 12 == bar.chord_at(bar.lead_from_beats).root]
            pitch = min(pool, key=lambda p: abs(p - state.here))
            added.append(Note(begin, min(0.9, end - begin), pitch, 92))
        silent = bar.lead_to_beats < bar.beats
    return added


def _errors(rng: np.random.Generator, notes: list[Note], bars: list[Bar]) -> list[Note]:
    rate = float(choose(rng, (0.0, 0.01, 0.02, 0.03)))
    out = []
    for n in notes:
        draw = rng.random()
        if draw < rate * 0.5:
            continue
        if draw < rate:
            n = Note(n.beat, n.length_beats, n.pitch + int(choose(rng, (-2, -1, 1, 2))), n.velocity, n.shift_ms)
        out.append(n)
    return out


class Lead:
    """What the lead settled on for the song: patterns, motifs, the hand's place."""

    def __init__(self, rng: np.random.Generator, style: Style, metre: str, mode: str, program: int) -> None:
        self.rng, self.style, self.metre, self.mode, self.program = rng, style, metre, mode, program
        self.beats, self.compound = METRES[metre]
        self.strum_steps, self.keys_steps = style.steps("strum", metre), style.steps("keys", metre)
        kinds = ("verse", "chorus", "bridge")
        self.strums = {kind: choose(rng, style.strums[metre]) for kind in kinds}
        self.cells = {kind: choose(rng, style.keys[metre]) for kind in kinds}
        self.arpeggio = {kind: choose(rng, ARPEGGIOS) for kind in kinds}
        self.arpeggio_steps = 2 if rng.random() < 0.65 or style.swing_depth > 0 else 4
        if self.compound:
            self.arpeggio_steps = 3
        self.fret = int(choose(rng, {0: 0.6, 3: 0.2, 5: 0.2}))
        self.spread_ms = float(rng.uniform(8, 30))
        self.voicing: tuple[int, ...] | None = None
        self.low, self.high = RANGES.get(program, (55, 84) if program < 8 else (52, 81))
        self.here = (self.low + self.high) / 2.0
        self.motifs: dict[str, list[tuple[float, float, int]]] = {}
        self.riffs: dict[str, list[tuple[float, float, int]]] = {}
        self.busy = float(rng.uniform(0.3, 1.0))
        self.left_hand = choose(rng, ("roots", "roots", "octaves", "none", "fifths"))

    def accents(self, kind: str) -> set[float]:
        """Where the lead leans in a bar (offsets in beats) in a kind of section: what the drummer listens for."""
        if self.mode in ("strum", "power"):
            pattern = self.strums[kind][: self.beats * self.strum_steps]
            return {k / self.strum_steps for k, mark in enumerate(pattern) if mark == "D"}
        if self.mode == "comp":
            pattern = self.cells[kind][: self.beats * self.keys_steps]
            return {k / self.keys_steps for k, mark in enumerate(pattern) if mark in "XxHh"}
        if self.mode == "riff":
            self.riffs[kind] = self.riffs.get(kind) or self._new_riff()
            return {at for at, _, _ in self.riffs[kind] if at < self.beats}
        return set()

    def _gain(self, bar: Bar) -> float:
        return 0.80 + 0.28 * bar.density

    def strum(self, bar: Bar, bars: list[Bar]) -> list[Note]:
        events = steps(self.strums[kind_of(bar)], bar, self.strum_steps)
        notes: list[Note] = []
        rings = [k for k, (_, c) in enumerate(events) if c in "DdUum!"]
        for k in rings:
            offset, mark = events[k]
            if mark == "!":
                continue
            nxt = next((events[j][0] for j in rings if j > k), float(bar.beats))
            chord = bar.chord_at(offset)
            change = next((at for at, _ in bar.chords if at > offset), float(bar.beats))
            shape = guitar_shape(chord.pcs, chord.bass, self.fret)
            base = {"D": 98, "d": 80, "U": 84, "u": 66, "m": 70}[mark] * self._gain(bar)
            if mark == "m":
                shape, length = shape[:3], 0.15
            else:
                length = min(nxt, change) - offset
                if self.style.short_strums_beats:
                    length = min(length, self.style.short_strums_beats)
            if mark in "Uu":
                shape = shape[-4:][::-1]
            elif mark == "d" and len(shape) > 4 and self.rng.random() < 0.4:
                shape = shape[:4]
            spread = self.spread_ms * float(self.rng.uniform(0.6, 1.3)) / max(1, len(shape) - 1)
            for n, p in enumerate(shape):
                v = int(np.clip(base - 2.0 * n + self.rng.normal(0, 4), 15, 124))
                notes.append(Note(bar.start_beat + offset, length * 0.97, p, v, n * spread))
        if not rings:
            return self.pick(bar, bars)
        return notes

    def pick(self, bar: Bar, bars: list[Bar]) -> list[Note]:
        pattern = self.arpeggio[kind_of(bar)]
        notes = []
        for k in range(bar.beats * self.arpeggio_steps):
            offset = k / self.arpeggio_steps
            chord = bar.chord_at(offset)
            shape = guitar_shape(chord.pcs, chord.bass, self.fret)
            index = int(pattern[k % len(pattern)])
            fresh = any(abs(at - offset) < 1e-6 for at, _ in bar.chords)
            if not fresh and self.rng.random() < 0.04:
                continue
            p = shape[0] if fresh else shape[min(index, len(shape) - 1)]
            v = (92 if fresh else 76) * self._gain(bar) + self.rng.normal(0, 5)
            notes.append(Note(bar.start_beat + offset, 1.0 if not fresh else 1.5, p, int(np.clip(v, 15, 122))))
        return notes

    def power(self, bar: Bar, bars: list[Bar]) -> list[Note]:
        notes = []
        events = steps(self.strums[kind_of(bar)], bar, self.strum_steps)
        marks = [k for k, (_, c) in enumerate(events) if c not in "-."]
        for k in marks:
            offset, mark = events[k]
            if mark == "!":
                continue
            chord = bar.chord_at(offset)
            root = 40 + (chord.bass - 40) % 12
            muted = mark in "um"
            nxt = next((events[j][0] for j in marks if j > k), float(bar.beats))
            length = 0.18 if muted else (nxt - offset) * 0.95
            for n, p in enumerate((root, root + 7, root + 12)[: 2 if muted else 3]):
                v = int(np.clip((74 if muted else 100) * self._gain(bar) + self.rng.normal(0, 4), 20, 126))
                notes.append(Note(bar.start_beat + offset, length, p, v, n * 3.0))
        return notes

    def comp(self, bar: Bar, bars: list[Bar]) -> list[Note]:
        cell = self.cells[kind_of(bar)]
        events = steps(cell, bar, self.keys_steps)
        notes: list[Note] = []
        step = 1.0 / self.keys_steps
        for at, chord in bar.chords:
            if self.left_hand != "none":
                root = 36 + (chord.bass - 36) % 12
                end = next((a for a, _ in bar.chords if a > at), float(bar.beats))
                pitches = {"roots": (root,), "octaves": (root, root + 12), "fifths": (root, root + 7)}[self.left_hand]
                beats = (0.0, 2.0) if end - at >= 4 and self.busy > 0.6 else (0.0,)
                for b in beats:
                    for p in pitches:
                        length = (end - at if len(beats) == 1 else 2.0) * 0.95
                        notes.append(Note(bar.start_beat + at + b, length, p, int(84 * self._gain(bar))))
        played = False
        for k, (offset, mark) in enumerate(events):
            change = any(abs(at - offset) < 1e-6 for at, _ in bar.chords)
            if mark in "-." and not (change and offset == 0 and not played and self.rng.random() < 0.6):
                continue
            if mark == "P":
                continue
            chord = bar.chord_at(offset)
            kind = self.style.keys_voicing if self.left_hand != "none" else "seventh"
            self.voicing = lead_voices(chord, kind, self.voicing, 54, 80)
            length = 1
            while k + length < len(events) and events[k + length][1] == "-":
                length += 1
            sounding = step * 0.8 if mark in "Xx" else max(length, 2) * step * 0.95
            played = True
            pitches = (self.voicing[min(int(mark), len(self.voicing) - 1)],) if mark.isdigit() else self.voicing
            for n, p in enumerate(pitches):
                v = int(np.clip(82 * self._gain(bar) + 3 * n + self.rng.normal(0, 5), 15, 122))
                notes.append(Note(bar.start_beat + offset, sounding, p, v, float(self.rng.uniform(0, 4)) * n))
        return notes

    def riff(self, bar: Bar, bars: list[Bar]) -> list[Note]:
        kind = kind_of(bar)
        if kind not in self.riffs:
            self.riffs[kind] = self._new_riff()
        span = 2 * self.beats
        begin = (bar.bar_in_section % 2) * self.beats
        notes = []
        for at, length, degree in self.riffs[kind]:
            if not begin <= at < begin + self.beats:
                continue
            if bar.bar_in_section % 4 == 3 and at > span - 2 and self.rng.random() < 0.4:
                degree += int(self.rng.integers(-2, 3))
            chord = bar.chord_at(at - begin)
            minorish = 3 in chord.tones or self.style.lead_scale == "blues"
            ladder = MINOR_PENTATONIC if minorish else MAJOR_PENTATONIC
            root = 45 + (chord.root - 45) % 12 if self.low < 55 else self.low + (chord.root - self.low) % 12
            octave, index = divmod(degree, len(ladder))
            v = int(np.clip((98 if at % 1 == 0 else 86) * self._gain(bar) + self.rng.normal(0, 4), 20, 124))
            notes.append(Note(bar.start_beat + at - begin, length, root + 12 * octave + ladder[index], v))
        return notes

    def _new_riff(self) -> list[tuple[float, float, int]]:
        rng = self.rng
        grid = 0.5 if self.style.swing_depth > 0 or rng.random() < 0.5 else 0.25
        if self.compound:
            grid = 1.0 / 3.0
        size = round(2 * self.beats / grid)
        weights = np.array([1.0 if k * grid % 1 == 0 else 0.55 if k * grid % 0.5 == 0 else 0.3 for k in range(size)])
        onsets = [k for k in range(size) if k == 0 or rng.random() < weights[k] * (0.45 + 0.5 * self.busy)]
        riff = []
        degree = 0
        for n, k in enumerate(onsets):
            nxt = onsets[n + 1] if n + 1 < len(onsets) else size
            riff.append((k * grid, min((nxt - k) * grid * 0.9, 1.5), degree))
            degree = int(np.clip(degree + choose(rng, (-2, -1, -1, 0, 1, 1, 2)), -2, 6))
            if rng.random() < 0.2:
                degree = 0
        return riff

    def melody(self, bar: Bar, bars: list[Bar]) -> list[Note]:
        kind = bar.section
        phrase = 4
        key = f"{kind}{bar.section_number if bar.section == 'solo' else ''}"
        if key not in self.motifs or (bar.section == "solo" and bar.bar_in_section % phrase == 0):
            self.motifs[key] = self._new_motif(phrase)
        begin = (bar.bar_in_section % phrase) * self.beats
        notes = []
        chord_scale = {}
        for at, length, move in self.motifs[key]:
            if not begin <= at < begin + self.beats:
                continue
            offset = at - begin
            chord = bar.chord_at(offset)
            if chord.name not in chord_scale:
                scale = scale_of(chord, bar.key, bar.minor)
                if self.style.lead_scale == "blues" and self.rng.random() < 0.75:
                    scale = tuple((bar.key + s) % 12 for s in BLUES)
                chord_scale[chord.name] = scale
            pcs = {(chord.root + t) % 12 for t in chord.tones}
            strong = offset % 2 == 0 or length >= 1.0
            pool = [p for p in range(self.low, self.high + 1) if p % 12 in (pcs if strong else chord_scale[chord.name])]
            wish = self.here + move
            wish += 0.12 * ((self.low + self.high) / 2 - wish)
            pitch = min(pool, key=lambda p: abs(p - wish))
            self.here = pitch
            v = int(np.clip((90 + 8 * strong) * self._gain(bar) + self.rng.normal(0, 5), 20, 124))
            notes.append(Note(bar.start_beat + offset, length, pitch, v))
        return notes

    def _new_motif(self, phrase: int) -> list[tuple[float, float, int]]:
        rng = self.rng
        grid = 0.25 if self.style.swing_depth == 0 and self.busy > 0.75 else 0.5
        if self.compound:
            grid = 1.0 / 3.0
        bar_rhythms = []
        for _ in range(2):
            size = round(self.beats / grid)
            chance = [0.9 if k * grid % 1 == 0 else 0.5 if k * grid % 0.5 == 0 else 0.25 for k in range(size)]
            bar_rhythms.append(
                [k * grid for k in range(size) if rng.random() < chance[k] * (0.35 + 0.6 * self.busy)] or [0.0]
            )
        order = choose(rng, ((0, 0, 0, 1), (0, 1, 0, 1), (0, 0, 1, 1), (0, 1, 1, 0)))
        onsets = [b * self.beats + t for b in range(phrase) for t in bar_rhythms[order[b % 4]]]
        rest_from = phrase * self.beats - float(choose(rng, (0.5, 1.0, 1.5)))
        onsets = [t for t in onsets if t < rest_from]
        motif = []
        direction = choose(rng, (-1, 1))
        for n, t in enumerate(onsets):
            nxt = onsets[n + 1] if n + 1 < len(onsets) else phrase * self.beats
            if rng.random() < 0.3:
                direction = -direction
            move = direction * int(choose(rng, (0, 1, 2, 2, 2, 3, 4, 7)))
            motif.append((t, min((nxt - t) * float(rng.uniform(0.75, 0.97)), 3.0), move))
        return motif

    def last(self, bar: Bar, chordal: str | None) -> list[Note]:
        chord = bar.chords[0][1]
        if chordal is None:
            pitch = min(
                (p for p in range(self.low, self.high + 1) if p % 12 == chord.root), key=lambda p: abs(p - self.here)
            )
            return [Note(float(bar.start_beat), bar.beats - 1.0, pitch, 92)]
        shape = guitar_shape(chord.pcs, chord.bass, self.fret)
        if chordal == "comp":
            shape = lead_voices(chord, "triad", self.voicing, 54, 80)
        return [Note(float(bar.start_beat), bar.beats - 0.5, p, 92, n * 6.0) for n, p in enumerate(shape)]
