"""The latency budget: the delays of all stages, summed to a look-ahead of whole frames and an offset.

Knows no clock and no thread: it is told what steps take. All in samples of the host rate; a step or a delay may be a
fraction of one.

Frame j is heard from `offset` samples after the beginning of input frame j on. It is made after input frame
j - ahead has come in, and its first sample must be written `round_trip + player + resample_out` samples before its own
time, a block and a step after the input. So what lies between must be (ahead - 1) frames and the offset at least; what
is left over of them waits in the ring (`remainder`), so that the band is in place to the sample and not to the frame.

The offset spares what whole frames would round up. While nobody hears the band (`settle`) the ahead is chosen freely.
While it sounds, a change by whole frames leaves no seam; one by less makes a single frame longer or shorter, which
is done where at most half a frame is missing, and where time that is spared would else be kept for good.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

MAX_AHEAD_FRAMES = 12
"""More than this and the band would answer half a second late."""
SHRINK_RESERVE = 0.25
"""Part of a frame that must be free besides before one frame less is dared."""
SETTLE_RESERVE = 0.05
"""Part of a frame that is kept free besides where the offset is chosen."""
LEAST_SPARED = 0.125
"""Part of a frame for which it is worth to shrink by less than one."""


@dataclass(frozen=True, slots=True)
class Delays:
    """What the stages declare. Raises ValueError for what is negative or no number."""

    round_trip_samples: float = 0.0
    """From a sample's output to its place in the input: capture and playback together."""
    player_samples: float = 0.0
    resample_out_samples: float = 0.0
    block_samples: float = 0.0
    margin_samples: float = 0.0
    """For what no one foresees: waking up, another program's turn."""
    resample_in_samples: float = 0.0
    """This one and the next make the band hear later, not play later."""
    listen_samples: float = 0.0

    def __post_init__(self) -> None:
        for name in self.__slots__:
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(f"{name} is {value}: a delay is a number, 0 or more")

    @property
    def fixed_samples(self) -> float:
        """What lies between input and output beside the step itself."""
        return (
            self.round_trip_samples
            + self.player_samples
            + self.resample_out_samples
            + self.block_samples
            + self.margin_samples
        )


