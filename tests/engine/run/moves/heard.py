"""Prints what is heard of moves with the shipped band: hits, silence in breaks, builds, solos, feels.

`python tests/engine/run/moves/heard.py [STYLE ...]`; needs a bank for the instruments. Not a test.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Sequence

import numpy as np
from gigmate.engine.commands import SetSounds
from gigmate.engine.config import EngineConfig
from gigmate.engine.fault_log import FaultLog
from gigmate.engine.notes.groove_timing import TimedNote
from gigmate.engine.part_sounds import in_order, sounds_of
from gigmate.engine.player import Controls, Moment
from gigmate.engine.run.band_step import BandStep
from gigmate.engine.run.moves.stage_moves import StageMoves
from gigmate.engine.timing.fixed_grid import GridConductor
from gigmate.model.accompanist import load_player
from gigmate.presets.loader import load_preset
from gigmate.sound.rack import Rack

HZ = 48_000
TEMPI = {"rock": (120, 4), "jazz_waltz": (150, 3), "funk": (100, 4), "pop_ballad": (72, 4), "odd_five": (140, 5)}
ROOTS = ((0, 4), (9, 3), (5, 4), (7, 4))
KICK, SNARES = (35, 36), (37, 38, 40)


class Grid(GridConductor):
    """A grid with four chords, a bar each."""

    def moment(self, position_samples: float) -> Moment:
        root, third = ROOTS[self.bar_count(position_samples) % 4]
        tones = {(root + step) % 12 for step in (0, third, 7)}
        classes = tuple(float(tone in tones) for tone in range(12))
        moment = super().moment(position_samples)
        return dataclasses.replace(moment, chord_root=root, chord_pitch_classes=classes)


class Take:
    """So many seconds of the band, with moves asked for at seconds."""

    def __init__(
        self, style: str, sound: str, seconds: float, script: Sequence[tuple[float, Callable[[StageMoves], object]]]
    ) -> None:
        tempo_bpm, self.metre = TEMPI[style]
        config = EngineConfig(start_playing=True, wait_for_musician=False)
        band = BandStep(config, HZ, load_player(seed=5), Grid(tempo_bpm, self.metre, HZ), FaultLog())
        band.play_instruments(Rack(HZ, patient=True))
        band.set_sounds(SetSounds(in_order(sounds_of(sound))))
        band.mix = load_preset(style).mixed
        band.stage.start()
        self.beat = 60.0 / tempo_bpm * HZ
        self.notes: list[TimedNote] = []
        self.cuts: list[float] = []
        self.struck: list[float] = []
        frames, waiting, start = [], sorted(script, key=lambda one: one[0]), None
        for frame in range(round(seconds * 25)):
            while waiting and waiting[0][0] <= frame / 25:
                waiting.pop(0)[1](band.moves)
            band.hear(frame, np.zeros(band.host_frame, np.float32))
            moment = band.direct(frame, fresh=frame == 0)
            self.cuts += [band.moves.cut_samples] if band.moves.cut_samples is not None else []
            self.struck += [place for place in band.moves.struck if place not in self.struck]
            for made in band.make(frame, moment, Controls(style=style), (0.0, 0.0, 0.0)) or ():
                start = made.start_samples if start is None else start
                frames.append(made.parts.copy())
            self.notes += band.placed_notes
        self.parts, self.start = np.concatenate(frames, axis=2), start or 0

    def db(self, begin: float, end: float, part: int | None = None) -> float:
        """RMS of a part, or of the mix, left and right together."""
        piece = self.parts[:, :, round(begin - self.start) : round(end - self.start)]
        sound = piece.sum(axis=0) if part is None else piece[part]
        return float(10 * np.log10(np.mean(sound.astype(np.float64) ** 2) + 1e-12))

    def onset_ms(self, place: float) -> float:
        """How far from a place, within 40 ms, the mix rises most: the peak of its spectral flux."""
        mix = self.parts.sum(axis=0).mean(axis=0).astype(np.float64)
        first, hop, size = round(place - self.start) - 40 * 48, 48, 256
        window = np.hanning(size)
        frames = [mix[first + hop * n - size // 2 :][:size] * window for n in range(81)]
        log = np.log1p(1000 * np.abs(np.fft.rfft(frames, axis=1)))
        return float(np.argmax(np.maximum(np.diff(log, axis=0), 0).sum(axis=1)) + 0.5 - 40)

    def count(self, begin: float, end: float, part: int, pitches: Sequence[int] = ()) -> float:
        """Beginnings of notes, for each bar."""
        found = {
            note.position_samples
            for note in self.notes
            if note.part == part and note.velocity > 0 and begin <= note.position_samples < end
            and (not pitches or note.pitch in pitches)
        }  # fmt: skip
        return len(found) / ((end - begin) / self.beat / self.metre)


def hits(style: str, sound: str) -> str:
    take = Take(style, sound, 40, [(4 + 3.3 * k, lambda moves: moves.hit()) for k in range(10)])
    exact = sum(
        any(n.part == part and n.velocity > 0 and abs(n.position_samples - at) < 1 for n in take.notes)
        for at in take.struck for part in range(3)
    )  # fmt: skip
    behind = sum(
        n.velocity > 0 and at + 1 < n.position_samples < at + take.beat - 0.03 * HZ
        for at in take.struck for n in take.notes
    )  # fmt: skip
    off = np.array([take.onset_ms(at) for at in take.struck])
    return (
        f"hits {len(take.struck)}: notes on the beat {exact} of {3 * len(take.struck)}, behind it {behind}; in the "
        f"sound within 10 ms {np.mean(np.abs(off) <= 10):.0%}, median {np.median(off):+.1f} ms"
    )


def breaks(style: str, sound: str) -> str:
    take = Take(style, sound, 40, [(4 + 5.7 * k, lambda moves: moves.rest()) for k in range(6)])
    usual = take.db(HZ, 4 * HZ)
    spans = [(cut, back) for cut, back in zip(take.cuts, take.struck, strict=True) if back - cut > 0.45 * HZ]
    early = [take.db(cut + 240, cut + 0.1 * HZ) for cut, _ in spans]
    late = [take.db(cut + 0.3 * HZ, back - 0.02 * HZ) for cut, back in spans]
    back = [take.db(at, at + 0.25 * HZ) for at in take.struck]
    inside = sum(n.velocity > 0 and cut <= n.position_samples < b - 1 for cut, b in spans for n in take.notes)
    return (
        f"breaks {len(spans)}: notes in them {inside}; band {usual:.0f} dB, first 0.1 s {np.mean(early):.0f}, "
        f"after 0.3 s {np.mean(late):.0f} (the room), return {np.mean(back):.0f} dB"
    )


def build_and_solo(style: str, sound: str) -> str:
    bar_s = TEMPI[style][1] * 60 / TEMPI[style][0]
    at = 4 * bar_s
    take = Take(style, sound, 9 * bar_s + 0.5, [(at - 0.5 * bar_s, lambda moves: moves.build(4))])
    (line,) = take.struck
    bar = bar_s * HZ
    first, last = (line - 4 * bar, line - 3 * bar), (line - bar, line)
    notes = [sum(take.count(*span, part) for part in range(3)) for span in (first, last)]
    text = f"build: notes a bar {notes[0]:.0f} to {notes[1]:.0f}, level {take.db(*last) - take.db(*first):+.1f} dB; "
    take = Take(style, sound, 17 * bar_s, [(8 * bar_s - 0.3, lambda moves: moves.set_solo(True))])
    before, during = (4 * bar, 8 * bar), (10 * bar, 16 * bar)
    keys = take.count(*before, 2), take.count(*during, 2)
    level = [take.db(*during, part) - take.db(*before, part) for part in range(3)]
    return text + f"solo: keys {keys[0]:.1f} to {keys[1]:.1f} notes a bar, levels {np.round(level, 1)} dB"


def feels(style: str, sound: str) -> str:
    bar_s = TEMPI[style][1] * 60 / TEMPI[style][0]
    script = [(7.5 * bar_s, lambda moves: moves.set_feel(0.5)), (15.5 * bar_s, lambda moves: moves.set_feel(2.0))]
    take, bar = Take(style, sound, 24 * bar_s, script), bar_s * HZ
    spans = ((2 * bar, 8 * bar), (10 * bar, 16 * bar), (18 * bar, 23 * bar))
    backbeats = [take.count(*span, 0, SNARES) for span in spans]
    kicks = [take.count(*span, 0, KICK) for span in spans]
    return (
        "feel usual, half, double: snares a bar " + ", ".join(f"{n:.1f}" for n in backbeats)
        + "; kicks " + ", ".join(f"{n:.1f}" for n in kicks)
    )  # fmt: skip


def main() -> None:
    for style in sys.argv[1:] or TEMPI:
        for sound in ("instruments", "neural"):
            for measure in (hits, breaks):
                print(f"{style} {sound}: {measure(style, sound)}", flush=True)
        for measure in (build_and_solo, feels):
            print(f"{style} instruments: {measure(style, 'instruments')}", flush=True)


if __name__ == "__main__":
    main()
