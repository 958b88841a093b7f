"""Banks: found in the usual places, read without their samples, and one line for what is none."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import pytest
from gigmate.sound import banks
from gigmate.sound.banks import InstrumentError, bank_named, found_banks, read_bank, usual_bank

from .tiny_bank import write_bank


@pytest.fixture(autouse=True)
def nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the banks of the test are there."""
    monkeypatch.setattr(banks, "FOLDERS", (str(tmp_path / "system"),))
    monkeypatch.setenv("GIGMATE_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.delenv(banks.VARIABLE, raising=False)
    (tmp_path / "system").mkdir()


def test_a_bank_says_what_is_in_it(tmp_path: Path) -> None:
    bank = read_bank(write_bank(tmp_path / "tiny.sf2", programs=(0, 33), kits=(0, 40)))
    assert bank.name == "Tiny"
    assert bank.programs == {0: "preset 0", 33: "preset 33"}
    assert bank.kits == {0: "preset 0", 40: "preset 40"}
    assert not bank.general


def test_a_whole_set_comes_before_a_part_of_one_and_own_places_before_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = tmp_path / "system"
    write_bank(system / "FluidR3_GM.sf2", programs=(0, 33))
    write_bank(system / "other.SF2", programs=tuple(range(128)))
    (system / "again.sf2").symlink_to(system / "other.SF2")
    assert len(found_banks()[0]) == 2
    assert usual_bank().general
    own = tmp_path / "config" / "sounds"
    own.mkdir(parents=True)
    write_bank(own / "mine.sf2")
    assert usual_bank().path.name == "mine.sf2"
    named = write_bank(tmp_path / "named.sf2")
    monkeypatch.setenv(banks.VARIABLE, str(named))
    assert usual_bank().path == named
    assert bank_named("fluid").path.name == "FluidR3_GM.sf2"
    assert bank_named(str(named)).path == named
    with pytest.raises(InstrumentError, match="no bank 'steinway': found are named, mine"):
        bank_named("steinway")


def test_without_a_bank_the_line_says_what_to_install() -> None:
    with pytest.raises(InstrumentError, match=f"no bank of instruments was found: `sudo apt install {banks.PACKAGE}`"):
        usual_bank()


def test_what_is_cut_off_is_one_line_and_the_others_are_found(tmp_path: Path) -> None:
    whole = write_bank(tmp_path / "system" / "whole.sf2").read_bytes()
    for number, length in enumerate((0, 3, 11, 12, 40, 200, len(whole) // 2, len(whole) - 1)):
        (tmp_path / "system" / f"cut{number}.sf2").write_bytes(whole[:length])
    found, faults = found_banks()
    assert [bank.path.name for bank in found] == ["whole.sf2"]
    assert len(faults) == 8
    assert all("\n" not in fault and fault.endswith(": take another bank") for fault in faults)


def test_a_hostile_bank_is_one_line_or_holds(tmp_path: Path) -> None:
    """Any byte of its tables may be anything."""
    raw = write_bank(tmp_path / "whole.sf2").read_bytes()
    tables = raw.index(b"pdta")
    rng, said = random.Random(5), 0
    for number in range(300):
        broken = bytearray(raw)
        for _ in range(3):
            broken[rng.choice((rng.randrange(60), rng.randrange(tables, len(raw))))] = rng.randrange(256)
        path = tmp_path / f"broken{number % 40}.sf2"
        path.write_bytes(broken)
        try:
            read_bank(path)
        except InstrumentError as error:
            said += 1
            assert "\n" not in str(error)
    assert said > 30


def test_tables_that_point_outside_never_reach_the_library(tmp_path: Path) -> None:
    raw = bytearray(write_bank(tmp_path / "whole.sf2").read_bytes())
    place = raw.index(b"pbag") + 8
    raw[place : place + 2] = struct.pack("<H", 60_000)
    path = tmp_path / "outside.sf2"
    path.write_bytes(raw)
    with pytest.raises(InstrumentError, match="its table pbag points outside"):
        read_bank(path)


def test_parts_of_odd_length_may_stand_without_padding(tmp_path: Path) -> None:
    """As sf3convert writes them."""
    raw = write_bank(tmp_path / "whole.sf2").read_bytes()
    place = raw.index(b"sdta") - 4
    length = struct.unpack("<I", raw[place : place + 4])[0]
    odd = (
        raw[:place]
        + struct.pack("<I", length + 1)
        + raw[place + 4 : place + 4 + length]
        + b"\1"
        + raw[place + 4 + length :]
    )
    path = tmp_path / "odd.sf3"
    path.write_bytes(odd[:4] + struct.pack("<I", len(odd) - 8) + odd[8:])
    assert read_bank(path).programs


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InstrumentError, match="No such file or directory"):
        bank_named(str(tmp_path / "none.sf2"))
