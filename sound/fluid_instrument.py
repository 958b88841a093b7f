"""One program or kit of a bank, played by FluidSynth: notes at samples in, stereo out. Knows no part and no frame.

FluidSynth begins notes on the grid of its blocks, 64 samples, and later. So each place between two lines of the grid
has a channel and an output of its own, which is written that many samples further on into the one buffer: FluidSynth
adds, and the note begins on its sample. One thread at a time.
"""

from __future__ import annotations

import ctypes
import heapq
import weakref
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .fluid_library import FluidLibrary, InstrumentError

Array = NDArray[np.float32]
BLOCK = 64
"""Samples of FluidSynth's own block."""
VOICES = 96
"""Notes that an instrument lets sound at once, counted in samples of the bank: a stereo piano takes two. Beyond that
FluidSynth ends the softest and oldest."""
GAIN = 1.0
"""At which a whole band is as loud as the neural voice is."""
DRUM_BANK = 128
_FINE_TUNE = 52  # the generator's number in SoundFont 2
_MOST_RENDERED = 8192
_WARM_UP_KEY = 36
_OFF, _ON = 0, 1
_HIT_S = 4.0
"""After so long a hit of a kit is let go, for banks in which it would never end; most are over by then."""


@dataclass(frozen=True)
class Program:
    """What of which bank."""

    path: str
    bank: int
    program: int
    kit: bool = False
    """Whether its notes ring out by themselves, as drums do."""


