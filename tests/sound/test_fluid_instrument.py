"""An instrument of FluidSynth: notes on their sample in blocks of any size, touch, what ends, what is repeatable.

With a bank made here; no bank of the system is needed, but FluidSynth is.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gigmate.sound import fluid_library
from gigmate.sound.fluid_instrument import BLOCK, FluidInstrument, Program
from gigmate.sound.fluid_library import InstrumentError

from .tiny_bank import KIT, PROGRAM, write_bank

HZ = 48_000

try:
    LIBRARY = fluid_library.fluid_library()
except InstrumentError as error:
    pytest.skip(str(error), allow_module_level=True)


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bank(tmp_path_factory.mktemp("bank") / "tiny.sf2")


def instrument(bank: Path, kit: bool = False) -> FluidInstrument:
    return FluidInstrument(LIBRARY, Program(str(bank), 128 if kit else 0, KIT if kit else PROGRAM, kit), HZ)


def played(one: FluidInstrument, block: int, samples: int) -> np.ndarray:
    return np.concatenate([one.render(block) for _ in range(-(-samples // block))], axis=1)[:, :samples]


@pytest.mark.parametrize("block", [16, 100, 441, 1920, 2048])
def test_a_note_begins_on_its_sample_whatever_the_blocks(bank: Path, block: int) -> None:
    one = instrument(bank)
    one.start_anew(0)
    one.note(0, 60, 100)
    reference = played(one, 1920, 6000)
    for at in (1000, 1001, 1037, 1063, 1064, 2999):
        one.start_anew(1000)
        one.note(at, 60, 100)
        sound = played(one, block, 6000)
        assert not sound[:, : at - 1000].any()
        np.testing.assert_array_equal(sound[:, at - 1000 :], reference[:, : 7000 - at])
    assert np.abs(reference[:, :BLOCK]).max() > 0.0


def test_velocity_has_the_law_of_the_standard(bank: Path) -> None:
    one = instrument(bank)
    levels_db = []
    for velocity in (127, 64, 32):
        one.start_anew(0)
        one.note(0, 60, velocity)
        levels_db.append(20 * np.log10(np.abs(one.render(4800)).max()))
    assert levels_db[1] - levels_db[0] == pytest.approx(40 * np.log10(64 / 127), abs=0.5)
    assert levels_db[2] - levels_db[0] == pytest.approx(40 * np.log10(32 / 127), abs=0.5)


def test_a_note_ends_where_it_is_told_and_all_end_at_once(bank: Path) -> None:
    one = instrument(bank)
    one.start_anew(0)
    one.note(0, 60, 100)
    one.note(0, 64, 100)
    one.note(9600, 60, 0)
    one.note(20_000, 67, 100)
    sound = one.render(9600)
    assert np.abs(sound).max() > 0.01
    one.end_all(14_400)
    after = one.render(48_000)
    assert one.voices == 0
    assert np.abs(after[:, :4000]).max() > 0.01  # the other note still sounds
    assert np.abs(after[:, 9600:]).max() < 1e-4  # and nothing that was to begin later does


def test_a_hit_of_a_kit_rings_out_though_its_note_is_over(bank: Path) -> None:
    kit, keys = instrument(bank, kit=True), instrument(bank)
    for one in (kit, keys):
        one.start_anew(0)
        one.note(0, 60, 100)
        one.note(960, 60, 0)
    assert np.abs(kit.render(9600)[:, 4800:]).max() > 10 * np.abs(keys.render(9600)[:, 4800:]).max()


def test_a_hit_that_would_never_end_is_let_go_and_one_struck_again_is_not(tmp_path: Path) -> None:
    looped = write_bank(tmp_path / "looped.sf2", looped=True)
    kit = FluidInstrument(LIBRARY, Program(str(looped), 128, KIT, kit=True), HZ)
    kit.start_anew(0)
    kit.note(0, 60, 100)
    kit.note(3 * HZ, 60, 100)
    assert np.abs(kit.render(6 * HZ)[:, 5 * HZ :]).max() > 0.001
    kit.render(3 * HZ)
    assert kit.voices == 0


def test_the_same_notes_give_the_same_samples(bank: Path) -> None:
    def music() -> np.ndarray:
        one = instrument(bank)
        one.start_anew(0)
        rng = np.random.default_rng(3)
        for _ in range(60):
            one.note(int(rng.integers(0, 40_000)), int(rng.integers(40, 80)), int(rng.integers(1, 127)))
        return one.render(48_000)

    np.testing.assert_array_equal(music(), music())


def test_starting_anew_is_silence(bank: Path) -> None:
    one = instrument(bank)
    one.start_anew(0)
    for pitch in range(40, 80):
        one.note(pitch * 100, pitch, 127)
    one.render(6000)
    one.start_anew(50_000)
    assert not one.render(9600).any()
    assert one.voices == 0


def test_more_notes_than_there_are_voices_are_no_fault(bank: Path) -> None:
    one = instrument(bank)
    one.start_anew(0)
    for number in range(600):
        one.note(number, 24 + number % 90, 100)
    assert np.isfinite(one.render(9600)).all()
    assert one.voices <= 96


def test_what_cannot_be_had_is_one_line(tmp_path: Path, bank: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InstrumentError, match="has no program 100"):
        FluidInstrument(LIBRARY, Program(str(bank), 0, 99), HZ)
    noise = tmp_path / "noise.sf2"
    noise.write_bytes(bytes(range(256)) * 20)
    with pytest.raises(InstrumentError, match="cannot read this bank"):
        FluidInstrument(LIBRARY, Program(str(noise), 0, 0), HZ)
    monkeypatch.setattr(fluid_library, "NAMES", ("libnothing.so.9",))
    monkeypatch.setattr(fluid_library.ctypes.util, "find_library", lambda _name: None)
    with pytest.raises(InstrumentError, match="instruments need FluidSynth: `"):
        fluid_library.fluid_library.__wrapped__()
