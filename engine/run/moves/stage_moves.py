"""The moves: hits, breaks, builds, the feel of half and double time, and room for a solo, each on its line of time.

Whoever directs the band's frames asks once for each, in order, when musical time is known: which notes the player is
asked for by hand, how busy it is, which time it is told, and where the band is cut off. Knows no sound and no player.
Inference thread only.
"""

from __future__ import annotations

import dataclasses
import math
from collections import deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...errors import ConfigError
from ...hand import Hand, PartHand
from ...notes.groove_timing import TimedNote
from ...output.gain_envelope import GainEnvelope
from ...player import PARTS, Controls, Moment
from ...position import Point
from .beat_lines import BeatLine, BeatLines, Peek
from .feel import felt
from .move_spans import Build, Quiet
from .move_times import MoveTimes

_KEYS = PARTS.index("keys")
MOST_BARS = 32
BUILD_BARS = 4
"""Where no chart says how far the next section is."""
_HIT_VOICES, _RETURN_VOICES = ("kick", "snare", "crash"), ("kick", "crash")
_HIT_DB = 3.0
"""By which a hit is louder than the band."""
_STAB_BEATS = 0.45
"""So long a stab sounds; its cymbal rings on."""
_CUT_MS, _BACK_MS = 12.0, 4.0
"""The fade that ends where a break begins, and the one that ends on the line where the band is back."""
_REACH_MS = 30.0
"""A note this near to a hit is meant to be the hit."""
_BUILD_DB = (-4.0, 3.0)
"""At the beginning of a build, and at its end."""
_BUILD_DENSITY = 0.4
_SOLO_DB = (-3.0, -2.0, -6.0)
_SOLO_BUSIER = (-0.2, -0.1, -0.4)
"""Of drums, bass and keys while somebody plays a solo."""
_SOLO_KEYS_BEATS, _SOLO_KEYS_OUT_BARS = 2.0, 2.0
"""The least from one chord of the keys to the next in somebody's solo; for so long they lay out at its start."""
_SOLO_GROWS_BARS, _SOLO_LEAST_ROOM = (4.0, 12.0), 0.5
"""Between these bars of a solo the band comes up: to so much of the room that it left at first."""
_DB_EACH_BEAT = 8.0
"""Levels glide this fast."""
_GRACE_BARS = 1
"""So long after a break the band plays on though the musician has not come back yet."""
FEELS = {"half_time_feel": 0.5, "double_time_feel": 2.0}


