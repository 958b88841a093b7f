"""Prints the figures of docs/decisions on the synthesiser: FluidSynth beside the wheel tinysoundfont, bank by bank.

`python tests/sound/against_tinysoundfont.py`; needs FluidSynth, tinysoundfont and at least one bank. Not a test.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Iterable
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

import numpy as np
import tinysoundfont
from gigmate.sound.banks import found_banks
from gigmate.sound.fluid_instrument import BLOCK, FluidInstrument, Program
from gigmate.sound.fluid_library import fluid_library

HZ, SECONDS = 48_000, 20
VELOCITIES = (8, 24, 40, 56, 72, 88, 104, 120)
BLOCKS = (16, 64, 128, 480, 1920, 2048)
SOUNDS = (("snare", 128, 0, 38), ("fingered bass", 0, 33, 40), ("grand piano", 0, 0, 60), ("rock organ", 0, 18, 60))
LIBRARY = fluid_library()


@lru_cache(maxsize=4)
def opened(path: str, _number: int) -> tuple[tinysoundfont.Synth, int]:
    """It reads a whole bank for each synth: these are used again."""
    synth = tinysoundfont.Synth(samplerate=HZ)
    return synth, synth.sfload(path, max_voices=96)


class Tiny:
    """tinysoundfont with one program, in the same words as FluidInstrument."""

    def __init__(self, path: str, bank: int, program: int) -> None:
        self._synth, identity = opened(path, program)
        self._synth.sounds_off()
        self._synth.generate(HZ // 2)
        self._synth.program_select(0, identity, bank, program, bank == 128)

    def note(self, pitch: int, velocity: int) -> None:
        if velocity:
            self._synth.noteon(0, pitch, velocity)
        else:
            self._synth.noteoff(0, pitch)

    def render(self, count: int) -> np.ndarray:
        return np.frombuffer(bytes(self._synth.generate(count)), np.float32).reshape(-1, 2).T


class Fluid:
    def __init__(self, path: str, bank: int, program: int) -> None:
        self._one = FluidInstrument(LIBRARY, Program(path, bank, program, bank == 128), HZ)
        self._one.start_anew(0)
        self._at = 0

    def note(self, pitch: int, velocity: int, at: int | None = None) -> None:
        """Now, or at a sample that is still to come."""
        self._one.note(self._at if at is None else at, pitch, velocity)

    def render(self, count: int) -> np.ndarray:
        self._at += count
        return self._one.render(count)


Synth = Tiny | Fluid


def peak_db(sound: np.ndarray) -> float:
    return 20.0 * math.log10(float(np.abs(sound).max()) + 1e-9)


def memory_mb() -> float:
    return int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1]) * 4096 / 1e6


def touch(kind: type[Synth], path: str) -> Iterable[str]:
    for name, bank, program, pitch in SOUNDS:
        levels = []
        for velocity in VELOCITIES:
            synth = kind(path, bank, program)
            synth.note(pitch, velocity)
            levels.append(peak_db(synth.render(HZ // 4)))
        yield f"{name}: " + " ".join(f"{level - levels[-1]:.1f}" for level in levels)


def lateness(kind: type[Synth], path: str, ahead: bool = False) -> list[int]:
    """Samples by which a note comes after its place, for places off the grid of 64; against the first of all.

    `ahead`: it is told before its time, as the band knows it.
    """
    places = (0, 1, 10, 32, 63, 64, 100, 640)
    whole = []
    for place in places:
        synth = kind(path, 128, 0)
        if ahead and isinstance(synth, Fluid):
            synth.note(37, 120, place)
        before = synth.render(place) if place else np.zeros((2, 0))
        assert not before.any()
        if not ahead:
            synth.note(37, 120)
        whole.append(synth.render(4800)[0])
    lags = []
    for sound in whole:
        size = 2 * len(sound)
        meet = np.fft.irfft(np.fft.rfft(sound, size) * np.conj(np.fft.rfft(whole[0], size)))
        lag = int(np.argmax(meet))
        lags.append(lag - size if lag > size // 2 else lag)
    return lags


def load(kind: type[Synth], path: str, block: int) -> float:
    """Milliseconds of one core for a second of three parts: eighths at 120, chords of four notes."""
    rng = random.Random(1)
    drums, bass, keys = kind(path, 128, 0), kind(path, 0, 33), kind(path, 0, 4)
    begin, due, eighth = time.process_time(), 0, 0
    for at in range(0, HZ * SECONDS, block):
        if at >= due:
            due += HZ // 4
            drums.note(42, 60 + eighth % 2 * 20)
            if eighth % 2 == 0:
                drums.note(rng.choice((36, 38)), 110)
                bass.note(40, 0)
                bass.note(40, 90)
            if eighth % 4 == 0:
                for pitch in (60, 64, 67, 71):
                    keys.note(pitch, 0)
                    keys.note(pitch, 80)
            eighth += 1
        for synth in (drums, bass, keys):
            synth.render(block)
    return 1000 * (time.process_time() - begin) / SECONDS


def main() -> None:
    print(f"FluidSynth {LIBRARY.version}, tinysoundfont {version('tinysoundfont')}, {HZ} Hz")
    print(f"the standard's law from {VELOCITIES[-1]}:", *(f"{40 * math.log10(v / 120):.1f}" for v in VELOCITIES))
    banks, _ = found_banks()
    for bank in banks:
        path = str(bank.path)
        print(
            f"\n{bank.path.name}: {bank.size_bytes / 1e6:.0f} MB, {len(bank.programs)} programs, {len(bank.kits)} kits"
        )
        for kind in (Fluid, Tiny):
            memory, begin = memory_mb(), time.process_time()
            kept = [kind(path, number, program) for _, number, program, _ in SOUNDS]
            spent = time.process_time() - begin
            print(f" {kind.__name__}: four sounds open in {spent:.2f} s of one core, {memory_mb() - memory:+.0f} MB")
            for line in touch(kind, path):
                print(f"  {line}")
            del kept
    path = str(banks[0].path)
    print(f"\nFluid, told ahead: samples late at the same places: {lateness(Fluid, path, ahead=True)}")
    for kind in (Fluid, Tiny):
        print(f"\n{kind.__name__}: samples late at 0, 1, 10, 32, 63, 64, 100, 640: {lateness(kind, path)}")
        print(
            "  ms of one core for a second, by block:", *(f"{block}: {load(kind, path, block):.1f}" for block in BLOCKS)
        )
    plain = Fluid(path, 0, 0)
    for number in range(400):
        plain.note(30 + number % 80, 100)
    plain.render(BLOCK * 4)
    print(f"\nFluidSynth after 400 notes at once: {plain._one.voices} voices")


if __name__ == "__main__":
    main()
