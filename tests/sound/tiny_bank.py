"""A SoundFont bank of one sample, written here: a decaying tone in a program and in a kit."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

PROGRAM, KIT = 4, 0
_SAMPLES, _HZ = 48_000, 48_000


def write_bank(
    path: Path, programs: tuple[int, ...] = (PROGRAM,), kits: tuple[int, ...] = (KIT,), looped: bool = False
) -> Path:
    """Write the bank; all its presets sound alike. `looped`: for as long as the key is held."""
    time = np.arange(_SAMPLES) / _HZ
    tone = (np.cos(2 * np.pi * 261.63 * time) * np.exp(-3 * time) * 20_000).astype("<i2")
    presets = [(0, program) for program in programs] + [(128, kit) for kit in kits]
    headers = b"".join(
        struct.pack("<20sHHHIII", f"preset {program}".encode(), program, bank, place, 0, 0, 0)
        for place, (bank, program) in enumerate(presets)
    ) + struct.pack("<20sHHHIII", b"EOP", 0, 0, len(presets), 0, 0, 0)
    tables = {
        b"phdr": headers,
        b"pbag": b"".join(struct.pack("<HH", place, 0) for place in range(len(presets) + 1)),
        b"pmod": bytes(10),
        b"pgen": struct.pack("<HH", 41, 0) * len(presets) + bytes(4),  # each its one instrument
        b"inst": struct.pack("<20sH", b"tone", 0) + struct.pack("<20sH", b"EOI", 1),
        b"ibag": struct.pack("<HHHH", 0, 0, 2, 0),
        b"imod": bytes(10),
        b"igen": struct.pack("<HHHHHH", 54, int(looped), 53, 0, 0, 0),  # whether it is looped, and its one sample
        b"shdr": struct.pack("<20sIIIIIBbHH", b"tone", 0, _SAMPLES, 0, _SAMPLES, _HZ, 60, 0, 0, 1)
        + struct.pack("<20sIIIIIBbHH", b"EOS", 0, 0, 0, 0, 0, 0, 0, 0, 0),
    }
    info = _chunk(b"ifil", struct.pack("<HH", 2, 1)) + _chunk(b"INAM", b"Tiny\0\0")
    samples = _chunk(b"smpl", tone.tobytes() + bytes(2 * 46))
    parts = [b"INFO" + info, b"sdta" + samples, b"pdta" + b"".join(_chunk(*table) for table in tables.items())]
    path.write_bytes(_chunk(b"RIFF", b"sfbk" + b"".join(_chunk(b"LIST", part) for part in parts)))
    return path


def _chunk(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)
