"""Training of the codec, for either architecture.

The first tenth runs without quantiser and led by the waveform, then the codebooks start from k-means and learn by
moving averages with dead entries revived; the log-mel distance takes over as training goes on. Offline only. The
adversarial finish is codec_finish.py.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ...model.checkpoint import build_codec
from ...model.codec.codec_protocol import TokenCodec
from ...model.codec.mdct_codec import CodecConfig
from ...model.codec.quantizer import learn_codes
from ...model.codec.seanet import SeanetConfig
from ..loop import Loop, LoopConfig
from ..store import (
    StoredSong,
    check_enough,
    held_out,
    songs_in,
)
from .losses import (
    NEPER_DB,
    MelDistance,
    MultiMel,
    nmse,
    si_sdr_db,
)

CROP_FRAMES = 40
PART_SHARE = (0.15, 0.35, 0.25, 0.25)
"""How often a crop is lead, drums, bass, keys: the parts are what the band sounds with, drums are the hardest."""


def crops(songs: list[StoredSong], rng: np.random.Generator, batch: int, frame_samples: int) -> Tensor:
    """float32 [batch, CROP_FRAMES * frame] of random stems, gain 0 to -12 dB; silent crops are drawn again."""
    out = np.empty((batch, CROP_FRAMES * frame_samples), np.float32)
    for row in range(batch):
        for _ in range(4):
            audio = songs[rng.integers(len(songs))].array("audio")
            start = int(rng.integers(max(1, audio.shape[1] - out.shape[1])))
            crop = audio[rng.choice(4, p=PART_SHARE), start : start + out.shape[1]]
            if len(crop) == out.shape[1] and np.abs(crop).max() > 300:
                break
        piece = crop.astype(np.float32) / 32767.0
        out[row] = np.pad(piece, (0, out.shape[1] - len(piece))) * 10 ** (-rng.uniform(0, 12) / 20)
    return torch.from_numpy(out)


def kmeans_start(codec: TokenCodec, latents: Tensor, rounds: int = 8) -> None:
    """Place every codebook on k-means centres of what the ones before it leave over. `latents` is [N, D]."""
    residual = latents
    quantizer = codec.quantizer
    for level in range(quantizer.codebooks):
        codes = residual[torch.randint(len(residual), (quantizer.entries,))]
        codes = codes + 1e-4 * torch.randn_like(codes)
        for _ in range(rounds):
            quantizer.codes[level].copy_(codes)
            index = quantizer.nearest(residual, level)
            count = torch.bincount(index, minlength=quantizer.entries).clamp(min=1)[:, None]
            fresh = torch.zeros_like(codes).index_add_(0, index, residual) / count
            codes = torch.where(torch.bincount(index, minlength=quantizer.entries)[:, None] > 0, fresh, codes)
        quantizer.codes[level].copy_(codes)
        residual = residual - codes[quantizer.nearest(residual, level)]


class Codebooks:
    """How the codebooks learn: when they begin, their moving averages, their dead entries."""

    FROM, RESERVOIR = 0.1, 40
    """Share of the training after which they begin, and steps whose latents they begin from."""

    def __init__(self, codec: TokenCodec) -> None:
        self._codec = codec
        codes = codec.quantizer.codes
        self.counts = torch.ones(codes.shape[:2], device=codes.device)
        self.sums = codes.clone()
        self.started = torch.zeros(1, device=codes.device)
        self._reservoir: list[Tensor] = []

    @property
    def have_started(self) -> bool:
        return bool(self.started.item())

    def go_on(self) -> None:
        """From codes that are learnt already: they count as seen four times."""
        self.started.fill_(1.0)
        self.counts.fill_(4.0)
        self.sums.copy_(self._codec.quantizer.codes * 4.0)

    def gather(self, latents: Tensor, progress: float) -> None:
        """Take the rows [N, D] of a step before they have begun; begin when there are enough."""
        if progress < self.FROM or self.have_started:
            return
        if len(self._reservoir) < self.RESERVOIR:
            self._reservoir.append(latents.detach())
            return
        with torch.no_grad():
            kmeans_start(self._codec, torch.cat(self._reservoir))
        self.go_on()
        self._reservoir.clear()

    def learn(self, latents: Tensor, progress: float) -> tuple[Tensor, dict[str, float]]:
        """Tokens [N, K] of the rows, and how many entries are in use."""
        revive_below = 0.02 if progress < 0.8 else 0.0
        tokens, used = learn_codes(self._codec.quantizer, latents.detach(), self.counts, self.sums, 0.97, revive_below)
        return tokens, {"perplexity_first": float(used[0]), "perplexity_last": float(used[-1])}


def split_songs(data: Path) -> tuple[list[StoredSong], list[StoredSong]]:
    """(to learn from, to check with) of a store. Raises TrainingError where there are too few."""
    songs = songs_in(data)
    checked = held_out(songs, 12)
    held = {song.path for song in checked}
    check_enough(data, len(songs), len(held))
    return [song for song in songs if song.path not in held], checked


def aligned(codec: TokenCodec, decoded: Tensor, audio: Tensor) -> tuple[Tensor, Tensor]:
    """Decoded sound without its delay, and the part of the original that it stands for."""
    lag = codec.decode_delay_samples
    return decoded[:, lag:], audio[:, : audio.shape[1] - lag]


def train_codec(
    data: Path,
    config: LoopConfig,
    model_config: CodecConfig | SeanetConfig | None = None,
    batch: int = 12,
    seed: int = 0,
) -> float:
    """Train (or resume) a codec on the store `data`; the checkpoint lies in `config.out`. Returns the share of the
    training that is done: below 1 where somebody stopped it."""
    torch.manual_seed(seed)
    songs, checked = split_songs(data)
    codec = build_codec(model_config or CodecConfig())
    loop = Loop(config, codec, "codec", codec.config.to_dict())
    books = Codebooks(codec)
    loop.unaveraged = frozenset({"quantizer.codes"})
    loop.keep(counts=books.counts, sums=books.sums, started=books.started)
    if not loop.resume() and config.start is not None:
        books.go_on()
    rng = loop.sampler(seed)
    mel = MultiMel(codec.sample_rate_hz).to(loop.device)
    judge = MelDistance(1024, 80, codec.sample_rate_hz).to(loop.device)
    for step in loop:
        audio = loop.move(crops(songs, rng, batch, codec.frame_samples))
        p = loop.progress
        front = codec.encoder.front(audio)
        with loop.autocast():
            latents = codec.encoder.latents(front)
        latents = latents.float()
        flat = latents.transpose(1, 2).reshape(-1, latents.shape[1])
        books.gather(flat, p)
        commitment, decoded_from = flat.new_zeros(()), latents
        figures: dict[str, float] = {}
        if books.have_started:
            tokens, figures = books.learn(flat, p)
            levels = codec.num_codebooks
            if rng.random() < 0.25:
                levels = int(rng.integers(2, levels))
            tokens = tokens.view(batch, -1, codec.num_codebooks).transpose(1, 2)
            quantized = codec.quantizer.decode(tokens[:, :levels])
            commitment = F.mse_loss(latents, quantized)
            decoded_from = latents + (quantized - latents).detach()
        with loop.autocast():
            features = codec.decoder.features(decoded_from)
        estimate, target = aligned(codec, codec.decoder.audio(features.float()), audio)
        mel_loss, wave_loss = mel(estimate, target), nmse(estimate, target)
        turn = min(1.0, max(0.0, (p - 0.05) / 0.35))
        loss = (0.3 + 0.7 * turn) * mel_loss + (1.5 - 1.2 * turn) * wave_loss + 0.25 * commitment
        parts = {"mel": mel_loss, "nmse": wave_loss, "commit": commitment}
        loop.update(loss, {name: float(value.detach()) for name, value in parts.items()} | figures)
        if (step + 1) % 400 == 0:
            figures = evaluate_codec(codec, checked, judge)
            distances = [value for name, value in figures.items() if name.endswith("_mel_db")]
            valid = {"valid": float(np.mean(distances))} if books.have_started and distances else {}
            loop.log(**figures, **valid)
    return loop.progress


@torch.no_grad()
def evaluate_codec(codec: TokenCodec, songs: list[StoredSong], judge: MelDistance) -> dict[str, float]:
    """Log-mel L1 and SI-SDR in dB per stem on 4 s of each song, through the quantiser."""
    figures: dict[str, float] = {}
    for stem, name in enumerate(("lead", "drums", "bass", "keys")):
        rows = []
        for song in songs:
            audio = song.array("audio")
            middle = audio.shape[1] // 2 // codec.frame_samples * codec.frame_samples
            rows.append(audio[stem, middle : middle + 100 * codec.frame_samples].astype(np.float32) / 32767.0)
        x = torch.from_numpy(np.stack(rows)).to(codec.quantizer.codes.device)
        y = codec.decode(codec.encode(x))[:, codec.decode_delay_samples :]
        x = x[:, : y.shape[1]]
        loud = x.square().mean(1) > 1e-6
        if bool(loud.any()):
            figures[f"{name}_mel_db"] = NEPER_DB * float(judge(y[loud], x[loud]))
            figures[f"{name}_si_sdr_db"] = float(si_sdr_db(y[loud], x[loud]).median())
    return figures
