"""The way out: the parts to the host rate, and each frame of all rows to its position in the out-ring. The controls.

What is in between, places, levels and buses, is in bus_mixer.py. Knows neither players nor commands' queue. Inference
thread only; arrays are float32, parts in the order of PARTS.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from ...dsp.crossfade import crossfade
from ...dsp.resample import Resampler
from ...dsp.ring import Ring
from ...files.names import HIGHEST_RATE_HZ, LOWEST_RATE_HZ
from ...latency.units import frame_at
from ..commands import SetControl, SetLevel
from ..errors import ConfigError
from ..player import PARTS, Controls, Player
from ..style_priors import STYLE_PRIORS
from .band_levels import checked_level_db

Array = NDArray[np.float32]
_RANGES: dict[str, tuple[type, float, float]] = {
    "density": (float, 0.0, 1.0),
    "temperature": (float, 0.01, 5.0),
    "top_k": (int, 1, 1 << 20),
    "top_p": (float, 0.001, 1.0),
    "groove": (float, 0.0, 1.0),
    "listening": (float, 0.0, 1.0),
}
SEAM_MS = 10.0
_HOUSE_RATE_HZ = 48_000
"""Taken where frames are no whole number of samples at the caller's own rate."""


def controls_after(controls: Controls, command: SetLevel | SetControl) -> Controls:
    """The controls as the command leaves them. Raises ConfigError for a part, name or value that cannot be."""
    if isinstance(command, SetLevel):
        if command.part not in PARTS:
            raise ConfigError(f"there is no part {command.part!r}: the parts are {', '.join(PARTS)}")
        levels_db = list(controls.levels_db)
        levels_db[PARTS.index(command.part)] = checked_level_db(command.level_db, command.part)
        return dataclasses.replace(controls, levels_db=tuple(levels_db))
    name, value = command.name, command.value
    if name == "style":
        if not isinstance(value, str) or value not in STYLE_PRIORS:
            raise ConfigError(f"no style {value!r}: styles are {', '.join(STYLE_PRIORS)}")
        return dataclasses.replace(controls, style=value)
    if name not in _RANGES:
        raise ConfigError(f"there is no control {name!r}: the controls are style, {', '.join(_RANGES)}")
    kind, low, high = _RANGES[name]
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not low <= value <= high:
        raise ConfigError(f"{name} {value!r}: give a number from {low:g} to {high:g}")
    changed: Controls = dataclasses.replace(controls, **{name: kind(value)})  # type: ignore[arg-type]
    return changed


