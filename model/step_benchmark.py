"""Benchmarks the model on one core: every stage of a live frame, alone and together. Used by `gigmate bench`.

Timings mean nothing on a busy machine; the caller says so. Not for the live path: it blocks its thread.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..dsp.features import FeatureExtractor
from . import checkpoint
from .accompanist import Accompanist
from .generator.note_hand import NoHand
from .loading import load_band


class _Moment:
    beat_phase, bar_phase, tempo_bpm, beats_per_bar = 0.1, 0.2, 120.0, 4
    confidence, chord_root, playing = 1.0, 0, True
    chord_pitch_classes = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0)
    next_root = chord_bass = -1


class _Controls:
    style, density, temperature, top_k, top_p, fill = "", 0.5, 0.9, 100, 0.95, 0.0
    hand = NoHand()
    groove, pattern = 1.0, ""


def _times_ms(call: Callable[[], object], seconds: float) -> np.ndarray:
    """Milliseconds of each call, for about `seconds` after a warm-up."""
    for _ in range(10):
        call()
    times: list[float] = []
    stop = time.perf_counter() + seconds
    while time.perf_counter() < stop or len(times) < 20:
        start = time.perf_counter()
        call()
        times.append((time.perf_counter() - start) * 1e3)
    return np.array(times)


def peak_memory_mib() -> float | None:
    """The process's largest resident size so far, or None where the system does not tell (Windows)."""
    if sys.platform == "win32":
        return None
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def benchmark_model(
    seconds: float = 5.0, weights: Path | None = None, int8: bool = True, runtime: str | None = None
) -> dict[str, Any]:
    """Real-time factors (frame length over median time) of features, listener, codec both ways, generator with codec
    for 3 parts, and the whole step; percentiles of the step in ms; memory. One torch thread.

    Raises CheckpointError for weights that cannot be used.
    """
    torch.set_num_threads(1)
    start = time.perf_counter()
    band = load_band(weights, int8, runtime=runtime)
    load_s = time.perf_counter() - start
    player = Accompanist(band)
    player._listens_since_play = 0
    chunk = np.random.default_rng(0).normal(0, 0.1, player.tail_samples + player.frame_samples).astype(np.float32)
    extractor = FeatureExtractor()
    features, stream = extractor.frame(chunk), band.new_stream()
    controls = _Controls()
    controls.style = band.styles[0]
    codec = checkpoint.load_codec((weights or checkpoint.SHIPPED) / "codec.safetensors")
    encode_state, decode_state = codec.init_encode(1), codec.init_decode(1)
    frame = torch.from_numpy(chunk[-codec.frame_samples :])[None]
    tokens = codec.encode_step(frame, encode_state)

    def step() -> None:
        player.listen(chunk)
        player.play(_Moment(), controls)

    share = seconds / 6
    with torch.inference_mode():
        stages = {
            "features": _times_ms(lambda: extractor.frame(chunk), share),
            "listener": _times_ms(lambda: stream.listen(features), share),
            "codec_encode": _times_ms(lambda: codec.encode_step(frame, encode_state), share),
            "codec_decode": _times_ms(lambda: codec.decode_step(tokens, decode_state), share),
            "generator_and_decoder_3_parts": _times_ms(lambda: player.play(_Moment(), controls), share),
        }
    stages["step"] = _times_ms(step, share * 2)
    frame_ms = 1e3 * player.frame_samples / player.sample_rate_hz
    return {
        "frame_ms": frame_ms,
        "load_s": load_s,
        "real_time_factor": {name: frame_ms / float(np.median(times)) for name, times in stages.items()},
        "median_ms": {name: float(np.median(times)) for name, times in stages.items()},
        "step_ms": {f"p{p:g}": float(np.percentile(stages["step"], p)) for p in (50, 99, 99.9)},
        "frames_timed": len(stages["step"]),
        "peak_memory_mib": peak_memory_mib(),
        "int8": int8,
        "runtime": band.runtime,
        "torch_threads": torch.get_num_threads(),
    }
