"""The shipped band over an inversion: told its bass as the root, its bass leans on it, and its keys keep the chord."""

from __future__ import annotations

import numpy as np
import pytest
from gigmate.engine.charts.chord_symbol import ChordSymbol, parse_chord
from gigmate.engine.player import PARTS, Controls, Moment
from gigmate.model.accompanist import Accompanist, load_player

SECONDS, FIRST_S, BPM = 16.0, 4.0, 104.0


@pytest.fixture(scope="module")
def band() -> Accompanist:
    return load_player()


def struck(band: Accompanist, chord: ChordSymbol, root: int) -> dict[str, list[int]]:
    """Pitch classes that each part strikes, once the music runs."""
    band.reset(3, 2)
    found: dict[str, list[int]] = {part: [] for part in PARTS}
    silence = np.zeros(band.tail_samples + band.frame_samples, np.float32)
    frame_s = band.frame_samples / band.sample_rate_hz
    for frame in range(round(SECONDS / frame_s)):
        beat = frame * frame_s * BPM / 60.0
        band.listen(silence)
        band.draw(Moment(beat % 1.0, beat / 4.0 % 1.0, BPM, 4, 1.0, root, chord.pitch_classes), Controls())
        if frame * frame_s >= FIRST_S:
            for note in band.notes():
                if note.velocity > 0:
                    found[PARTS[note.part]].append(note.pitch % 12)
        if frame % 4 == 3:
            band.pass_over()
    return found


@pytest.mark.slow
def test_the_bass_leans_on_the_bass_of_an_inversion(band: Accompanist) -> None:
    as_root, as_bass = [], []
    for name in ("C/E", "F/C"):
        chord = parse_chord(name)
        plain, led = struck(band, chord, chord.root), struck(band, chord, chord.bass)
        as_root += [tone == chord.bass for tone in plain["bass"]]
        as_bass += [tone == chord.bass for tone in led["bass"]]
        assert len(led["keys"]) > 10
        assert np.mean([chord.pitch_classes[tone] for tone in led["keys"]]) > 0.95
    assert min(len(as_root), len(as_bass)) > 20
    assert np.mean(as_bass) > np.mean(as_root) + 0.25
    assert np.mean(as_bass) > 0.4
