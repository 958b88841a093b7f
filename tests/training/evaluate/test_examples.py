"""Examples to hear: the musician in the middle and as loud as the band, which keeps its two sides."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from gigmate.dsp.loudness_meter import integrated_lufs
from gigmate.training.evaluate.examples import PARTS, write_example
from gigmate.training.sound.render import render_song

RATE_HZ = 32_000


def test_an_example_has_two_sides_and_the_musician_as_loud_as_the_band(tmp_path: Path) -> None:
    song = render_song(3, RATE_HZ, "test", styles=("rock",), seconds=(15.0, 16.0))
    seconds = 12
    time_s = np.arange(seconds * RATE_HZ) / RATE_HZ
    lead = (0.02 * np.sin(2 * np.pi * 500 * time_s)).astype(np.float32)
    left, right = (0.3 * np.sin(2 * np.pi * hz * time_s) for hz in (1000, 1500))
    band = np.stack([left, right], axis=1).astype(np.float32)
    write_example(tmp_path, 7, lead, band, dict.fromkeys(PARTS, band / 3), song)
    sounds = {name: soundfile.read(tmp_path / f"07-{name}.ogg")[0] for name in ("input", "band", "mix")}
    assert sounds["input"].ndim == 1
    assert integrated_lufs(sounds["input"], RATE_HZ) == pytest.approx(integrated_lufs(band.T, RATE_HZ), abs=0.3)

    def level(sound: np.ndarray, hz: float) -> float:
        return float(2 * np.abs(np.mean(sound * np.exp(-2j * np.pi * hz * time_s[: len(sound)]))))

    for name in ("band", "mix"):
        assert level(sounds[name][:, 0], 1000) > 50 * level(sounds[name][:, 1], 1000)
        assert level(sounds[name][:, 1], 1500) > 50 * level(sounds[name][:, 0], 1500)
    assert level(sounds["mix"][:, 0], 500) == pytest.approx(level(sounds["mix"][:, 1], 500), rel=0.05)
    assert level(sounds["band"][:, 0], 500) < 0.01 * level(sounds["mix"][:, 0], 500)
    assert (tmp_path / "07.png").stat().st_size > 1000
    assert "bass band/true" in (tmp_path / "07.txt").read_text(encoding="utf-8")
