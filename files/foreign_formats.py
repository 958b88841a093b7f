"""Formats that libsndfile does not read, through FFmpeg: its libraries (PyAV) if installed, else its program.

FFmpeg reads some hundred formats, network addresses and lists of other files too: here it is given the formats and
codecs of sound files alone, and no way to open anything but the file in hand. One thread at a time.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
import threading
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from .errors import Damaged, NoSound

Array = NDArray[np.float32]
INSTALL = "pip install 'gigmate[files]', or save it as WAV or FLAC"
_MARKS: tuple[tuple[int, bytes, str], ...] = (
    (4, b"ftyp", "MP4 or M4A"),
    (0, b"\x1a\x45\xdf\xa3", "WebM or Matroska"),
    (0, b"wvpk", "WavPack"),
    (0, b"MAC ", "Monkey's Audio"),
    (0, b"TTA1", "TTA"),
    (0, b"tBaK", "TAK"),
    (0, b"DSD ", "DSF"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "WMA"),
    (0, b"#!AMR", "AMR"),
    (0, b"ADIF", "AAC"),
    (0, b"\xff\xf1", "AAC"),
    (0, b"\xff\xf9", "AAC"),
    (0, b"caff", "CAF"),
    (0, b"fLaC", "this kind of FLAC"),
    (0, b"FORM", "this kind of AIFF"),
    (0, b"RIFF", "this kind of WAV"),
    (0, b"OggS", "this kind of Ogg"),
)
_FORMATS = "aac,aiff,amr,ape,asf,caf,dsf,flac,matroska,mov,ogg,tak,tta,wav,wv"
_CODECS = (
    "aac,ac3,alac,amrnb,amrwb,ape,dsd_lsbf,dsd_lsbf_planar,dsd_msbf,dsd_msbf_planar,eac3,flac,libopus,mp3,mp3float,"
    "opus,tak,tta,vorbis,wavpack,wmalossless,wmapro,wmav1,wmav2,adpcm_ima_qt,adpcm_ima_wav,adpcm_ms,pcm_alaw,"
    "pcm_f32be,pcm_f32le,pcm_f64be,pcm_f64le,pcm_mulaw,pcm_s16be,pcm_s16le,pcm_s24be,pcm_s24le,pcm_s32be,pcm_s32le,"
    "pcm_s8,pcm_u8"
)
_MOST_BAD_PACKETS = 1_000
_PATIENCE_S = 30.0
"""A program that gives no sound for so long is ended."""
_AU_FLOAT = 6
_READ_BYTES = 2**18


def format_name(head: bytes) -> str | None:
    """What a file that begins so is, in the words of its users; None for what is none of FFmpeg's business here."""
    for at, mark, name in _MARKS:
        if head[at : at + len(mark)] == mark:
            return name
    return None


class Foreign:
    """Sound as it is decoded. `blocks` gives float32 [n, channels] to the end; close it in any case."""

    rate_hz: int
    channels: int
    claimed_samples: int | None = None
    """As the container says: a hint for progress, no promise."""
    exact_samples: int | None = None
    """The length in containers that know it to the sample: what the last frame holds beyond it is padding."""
    bad: int = 0
    """Pieces that could not be decoded and are left out."""
    remark: str = ""

    def blocks(self) -> Iterator[Array]:
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError


def open_foreign(path: Path, file: BinaryIO, head: bytes) -> Foreign | None:
    """The file decoded by FFmpeg; None where it is no format of its. Raises NoSound."""
    name = format_name(head)
    if name is None:
        return None
    file.seek(0)
    if find_spec("av") is not None:
        return _ByLibrary(file)
    program = shutil.which("ffmpeg")
    if program is not None:
        return _ByProgram(program, path)
    raise NoSound(f"{name} is read by FFmpeg, which is not installed: {INSTALL}")


