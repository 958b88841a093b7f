"""Keeps a loop that plays on the time: it leads, or follows a transport or a clock, re-timed or silent until it fits.

A loop is played as it was recorded, sample by sample, and never drifts: on each bar line of somebody else's time it is
put where it belongs. Where the tempo differs by more than that can hide, it is brought to the new one by a library in
the background, and is silent meanwhile; without the library it is silent until its tempo comes back, which is said.
Inference thread only.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import ConfigError
from ..fault_kinds import FaultKind
from ..fault_log import FaultLog
from ..timing.entrance_cue import EntranceCue
from .bar_lines import BarLine
from .loop_reader import LoopReader
from .loop_sound import LoopSound
from .loop_time import LoopTime
from .retimer import Retimer

OTHERS = ("link", "transport", "midi_clock", "mtc")
"""Sources of time that a loop follows; all others follow it."""
FITS = 0.005
"""A tempo within this share of the loop's is its own: at most 10 ms in a bar of two seconds, put right on each line."""
NEAR_MS = 1.0
"""So far beside its line a loop is left alone: clocks by MIDI tremble as much."""
INSTALL = "pip install 'gigmate[loops]' lets loops follow a tempo"


class LoopTempo:
    """One looper's. Inference thread only."""

    def __init__(self, rate_hz: int, reader: LoopReader, fault_log: FaultLog) -> None:
        self._rate_hz, self._reader, self._fault_log = rate_hz, reader, fault_log
        self.time = LoopTime(rate_hz)
        """Leads the band while the loop plays, unless somebody of OTHERS does."""
        self._retimer = Retimer(rate_hz)
        self._playing = False
        self.leads = False
        """Whether the loop plays and nobody else gives the time."""
        self.off = False
        """Whether the loop is silent because the time has another tempo."""
        self._first_bar: int | None = None  # number of the bar, in another's time, that is the loop's first
        self._last_line: BarLine | None = None
        self._last_bar_samples = 0.0
        self._wanted = 0  # length of the loop at another tempo, until it is there

    def start(self, loop: LoopSound, anchor: int) -> None:
        """The loop plays, its first sample at that input position."""
        self.stop()
        self._playing = True
        self.time.lead(loop, anchor)

    def stop(self) -> None:
        """It plays no more."""
        self._playing = self.leads = self.off = False
        self._first_bar = self._last_line = None
        self._wanted = 0
        self._retimer.forget()
        self.time.lead(None)

    def ask(self, loop: LoopSound, tempo_bpm: float) -> None:
        """Bring the loop that leads to a tempo, as soon as may be. Raises ConfigError where that cannot be."""
        now_bpm = 60.0 * self._rate_hz * sum(loop.beats) / loop.length
        if not self._retimer.available:
            raise ConfigError(f"the loop keeps its {now_bpm:.0f} bpm: clear it first, or {INSTALL}")
        if not 0.5 <= tempo_bpm / now_bpm <= 2.0:
            raise ConfigError(f"the loop was played at {now_bpm:.0f} bpm: give a tempo between half and twice that")
        self._wanted = round(loop.length * now_bpm / tempo_bpm)

    def follow(
        self, loop: LoopSound, crossed: Sequence[BarLine], cue: EntranceCue, free: int, writing: bool
    ) -> LoopSound:
        """Once a step: the loop as it is to be played, the same or re-timed.

        `crossed`: lines that came into what is made now; `free`: the first input position for which nothing is made
        yet; `writing`: the loop is being played over, and must stay as it is.
        """
        self.leads = self._playing and cue.source not in OTHERS
        if self.leads:
            self._first_bar = self._last_line = None
            if self.off:  # whoever had another tempo has gone
                self._put(loop, free, self._reader.anchor_at(free))
        else:
            for line in crossed:
                self._on_line(loop, line, free)
        if not writing:
            loop = self._retimed(loop, free)
        self.time.lead(loop, self._reader.anchor_at(free))
        return loop

    # ------------------------------------------------------------------------------------------ another gives the time

    def _on_line(self, loop: LoopSound, line: BarLine, free: int) -> None:
        place = round(line.position_samples)
        last, self._last_line = self._last_line, line
        here = (place - self._reader.anchor_at(place)) % loop.length
        if self._first_bar is None:
            nearest = min(range(loop.bars + 1), key=lambda bar: abs(loop.offsets[bar] - here))
            self._first_bar = line.bar - nearest % loop.bars
        bar = (line.bar - self._first_bar) % loop.bars
        if last is not None and line.bar == last.bar + 1:
            samples = line.position_samples - last.position_samples
            if abs(samples * loop.bars / loop.length - 1.0) > FITS:
                self._leave(loop, samples, max(place, free))
                self._last_bar_samples = samples
                return
            self._last_bar_samples = samples
        elif self.off:
            return
        beside = (here - loop.offsets[bar] + loop.length // 2) % loop.length - loop.length // 2
        if self.off or abs(beside) > NEAR_MS * self._rate_hz / 1000:
            self._put(loop, max(place, free), place - loop.offsets[bar])

    def _put(self, loop: LoopSound, position: int, anchor: int) -> None:
        self._reader.lay(position, loop.sound, anchor)
        if self.off:
            self._reader.switch(position, True)
        self.off = False

    def _leave(self, loop: LoopSound, bar_samples: float, position: int) -> None:
        """A bar of the time has another length than the loop's: silence, until the loop is brought to it."""
        if not self.off:
            self.off = True
            self._reader.switch(position, False)
            beats = sum(loop.beats)
            was_bpm = 60.0 * self._rate_hz * beats / loop.length
            now_bpm = 60.0 * self._rate_hz * beats / (bar_samples * loop.bars)
            mend = "it comes back re-timed" if self._retimer.available else f"it waits; {INSTALL}"
            cause = f"the loop was played at {was_bpm:.1f} bpm, and the time is at {now_bpm:.1f}: {mend}"
            self._fault_log.fault(FaultKind.LOOP, cause=cause)
        steady = abs(bar_samples / self._last_bar_samples - 1.0) <= FITS if self._last_bar_samples else False
        if self._retimer.available and steady and 0.5 <= bar_samples * loop.bars / loop.length <= 2.0:
            self._wanted = round(bar_samples * loop.bars)

    # -------------------------------------------------------------------------------------------------- another length

    def _retimed(self, loop: LoopSound, free: int) -> LoopSound:
        """The loop at the length that is wanted, once it is there."""
        if not self._wanted:
            return loop
        self._retimer.ask(loop, self._wanted)
        made = self._retimer.take()
        if made is None:
            return loop
        self._wanted = 0
        if isinstance(made, str):
            self._fault_log.fault(
                FaultKind.LOOP, cause=f"the loop stays silent until its own tempo is back, by itself: {made}"
            )
            return loop
        if not self.off:
            here = (free - self._reader.anchor_at(free)) % loop.length
            self._reader.lay(free, made.sound, free - round(here * made.length / loop.length))
        return made
