"""Quality of the codec: distances on held-out sounds, sharpness of hits, codebook use, speed, size.

Knows no engine. Every figure is through the quantiser and, for speed, through the streaming steps. Opus at its lowest
rate stands beside it as the anchor that everybody knows (libsndfile writes it; 6 kbit/s is three times our rate), and
the same codec untrained; others (half-trained, finished) on request.
"""

from __future__ import annotations

import io
import math
import time
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ...model.checkpoint import build, codec_config
from ...model.codec.codec_protocol import TokenCodec
from ..trainers.losses import NEPER_DB, MelDistance, si_sdr_db

STEMS = ("lead", "drums", "bass", "keys")
FloatArray = NDArray[np.float32]
FEWER = 4
"""Codebooks decoded for the figures `fewer_…`: so many the live band decodes."""


@dataclass(frozen=True)
class Sound:
    """Something to code: float32 [N] at the codec's rate; `hits_s` are the moments of its onsets, for drums."""

    stem: str
    audio: FloatArray
    hits_s: FloatArray | None = None


def sounds_of(songs: Iterable[Any], seconds: float) -> list[Sound]:
    """The stems of `songs` (RenderedSong), the first `seconds` of each; silent ones are left out."""
    found = []
    for song in songs:
        for stem in STEMS:
            audio = song.stems[stem][: int(seconds * song.rate_hz)].astype(np.float32)
            if float(np.abs(audio).max()) >= 1e-3:
                found.append(Sound(stem, audio, song.labels["onsets_drums_s"] if stem == "drums" else None))
    return found


@torch.no_grad()
def roundtrip(codec: TokenCodec, audio: FloatArray) -> tuple[FloatArray, NDArray[np.int64]]:
    """Decoded sound, its delay taken off, and the tokens [K, T]; audio [N] is cut to whole frames."""
    frames = len(audio) // codec.frame_samples
    x = torch.from_numpy(audio[: frames * codec.frame_samples].copy())[None]
    tokens = codec.encode(x)
    return decoded(codec, tokens[0].numpy()), tokens[0].numpy()


@torch.no_grad()
def decoded(codec: TokenCodec, tokens: NDArray[np.int64]) -> FloatArray:
    """The sound of tokens [K', T], the codec's delay taken off."""
    return codec.decode(torch.from_numpy(tokens)[None])[0, codec.decode_delay_samples :].numpy()


def opus_roundtrip(audio: FloatArray, rate_hz: int) -> tuple[FloatArray, float]:
    """The sound through Opus at the lowest rate libsndfile gives, aligned and at `rate_hz`, and its kbit/s."""
    import soundfile
    import soxr

    at_48k = soxr.resample(audio, rate_hz, 48_000).astype(np.float32)
    buffer = io.BytesIO()
    with soundfile.SoundFile(buffer, "w", 48_000, 1, subtype="OPUS", format="OGG", compression_level=1.0) as file:
        for start in range(0, len(at_48k), 48_000):  # the encoder overflows on one large write
            file.write(at_48k[start : start + 48_000])
    size = len(buffer.getvalue())
    buffer.seek(0)
    decoded, _ = soundfile.read(buffer, dtype="float32")
    back = soxr.resample(decoded, 48_000, rate_hz).astype(np.float32)
    return back[: len(audio)], size * 8 / (len(audio) / rate_hz) / 1000


