"""Benchmarks several bands at once, as the server runs them: their speed together, and how late each becomes.

Knows no HTTP: each stream is a thread that pushes a frame's block at a time. Called on any thread; makes its own.
"""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ...band import Band

_RATE_HZ = 48_000
_BLOCK = _RATE_HZ // 25
LATE_S = 0.25
"""Behind its clock by more than this, a live client of the server is told."""


class _Musician(threading.Thread):
    """One stream: `behind_s` holds for each block how long after its last sample was played the band was done."""

    def __init__(self, band: Band, seed: int, blocks: int, begin: threading.Barrier, paced: bool) -> None:
        super().__init__(name=f"gigmate-bench-{seed}", daemon=True)
        self._stream = band.stream(_RATE_HZ, seed=seed)
        self._blocks, self._begin, self._paced = blocks, begin, paced
        self.behind_s: list[float] = []
        self.error: Exception | None = None

    def run(self) -> None:
        noise = np.random.default_rng(0).normal(0.0, 0.05, _BLOCK).astype(np.float32)
        try:
            self._stream.push(noise)  # what is made at the first block is made
            self._begin.wait()
            began_s = time.perf_counter()
            for index in range(self._blocks):
                due_s = began_s + (index + 1) * _BLOCK / _RATE_HZ
                if self._paced:
                    time.sleep(max(0.0, due_s - time.perf_counter()))
                self._stream.push(noise)
                self.behind_s.append(time.perf_counter() - due_s)
        except Exception as error:  # noqa: BLE001 - raised again where it was asked for
            self.error = error
            self._begin.abort()


def _play(band: Band, streams: int, seconds: float, paced: bool) -> tuple[list[list[float]], float]:
    """What each stream was behind, and the seconds that it took them all."""
    blocks = max(1, round(seconds * _RATE_HZ / _BLOCK))
    begin = threading.Barrier(streams + 1)
    players = [_Musician(band, seed, blocks, begin, paced) for seed in range(streams)]
    for player in players:
        player.start()
    with contextlib.suppress(threading.BrokenBarrierError):  # a stream that failed says why
        begin.wait()
    began_s = time.perf_counter()
    for player in players:
        player.join()
    took_s = time.perf_counter() - began_s
    failed = [player.error for player in players if player.error is not None]
    causes = [error for error in failed if not isinstance(error, threading.BrokenBarrierError)]
    if failed:
        raise (causes or failed)[0]
    return [player.behind_s for player in players], took_s


def real_time_factor(band: Band, streams: int, seconds: float) -> float:
    """Seconds of music that so many bands together make in a second, as fast as they can. Raises EngineError."""
    _, took_s = _play(band, streams, seconds, paced=False)
    return streams * seconds / took_s


def best_factor(band: Band, streams: int, seconds: float, piece_s: float) -> float:
    """As `real_time_factor`, in the fastest piece of so many seconds of music: when other programs were quietest."""
    behind, _ = _play(band, streams, seconds, paced=False)
    done_s = np.mean(behind, axis=0) + np.arange(1, len(behind[0]) + 1) * _BLOCK / _RATE_HZ
    blocks = max(1, round(piece_s * _RATE_HZ / _BLOCK))
    took_s = float(np.diff(done_s[::blocks]).min())
    return streams * blocks * _BLOCK / _RATE_HZ / took_s


def measure_streams(band: Band, streams: int, seconds: float) -> dict[str, Any]:
    """Figures of `streams` bands at once. Raises EngineError where the model fails.

    `real_time_factor`: seconds of music that all together make in a second, as fast as they can; from `streams` on
    nobody is late. Then under the clock, each block when it has been played: `behind` is how long after that the band
    was done, over all blocks; `late_share` of them by so much that a client of the server is told, and `slowest_behind`
    and `fastest_behind` are where the last and the first stream ended, which says how evenly they share.
    """
    factor = real_time_factor(band, streams, seconds)
    behind, _ = _play(band, streams, seconds, paced=True)
    every_ms = 1000.0 * np.concatenate([np.array(of_one) for of_one in behind])
    ends_ms = [1000.0 * of_one[-1] for of_one in behind]
    return {
        "streams": streams,
        "real_time_factor": factor,
        "behind_p50_ms": float(np.percentile(every_ms, 50)),
        "behind_p99_ms": float(np.percentile(every_ms, 99)),
        "behind_most_ms": float(every_ms.max()),
        "late_share": float(np.mean(every_ms > 1000.0 * LATE_S)),
        "fastest_behind_ms": min(ends_ms),
        "slowest_behind_ms": max(ends_ms),
    }
