"""What the band does about the lead, frame by frame: figures struck, stops kept, gaps filled, dynamics, room.

Says it by a hand on the notes (engine/hand.py) and by the fill; commands of the musician lie above it. What is
expected is met ahead of time, since the band plays ahead; what was not expected is answered as soon as it is heard.
Knows the lead's memory; knows no model and no stage. Inference thread only.
"""

from __future__ import annotations

import dataclasses
import math
from typing import NamedTuple

from ..hand import FREE_HAND, Hand, PartHand
from ..player import Controls, Heard
from ..position import Point
from .gap_fill import Stroke, fill_stroke, landing
from .lead_memory import Expected, LeadMemory, Peek
from .stop_time import StopTime

SURE_LIKENESS, ALIKE = 0.8, 0.6
"""From this likeness on a gap is known beforehand, from that on the draws lean on an accent."""
WHOLE = 0.5
"""From so much listening on strokes, stops and fills are for certain; below, they are only likelier."""
LEAST_ACCENT = 0.25
"""Weaker ones are nothing to lean on."""
SINK_AFTER_S, SINK_AFTER_BEATS, SINK_DB_A_SECOND, LOWEST_DB = 1.0, 2.0, 30.0, -40.0
"""Who has been silent for so long takes the band's level along, and whoever plays again has it back at once."""
GAP_BEATS, KNOWN_GAP_BEATS, LONGEST_GAP_BEATS = 0.9, 1.4, 2.6
"""A gap is filled once so long nothing began, up to a bar line not further away; where there was one so long at the end
of the bar four or eight before, from its beginning."""
KNOWN_GAPS_BARS = (4, 8)
PHRASE_ATTACKS = 4
FILLS_APART_BARS = 2
DENSE, ROOM = 2.2, -0.3
"""From so many attacks a beat on the keys leave room: so much less dense."""
KEPT_FREE = 6
"""So many semitones below and above the middle of a melody's register the keys stay out of."""
BUSIER_PER_DB, MOST_BUSIER = 0.03, 0.2
LOUDER_PER_DB, MOST_LOUDER_DB, MOST_SOFTER_DB = 0.75, 4.0, 9.0
"""The band's density and level go with the lead's, besides what the player follows."""
SPREAD_DB, MOST_PER_DB = 2.0, 2.5
"""Where the lead's level is spread by less than that around its mean, as behind a compressor or an overdriven
amplifier, the band's goes further than the lead's: as if it were spread by so much, up to so many dB for each."""
STAB = ("kick", "crash")
"""What the drums strike with a figure."""
STAB_DB, LEAN_DB = 6.0, 1.5
"""By which strokes of a figure, and accents that are leaned on, are louder."""
RING_BEATS = 0.45
"""So long bass and keys sound on behind a stroke; cymbals ring."""


class LeadFrame(NamedTuple):
    """The frame to come, in musical time. Any thread."""

    here: Point
    there: Point
    start_samples: float
    """Of the input."""
    seconds: float
    """How long the frame lasts."""
    goes_on: bool
    """Whether the band is to play on when the musician rests."""

    @property
    def bpm(self) -> float:
        return 60.0 * (self.there.beat - self.here.beat) / max(self.seconds, 1e-6)


