"""The model as a Player (engine/player.py, met by shape only): chunk in, what was heard out; moment in, sound out.

Knows no sound card, no grid and no clock. Every method belongs to the inference thread.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from ..dsp.tuning import TunedFeatures
from .chord_network import Harmonist
from .generator.conditioning import MAX_AHEAD_FRAMES
from .generator.score_tokens import SLOTS
from .heard import HeardByModel, read_heard
from .note_events import NoteEvent, NoteReader
from .runtime import LoadedBand, WantedFrame, load_band
from .streaming import State, reset_state

FloatArray = NDArray[np.float32]


class MomentLike(Protocol):
    """The fields of the engine's Moment that the model reads. Any thread."""

    @property
    def beat_phase(self) -> float: ...
    @property
    def bar_phase(self) -> float: ...
    @property
    def tempo_bpm(self) -> float: ...
    @property
    def beats_per_bar(self) -> int: ...
    @property
    def confidence(self) -> float: ...
    @property
    def chord_root(self) -> int: ...
    @property
    def chord_pitch_classes(self) -> tuple[float, ...]: ...
    @property
    def playing(self) -> bool: ...


class ControlsLike(Protocol):
    """The fields of the engine's Controls that the model reads. Any thread."""

    @property
    def style(self) -> str: ...
    @property
    def density(self) -> float: ...
    @property
    def temperature(self) -> float: ...
    @property
    def top_k(self) -> int: ...
    @property
    def top_p(self) -> float: ...
    @property
    def fill(self) -> float: ...


