"""The engine on the file port, as fast as it goes: numbers in, numbers out; or the real band, for its memory.

    python by_file.py numbers|WEIGHTS SECONDS

WEIGHTS: a folder, or "shipped". Prints what it found as JSON.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile
from gigmate.engine.config import EngineConfig
from gigmate.engine.ports.file import FilePort
from gigmate.engine.run.live_engine import Engine
from gigmate.engine.timing.conductor import Conductor, GridConductor
from memory import Growth
from numbered import HEARD_K, PLAYED_K, RATE_HZ, Check, Counting, numbered


class Endless:
    """A source without a file: numbers, or a recording again and again."""

    remark = ""

    def __init__(self, seconds: float, recording: np.ndarray | None) -> None:
        self._left = round(seconds * RATE_HZ)
        self._recording = recording
        self.at = 0

    def read(self, count: int) -> np.ndarray:
        count = min(count, self._left)
        self._left -= count
        if self._recording is None:
            block = numbered(self.at, count, HEARD_K)
        else:
            block = np.take(self._recording, np.arange(self.at, self.at + count), mode="wrap")
        self.at += count
        return block[None]

    def close(self) -> None:
        return None


class EndlessPort(FilePort):
    """The file port with that source, whose output is looked at."""

    def __init__(self, config: EngineConfig, seconds: float, recording: np.ndarray | None) -> None:
        super().__init__(config)
        self._source.close()
        self._source = Endless(seconds, recording)  # type: ignore[assignment]
        self.check = Check(PLAYED_K)
        self.growth = Growth()
        self._every_s = max(1.0, seconds / 500)
        self.highest = 0.0
        self.finite = True

    def _write(self, heard: np.ndarray, played: np.ndarray) -> None:
        self.finite &= bool(np.isfinite(played).all())
        self.highest = max(self.highest, float(np.abs(played).max()))
        self.check.look(played[0])
        self.growth.look(self._source.at / RATE_HZ, self._every_s)  # type: ignore[attr-defined]


def main(weights: str, seconds: str) -> None:
    recording = None
    if weights != "numbers":
        import gigmate
        import soxr
        from gigmate.model.accompanist import load_player

        path = Path(gigmate.__file__).parent / "presets" / "performance.flac"
        sound, rate_hz = soundfile.read(path, dtype="float32")
        recording = soxr.resample(sound, rate_hz, RATE_HZ).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        short = Path(folder) / "short.wav"
        soundfile.write(short, np.zeros(64), RATE_HZ)
        config = EngineConfig(
            backend="file", input_file=str(short), realtime=False, start_playing=True, output_channels=(1,),
            round_trip_samples=0, wait_for_musician=recording is not None,
        )  # fmt: skip
        port = EndlessPort(config, float(seconds), recording)
        if recording is None:
            player, conductor = Counting(), GridConductor(120, 4, RATE_HZ)
        else:
            player, conductor = load_player(None if weights == "shipped" else Path(weights)), Conductor(RATE_HZ)
        begin_s = time.perf_counter()
        with Engine(config, player, conductor, port) as engine:
            engine.start()
            while not engine.wait(1.0):
                pass
    found = {
        "seconds": float(seconds), "wall_s": time.perf_counter() - begin_s, "sent": port._source.at,
        "played": {"good": port.check.good, "breaks": port.check.breaks, "silent": port.check.silent},
        "memory": port.growth.report(), "highest": port.highest, "finite": port.finite, "report": engine.report(),
    }  # fmt: skip
    if recording is None:
        found["heard"] = {name: getattr(player.check, name) for name in ("good", "breaks", "silent")}
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:3])
