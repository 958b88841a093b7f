"""The band played through the live engine for the judges: a lead in, the parts out, with or without an oracle.

The engine's file port as fast as it goes: streaming, int8, the ahead that the budget asks for, its own ears. What an
oracle knows, or an ablation withholds, is changed between engine and model, in `Watched`. Owns one engine at a time;
main thread, in worker processes of the evaluation.
"""

from __future__ import annotations

import dataclasses
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...engine.config import EngineConfig
from ...engine.errors import EngineError
from ...engine.output.recorder import CHANNELS
from ...engine.player import (
    PARTS,
    Controls,
    Heard,
    Moment,
)

if TYPE_CHECKING:
    from ...model.accompanist import Accompanist
    from ...model.band_stream import BandStream, LoadedBand, Wanted

Array = NDArray[np.float32]
Labels = dict[str, NDArray[Any]]
CONDITIONS = ("live", "oracle", "no_chord", "no_moment", "no_heard", "no_past")
"""live: as on stage. oracle: the true moment and chord. The others: live, with one thing withheld from the band."""
RATE_HZ = 32_000
ROUND_TRIP_MS = 20.0
"""Of the sound card that is imagined: a JACK server at 48 kHz with blocks of 128 to 256 samples claims 8 to 16 ms."""


@dataclass
class Played:
    """One run. `parts`: float32 [n] each, sample s to be heard together with sample s of the lead."""

    parts: dict[str, Array]
    rate_hz: int
    ahead_frames: int
    misses: int
    cpu_ms: NDArray[np.float64]
    """Processor time of every step of the model."""
    tempo_bpm: NDArray[np.float64]
    beat_phase: NDArray[np.float64]
    """What the conductor told for the frames in which the band was asked to play, as it was heard."""
    frames: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    bar_phase: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    beats_per_bar: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    slots: NDArray[np.int64] = field(default_factory=lambda: np.zeros((len(PARTS), 0, 0), np.int64))
    """[parts, SLOTS, frames]: what the model wrote for them."""


class Watched:
    """A Player around the model's: measures its steps, notes the moments, and may change them before the model sees
    them."""

    def __init__(self, player: Accompanist, change: Callable[[int, Moment], Moment] | None = None) -> None:
        self._player, self._change = player, change
        self.sample_rate_hz, self.frame_samples = player.sample_rate_hz, player.frame_samples
        self.tail_samples, self.play_delay_samples = player.tail_samples, player.play_delay_samples
        self.cpu_s: list[float] = []
        self.told: list[tuple[int, float, float, float, int]] = []
        self.slots: list[NDArray[np.int64]] = []
        self.heard_frames = 0
        self.ahead_frames = 0
        self._listened_s = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._player, name)

    def reset(self, seed: int, ahead_frames: int) -> None:
        """What was before was the warm-up, or is forgotten."""
        self._player.reset(seed, ahead_frames)
        self.ahead_frames, self.heard_frames = ahead_frames, 0
        self.cpu_s.clear()
        self.told.clear()
        self.slots.clear()

    def set_ahead(self, ahead_frames: int) -> None:
        self._player.set_ahead(ahead_frames)
        self.ahead_frames = ahead_frames

    def listen(self, chunk: Array) -> Heard:
        began = time.thread_time()
        heard = self._player.listen(chunk)
        self.heard_frames += 1
        self._listened_s = time.thread_time() - began
        return heard

    def play(self, moment: Moment, controls: Controls) -> Array:
        frame = self.heard_frames - 1 + self.ahead_frames
        self.told.append((frame, moment.tempo_bpm, moment.beat_phase, moment.bar_phase, moment.beats_per_bar))
        if self._change is not None:
            moment = self._change(frame, moment)
        began = time.thread_time()
        made = self._player.play(moment, controls)
        self.cpu_s.append(self._listened_s + time.thread_time() - began)
        self.slots.append(self._player.slots())
        return made


