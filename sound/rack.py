"""Instruments for parts: loaded in a thread of its own, handed out one for each use. Knows no frame and no bar.

`take` never waits, so that a step never waits for a disk; a patient rack waits, for music that is made offline. One
thread takes; the loading thread is the rack's own.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Protocol

from .banks import Bank, bank_named
from .fluid_instrument import DRUM_BANK, FluidInstrument, Program
from .fluid_library import InstrumentError, fluid_library
from .general_midi import programs_of

_MOST_KEPT = 12
"""Programs whose samples stay in memory after the last instrument that used them."""


class SoundLike(Protocol):
    """A sound as the engine names it (engine/part_sounds.py)."""

    @property
    def name(self) -> str: ...
    @property
    def program(self) -> int: ...
    @property
    def bank(self) -> str: ...


class _Kept:
    """One instrument of each program that was used last, which nobody plays: FluidSynth shares the samples of those
    that are open, so the next one of the same program opens at once. Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[tuple[Program, int], FluidInstrument] = {}

    def keep(self, program: Program, rate_hz: int) -> None:
        """Have the samples of this one in memory. Raises InstrumentError."""
        with self._lock:
            if (program, rate_hz) not in self._kept:
                self._kept[program, rate_hz] = FluidInstrument(fluid_library(), program, rate_hz)
                if len(self._kept) > _MOST_KEPT:
                    self._kept.pop(next(iter(self._kept))).close()

    def new(self, program: Program, rate_hz: int) -> FluidInstrument:
        """Another one. Raises InstrumentError."""
        self.keep(program, rate_hz)
        return FluidInstrument(fluid_library(), program, rate_hz)


_KEPT = _Kept()
_LOOK_EVERY_S = 0.02
LOADING_THREAD = "gigmate-sounds"


class Rack:
    """The instruments of one run at one rate."""

    def __init__(self, rate_hz: int, patient: bool = False) -> None:
        self._rate_hz, self._patient = rate_hz, patient
        self._loading: dict[tuple[str, SoundLike], Future[FluidInstrument]] = {}
        self._trouble = ""

    def usual(self, part: str, style: str) -> int:
        """The program of the instrument that a style has for a part, from 0."""
        return programs_of(style)[part]

    def prepare(
        self, parts: Iterable[tuple[str, SoundLike]], waiting: Callable[[], None] | None = None
    ) -> tuple[str, ...]:
        """Load these and wait for them, calling `waiting` meanwhile; a line for each reason why some cannot be had.

        Any thread, before the first `take`.
        """
        wanted = [(part, sound) for part, sound in parts if sound.program >= 0]
        for part, sound in wanted:
            self._load(part, sound)
        troubles: dict[str, None] = {}
        for part, sound in wanted:
            loading = self._loading[part, sound]
            while not loading.done():
                time.sleep(_LOOK_EVERY_S)
                if waiting is not None:
                    waiting()
            error = loading.exception()
            if error is not None:
                troubles[_line(error)] = None
        return tuple(troubles)

    def foresee(self, part: str, sound: SoundLike) -> None:
        """This one will be wanted later: see to it that its samples are in memory by then. Never waits."""
        if sound.program >= 0 and (part, sound) not in self._loading:
            threading.Thread(target=self._warm, args=(part, sound), name=LOADING_THREAD, daemon=True).start()

    def take(self, part: str, sound: SoundLike) -> FluidInstrument | None:
        """A new instrument; None while it is still loading, or where it cannot be had: then `trouble` says why."""
        self._load(part, sound)
        loading = self._loading[part, sound]
        if not self._patient and not loading.done():
            return None
        del self._loading[part, sound]
        try:
            return loading.result()
        except Exception as error:  # noqa: BLE001 - said by whoever took it; the part stays as it is
            self._trouble = _line(error)
        return None

    def trouble(self) -> str:
        """Why the last one cannot be had, in one line, said once; else empty."""
        trouble, self._trouble = self._trouble, ""
        return trouble

    def _load(self, part: str, sound: SoundLike) -> None:
        if (part, sound) in self._loading:
            return
        loading: Future[FluidInstrument] = Future()
        self._loading[part, sound] = loading
        threading.Thread(
            target=self._run, args=(loading, part, sound), name=LOADING_THREAD, daemon=True
        ).start()  # left behind where the run ends first

    def _warm(self, part: str, sound: SoundLike) -> None:
        with contextlib.suppress(InstrumentError):  # said when it is wanted
            _KEPT.keep(program_in(bank_named(sound.bank), part, sound), self._rate_hz)

    def _run(self, loading: Future[FluidInstrument], part: str, sound: SoundLike) -> None:
        try:
            made = _KEPT.new(program_in(bank_named(sound.bank), part, sound), self._rate_hz)
        except Exception as error:  # noqa: BLE001 - carried to the thread that takes
            loading.set_exception(error)
        else:
            loading.set_result(made)


def _line(error: BaseException) -> str:
    return str(error) if isinstance(error, InstrumentError) else f"no instrument ({type(error).__name__}: {error})"


def program_in(bank: Bank, part: str, sound: SoundLike) -> Program:
    """Where a bank has a sound. Raises InstrumentError where it does not."""
    kit = part == "drums"
    number = DRUM_BANK if kit else 0
    if (number, sound.program) not in bank.presets:
        there = bank.kits if kit else bank.programs
        have = f"it has {', '.join(str(program + 1) for program in there)}" if kit and there else "take another"
        raise InstrumentError(f"{bank.path.name} has no {sound.name} ({sound.program + 1}): {have}")
    return Program(str(bank.path), number, sound.program, kit)
