"""`gigmate complete`: every option, every format, bad recordings in one line, nothing left behind."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile
from gigmate.band import Band
from gigmate.cli import boundary, main, sound_files
from gigmate.cli.complete_job import Cancelled, Completion, complete
from gigmate.dsp.loudness_meter import integrated_lufs
from gigmate.engine.errors import ConfigError, EngineError
from gigmate.engine.mix import BAND_LUFS
from gigmate.engine.player import Controls, HeardFrame, Moment
from gigmate.model.note_events import NoteEvent

RATE_HZ = 44_100


class Hummer:
    """A Player of three sines, one for each part."""

    sample_rate_hz, frame_samples, tail_samples, play_delay_samples = 32_000, 1280, 640, 0

    def __init__(self) -> None:
        self.made = 0

    def reset(self, seed: int, ahead_frames: int) -> None:
        self.made = 0

    def set_ahead(self, ahead_frames: int) -> None:
        pass

    def listen(self, chunk: np.ndarray) -> HeardFrame:
        return HeardFrame(activity=1.0, level_db=-20.0)

    def play(self, moment: Moment, controls: Controls) -> np.ndarray:
        n = np.arange(1280) + self.made * 1280
        self.made += 1
        return np.stack([0.2 * np.sin(2 * np.pi * f * n / 32_000) for f in (110.0, 220.0, 440.0)]).astype(np.float32)


@pytest.fixture
def band(monkeypatch: pytest.MonkeyPatch) -> Band:
    band = Band(lambda seed: Hummer())
    monkeypatch.setattr("gigmate.cli.complete._load", lambda weights: band)
    return band


@pytest.fixture
def take(tmp_path: Path) -> Path:
    n = np.arange(2 * RATE_HZ)
    sound = 0.1 * np.sin(2 * np.pi * 1000 * n / RATE_HZ)
    soundfile.write(tmp_path / "take.wav", np.stack([sound, -sound], axis=1), RATE_HZ)
    return tmp_path / "take.wav"


def run(*arguments: object, wait: bool = False) -> int:
    more = [] if wait else ["--no-wait"]  # a hummer hears no beat
    return boundary.run(main.app, "gigmate", ["complete", "--force", *map(str, arguments), *more])


def tone(sound: np.ndarray, hz: float, rate_hz: int = RATE_HZ) -> float:
    """Amplitude of one frequency."""
    n = np.arange(len(sound))
    return float(2 * np.abs(np.mean(sound * np.exp(-2j * np.pi * hz * n / rate_hz))))


def test_the_plain_call(band: Band, take: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(take) == 0
    sound, rate_hz = soundfile.read(take.with_name("take-band.wav"))
    assert rate_hz == RATE_HZ
    assert sound.shape == (2 * RATE_HZ, 2)
    sound = sound.mean(axis=1)
    assert soundfile.info(take.with_name("take-band.wav")).subtype == "PCM_24"
    assert tone(sound[RATE_HZ:], 110) > 0.1
    assert tone(sound, 1000) < 0.01
    printed = capsys.readouterr().out
    assert "made 1 frame (40 ms) ahead, the least that the model was trained with" in printed
    assert "no look-ahead: these weights were taught to play ahead" in printed
    assert "take-band.wav" in printed
    assert sorted(path.name for path in take.parent.iterdir()) == ["take-band.wav", "take.wav"]


def test_the_band_waits_for_a_beat(
    band: Band, take: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = take.with_name("o.wav")
    assert run(take, "-o", out, "--continue", 0.5, wait=True) == 0
    sound, _ = soundfile.read(out)
    assert np.abs(sound[: 2 * RATE_HZ]).max() == 0.0
    assert np.abs(sound[2 * RATE_HZ + 6000 :]).max() > 0.1, "after the end it goes on all the same"
    assert run(take, "-o", out, wait=True) == 0
    assert "the band never came in: no beat was found to play to; --no-wait plays" in capsys.readouterr().out


def test_by_a_chart(
    band: Band, take: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    chart = tmp_path / "song.chart"
    chart.write_text("| C | F |")
    told: list[Moment] = []
    monkeypatch.setattr(Hummer, "listen", lambda self, chunk: HeardFrame(activity=1.0, level_db=-20.0))
    play = Hummer.play
    monkeypatch.setattr(
        Hummer, "play", lambda self, moment, controls: (told.append(moment), play(self, moment, controls))[1]
    )
    assert run(take, "--chart", chart, "--start", 0.5, "--chart-start", 0.75) == 0
    assert "the chart begins at 0.75 s" in capsys.readouterr().out
    assert {moment.chord_root for moment in told} == {0}  # no beat in a tone: it stands on its first bar
    assert run(take, "--chart", chart) == 0
    assert "no beat was found" in capsys.readouterr().out
    chart.write_text("| C | Fmja7 |")
    assert run(take, "--chart", chart) == 2
    assert "song.chart line 1, bar 2: no chord 'Fmja7' (did you mean Fmaj7?)" in capsys.readouterr().err
    assert run(take, "--chart-start", 1) == 2
    assert "needs a chart" in capsys.readouterr().err
    assert run(take, "--start", 1, "--chart", chart.with_name("no.chart")) == 2
    chart.write_text("| C |")
    assert run(take, "--start", 1, "--chart", chart, "--chart-start", 0.5) == 2


def test_the_notes_are_written_as_midi(
    band: Band, take: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A hit in every fifth frame and one long bass note, where they were played; keys were not asked for."""

    def notes(self: Hummer) -> list[NoteEvent]:
        frame = self.made - 1
        events = [NoteEvent(0, 36, 100, 480)] if frame % 5 == 0 else [NoteEvent(0, 36, 0, 0)]
        return [*events, NoteEvent(1, 40, 80, 0), NoteEvent(2, 60, 64, 0)] if frame == 10 else events

    monkeypatch.setattr(Hummer, "notes", notes, raising=False)
    out = tmp_path / "notes.mid"
    assert run(take, "--midi", out, "--parts", "drums,bass") == 0
    assert str(out) in capsys.readouterr().out
    file = mido.MidiFile(out)
    now, begun, ended = 0.0, [], 0
    for message in file:
        now += message.time
        if message.type == "note_on":
            begun.append((now, message.channel, message.note))
        ended += message.type == "note_off"
    drums = [at for at, channel, _ in begun if channel == 9]
    assert np.diff(drums) == pytest.approx(0.2, abs=1.5e-3)
    assert [(channel, note) for _, channel, note in begun if channel != 9] == [(0, 40)]
    assert ended == len(begun)
    assert run(take, "--midi", tmp_path / "notes.wav") == 2
    assert "ends in .mid" in capsys.readouterr().err


