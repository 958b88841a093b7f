"""Makes the bundled performance: half a minute of strummed guitar from the arranger, on the held-out font.

Run as `python -m gigmate.training.sound.bundled_performance OUT.flac [SEED]`. What ships was made so
(docs/results/performance.md).
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import soundfile

from ..band.arrange import write_song
from ..band.score import ALL_PARTS
from .render import render_score

RATE_HZ = 32_000
LENGTH_S = 28.0
FADE_S = 0.8
PEAK = 0.5


def make(seed: int) -> np.ndarray:
    """float32 [N] at RATE_HZ: the lead of a made rock song, alone, as a good room would record it."""
    score = write_song(seed, "held_font", styles=("rock",), seconds=(40.0, 50.0))
    song = render_score(
        score, np.random.default_rng(seed), rate_hz=RATE_HZ, fonts=dict.fromkeys(ALL_PARTS, "musescore")
    )
    clean = song.stems["lead_clean"]
    start = max(0, int((song.labels["onsets_lead_s"][0] - 0.8) * RATE_HZ))
    piece = clean[start : start + int(LENGTH_S * RATE_HZ)].astype(np.float32)
    fade = int(FADE_S * RATE_HZ)
    piece[-fade:] *= np.cos(np.linspace(0, np.pi / 2, fade, dtype=np.float32))
    return piece * np.float32(PEAK / max(float(np.abs(piece).max()), 1e-6))


def main(out: str, seed: str = "30") -> None:
    """Write the performance as 16-bit FLAC."""
    soundfile.write(Path(out), make(int(seed)), RATE_HZ, format="FLAC", subtype="PCM_16")


if __name__ == "__main__":
    main(*sys.argv[1:])
