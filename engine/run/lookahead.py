"""The look-ahead: how far ahead the band is generated, from measured step times and the delays of the port.

Knows no player and no commands. Inference thread only; `meter` and `budget` may be read by any thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from ...latency.budget import MAX_AHEAD_FRAMES, Budget, Delays
from ...latency.meter import Meter
from ..callback.bridge import Bridge
from ..output.mixer import Playout
from ..player import PARTS
from ..ports.port import Neighbours

MARGIN_MS = 4.0
"""For waking up late and for other programs' turns."""
OFFLINE_STEP_SHARE = 0.4
"""Where there is no clock, a step counts as this part of a frame: the same band as on a fair machine, repeatable."""
OFFSETS_PER_FRAME = 16
"""Where there is a clock, the ahead is chosen in steps of 2.5 ms."""
_GUESS_STEPS = 250
"""Until so many steps were measured, the guess from the warm-up counts as well."""
_SPARED_STEPS = 2
"""So many of the slowest do not count: p99.9 of two thousand leaves as many out, and of some hundred it would be the
slowest of all, which cost a frame in the first minute of each run. The margin is there for those."""
_LATENCIES_EVERY_FRAMES = 25
_MOST_GROWTHS = 32


@dataclass(frozen=True, slots=True)
class PortFacts:
    """What the worker has to know of the port, as it is now. Any thread."""

    capture_latency_samples: int
    round_trip_samples: int
    block_samples: int
    midi_in_from: Neighbours = field(default_factory=Neighbours)
    midi_out_to: Neighbours = field(default_factory=Neighbours)
    notes_out_to: tuple[Neighbours, ...] = (Neighbours(),) * len(PARTS)
    """The same of each part's notes."""
    transport_delay_samples: int | None = None
    """From a place of the transport to where it is heard with the input; None: the round trip, as our sound."""

    @property
    def transport_after_samples(self) -> int:
        """What others play at a moment of the song is heard with the input so much later."""
        return self.round_trip_samples if self.transport_delay_samples is None else self.transport_delay_samples

    def heard_after_samples(self, from_program: bool) -> int:
        """From the sample at which a MIDI message came to the place in the input that it means.

        A device's message comes when it is played, and its sound through the converter. A program's stands for the
        sample that it plays, which is heard, and played to, a whole round trip later.
        """
        return self.round_trip_samples if from_program else self.capture_latency_samples

    @property
    def midi_out_before_samples(self) -> int:
        """By how much MIDI for a place in the input is sent earlier: a device sounds at once, a program's sound has
        the way to go that ours has."""
        return self.heard_after_samples(from_program=not self.midi_out_to.devices)  # nobody there yet: as for programs

    @property
    def notes_before_samples(self) -> tuple[int, ...]:
        """The same of each part's notes: those of a synth on the same server leave with our own sound."""
        return tuple(self.heard_after_samples(from_program=not to.devices) for to in self.notes_out_to)

    @property
    def notes_leave(self) -> bool:
        """Whether anybody takes the band's notes."""
        return any(to.devices or to.programs for to in self.notes_out_to)


@dataclass(frozen=True, slots=True)
class PortLink:
    """What a worker has of its port. Inference thread only."""

    bridge: Bridge
    facts: Callable[[], PortFacts]
    """Its latencies and its block as they are now."""
    ended: threading.Event
    """Set when no more will be heard."""
    clocked: bool = True
    """The port follows a clock; else it waits for the worker, and the same input gives the same samples."""