class _ByLibrary(Foreign):
    """By PyAV, in this process."""

    def __init__(self, file: BinaryIO) -> None:
        import av

        self._errors = av.error.FFmpegError
        av.logging.set_level(None)  # what it has to say of damage is counted here
        limits = {"format_whitelist": _FORMATS, "codec_whitelist": _CODECS, "protocol_whitelist": "none"}
        try:
            self._container: Any = av.open(file, mode="r", options=limits, metadata_errors="ignore")
        except (self._errors, ValueError) as error:
            raise NoSound(f"{_first_line(error)}; is the file whole?") from error
        try:
            streams = self._container.streams.audio
            if not streams:
                raise NoSound("there is no sound in it")
            self._stream: Any = streams[0]
            codec = self._stream.codec_context
            if codec is None:
                raise NoSound("its codec is not known")
            codec.thread_count = 1
            self.rate_hz, self.channels = int(codec.sample_rate or 0), int(codec.channels or 0)
            if len(streams) > 1:
                self.remark = f"the first of its {len(streams)} sounds was read"
            if self._stream.duration and self._stream.time_base:
                self.claimed_samples = max(0, round(self._stream.duration * self._stream.time_base * self.rate_hz))
                if "mov" in self._container.format.name.split(","):
                    self.exact_samples = self.claimed_samples
        except BaseException:
            self._container.close()
            raise

    def blocks(self) -> Iterator[Array]:
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
                frames = packet.decode()
            except StopIteration:
                return
            except (self._errors, ValueError) as error:
                self.bad += 1
                if self.bad >= _MOST_BAD_PACKETS or isinstance(error, EOFError):
                    return
                continue
            for frame in frames:
                if frame.sample_rate != self.rate_hz or len(frame.layout.channels) != self.channels:
                    self.remark = "there its rate or its channels change: what follows was left out"
                    return
                yield _floats(frame.to_ndarray(), frame.format.is_planar, self.channels)

    def close(self) -> None:
        self._container.close()


def _floats(sound: NDArray[Any], planar: bool, channels: int) -> Array:
    """A decoded frame as float32 [n, channels], whole numbers scaled to full scale 1."""
    rows = sound.T if planar else sound.reshape(-1, channels)
    if rows.dtype.kind == "f":
        return rows.astype(np.float32)
    if rows.dtype == np.uint8:
        return (rows.astype(np.float32) - 128.0) / np.float32(128.0)
    return (rows / float(-np.iinfo(rows.dtype).min)).astype(np.float32)


class _ByProgram(Foreign):
    """By the program `ffmpeg`, which writes a simple stream into a pipe."""

    def __init__(self, program: str, path: Path) -> None:
        given = ["-format_whitelist", _FORMATS, "-codec_whitelist", _CODECS, "-protocol_whitelist", "file,pipe"]
        wanted = ["-map", "0:a:0", "-vn", "-sn", "-dn", "-c:a", "pcm_f32be", "-f", "au", "pipe:1"]
        self._process = subprocess.Popen(
            [program, "-nostdin", "-v", "error", "-threads", "1", *given, "-i", f"file:{path.absolute()}", *wanted],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        head = self._take(24)
        if len(head) < 24 or head[:4] != b".snd" or struct.unpack_from(">I", head, 12)[0] != _AU_FLOAT:
            self.close()
            raise NoSound("ffmpeg cannot decode it; is the file whole?")
        start, _, _, self.rate_hz, self.channels = struct.unpack_from(">5I", head, 4)
        self._take(start - 24)

    def blocks(self) -> Iterator[Array]:
        size, any_sound = 4 * self.channels, False
        while True:
            found = self._take(_READ_BYTES // size * size if size <= _READ_BYTES else size)
            any_sound = any_sound or len(found) >= size
            if len(found) >= size:
                yield np.frombuffer(found[: len(found) // size * size], ">f4").astype(np.float32).reshape(-1, size // 4)
            if len(found) < size:
                break
        if self._process.wait(_PATIENCE_S) != 0:
            self.bad += 1
        if not any_sound:  # an older one, which passes over what it does not know
            raise Damaged(f"cannot be decoded by this ffmpeg: {INSTALL}")

    def _take(self, count: int) -> bytes:
        """So many bytes, fewer at the end. A program that hangs is ended, and with it the sound."""
        pipe: IO[bytes] | None = self._process.stdout
        if pipe is None or count <= 0:
            return b""
        timer = threading.Timer(_PATIENCE_S, self._process.kill)
        timer.start()
        try:
            return pipe.read(count)
        finally:
            timer.cancel()

    def close(self) -> None:
        self._process.kill()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process.wait()


def _first_line(error: BaseException) -> str:
    text = str(getattr(error, "strerror", "") or error).strip().splitlines()
    return text[0].rstrip(".") if text else type(error).__name__
