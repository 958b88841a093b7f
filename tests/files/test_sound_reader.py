"""Sound files are read to their end, whatever their headers say of it; what is not read is said."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import struct
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import soundfile
from gigmate.files import foreign_formats, sound_reader
from gigmate.files.byte_pieces import BytePieces
from gigmate.files.errors import Damaged, NoSound, SoundFileError
from gigmate.files.mpeg_frames import count_frames, frame_of
from gigmate.files.sound_reader import SoundReader

RATE_HZ = 44_100
SECONDS = 8.0


def music(seconds: float = SECONDS, rate_hz: int = RATE_HZ, seed: int = 0) -> np.ndarray:
    """Tones and silence by turns, so that bit rates vary."""
    n = np.arange(round(seconds * rate_hz))
    noise = np.random.default_rng(seed).normal(0.0, 0.05, n.size)
    on = (n // (rate_hz // 2)) % 4 == 0
    return np.where(on, noise + 0.3 * np.sin(2 * np.pi * 220 * n / rate_hz), 0.001 * noise).astype(np.float32)


def encoded(sound: np.ndarray, form: str, subtype: str | None = None, **more: object) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, sound, RATE_HZ, format=form, subtype=subtype, **more)
    return buffer.getvalue()


def read(path: Path, block: int = 5_000) -> tuple[np.ndarray, SoundReader]:
    with SoundReader(path) as reader:
        blocks = [np.zeros((0, reader.channels), np.float32)]
        while len(found := reader.read(block)):
            blocks.append(found)
        return np.concatenate(blocks), reader


def kept(folder: Path, data: bytes, name: str = "take") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


# ----------------------------------------------------------------------------------------- what was whole before


@pytest.mark.parametrize(
    ("form", "subtype"),
    [("WAV", "PCM_16"), ("WAV", "FLOAT"), ("FLAC", "PCM_24"), ("OGG", "VORBIS"), ("MP3", None), ("AIFF", "PCM_16"),
     ("W64", "PCM_24"), ("RF64", "PCM_16"), ("CAF", "PCM_16"), ("OGG", "OPUS")],
)  # fmt: skip
@pytest.mark.parametrize("channels", [1, 2])
def test_what_libsndfile_reads_whole_is_its_to_the_bit(
    form: str, subtype: str | None, channels: int, tmp_path: Path
) -> None:
    rate_hz = 48_000 if subtype == "OPUS" else RATE_HZ
    path = tmp_path / "take"
    soundfile.write(path, np.stack([music(2.0)] * channels, axis=1), rate_hz, subtype, format=form)
    found, reader = read(path)
    np.testing.assert_array_equal(found, soundfile.read(path, dtype="float32", always_2d=True)[0])
    assert (reader.rate_hz, reader.channels, reader.remark) == (rate_hz, channels, "")
    assert reader.claimed_samples is not None and abs(reader.claimed_samples - len(found)) < 2_500


# ------------------------------------------------------------------------------------------------------- MP3


def mp3(without_header: bool, seed: int = 0, seconds: float = SECONDS, mode: str = "VARIABLE") -> bytes:
    data = encoded(music(seconds, seed=seed), "MP3", bitrate_mode=mode, compression_level=0.3)
    first = frame_of(data[:4])
    assert first is not None
    headed = data[first.side_bytes : first.side_bytes + 4] in (b"Xing", b"Info")
    return data[first.bytes :] if without_header and headed else data


@pytest.mark.parametrize("front", [b"", b"ID3\x04\0\0\0\0\x02\x00" + bytes(256)])
def test_a_variable_mp3_without_a_header_is_read_to_its_end(front: bytes, tmp_path: Path) -> None:
    path = kept(tmp_path, front + mp3(True))
    short, _ = soundfile.read(io.BytesIO(path.read_bytes()))
    found, reader = read(path)
    assert len(short) < 0.9 * SECONDS * RATE_HZ, "this is what libsndfile makes of it"
    assert SECONDS * RATE_HZ <= len(found) < (SECONDS + 0.1) * RATE_HZ
    assert reader.claimed_samples == len(found) and not reader.remark
    whole, _ = read(kept(tmp_path, mp3(False), "whole"))
    lag = 576  # of the encoder, which only a header could tell
    np.testing.assert_allclose(found[lag : lag + 300_000], whole[:300_000], atol=1e-4)


def test_an_mp3_whose_quiet_beginning_makes_it_seem_long_is_not(tmp_path: Path) -> None:
    quiet = np.concatenate([np.zeros(RATE_HZ, np.float32), *[music(seed=n) for n in range(4)]])
    data = encoded(quiet, "MP3", bitrate_mode="VARIABLE", compression_level=0.3)
    first = frame_of(data[:4])
    assert first is not None
    path = kept(tmp_path, data[first.bytes :])
    assert soundfile.info(io.BytesIO(path.read_bytes())).frames > 1.3 * len(quiet), "this is libsndfile's estimate"
    found, reader = read(path)
    assert len(quiet) <= len(found) < len(quiet) + 5_000
    assert reader.claimed_samples == len(found)


@pytest.mark.parametrize("without_header", [False, True])
def test_mp3s_that_were_joined_are_read_to_the_end_of_the_last(without_header: bool, tmp_path: Path) -> None:
    tag = b"TAG" + bytes(125)  # what older programs leave between them
    path = kept(tmp_path, mp3(without_header) + tag + mp3(without_header, seed=1))
    found, reader = read(path)
    assert 2 * SECONDS * RATE_HZ - 1_500 <= len(found) < (2 * SECONDS + 0.2) * RATE_HZ
    assert np.abs(found[-RATE_HZ:]).max() > 0.0 and not reader.remark


def test_an_mp3_that_changes_its_rate_says_so(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    soundfile.write(buffer, music(2.0, 22_050), 22_050, format="MP3")
    found, reader = read(kept(tmp_path, mp3(True, seconds=2.0) + buffer.getvalue()))
    assert 2.0 * RATE_HZ <= len(found) < 2.1 * RATE_HZ
    assert "what follows was left out" in reader.remark


@pytest.mark.parametrize("data", [b"\xff" * 100_000, b"\xff\xfb" * 50_000, b"ID3" + bytes(50_000), b"\xff\xfb\x90\x00"])
def test_what_only_begins_like_an_mp3(data: bytes, tmp_path: Path) -> None:
    with open(kept(tmp_path, data), "rb") as file:
        stream = count_frames(file)
    assert stream is None or stream.frames < 300
    with pytest.raises(SoundFileError) as caught:
        read(tmp_path / "take")
    assert "\n" not in str(caught.value)


# ------------------------------------------------------------------------------------------- Ogg, FLAC, WAV


@pytest.mark.parametrize(("form", "subtype"), [("OGG", "VORBIS"), ("FLAC", "PCM_16")])
def test_sounds_that_were_joined_are_all_read(form: str, subtype: str, tmp_path: Path) -> None:
    parts = [encoded(music(1.0, seed=n), form, subtype) for n in range(3)]
    found, reader = read(kept(tmp_path, b"".join(parts)))
    alone = [soundfile.read(io.BytesIO(part), dtype="float32", always_2d=True)[0] for part in parts]
    np.testing.assert_array_equal(found, np.concatenate(alone))
    assert not reader.remark


def test_a_link_of_another_rate_is_said(tmp_path: Path) -> None:
    other = io.BytesIO()
    soundfile.write(other, music(1.0), 32_000, format="OGG")
    found, reader = read(kept(tmp_path, encoded(music(1.0), "OGG") + other.getvalue()))
    assert len(found) == RATE_HZ
    assert "what follows was left out" in reader.remark


def test_a_flac_that_was_written_into_a_pipe(tmp_path: Path) -> None:
    data = bytearray(encoded(music(2.0), "FLAC", "PCM_16"))
    data[21] &= 0xF0
    data[22:26] = bytes(4)
    found, reader = read(kept(tmp_path, bytes(data)))
    whole, _ = soundfile.read(io.BytesIO(encoded(music(2.0), "FLAC", "PCM_16")), dtype="float32", always_2d=True)
    np.testing.assert_array_equal(found, whole)
    assert reader.claimed_samples is None


@pytest.mark.parametrize("riff", [0, 36, 8, 0xFFFFFFFF, None])
@pytest.mark.parametrize("data", [0, 1_000, 0xFFFFFFFF, 0x7FFFFFFF, 0x80000000])
@pytest.mark.parametrize("quiet", [False, True])
def test_a_wav_whose_sizes_were_never_written(riff: int | None, data: int, quiet: bool, tmp_path: Path) -> None:
    sound = music(2.0)
    if quiet:
        sound[:RATE_HZ] = 0.0
    whole = bytearray(encoded(sound, "WAV", "PCM_16"))
    at = whole.find(b"data")
    whole[at + 4 : at + 8] = struct.pack("<I", data)
    if riff is not None:
        whole[4:8] = struct.pack("<I", riff)
    found, reader = read(kept(tmp_path, bytes(whole) + b"\x01"))  # and half a sample
    np.testing.assert_allclose(found[:, 0], sound, atol=1e-4)
    assert reader.claimed_samples == len(found) and not reader.remark


def test_what_stands_after_the_sound_of_a_wav_is_no_sound(tmp_path: Path) -> None:
    whole = encoded(music(1.0), "WAV", "PCM_16")
    cover = b"id3 " + struct.pack("<I", 90_000) + bytes(range(256)) * 352
    for tail in (cover[: 8 + 90_000], b"TAG" + b"x" * 125, bytes(4_096)):
        found, _ = read(kept(tmp_path, whole + tail))
        assert len(found) == RATE_HZ


def test_an_empty_wav_is_empty(tmp_path: Path) -> None:
    found, reader = read(kept(tmp_path, encoded(np.zeros(0, np.float32), "WAV", "PCM_16")))
    assert len(found) == 0 and reader.claimed_samples == 0


@pytest.mark.parametrize("form", ["WAV", "MP3"])
def test_what_was_cut_off_is_said(form: str, tmp_path: Path) -> None:
    whole = encoded(music(), form)
    found, reader = read(kept(tmp_path, whole[: len(whole) // 2]))
    assert 0.2 * SECONDS * RATE_HZ < len(found) < 0.8 * SECONDS * RATE_HZ
    assert reader.remark == f"ends after {len(found) / RATE_HZ:.1f} s, its header promises {SECONDS:.1f} s"


@pytest.mark.parametrize("data", [b"", b"this is no sound", b"RIFF\0\0\0\0WAVE", b"fLaC" + bytes(60), b"OggS" * 99])
def test_what_is_no_sound_is_one_line(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(NoSound) as caught:
        SoundReader(kept(tmp_path, data))
    assert "\n" not in str(caught.value)


def test_more_channels_than_are_taken(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "desk.wav", np.zeros((100, 65)), RATE_HZ)
    with pytest.raises(NoSound, match="claims 65 channels at 44100 Hz; give at most 64"):
        SoundReader(tmp_path / "desk.wav")


def test_pieces_read_like_a_file(tmp_path: Path) -> None:
    with open(kept(tmp_path, bytes(range(100))), "rb") as file:
        pieces = BytePieces(file, [(10, 20), b"between", (90, 95), (95, 200)])
        whole = bytes(range(10, 20)) + b"between" + bytes(range(90, 100))
        assert pieces.read(len(whole) + 9) == whole
        assert pieces.seek(-4, os.SEEK_END) == pieces.tell() == pieces.size - 4
        pieces.seek(8)
        assert pieces.read(6) == whole[8:14]


# ------------------------------------------------------------------------------------------- by FFmpeg

CASES = [
    ("memo.m4a", "mov", "aac", 0.1), ("memo.alac.m4a", "ipod", "alac", 2e-4), ("take.wv", "wv", "wavpack", 2e-4),
    ("take.webm", "webm", "libopus", 0.1), ("take.mka", "matroska", "pcm_s24le", 2e-4),
    ("take.wma", "asf", "wmav2", 0.1),
    ("take.tta", "tta", "tta", 2e-4), ("alac.caf", "caf", "alac", 2e-4), ("take.aac", "adts", "aac", None),
]  # fmt: skip


def by_ffmpeg(path: Path, form: str, codec: str, sound: np.ndarray, rate_hz: int = 48_000) -> Path:
    """Written by FFmpeg's encoders, stereo, from 16 bits."""
    import av

    with av.open(str(path), "w", format=form) as container:
        stream = container.add_stream(codec, rate=rate_hz, layout="stereo")
        kinds = [kind.name for kind in stream.codec_context.codec.audio_formats]
        kind = next((kind for kind in kinds if kind[:3] in ("s16", "flt")), kinds[0])
        stream.codec_context.format = kind
        if codec == "wmav2":
            stream.codec_context.bit_rate = 128_000
        resampler = av.AudioResampler(format=kind, layout="stereo", rate=rate_hz)
        samples = np.round(np.clip(sound, -1, 1) * 32767).astype(np.int16)
        for at in range(0, len(samples), 1024):
            frame = av.AudioFrame.from_ndarray(samples[at : at + 1024].reshape(1, -1), format="s16", layout="stereo")
            frame.sample_rate, frame.pts = rate_hz, at
            for ready in resampler.resample(frame):
                container.mux(stream.encode(ready))
        container.mux(stream.encode(None))
    return path


