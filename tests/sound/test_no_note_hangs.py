"""Evenings at random with instruments of FluidSynth: swaps, gaps, stops and styles; in the end nothing sounds."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from gigmate.engine.commands import SetSound, StepSound
from gigmate.engine.config import EngineConfig
from gigmate.engine.fault_log import FaultLog
from gigmate.engine.part_sounds import part_sound
from gigmate.engine.player import PARTS, Controls, Moment
from gigmate.engine.run.band_step import BandStep
from gigmate.engine.timing.fixed_grid import GridConductor
from gigmate.model.note_events import NoteReader
from gigmate.sound import banks
from gigmate.sound.fluid_instrument import FluidInstrument
from gigmate.sound.fluid_library import InstrumentError, fluid_library
from gigmate.sound.rack import Rack

from ..engine.fakes import FRAME, FakePlayer
from .tiny_bank import write_bank

RATE_HZ, LEVELS_DB = 48_000, (0.0, 0.0, 0.0)
RINGS_FRAMES = 25 * 8

try:
    fluid_library()
except InstrumentError as error:
    pytest.skip(str(error), allow_module_level=True)


class Busy(FakePlayer):
    """Notes at random, through the reader that sees to it that each ends."""

    def __init__(self, seed: int) -> None:
        super().__init__(play_delay_samples=640)
        self._chance = random.Random(seed)
        self._reader = NoteReader(0, 3, FRAME)
        self._events: list[object] = []
        self.resting = False

    def play(self, moment: Moment, controls: Controls) -> np.ndarray:
        chance, frame = self._chance, []
        for part in range(3):
            if self.resting or chance.random() < 0.3:
                frame.append([0] * 6)
            else:
                notes = [chance.randrange(1, 128)] if part == 0 else [chance.randrange(20, 60) for _ in range(4)]
                frame.append([chance.randrange(1, 8), chance.randrange(1, 9), *notes, *[0] * (4 - len(notes))])
        self._events = list(self._reader.read(frame, controls.style))
        return np.zeros((3, FRAME), np.float32)

    def notes(self) -> list[object]:
        return self._events


class Watched(Rack):
    """Remembers what it gave."""

    given: list[FluidInstrument]

    def take(self, part: str, sound: object) -> FluidInstrument | None:
        one = super().take(part, sound)  # type: ignore[arg-type]
        if one is not None:
            self.given.append(one)
        return one


@pytest.mark.parametrize("seed", range(4))
def test_in_the_end_nothing_sounds(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(banks, "FOLDERS", ())
    monkeypatch.setenv("GIGMATE_CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv(banks.VARIABLE, str(write_bank(tmp_path / "all.sf2", tuple(range(128)), (0, 8, 16, 24, 32, 40))))
    chance, player, rack = random.Random(seed), Busy(seed), Watched(RATE_HZ, patient=True)
    rack.given = []
    config = EngineConfig(start_playing=True, wait_for_musician=False)
    band = BandStep(config, RATE_HZ, player, GridConductor(150, 4, RATE_HZ), FaultLog())
    assert band.play_instruments(rack)
    for part in PARTS:
        band.set_sounds(SetSound(part, "instruments"))
    band.stage.start()
    frame, controls = 0, Controls()

    def play(frames: int) -> float:
        nonlocal frame
        loudest = 0.0
        for _ in range(frames):
            made = band.make(frame, band.direct(frame, fresh=frame == 0), controls, LEVELS_DB)
            loudest = max([loudest, *(float(np.abs(one.parts).max()) for one in made or ())])
            frame += 1
        return loudest

    assert play(25) > 0.01
    for _ in range(12):
        what, part = chance.randrange(5), chance.choice(PARTS)
        if what == 0:
            band.leave_out(frame)  # a frame too late, a stop, a panic
            frame += chance.randrange(1, 40)
        elif what == 1:
            band.set_sounds(StepSound(part))
        elif what == 2:
            band.set_sounds(SetSound(part, chance.choice(("neural", "instruments"))))
        elif what == 3:
            controls = Controls(style=chance.choice(("rock", "swing", "funk", "hip_hop")))
        else:
            band.set_sounds(SetSound("keys", part_sound("keys", chance.randrange(1, 129)).name))
        play(chance.randrange(5, 60))
    player.resting = True
    play(RINGS_FRAMES)
    assert play(1) == 0.0
    sounding = {one for part in band._instruments._parts for one in (part.instrument,) if one is not None}  # type: ignore[union-attr]
    assert all(one.voices == 0 for one in sounding)
    assert len(rack.given) > 3