class Accompanist:
    """A band under the Player protocol. One instance holds one stream. Inference thread only."""

    def __init__(self, band: LoadedBand, seed: int = 0) -> None:
        self._band = band
        self._tuned = TunedFeatures(band.sample_rate_hz)
        self._listen_state: State = band.program.init_listen(1)
        self._play_state: State = band.program.init_play(1)
        self._tail = self._tuned.extractor.spec.tail_samples
        self._started = False
        drums = band.parts.index("drums") if "drums" in band.parts else -1
        self._note_reader = NoteReader(drums, len(band.parts), band.frame_samples)
        self._notes: list[NoteEvent] = []
        self.harmonist = Harmonist(band.harmony)
        """Reads the chords of this stream for whoever counts its bars. Inference thread only."""
        self.reset(seed, 2)

    @property
    def sample_rate_hz(self) -> int:
        return self._band.sample_rate_hz

    @property
    def frame_samples(self) -> int:
        return self._band.frame_samples

    @property
    def tail_samples(self) -> int:
        return self._tail

    @property
    def play_delay_samples(self) -> int:
        return self._band.decode_delay_samples

    @property
    def styles(self) -> tuple[str, ...]:
        """Style names that the weights know."""
        return self._band.styles

    def reset(self, seed: int, ahead_frames: int) -> None:
        """Forget everything; `seed` makes what follows repeatable."""
        reset_state(self._listen_state)
        self._tuned.reset()
        self._noise = np.random.default_rng(seed)
        self._forget_played()
        self._features = torch.full((self._band.heard_size,), -1.0)
        self._heard = torch.zeros(1, 1, self._band.size)
        self.set_ahead(ahead_frames)

    def _forget_played(self) -> None:
        self._drawn: list[tuple[torch.Tensor, torch.Tensor]] = []
        self._note_reader.reset()
        self._notes = []
        reset_state(self._play_state)
        self._listens_since_play = 0

    @property
    def tuning_hz(self) -> float:
        """A, as the band plays it: as it is heard, or as it was fixed."""
        return self._tuned.tuning_hz

    def fix_tuning(self, tuning_hz: float | None) -> None:
        """A is this many Hz, whatever is heard; None: as it is heard. Raises ValueError outside 392 to 494 Hz."""
        self._tuned.fix(tuning_hz)

    def set_ahead(self, ahead_frames: int) -> None:
        self._ahead = torch.tensor([min(max(ahead_frames, 0), MAX_AHEAD_FRAMES)])

    @torch.inference_mode()
    def listen(self, chunk: FloatArray) -> HeardByModel:
        if not self._started:  # per thread, so it has to happen on the inference thread itself
            torch.set_flush_denormal(True)
            self._started = True
        # copied into torch's own memory: matrix products round differently for differently aligned inputs
        tuned = self._tuned.frame(chunk, sounding=self._listens_since_play <= 1)
        features = self._features.copy_(torch.from_numpy(tuned))
        logits = self._band.program.listen(features, self._listen_state).numpy()
        self._listens_since_play += 1
        if self._listens_since_play > 25 * 2:
            # stopped for two seconds: what was played before is no past to go on from
            self._forget_played()
        self._heard = self._band.program.hear(features, self._play_state)
        return read_heard(logits, self._band.listener_layout, features.numpy(), chunk[self._tail :])

    @torch.inference_mode()
    def play(self, moment: MomentLike, controls: ControlsLike) -> FloatArray:
        audio: Any = self._band.program.play(self._heard, self._wanted(moment, controls), self._play_state)
        self._notes = self._note_reader.read(self.slots().tolist(), controls.style)
        return audio.numpy()

    @torch.inference_mode()
    def draw(self, moment: MomentLike, controls: ControlsLike) -> None:
        """`play` without the sound, which `sound` gives for all frames that were drawn; not later than after 2 s."""
        wanted = self._wanted(moment, controls)
        self._drawn.append(self._band.program.draw(self._heard, wanted, self._play_state))
        self._notes = self._note_reader.read(self.slots().tolist(), controls.style)

    def notes(self) -> list[NoteEvent]:
        """What begins and ends in the frame that was played or drawn last, in order."""
        return self._notes

    @torch.inference_mode()
    def sound(self) -> FloatArray:
        """Float32 [parts, frames * frame_samples]: what was drawn since the last time, turned into sound at once."""
        tokens = torch.stack([tokens for tokens, _ in self._drawn], dim=2)
        dynamics_db = torch.cat([dynamics_db for _, dynamics_db in self._drawn])
        self._drawn.clear()
        audio: Any = self._band.program.sound(tokens, dynamics_db, self._play_state)
        return audio.numpy()

    def pass_over(self) -> None:
        """Make no sound of what was drawn since the last time: instruments play its notes."""
        self._drawn.clear()

    def _wanted(self, moment: MomentLike, controls: ControlsLike) -> WantedFrame:
        """One frame, as the compiled program is asked for it."""
        band = self._band
        if "voice.tuning_cents" in self._play_state:
            self._play_state["voice.tuning_cents"].fill_(self._tuned.cents)
        self._listens_since_play = 0
        known = 1.0 if moment.tempo_bpm > 0 else 0.0
        values = torch.tensor(
            [
                moment.beat_phase,
                moment.bar_phase,
                moment.tempo_bpm if known else 120.0,
                float(moment.beats_per_bar),
                1.0 if moment.playing else 0.0,
                moment.confidence,
                known,
                controls.density,
                controls.fill,
            ],
            dtype=torch.float32,
        )
        style = band.styles.index(controls.style) if controls.style in band.styles else len(band.styles)
        noise = torch.from_numpy(self._noise.random((len(band.parts), band.places), dtype=np.float32))
        return WantedFrame(
            values,
            torch.tensor([moment.chord_root]),
            torch.tensor(moment.chord_pitch_classes, dtype=torch.float32),
            torch.tensor([style]),
            self._ahead,
            noise,
            float(controls.temperature),
            int(controls.top_k),
            float(controls.top_p),
        )

    def slots(self) -> NDArray[np.int64]:
        """What the last frame played holds, int64 [parts, SLOTS], as in score_tokens.py; -1 before the first."""
        tokens: torch.Tensor = self._play_state["tokens"]
        return tokens[:, :SLOTS].numpy() - 1


def load_player(weights: Path | None = None, int8: bool = True, compiled: bool = True, seed: int = 0) -> Accompanist:
    """The shipped band (or that of the folder `weights`) as a Player, on one torch thread: two are slower here.

    Raises CheckpointError for weights that cannot be used.
    """
    torch.set_num_threads(1)
    return Accompanist(load_band(weights, int8, compiled), seed)
