"""The interface between engine and model: Moment, Controls, Heard and the Player protocol.

Knows neither torch nor sound cards. Values here are immutable and may cross threads; a Player's methods belong to
the inference thread alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, cast, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ..dsp.half_beat import HalfBeat
from .hand import FREE_HAND, Hand

PARTS: tuple[str, ...] = ("drums", "bass", "keys")
"""The generated voices, in the order of every array that has a parts axis."""


@dataclass(frozen=True, slots=True)
class Moment:
    """The musical position of one frame's first sample, at the time when that frame will be heard. Any thread."""

    beat_phase: float
    """Position within the beat, in [0, 1): 0 is the beat itself."""
    bar_phase: float
    """Position within the bar, in [0, 1): 0 is the downbeat."""
    tempo_bpm: float
    beats_per_bar: int
    confidence: float
    """How sure the conductor is of the phase, in [0, 1]. Below about 0.3 the band should hold back."""
    chord_root: int = -1
    """0 is C, 11 is B; -1 where no chord is known."""
    chord_pitch_classes: tuple[float, ...] = (0.0,) * 12
    """Probability of each pitch class (C first) in the sounding chord, each in [0, 1]."""
    next_root: int = -1
    """What the bass of the chord stands on that is expected a beat later; -1 where nobody knows."""
    playing: bool = True
    """Whether the musician is playing (with hold through short rests): False asks the band to fall silent."""
    chord_bass: int = -1
    """The bass of a slash chord ("C/E": 4); -1 where it is the root, or not known."""


@dataclass(frozen=True, slots=True)
class Controls:
    """What the musician asks of the band; constant for one frame. Any thread."""

    style: str = "rock"
    density: float = 0.5
    """How busy the parts are, in [0, 1]."""
    levels_db: tuple[float, ...] = (0.0, 0.0, 0.0)
    """Gain of each part, in the order of PARTS; -inf mutes. Applied by the worker's mix, not by the player."""
    temperature: float = 0.9
    top_k: int = 100
    top_p: float = 0.95
    fill: float = 0.0
    """How much of a fill is wanted, in [0, 1]: 1 from the command to the bar line, else 0."""
    hand: Hand = FREE_HAND
    """What is asked of the frame's notes beyond that."""
    groove: float = 1.0
    """How strongly the band keeps to a pattern of its style, in [0, 1]; 0: it plays as it comes."""
    listening: float = 0.0
    """How much the band answers the lead, in [0, 1]: done by the engine, through the hand."""
    pattern: str = ""
    """Which of the style's patterns: `verse`, `chorus`, `bridge`, `solo`, `intro`, `ending`, or any name of a section,
    which stands for one of them, always the same in one run."""


class Heard(Protocol):
    """What a player made of one chunk. Arrays of S entries cover the frame's S equal sub-frames, oldest first.

    Any thread.
    """

    @property
    def beat(self) -> NDArray[np.float32]: ...  # [S] probability that a beat falls into the sub-frame
    @property
    def downbeat(self) -> NDArray[np.float32]: ...  # [S] the same for a downbeat
    @property
    def onset(self) -> NDArray[np.float32]: ...  # [S] probability of a note onset
    @property
    def chord_root(self) -> NDArray[np.float32]: ...  # [13] probability of root C..B and of no chord
    @property
    def chord_pitch_classes(self) -> NDArray[np.float32]: ...  # [12] probability of each pitch class
    @property
    def played(self) -> NDArray[np.float32]: ...  # [12] the notes themselves by pitch class, a unit vector
    @property
    def activity(self) -> float: ...  # probability that the musician is playing
    @property
    def level_db(self) -> float: ...  # RMS of the frame in dBFS
    @property
    def delay_samples(self) -> int: ...  # how long before the chunk's end the frame described here ends
    @property
    def line_midi(self) -> int: ...  # the note of a melody, as MIDI; 0 where chords are played, or nothing


@dataclass(frozen=True, slots=True)
class HeardFrame:
    """A plain Heard, for players that are not models (tests, remote players). Any thread."""

    beat: NDArray[np.float32] = field(default_factory=lambda: np.zeros(4, np.float32))
    downbeat: NDArray[np.float32] = field(default_factory=lambda: np.zeros(4, np.float32))
    onset: NDArray[np.float32] = field(default_factory=lambda: np.zeros(4, np.float32))
    chord_root: NDArray[np.float32] = field(default_factory=lambda: np.zeros(13, np.float32))
    chord_pitch_classes: NDArray[np.float32] = field(default_factory=lambda: np.zeros(12, np.float32))
    played: NDArray[np.float32] = field(default_factory=lambda: np.zeros(12, np.float32))
    activity: float = 0.0
    level_db: float = -120.0
    delay_samples: int = 0
    line_midi: int = 0

    def __post_init__(self) -> None:
        """Plain numbers, whatever numpy handed in: they reach decisions, and those reach JSON."""
        for name, kind in (("activity", float), ("level_db", float), ("delay_samples", int), ("line_midi", int)):
            object.__setattr__(self, name, kind(getattr(self, name)))


