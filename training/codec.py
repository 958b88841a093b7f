"""Training of the codec: stems in, MDCT codec out, losses in the order that was found to matter.

The first tenth runs without quantiser and led by the waveform, then the codebooks start from k-means and learn by
moving averages with dead entries revived; the log-mel distance takes over as training goes on. Offline only.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..model.codec import CodecConfig, MdctCodec, compand
from ..model.quantizer import learn_codes
from .loop import Loop, LoopConfig
from .losses import NEPER_DB, MelDistance, MultiMel, nmse, si_sdr_db
from .store import StoredSong, check_enough, songs_in

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


def kmeans_start(codec: MdctCodec, latents: Tensor, rounds: int = 8) -> None:
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


def train_codec(
    data: Path, config: LoopConfig, model_config: CodecConfig | None = None, batch: int = 12, seed: int = 0
) -> None:
    """Train (or resume) a codec on the store `data`; the checkpoint lies in `config.out`."""
    torch.manual_seed(seed)
    songs = songs_in(data)
    held_out, songs = songs[:: max(2, len(songs) // 12)][:12], songs
    held = {s.path for s in held_out}
    check_enough(data, len(songs), len(held))
    songs = [s for s in songs if s.path not in held]
    codec = MdctCodec(model_config or CodecConfig())
    rate, frame = codec.sample_rate_hz, codec.frame_samples
    counts = torch.ones(codec.quantizer.codebooks, codec.quantizer.entries)
    sums = codec.quantizer.codes.clone()
    started = torch.zeros(1)
    loop = Loop(config, codec, "codec", codec.config.to_dict())
    counts, sums, started = loop.move((counts, sums, started))
    loop.unaveraged = frozenset({"quantizer.codes"})
    loop.keep(counts=counts, sums=sums, started=started)
    if not loop.resume() and config.start is not None:  # its codebooks are learnt: they go on from where they are
        started.fill_(1.0)
        counts.fill_(4.0)
        sums.copy_(codec.quantizer.codes * 4.0)
    rng = loop.sampler(seed)
    mel = MultiMel(rate).to(loop.device)
    judge = MelDistance(1024, 80, rate).to(loop.device)
    reservoir: list[Tensor] = []
    for step in loop:
        audio = loop.move(crops(songs, rng, batch, frame))
        p = loop.progress
        coefficients = compand(codec.encoder.mdct.whole(audio))
        with loop.autocast():
            latents = codec.encoder.latents(coefficients)
        latents = latents.float()
        flat = latents.transpose(1, 2).reshape(-1, latents.shape[1])
        commitment = flat.new_zeros(())
        decoded_from = latents
        if p >= 0.1 and not started.item():
            if len(reservoir) < 40:
                reservoir.append(flat.detach())
            else:
                with torch.no_grad():
                    kmeans_start(codec, torch.cat(reservoir))
                sums.copy_(codec.quantizer.codes * 4.0)
                counts.fill_(4.0)
                started.fill_(1.0)
                reservoir.clear()
        figures: dict[str, float] = {}
        if started.item():
            tokens, perplexity = learn_codes(
                codec.quantizer, flat.detach(), counts, sums, 0.97, 0.02 if p < 0.8 else 0.0
            )
            levels = codec.quantizer.codebooks
            if rng.random() < 0.25:
                levels = int(rng.integers(2, levels))
            tokens = tokens.view(batch, -1, codec.quantizer.codebooks).transpose(1, 2)
            quantized = codec.quantizer.decode(tokens[:, :levels])
            commitment = F.mse_loss(latents, quantized)
            decoded_from = latents + (quantized - latents).detach()
            figures = {"perplexity_first": float(perplexity[0]), "perplexity_last": float(perplexity[-1])}
        with loop.autocast():
            features = codec.decoder.features(decoded_from)
        decoded = codec.decoder.audio(features.float())
        lag = codec.decode_delay_samples
        estimate, target = decoded[:, lag:], audio[:, :-lag]
        mel_loss, wave_loss = mel(estimate, target), nmse(estimate, target)
        turn = min(1.0, max(0.0, (p - 0.05) / 0.35))
        loss = (0.3 + 0.7 * turn) * mel_loss + (1.5 - 1.2 * turn) * wave_loss + 0.25 * commitment
        parts = {"mel": mel_loss, "nmse": wave_loss, "commit": commitment}
        loop.update(loss, {name: float(value.detach()) for name, value in parts.items()} | figures)
        if (step + 1) % 400 == 0:
            figures = evaluate_codec(codec, held_out, judge)
            distances = [value for name, value in figures.items() if name.endswith("_mel_db")]
            valid = {"valid": float(np.mean(distances))} if started.item() and distances else {}
            loop.log(**figures, **valid)


@torch.no_grad()
def evaluate_codec(codec: MdctCodec, songs: list[StoredSong], judge: MelDistance) -> dict[str, float]:
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