def stft_distance(x: Tensor, y: Tensor) -> float:
    """Multi-resolution STFT distance (Yamamoto 2020): spectral convergence plus log-magnitude L1, mean over windows."""
    total = 0.0
    for window in (512, 1024, 2048):
        a, b = (
            torch.stft(s, window, window // 4, window=torch.hann_window(window), return_complex=True).abs()
            for s in (x, y)
        )
        total += float((a - b).norm() / b.norm().clamp(min=1e-6))
        total += float(((a + 1e-5).log() - (b + 1e-5).log()).abs().mean())
    return total / 3


def hit_sharpness(decoded: FloatArray, original: FloatArray, onsets_s: FloatArray, rate_hz: int) -> dict[str, float]:
    """Pre-echo and attack around lone hits (nothing 120 ms before): medians over hits.

    `pre_echo_db`: energy 15 to 3 ms before the hit relative to the 20 ms after it, decoded minus original.
    `pre_echo_ms`: how long before the hit the decoded level is within 30 dB of the hit's peak, less the original's.
    `attack_ms`: 10 % to 90 % of the peak of the 2 ms envelope, decoded minus original.
    """
    lone = [t for i, t in enumerate(onsets_s) if i == 0 or t - onsets_s[i - 1] > 0.12]
    results: dict[str, list[float]] = {"pre_echo_db": [], "pre_echo_ms": [], "attack_ms": []}
    for onset in lone:
        at = int(onset * rate_hz)
        if at < rate_hz // 5 or at + rate_hz // 20 > min(len(decoded), len(original)):
            continue
        pair = [_hit(sound[at - rate_hz // 10 : at + rate_hz // 20], rate_hz) for sound in (decoded, original)]
        if pair[1] is None or pair[0] is None:
            continue
        for name, value, reference in zip(results, pair[0], pair[1], strict=True):
            results[name].append(value - reference)
    return {name: float(np.median(values)) if values else math.nan for name, values in results.items()}


def _hit(piece: FloatArray, rate_hz: int) -> tuple[float, float, float] | None:
    start = rate_hz // 10
    hop = rate_hz // 2000
    level = np.sqrt(np.convolve(piece**2, np.ones(hop * 2) / (hop * 2), "same"))
    peak = float(level[start:].max())
    if peak < 1e-3:
        return None
    before = float(np.mean(piece[start - int(0.015 * rate_hz) : start - int(0.003 * rate_hz)] ** 2))
    after = float(np.mean(piece[start : start + int(0.02 * rate_hz)] ** 2))
    early = np.flatnonzero(level[: start - int(0.001 * rate_hz)] > peak * 10 ** (-30 / 20))
    pre_ms = 1e3 * (start - early[0]) / rate_hz if len(early) else 0.0
    top = int(np.argmax(level[start:])) + start
    low = int(np.argmax(level[start - hop * 4 : top + 1] >= 0.1 * peak))
    high = int(np.argmax(level[start - hop * 4 : top + 1] >= 0.9 * peak))
    return 10 * math.log10((before + 1e-12) / (after + 1e-12)), pre_ms, 1e3 * (high - low) / rate_hz


@torch.no_grad()
def speed(codec: TokenCodec, parts: int = 3, frames: int = 100) -> dict[str, float]:
    """Real-time factors of the streaming steps on this thread, and ms to decode a frame of `parts` parts: processor
    time, which other programs can lengthen but not by waiting for them."""
    frame_s = codec.frame_samples / codec.sample_rate_hz
    encode, decode = codec.init_encode(1), codec.init_decode(parts)
    x = 0.1 * torch.randn(1, codec.frame_samples)
    tokens = codec.encode_step(x, encode)
    many = tokens.repeat(parts, 1, 1)
    times = []
    for call in (lambda: codec.encode_step(x, encode), lambda: codec.decode_step(many, decode)):
        taken = []
        for _ in range(frames):
            start = time.thread_time()
            call()
            taken.append(time.thread_time() - start)
        times.append(max(1e-6, float(np.median(taken))))
    return {
        "encode_rtf": frame_s / times[0],
        "decode_rtf": frame_s / (times[1] / parts),
        "decode_3_parts_ms": times[1] * 1e3,
    }


def sizes(codec: TokenCodec) -> dict[str, float]:
    """MiB of the weights in half precision (as shipped), and with the linear maps in int8 and the rest in half."""
    numbers = sum(value.numel() for value in codec.state_dict().values())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch.ao tells of its successor at every call
        small = torch.ao.quantization.quantize_dynamic(codec, {nn.Linear, nn.LSTM}, dtype=torch.qint8)
    kept = {
        name: value.half() if isinstance(value, Tensor) and value.dtype == torch.float32 else value
        for name, value in small.state_dict().items()
    }
    file = io.BytesIO()
    torch.save(kept, file)
    return {"numbers": numbers, "half_mib": numbers * 2 / 2**20, "int8_mib": len(file.getvalue()) / 2**20}


def evaluate_codec(
    codec: TokenCodec, songs: list[Any], seconds: float = 30.0, others: Mapping[str, TokenCodec] | None = None
) -> dict[str, Any]:
    """`score_sounds` of the stems of `songs` (RenderedSong), and the codec's speed."""
    result = score_sounds(codec, sounds_of(songs, seconds), others)
    return {**result, "songs": len(songs), "speed": speed(codec)}


@torch.no_grad()
def score_sounds(
    codec: TokenCodec, sounds: Iterable[Sound], others: Mapping[str, TokenCodec] | None = None
) -> dict[str, Any]:
    """Medians per stem over `sounds`, beside Opus, the same codec untrained and `others` (figures `NAME_mel_db` and so
    on); use and entropy of the codebooks."""
    rate_hz, entries = codec.sample_rate_hz, codec.quantizer.entries
    judge = MelDistance(1024, 80, rate_hz)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        untrained = build("codec", codec_config(codec.config.to_dict()).to_dict()).eval()
    assert isinstance(untrained, TokenCodec)
    beside = {"untrained": untrained, **(others or {})}
    used = [np.zeros(entries, np.int64) for _ in range(codec.num_codebooks)]
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in STEMS}
    for sound in sounds:
        own, tokens = roundtrip(codec, sound.audio)
        for level, row in enumerate(tokens):
            used[level] += np.bincount(row, minlength=entries)
        figures = _figures(own, sound, judge, rate_hz)
        if codec.num_codebooks > FEWER:
            figures |= _named("fewer", _figures(decoded(codec, tokens[:FEWER]), sound, judge, rate_hz))
        for name, other in beside.items():
            figures |= _named(name, _figures(roundtrip(other, sound.audio)[0], sound, judge, rate_hz))
        opus, kbit = opus_roundtrip(sound.audio, rate_hz)
        rows[sound.stem].append(figures | _named("opus", _figures(opus, sound, judge, rate_hz)) | {"opus_kbit_s": kbit})
    share = [counts / max(1, counts.sum()) for counts in used]
    bits = [float(-(p[p > 0] * np.log2(p[p > 0])).sum()) for p in share]
    return {
        "stems": {
            stem: {name: float(np.nanmedian([row[name] for row in found])) for name in found[0]}
            for stem, found in rows.items()
            if found
        },
        "sounds": sum(len(found) for found in rows.values()),
        "codebook_use": [float((counts > 0).mean()) for counts in used],
        "codebook_entropy_bits": bits,
        "bits_per_second": {
            "sent": codec.frame_rate_hz * codec.num_codebooks * math.log2(entries),
            "entropy": codec.frame_rate_hz * sum(bits),
        },
    }


def _named(name: str, figures: Mapping[str, float]) -> dict[str, float]:
    return {f"{name}_{figure}": value for figure, value in figures.items()}


def _figures(coded: FloatArray, sound: Sound, judge: MelDistance, rate_hz: int) -> dict[str, float]:
    figures = _distances(coded, sound.audio, judge)
    if sound.hits_s is not None:
        figures |= hit_sharpness(coded, sound.audio, sound.hits_s, rate_hz)
    return figures


def _distances(x: FloatArray, y: FloatArray, judge: MelDistance) -> dict[str, float]:
    size = min(len(x), len(y))
    a, b = torch.from_numpy(x[:size].copy())[None], torch.from_numpy(y[:size].copy())[None]
    return {
        "mel_db": NEPER_DB * float(judge(a, b)),
        "si_sdr_db": float(si_sdr_db(a, b)[0]),
        "stft": stft_distance(a[0], b[0]),
    }
