"""Benchmarks the native code: the callback as a share of its period, and the ring against plain memcpy.

Knows no port and no model; no sound card is needed. Any thread; each call takes about a second, most of it measuring.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import types

from ...dsp import ring as _ring
from ...dsp.raw_memory import cached_cfunc, copy_bytes, touched_floats
from ...dsp.ring import Ring, ring_read, ring_write
from ..buses import BusLayout
from . import audio_callback
from .bridge import Bridge

_cfunc = cached_cfunc(__file__, *_ring.SOURCES)
_I = types.int64
STEREO = BusLayout()


@_cfunc(_I(_I, _I, _I, _I, _I))
def _through_ring(ring, source, destination, block, times):
    moved = 0
    for _ in range(times):
        moved += ring_write(ring, source, block)
        ring_read(ring, destination, block)
    return moved


@_cfunc(_I(_I, _I, _I, _I, _I))
def _through_memory(middle, source, destination, block, times):
    """What the ring does at least: into memory and out of it, at a moving place within 64 blocks."""
    for i in range(times):
        place = middle + 4 * block * (i & 63)
        copy_bytes(place, source, 4 * block)
        copy_bytes(destination, place, 4 * block)
    return block * times


def _best_s(action: Callable[[], object], rounds: int = 7) -> float:
    """The shortest of several runs: what the machine can do when nobody disturbs it."""
    times_s = []
    for _ in range(rounds):
        begin_s = time.perf_counter()
        action()
        times_s.append(time.perf_counter() - begin_s)
    return min(times_s)


def callback_cost(rate_hz: int = 48000, block_samples: int = 128, buses: BusLayout = STEREO) -> dict[str, float]:
    """One callback (one input, the outputs of `buses`) in us: band in time, band missing (covered), band silent.

    `share` is the dearest of the three over the period.
    """
    period_us = 1e6 * block_samples / rate_hz
    blocks = max(1, rate_hz // block_samples)
    heard = (np.random.default_rng(0).standard_normal((1, block_samples)) * 0.1).astype(np.float32)
    outputs = len(buses.channels)
    played = np.zeros((outputs, block_samples), np.float32)
    tables = [np.array([block.ctypes.data + 4 * block_samples * c for c in range(block.shape[0])], np.int64)
              for block in (heard, played)]  # fmt: skip
    costs = {}
    for name in ("silent", "playing", "covering"):
        bridge = Bridge(rate_hz, in_capacity=blocks * block_samples * 2, buses=buses)
        bridge.set_playing(name != "silent")
        bridge.set_fallback_period(rate_hz)
        band = (np.random.default_rng(1).standard_normal(blocks * block_samples) * 0.1).astype(np.float32)
        times_s = []
        for _ in range(8):
            bridge.in_ring.skip_to(bridge.in_ring.write_index)
            if name == "playing":
                bridge.out_ring.write_at(bridge.position, band)
            begin_s = time.perf_counter()
            audio_callback.process_many.ctypes(
                bridge.state_address, tables[0].ctypes.data, 1, tables[1].ctypes.data, outputs, block_samples, blocks
            )
            times_s.append(time.perf_counter() - begin_s)
        costs[f"{name}_us"] = 1e6 * min(times_s[1:]) / blocks
    return {
        **costs,
        "block_samples": block_samples,
        "rate_hz": rate_hz,
        "period_us": period_us,
        "share": max(costs.values()) / period_us,
    }


def ring_throughput(block_samples: int = 512, megasamples: int = 16) -> dict[str, float]:
    """Samples in and out of a ring on one thread, in GB/s (each byte counted once), beside memcpy doing the same."""
    times = megasamples * 1_000_000 // block_samples
    ring = Ring(64 * block_samples)
    middle = touched_floats(64 * block_samples)
    source, destination = touched_floats(block_samples), touched_floats(block_samples)
    gigabytes = 4e-9 * block_samples * times
    addresses = source.ctypes.data, destination.ctypes.data, block_samples, times
    ring_s = _best_s(lambda: _through_ring.ctypes(ring.address, *addresses))
    memory_s = _best_s(lambda: _through_memory.ctypes(middle.ctypes.data, *addresses))
    return {
        "ring_gb_per_s": gigabytes / ring_s,
        "memcpy_gb_per_s": gigabytes / memory_s,
        "share_of_memcpy": memory_s / ring_s,
        "block_samples": block_samples,
    }


def measure() -> dict[str, Any]:
    """Everything that `gigmate bench` says of the native half, as plain numbers."""
    return {
        "callback": [callback_cost(48000, block) for block in (16, 64, 128, 1024)],
        "ring": [ring_throughput(block) for block in (64, 512, 4096)],
    }