class Stage:
    """Weights loaded once, and runs of the engine with them. Raises CheckpointError."""

    def __init__(self, weights: Path | None) -> None:
        from ...model.loading import load_band

        self._band = load_band(weights)
        self.styles: tuple[str, ...] = self._band.styles

    def play(
        self, lead: Array, controls: Controls, condition: str = "live", labels: Labels | None = None, seed: int = 0
    ) -> Played:
        """Let the band play along with `lead`, float32 [n] at 32 kHz. `labels` of the song where the oracle speaks.

        Raises EngineError where the run fails.
        """
        import soundfile

        from ...engine.ports.port import open_port
        from ...engine.run.live_engine import Engine
        from ...engine.timing.conductor import Conductor
        from ...model.accompanist import Accompanist

        if condition not in CONDITIONS:
            raise ValueError(f"condition {condition!r}: give {', '.join(CONDITIONS)}")
        player = Watched(Accompanist(_withheld(self._band, condition), seed), _changed(condition, labels))
        with tempfile.TemporaryDirectory(prefix="gigmate-eval-") as scratch:
            heard, record = Path(scratch) / "heard.wav", Path(scratch) / "band.wav"
            soundfile.write(heard, lead, RATE_HZ, subtype="FLOAT")
            config = EngineConfig(
                backend="file", input_file=str(heard), realtime=False, record_file=str(record), start_playing=True,
                round_trip_samples=round(ROUND_TRIP_MS * RATE_HZ / 1000), seed=seed,
            )  # fmt: skip
            port = open_port(config)
            try:
                conductor = Conductor(float(port.rate_hz), harmonist=player.harmonist)
                engine = Engine(config, player, conductor, port=port)
            except BaseException:
                port.close()
                raise
            try:
                _ask(engine, controls)
                engine.start()
                while not engine.wait(0.2):
                    pass
                report = engine.report()
            finally:
                engine.close()
            audio, rate_hz = soundfile.read(record, dtype="float32", always_2d=True)
        if rate_hz != RATE_HZ or audio.shape[1] != len(CHANNELS):
            raise EngineError(
                f"the recording has {audio.shape[1]} channels at {rate_hz} Hz: this is an error in GigMate"
            )
        told = np.array(player.told, np.float64).reshape(-1, 5)
        sides = {
            name: audio[:, CHANNELS.index(f"{name} left")] + audio[:, CHANNELS.index(f"{name} right")] for name in PARTS
        }
        parts = {name: _fitted(np.float32(0.5) * both, len(lead)) for name, both in sides.items()}
        return Played(
            parts, rate_hz, int(report["ahead"]["frames"]), _misses(report), 1e3 * np.array(player.cpu_s),
            told[:, 1], told[:, 2], told[:, 0].astype(np.int64), told[:, 3], told[:, 4],
            np.stack(player.slots, axis=2) if player.slots else np.zeros((len(PARTS), 0, 0), np.int64),
        )  # fmt: skip


def _ask(engine: Any, controls: Controls) -> None:
    from ...engine.commands import SetControl

    for name in ("style", "density", "temperature", "top_k", "top_p", "groove", "listening"):
        engine.post(SetControl(name, getattr(controls, name)))


def _misses(report: dict[str, Any]) -> int:
    """Frames that came too late; a file that does not keep the clock has none."""
    misses = report.get("misses", 0)
    return int(misses["frames"]) if isinstance(misses, dict) else int(misses)


def _fitted(sound: Array, samples: int) -> Array:
    """As long as the lead, in memory of its own."""
    made = np.zeros(samples, np.float32)
    count = min(samples, len(sound))
    made[:count] = sound[:count]
    return made


# ------------------------------------------------------------------------- what an oracle knows, or is withheld


def _changed(condition: str, labels: Labels | None) -> Callable[[int, Moment], Moment] | None:
    if condition == "oracle":
        if labels is None:
            raise ValueError("the oracle needs the song's labels")
        truth = labels
        return lambda frame, moment: true_moment(truth, frame, moment)
    if condition == "no_chord":
        return lambda _, moment: dataclasses.replace(moment, chord_root=-1, chord_pitch_classes=(0.0,) * 12)
    if condition == "no_moment":
        return lambda _, moment: dataclasses.replace(
            moment, tempo_bpm=0.0, beat_phase=0.0, bar_phase=0.0, confidence=0.0
        )
    return None


def true_moment(labels: Labels, frame: int, moment: Moment) -> Moment:
    """The moment of a frame as the song's labels have it; its chord is that of a little later, as on stage."""
    from ...model.generator.generator_config import CHORD_AHEAD_FRAMES

    last = len(labels["beat_phase"]) - 1
    at = min(max(frame, 0), last)
    chord_at = min(at + CHORD_AHEAD_FRAMES, last)
    beat_frames = round(25.0 * 60.0 / float(labels["tempo_bpm"][at]))
    return dataclasses.replace(
        moment,
        beat_phase=float(labels["beat_phase"][at]) % 1.0,
        bar_phase=float(labels["bar_phase"][at]) % 1.0,
        tempo_bpm=float(labels["tempo_bpm"][at]),
        beats_per_bar=int(labels["beats_per_bar"][at]),
        confidence=1.0,
        chord_root=int(labels["chord_root"][chord_at]),
        chord_pitch_classes=tuple(float(x) for x in labels["chord_pcs"][chord_at]),
        next_root=int(labels["chord_root"][min(last, chord_at + beat_frames)]),
        playing=bool(labels["part_active"][at].any()),
    )


def _withheld(band: LoadedBand, condition: str) -> LoadedBand:
    if condition not in ("no_heard", "no_past"):
        return band
    wrap = _Deaf if condition == "no_heard" else _Forgetful
    return dataclasses.replace(band, new_stream=lambda: wrap(band.new_stream()))


class _Deaf:
    """A stream whose generator is told nothing of the sound (the listener still hears it)."""

    def __init__(self, stream: BandStream) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def hear(self, features: Array) -> None:
        self._stream.hear(features * 0.0)


class _Forgetful:
    """A stream whose generator is not told what it has just played."""

    def __init__(self, stream: BandStream) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def draw(self, wanted: Wanted) -> None:
        self._stream.recall(np.full(wanted.noise.shape, -1, np.int32))
        self._stream.draw(wanted)