class StageMoves:
    """What was asked for on the spot, and what of it is done. Inference thread only."""

    def __init__(self, rate_hz: int, host_frame: int) -> None:
        self._rate_hz, self._frame = rate_hz, host_frame
        self._lines = BeatLines()
        self._envelope = GainEnvelope(opened=True)
        self._levels_db = [0.0] * len(PARTS)
        self._keys_at, self._keys_wait = -math.inf, False
        self.struck: deque[float] = deque(maxlen=8)
        """Places of the last hits: a player far away gives its notes later."""
        self.times = MoveTimes()
        """When each of them comes, and what is on."""
        self.clear()

    def clear(self) -> None:
        """Nothing is asked for any more, and nothing is on: the band has stopped."""
        self._wanted_feel = self._feel = 1.0
        self._feel_since = 0
        self._wants_solo = self.solo = False
        self._solo_since, self._solo_bars = 0.0, 0.0
        self.times.clear()
        self._drop()

    def _drop(self) -> None:
        """What has a place in time is over."""
        self._wants_hit, self._wants_break = False, 0
        self._wants_build: int | None = None
        self._quiet: Quiet | None = None
        self._build: Build | None = None
        self._stays_until = -math.inf  # in bars
        self._stab_until = -math.inf  # beat
        self._stabs = self._waits = False
        self._ends = self._ended = self._rings = False
        self._strike: BeatLine | None = None
        self._hit_at = 0.0
        self._voices: tuple[str, ...] = ()
        self._busier, self._fills, self._swell_db = 0.0, False, 0.0
        self.cut_samples: float | None = None
        """Where in the frame planned last the band was cut off."""
        self.times.drop("hit", "break", "build")

    # ----------------------------------------------------------------------------------------------- what is asked

    def hit(self) -> None:
        """A stab of the whole band on the next beat; nothing between it and the beat after it."""
        self._wants_hit = True

    def rest(self, bars: int = 1) -> None:
        """A break: silence from the next beat on, up to a bar line (that after so many bars), where all are back.

        Raises ConfigError for bars that cannot be.
        """
        bars = _checked_bars(bars)
        if not self.silent:
            self._wants_break = bars

    def build(self, bars: int = 0) -> None:
        """Busier and louder from the next beat on for so many bars; 0: up to the next section, else BUILD_BARS.

        Raises ConfigError for bars that cannot be.
        """
        bars = _checked_bars(bars) if bars else 0
        if self._build is None:
            self._wants_build = bars

    def set_feel(self, factor: float, turn: bool = False) -> None:
        """From the next bar line on 0.5: half-time feel, 2: double time, 1: as usual. `turn`: as usual if it was so."""
        self._wanted_feel = 1.0 if turn and self._wanted_feel == factor else factor

    def set_solo(self, on: bool | None = None) -> None:
        """Leave room from the next beat on, or no more; None turns it over."""
        self._wants_solo = not self._wants_solo if on is None else on

    # --------------------------------------------------------------------------------------------------- each frame

    def frame(
        self, place: tuple[int, int], moment: Moment, peek: Peek, section_bar: int | None, filling: bool = False
    ) -> Moment:
        """Plan a frame; `place`: where its sound begins, and where the moments that it plays begin, in the input.

        `section_bar`: number of the bar with which the next section begins, where that is known; `filling`: whether the
        band plays a fill. Returns the moment as the player is to be told it.
        """
        start, nominal = place
        here, there = peek(nominal), peek(nominal + self._frame)
        self.cut_samples = self._strike = None
        line = self._lines.find(nominal, nominal + self._frame, peek)
        if self._envelope.silent and not self.silent:  # the band was stopped in a break
            self._envelope.switch(start, True, self._samples(_BACK_MS))
        if line is not None:
            quarters = round(4 * (line.position_samples - nominal) / self._frame)
            self._hit_at = min(quarters, 3) / 4
            self._pass(line, start, peek, section_bar)
        following = self._lines.look(nominal + self._frame, nominal + 2 * self._frame, peek)
        self._waits = following is not None and (self._strikes_on(following) or self._wants_break > 0)
        self._stabs = here.beat < self._stab_until
        self._swell(here)
        beat_samples = self._frame / max(there.beat - here.beat, 1e-6)
        self._solo_bars = here.bar + here.bar_phase - self._solo_since
        sparse = nominal - self._keys_at < _SOLO_KEYS_BEATS * beat_samples - 1.5 * self._frame
        self._keys_wait = self.solo and (sparse or self._solo_bars < _SOLO_KEYS_OUT_BARS)
        self._glide(self._frame * moment.tempo_bpm / 60.0 / self._rate_hz)
        self._foresee(there)
        if self._feel == 1.0 or self._fills or filling:  # a fill is of the bar as it is
            return moment
        return felt(moment, here, self._feel, self._feel_since)

    def set_length(self, samples: int) -> None:
        """So long is the frame that comes next, and those after it."""
        self._frame = samples

    def last(self, place: tuple[int, int], moment: Moment, peek: Peek, over: bool) -> Moment:
        """In place of `frame` where the band ends: all strike together on the next bar line, and let it ring.

        `over`: the line is planned or past; where it was not seen by then, nobody strikes any more.
        """
        if not self._ends:
            self.pause(place[0])
            self._ends = True
        self._ended = self._ended or self._rings
        self._rings = over
        return self.frame(place, moment, peek, None)

    def pause(self, start: int) -> None:
        """In place of `frame` where the band is not to be heard: what had a place in time is forgotten."""
        if self.silent or self._envelope.silent:
            self._envelope.switch(start, True, self._samples(_BACK_MS))
        self._drop()

    def controls(self, controls: Controls) -> Controls:
        """The controls as the player is to be told them for the frame that was planned last."""
        hand = self._hand()
        if hand.free and not self._busier and not self._fills:
            return controls
        return dataclasses.replace(
            controls,
            density=min(1.0, controls.density + self._busier),
            fill=1.0 if self._fills else controls.fill,
            hand=hand.over(controls.hand),
        )

    def gains(self, start: int) -> NDArray[np.float32] | None:
        """Gain of the frame's samples, float32 [frame]; None: all 1. Once for each frame, in order."""
        gains = self._envelope.gains(start, self._frame)
        return None if gains.min() == 1.0 else gains

    def settle(self, notes: Sequence[TimedNote]) -> list[TimedNote]:
        """Notes of the frame planned last, those of a hit exactly on its beat."""
        if not notes:
            return []
        self._keys_at = max([self._keys_at, *(n.position_samples for n in notes if n.part == _KEYS and n.velocity)])
        moved = [note._replace(position_samples=self._hit_of(note)) if note.velocity else note for note in notes]
        return sorted(moved, key=lambda note: (note.position_samples, note.velocity > 0))

    def _hit_of(self, note: TimedNote) -> float:
        """The place of the hit that a note is part of, else its own."""
        own, reach = note.position_samples, self._samples(_REACH_MS)
        return next((at for at in self.struck if abs(own - at) <= reach), own)

    @property
    def silent(self) -> bool:
        """Whether a break is on: nothing may cover for what is not played."""
        return self._quiet is not None and self._quiet.is_break

    def stays(self, point: Point) -> bool:
        """Whether the band plays on there though the musician rests: in a break, and for a bar after it."""
        return self.silent or point.bar + point.bar_phase < self._stays_until

    # ------------------------------------------------------------------------------------------------ how it is done

    def _pass(self, line: BeatLine, start: int, peek: Peek, section_bar: int | None) -> None:
        """A beat: what ends on it, and what begins."""
        at, times = line.position_samples, self.times
        strikes = self._strikes_on(line)
        self._voices = _RETURN_VOICES
        if self._quiet is not None and self._quiet.ends_on(line):
            if self._quiet.is_break:
                back = self._samples(_BACK_MS)
                self._envelope.switch(max(start, math.floor(at) - back), True, back)
                self._stays_until = (line.bar or 0) + _GRACE_BARS
            self._quiet = None
        elif self._quiet is not None and self._quiet.is_break and line.bar is not None:
            self._quiet = self._quiet._replace(bar_lines=self._quiet.bar_lines - 1)
        if self._build is not None and line.bar is not None and line.bar >= self._build.end_bar:
            self._build = None
        if line.bar is not None and self._feel != self._wanted_feel:
            times.end(_name_of(self._feel), line.beat)
            times.begin(_name_of(self._wanted_feel), line.beat)
            self._feel, self._feel_since = self._wanted_feel, line.bar
        if self.solo != self._wants_solo:
            self.solo, point = self._wants_solo, peek(at)
            self._solo_since = point.bar + point.bar_phase
            (times.begin if self.solo else times.end)("solo", line.beat)
        if strikes:
            self._strike, self._ended = line, self._ends
            self.struck.append(line.position_samples)
        if self._wants_hit:
            self._hit(line, start, peek)
        if self._wants_break:
            self._break(line, start, peek)
        elif self._wants_build is not None:
            self._begin_build(line, peek(at), section_bar)

    def _hit(self, line: BeatLine, start: int, peek: Peek) -> None:
        self._wants_hit, self._voices = False, _HIT_VOICES
        self._stab_until = line.beat + _STAB_BEATS
        if self.silent:  # a stab into the silence
            back = self._samples(_BACK_MS)
            self._envelope.switch(max(start, math.floor(line.position_samples) - back), True, back)
            self._cut(self._after(line, _STAB_BEATS, peek), start)
        else:
            self._quiet = Quiet(until_beat=line.beat + 1)
        self.times.begin("hit", line.beat, line.beat + 1)

    def _break(self, line: BeatLine, start: int, peek: Peek) -> None:
        self._quiet, self._wants_break = Quiet(bar_lines=self._wants_break), 0
        self._build = None
        if self._strike is None:
            self.cut_samples = line.position_samples
            self._cut(line.position_samples, start)
        else:  # a hit first
            self._stab_until = line.beat + _STAB_BEATS
            self._cut(self._after(line, _STAB_BEATS, peek), start)
        self.times.begin("break", line.beat)

    def _begin_build(self, line: BeatLine, point: Point, section_bar: int | None) -> None:
        since = float(line.bar) if line.bar is not None else point.bar + point.bar_phase
        end = math.ceil(since) + (self._wants_build or BUILD_BARS)
        if not self._wants_build and section_bar is not None and section_bar - since >= 1.0:
            end = section_bar
        self._build, self._wants_build = Build(since, end), None
        self.times.begin("build", line.beat)

    def _strikes_on(self, line: BeatLine) -> bool:
        """Whether all hit together on that line."""
        back = self._quiet is not None and self._quiet.is_break and self._quiet.ends_on(line)
        if self._ends:
            return line.bar is not None and not self._ended
        built = self._build is not None and line.bar is not None and line.bar >= self._build.end_bar
        return self._wants_hit or back or built

    def _cut(self, position: float, start: int) -> None:
        fade = self._samples(_CUT_MS)
        self._envelope.switch(max(start, math.floor(position) - fade), False, fade)

    def _after(self, line: BeatLine, beats: float, peek: Peek) -> float:
        """The place so many beats after a line, by the tempo there."""
        here, there = peek(line.position_samples), peek(line.position_samples + self._frame)
        return line.position_samples + beats * self._frame / max(there.beat - here.beat, 1e-6)

    def _swell(self, here: Point) -> None:
        """How far a build has come."""
        self._busier, self._fills, self._swell_db = 0.0, False, 0.0
        if self._build is not None:
            bars = here.bar + here.bar_phase
            share = self._build.share(bars)
            self._busier = _BUILD_DENSITY * share
            self._fills = bars >= self._build.end_bar - 1
            self._swell_db = _BUILD_DB[0] + share * (_BUILD_DB[1] - _BUILD_DB[0])

    def _glide(self, beats: float) -> None:
        most = _DB_EACH_BEAT * beats
        for row, level_db in enumerate(self._levels_db):
            wanted = self._swell_db + self._room * _SOLO_DB[row]
            self._levels_db[row] = level_db + min(max(wanted - level_db, -most), most)

    @property
    def _room(self) -> float:
        """How much room a solo is left: all at its start, less as it grows; 0 where there is none."""
        if not self.solo:
            return 0.0
        first, last = _SOLO_GROWS_BARS
        grown = min(max((self._solo_bars - first) / (last - first), 0.0), 1.0)
        return 1.0 - (1.0 - _SOLO_LEAST_ROOM) * grown

    def _hand(self) -> Hand:
        """What the notes of the frame planned last are asked for."""
        common = PartHand()
        if self._strike is not None:
            common = PartHand(hit_at=self._hit_at, level_db=0.0 if self._ends else _HIT_DB)
        elif self._quiet is not None and self.cut_samples is None:
            common = PartHand(hold=self._stabs, rest=not self._stabs)
        elif self._waits or self._ended or self.cut_samples is not None:
            common = PartHand(hold=True)
        parts = [
            dataclasses.replace(
                common,
                busier=self._room * _SOLO_BUSIER[row],
                level_db=common.level_db + level_db,
                hold=common.hold or (row == _KEYS and self._keys_wait and not common.rest and common.hit_at is None),
                voices=self._voices if self._strike is not None and row == 0 else (),
            )
            for row, level_db in enumerate(self._levels_db)
        ]
        return Hand(tuple(parts))

    def _foresee(self, there: Point) -> None:
        """When what is asked for will come, as time looks now."""
        times = self.times
        beat, on_line = math.ceil(there.beat - 1e-6), there.beat - there.bar_beat < 1e-6
        bar_beat, bar = there.bar_beat, there.bar
        if not on_line:
            bar_beat, bar = bar_beat + there.beats_per_bar, bar + 1
        times.expect("hit", beat if self._wants_hit else None, beat + 1)
        times.expect("break", beat if self._wants_break else None)
        times.expect("build", beat if self._wants_build is not None else None)
        times.turn("solo", self.solo, self._wants_solo, beat)
        for name, factor in FEELS.items():
            times.turn(name, self._feel == factor, self._wanted_feel == factor, bar_beat)
        if self._quiet is not None and self._quiet.is_break:
            times.end("break", bar_beat + (self._quiet.bar_lines - 1) * there.beats_per_bar)
        if self._build is not None:
            times.end("build", bar_beat + (self._build.end_bar - bar) * there.beats_per_bar)

    def _samples(self, ms: float) -> int:
        return max(1, round(ms * self._rate_hz / 1000.0))


def _checked_bars(bars: int) -> int:
    if isinstance(bars, bool) or not 1 <= bars <= MOST_BARS:
        raise ConfigError(f"{bars} bars: give 1 to {MOST_BARS}")
    return int(bars)


def _name_of(factor: float) -> str:
    return next((name for name, known in FEELS.items() if known == factor), "")
