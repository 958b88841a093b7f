"""Guards the engine against errors of the player: failed frames are left out and counted, and the engine continues.

Knows the Player protocol and no sound card. Inference thread only.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import nullcontext

import numpy as np
from numpy.typing import NDArray

from ...dsp.limiter import LOUDEST
from ..fault_kinds import FaultKind
from ..fault_log import FaultLog
from ..output.part_source import Aside
from ..player import (
    PARTS,
    Controls,
    Harmonist,
    Heard,
    Moment,
    Player,
    second_harmonist,
)

RESET_AFTER = 5
"""Failures in a row after which the player has to start anew; each time that does not help, twice as many."""
_RESET_AFTER_MOST = 400
_FAILED = {"listen": FaultKind.PLAYER_LISTEN, "play": FaultKind.PLAYER_PLAY}
_USUAL_MOMENT = Moment(0.0, 0.0, 120.0, 4, 1.0, 0, tuple(float(tone in (0, 4, 7)) for tone in range(12)))
"""What a warm-up is played to: as much to do as on stage."""


class GuardedPlayer:
    """Calls a player and believes nothing: no exception, no NaN and no wrong shape gets past it.

    Inference thread only.
    """

    def __init__(self, player: Player, fault_log: FaultLog, seed: int) -> None:
        self._player = player
        self._fault_log = fault_log
        self._seed = seed
        self._ahead_frames = 2
        self._chunk_samples = player.tail_samples + player.frame_samples
        self._shape = (len(PARTS), player.frame_samples)
        self._in_a_row = {"listen": 0, "play": 0}
        self._reset_after = RESET_AFTER
        self._good = 0
        turn = getattr(player, "frame_turn", None)
        self.aside: Aside = nullcontext if turn is None else turn.aside
        """Entered around what needs no interpreter, so that other streams of a shared player go on meanwhile."""

    @property
    def failing(self) -> bool:
        """Whether the last frame could not be played."""
        return self._in_a_row["play"] > 0

    def new_harmonist(self) -> Harmonist | None:
        """One more reader of chords, with a memory of its own; None where the player has none to give."""
        return second_harmonist(self._player)

    def reset(self, ahead_frames: int) -> None:
        """Let the player forget everything."""
        self._ahead_frames = ahead_frames
        try:
            self._player.reset(self._seed, ahead_frames)
        except Exception as error:
            self._fault_log.fault(FaultKind.PLAYER_RESET, how=f"and could not ({_short(error)})")

    def set_ahead(self, ahead_frames: int) -> None:
        """Tell the player that the budget changed."""
        self._ahead_frames = ahead_frames
        try:
            self._player.set_ahead(ahead_frames)
        except Exception as error:
            self._fault_log.fault(FaultKind.PLAYER_SET_AHEAD, error=_short(error))

    def listen(self, chunk: NDArray[np.float32]) -> Heard | None:
        """What was heard, or None if the player could not say."""
        try:
            heard = self._player.listen(chunk)
            rows = heard.beat, heard.downbeat, heard.onset, heard.chord_root, heard.chord_pitch_classes, heard.played
            finite = math.isfinite(heard.activity) and math.isfinite(heard.level_db)
            finite = finite and bool(np.isfinite(np.concatenate(rows)).all())
        except Exception as error:
            self._failed("listen", error)
            return None
        if not finite:
            self._failed("listen", ValueError("what was heard is not finite"))
            return None
        self._in_a_row["listen"] = 0
        return heard

    def play(self, moment: Moment, controls: Controls) -> NDArray[np.float32] | None:
        """One frame, float32 [parts, frame], or None if there is none that can be played."""
        return self._checked(lambda: self._player.play(moment, controls), 1)

    def draw(self, moment: Moment, controls: Controls) -> bool:
        """Let a PatientPlayer or QuietPlayer draw one frame; False if it could not."""
        try:
            self._player.draw(moment, controls)  # type: ignore[attr-defined]
        except Exception as error:
            self._failed("play", error)
            return False
        return True

    def sound(self, frames: int) -> NDArray[np.float32] | None:
        """The sound of so many frames drawn, float32 [parts, frames * frame], or None."""
        return self._checked(lambda: self._player.sound(), frames)  # type: ignore[attr-defined]

    def pass_over(self, frames: int) -> NDArray[np.float32] | None:
        """Let a QuietPlayer make no sound of so many frames drawn: silence, float32 [parts, frames * frame]."""
        return self._checked(lambda: self._silence(frames), frames)

    def _silence(self, frames: int) -> NDArray[np.float32]:
        self._player.pass_over()  # type: ignore[attr-defined]
        return np.zeros((self._shape[0], frames * self._shape[1]), np.float32)

    def _checked(self, make: Callable[[], NDArray[np.float32]], frames: int) -> NDArray[np.float32] | None:
        try:
            sound = np.asarray(make(), np.float32)
        except Exception as error:
            self._failed("play", error)
            return None
        shape = (self._shape[0], frames * self._shape[1])
        if sound.shape != shape:
            self._failed("play", ValueError(f"a frame of shape {sound.shape} instead of {shape}"))
            return None
        loudest = max(float(sound.max()), -float(sound.min()))  # both are no number where any sample is none
        if not math.isfinite(loudest):
            self._failed("play", ValueError("a frame that is not finite"))
            return None
        if loudest > LOUDEST:
            self._failed("play", ValueError("a frame that is too loud to be sound"))
            return None
        self._in_a_row["play"] = 0
        self._good += 1
        if self._good >= 1000:
            self._reset_after = RESET_AFTER
        return sound

    def warm_up(self, controls: Controls, frames: int) -> None:
        """Let it hear silence and play, so that all its code and memory has been used once."""
        silence = np.zeros(self._chunk_samples, np.float32)
        for _ in range(frames):
            self.listen(silence)
            self.play(_USUAL_MOMENT, controls)

    def _failed(self, what: str, error: Exception) -> None:
        self._fault_log.fault(_FAILED[what], error=_short(error))
        self._good = 0
        self._in_a_row[what] += 1
        if self._in_a_row[what] >= self._reset_after:
            self._in_a_row[what] = 1  # still failing
            self._reset_after = min(2 * self._reset_after, _RESET_AFTER_MOST)
            self._fault_log.fault(FaultKind.PLAYER_RESET, how="having failed again and again")
            self.reset(self._ahead_frames)


def _short(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error)[:160]}"