def test_parts_mix_stems_and_flac(band: Band, take: Path, tmp_path: Path) -> None:
    out, stems = tmp_path / "o.flac", tmp_path / "stems"
    assert run(take, "-o", out, "--parts", "bass,keys", "--mix", "--stems", stems, "--seed", 3) == 0
    sound, _ = soundfile.read(out)
    assert sound.shape == (2 * RATE_HZ, 2)
    late = sound[RATE_HZ:]
    assert tone(late[:, 0], 1000) == pytest.approx(0.1, abs=0.01)
    assert tone(late[:, 0] - late[:, 1], 1000) == pytest.approx(0.2, abs=0.01), "the recording keeps its place"
    assert tone(late[:, 0], 220) > 0.1
    assert tone(late[:, 0], 110) < 0.01
    assert sorted(path.name for path in stems.iterdir()) == ["bass.wav", "keys.wav"]
    assert tone(soundfile.read(stems / "bass.wav")[0][RATE_HZ:, 1], 220) > 0.1


def test_the_band_is_on_both_sides_of_whatever_was_recorded(band: Band, tmp_path: Path) -> None:
    sound = np.random.default_rng(0).standard_normal((RATE_HZ, 4)).astype(np.float32) * 0.02
    for channels in (1, 4):
        path = tmp_path / f"take{channels}.wav"
        soundfile.write(path, sound[:, :channels], RATE_HZ, "FLOAT")
        assert run(path, "-o", tmp_path / "both.wav", "--mix", "--parts", "keys") == 0
        assert run(path, "-o", tmp_path / "alone.wav", "--parts", "keys") == 0
        both, _ = soundfile.read(tmp_path / "both.wav")
        alone, _ = soundfile.read(tmp_path / "alone.wav")
        assert both.shape == (RATE_HZ, max(2, channels))
        sides = alone[:, [0, 1] * (both.shape[1] // 2)]
        gain = np.vdot(both - sound[:, :channels], sides) / np.vdot(sides, sides)
        np.testing.assert_allclose(both, gain * sides + sound[:, :channels], atol=1e-5)


def test_the_band_is_as_loud_as_the_recording(band: Band, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).standard_normal((RATE_HZ, 1)).astype(np.float32)
    found = {}
    for name, level, options in (
        ("soft", 0.01, ()), ("loud", 0.02, ()), ("more", 0.02, ("--band-lu", "6")), ("silent", 0.0, ())
    ):  # fmt: skip
        path = tmp_path / f"{name}.wav"
        soundfile.write(path, level * noise, RATE_HZ, "FLOAT")
        assert run(path, "-o", tmp_path / "both.wav", "--mix", "--parts", "keys", *options) == 0
        assert run(path, "-o", tmp_path / "alone.wav", "--parts", "keys") == 0
        both, alone = (soundfile.read(tmp_path / f"{which}.wav")[0] for which in ("both", "alone"))
        found[name] = np.vdot(both - level * noise, alone) / np.vdot(alone, alone)
    loudness = integrated_lufs(np.repeat(0.02 * noise, 2, axis=1).T, RATE_HZ)
    assert found["loud"] == pytest.approx(10 ** ((loudness - BAND_LUFS) / 20), rel=0.01)
    assert found["soft"] == pytest.approx(0.5 * found["loud"], rel=0.01)
    assert found["more"] == pytest.approx(10**0.3 * found["loud"], rel=0.01)
    assert found["silent"] == pytest.approx(1.0, rel=0.01)
    assert run(path, "--mix", "--band-lu", "40") == 2


def test_start_and_length_and_both_kinds(band: Band, take: Path, tmp_path: Path) -> None:
    out = tmp_path / "o.wav"
    assert run(take, "-o", out, "--start", 0.5, "--length", 0.7, "--ahead", "live") == 0
    assert soundfile.info(out).frames == round(0.7 * RATE_HZ)
    assert run(take, "-o", out, "--length", 1, "--continue", 0.5) == 0
    sound, _ = soundfile.read(out)
    assert len(sound) == round(1.5 * RATE_HZ)
    assert np.abs(sound[RATE_HZ:-2000]).max() > 0.2
    assert run(take, "-o", out, "--length", 1, "--continue", 0.5, "--no-accompany") == 0
    sound, _ = soundfile.read(out)
    assert np.abs(sound[:RATE_HZ]).max() == 0.0
    assert np.abs(sound[RATE_HZ:]).max() > 0.2


@pytest.mark.parametrize(
    ("name", "subtype", "rate_hz"),
    [("a.wav", "PCM_U8", 8_000), ("a.wav", "DOUBLE", 96_000), ("a.ogg", "VORBIS", 22_050), ("a.mp3", None, 44_100),
     ("a.flac", "PCM_16", 11_025), ("a.aiff", "PCM_24", 48_000)],
)  # fmt: skip
def test_formats_and_rates(band: Band, tmp_path: Path, name: str, subtype: str | None, rate_hz: int) -> None:
    noise = np.random.default_rng(0).standard_normal(rate_hz) * 0.1
    soundfile.write(tmp_path / name, noise, rate_hz, subtype)
    frames = soundfile.info(tmp_path / name).frames
    assert run(tmp_path / name, "-o", tmp_path / "o.wav") == 0
    assert soundfile.info(tmp_path / "o.wav").frames == frames


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["no.wav"], 1, "no such file"),
        (["text.wav"], 1, "cannot be read as sound"),
        (["empty.wav"], 1, "contains no sound"),
        (["take.wav", "-o", "o.mp3"], 2, "file extension"),
        (["take.wav", "-o", "take.wav"], 2, "the recording itself"),
        (["take.wav", "-o", "no/o.wav"], 1, "does not exist"),
        (["take.wav", "--parts", "flute"], 2, "flute"),
        (["take.wav", "--parts", "bass,bass"], 2, "twice"),
        (["take.wav", "--start", "99"], 2, "ends before"),
        (["take.wav", "--start", "-1"], 2, "start"),
        (["take.wav", "--length", "nan"], 2, "length"),
        (["take.wav", "--no-accompany"], 2, "nothing to play"),
        (["take.wav", "--continue", "1e9"], 2, "at most"),
        (["take.wav", "--ahead", "soon"], 2, "ahead"),
        (["take.wav", "--preset", "polka"], 2, "polka"),
        (["take.wav", "--seed", "-1"], 2, "seed"),
        (["take.wav", "--stems", "text.wav"], 2, "give a folder"),
        (["drums.wav", "--stems", "."], 2, "the recording itself"),
        (["take.wav", "-o", "bass.wav", "--stems", "."], 2, "already written by the output"),
    ],
)
def test_what_cannot_be_is_one_line(
    band: Band, take: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    arguments: list[str], code: int, word: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(take.parent)
    Path("text.wav").write_text("hello " * 100)
    soundfile.write("empty.wav", np.zeros(0), RATE_HZ)
    Path("drums.wav").write_bytes(take.read_bytes())
    before = sorted(Path().iterdir())
    assert run(*arguments) == code
    printed = capsys.readouterr().err.strip()
    assert word in printed
    assert "\n" not in printed
    assert sorted(Path().iterdir()) == before


def test_a_truncated_recording_is_taken_as_far_as_it_goes(band: Band, take: Path, tmp_path: Path) -> None:
    short = tmp_path / "short.wav"
    short.write_bytes(take.read_bytes()[:100_000])
    assert run(short, "-o", tmp_path / "o.wav") == 0
    assert soundfile.info(tmp_path / "o.wav").frames == (100_000 - 44) // 4


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names are Unicode")
def test_a_name_that_is_not_utf_8(band: Band, take: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    strange = tmp_path / os.fsdecode(b"take-\xff.wav")
    strange.write_bytes(take.read_bytes())
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="utf-8"))
    assert run(strange, "--stems", tmp_path / os.fsdecode(b"\xfe")) == 0
    assert (tmp_path / os.fsdecode(b"take-\xff-band.wav")).is_file()


