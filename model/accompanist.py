"""The model as a Player (engine/player.py, met by shape only): chunk in, what was heard out; moment in, sound out.

Knows no sound card, no grid and no clock. Every method belongs to the inference thread.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..dsp.tuning import TunedFeatures
from .band_stream import LoadedBand, Wanted
from .generator.bass_roles import SlashBass
from .generator.generator_config import MAX_AHEAD_FRAMES
from .generator.groove_hand import GrooveAsked, GrooveHand
from .generator.groove_table import shipped
from .generator.note_hand import NoteHand, PartHandLike, Place, free_hand, lay, speaks
from .generator.score_tokens import STATE
from .generator.style_statistics import KIN, taught
from .harmony.harmonist import Harmonist
from .heard import HeardByModel, read_heard
from .loading import load_band
from .note_events import NoteEvent, NoteReader

FloatArray = NDArray[np.float32]
Aside = Callable[[], AbstractContextManager[Any]]


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
    @property
    def next_root(self) -> int: ...
    @property
    def chord_bass(self) -> int: ...


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
    @property
    def hand(self) -> HandLike: ...
    @property
    def groove(self) -> float: ...
    @property
    def pattern(self) -> str: ...


class HandLike(Protocol):
    """The fields of the engine's Hand that the model reads. Any thread."""

    @property
    def free(self) -> bool: ...
    @property
    def parts(self) -> Sequence[PartHandLike]: ...


