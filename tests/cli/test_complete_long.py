"""Long recordings in the same memory: read, heard, mixed and written as they go. Mostly with a fake, quick band."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from gigmate.band import Band
from gigmate.cli.complete_job import Completion, Progress, complete

from .service.service_fakes import Echoist

RATE_HZ = 8_000
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")


def resident_mib() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20


def long_take(path: Path, minutes: int) -> Path:
    """Strokes, written minute by minute."""
    n = np.arange(60 * RATE_HZ)
    minute = (0.3 * np.sin(2 * np.pi * 220 * n / RATE_HZ) * (n % 4000 < 600)).astype(np.float32)
    with soundfile.SoundFile(str(path), "w", RATE_HZ, 2, "PCM_16") as file:
        for _ in range(minutes):
            file.write(np.stack([minute, minute], axis=1))
    return path


def slope_mib_per_hour(source: Path, folder: Path, band: Band, minutes: int, **more: object) -> float:
    """Memory's growth by the hour of music, once the first quarter is over."""
    held: list[tuple[float, float]] = []

    def told(progress: Progress) -> None:
        if not held or progress.done_s >= held[-1][0] + 5.0:
            held.append((progress.done_s, resident_mib()))

    wanted = Completion(source, folder / "o.wav", with_source=True, stems=folder / "stems", **more)  # type: ignore[arg-type]
    done = complete(band, wanted, told)
    assert done.seconds == 60.0 * minutes
    kept = np.array(held[len(held) // 4 :])
    slope = float(np.polyfit(kept[:, 0], kept[:, 1], 1)[0] * 3600)
    print(f"{slope:.1f} MiB an hour, {done.seconds / done.took_s:.1f} times real time")
    return slope


@pytest.mark.parametrize("wait", [False, True])
def test_five_minutes_hold_no_memory(tmp_path: Path, wait: bool) -> None:
    source = long_take(tmp_path / "take.wav", 5)
    assert slope_mib_per_hour(source, tmp_path, Band(Echoist), 5, wait=wait) < 60.0  # 5 MiB in these five minutes


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_twenty_minutes_hold_no_memory(tmp_path: Path, tiny_weights: Path) -> None:
    """The real path with tiny weights; the whole file would be 37 MiB as floats, and its parts 110 more."""
    source = long_take(tmp_path / "take.wav", 20)
    assert slope_mib_per_hour(source, tmp_path, Band.load(tiny_weights), 20, wait=True) < 12.0
    assert soundfile.info(tmp_path / "o.wav").frames == 20 * 60 * RATE_HZ
