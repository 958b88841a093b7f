"""Stems as people name and break them: found, refused in one line with the file's name, or left out and said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from gigmate.cli import boundary, main
from gigmate.training.errors import TrainingError
from gigmate.training.sound.stem_files import StemError, find_stems, read_stem, read_stems
from gigmate.training.stem_store import as_store

RATE_HZ = 32_000


def tone(seconds: float = 2.0, rate_hz: int = RATE_HZ) -> np.ndarray:
    return (0.3 * np.sin(2 * np.pi * 220 * np.arange(round(seconds * rate_hz)) / rate_hz)).astype(np.float32)


def put(path: Path, sound: np.ndarray | bytes | None = None, rate_hz: int = RATE_HZ, **more: str) -> Path:
    if isinstance(sound, bytes):
        path.write_bytes(sound)
    else:
        soundfile.write(path, tone() if sound is None else sound, rate_hz, **more)
    return path


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (("Lead.WAV", "DRUMS.Flac"), {"lead": "Lead.WAV", "drums": "DRUMS.Flac"}),
        (("guitar.ogg", "Bass Guitar.wav", "E-Piano.mp3"),
         {"lead": "guitar.ogg", "bass": "Bass Guitar.wav", "keys": "E-Piano.mp3"}),
        (("gtr.wav", "drum_kit.aif"), {"lead": "gtr.wav", "drums": "drum_kit.aif"}),
        (("lead.wav.asd", "lead.mid", "._lead.wav", "notes.txt", "leader.wav"), {}),
    ],
)  # fmt: skip
def test_names_as_people_write_them(names: tuple[str, ...], chosen: dict[str, str], tmp_path: Path) -> None:
    for name in names:
        (tmp_path / name).touch()
    found, said = find_stems(tmp_path)
    assert {part: path.name for part, path in found.items()} == chosen
    assert not said


def test_of_two_for_one_part_the_plainer_name_is_taken_and_said(tmp_path: Path) -> None:
    for name in ("guitar.wav", "lead.flac", "lead.wav"):
        (tmp_path / name).touch()
    found, said = find_stems(tmp_path)
    assert found["lead"].name == "lead.wav"
    assert said == [f"{tmp_path}: lead.wav is taken for the lead, lead.flac, guitar.wav left out"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "cannot be read as sound"),
        (b"this is no sound", "cannot be read as sound"),
        (np.zeros(0, np.float32), "holds no sound"),
        (np.full(99, np.nan, np.float32), "holds no number at 0.00 s"),
        (np.concatenate([tone(), [np.inf]]), "holds no number at 2.00 s"),
    ],
)
def test_a_stem_that_cannot_be_is_one_line_with_its_name(
    content: bytes | np.ndarray, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "song"
    folder.mkdir()
    put(folder / "lead.wav")
    bad = put(folder / "drums.wav", content, **({} if isinstance(content, bytes) else {"subtype": "FLOAT"}))
    with pytest.raises(StemError, match=words):
        read_stems(folder, RATE_HZ)
    assert boundary.run(main.app, "gigmate", ["data", "import", str(folder), "--out", str(tmp_path / "out")]) == 2
    errors = capsys.readouterr().err
    assert str(bad) in errors and words in errors and errors.count("\n") == 1
    with pytest.raises(TrainingError, match=words):
        as_store(tmp_path, tmp_path / "made", "rock")


def test_stems_of_any_kind_are_read_whole(tmp_path: Path) -> None:
    put(tmp_path / "lead.wav", tone(2.0, 48_000), 48_000, subtype="FLOAT")
    put(tmp_path / "drums.flac", np.stack([tone(3.0)] * 2, axis=1))
    put(tmp_path / "bass.wav", tone(1.0), subtype="PCM_32")
    stems, said = read_stems(tmp_path, RATE_HZ)
    assert {len(sound) for sound in stems.values()} == {3 * RATE_HZ} and not said
    for part, seconds in (("lead", 2), ("drums", 3), ("bass", 1)):
        np.testing.assert_allclose(stems[part][400:30_000], tone()[400:30_000], atol=1e-3)
        assert not stems[part][seconds * RATE_HZ :].any()
    assert not stems["keys"].any()


def test_silence_is_no_part(tmp_path: Path) -> None:
    put(tmp_path / "lead.wav")
    put(tmp_path / "bass.wav")
    quiet = put(tmp_path / "drums.wav", 1e-5 * tone(9.0))
    stems, said = read_stems(tmp_path, RATE_HZ)
    assert said == [f"{quiet}: is silent and left out: the song has no drums"]
    assert not stems["drums"].any() and len(stems["lead"]) == 2 * RATE_HZ
    (tmp_path / "bass.wav").unlink()
    with pytest.raises(StemError, match=r"at least one of drums\.wav, bass\.wav, keys\.wav that is not silent"):
        read_stems(tmp_path, RATE_HZ)
    put(tmp_path / "lead.wav", np.zeros(RATE_HZ, np.float32))
    with pytest.raises(StemError, match=r"lead\.wav: is silent"):
        read_stems(tmp_path, RATE_HZ)


def test_channels_of_the_lead(tmp_path: Path) -> None:
    path = put(tmp_path / "lead.wav", np.stack([np.zeros(RATE_HZ, np.float32), tone(1.0), -tone(1.0)], axis=1))
    assert np.abs(read_stem(path, RATE_HZ)[0]).max() < 1e-3
    np.testing.assert_allclose(read_stem(path, RATE_HZ, (2,))[0], tone(1.0), atol=1e-4)
    with pytest.raises(StemError, match=r"lead\.wav: has channels 1 to 3: there is no channel 4"):
        read_stem(path, RATE_HZ, (4,))


def test_a_shard_that_is_none_is_one_line(tmp_path: Path) -> None:
    for content in (b"", b"PK\3\4 no archive", b"no archive"):
        (tmp_path / "song-000001.npz").write_bytes(content)
        with pytest.raises(TrainingError, match=r"song-000001\.npz: is no song"):
            as_store(tmp_path, tmp_path / "made", "rock")


def test_what_is_left_out_is_told_to_who_trains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gigmate.training import stem_store

    song = type("Song", (), {"rate_hz": 32_000, "meta": {"tracked": True, "remarks": ["drums.wav: is silent"]}})()
    monkeypatch.setattr(stem_store, "import_song", lambda *_: song)
    monkeypatch.setattr(stem_store, "_pieces", lambda song: [])
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "Lead.wav").touch()
    said: list[str] = []
    as_store(tmp_path, tmp_path / "made", "rock", say=said.append)
    assert said == ["drums.wav: is silent"]