def without_pyav(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign_formats, "find_spec", lambda name: None if name == "av" else find_spec(name))


@pytest.mark.parametrize(("name", "form", "codec", "near"), CASES)
def test_what_ffmpeg_reads_is_read_to_its_end(
    name: str, form: str, codec: str, near: float | None, tmp_path: Path
) -> None:
    sound = np.stack([music(3.0, 48_000), 0.5 * music(3.0, 48_000, seed=1)], axis=1)
    found, reader = read(by_ffmpeg(tmp_path / name, form, codec, sound))
    assert (reader.rate_hz, reader.channels, reader.remark) == (48_000, 2, "")
    if near is None:  # a stream without a container knows nothing of its encoder's delay
        assert len(sound) <= len(found) < len(sound) + 5_000
        return
    if codec != "wmav2":
        assert len(found) == len(sound)
    both = slice(4_096, 120_000)
    if codec != "wmav2":
        assert np.sqrt(np.mean((found[both] - sound[both]) ** 2)) < near


def test_a_flac_of_32_bits(tmp_path: Path) -> None:
    import av

    sound = (music(1.0) * 2**31 * 0.9).astype(np.int32)
    path = tmp_path / "take.flac"
    with av.open(str(path), "w", format="flac") as container:
        stream = container.add_stream("flac", rate=RATE_HZ, layout="mono", options={"strict": "experimental"})
        stream.codec_context.format = "s32"
        stream.codec_context.options = {"strict": "experimental"}
        for at in range(0, len(sound), 4096):
            frame = av.AudioFrame.from_ndarray(sound[at : at + 4096].reshape(1, -1), format="s32", layout="mono")
            frame.sample_rate, frame.pts = RATE_HZ, at
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    found, _ = read(path)
    np.testing.assert_allclose(found[:, 0], sound / 2**31, atol=1e-6)


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="the program ffmpeg")
@pytest.mark.parametrize(("name", "form", "codec", "near"), CASES[:4])
def test_the_program_ffmpeg_does_where_pyav_is_not_there(
    name: str, form: str, codec: str, near: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = np.stack([music(1.0, 48_000)] * 2, axis=1)
    path = by_ffmpeg(tmp_path / name, form, codec, sound)
    with_pyav, _ = read(path)
    without_pyav(monkeypatch)
    found, reader = read(path)
    assert reader.rate_hz == 48_000 and not reader.remark
    np.testing.assert_allclose(found[: len(with_pyav)], with_pyav, atol=1e-3)


def test_a_program_that_writes_no_sound_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\necho no\nexit 1\n")
    program.chmod(0o755)
    without_pyav(monkeypatch)
    monkeypatch.setattr(foreign_formats.shutil, "which", lambda name: str(program))
    with pytest.raises(NoSound, match="is the file whole"):
        SoundReader(kept(tmp_path, bytes(4) + b"ftypM4A " + bytes(99)))
    program.write_text(
        "#!/bin/sh\nprintf '.snd\\0\\0\\0\\030\\377\\377\\377\\377\\0\\0\\0\\006\\0\\0\\254\\104\\0\\0\\0\\001'\n"
    )
    with pytest.raises(Damaged, match=r"pip install 'gigmate\[files\]'"):
        read(tmp_path / "take")


def test_a_program_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    without_pyav(monkeypatch)
    monkeypatch.setattr(foreign_formats.shutil, "which", lambda name: str(program))
    monkeypatch.setattr(foreign_formats, "_PATIENCE_S", 0.3)
    with pytest.raises(NoSound):
        SoundReader(kept(tmp_path, bytes(4) + b"ftypM4A " + bytes(99)))


def test_without_ffmpeg_it_is_said_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_pyav(monkeypatch)
    monkeypatch.setattr(foreign_formats.shutil, "which", lambda name: None)
    words = r"MP4 or M4A is read by FFmpeg, which is not installed: pip install 'gigmate\[files\]', or save it as WAV"
    with pytest.raises(NoSound, match=words):
        SoundReader(kept(tmp_path, bytes(4) + b"ftypM4A " + bytes(99)))
    with pytest.raises(NoSound, match="give a WAV, FLAC, OGG or MP3"):
        SoundReader(kept(tmp_path, b"this is no sound"))


@pytest.mark.parametrize("text", [
    "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
    "ffconcat version 1.0\nfile /etc/passwd\n",
    "<?xml version='1.0'?><MPD/>",
])  # fmt: skip
@pytest.mark.parametrize("front", [b"", bytes(4) + b"ftypM4A "])
def test_lists_of_other_files_are_no_sound(text: str, front: bytes, tmp_path: Path) -> None:
    with pytest.raises(NoSound):
        SoundReader(kept(tmp_path, front + text.encode()))


def test_a_film_is_not_decoded_but_its_sound_is(tmp_path: Path) -> None:
    """A codec that is not a sound's is never begun."""
    import av

    path = tmp_path / "film.mp4"
    with av.open(str(path), "w", format="mp4") as container:
        video = container.add_stream("mpeg4", rate=25)
        video.width = video.height = 64
        video.pix_fmt = "yuv420p"
        sound = container.add_stream("aac", rate=48_000, layout="stereo")
        for n in range(25):
            picture = av.VideoFrame.from_ndarray(np.full((64, 64, 3), n, np.uint8), format="rgb24")
            container.mux(video.encode(picture))
            for at in (0, 960):
                frame = av.AudioFrame.from_ndarray(np.full((2, 960), 0.1, np.float32), format="fltp", layout="stereo")
                frame.sample_rate, frame.pts = 48_000, 1920 * n + at
                container.mux(sound.encode(frame))
        container.mux(video.encode(None))
        container.mux(sound.encode(None))
    found, _ = read(path)
    assert 47_000 <= len(found) <= 50_000


def test_damaged_files_of_ffmpegs_are_sound_or_one_line(tmp_path: Path) -> None:
    sound = np.stack([music(1.0, 48_000)] * 2, axis=1)
    good = by_ffmpeg(tmp_path / "memo.m4a", "mov", "aac", sound).read_bytes()
    random = np.random.default_rng(1)
    for n in range(60):
        data = bytearray(good)
        for at in random.integers(12, len(data), 1 + n % 7):
            data[at] = random.integers(256)
        path = kept(tmp_path, bytes(data[: random.integers(64, len(data))] if n % 3 == 0 else data))
        with contextlib.suppress(SoundFileError), SoundReader(path) as reader:
            total = 0
            while len(block := reader.read(4_096)) and total < 10**6:
                total += len(block)
                assert block.dtype == np.float32 and block.shape[1] == reader.channels
            assert total < 10**6


def test_the_command_reads_them_too(tmp_path: Path) -> None:
    """One reader for every verb: complete, listen and the file port."""
    from gigmate.cli.listen import read_mono
    from gigmate.cli.sound_files import Recording
    from gigmate.engine.ports.file import Source

    path = kept(tmp_path, mp3(True), "take.mp3")
    samples = len(read(path)[0])
    recording = Recording(path, most_s=SECONDS + 1)  # libsndfile's guess may be longer than is taken
    assert sum(map(len, recording.blocks())) == samples
    recording.close()
    assert abs(len(read_mono(path)) - samples * 32_000 / RATE_HZ) < 2
    source = Source(str(path), (1,), None)
    total = 0
    while count := source.read(8_192).shape[1]:
        total += count
    source.close()
    assert total == samples


def test_ffmpeg_is_told_what_it_may_open() -> None:
    """Of its hundreds of formats those of sound files alone, and no address."""
    allowed = set(foreign_formats._FORMATS.split(","))
    assert not allowed & {"hls", "concat", "dash", "rtsp", "sdp", "image2", "tee", "lavfi"}
    assert sound_reader.MOST_CHANNELS == 64
