"""`gigmate latency --verify`: the live engine clicks through a cable, and the clicks are compared with the beat.

Main thread. The beat that a musician would play on is a grid of places in the input; a band in time is heard there.
"""

from __future__ import annotations

import math
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...engine.config import EngineConfig
from ...engine.errors import EngineError
from ...files.json_text import json_text

if TYPE_CHECKING:
    from ...engine.run.live_engine import Engine

BPM = 150.0
SECONDS = 8.0
_SETTLE_S = 0.6
_SLOW = 10.0
_LEAST_HEIGHT = 6.0
"""A click stands so far out of the rest around it, or it is none."""


def verify(config: EngineConfig, as_json: bool) -> int:
    """Run the live engine for some seconds and print how late its clicks are heard. Raises EngineError."""
    from ...engine.ports.loopback import calibrated
    from ...engine.ports.port import open_port

    port = open_port(config)
    try:
        config, source, warning = calibrated(config, port)
    except BaseException:
        port.close()
        raise
    if not as_json:
        print(f"the band clicks for {SECONDS:g} s: listen", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(prefix="gigmate-") as folder:
        file = Path(folder) / "heard.wav"
        report = _run(replace(config, record_file=str(file), start_playing=True), port)
        heard = _heard(file)
    figures = compare(heard, int(report["rate_hz"]), BPM)
    figures.update(
        round_trip_samples=report["round_trip"]["samples"], round_trip_source=source, misses=report["misses"]["frames"]
    )
    if warning is not None:
        figures["warning"] = warning
    if as_json:
        print(json_text(figures))
    else:
        print("\n".join(_lines(figures)))
    return 0


def _run(config: EngineConfig, port: Any) -> dict[str, Any]:
    from ...engine.run.click_player import ClickPlayer
    from ...engine.run.live_engine import Engine
    from ...engine.timing.conductor import GridConductor

    engine: Engine
    with Engine(config, ClickPlayer(), GridConductor(BPM, 4, port.rate_hz), port) as engine:
        engine.start()
        wanted = SECONDS
        for _ in range(math.ceil(SECONDS * _SLOW / 0.05)):
            if engine.wait(0.05) or engine.status.seconds >= wanted:
                break
        lost = port.lost
    if lost is not None:
        raise EngineError(lost)
    return engine.report()


def _heard(file: Path) -> NDArray[np.float32]:
    import soundfile

    sound, _ = soundfile.read(file, dtype="float32", always_2d=True)
    return np.ascontiguousarray(sound[:, 0])


def compare(heard: NDArray[np.float32], rate_hz: int, bpm: float, first_beat_position: float = 0.0) -> dict[str, Any]:
    """How far the clicks in float32 [n] stand from the beats of the grid: mean, spread and drift.

    Raises EngineError where no clicks are heard.
    """
    from ...engine.run.click_player import SAMPLE_RATE_HZ, click

    ratio = SAMPLE_RATE_HZ / rate_hz
    half = math.ceil(24 / ratio)
    shape = click(np.arange(-half, half + 1, dtype=np.float64) * np.float64(ratio))
    size = 8192 * math.ceil((heard.size + shape.size) / 8192)
    matched = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(shape, size)), size)
    matched = np.abs(matched[: max(0, heard.size - shape.size)])
    beat = 60.0 / bpm * rate_hz
    places, errors = [], []
    for index in range(math.ceil(_SETTLE_S * rate_hz / beat), int(heard.size / beat)):
        at = first_beat_position + index * beat
        begin, end = round(at - beat / 2) - half, round(at + beat / 2) - half
        if begin < 1 or end >= matched.size - 1:
            continue
        stretch = matched[begin:end]
        peak = int(np.argmax(stretch))
        if stretch[peak] > _LEAST_HEIGHT * (float(np.sqrt(np.mean(stretch**2))) + 1e-9) and 0 < peak < stretch.size - 1:
            before, here, after = (float(value) for value in stretch[peak - 1 : peak + 2])
            curve = before - 2 * here + after
            place = begin + peak + half + (0.5 * (before - after) / curve if curve else 0.0)
            places.append(place / rate_hz)
            errors.append(place - at)
    if len(errors) < 3:
        raise EngineError(
            "the band's clicks do not come back: connect output and input with a cable, and see `gigmate latency`"
        )
    ms = 1000.0 * np.array(errors) / rate_hz
    slope = float(np.polyfit(places, ms, 1)[0])
    return {
        "clicks": len(errors),
        "mean_error_ms": float(ms.mean()),
        "median_error_ms": float(np.median(ms)),
        "spread_ms": float(np.ptp(ms)),
        "drift_ms_per_minute": 60.0 * slope,
        "median_error_samples": float(np.median(errors)),
        "rate_hz": rate_hz,
    }


def _lines(figures: dict[str, Any]) -> list[str]:
    late = figures["median_error_ms"]
    where = "in place" if abs(late) < 0.05 else f"{abs(late):.3f} ms {'late' if late > 0 else 'early'}"
    lines = [
        f"the band is heard {where}: {figures['clicks']} clicks, mean {figures['mean_error_ms']:+.3f} ms, median"
        f" {figures['median_error_samples']:+.2f} samples",
        f"  spread {figures['spread_ms']:.3f} ms, drift {figures['drift_ms_per_minute']:+.4f} ms a minute,"
        f" {figures['misses']} misses",
        f"  round trip made up for: {figures['round_trip_samples']} samples, {figures['round_trip_source']}",
    ]
    if "warning" in figures:
        lines.append(f"  {figures['warning']}")
    return lines
