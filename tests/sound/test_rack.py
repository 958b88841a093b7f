"""The rack: instruments one for each use, loaded aside, and one line where there is none."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from gigmate.engine.part_sounds import part_sound
from gigmate.sound import banks, rack
from gigmate.sound.banks import read_bank
from gigmate.sound.fluid_library import InstrumentError, fluid_library
from gigmate.sound.rack import Rack, program_in

from .tiny_bank import write_bank

try:
    fluid_library()
except InstrumentError as error:
    pytest.skip(str(error), allow_module_level=True)


@pytest.fixture
def bank(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(banks, "FOLDERS", ())
    monkeypatch.setenv("GIGMATE_CONFIG_DIR", str(tmp_path))
    path = write_bank(tmp_path / "tiny.sf2", programs=(4, 33), kits=(0,))
    monkeypatch.setenv(banks.VARIABLE, str(path))
    return path


def test_each_use_has_an_instrument_of_its_own(bank: Path) -> None:
    patient = Rack(48_000, patient=True)
    rhodes = part_sound("keys", "rhodes")
    one, other = patient.take("keys", rhodes), patient.take("keys", rhodes)
    assert one is not None and other is not None and one is not other
    for instrument in (one, other):
        instrument.start_anew(0)
    one.note(0, 60, 100)
    assert one.render(4800).any()
    assert not other.render(4800).any()


def test_taking_never_waits_unless_it_is_asked_to(bank: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    may_go = threading.Event()
    new = rack._KEPT.new

    def slowly(*what: object) -> object:
        may_go.wait(10)
        return new(*what)  # type: ignore[arg-type]

    monkeypatch.setattr(rack._KEPT, "new", slowly)
    live = Rack(48_000)
    sound = part_sound("bass", "fingered bass")
    assert live.take("bass", sound) is None
    assert live.trouble() == ""
    may_go.set()
    until_s = time.monotonic() + 10
    while (taken := live.take("bass", sound)) is None and time.monotonic() < until_s:
        time.sleep(0.01)
    assert taken is not None


def test_what_a_bank_lacks_is_one_line(bank: Path) -> None:
    with pytest.raises(InstrumentError, match=r"tiny.sf2 has no jazz kit \(33\): it has 1"):
        program_in(read_bank(bank), "drums", part_sound("drums", "jazz kit"))
    patient = Rack(48_000, patient=True)
    assert patient.take("keys", part_sound("keys", "harp")) is None
    assert "has no harp (47)" in patient.trouble()
    assert patient.trouble() == ""


def test_preparing_waits_and_says_each_reason_once(bank: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    live, asked = Rack(48_000), []
    wanted = [("drums", part_sound("drums", 1)), ("keys", part_sound("keys", "neural"))]
    assert live.prepare(wanted, lambda: asked.append(1)) == ()
    assert live.take("drums", wanted[0][1]) is not None
    monkeypatch.delenv(banks.VARIABLE)
    lines = Rack(48_000).prepare([("drums", part_sound("drums", 1)), ("bass", part_sound("bass", 34))])
    assert lines == (
        f"no bank of instruments was found: `sudo apt install {banks.PACKAGE}`, or name one in $GIGMATE_SOUNDS",
    )