class FluidInstrument:
    """A synth of its own with one program on all channels. Making one reads the disk; all else is quick."""

    def __init__(self, library: FluidLibrary, program: Program, rate_hz: int, gain: float = GAIN) -> None:
        """Raises InstrumentError for a bank that FluidSynth refuses, or that lacks the program."""
        self._quick, self._slow, self._kit = library.quick, library.slow, program.kit
        self._settings = self._slow.new_fluid_settings()
        self._synth: int | None = None
        try:
            self._open(program, rate_hz, gain)
        finally:
            self.close = weakref.finalize(self, _close, library, self._synth, self._settings)
            """Give back its memory, now; nothing may be asked of it afterwards. Else when nobody has it any more."""
            self.close.atexit = False
        self._out = np.zeros((2, _MOST_RENDERED + 2 * BLOCK), np.float32)
        left, right = (row.ctypes.data for row in self._out)
        self._places = (ctypes.c_void_p * (2 * BLOCK))(
            *(side + 4 * late for late in range(BLOCK) for side in (left, right))
        )
        self._queue: list[tuple[int, int, int, int]] = []
        """(sample, end or begin, pitch, velocity) of what is to come; of an end the note that it is for, 0 for any."""
        self._sounding: dict[int, tuple[int, int]] = {}  # by pitch: the channel, and which note of all it is
        self._notes = 0
        self._hit_samples = round(_HIT_S * rate_hz)
        self._cents = 0.0
        self._use_every_voice()
        self._at = 0  # the sample that `_out` begins with
        self._ready = 0  # samples of `_out` that are complete

    def _open(self, program: Program, rate_hz: int, gain: float) -> None:
        whole = {
            "synth.audio-groups": BLOCK,
            "synth.audio-channels": BLOCK,
            "synth.midi-channels": BLOCK,
            "synth.polyphony": VOICES,
            "synth.cpu-cores": 1,
            "synth.reverb.active": 0,
            "synth.chorus.active": 0,
            "synth.threadsafe-api": 0,
            "synth.lock-memory": 0,
            "synth.dynamic-sample-loading": 1,
        }
        for name, number in whole.items():
            self._slow.fluid_settings_setint(self._settings, name.encode(), number)
        self._slow.fluid_settings_setnum(self._settings, b"synth.sample-rate", float(rate_hz))
        self._slow.fluid_settings_setnum(self._settings, b"synth.gain", gain)
        synth: int | None = self._slow.new_fluid_synth(self._settings)
        if not synth:
            raise InstrumentError(f"FluidSynth does not play at {rate_hz} Hz: use 44100, 48000 or 96000")
        self._synth = synth
        bank = self._slow.fluid_synth_sfload(synth, program.path.encode("utf-8", "surrogateescape"), 0)
        if bank < 0:
            raise InstrumentError(f"{program.path}: FluidSynth cannot read this bank: take another")
        for channel in range(BLOCK):
            if self._slow.fluid_synth_program_select(synth, channel, bank, program.bank, program.program):
                what = "kit" if program.kit else "program"
                raise InstrumentError(
                    f"{program.path} has no {what} {program.program + 1}: `gigmate sounds` lists them"
                )

    def _use_every_voice(self) -> None:
        """The first note of each of FluidSynth's voices sounds a little unlike its later ones (its filter begins
        elsewhere): these are not heard."""
        for number in range(VOICES):
            self._quick.fluid_synth_noteon(self._synth, number % BLOCK, _WARM_UP_KEY + number // BLOCK, 1)
        self._run(BLOCK)

    # ----------------------------------------------------------------------------------------------------- notes

    def start_anew(self, position: int) -> None:
        """Silence, and what is rendered next begins at that sample."""
        self._quick.fluid_synth_all_sounds_off(self._synth, -1)
        self._queue.clear()
        self._sounding.clear()
        self._run(BLOCK * 2)  # what was still to be faded out
        self._out.fill(0.0)
        self._at, self._ready = position, 0

    def note(self, position: int, pitch: int, velocity: int) -> None:
        """A note begins at a sample, or ends with velocity 0; one of the past begins at once."""
        kind = _ON if velocity > 0 else _OFF
        if kind == _OFF and self._kit:
            return
        at = max(position, self._at + self._ready)
        heapq.heappush(self._queue, (at, kind, pitch, velocity))

    def end_all(self, position: int) -> None:
        """What sounds then is let go at that sample, and what was to begin later does not."""
        kept = [event for event in self._queue if event[0] < position]
        begun = {pitch for _, kind, pitch, _ in kept if kind == _ON} | set(self._sounding)
        self._queue = kept
        heapq.heapify(self._queue)
        for pitch in sorted(begun):
            heapq.heappush(self._queue, (max(position, self._at + self._ready), _OFF, pitch, 0))

    def tune(self, cents: float) -> None:
        """All notes, those that sound too, this much above A = 440 Hz."""
        if cents != self._cents:
            self._cents = cents
            for channel in range(BLOCK):
                self._quick.fluid_synth_set_gen(self._synth, channel, _FINE_TUNE, cents)

    @property
    def voices(self) -> int:
        """How many samples of the bank sound now."""
        return int(self._quick.fluid_synth_get_active_voice_count(self._synth))

    # ---------------------------------------------------------------------------------------------------- sound

    def render(self, count: int) -> Array:
        """The next samples, float32 [2, count], new memory."""
        sound = np.empty((2, count), np.float32)
        done = 0
        while done < count:
            if self._ready == 0:
                self._make(min(_MOST_RENDERED, count - done + BLOCK - 1) // BLOCK * BLOCK)
            piece = min(self._ready, count - done)
            sound[:, done : done + piece] = self._out[:, :piece]
            self._ready -= piece
            rest = self._ready + BLOCK  # what is complete, and what a later block will be added to
            self._out[:, :rest] = self._out[:, piece : piece + rest].copy()
            self._out[:, rest : rest + piece] = 0.0
            self._at += piece
            done += piece
        return sound

    def _make(self, samples: int) -> None:
        """Whole blocks from the grid's next line on, each event in its block and at its place within it."""
        made = 0
        while made < samples:
            line = self._at + made
            while self._queue and self._queue[0][0] < line + BLOCK:
                self._obey(line, heapq.heappop(self._queue))
            until = samples
            if self._queue:
                until = min(samples, made + (self._queue[0][0] - line) // BLOCK * BLOCK)
            self._run(until - made, made)
            made = until
        self._ready = samples

    def _obey(self, line: int, event: tuple[int, int, int, int]) -> None:
        position, kind, pitch, value = event
        channel, number = self._sounding.get(pitch, (0, 0))
        if kind == _OFF and value and value != number:
            return  # a hit that was struck again since
        if number:
            self._quick.fluid_synth_noteoff(self._synth, channel, pitch)
            del self._sounding[pitch]
        if kind == _ON:
            self._notes += 1
            late = max(0, position - line)
            self._quick.fluid_synth_noteon(self._synth, late, pitch, value)
            self._sounding[pitch] = late, self._notes
            if self._kit:
                heapq.heappush(self._queue, (position + self._hit_samples, _OFF, pitch, self._notes))

    def _run(self, samples: int, first: int = 0) -> None:
        if first:
            places = (ctypes.c_void_p * (2 * BLOCK))(*((place or 0) + 4 * first for place in self._places))
        else:
            places = self._places
        self._quick.fluid_synth_process(self._synth, samples, 0, None, 2 * BLOCK, places)


def _close(library: FluidLibrary, synth: int | None, settings: int | None) -> None:
    if synth:
        library.slow.delete_fluid_synth(synth)
    if settings:
        library.slow.delete_fluid_settings(settings)
