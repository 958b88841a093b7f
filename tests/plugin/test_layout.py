"""What shell and engine agree on: the header is that of the tables, and another version is told apart."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest
from gigmate.engine.callback.hosted import plugin_table
from gigmate.engine.errors import EngineError
from gigmate.engine.ports.plugin import JACK_FIELDS, SharedMemory
from gigmate.engine.timing.clocks.jack_transport import reading_of
from gigmate.plugin.layout import header

ROOT = Path(__file__).resolve().parents[2]


def test_the_header_is_made_from_the_tables() -> None:
    assert (ROOT / "plugin/source/layout.h").read_text() == header(), (
        "run python -m gigmate.plugin.layout > plugin/source/layout.h"
    )


def lines_of_code(*names: str) -> int:
    code = 0
    for name in names:
        text = re.sub(r"/\*.*?\*/", "", (ROOT / "plugin/source" / name).read_text(), flags=re.DOTALL)
        code += sum(1 for line in text.splitlines() if line.strip())
    return code


def test_the_shell_is_thin() -> None:
    assert lines_of_code("shell.c", "shell.h", "lv2_face.c") <= 900
    assert lines_of_code("clap_face.c") <= 400


def test_a_transport_stands_where_the_engine_reads_it() -> None:
    table = bytearray(8 * 12)
    for name, kind, value in (
        ("frame_rate", "<u4", 48_000), ("frame", "<u4", 24_000), ("valid", "<u4", 0x10), ("bar", "<i4", 3),
        ("beat", "<i4", 2), ("tick", "<i4", 250_000), ("beats_per_bar", "<f4", 3.0), ("beat_type", "<f4", 8.0),
        ("ticks_per_beat", "<f8", 1e6), ("tempo_bpm", "<f8", 123.5),
    ):  # fmt: skip
        raw = np.array(value, kind).tobytes()
        table[JACK_FIELDS[name] : JACK_FIELDS[name] + len(raw)] = raw
    reading = reading_of(7.0, True, bytes(table))
    assert (reading.bar, reading.beat, reading.tick, reading.ticks_per_beat) == (3, 2, 250_000, 1e6)
    assert (reading.beats_per_bar, reading.beat_type, reading.tempo_bpm, reading.song_s) == (3.0, 8.0, 123.5, 0.5)


def _memory(layout: int, magic: int = plugin_table.MAGIC, words: int = plugin_table.SHARED_WORDS) -> int:
    memory = np.zeros(words, np.int64)
    if words > 3:
        memory[plugin_table.SHARED_MAGIC], memory[plugin_table.SHARED_LAYOUT] = magic, layout
        memory[plugin_table.SHARED_SIZE], memory[plugin_table.SHARED_RATE] = memory.nbytes, 48_000
    descriptor = os.memfd_create("gigmate-test")
    os.write(descriptor, memory.tobytes())
    return descriptor


def test_memory_of_another_version_is_told_apart() -> None:
    assert SharedMemory(_memory(plugin_table.LAYOUT)).rate_hz == 48_000
    with pytest.raises(EngineError, match="build it again"):
        SharedMemory(_memory(plugin_table.LAYOUT + 1))


def test_what_is_no_memory_of_a_shell_is_refused() -> None:
    for descriptor in (_memory(0, magic=1), _memory(0, words=2), _memory(0, words=0), 9999):
        with pytest.raises(EngineError, match="no memory of a plug-in"):
            SharedMemory(descriptor)