class Reading(Protocol):
    """Chords (root + 12 * minor third or not) and keys (tonic + 12 * minor), probabilities [24] each. Any thread."""

    @property
    def chord(self) -> NDArray[np.float32]: ...  # of the half-beat that was given
    @property
    def key(self) -> NDArray[np.float32]: ...
    @property
    def next(self) -> NDArray[np.float32]: ...  # the chord of the half-beat after it
    @property
    def after(self) -> NDArray[np.float32]: ...  # and of the one after that


class Harmonist(Protocol):
    """Reads chords and keys out of half-beats. Inference thread only."""

    def reset(self) -> None:
        """Forget the song, not the style."""
        ...

    def set_style(self, style: str | None) -> None:
        """The style that is played; None: not known."""
        ...

    def read(self, half_beat: HalfBeat) -> Reading:
        """Take in a half-beat that has ended."""
        ...


def harmonist_of(player: object) -> Harmonist | None:
    """The harmonist that a player brings with it, if it does."""
    return getattr(player, "harmonist", None)


def second_harmonist(player: object) -> Harmonist | None:
    """One more harmonist of the same kind, with a memory of its own, if the player can give one."""
    another = getattr(harmonist_of(player), "another", None)
    return None if another is None else cast(Harmonist, another())


class Player(Protocol):
    """Frame in, frames out. Inference thread only; none may wait for anything."""

    @property
    def sample_rate_hz(self) -> int: ...
    @property
    def frame_samples(self) -> int: ...

    @property
    def tail_samples(self) -> int:
        """Samples of the previous chunk that `listen` wants again before the new frame (analysis overlap)."""
        ...

    @property
    def play_delay_samples(self) -> int:
        """The audio that `play` returns for frame j is that of [j*frame - delay, (j+1)*frame - delay)."""
        ...

    def reset(self, seed: int, ahead_frames: int) -> None:
        """Forget everything heard and played; `ahead_frames` is how far ahead frames will be asked for, rounded
        up."""
        ...

    def set_ahead(self, ahead_frames: int) -> None:
        """Tell the player that the budget changed; it keeps its state."""
        ...

    def listen(self, chunk: NDArray[np.float32]) -> Heard:
        """Take in float32 [tail_samples + frame_samples] at sample_rate_hz and say what was heard."""
        ...

    def play(self, moment: Moment, controls: Controls) -> NDArray[np.float32]:
        """Return float32 [len(PARTS), frame_samples] for the next frame, which will be heard at `moment`."""
        ...


class NoteEvent(Protocol):
    """A note that begins or ends in a frame. A frozen value. Any thread."""

    @property
    def part(self) -> int: ...  # the row among PARTS
    @property
    def pitch(self) -> int: ...  # MIDI note; of drums a key of General MIDI's percussion
    @property
    def velocity(self) -> int: ...  # 1 to 127; 0: the note ends
    @property
    def offset_samples(self) -> int: ...  # from the frame's beginning, at the player's rate


@runtime_checkable
class NotedPlayer(Protocol):
    """A player that knows which notes it plays. Inference thread only."""

    def notes(self) -> Sequence[NoteEvent]:
        """Of the frame that was played or drawn last, in their order. Every note that begins also ends."""
        ...


def notes_late_samples(player: object) -> int:
    """By how much the notes that a player gives belong to an earlier frame than its sound was asked for; mostly 0."""
    return int(getattr(player, "notes_late_samples", 0))


@runtime_checkable
class TunedPlayer(Protocol):
    """A player that follows the musician's tuning. Inference thread only."""

    @property
    def tuning_hz(self) -> float:
        """A, as the band plays it."""
        ...

    def fix_tuning(self, tuning_hz: float | None) -> None:
        """A is this many Hz, whatever is heard; None: as it is heard. Raises ValueError outside 392 to 494 Hz."""
        ...


@runtime_checkable
class PatientPlayer(Player, Protocol):
    """A player that can turn several frames into sound at once, which is quicker where nobody waits for them.

    Inference thread only.
    """

    def draw(self, moment: Moment, controls: Controls) -> None:
        """`play` without the sound."""
        ...

    def sound(self) -> NDArray[np.float32]:
        """Float32 [len(PARTS), n * frame_samples]: the n frames that were drawn since the last time."""
        ...


@runtime_checkable
class QuietPlayer(Player, Protocol):
    """A player that need not make the sound of frames that nobody hears. Inference thread only."""

    def draw(self, moment: Moment, controls: Controls) -> None:
        """`play` without the sound."""
        ...

    def pass_over(self) -> None:
        """Make no sound of the frames that were drawn since the last time: instruments play their notes."""
        ...
