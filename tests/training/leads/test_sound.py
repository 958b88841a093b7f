"""The sound of a lead: as long as its labels, on them, and the same from the same seed."""

from __future__ import annotations

import numpy as np
import pytest
from gigmate.training.leads.song import write_lead_song
from gigmate.training.leads.sound import render_lead
from gigmate.training.sound import pedals, soundfonts

pytest.importorskip("tinysoundfont")
RATE_HZ = 32000


@pytest.fixture(autouse=True)
def fonts() -> None:
    for name in ("fluid", "musescore"):
        try:
            soundfonts.find(name)
        except soundfonts.SoundFontError as error:
            pytest.skip(str(error))


def test_a_lead_sounds_where_its_notes_are() -> None:
    score = write_lead_song(11, (8.0, 9.0))
    song = render_lead(score)
    frames = len(song.labels["beat_phase"])
    assert all(stem.shape == (frames * 1280,) and np.isfinite(stem).all() for stem in song.stems.values())
    assert np.abs(song.stems["lead"]).max() <= 1.0 and not song.stems["drums"].any()
    assert np.array_equal(render_lead(score).stems["lead"], song.stems["lead"])
    clean = song.stems["lead_clean"]
    first = song.labels["onsets_lead_s"][0]
    before, after = (slice(int(a * RATE_HZ), int(b * RATE_HZ)) for a, b in ((0.0, first - 0.01), (first, first + 0.3)))
    assert np.abs(clean[after]).max() > 50 * np.abs(clean[before]).max(initial=1e-9)


@pytest.mark.parametrize("name", ["compress", "distort", "wah", "chorus", "tremolo"])
def test_a_pedal_keeps_time_and_length(name: str) -> None:
    x = np.zeros(RATE_HZ, np.float32)
    x[8000:16000] = 0.3 * np.sin(2 * np.pi * 440 * np.arange(8000) / RATE_HZ)
    y = getattr(pedals, name)(x, RATE_HZ, np.random.default_rng(0))
    assert y.shape == x.shape and y.dtype == np.float32 and np.isfinite(y).all()
    level = np.abs(y)
    assert level[:7900].max() < 0.2 * level[8000:16000].max()


def test_echoes_come_later() -> None:
    x = np.zeros(RATE_HZ, np.float32)
    x[1000] = 1.0
    y = pedals.delay(x, RATE_HZ, np.random.default_rng(1), 0.5)
    assert y[1000] == 1.0 and 2 <= np.count_nonzero(y) <= 5 and not y[:1000].any()