class Accompanist:
    """A band under the Player protocol. One instance holds one stream. Inference thread only."""

    def __init__(self, band: LoadedBand, seed: int = 0, aside: Aside = contextlib.nullcontext) -> None:
        """`aside`: entered around all that needs no interpreter, so that another stream's Python may run."""
        self._band, self._aside = band, aside
        self._tuned = TunedFeatures(band.sample_rate_hz)
        self.stream = band.new_stream()
        """The program and its memory of this stream. Inference thread only."""
        self._tail = self._tuned.extractor.spec.tail_samples
        self._started = False
        self._drums, self._bass = (
            band.parts.index(name) if name in band.parts else -1 for name in ("drums", "bass")
        )  # fmt: skip
        self._note_reader = NoteReader(self._drums, len(band.parts), band.frame_samples)
        self._notes: list[NoteEvent] = []
        self.harmonist = Harmonist(band.harmony)
        """Reads the chords of this stream for whoever counts its bars. Inference thread only."""
        self._groove = GrooveHand(band.parts, shipped())
        self._slash = SlashBass()
        self._place: Place | None = None
        self._root, self._let_alone = -1, [False] * len(band.parts)
        self.reset(seed, 2)

    @property
    def runtime(self) -> str:
        """What computes the step: `native`, `torchscript` or `eager`."""
        return self._band.runtime

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
        """Style names that the weights know, and those that are played by the groove's patterns and their kin."""
        taught_styles = self._band.styles
        return (*taught_styles, *(style for style, kin in KIN.items() if kin in taught_styles))

    def reset(self, seed: int, ahead_frames: int) -> None:
        """Forget everything; `seed` makes what follows repeatable."""
        self.stream.reset()
        self._tuned.reset()
        self._noise = np.random.default_rng(seed)
        self._seed = seed
        self._forget_played()
        self.set_ahead(ahead_frames)

    def _forget_played(self) -> None:
        self._note_reader.reset()
        self._notes = []
        self.stream.forget_played()
        self._groove.reset(self._seed)
        self._slash.reset()
        self._place = None
        self._listens_since_play = 0

    @property
    def tuning_hz(self) -> float:
        """A, as the band plays it: as it is heard, or as it was fixed."""
        return self._tuned.tuning_hz

    def fix_tuning(self, tuning_hz: float | None) -> None:
        """A is this many Hz, whatever is heard; None: as it is heard. Raises ValueError outside 392 to 494 Hz."""
        self._tuned.fix(tuning_hz)

    def set_ahead(self, ahead_frames: int) -> None:
        self._ahead = min(max(ahead_frames, 0), MAX_AHEAD_FRAMES)

    def listen(self, chunk: FloatArray) -> HeardByModel:
        if not self._started:  # per thread, so it has to happen on the inference thread itself
            self.stream.prepare_thread()
            self._started = True
        features = self._tuned.frame(chunk, sounding=self._listens_since_play <= 1)
        self._listens_since_play += 1
        if self._listens_since_play > 25 * 2:
            # stopped for two seconds: what was played before is no past to go on from
            self._forget_played()
        with self._aside():
            logits = self.stream.listen(features)
            self.stream.hear(features)
        return read_heard(logits, self._band.listener_layout, features, chunk[self._tail :])

    def play(self, moment: MomentLike, controls: ControlsLike) -> FloatArray:
        self.stream.pass_over()
        self.draw(moment, controls)
        return self.sound()

    def draw(self, moment: MomentLike, controls: ControlsLike) -> None:
        """`play` without the sound, which `sound` gives for all frames that were drawn; not later than after 2 s."""
        wanted = self._wanted(moment, controls)
        with self._aside():
            self.stream.draw(wanted)
        slots = self.slots()
        if self._place is not None:
            self._groove.remember(slots, self._place, self._root, self._let_alone)
        if self._bass >= 0:
            self._slash.remember(int(slots[self._bass, STATE]))
        self._notes = self._note_reader.read(slots.tolist(), controls.style)

    def notes(self) -> list[NoteEvent]:
        """What begins and ends in the frame that was played or drawn last, in order."""
        return self._notes

    def sound(self) -> FloatArray:
        """Float32 [parts, frames * frame_samples]: what was drawn since the last time, turned into sound at once."""
        with self._aside():
            return self.stream.sound()

    def pass_over(self) -> None:
        """Make no sound of what was drawn since the last time: instruments play its notes."""
        self.stream.pass_over()

    def _wanted(self, moment: MomentLike, controls: ControlsLike) -> Wanted:
        """One frame, as the program is asked for it."""
        band = self._band
        self._listens_since_play = 0
        style = taught(controls.style, band.styles)
        known = 1.0 if moment.tempo_bpm > 0 else 0.0
        return Wanted(
            moment.beat_phase,
            moment.bar_phase,
            moment.tempo_bpm if known else 120.0,
            float(moment.beats_per_bar),
            1.0 if moment.playing else 0.0,
            moment.confidence,
            known,
            controls.density,
            controls.fill,
            moment.chord_root,
            moment.chord_pitch_classes,
            band.styles.index(style) if style in band.styles else len(band.styles),
            self._ahead,
            self._noise.random((len(band.parts), band.places), dtype=np.float32),
            float(controls.temperature),
            int(controls.top_k),
            float(controls.top_p),
            self._tuned.cents,
            self._hand(moment, controls),
        )

    def _hand(self, moment: MomentLike, controls: ControlsLike) -> NoteHand | None:
        """What is asked of the notes: by the stage, by the groove, and by a chord's written bass."""
        hand, parts = controls.hand, self._band.parts
        beats = moment.tempo_bpm * self._band.frame_samples / (60.0 * self._band.sample_rate_hz)
        place = Place(moment.bar_phase * moment.beats_per_bar, beats, moment.beats_per_bar, moment.tempo_bpm)
        plays = moment.playing and moment.tempo_bpm > 0
        keeps_groove = controls.groove > 0.0 and plays
        owes_bass = plays and self._bass >= 0 and self._slash.follow(place, moment.chord_root, moment.chord_bass)
        self._place = place if keeps_groove else None
        if hand.free and not keeps_groove and not owes_bass:
            return None
        asked = free_hand(len(parts))
        if not hand.free:
            lay(hand.parts, self._drums, controls.density, asked)
        self._let_alone = [
            (row == self._drums and controls.fill > 0.0) or (row < len(hand.parts) and speaks(hand.parts[row]))
            for row in range(len(parts))
        ]
        if owes_bass and not self._let_alone[self._bass]:
            self._slash.lay(place, asked.bias[self._bass])
        if keeps_groove:
            groove = GrooveAsked(
                controls.style, controls.pattern, controls.density, moment.chord_root, controls.groove,
                moment.chord_pitch_classes, moment.next_root, taught(controls.style, self._band.styles),
                moment.chord_bass,
            )  # fmt: skip
            self._groove.lay(place, groove, self._let_alone, asked)
            self._root = moment.chord_root if moment.chord_bass < 0 else moment.chord_bass
        return asked

    def slots(self) -> NDArray[np.int64]:
        """What the last frame played holds, int64 [parts, SLOTS], as in score_tokens.py; -1 before the first."""
        return self.stream.slots()


def load_player(
    weights: Path | None = None, int8: bool = True, compiled: bool = True, seed: int = 0, runtime: str | None = None
) -> Accompanist:
    """The shipped band (or that of the folder `weights`) as a Player; all else and what is raised as in `load_band`."""
    return Accompanist(load_band(weights, int8, compiled, runtime), seed)