class Playout:
    """Brings frames to the host rate and writes them where they belong.

    Frame j, nominally heard from `offset_samples` after the beginning of input frame j on (latency/budget.py), has its
    first sample at output position `j * host_frame + offset - lead - round_trip`. Raises ConfigError for a rate at
    which a frame is no whole number of samples. Inference thread only.
    """

    def __init__(
        self, rate_hz: int, player_rate_hz: int, frame_samples: int, play_delay_samples: int, rows: int = 2
    ) -> None:
        """`rows`: as many as are written, those of all buses."""
        try:
            self.host_frame = frame_at(frame_samples, player_rate_hz, rate_hz)
            self._up = [Resampler(player_rate_hz, rate_hz, frame_samples, rate_hz) for _ in PARTS]
        except ValueError as error:
            raise ConfigError(f"the band cannot play at {rate_hz} Hz ({error}): use 44100, 48000 or 96000") from error
        self.resample_samples = int(self._up[0].delay_out_samples)
        self.player_samples = play_delay_samples * rate_hz / player_rate_hz
        self.voiced = True
        """Whether the player's own voice is heard. Instruments sound at once: their frames need not be made earlier by
        what decoder and resampler take. May be changed before `start_anew`, or before `move`."""
        self._moved_lead = self.lead_samples
        self._seam = min(max(1, round(SEAM_MS * rate_hz / 1000)), self.host_frame // 2)
        self._two = np.zeros((rows, 2 * self.host_frame), np.float32)  # the last frame and this one
        self._parts = np.zeros((len(PARTS), self.host_frame), np.float32)
        self._last_parts = np.zeros_like(self._parts)
        self.offset_samples = 0
        """May be changed before `start_anew`, or by `move`."""
        self.longer_samples = 0
        """By so many the next frame is longer than others, or shorter: see `move`."""
        self._round_trip: int | None = None
        self._hole_end = 0  # nothing is written before it

    def start_anew(self) -> None:
        """What comes next does not go on from what was: forget it."""
        for resampler in self._up:
            resampler.reset()
        self._two.fill(0.0)
        self._round_trip, self.longer_samples, self._moved_lead = None, 0, self.lead_samples

    @property
    def lead_samples(self) -> int:
        """By so much the sound of a frame is behind what is made."""
        return round(self.player_samples) + self.resample_samples if self.voiced else 0

    @property
    def turned(self) -> bool:
        """Whether the lead has changed since frames were laid by it: `move` is to be called then."""
        return self.lead_samples != self._moved_lead

    def position(self, frame: int, round_trip_samples: int) -> int:
        """Output position of the frame's first sample."""
        return self.nominal(frame) - self.lead_samples - round_trip_samples

    def nominal(self, frame: int) -> int:
        """The input sample with which the frame's first moment is heard."""
        return frame * self.host_frame + self.offset_samples

    def move(self, next_frame: int, offset_samples: int, by_samples: int) -> int:
        """Frames lie `by_samples` later from now on (earlier, below 0), at another offset. What is no whole frame of it
        makes the next one longer, so that it goes on from the last; returns the number of that one. So does another
        lead, whose frames are played so much earlier."""
        end = self.nominal(next_frame)
        self.offset_samples = offset_samples
        longer = by_samples % self.host_frame if by_samples > 0 else -(-by_samples % self.host_frame)
        self.longer_samples = longer - (self.lead_samples - self._moved_lead)
        self._moved_lead = self.lead_samples
        return (end + longer - offset_samples) // self.host_frame

    def resample(self, parts: Array) -> Array:
        """Mono [parts, frame] at the host rate: [parts, host_frame], which holds until the next call.

        A longer frame, [parts, host_frame + longer], begins with the end of the last one once more, a shorter one
        leaves out its beginning; either in one crossfade.
        """
        longer, self.longer_samples = self.longer_samples, 0
        self._parts, self._last_parts = self._last_parts, self._parts
        for resampler, part, brought in zip(self._up, parts, self._parts, strict=True):
            brought[:] = resampler.process(part)
        if longer == 0:
            return self._parts
        whole = np.concatenate([self._last_parts, self._parts], axis=1)[:, self.host_frame - longer :]
        whole[:, : self._seam] = crossfade(self._parts[:, : self._seam], whole[:, : self._seam])
        return whole

    def write(self, ring: Ring, frame: int, rows: Array, round_trip_samples: int) -> int:
        """Write one frame [rows, host_frame], the one after the last written, or one that is longer or shorter and ends
        where that does. Returns how many samples came too late.

        Where the round trip has changed, all rows slide to their new place in one crossfade.
        """
        host_frame, count = self.host_frame, rows.shape[1]
        end = self.position(frame + 1, round_trip_samples)
        self._two = np.concatenate([self._two, rows], axis=1)[:, -2 * host_frame :]
        start = end - count
        block = rows
        if self._round_trip is not None and self._round_trip != round_trip_samples:
            written_to = self.position(frame + 1, self._round_trip) - count
            start, block = end - host_frame, self._two[:, host_frame:]
            earlier = written_to - start
            if -host_frame <= earlier <= host_frame - self._seam:
                block = self._two[:, host_frame + earlier :].copy()
                before = self._two[:, host_frame : host_frame + self._seam]
                block[:, : self._seam] = crossfade(before, block[:, : self._seam])
                start = written_to
            else:  # too far to slide: a hole, which the callback covers from both sides
                self._hole_end = written_to + self._seam
        self._round_trip = round_trip_samples
        if start < self._hole_end:
            block = block[:, self._hole_end - start :]
            start = self._hole_end
        if block.size == 0:
            return 0
        return int(block.shape[1]) - ring.write_at(start, block)


def rate_that_fits(rate_hz: int, player: Player) -> int:
    """The rate at which the band runs for a caller's rate: that itself where frames are whole there, else 48000 Hz.

    Raises ConfigError for a rate that no sound has.
    """
    if not LOWEST_RATE_HZ <= rate_hz <= HIGHEST_RATE_HZ:
        raise ConfigError(f"sample rate {rate_hz} Hz: give one from {LOWEST_RATE_HZ} to {HIGHEST_RATE_HZ}")
    try:
        Playout(rate_hz, player.sample_rate_hz, player.frame_samples, player.play_delay_samples)
        return rate_hz
    except ConfigError:
        return _HOUSE_RATE_HZ
