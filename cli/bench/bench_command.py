"""`gigmate bench`: measures the speed of everything that runs live, on one core. Main thread."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...engine.errors import ConfigError
from .bench_verdict import verdict_of
from .peak_memory import peak_mib

if TYPE_CHECKING:
    from ...band import Band


def bench(
    seconds: Annotated[float, typer.Option(metavar="S", help="Length of each measurement.")] = 5.0,
    streams: Annotated[
        int | None,
        typer.Option(metavar="N", help="Run this many bands at once, as `serve` does, and measure nothing else."),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(metavar="N", help="With --streams: spread over N processes too, as `serve --workers` does."),
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Measure this GigMate and that checkout of it in turns, for minutes."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> int:
    """Measure how fast engine and model run on this machine."""
    if not 1.0 <= seconds <= 3600.0:
        raise ConfigError(f"--seconds {seconds:g}: give 1 to 3600")
    if streams is not None and not 1 <= streams <= 256:
        raise ConfigError(f"--streams {streams}: give 1 to 256")
    if workers is not None and not 1 <= workers <= (streams or 0):
        raise ConfigError(f"--workers {workers}: give --streams too, and at most as many processes")
    from ...files.json_text import json_text, plain

    if against is not None:
        figures = plain(measure_builds(against, streams or 8))
    else:
        measured = measure(seconds) if streams is None else measure_streams(streams, seconds, workers)
        figures = plain({"verdict": verdict_of(measured), **measured})
    if as_json:
        print(json_text(figures, indent=2))
    else:
        if "verdict" in figures:
            print(figures.pop("verdict"))
        for key, value in flat(figures):
            print(f"{key:<44} {_number(value)}")
    return 0


def measure_streams(streams: int, seconds: float, workers: int | None = None) -> dict[str, Any]:
    """Figures of so many bands at once, in this process; with `workers` in a process of their own, and beside it in so
    many. Raises CheckpointError for weights that cannot be used, EngineError where a process fails."""
    from .bench_streams import measure_streams as measure_bands

    if workers is None:
        return {"machine": machine(), "streams": measure_bands(_load(), streams, seconds)}
    from .bench_workers import measure_workers

    spread = {f"in_{count}": measure_workers(streams, count, seconds) for count in sorted({1, workers})}
    return {"machine": machine(), "workers": spread, "streams": spread[f"in_{workers}"]}


def measure_builds(folder: Path, streams: int) -> dict[str, Any]:
    """Figures of this build beside those of the checkout `folder`. Raises ConfigError, EngineError."""
    from ...presets.loader import PERFORMANCE_FILE
    from .bench_against import measure_against

    return {"machine": machine(), "against": measure_against(folder, PERFORMANCE_FILE, streams)}


def _load() -> Band:
    from ...band import Band

    return Band.load()


def measure(seconds: float) -> dict[str, Any]:
    """Figures of machine, engine, model and memory. Raises CheckpointError for weights that cannot be used."""
    from ...engine.callback import callback_benchmark as engine_benchmark
    from ...model.step_benchmark import benchmark_model

    return {
        "machine": machine(),
        "engine": engine_benchmark.measure(),
        "resample": [_resampling(rate_hz) for rate_hz in (44_100, 48_000, 96_000)],
        "desk": [_desk(rate_hz) for rate_hz in (48_000, 96_000)],
        "model": benchmark_model(seconds),
        "memory": {"peak_mib": peak_mib()},
    }


def machine() -> dict[str, Any]:
    """What figures hold for."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def _resampling(host_rate_hz: int, model_rate_hz: int = 32_000, seconds: float = 20.0) -> dict[str, float]:
    """How many times faster than real time one stream goes to the model's rate, and one comes back."""
    import numpy as np

    from ...dsp.resample import Resampler

    figures: dict[str, float] = {"host_rate_hz": host_rate_hz}
    for name, rate_in_hz, rate_out_hz in (
        ("in_real_time_factor", host_rate_hz, model_rate_hz),
        ("out_real_time_factor", model_rate_hz, host_rate_hz),
    ):
        stream = Resampler(rate_in_hz, rate_out_hz)
        frame = np.random.default_rng(0).normal(0, 0.1, rate_in_hz // 25).astype(np.float32)
        stream.process(frame)  # compiled now
        frames = int(seconds * 25)
        began_s = time.perf_counter()
        for _ in range(frames):
            stream.process(frame)
        figures[name] = frames / 25 / (time.perf_counter() - began_s)
    return figures


def _desk(host_rate_hz: int, frames: int = 500) -> dict[str, float]:
    """Milliseconds for three parts through the mix, a frame of 40 ms each, as a preset without a mix has it."""
    import numpy as np

    from ...engine.mix import HOUSE_MIX
    from ...engine.output.mix_desk import MixDesk

    desk = MixDesk(host_rate_hz, host_rate_hz // 25)
    desk.set(HOUSE_MIX, "rock")
    noise = np.random.default_rng(0).normal(0, 0.1, (3, 1, host_rate_hz // 25)).astype(np.float32)
    sound = np.repeat(noise, 2, axis=1)
    spent_ms = []
    for _ in range(frames):
        frame = sound.copy()
        began_s = time.perf_counter()
        desk.process(frame)
        spent_ms.append(1000.0 * (time.perf_counter() - began_s))
    return {"host_rate_hz": host_rate_hz, "least_ms": min(spent_ms), "p50_ms": float(np.median(spent_ms))}


def flat(figures: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Nested figures as lines: ("model.step.p50_ms", 12.3), ("engine.ring[512].gb_per_s", 9.1)."""
    for key, value in figures.items():
        name = f"{above}.{key}" if above else str(key)
        if isinstance(value, Mapping):
            yield from flat(value, name)
        elif isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
            for index, item in enumerate(value):
                yield from flat(item, f"{name}[{item.get('block_samples', item.get('host_rate_hz', index))}]")
        else:
            yield name, value


def _number(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 10_000 else f"{value:.0f}"
    if isinstance(value, list):
        return ", ".join(_number(item) for item in value)
    return str(value)


def _processor() -> str:
    """The processor's name as Linux tells it, else what Python knows."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass  # not Linux
    return platform.processor() or platform.machine()
