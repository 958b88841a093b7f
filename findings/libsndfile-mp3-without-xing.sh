#!/usr/bin/env bash
# soundfile 0.14.0 (libsndfile 1.2.2): an MP3 of variable bit rate usually begins with a frame that holds no sound but
# a Xing header with the length. An encoder that writes into a pipe cannot go back to write it. Without it libsndfile
# estimates the length from the first frames, and `read` stops there: the end of the sound is not read, nothing is
# raised. PyAV 18.1.0 reads to the end.
# Seen 2026-11-30: 201838 of 882000 samples of ten loud and ten quiet seconds; PyAV 883584 (with the encoder's padding).
# GigMate counts the frames itself, and gives libsndfile a header that says them: files/sound_reader.py.
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

RATE_HZ, SECONDS = 44_100, 10
BITRATES = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)

loud = 0.3 * np.random.default_rng(0).standard_normal(RATE_HZ * SECONDS)
quiet = 0.001 * np.sin(2 * np.pi * 220 * np.arange(RATE_HZ * SECONDS) / RATE_HZ)
file = io.BytesIO()
soundfile.write(
    file, np.concatenate([loud, quiet]), RATE_HZ, format="MP3", subtype="MPEG_LAYER_III",
    bitrate_mode="VARIABLE", compression_level=0.3,
)  # fmt: skip
mp3 = file.getvalue()
first = mp3.find(b"\xff\xfb")
frame_bytes = 144_000 * BITRATES[mp3[first + 2] >> 4] // RATE_HZ + (mp3[first + 2] >> 1 & 1)
assert b"Xing" in mp3[first : first + frame_bytes], "the encoder wrote no Xing header"
piped = mp3[first + frame_bytes :]


def by_pyav(data: bytes) -> int:
    with av.open(io.BytesIO(data)) as container:
        return sum(frame.samples for frame in container.decode(audio=0))


written = 2 * RATE_HZ * SECONDS
with_header = len(soundfile.read(io.BytesIO(mp3))[0])
without = len(soundfile.read(io.BytesIO(piped))[0])
whole = by_pyav(piped)
print(f"written {written}; with the header {with_header}, without it {without}; PyAV without it {whole}")
sys.exit(0 if with_header == written and without < 0.5 * written and whole >= written else 1)
PYTHON