class LeadAnswer:
    """Of one run. Inference thread only."""

    def __init__(self, rate_hz: float) -> None:
        self._rate_hz = rate_hz
        self.memory = LeadMemory(rate_hz)
        self._stops = StopTime(self.memory)
        self._filled_bar = -100
        self._fill_from = self._fill_until = self._lands_at = -1.0
        self._gap_from = -1.0
        self._struck_beat = -1.0

    def hear(self, heard: Heard, end_samples: float, frame_samples: int, delay_samples: float, peek: Peek) -> None:
        """Take in a frame, as LeadMemory.hear does."""
        self.memory.hear(heard, end_samples, frame_samples, delay_samples, peek)

    def controls(self, controls: Controls, frame: LeadFrame) -> Controls:
        """The controls with the answer under what they ask for already."""
        if controls.listening <= 0.0 or not self.memory.known:
            return controls
        expected = self.memory.expect(frame.here, frame.there)
        fills = self._fills(frame, expected)
        hand = self._hand(controls, frame, expected, fills)
        fill = 1.0 if fills else controls.fill
        if hand.free and fill == controls.fill:
            return controls
        return dataclasses.replace(controls, fill=max(fill, controls.fill), hand=controls.hand.over(hand))

    def _hand(self, controls: Controls, frame: LeadFrame, expected: Expected, fills: bool) -> Hand:
        level_db, busier = self._dynamics(frame)
        room = ROOM if self.memory.rate(frame.here) >= DENSE else 0.0
        amount = controls.listening
        parts = [
            PartHand(busier=amount * of, level_db=amount * level_db) for of in (busier, 0.5 * busier, busier + room)
        ]
        parts[2] = dataclasses.replace(parts[2], keep_out=self._leads_octave(amount))
        figure = self._figure(frame)
        stroke = None if figure is not None else self._fill_stroke(frame, fills)
        if figure is not None:
            parts = [_asked(part, one, amount) for part, one in zip(parts, figure, strict=True)]
        elif stroke is not None or fills:
            parts[0] = _asked(parts[0], _drummed(stroke), amount)
        else:
            lean = self._leaned_on(expected)
            parts = [_asked(part, lean, amount) if lean is not None else part for part in parts]
        hand = Hand((parts[0], parts[1], parts[2]))
        return FREE_HAND if hand.free else hand

    def _leads_octave(self, amount: float) -> tuple[int, int] | None:
        """Between which notes the keys begin none: the octave in which the lead plays a melody."""
        register = self.memory.register if amount >= WHOLE else None
        if register is None:
            return None
        middle = (register[0] + register[1]) // 2
        return middle - KEPT_FREE, middle + KEPT_FREE

    def _dynamics(self, frame: LeadFrame) -> tuple[float, float]:
        """Level in dB and density, beside the usual."""
        memory = self.memory
        if memory.silent_since is not None:
            silent_s = (frame.start_samples - memory.silent_since) / self._rate_hz
            after_s = max(SINK_AFTER_S, SINK_AFTER_BEATS * 60.0 / max(frame.bpm, 30.0))
            if not frame.goes_on and silent_s > after_s:
                return max(LOWEST_DB, -SINK_DB_A_SECOND * (silent_s - after_s)), 0.0
        off_db = memory.quick_db - memory.song_db
        per_db = min(max(LOUDER_PER_DB, SPREAD_DB / max(memory.spread_db, 1e-3)), MOST_PER_DB)
        level_db = min(max(per_db * off_db, -MOST_SOFTER_DB), MOST_LOUDER_DB)
        return level_db, min(max(BUSIER_PER_DB * off_db, -MOST_BUSIER), MOST_BUSIER)

    def _figure(self, frame: LeadFrame) -> tuple[PartHand, PartHand, PartHand] | None:
        """What the parts do in a bar of stop time; None in any other."""
        here, length = frame.here, frame.there.beat - frame.here.beat
        next_line = here.bar_beat + here.beats_per_bar
        for bar, line in ((here.bar, here.bar_beat), (here.bar + 1, next_line)):
            expected = self._stops.expect(bar) if line < frame.there.beat else None
            if expected is None:
                continue
            inside = [beat for beat in expected.strokes if 0.0 <= line + beat - here.beat < length]
            if inside:
                self._struck_beat = line + inside[0]
                at = min(max((line + inside[0] - here.beat) / length, 0.0), 0.999)
                stab = PartHand(hit_at=at, level_db=STAB_DB)
                return dataclasses.replace(stab, voices=STAB), stab, stab
            if expected.sure and bar == here.bar:
                hold, ringing = PartHand(hold=True), here.beat < self._struck_beat + RING_BEATS
                return hold, hold if ringing else PartHand(rest=True), hold if ringing else PartHand(rest=True)
        return None

    def _leaned_on(self, expected: Expected) -> PartHand | None:
        """The accent that the draws lean on."""
        if not expected.strikes or expected.likeness < ALIKE or expected.accent < LEAST_ACCENT:
            return None
        sure = expected.accent * expected.likeness
        return PartHand(hit_at=min(max(expected.at, 0.0), 0.999), sure=min(sure, 0.99), level_db=LEAN_DB * sure)

    # ------------------------------------------------------------------------------------------------------ gaps

    def _fill_stroke(self, frame: LeadFrame, fills: bool) -> Stroke | None:
        """What the drums strike in a gap, and on the bar line behind one that was filled to its end."""
        if fills:
            return fill_stroke(frame.here, frame.there, self._fill_from, self._fill_until, frame.bpm)
        if self._lands_at < frame.here.beat - 1e-3:
            return None
        found = landing(frame.here, frame.there, self._lands_at)
        if found is not None:
            self._lands_at = -1.0
        return found

    def _fills(self, frame: LeadFrame, expected: Expected) -> bool:
        """Whether the drums fill: a gap has begun after a phrase, and the bar line is near."""
        here, memory = frame.here, self.memory
        if here.beat < self._fill_until - 1e-3:
            if memory.last_attack_beat > self._gap_from + 0.25:  # the lead is back: it is theirs again
                self._fill_until = self._lands_at = -1.0
                return False
            return True
        left = here.bar_beat + here.beats_per_bar - here.beat
        apart = here.bar - self._filled_bar >= FILLS_APART_BARS
        phrase = memory.rate(here) * 2 * here.beats_per_bar >= PHRASE_ATTACKS
        if not (0.9 <= left <= LONGEST_GAP_BEATS and phrase and apart) or memory.silent_for_bars(here):
            return False
        known = self._known_gap(here)
        if known is None and not self._gap_has_begun(frame, expected, left):
            return False
        self._filled_bar, self._fill_from = here.bar, here.beat
        self._gap_from = memory.last_attack_beat if known is None else max(known, memory.last_attack_beat)
        self._fill_until = self._lands_at = here.bar_beat + here.beats_per_bar
        return True

    def _gap_has_begun(self, frame: LeadFrame, expected: Expected, left: float) -> bool:
        here, memory = frame.here, self.memory
        since = min(here.beat, memory.heard_beat) - memory.last_attack_beat
        comes = expected.strikes and expected.likeness >= ALIKE
        return since >= max(GAP_BEATS, 1.4 * memory.usual_beats) and not comes and not self._back_soon(here, left)

    def _known_gap(self, here: Point) -> float | None:
        """The beat behind which the lead leaves the rest of the bar, as it did some bars ago, where it has come to that
        and nothing has begun since; else None."""
        now = self.memory.attack_beats(here.bar)
        for lag in KNOWN_GAPS_BARS:
            then = max(self.memory.attack_beats(here.bar - lag), default=math.inf)
            if here.beats_per_bar - then < KNOWN_GAP_BEATS or here.beat < here.bar_beat + then + 0.4:
                continue
            if all(attack <= then + 0.25 for attack in now):
                return here.bar_beat + then
        return None

    def _back_soon(self, here: Point, left: float) -> bool:
        """Whether the lead is expected back before most of what is left of the bar."""
        lag, likeness = self.memory.likeness(here.bar)
        if likeness < ALIKE:
            return False
        first = here.beat - here.bar_beat
        return any(first <= beat < first + 0.6 * left for beat in self.memory.attack_beats(here.bar - lag))


def _asked(usual: PartHand, more: PartHand, amount: float) -> PartHand:
    """What a part is asked for as usual, and `more`: all of it from WHOLE on, else only a likelier stroke."""
    if amount >= WHOLE:
        return more.over(usual)
    if more.hit_at is None:
        return usual
    return dataclasses.replace(more, sure=min(more.sure, 0.99) * amount, voices=(), level_db=0.0).over(usual)


def _drummed(stroke: Stroke | None) -> PartHand:
    """A stroke of a fill, or the place between two."""
    return PartHand(hold=True) if stroke is None else PartHand(hit_at=stroke.at, voices=stroke.voices)
