"""Prints what a step of the shipped band takes with the neural voice and with instruments, turn by turn.

`python tests/sound/step_with_instruments.py [SECONDS]`; needs FluidSynth and a bank. Not a test.
"""

from __future__ import annotations

import sys
import time

import numpy as np
from gigmate.engine.commands import SetSounds
from gigmate.engine.config import EngineConfig
from gigmate.engine.fault_log import FaultLog
from gigmate.engine.part_sounds import in_order, sounds_of
from gigmate.engine.player import Controls
from gigmate.engine.run.band_step import BandStep
from gigmate.engine.timing.fixed_grid import GridConductor
from gigmate.model.accompanist import load_player
from gigmate.sound.rack import Rack

HZ, LEVELS_DB = 48_000, (0.0, 0.0, 0.0)
SOUNDS = ("neural", "instruments", "keys=neural,drums=instruments,bass=instruments")


class Stand:
    def __init__(self, sound: str) -> None:
        config = EngineConfig(start_playing=True, wait_for_musician=False)
        self.band = BandStep(config, HZ, load_player(), GridConductor(120, 4, HZ), FaultLog())
        self.band.play_instruments(Rack(HZ, patient=True))
        self.band.set_sounds(SetSounds(in_order(sounds_of(sound))))
        self.band.stage.start()
        self.frame, self.times_ms = 0, []

    def step(self) -> None:
        heard = np.random.default_rng(self.frame).normal(0.0, 0.05, self.band.host_frame).astype(np.float32)
        begin_s = time.thread_time()
        self.band.hear(self.frame, heard)
        moment = self.band.direct(self.frame, fresh=self.frame == 0)
        for made in self.band.make(self.frame, moment, Controls(), LEVELS_DB) or ():
            self.band.put(made)
        self.times_ms.append(1000 * (time.thread_time() - begin_s))
        self.frame += 1


def main() -> None:
    frames = round(float(sys.argv[1]) * 25) if len(sys.argv) > 1 else 500
    stands = [Stand(sound) for sound in SOUNDS]
    for _ in range(frames):
        for stand in stands:
            stand.step()
    print("milliseconds of one core for a step of 40 ms: median, p99")
    for sound, stand in zip(SOUNDS, stands, strict=True):
        times_ms = stand.times_ms[50:]
        print(
            f"{np.median(times_ms):6.1f} {np.percentile(times_ms, 99):6.1f}  {sound} ({', '.join(stand.band.sounds)})"
        )


if __name__ == "__main__":
    main()
