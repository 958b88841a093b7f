"""The looper: records, plays and plays over on the band's bar lines, ahead of time as the band is made.

Knows no ring and no port: input comes in by its position, the loop's sound goes out by the input position together
with which it is heard, so that it lies where it was played. Inference thread only; float32, mono, at the host rate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..commands.looping import LoopDo, LoopKeep, LoopPress, LoopRelease, SetLoop
from ..errors import ConfigError
from ..fault_kinds import FaultKind
from ..fault_log import FaultLog
from ..timing.conductor import Conducting
from .bar_lines import BarLine, BarLines
from .input_history import InputHistory
from .loop_button import LoopButton
from .loop_mix import LoopMix, LoopView
from .loop_reader import LoopReader
from .loop_sound import LoopSound
from .loop_tempo import LoopTempo
from .take_writer import TakeWriter

Array = NDArray[np.float32]
Phase = Literal["empty", "armed", "recording", "playing", "overdubbing", "stopped"]
LoopCommand = LoopPress | LoopRelease | LoopDo | LoopKeep | SetLoop

MEMORY_S = 100.0
"""So much of what was played is remembered; a loop is at most MOST_LOOP_S long."""
MOST_LOOP_S = 90.0
MOST_BARS = 64
FADE_MS = 10.0
_LEAST_AHEAD_S = 0.1
NO_BEAT = "there is no beat to loop on yet: tap one, set a tempo, or play until the band has found it"


@dataclass
class _Waiting:
    """Something that happens on the first line after a position."""

    deed: Literal["begin", "close", "keep", "play"]
    after: float
    bars: int = 0
    then: str = "play"
    """After "close": play, overdub or stop."""


class Looper:
    """One run's looper. Inference thread only."""

    def __init__(self, rate_hz: int, step_samples: int, conductor: Conducting, fault_log: FaultLog) -> None:
        self._rate_hz, self._step, self._conductor, self._fault_log = rate_hz, step_samples, conductor, fault_log
        self._fade = round(FADE_MS * rate_hz / 1000)
        self._history = InputHistory(round(MEMORY_S * rate_hz))
        self._played = InputHistory(2 * rate_hz)
        self._lines = BarLines()
        self._reader = LoopReader(rate_hz, self._fade)
        self._takes = TakeWriter(self._history, self._reader, self._fade, rate_hz)
        self._tempo = LoopTempo(rate_hz, self._reader, fault_log)
        self.time = self._tempo.time
        """A source of time for the conductor."""
        self.phase: Phase = "empty"
        self._loop: LoopSound | None = None
        self._cleared: LoopSound | None = None
        self._waiting: _Waiting | None = None
        self._from: BarLine | None = None  # where the recording begins
        self._made = 0  # input position up to which the loop's sound was given
        self._halted = False
        self._button = LoopButton(rate_hz)
        self.mix = LoopMix()

    @property
    def silent(self) -> bool:
        """Whether nothing of it is to be heard."""
        return self._reader.silent

    @property
    def active(self) -> bool:
        """Whether there is anything to be made ahead of time."""
        return self.phase != "empty" or self._waiting is not None or not self._reader.silent

    def view(self, position: float) -> LoopView:
        """What is told of it at that input position."""
        loop, place = self._loop, 0.0
        waits = "tempo" if self._tempo.off else "line" if self._waiting is not None else ""
        if loop is None:
            return LoopView(self.phase, self._recorded_bars(), 0, place, waits)
        if self.phase != "stopped":
            place = (position - self._reader.anchor_at(position)) % loop.length / loop.length
        return LoopView(self.phase, loop.bars, len(loop.takes), place, waits)

    def _recorded_bars(self) -> int:
        if self.phase != "recording" or self._from is None:
            return 0
        return max(0, len(self._lines.between(self._from.position_samples, self._history.end)) - 1)

    # ------------------------------------------------------------------------------------------------- what comes in

    def hear(self, position: int, block: Array) -> Array:
        """float32 [n] of input from that position on; what the band is to hear of it."""
        self._history.put(position, block)
        self._takes.hear(position, block.size)
        if self.mix.heard_by_band and not self._reader.silent:
            return block + self.played(position, block.size)
        return block

    def played(self, position: int, count: int) -> Array:
        """What is heard of the loop together with that input, float32 [count]."""
        return self._played.read(position, count)

    def obey(self, command: LoopCommand, position: float) -> None:
        """Do what was asked at that input position. Raises ConfigError for what cannot be."""
        if isinstance(command, LoopPress):
            for deed in self._button.press(position, command.held, self.phase):
                self._do(deed, position)
        elif isinstance(command, LoopRelease):
            self._button.release()
        elif isinstance(command, LoopKeep):
            self._keep(position, command.bars)
        elif isinstance(command, LoopDo):
            self._do(command.deed, position)
        else:
            self.mix.set(command)

    def set_tempo(self, tempo_bpm: float) -> bool:
        """Another tempo is asked for: a loop that leads is brought there. False where none leads.

        Raises ConfigError where it cannot be.
        """
        if self._loop is None or not self._tempo.leads or not tempo_bpm:
            return False
        self._end_overdub(self._history.end)
        self._tempo.ask(self._loop, tempo_bpm)
        return True

    def clear(self) -> None:
        """The loop goes out and is gone, until `undo` or another."""
        self._waiting = self._from = None
        if self._loop is not None:
            self._cleared = self._loop
        self._takes.end(self._history.end)
        self._loop = None
        self._go_out("empty")

    # ---------------------------------------------------------------------------------------------------- each step

    def make(self, until: int) -> tuple[int, Array] | None:
        """The loop's sound up to an input position, from where it ended last: (its position, float32 [n]); None where
        there is none."""
        for deed in self._button.held(self._history.end):
            self._do(deed, self._history.end)
        start = self._made
        if not self.active:
            self._lines.advance(self._history.end, self._step, self._conductor.peek)
            self._made = max(start, until)
            return None
        self._conductor.moment(until)  # what is told is bound
        crossed = self._lines.advance(until, self._step, self._conductor.peek)
        self._pass_lines()
        if self._loop is not None and self.phase in ("playing", "overdubbing"):
            self._follow(self._loop, crossed)
        count = min(until - start, 2 * self._rate_hz)
        if count <= 0:
            return None
        self._made = until
        if self._reader.silent:
            return None
        sound = self._reader.read(until - count, count, self.mix.gain)
        self._played.put(until - count, sound)
        return until - count, sound

    def _follow(self, loop: LoopSound, crossed: list[BarLine]) -> None:
        """The loop stays on the time."""
        cue = self._conductor.entrance_cue()
        stopped, self._halted = cue.halted and not self._halted, cue.halted
        if stopped:  # who gave the time has said stop
            self._do("stop", self._history.end)
            return
        writing = self.phase == "overdubbing" or not self._takes.whole
        self._loop = self._tempo.follow(loop, crossed, cue, self._made, writing)

    def _pass_lines(self) -> None:
        """What waits for a line, once it is known."""
        waiting = self._waiting
        if waiting is not None:
            line = self._lines.next(waiting.after)
            if line is not None:
                self._waiting = None
                try:
                    self._on_line(waiting, line)
                except ConfigError as error:
                    self._fault_log.fault(FaultKind.LOOP, cause=str(error))
        if self.phase == "armed" and self._from is not None and self._history.end >= self._from.position_samples:
            self.phase = "recording"
        last = self._lines.last(self._made)
        if self.phase == "recording" and self._waiting is None and last is not None and self._is_full(last):
            cause = f"{self._recorded_bars()} bars are as much as the looper takes: nothing to do, they go round now"
            self._fault_log.fault(FaultKind.LOOP, cause=cause)
            self._close(last, "play")

    def _is_full(self, last: BarLine) -> bool:
        """Whether another bar after that line would be too much."""
        begin = last.position_samples if self._from is None else self._from.position_samples
        samples = last.position_samples - begin + self._conductor.bar_samples()
        return samples > MOST_LOOP_S * self._rate_hz or self._recorded_bars() >= MOST_BARS

    def _on_line_meant(self, waiting: _Waiting) -> None:
        """On the line that a press at that place means: the one just past, or the next."""
        line = self._lines.meant(waiting.after)
        if line is None:
            self._waiting = waiting
        else:
            self._on_line(waiting, line)

    def _on_line(self, waiting: _Waiting, line: BarLine) -> None:
        if waiting.deed == "begin":
            self._from = line
        elif waiting.deed == "close":
            self._close(line, waiting.then)
        elif waiting.deed == "keep":
            self._keep_until(line, waiting.bars)
        else:
            self._start(line, "playing")

    # ----------------------------------------------------------------------------------------------- what is asked

    def _do(self, deed: str, position: float) -> None:
        if deed == "clear":
            self.clear()
        elif deed == "drop":
            self._takes.drop()
            self._end_overdub(self._history.end)
        elif deed == "undo":
            self._undo()
        elif deed == "redo":
            self._redo()
        elif self.phase == "empty" and deed not in ("record", "overdub"):
            raise ConfigError("there is no loop yet: record one, or keep what you just played")
        elif self.phase in ("empty", "armed", "recording"):
            self._do_recording(deed, position)
        elif deed == "record":
            raise ConfigError("there is a loop: play over it (overdub), or clear it first")
        elif deed in ("half", "double"):
            self._resize(deed)
        elif deed == "stop":
            self._end_overdub(round(position))
            self._waiting = None
            self._go_out("stopped")
        elif deed == "play":
            self._play(position)
        elif self.phase == "overdubbing":
            self._end_overdub(round(position))
        else:
            self._begin_overdub(round(position))

    def _do_recording(self, deed: str, position: float) -> None:
        """While there is no loop yet."""
        if self.phase == "empty":
            self._check_beat()
            self.phase = "armed"
            self._on_line_meant(_Waiting("begin", position))
        elif deed in ("half", "double"):
            raise ConfigError("there is no loop yet: let it play first")
        elif self.phase == "recording":
            self._on_line_meant(_Waiting("close", position, then=deed if deed in ("overdub", "stop") else "play"))
        elif deed in ("stop", "record", "overdub"):
            self.clear()

    def _play(self, position: float) -> None:
        if self.phase == "overdubbing":
            self._end_overdub(round(position))
        elif self.phase == "stopped":
            self._on_line_meant(_Waiting("play", position))

    def _keep(self, position: float, bars: int) -> None:
        """What was just played, so many bars."""
        if not 1 <= bars <= MOST_BARS:
            raise ConfigError(f"keep {bars} bars: give 1 to {MOST_BARS}")
        self._check_beat()
        if self.phase in ("armed", "recording", "stopped"):
            raise ConfigError("the looper is in use: clear it first, or keep while the loop plays")
        self._on_line_meant(_Waiting("keep", position, bars))

    def _keep_until(self, line: BarLine, bars: int) -> None:
        first = self._lines.back(line, bars)
        if first is None or first.position_samples - self._fade < self._history.begin:
            raise ConfigError(f"of the last {bars} bars not all were heard, or their lines are not known: keep fewer")
        if self._loop is not None and self.phase in ("playing", "overdubbing"):
            self._end_overdub(self._history.end)
            self._takes.lay_over(self._loop, round(first.position_samples), round(line.position_samples))
            self._show()
            return
        self._from = first
        self._close(line, "play")

    def _check_beat(self) -> None:
        if not self._conductor.bar_samples():
            raise ConfigError(NO_BEAT)

    # ------------------------------------------------------------------------------------------------- the first take

    def _is_long_enough(self, line: BarLine) -> bool:
        """Whether what ends there is a bar at least, and longer than the band is made ahead: it must have been heard
        before it can be played again."""
        length = line.position_samples - (self._from or line).position_samples
        ahead = max(self._made - self._history.end, 0) + _LEAST_AHEAD_S * self._rate_hz + self._step
        return length > ahead

    def _close(self, line: BarLine, then: str) -> None:
        """The recording ends on that line, and goes round from there on."""
        if self._from is None or not self._is_long_enough(line):
            self._waiting = _Waiting("close", line.position_samples, then=then)
            return
        lines = self._lines.between(self._from.position_samples, line.position_samples)
        begin, end = round(self._from.position_samples), round(line.position_samples)
        offsets = tuple(round(one.position_samples) - begin for one in lines)
        loop = LoopSound(offsets, tuple(one.beats for one in lines[:-1]), self._fade)
        self._loop, self._cleared, self._from = loop, None, None
        self._takes.first_take(loop, begin, end)
        self._start(line, "stopped" if then == "stop" else "playing")
        if then == "overdub":
            self._begin_overdub(end)

    # --------------------------------------------------------------------------------------------------- play and stop

    def _start(self, line: BarLine, phase: Literal["playing", "stopped"]) -> None:
        """The loop's first sample lies on that line, which may be past: then it comes in as soon as may be."""
        loop = self._loop
        if loop is None:
            return
        anchor = round(line.position_samples)
        position = max(anchor, self._made)
        self._reader.lay(position, loop.sound, anchor)
        self.phase, self._halted = phase, self._conductor.entrance_cue().halted
        if phase == "playing":
            self._reader.switch(position, True)
            self._tempo.start(loop, anchor)
        else:
            self._tempo.stop()

    def _go_out(self, phase: Phase) -> None:
        if self._reader.opened:
            self._reader.switch(self._made, False)
        self.phase = phase
        self._tempo.stop()

    def _begin_overdub(self, position: int) -> None:
        loop = self._loop
        if loop is None:
            return
        if self._tempo.off:
            raise ConfigError("the loop waits for its tempo: play over it when it is heard")
        self._takes.begin(loop, position)
        self.phase = "overdubbing"

    def _end_overdub(self, position: int) -> None:
        self._takes.end(position)
        if self.phase == "overdubbing":
            self.phase = "playing"

    def _undo(self) -> None:
        if self._loop is None:
            if self._cleared is None or self.phase != "empty":
                raise ConfigError("there is nothing to undo")
            self._loop, self._cleared, self.phase = self._cleared, None, "stopped"
            return
        self._end_overdub(self._history.end)
        if not self._loop.undo():
            self.clear()
            return
        self._show()

    def _redo(self) -> None:
        if self._loop is None or not self._loop.redo():
            raise ConfigError("there is nothing to do again")
        self._show()

    def _resize(self, deed: str) -> None:
        loop = self._loop
        if loop is None or not self._takes.whole:
            raise ConfigError("the loop's end is still to come: once it has gone round")
        self._end_overdub(self._history.end)
        if deed == "double":
            if 2 * loop.length > MOST_LOOP_S * self._rate_hz or 2 * loop.bars > MOST_BARS:
                raise ConfigError(f"a loop is at most {MOST_LOOP_S:.0f} s and {MOST_BARS} bars long")
            loop.double()
        elif loop.length // 2 <= self._made - self._history.end + self._step or not loop.halve():
            raise ConfigError(f"half of {loop.bars} bars cannot be: it would be too short, or end within a bar")
        self._show()

    def _show(self) -> None:
        """From now on the reader has what the loop has become."""
        loop = self._loop
        if loop is not None and self.phase != "stopped":
            self._reader.lay(self._made, loop.sound, self._reader.anchor_at(self._made))
