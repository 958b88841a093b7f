"""`gigmate sounds` and --sound: what is listed, played and said, and that nothing missing is a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest
import soundfile
from gigmate.cli import boundary, main
from gigmate.sound import banks, fluid_library
from gigmate.sound.fluid_library import InstrumentError

from ...sound.tiny_bank import write_bank

try:
    fluid_library.fluid_library()
except InstrumentError as error:
    pytest.skip(str(error), allow_module_level=True)


@pytest.fixture(autouse=True)
def only_mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One bank, of the musician's own."""
    monkeypatch.setattr(banks, "FOLDERS", ())
    monkeypatch.delenv(banks.VARIABLE, raising=False)
    monkeypatch.setenv("GIGMATE_CONFIG_DIR", str(tmp_path))
    (tmp_path / "sounds").mkdir()
    return write_bank(tmp_path / "sounds" / "mine.sf2", programs=(0, 4, 33), kits=(0,))


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = boundary.run(main.app, "gigmate", list(words))
    out = capsys.readouterr()
    assert "Traceback" not in out.err and out.err.count("\n") <= 1
    return code, out.out, out.err


def test_the_list_says_which_bank_is_used_and_what_is_in_it(
    capsys: pytest.CaptureFixture[str], only_mine: Path
) -> None:
    cut = only_mine.with_name("cut.sf2")
    cut.write_bytes(only_mine.read_bytes()[:5000])
    code, out, _ = said(capsys, "sounds")
    assert code == 0
    assert f"* {only_mine}: Tiny" in out
    assert "    5  electric piano 1" in out and "    1  standard kit" in out
    assert f"left out: {cut}: is cut off" in out
    code, _, err = said(capsys, "sounds", "--bank", str(cut))
    assert code == 1 and "is cut off: it is shorter than it says" in err


def test_a_note_is_played_into_a_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "note.wav"
    code, out, _ = said(capsys, "sounds", "--play", "keys=rhodes", "--output-file", str(file))
    assert (code, out.splitlines()) == (0, ["electric piano 1 of mine.sf2", str(file)])
    sound, rate_hz = soundfile.read(file)
    assert (rate_hz, sound.shape[1]) == (48_000, 2)
    assert abs(sound).max() > 0.01


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (["sounds", "--play", "pianno", "--output-file", "x.wav"], 2, "did you mean piano?"),
        (["sounds", "--play", "neural", "--output-file", "x.wav"], 2, "plays with you alone"),
        (["sounds", "--play", "harp", "--output-file", "x.wav"], 1, "mine.sf2 has no harp (47)"),
        (["sounds", "--output-file", "x.wav"], 2, "--output-file needs --play"),
        (["sounds", "--bank", "steinway"], 1, "no bank 'steinway': found are mine"),
        (["live", "--sound", "rhodes"], 2, "give neural, instruments, or PART=WHAT"),
        (["live", "--sound", "keys=kazoo"], 2, "no sound 'kazoo' for keys"),
        (["complete", "x.wav", "--sound", "choir=neural"], 1, "x.wav"),
    ],
)
def test_what_cannot_be_is_one_line(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    code: int,
    text: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    got, _, err = said(capsys, *words)
    assert got == code and text in err
    assert not (tmp_path / "x.wav").exists()


def test_without_a_bank_or_without_the_library_the_line_says_what_to_install(
    capsys: pytest.CaptureFixture[str], only_mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_mine.unlink()
    code, _, err = said(capsys, "sounds")
    assert code == 1 and f"`sudo apt install {banks.PACKAGE}`" in err
    write_bank(only_mine)
    monkeypatch.setattr(fluid_library, "NAMES", ("libnothing.so.9",))
    monkeypatch.setattr(fluid_library.ctypes.util, "find_library", lambda _name: None)
    fluid_library.fluid_library.cache_clear()
    code, out, _ = said(capsys, "sounds")
    assert code == 0 and "instruments need FluidSynth: `" in out
    code, _, err = said(capsys, "sounds", "--play", "keys", "--output-file", "x.wav")
    fluid_library.fluid_library.cache_clear()
    assert code == 1 and "instruments need FluidSynth: `" in err
