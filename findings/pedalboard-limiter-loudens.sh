#!/usr/bin/env bash
# pedalboard 0.9.26: `Limiter()` is more than a limiter. A tone at -40 dBFS, 30 dB below the default threshold of
# -10 dB, comes out louder: make-up gain is added, by the threshold, and some is added even at a threshold of 0 dB.
# Seen 2026-11-30: +13.75 dB at the default, +4.75 dB at -1 dB, +3.75 dB at 0 dB.
# GigMate limits with its own limiter, which leaves alone what is below its knee.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$folder" pedalboard==0.9.26 numpy==2.4.6
PYTHONPATH=$folder python3 - <<'PYTHON'
import sys

import numpy as np
import pedalboard

RATE_HZ = 48_000
tone = (0.01 * np.sin(2 * np.pi * 440 * np.arange(RATE_HZ) / RATE_HZ)).astype(np.float32)


def gain_db(limiter: pedalboard.Limiter) -> float:
    return 20 * np.log10(np.abs(limiter(tone, RATE_HZ)[RATE_HZ // 2 :]).max() / np.abs(tone).max())


gains = [gain_db(pedalboard.Limiter())] + [gain_db(pedalboard.Limiter(threshold_db=level)) for level in (-1, 0)]
print("default, -1 dB, 0 dB:", ", ".join(f"{gain:+.2f} dB" for gain in gains))
sys.exit(0 if np.allclose(gains, (13.75, 4.75, 3.75), atol=0.05) else 1)
PYTHON
