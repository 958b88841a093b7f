"""Prints how far onsets stand from the band's own groove, as the generator draws them and as they are put in place.

    python tests/groove_spread.py [--seconds 40] [--styles swing,funk]

The bundled performance in rock, and a made lead in each style. Standard deviation in ms of onset minus the nearest
place of the grid (of the beat that the conductor gave the band, swung as the style swings, with the part's own
lateness), among onsets within 25 ms of one; and how many those are.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from typing import ClassVar

import numpy as np
import pytest
import soundfile
from gigmate import Band
from gigmate.engine.notes.groove_timing import GrooveTiming, NoteFrame, grid_of
from gigmate.engine.player import PARTS
from gigmate.engine.position import Point
from gigmate.engine.run import band_step
from gigmate.engine.style_priors import STYLE_GROOVES
from gigmate.presets.loader import PERFORMANCE_FILE
from gigmate.training.sound.render import render_song

STYLES = "swing,blues_shuffle,funk,hip_hop,bossa_nova,country_train"
SEED = 7001
_NEAR_MS = 25.0
Found = dict[tuple[str, str], list[float]]


def off_ms(at: float, part: int, frame: NoteFrame, rate_hz: float, peek: Callable[[float], Point]) -> float:
    """From the nearest place of the grid to an onset."""
    groove = STYLE_GROOVES[frame.style]
    here, there = peek(at), peek(at + frame.samples)
    per_beat = frame.samples / (there.beat - here.beat)
    beat = here.beat - groove.late_ms[part] * rate_hz / 1000.0 / per_beat
    within = beat - math.floor(beat)
    places = grid_of(round(per_beat / rate_hz, 2), here.beat_quarters, groove)
    return min((within - place for place in places), key=abs) * per_beat / rate_hz * 1000.0


class Measured(GrooveTiming):
    """Writes down what comes in and what goes out."""

    found: ClassVar[Found] = {}

    def frame(self, events, frame, peek):  # type: ignore[no-untyped-def]
        notes = super().frame(events, frame, peek)
        if frame.in_time:
            drawn = [
                (event.part, frame.start_samples + event.offset_samples * frame.ratio)
                for event in events
                if event.velocity > 0
            ]
            placed = [(note.part, note.position_samples) for note in notes if note.velocity > 0]
            for kind, onsets in (("drawn", drawn), ("placed", placed)):
                for part, at in set(onsets):
                    row = self.found.setdefault((PARTS[part], kind), [])
                    row.append(off_ms(at, part, frame, self._rate_hz, peek))
        return notes


def measured(band: Band, style: str, seconds: float) -> Found:
    """Of the bundled performance for "rock", else of a made lead in that style."""
    Measured.found = {}
    if style == "rock":
        rate_hz = soundfile.info(PERFORMANCE_FILE).samplerate
        lead, _ = soundfile.read(PERFORMANCE_FILE, stop=int(seconds * rate_hz))
    else:
        song = render_song(SEED, split="test", styles=(style,), seconds=(seconds, seconds + 4))
        lead, rate_hz = song.stems["lead"], song.rate_hz
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(band_step, "GrooveTiming", Measured)
        band.accompany(lead, rate_hz, preset=style)
    return Measured.found


def spread(values: list[float]) -> str:
    near = np.array([value for value in values if abs(value) <= _NEAR_MS])
    return f"{near.std():5.1f}" if near.size else "    -"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=40.0)
    parser.add_argument("--styles", default=STYLES)
    asked = parser.parse_args()
    band = Band.load()
    print(f"{'music':16}" + "".join(f"{part + ' drawn':>14}{'placed':>8}" for part in PARTS) + "   onsets near")
    totals: Found = {}
    for style in ["rock", *asked.styles.split(",")]:
        found = measured(band, style, asked.seconds)
        tell("performance" if style == "rock" else style, found)
        for key, row in found.items():
            totals.setdefault(key, []).extend(row)
    tell("all", totals)


def tell(name: str, found: Found) -> None:
    line = f"{name:16}"
    for part in PARTS:
        line += f"{spread(found.get((part, 'drawn'), [])):>14}{spread(found.get((part, 'placed'), [])):>8}"
    every = [value for (_, kind), row in found.items() if kind == "placed" for value in row]
    near = sum(abs(value) <= _NEAR_MS for value in every)
    print(f"{line}   {near} of {len(every)}", flush=True)


if __name__ == "__main__":
    main()