class Budget:
    """The ahead, held with hysteresis: it grows as soon as the margin is touched, and shrinks after a long calm."""

    def __init__(
        self,
        frame_samples: int,
        delays: Delays,
        step_samples: float,
        calm_frames: int = 1500,
        max_ahead_frames: int = MAX_AHEAD_FRAMES,
        offsets_per_frame: int = 1,
    ) -> None:
        """`step_samples` is the first guess of a slow step; the offset is a multiple of a frame divided by
        `offsets_per_frame` (1: always 0). Raises ValueError for a frame below 1 sample."""
        if frame_samples < 1:
            raise ValueError("a frame has at least one sample")
        if not 1 <= offsets_per_frame <= frame_samples:
            raise ValueError(f"{offsets_per_frame} offsets a frame: give 1 to {frame_samples}")
        self.frame_samples = int(frame_samples)
        self.max_ahead_frames = max_ahead_frames
        self._frames_before_shrinking = calm_frames
        self._stable_frames = 0
        self._delays = delays
        self._step = self._checked(step_samples)
        self._offsets_per_frame = offsets_per_frame
        self.offset_samples = 0
        self.ahead_frames, self.offset_samples = self._best()
        self.grown = 0
        self.shrunk = 0

    @staticmethod
    def _checked(step_samples: float) -> float:
        if not (math.isfinite(step_samples) and step_samples >= 0):
            raise ValueError(f"a step takes 0 samples or more, not {step_samples}")
        return float(step_samples)

    @property
    def delays(self) -> Delays:
        return self._delays

    @property
    def step_samples(self) -> float:
        """What a slow step takes, as last told."""
        return self._step

    @property
    def needed_frames(self) -> int:
        """The least ahead that holds the deadline now."""
        return self._frames_for(self._delays.fixed_samples + self._step)

    def _frames_for(self, samples: float) -> int:
        least = 1 if self.offset_samples == 0 else 0
        return 1 + max(least, math.ceil((samples - self.offset_samples) / self.frame_samples - 1e-9))

    def _best(self) -> tuple[int, int]:
        """(frames, offset) of the least ahead for what is needed now."""
        frame, parts = self.frame_samples, self._offsets_per_frame
        lead = self._delays.fixed_samples + self._step
        if parts == 1:
            return min(self.max_ahead_frames, self.needed_frames), 0
        frames, part = divmod(parts + math.ceil(parts * (lead / frame + SETTLE_RESERVE)), parts)
        if frames >= self.max_ahead_frames:
            return self.max_ahead_frames, 0
        return frames, -(-part * frame // parts)

    @property
    def ahead_samples(self) -> int:
        """From the first sample of the last frame heard to the first of the frame made then."""
        return self.ahead_frames * self.frame_samples + self.offset_samples

    @property
    def ahead_frames_up(self) -> int:
        """The ahead in frames, rounded up: how old at most what was heard is for the frame that is made."""
        return self.ahead_frames + (self.offset_samples > 0)

    @property
    def remainder_samples(self) -> float:
        """What ahead and stages leave over: the time that sound waits ready. Negative: the deadline cannot be held."""
        return self.ahead_samples - self.frame_samples - self._delays.fixed_samples - self._step

    @property
    def exceeds_maximum(self) -> bool:
        """Whether even the longest ahead does not hold the deadline."""
        return self.needed_frames > self.max_ahead_frames

    @property
    def hearing_samples(self) -> float:
        """Age of what the band knows of the input when a frame is complete."""
        return self._delays.resample_in_samples + self._delays.listen_samples

    def declare(self, delays: Delays) -> bool:
        """Stages changed (another block, another round trip). True if the ahead grew."""
        self._delays = delays
        return self._grow()

    def settle(self) -> bool:
        """Nobody hears the band: take the least ahead for what is needed now, if that spares anything worth it. True if
        it changed."""
        frames, offset = self._best()
        spared = self.ahead_samples - frames * self.frame_samples - offset
        if spared < LEAST_SPARED * self.frame_samples:
            return False
        self._stable_frames = 0
        self.ahead_frames, self.offset_samples = frames, offset
        return True

    def update(self, step_samples: float, frames: int = 1) -> bool:
        """Tell what a slow step takes now, `frames` frames after the last time. True if the ahead changed."""
        self._step = self._checked(step_samples)
        if self._grow():
            return True
        less = self._shorter()
        if less == 0:
            self._stable_frames = 0
            return False
        self._stable_frames += frames
        if self._stable_frames < self._frames_before_shrinking:
            return False
        self._stable_frames = 0
        self._take(self.ahead_samples - less)
        self.shrunk += 1
        return True

    def _shorter(self) -> int:
        """By how many samples less would do as well: a whole frame, with a reserve; at most half of one where there are
        offsets; else 0."""
        frame = self.frame_samples
        if self._frames_for(self._delays.fixed_samples + self._step + SHRINK_RESERVE * frame) < self.ahead_frames:
            return frame
        if self._offsets_per_frame == 1:
            return 0
        frames, offset = self._best()
        spared = self.ahead_samples - frames * frame - offset
        return min(spared, frame // 2) if spared >= LEAST_SPARED * frame else 0

    def _take(self, ahead_samples: int) -> None:
        self.ahead_frames, self.offset_samples = divmod(ahead_samples, self.frame_samples)

    def _grow(self) -> bool:
        wanted = min(self.max_ahead_frames, self.needed_frames)
        if wanted <= self.ahead_frames:
            return False
        self._stable_frames = 0
        self.grown += 1
        grain = self.frame_samples / self._offsets_per_frame
        missing = math.ceil(math.ceil(-self.remainder_samples / grain - 1e-9) * grain)
        most = self.max_ahead_frames * self.frame_samples
        if 2 * missing <= self.frame_samples and self.ahead_samples + missing <= most:
            self._take(self.ahead_samples + missing)
        else:
            self.ahead_frames = wanted
        return True

    def stages(self) -> dict[str, float]:
        """The ahead split by stage, in order; the values sum to `ahead_samples`."""
        delays = self._delays
        return {
            "frame": float(self.frame_samples),
            "block": float(delays.block_samples),
            "step": self._step,
            "margin": float(delays.margin_samples),
            "remainder": float(self.remainder_samples),
            "resample_out": float(delays.resample_out_samples),
            "player": float(delays.player_samples),
            "round_trip": float(delays.round_trip_samples),
        }
