"""Benchmarks several bands at once, as the server runs them: their speed together, and how late each becomes.

Knows no HTTP: each stream is a thread that pushes a frame's block at a time. Called on any thread; makes its own.
"""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from ...band import Band

_RATE_HZ = 48_000
_BLOCK = _RATE_HZ // 25
_LOOK_S = 0.002
LATE_S = 0.25
"""Behind its clock by more than this, a live client of the server is told."""


class _Musician(threading.Thread):
    """One stream: `behind_s` holds for each block how long after its last sample was played the band was done."""

    def __init__(self, band: Band, seed: int, blocks: int, begin: threading.Barrier, paced: bool) -> None:
        super().__init__(name=f"gigmate-bench-{seed}", daemon=True)
        self._stream = band.stream(_RATE_HZ, seed=seed)
        self._blocks, self._begin, self._paced = blocks, begin, paced
        self.behind_s: list[float] = []
        self.began_s = self.ended_s = 0.0
        """On the monotonic clock, which all processes of a machine share."""
        self.error: Exception | None = None

    def run(self) -> None:
        noise = np.random.default_rng(0).normal(0.0, 0.05, _BLOCK).astype(np.float32)
        try:
            self._stream.push(noise)  # what is made at the first block is made
            self._begin.wait()
            self.began_s = began_s = time.monotonic()
            for index in range(self._blocks):
                due_s = began_s + (index + 1) * _BLOCK / _RATE_HZ
                if self._paced:
                    time.sleep(max(0.0, due_s - time.monotonic()))
                self._stream.push(noise)
                self.behind_s.append(time.monotonic() - due_s)
            self.ended_s = time.monotonic()
        except Exception as error:  # noqa: BLE001 - raised again where it was asked for
            self.error = error
            self._begin.abort()


class Played(NamedTuple):
    """What came of a round. Any thread."""

    behind_s: list[list[float]]
    """Of each stream, for each block."""
    began_s: float
    ended_s: float


class Round:
    """So many streams that begin together, as fast as they can, or `paced` by the clock. One thread."""

    def __init__(self, band: Band, streams: int, seconds: float, paced: bool) -> None:
        """Makes the streams, each in a thread of its own, which wait for `play`."""
        blocks = max(1, round(seconds * _RATE_HZ / _BLOCK))
        self._begin = threading.Barrier(streams + 1)
        self._players = [_Musician(band, seed, blocks, self._begin, paced) for seed in range(streams)]
        for player in self._players:
            player.start()
        while self._begin.n_waiting < streams and not self._begin.broken:
            time.sleep(_LOOK_S)

    def play(self) -> Played:
        """Let them begin, and wait for the last. Raises what a stream raised."""
        players = self._players
        with contextlib.suppress(threading.BrokenBarrierError):  # a stream that failed says why
            self._begin.wait()
        for player in players:
            player.join()
        failed = [player.error for player in players if player.error is not None]
        causes = [error for error in failed if not isinstance(error, threading.BrokenBarrierError)]
        if failed:
            raise (causes or failed)[0]
        began_s, ended_s = min(player.began_s for player in players), max(player.ended_s for player in players)
        return Played([player.behind_s for player in players], began_s, ended_s)


def real_time_factor(band: Band, streams: int, seconds: float) -> float:
    """Seconds of music that so many bands together make in a second, as fast as they can. Raises EngineError."""
    played = Round(band, streams, seconds, paced=False).play()
    return streams * seconds / (played.ended_s - played.began_s)


def best_factor(band: Band, streams: int, seconds: float, piece_s: float) -> float:
    """As `real_time_factor`, in the fastest piece of so many seconds of music: when other programs were quietest."""
    behind = Round(band, streams, seconds, paced=False).play().behind_s
    done_s = np.mean(behind, axis=0) + np.arange(1, len(behind[0]) + 1) * _BLOCK / _RATE_HZ
    blocks = max(1, round(piece_s * _RATE_HZ / _BLOCK))
    took_s = float(np.diff(done_s[::blocks]).min())
    return streams * blocks * _BLOCK / _RATE_HZ / took_s


def measure_streams(band: Band, streams: int, seconds: float) -> dict[str, Any]:
    """Figures of `streams` bands at once: see `figures_of`. Raises EngineError where the model fails."""
    free, paced = (Round(band, streams, seconds, paced=paced).play() for paced in (False, True))
    return figures_of([free], [paced], seconds)


def figures_of(free: list[Played], paced: list[Played], seconds: float) -> dict[str, Any]:
    """Figures of what was played at once, in one process or several.

    `real_time_factor`: seconds of music that all together make in a second, as fast as they can; from `streams` on
    nobody is late. Then under the clock, each block when it has been played: `behind` is how long after that the band
    was done, over all blocks; `late_share` of them by so much that a client of the server is told, and `slowest_behind`
    and `fastest_behind` are where the last and the first stream ended, which says how evenly they share.
    """
    took_s = max(played.ended_s for played in free) - min(played.began_s for played in free)
    behind = [of_one for played in paced for of_one in played.behind_s]
    every_ms = 1000.0 * np.concatenate([np.array(of_one) for of_one in behind])
    ends_ms = [1000.0 * of_one[-1] for of_one in behind]
    return {
        "streams": len(behind),
        "real_time_factor": len(behind) * seconds / took_s,
        "behind_p50_ms": float(np.percentile(every_ms, 50)),
        "behind_p99_ms": float(np.percentile(every_ms, 99)),
        "behind_most_ms": float(every_ms.max()),
        "late_share": float(np.mean(every_ms > 1000.0 * LATE_S)),
        "fastest_behind_ms": min(ends_ms),
        "slowest_behind_ms": max(ends_ms),
    }
