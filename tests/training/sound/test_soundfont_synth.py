"""Notes through a soundfont: as loud as the standard says, on time, and nothing left over from the song before."""

from __future__ import annotations

import numpy as np
import pytest
from gigmate.training.sound import soundfont_synth

pytest.importorskip("tinysoundfont")
RATE_HZ = 32000
SAW, SNARE = 81, 38


def level_db(velocity: int, program: int = SAW, pitch: int = 60, drums: bool = False) -> float:
    sound = soundfont_synth.render_events(
        [(0.05, 0.4, pitch, velocity)], program, drums=drums, length_samples=RATE_HZ // 2, rate_hz=RATE_HZ
    )
    return float(10.0 * np.log10(np.mean(sound.astype(np.float64) ** 2)))


@pytest.mark.parametrize("velocity", [110, 90, 64, 45, 32, 20])
def test_touch_is_forty_times_the_logarithm(velocity: int) -> None:
    wanted_db = 40.0 * np.log10(velocity / 127.0)
    assert level_db(velocity) - level_db(127) == pytest.approx(wanted_db, abs=0.3)


def test_drums_have_the_same_touch_and_their_hat_still_closes() -> None:
    soft = level_db(40, 0, SNARE, True) - level_db(80, 0, SNARE, True)
    assert soft == pytest.approx(40.0 * np.log10(0.5), abs=1.5)
    opened, closed = (0.05, 2.0, 46, 100), (0.3, 2.0, 42, 30)
    rings = [
        soundfont_synth.render_events(hits, 0, drums=True, length_samples=RATE_HZ, rate_hz=RATE_HZ)
        for hits in ([opened], [opened, closed])
    ]
    after = slice(int(0.45 * RATE_HZ), int(0.6 * RATE_HZ))
    assert np.abs(rings[1][after]).max() < 0.1 * np.abs(rings[0][after]).max()


def test_notes_of_every_touch_end() -> None:
    notes = [(0.05, 0.2, 50 + k, velocity) for k, velocity in enumerate((127, 90, 60, 30, 10))]
    sound = soundfont_synth.render_events(notes, 16, drums=False, length_samples=2 * RATE_HZ, rate_hz=RATE_HZ)
    assert np.abs(sound[int(0.1 * RATE_HZ) : int(0.2 * RATE_HZ)]).max() > 0.01
    assert np.abs(sound[RATE_HZ:]).max() < 1e-4
