"""What the band does about the lead, frame by frame: accents met, stops kept, gaps filled, dynamics, room.

Says it by a hand on the notes (engine/hand.py) and by the fill; commands of the musician lie above it. What is
expected is met ahead of time, since the band plays ahead; what was not expected is answered as soon as it is heard.
Knows the lead's memory; knows no model and no stage. Inference thread only.
"""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

from ..hand import FREE_HAND, Hand, PartHand
from ..player import Controls, Heard
from ..position import Point
from .lead_memory import Expected, LeadMemory, Peek

SURE_LIKENESS, ALIKE = 0.8, 0.6
"""From this likeness on a figure is struck or a stop kept for sure, from that on it leans on the draws."""
LEAST_ACCENT = 0.25
"""Weaker ones are nothing to lean on."""
SINK_AFTER_S, SINK_AFTER_BEATS, SINK_DB_A_SECOND, LOWEST_DB = 1.0, 2.0, 26.0, -36.0
"""Who has been silent for so long takes the band's level along, and whoever plays again has it back at once."""
GAP_BEATS, FORETOLD_GAP_BEATS, LONGEST_GAP_BEATS = 0.75, 0.2, 2.5
"""A gap is filled once so long nothing began, where it was one before sooner, up to a bar line not further away."""
PHRASE_ATTACKS = 4
FILLS_APART_BARS = 2
DENSE, ROOM = 2.2, -0.3
"""From so many attacks a beat on the keys leave room: so much less dense."""
BUSIER_PER_DB, MOST_BUSIER = 0.03, 0.2
LOUDER_PER_DB, MOST_LOUDER_DB, NEAR_DB = 0.5, 4.0, 1.0
"""The band's density and level go with the lead's, besides what the player follows; so small a change is none."""
STAB = ("kick", "crash")
"""What the drums strike with a figure."""


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


class LeadAnswer:
    """Of one run. Inference thread only."""

    def __init__(self, rate_hz: float) -> None:
        self._rate_hz = rate_hz
        self.memory = LeadMemory(rate_hz)
        self._filled_bar = -100
        self._fills_until = -1.0
        self._gap_from = -1.0

    def hear(self, heard: Heard, end_samples: float, frame_samples: int, delay_samples: float, peek: Peek) -> None:
        """Take in a frame, as LeadMemory.hear does."""
        self.memory.hear(heard, end_samples, frame_samples, delay_samples, peek)

    def controls(self, controls: Controls, frame: LeadFrame) -> Controls:
        """The controls with the answer under what they ask for already."""
        if controls.listening <= 0.0 or not self.memory.known:
            return controls
        expected = self.memory.expect(frame.here, frame.there)
        hand = self._hand(controls, frame, expected)
        fill = 1.0 if self._fills(frame, expected) else controls.fill
        if hand.free and fill == controls.fill:
            return controls
        return dataclasses.replace(controls, fill=max(fill, controls.fill), hand=controls.hand.over(hand))

    def _hand(self, controls: Controls, frame: LeadFrame, expected: Expected) -> Hand:
        level_db, busier = self._dynamics(frame)
        room = ROOM if self.memory.rate(frame.here) >= DENSE else 0.0
        amount = controls.listening
        drums, bass, keys = (
            PartHand(busier=amount * of, level_db=amount * level_db) for of in (busier, 0.5 * busier, busier + room)
        )
        struck = self._struck(frame, expected)
        if struck is not None:
            drums = dataclasses.replace(drums, hit_at=struck.at, sure=struck.sure * amount, voices=struck.voices)
            bass = dataclasses.replace(bass, hit_at=struck.at, sure=struck.sure * amount)
            keys = dataclasses.replace(keys, hit_at=struck.at, sure=struck.sure * amount)
        elif self._stops(expected) and amount >= 0.5:
            drums, bass, keys = (dataclasses.replace(part, rest=True) for part in (drums, bass, keys))
        hand = Hand((drums, bass, keys))
        return FREE_HAND if hand.free else hand

    def _dynamics(self, frame: LeadFrame) -> tuple[float, float]:
        """Level in dB and density, beside the usual."""
        memory = self.memory
        if memory.silent_since is not None:
            silent_s = (frame.start_samples - memory.silent_since) / self._rate_hz
            beats_a_second = (frame.there.beat - frame.here.beat) / max(frame.seconds, 1e-6)
            after_s = max(SINK_AFTER_S, SINK_AFTER_BEATS / max(beats_a_second, 0.5))
            if frame.goes_on or silent_s <= after_s:
                return 0.0, 0.0
            return max(LOWEST_DB, -SINK_DB_A_SECOND * (silent_s - after_s)), 0.0
        off_db = memory.quick_db - memory.usual_db
        off_db = max(0.0, off_db - NEAR_DB) + min(0.0, off_db + NEAR_DB)
        level_db = min(max(LOUDER_PER_DB * off_db, -MOST_LOUDER_DB), MOST_LOUDER_DB)
        return level_db, min(max(BUSIER_PER_DB * off_db, -MOST_BUSIER), MOST_BUSIER)

    def _struck(self, frame: LeadFrame, expected: Expected) -> _Struck | None:
        """The accent that all meet, or lean toward."""
        if not expected.strikes or expected.likeness < ALIKE:
            return None
        lag, _ = self.memory.likeness(frame.here.bar)
        at = min(max(expected.at, 0.0), 0.999)
        if expected.likeness >= SURE_LIKENESS and self.memory.is_figure(frame.here.bar - lag):
            return _Struck(at, 1.0, STAB)
        return _Struck(at, expected.accent * expected.likeness, ()) if expected.accent >= LEAST_ACCENT else None

    def _stops(self, expected: Expected) -> bool:
        """Whether the lead stopped here the last times."""
        return expected.stopped and expected.likeness >= SURE_LIKENESS

    def _fills(self, frame: LeadFrame, expected: Expected) -> bool:
        """Whether the drums fill: a gap has begun after a phrase, and the bar line is near."""
        here, memory = frame.here, self.memory
        if here.beat < self._fills_until:
            if memory.last_attack_beat > self._gap_from + 0.25:  # the lead is back: it is theirs again
                self._fills_until = -1.0
                return False
            return True
        since = min(here.beat, memory.heard_beat) - memory.last_attack_beat
        foretold = expected.likeness >= SURE_LIKENESS and expected.silent and not expected.stopped
        left = here.bar_beat + here.beats_per_bar - here.beat
        comes = expected.strikes and expected.likeness >= ALIKE
        phrase = memory.rate(here) * 2 * here.beats_per_bar >= PHRASE_ATTACKS
        apart = here.bar - self._filled_bar >= FILLS_APART_BARS
        begun = since >= (FORETOLD_GAP_BEATS if foretold else GAP_BEATS)
        if expected.stopped or not (begun and 0.9 <= left <= LONGEST_GAP_BEATS and phrase and apart) or comes:
            return False
        if since > 2.0 * here.beats_per_bar or self._back_soon(frame, left):
            return False
        self._filled_bar, self._fills_until, self._gap_from = here.bar, here.beat + left - 1e-3, memory.last_attack_beat
        return True

    def _back_soon(self, frame: LeadFrame, left: float) -> bool:
        """Whether the lead is expected back before most of what is left of the bar."""
        here = frame.here
        lag, likeness = self.memory.likeness(here.bar)
        if likeness < ALIKE:
            return False
        first = here.beat - here.bar_beat
        return any(first <= beat < first + 0.6 * left for beat in self.memory.attack_beats(here.bar - lag))


class _Struck(NamedTuple):
    at: float
    sure: float
    voices: tuple[str, ...]