def test_cancel_leaves_nothing(band: Band, take: Path, tmp_path: Path) -> None:
    wanted = Completion(take, tmp_path / "o.wav", stems=tmp_path / "stems")
    told = []
    with pytest.raises(Cancelled):
        complete(band, wanted, told.append, lambda: len(told) >= 1)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [take]
    assert told[0].total_s == pytest.approx(2.0)


def test_a_full_disk_is_said(band: Band, take: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: object, sound: object) -> None:
        raise EngineError("o.wav: cannot be written (no space): is the disk full?")

    monkeypatch.setattr(sound_files.Sink, "write", full)
    with pytest.raises(EngineError, match="disk full"):
        complete(band, Completion(take, tmp_path / "o.wav"))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [take]


def test_nothing_to_write_is_refused(take: Path) -> None:
    with pytest.raises(ConfigError, match="nothing to write"):
        Completion(take, None).check()


def test_channels_are_chosen_and_what_is_wrong_with_them_is_said(
    band: Band, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sound = np.random.default_rng(0).normal(0.0, 0.1, 4 * RATE_HZ)
    balanced, desk = tmp_path / "balanced.wav", tmp_path / "desk.wav"
    soundfile.write(balanced, np.stack([sound, -sound], axis=1), RATE_HZ)
    tracks = np.zeros((4 * RATE_HZ, 32))
    tracks[:, 2] = sound
    soundfile.write(desk, tracks, RATE_HZ)
    assert run(balanced) == 0
    assert "balanced.wav: inputs 1 and 2 cancel: take one (--input 1)" in capsys.readouterr().out
    assert run(balanced, "--input", "2", "--mix") == 0
    assert "cancel" not in capsys.readouterr().out
    assert soundfile.info(tmp_path / "balanced-band.wav").channels == 2, "the mix keeps them all"
    assert run(desk) == 0
    assert "desk.wav: the mean of its 32 channels was heard; --input N takes one" in capsys.readouterr().out
    assert run(desk, "--input", "3") == 0
    assert "mean" not in capsys.readouterr().out
    wrongs = {"33": "has channels 1 to 32: there is no channel 33", "0": "counted from 1", "x": "numbers"}
    for wrong, words in wrongs.items():
        assert run(desk, "--input", wrong) == 2
        errors = capsys.readouterr().err
        assert words in errors and errors.count("\n") == 1
