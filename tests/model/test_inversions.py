"""The shipped band over slash chords: its bass has the written note on the first beat, its keys keep the chord."""

from __future__ import annotations

import numpy as np
import pytest
from gigmate.engine.charts.chart_parser import parse_chart
from gigmate.engine.player import PARTS, Controls, Moment
from gigmate.model.accompanist import Accompanist, load_player

BPM = 132.0
EARLY_BEATS = 0.2
"""Of a note that is struck for the beat to come, or a chord that is told before it."""


@pytest.fixture(scope="module")
def band() -> Accompanist:
    return load_player()


def struck(band: Accompanist, bars: str, controls: Controls, seed: int = 3) -> list[tuple[str, float, int]]:
    """(part, beat, pitch class) of every note that begins while the chart is played once, over silence."""
    chart = parse_chart(bars)
    band.reset(seed, 2)
    silence = np.zeros(band.tail_samples + band.frame_samples, np.float32)
    frame_s = band.frame_samples / band.sample_rate_hz
    found = []
    for frame in range(round(chart.length_beats * 60.0 / BPM / frame_s)):
        beat = frame * frame_s * BPM / 60.0
        chord = chart.chord_symbol_at(beat + EARLY_BEATS)
        bass = chord.bass if chord.bass != chord.root else -1
        moment = Moment(beat % 1.0, beat / 4.0 % 1.0, BPM, 4, 1.0, chord.root, chord.pitch_classes, chord_bass=bass)
        band.listen(silence)
        band.draw(moment, controls)
        for note in band.notes():
            if note.velocity > 0:
                at = beat + note.offset_samples / band.sample_rate_hz * BPM / 60.0
                found.append((PARTS[note.part], at, note.pitch % 12))
        if frame % 4 == 3:
            band.pass_over()
    return found


def on_first_beats(notes: list[tuple[str, float, int]], bars: int) -> list[int]:
    """Of each bar the class of the bass note that begins on its first beat; -1 where none does."""
    found = []
    for bar in range(bars):
        near = [(abs(at - 4 * bar), tone) for part, at, tone in notes if part == "bass"]
        off, tone = min(near, default=(9.0, -1))
        found.append(tone if off < EARLY_BEATS else -1)
    return found


@pytest.mark.parametrize("controls", [Controls("rock"), Controls("rock", groove=0.0)], ids=["groove", "as it comes"])
def test_the_bass_has_the_written_note_on_the_chords_first_beat(band: Accompanist, controls: Controls) -> None:
    notes = struck(band, "| C | F/A | G/B | C/E | C/E | Am/G |", controls)
    assert on_first_beats(notes, 6)[1:] == [9, 11, 4, 4, 7]
    chords = parse_chart("| C | F/A | G/B | C/E | C/E | Am/G |")
    keys = [chords.chord_at(at + EARLY_BEATS)[1][tone] for part, at, tone in notes if part == "keys"]
    assert len(keys) > 6 and np.mean(keys) > 0.85, "the keys keep the chord"


def test_plain_chords_are_on_their_roots_as_before(band: Accompanist) -> None:
    notes = struck(band, "| C | F | G |", Controls("rock"))
    assert on_first_beats(notes, 3)[1:] == [5, 7]
