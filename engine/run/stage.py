"""The stage: decides when the band sounds (waits for the musician, enters on a bar line, rests, counts in, ends).

Knows musical time as moments and points, and no sound: it gives gains, clicks and what the player is to be told. Asked
once for each frame, in order, with the place at which the frame will be heard (samples of the input clock). Inference
thread only.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..commands import BAND_OPTIONS
from ..config import EngineConfig
from ..errors import ConfigError
from ..output.gain_envelope import GainEnvelope
from ..player import Controls, Moment
from ..position import Point
from ..timing.entrance_cue import EntranceCue

Phase = Literal["off", "waiting", "counting", "in", "resting", "ending"]
Peek = Callable[[float], Point]

SURE = 0.3
"""Confidence that an entrance by ear needs."""
FADE_MS = 20.0
"""An entrance: at full level on its line."""
_LEAVING_BEATS = 0.25
"""The fade that ends with the bar when the musician has stopped."""
_WAIT_FOR_BAR = 0.4
"""Of a bar: when the conductor says that the musician has stopped, 0.6 of one is over; a bar line further off than
this would come more than a bar after the stop, and the band leaves on a beat."""
_LOST_FADE_S = 0.5
"""The same where no bar is known any more."""
_RING_BEATS = 0.45
"""After the last hit, until it is let fade: what the player still plays must not be heard."""
_RING_FADE_S = 1.2
_LEAST_FILL_BEATS = 1.0
FILL_DENSITY = 0.35
"""Added to the density while a fill is played."""
_SOFT_GAIN, _SOFT_BEAT_S = 0.35, 0.5
"""The clicks between beats that fall into three, and how long a beat must be for them."""
_ON_INERTIA = 0.5
"""Confidence that the player is told where the band plays on without the musician."""


@dataclass(frozen=True, slots=True)
class Click:
    """One click of a count-in. Any thread."""

    position_samples: float
    accent: bool
    gain: float = 1.0


class Stage:
    """What was asked of the band, and how far it is obeyed. Inference thread only."""

    def __init__(self, config: EngineConfig, rate_hz: int, host_frame: int) -> None:
        self._waits = config.wait_for_musician
        self._when_silent: str = config.when_silent
        self._start_at: str = config.start_at
        self._when_clock_stops: str = config.when_clock_stops
        self._rate_hz = rate_hz
        self._frame = host_frame
        self._fade = max(1, round(FADE_MS * rate_hz / 1000.0))
        self._envelope = GainEnvelope()
        self.clicks: list[Click] = []
        """Asked for and not yet taken, oldest first. Whoever sounds them takes them away."""
        self.entrance_samples: float | None = None
        """Where the band has just come in, until somebody takes note and sets it None."""
        self.earliest_samples = -math.inf
        """Where it may first come in: the place of the song's first bar, where that is known beforehand."""
        self._clear("off")

    def _clear(self, phase: Phase) -> None:
        self.phase: Phase = phase
        self._at_once = False
        self._on_line: float | None = None  # the place of the line on which it was asked to come in
        self._ready = False
        self._halted: bool | None = None  # whether who led the time stood still when last asked
        self.waits_for_clock = False
        """Whether a transport or a clock has stopped the band, and will bring it back."""
        self._heard = False  # whether the musician was playing since the band came in
        self._unheard = False  # whether the band came in without hearing anybody
        self._leaves_on_bar: bool | None = None  # once the musician has stopped
        self._bars_left = 0
        self._counting = False
        self._between: list[float] = []
        self._last_line = -math.inf
        self._fill = False
        self._fill_from = math.nan  # beat
        self._ends_at = math.inf  # place of the last downbeat
        self.over_samples = math.inf
        """When the end has rung out: from there on the band is to be stopped."""
        self.clicks.clear()
        self.entrance_samples = None

    # ----------------------------------------------------------------------------------------------- what is asked

    def start(self) -> None:
        """Come in as soon as there is something to stand on."""
        self._clear("waiting")
        self._at_once = self._start_at == "now"

    def start_on(self, line_samples: float | None) -> None:
        """Come in on the line at that place of the input, whatever `start_at` says; None: at once."""
        self._clear("waiting")
        self._at_once = line_samples is None
        self._on_line = line_samples

    def stop(self) -> None:
        """Whoever calls lets the sound ramp down: nothing is planned any more."""
        self._clear("off")

    def count_in(self, bars: int) -> None:
        """Count so many bars, from the next bar line on, and come in on the downbeat after them."""
        self._clear("counting")
        self._bars_left = bars

    def fill(self) -> None:
        """A fill from now to the next bar line that is at least a beat away."""
        self._fill, self._fill_from = True, math.nan

    def ending(self) -> bool:
        """End on the next downbeat. False where the band does not sound: there is nothing to end."""
        if self.phase == "ending":
            return True
        if self.phase != "in":
            return False
        self.phase = "ending"
        return True

    def enter_alone(self, position_samples: int) -> None:
        """The musician has ended for good, and the band shall go on: who does not sound yet comes in there."""
        if self.phase in ("waiting", "resting", "counting"):
            self._enter(position_samples, self._fade, from_now=True)

    def set_habit(self, name: str, value: object) -> None:
        """Another `when_silent` or `start_at`, from now on. Raises ConfigError for what is none."""
        choices = {
            "when_silent": ("stop", "go_on"),
            "when_clock_stops": ("stop", "go_on"),
            "start_at": ("now", "bar"),
        }
        if name not in choices:
            raise ConfigError(f"there is no option {name!r}: there are {', '.join(BAND_OPTIONS)}")
        if value not in choices[name]:
            raise ConfigError(f"{name} {value!r}: give {' or '.join(choices[name])}")
        if name == "when_silent":
            self._when_silent = str(value)
        elif name == "when_clock_stops":
            self._when_clock_stops = str(value)
        else:
            self._start_at = str(value)

    @property
    def silent(self) -> bool:
        """Whether the band is on and keeps still."""
        return self.phase in ("waiting", "resting") and self._envelope.silent

    @property
    def goes_on(self) -> bool:
        """Whether the band is to play on where the musician rests, or leads without having heard them."""
        return self._when_silent == "go_on" or not self._waits or (self._unheard and not self._heard)

    @property
    def filling(self) -> bool:
        """Whether the band plays a fill."""
        return self._fill and self.phase in ("in", "ending")

    @property
    def pending(self) -> str:
        """What waits for a line, as Status.pending has it."""
        if self.phase == "counting":
            return "count-in"
        if self.phase == "ending":
            return "ending"
        if self.phase == "waiting" and self._ready:
            return "start"
        return "fill" if self._fill and self.phase == "in" else ""

    # --------------------------------------------------------------------------------------------------- each frame

    def set_length(self, samples: int) -> None:
        """So long is the frame that comes next, and those after it: one that makes room is longer than others."""
        self._frame = samples

    def frame(self, start: int, moment: Moment, cue: EntranceCue, peek: Peek, fresh: bool) -> Moment:
        """Decide for the frame whose sound begins at `start`; returns the moment as the player is to be told it.

        `fresh`: nobody hears the band yet, so that it may be at its level at once.
        """
        self._watch_clock(start, cue)
        if self.phase == "waiting":
            self._wait(start, moment, cue, peek, fresh)
        elif self.phase == "counting":
            self._count(start, peek, fresh)
        elif self.phase == "in":
            self._play(start, moment, cue, peek)
        elif self.phase == "resting" and self._can_follow(moment, cue):
            line = self._line(start + self._fade, peek, of_bar=False)
            if line is not None:
                self._enter(line, self._fade)
        elif self.phase == "ending" and self._ends_at == math.inf:
            self._end(start, moment, peek)
        if self._fill:
            self._end_fill(start, peek)
        return self._moment_for_player(start, moment, cue)

    def gains(self, start: int) -> NDArray[np.float32] | None:
        """Gain of the frame's samples, float32 [frame]; None: all 1. After `frame`, in the same order."""
        gains = self._envelope.gains(start, self._frame)
        return None if gains[0] == 1.0 and gains[-1] == 1.0 and gains.min() == 1.0 else gains

    def controls(self, controls: Controls) -> Controls:
        """The controls as the player is to be told them."""
        if not self.filling:
            return controls
        return dataclasses.replace(controls, fill=1.0, density=min(1.0, controls.density + FILL_DENSITY))

    # ------------------------------------------------------------------------------------------------ how it is done

    def _can_follow(self, moment: Moment, cue: EntranceCue) -> bool:
        return moment.playing and cue.beat and moment.confidence >= SURE

    def _watch_clock(self, start: int, cue: EntranceCue) -> None:
        """A transport's or a clock's stop takes the band along, and its start brings it back."""
        stops = cue.halted and self._halted is False and self._when_clock_stops == "stop"
        self._halted = cue.halted
        if stops and self.phase in ("counting", "in", "resting", "ending"):
            self._leave(start, self._fade)
            self.phase, self.waits_for_clock = "waiting", True
            self._ends_at = self.over_samples = math.inf
            self.clicks.clear()
        elif not cue.halted and self.waits_for_clock and not cue.free:
            self.waits_for_clock = False  # somebody else gives the time by now

    def _wait(self, start: int, moment: Moment, cue: EntranceCue, peek: Peek, fresh: bool) -> None:
        heard = self._can_follow(moment, cue)
        self._ready = (heard or cue.free or not self._waits) and not (self.waits_for_clock and cue.halted)
        at_once, self._at_once = self._at_once, False
        if not self._ready:
            if fresh:
                self._envelope.set(False)
            else:
                self._envelope.switch(start, False, self._fade)
            return
        self._unheard = not heard
        at_once = at_once and start >= self.earliest_samples
        if at_once:
            self._enter(start, 0 if fresh else self._fade, from_now=True)
            return
        if fresh:
            self._envelope.set(False)
        if self._on_line is not None and start + self._fade <= self._on_line:
            if start + self._fade + self._frame > self._on_line:
                self._enter(self._on_line, self._fade)
            return
        line = self._line(start + self._fade, peek, of_bar=cue.bar and not self.waits_for_clock)
        if line is not None and line > self.earliest_samples - self._frame / 2:
            self.waits_for_clock = False
            self._enter(line, self._fade)

    def _enter(self, line: float, fade: int, from_now: bool = False) -> None:
        """At full level on the line; from now: at once (and where there is nothing to fade from, without a fade)."""
        if fade == 0:
            self._envelope.set(True)
        else:
            self._envelope.switch(math.ceil(line) if from_now else math.ceil(line) - fade, True, fade)
        if self.phase != "resting":
            self.entrance_samples = line
        self.phase, self._heard = "in", False

    def _count(self, start: int, peek: Peek, fresh: bool) -> None:
        """Clicks on the beats of whole bars, and the band on the downbeat after them."""
        if fresh:
            self._envelope.set(False)
        elif not self._counting and not self._envelope.silent:
            self._envelope.switch(start, False, self._fade)
        while self._between and self._between[0] < start + self._fade + self._frame:
            self.clicks.append(Click(self._between.pop(0), False, _SOFT_GAIN))
        found = self._beat_line(start + self._fade, peek)
        if found is None:
            return
        line, of_bar = found
        if of_bar:
            if self._counting:
                self._bars_left -= 1
            self._counting = True
            if self._bars_left == 0:
                self._unheard = True
                self._enter(line, self._fade)
                return
        if self._counting:
            self.clicks.append(Click(line, of_bar))
            self._between = self._thirds(line, peek)

    def _thirds(self, line: float, peek: Peek) -> list[float]:
        """The places between a long beat of 6/8 and its like and the next: who counts them counts six."""
        here, there = peek(line), peek(line + self._frame)
        beat = self._frame / max(there.beat - here.beat, 1e-6)
        if peek(line + 0.5 * beat).beat_quarters != 1.5 or beat < _SOFT_BEAT_S * self._rate_hz:
            return []
        return [line + beat / 3, line + 2 * beat / 3]

    def _play(self, start: int, moment: Moment, cue: EntranceCue, peek: Peek) -> None:
        """Watch the musician: who was heard and is silent takes the band along, at the end of the bar or, where that
        is too far, of the beat."""
        if moment.playing:
            self._heard = True
        if cue.end_bar is not None and peek(start + self._frame).bar >= cue.end_bar:
            self.phase = "ending"
            self._end(start, moment, peek)
            return
        if moment.playing or self.goes_on:
            self._leaves_on_bar = None
            return
        if not cue.beat:
            self._leave(start, round(_LOST_FADE_S * self._rate_hz))
            return
        fade = round(_LEAVING_BEATS * 60.0 / max(moment.tempo_bpm, 20.0) * self._rate_hz)
        if self._leaves_on_bar is None:
            here = peek(start)
            left_beats = here.bar_beat + moment.beats_per_bar - here.beat
            self._leaves_on_bar = left_beats <= _WAIT_FOR_BAR * moment.beats_per_bar
        line = self._line(start + fade, peek, of_bar=self._leaves_on_bar)
        if line is not None:
            self._leave(math.floor(line) - fade, fade)

    def _leave(self, position: int, fade: int) -> None:
        self._envelope.switch(position, False, fade)
        self.phase, self._unheard, self._leaves_on_bar = "resting", False, None

    def _end(self, start: int, moment: Moment, peek: Peek) -> None:
        line = self._line(start, peek, of_bar=True)
        if line is None:
            return
        beat = 60.0 / max(moment.tempo_bpm, 20.0) * self._rate_hz
        fade = round(_RING_FADE_S * self._rate_hz)
        rings_until = math.ceil(line + _RING_BEATS * beat)
        self._envelope.switch(rings_until, False, fade)
        self._ends_at = line
        self.over_samples = rings_until + fade

    def _end_fill(self, start: int, peek: Peek) -> None:
        if math.isnan(self._fill_from):
            self._fill_from = peek(start).beat
        line = self._line(start, peek, of_bar=True)
        if line is not None and peek(line).beat - self._fill_from >= _LEAST_FILL_BEATS - 1e-3:
            self._fill = False

    def _moment_for_player(self, start: int, moment: Moment, cue: EntranceCue) -> Moment:
        """Who plays on without the musician must not be told that nobody plays; who has ended must."""
        if self.phase == "ending" and start >= self._ends_at:
            return dataclasses.replace(moment, playing=False)
        plays_on = self.phase in ("counting", "ending") or (self.phase == "in" and self.goes_on)
        if moment.playing or not plays_on or not (self._waits or cue.beat):
            return moment
        return dataclasses.replace(moment, playing=True, confidence=max(moment.confidence, _ON_INERTIA))

    def _line(self, start: float, peek: Peek, of_bar: bool) -> float | None:
        """Place of the bar line (or beat) in one frame's time from `start` on, if there is one."""
        found = self._look(start, peek, of_bar)
        return None if found is None else found[0]

    def _beat_line(self, start: float, peek: Peek) -> tuple[float, bool] | None:
        """The beat in one frame's time from `start` on that was not found before, and whether it begins a bar."""
        found = self._look(start, peek, of_bar=False)
        if found is None or found[0] < self._last_line + 0.25 * self._frame:
            return None
        self._last_line = found[0]
        return found

    def _look(self, start: float, peek: Peek, of_bar: bool) -> tuple[float, bool] | None:
        here, there = peek(start), peek(start + self._frame)
        if there.beat <= here.beat:
            return None
        new_bar = there.bar > here.bar
        on_bar = here.beat - here.bar_beat < 1e-6
        if on_bar or (new_bar and there.bar_beat >= here.beat):
            beat = here.beat if on_bar else there.bar_beat
            of_this = True
        elif of_bar:
            return None
        else:
            beat, of_this = math.ceil(here.beat - 1e-6), False
            if beat >= there.beat:
                return None
        return start + max(0.0, beat - here.beat) / (there.beat - here.beat) * self._frame, of_this
