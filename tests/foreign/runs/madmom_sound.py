"""Recordings as madmom takes them: mono at 44,100 Hz. Other rates it reads only where ffmpeg is installed."""

import math

import answers
import numpy as np

answers.let_old_packages_in()

from madmom.audio.signal import Signal  # noqa: E402
from scipy.io import wavfile  # noqa: E402
from scipy.signal import resample_poly  # noqa: E402

RATE_HZ = 44100


def signal_of(lead):
    rate_hz, sound = wavfile.read(lead)
    whole = np.iinfo(sound.dtype).max if sound.dtype.kind == "i" else 1.0
    mono = sound.reshape(len(sound), -1).mean(axis=1) / whole
    common = math.gcd(rate_hz, RATE_HZ)
    mono = resample_poly(mono, RATE_HZ // common, rate_hz // common) if rate_hz != RATE_HZ else mono
    return Signal(mono.astype(np.float32), sample_rate=RATE_HZ, num_channels=1)
