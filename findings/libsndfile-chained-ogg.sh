#!/usr/bin/env bash
# soundfile 0.14.0 (libsndfile 1.2.2): an Ogg file may hold several logical streams, one after the other (RFC 3533,
# section 4: "chained"); Internet radio and some recorders write such files. libsndfile tells and reads the first
# link alone and raises nothing. PyAV 18.1.0 reads all of them.
# Seen 2026-11-30: 48000 of 96000 samples, by info and by read; PyAV 96320 (it keeps what the links are padded with).
# GigMate finds the links itself and reads one after the other: files/sound_reader.py.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$folder" soundfile==0.14.0 av==18.1.0 numpy==2.4.6
PYTHONPATH=$folder python3 - <<'PYTHON'
import io
import sys

import av
import numpy as np
import soundfile

RATE_HZ = 48_000


def link(hz: float) -> bytes:
    """One second of a tone as Ogg Vorbis."""
    file = io.BytesIO()
    tone = 0.3 * np.sin(2 * np.pi * hz * np.arange(RATE_HZ) / RATE_HZ)
    soundfile.write(file, tone, RATE_HZ, format="OGG", subtype="VORBIS")
    return file.getvalue()


chained = link(440.0) + link(660.0)
told = soundfile.info(io.BytesIO(chained)).frames
read = len(soundfile.read(io.BytesIO(chained))[0])
with av.open(io.BytesIO(chained)) as container:
    whole = sum(frame.samples for frame in container.decode(audio=0))
print(f"libsndfile {soundfile.__libsndfile_version__}: told {told}, read {read}; PyAV {av.__version__}: {whole}")
sys.exit(0 if (told, read, whole >= 2 * RATE_HZ) == (RATE_HZ, RATE_HZ, True) else 1)
PYTHON
