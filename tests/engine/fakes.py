"""Players, a port and a driven worker for tests: no model, no sound card, and no thread where none is wanted."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile
from gigmate.engine.callback.bridge import Bridge
from gigmate.engine.commands import CommandQueue
from gigmate.engine.config import EngineConfig
from gigmate.engine.fault_log import FaultLog
from gigmate.engine.player import Controls, HeardFrame, Moment
from gigmate.engine.ports.port import Port
from gigmate.engine.run.lookahead import PortFacts, PortLink
from gigmate.engine.run.worker import Worker
from gigmate.engine.timing.conductor import Conducting, GridConductor

PLAYER_HZ = 32_000
FRAME = 1280


class FakePlayer:
    """Silence in three parts. Keeps count.

    Instead of playing it does `at[frame]`, or what `always` says (in the warm-up too).
    """

    sample_rate_hz, frame_samples, tail_samples = PLAYER_HZ, FRAME, 640

    def __init__(self, play_delay_samples: int = 0, listen_delay_samples: int = 0) -> None:
        self.play_delay_samples = play_delay_samples
        self.listen_delay_samples = listen_delay_samples
        self.resets: list[tuple[int, int]] = []
        self.aheads: list[int] = []
        self.heard: list[np.ndarray] = []
        self.moments: list[Moment] = []
        self.controls = Controls()
        self.at: dict[int, Callable[[], np.ndarray | None]] = {}
        self.always: Callable[[], np.ndarray | None] | None = None
        self.rng = np.random.default_rng(0)

    def reset(self, seed: int, ahead_frames: int) -> None:
        self.resets.append((seed, ahead_frames))
        self.heard, self.moments = [], []
        self.rng = np.random.default_rng(seed)

    def set_ahead(self, ahead_frames: int) -> None:
        self.aheads.append(ahead_frames)

    def listen(self, chunk: np.ndarray) -> HeardFrame:
        assert chunk.shape == (self.tail_samples + FRAME,)
        assert chunk.dtype == np.float32
        self.heard.append(chunk[self.tail_samples :].copy())
        return HeardFrame(activity=1.0, level_db=-20.0, delay_samples=self.listen_delay_samples)

    def play(self, moment: Moment, controls: Controls) -> np.ndarray:
        frame = len(self.moments)
        self.moments.append(moment)
        self.controls = controls
        action = self.at.get(frame, self.always) if self.resets else self.always  # frames count from the warm-up's end
        special = action() if action is not None else None
        return self.sound(moment) if special is None else special

    def sound(self, moment: Moment) -> np.ndarray:
        return np.zeros((3, FRAME), np.float32)


class Clicker(FakePlayer):
    """An impulse (band-limited, so that it may stand between samples) on every beat of the grid that it is told."""

    def sound(self, moment: Moment) -> np.ndarray:
        beat = 60.0 / moment.tempo_bpm * PLAYER_HZ
        k = np.arange(FRAME) - self.play_delay_samples
        first = -moment.beat_phase * beat
        out = np.zeros(FRAME)
        for at in first + beat * np.arange(-2, 2 + int(2 * FRAME / beat)):
            near = np.abs(k - at) < 24
            out[near] += 0.3 * np.sinc(0.8 * (k[near] - at)) * np.cos((k[near] - at) * np.pi / 48) ** 2
        return np.stack([out, out * 0, out * 0]).astype(np.float32)


class Singer(FakePlayer):
    """One endless sine: a break in it can be seen."""

    tone_hz = 200.0

    def __init__(self, *args: int) -> None:
        super().__init__(*args)
        self.phase_samples = 0

    def sound(self, moment: Moment) -> np.ndarray:
        n = np.arange(FRAME) + self.phase_samples
        self.phase_samples += FRAME
        sine = 0.5 * np.sin(2 * np.pi * self.tone_hz / PLAYER_HZ * n)
        return np.stack([sine, sine * 0, sine * 0]).astype(np.float32)


class Improviser(FakePlayer):
    """Noise from its seed, coloured by what it heard: the same only if seed, input and order are the same."""

    def sound(self, moment: Moment) -> np.ndarray:
        noise = self.rng.standard_normal((3, FRAME)) * 0.05
        return (noise + 0.1 * self.heard[-1] * moment.beat_phase).astype(np.float32)


class DeadPort(Port):
    """A port of which no callback comes, until it is lost."""

    backend = "jack"

    def __init__(self, rate_hz: int = 48_000) -> None:
        super().__init__(EngineConfig())
        self.rate_hz, self.block_samples = rate_hz, 128

    def _start(self, bridge: Bridge) -> None:
        pass

    def _stop(self) -> None:
        pass

    def _close(self) -> None:
        pass

    def lose(self) -> None:
        self._lost = "the server went away: start it again"
        self.ended.set()


class Driven:
    """A worker whose steps and whose callbacks are made by hand, in one thread."""

    def __init__(
        self,
        player: FakePlayer,
        rate_hz: int = 48_000,
        conductor: Conducting | None = None,
        round_trip: int = 0,
        block: int = 128,
        config: EngineConfig | None = None,
        clocked: bool = False,
    ) -> None:
        config = config or EngineConfig(start_playing=True, output_channels=(1,))
        self.bridge = Bridge(rate_hz, buses=config.buses)
        self.fault_log = FaultLog()
        self.commands = CommandQueue()
        self.facts = PortFacts(0, round_trip, block)
        self.worker = Worker(
            config,
            PortLink(self.bridge, lambda: self.facts, threading.Event(), clocked),
            player,
            conductor or GridConductor(120, 4, rate_hz),
            self.commands,
            self.fault_log,
        )
        self.worker._begin()
        self.channels = len(config.played_channels)
        self.out: list[np.ndarray] = []
        self.outputs: list[np.ndarray] = []

    def callback(self, frames: float = 1.0, heard: np.ndarray | None = None) -> None:
        """The sound card's turn, for so many frames."""
        count = round(frames * self.worker.host_frame)
        inputs = np.zeros((1, count), np.float32) if heard is None else heard[None, :count]
        outputs = np.zeros((self.channels, count), np.float32)
        self.bridge.process_arrays(inputs, outputs)
        self.outputs.append(outputs)
        self.out.append(outputs[0].copy())

    def step(self) -> None:
        self.worker._take_commands()
        self.worker._step()

    def run(self, frames: int) -> None:
        for _ in range(frames):
            self.callback()
            self.step()

    @property
    def played(self) -> np.ndarray:
        return np.concatenate(self.out)


def write_noise(path: Path, rate_hz: int, seconds: float) -> Path:
    """A quiet, unrepeating recording."""
    noise = np.random.default_rng(7).standard_normal(round(seconds * rate_hz)) * 0.05
    soundfile.write(path, noise, rate_hz, "PCM_24")
    return path


def wait_until(condition: Callable[[], bool], timeout_s: float = 20.0) -> bool:
    end_s = time.monotonic() + timeout_s
    while time.monotonic() < end_s:
        if condition():
            return True
        time.sleep(0.005)
    return condition()