class LookAhead:
    """Steps in, the ahead out. Inference thread only; `meter` and `budget` may be read by any thread."""

    def __init__(
        self,
        host_frame: int,
        rate_hz: int,
        playout: Playout,
        resample_in_samples: float,
        port_facts: Callable[[], PortFacts],
        clocked: bool,
    ) -> None:
        """`clocked`: the port follows a clock; else steps count as a fixed part of a frame."""
        self._host_frame, self._rate_hz, self._playout = host_frame, rate_hz, playout
        self._resample_in_samples = resample_in_samples
        self._port_facts, self._clocked = port_facts, clocked
        self.meter = Meter()
        """Compute times of steps that made one frame."""
        self.response = Meter()
        """From the end of an input frame to the end of its step."""
        self.guess_s = 0.0
        """What a slow step takes, by the warm-up."""
        self.facts = PortFacts(0, 0, 0)
        self.listen_samples = 0.0
        self.notes_late_samples = 0.0
        """So long before its own moment, beyond the round trip, a frame is made at least: its notes belong there."""
        self.note_out_samples = 0.0
        """So much more for notes that go out, as long as anybody takes them."""
        self.step_s = 0.0
        self.budget = Budget(host_frame, Delays(), 0.0)
        self.voiced: Callable[[], bool] = lambda: True
        """Whether the player's own voice is heard in the next frame, or will be; else instruments alone."""
        self.growths: list[dict[str, float]] = []
        """When it grew, and of what: a slow step, or other delays of the port. The first ones."""
        self._frames = 0

    def begin(self) -> None:
        """The port's delays are known: fix the first budget."""
        self._playout.voiced = self.voiced() or not self._clocked
        if not self._clocked:
            self.guess_s = OFFLINE_STEP_SHARE * self._host_frame / self._rate_hz
        self.facts = self._port_facts()
        offsets = OFFSETS_PER_FRAME if self._clocked else 1
        step_samples = self.guess_s * self._rate_hz
        self.budget = Budget(self._host_frame, self._delays(), step_samples, offsets_per_frame=offsets)
        self._playout.offset_samples = self.budget.offset_samples

    def settle(self) -> bool:
        """The band rests: choose the ahead anew. True if it changed. The next frame does not go on from the last."""
        self._follow_voice()
        changed = self.budget.settle()
        self._playout.offset_samples = self.budget.offset_samples
        return changed

    @property
    def start_delay_samples(self) -> int:
        """From the sample of a gesture to the one at which it is heard to start or stop the band, exactly.

        The first frame that can be made after the gesture may begin so much later, whatever its place in the frame
        (and the resampler needs its own length until the sound that begins there is whole).
        """
        lead = self._playout.lead_samples + self.facts.round_trip_samples
        return max(0, self.budget.ahead_samples - lead) + 2 * self._playout.resample_samples

    def measure(self, made: int, step_s: float, waited_samples: float) -> int:
        """A step made so many frames, and ended `waited_samples` after its input was there. By how many samples the
        ahead has changed: whoever makes frames moves them so far."""
        self.step_s = step_s
        if made == 1:
            self.meter.add(step_s)
            waited = waited_samples - self.facts.block_samples
            self.response.add(max(step_s, waited / self._rate_hz))
        before = self.budget.ahead_samples
        self._follow_voice()
        self._frames += 1
        if self._frames % _LATENCIES_EVERY_FRAMES == 0:
            self._follow_port()
        if self._clocked and made:
            steps = self.response.steps  # while there are no more than are spared, each is the slowest of all
            slow_s = self.response.recent_percentile_s(99.9, _SPARED_STEPS) if steps > _SPARED_STEPS else 0.0
            if self.response.steps < _GUESS_STEPS:
                slow_s = max(slow_s, self.guess_s)
            most_s = 3 * self._host_frame / self._rate_hz
            self.budget.update(min(slow_s, most_s) * self._rate_hz)
        later = self.budget.ahead_samples - before
        if later > 0 and len(self.growths) < _MOST_GROWTHS:
            self.growths.append(self._growth(later))
        return later

    def _growth(self, later_samples: int) -> dict[str, float]:
        ms = 1000.0 / self._rate_hz
        return {
            "seconds": round(self._frames * self._host_frame / self._rate_hz, 2),
            "by_ms": round(later_samples * ms, 2),
            "step_ms": round(self.budget.step_samples * ms, 2),
            "others_ms": round((self._host_frame + self.budget.delays.fixed_samples) * ms, 2),
        }

    def too_late(self, end_position: int, now_position: int) -> bool:
        """Whether a frame that would be played up to `end_position` can only be made after that."""
        if not self._clocked:
            return False
        step_samples = min(self.meter.recent_percentile_s(50.0) * self._rate_hz, self._host_frame)
        return end_position <= now_position + step_samples

    def most_notes_before_samples(self, facts: PortFacts) -> float:
        """How long before its moment a frame can be made at most, on such a port."""
        taken = facts.round_trip_samples + facts.block_samples + (MARGIN_MS / 1000.0 + self.guess_s) * self._rate_hz
        return (MAX_AHEAD_FRAMES - 1) * self._host_frame - taken

    def _follow_voice(self) -> None:
        """Without a clock the voice always counts, so that sounds make no difference to what is played when."""
        if self._clocked and self.voiced() != self._playout.voiced:
            self._playout.voiced = not self._playout.voiced
            self.budget.declare(self._delays())

    def _follow_port(self) -> None:
        """The server may have changed its block or its latencies, and the player has said how late it hears."""
        self.facts = self._port_facts()
        delays = self._delays()
        if delays != self.budget.delays:
            self.budget.declare(delays)

    def _delays(self) -> Delays:
        voiced = self._playout.voiced
        resample = self._playout.resample_samples if voiced else 0
        notes_samples = self.notes_late_samples + (self.note_out_samples if self.facts.notes_leave else 0.0)
        return Delays(
            round_trip_samples=self.facts.round_trip_samples,
            player_samples=max(self._playout.player_samples if voiced else 0.0, notes_samples - resample, 0.0),
            resample_out_samples=resample,
            block_samples=self.facts.block_samples if self._clocked else 0,  # such a port cuts to what is wanted
            margin_samples=MARGIN_MS * self._rate_hz / 1000.0,
            resample_in_samples=self._resample_in_samples,
            listen_samples=self.listen_samples,
        )
