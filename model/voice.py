"""The voice of bass and keys: oscillators at the frequencies of the notes, and what the codec adds to them.

A codec token of 2 kbit/s blurs a low note over its neighbours; the generator says which notes sound, so nothing about
pitch needs to come through the codec. Per note a small network says how loud it is every 10 ms and how its harmonics
are weighed (additive synthesis steered by a network: DDSP, Engel 2020), and per band how much of the codec's sound is
to be heard: its attacks and its breath. Phases follow from the clock alone, so a note stays one tone however long it
is.

Streaming contract with the codec's decoder inside; delay as the decoder's. Inference thread only.
"""

from __future__ import annotations

import math
from typing import Dict, List, Tuple

import torch
from torch import Tensor, nn

from .codec.mdct_codec import MdctDecoder
from .configs import CODEC_SHARE, RELEASE, VoiceConfig
from .generator.score_tokens import (
    FIRST_NOTE,
    LOWEST_NOTE,
    NOTE_SLOTS,
    SLOT_ENTRIES,
    SLOTS,
)
from .layers import ConvBlock, embedding


class Voice(nn.Module):
    """Slots and latents to oscillators and band gains: `step` for live, `whole` for training and files.

    One thread at a time.
    """

    def __init__(self, config: VoiceConfig) -> None:
        super().__init__()
        self.config = config
        self.harmonics, self.sub_frames, self.hop, self.bands = (
            config.harmonics,
            config.sub_frames,
            config.hop,
            config.bands,
        )
        self.frame, self.rate_hz = config.hop * config.sub_frames, float(config.sample_rate_hz)
        self.notes, self.first_note, self.lowest_note = NOTE_SLOTS, FIRST_NOTE, LOWEST_NOTE
        size = config.channels
        self.latent = nn.Linear(config.latent, size)
        self.slot = nn.ModuleList([embedding(SLOT_ENTRIES, size, 0.3) for _ in range(SLOTS)])
        self.part = nn.Embedding(len(config.parts), size)
        self.blocks = nn.ModuleList(
            [ConvBlock(f"voice.block{i}", size, 3, dilation, expand=2) for i, dilation in enumerate(config.dilations)]
        )
        self.norm = nn.LayerNorm(size)
        self.to_note = nn.Linear(size, config.note_size)
        self.pitch = embedding(SLOT_ENTRIES, config.note_size, 0.3)
        self.held = nn.Parameter(torch.zeros(config.note_size))
        self.from_note = nn.Sequential(
            nn.SiLU(),
            nn.Linear(config.note_size, config.note_size),
            nn.SiLU(),
            nn.Linear(config.note_size, config.sub_frames + config.harmonics),
        )
        self.gain = nn.Linear(size, config.sub_frames * config.bands)
        nn.init.zeros_(self.gain.weight)
        nn.init.constant_(self.gain.bias, 1.5)
        self.fine = max(size for size in range(1, math.isqrt(config.hop) + 1) if config.hop % size == 0)
        order = torch.arange(1, config.harmonics + 1, dtype=torch.float32)
        self.order = nn.Buffer(order, persistent=False)
        self.tilt = nn.Buffer(-1.2 * torch.log(order), persistent=False)
        # spread, so that the sum of all harmonics has no needle in each period
        self.offset = nn.Buffer(2.0 * math.pi * torch.frac(0.17 * order * order), persistent=False)
        self.rise = nn.Buffer((torch.arange(config.hop) + 0.5) / config.hop, persistent=False)
        self.release = nn.Buffer(torch.tensor(RELEASE), persistent=False)
        self.band_of_bin = nn.Buffer(_bands(config.hop, config.bands), persistent=False)

    @torch.jit.export
    def init_state(self, batch: int) -> Dict[str, Tensor]:
        """State for `batch` rows (songs times pitched parts)."""
        device = self.rise.device
        state: Dict[str, Tensor] = {}
        for block in self.blocks:
            state.update(block.init_state(batch))
        state["voice.notes"] = torch.zeros(batch, self.notes, dtype=torch.int64, device=device)
        state["voice.points"] = torch.zeros(batch, self.notes, self.harmonics, device=device)
        state["voice.tail"] = torch.zeros(batch, self.hop, device=device)
        state["voice.clock"] = torch.zeros(batch, dtype=torch.float64, device=device)  # samples at A 440
        state["voice.tuning_cents"] = torch.zeros(batch, dtype=torch.float64, device=device)
        return state

    def _embed(self, latents: Tensor, slots: Tensor, part: Tensor) -> Tensor:
        x = self.latent(latents.transpose(1, 2)) + self.part(part).unsqueeze(1)
        for place, table in enumerate(self.slot):
            x = x + table(slots[:, place])
        return x.transpose(1, 2)

    def _controls(self, y: Tensor, notes: Tensor, before: Tensor) -> Tuple[Tensor, Tensor]:
        """Network output [B, C, T], notes and notes of the frame before [B, T, slots] to amplitudes
        [B, T, slots, sub, harmonics] and band gains [B, T, sub, bands]."""
        y = self.norm(y.transpose(1, 2))
        batch, frames, _ = y.shape
        there = (notes.unsqueeze(3) == before.unsqueeze(2)).any(dim=3).unsqueeze(3).to(y.dtype)
        out = self.from_note(self.to_note(y).unsqueeze(2) + self.pitch(notes) + self.held * there).float()
        loudness = torch.exp((out[..., : self.sub_frames] - 3.0).clamp(-9.0, 2.0))
        midi = (notes + (self.lowest_note - 1)).float().unsqueeze(3)
        hz = 440.0 * torch.exp2((midi - 69.0) / 12.0)
        heard = (hz * self.order < 0.45 * self.rate_hz) & (notes > 0).unsqueeze(3)
        spread = torch.softmax(out[..., self.sub_frames :] + self.tilt, dim=-1) * heard
        gain = torch.sigmoid(self.gain(y).float()).view(batch, frames, self.sub_frames, self.bands)
        return loudness.unsqueeze(4) * spread.unsqueeze(3), gain

    def _synthesise(
        self, notes: Tensor, amplitudes: Tensor, before: Tensor, last: Tensor, clock: Tensor, tuning: Tensor
    ) -> Tensor:
        """Oscillators: notes, notes of the frame before [B, T, slots], amplitudes, last amplitudes of the frame before
        [B, T, slots, harmonics], samples at A 440 that lie before the first frame [B], and by how much a sample is
        more or less than one of these [B] (so that a change of tuning bends the tones and breaks none), to audio
        [B, T * frame]."""
        batch, frames, slots = notes.shape
        same = (notes.unsqueeze(3) == before.unsqueeze(2)) & (notes > 0).unsqueeze(3)  # [B, T, now, before]
        start = torch.matmul(same.to(last.dtype), last)
        now = torch.cat([start.unsqueeze(3), amplitudes], dim=3)  # [B, T, slots, sub + 1, H]
        ended = (before > 0) & ~same.any(dim=2)
        gone = last.unsqueeze(3) * self.release.view(1, 1, 1, -1, 1) * ended.view(batch, frames, slots, 1, 1)
        pitches = torch.cat([notes, torch.where(ended, before, torch.zeros_like(before))], dim=2)
        points = torch.cat([now, gone], dim=2)
        place = torch.nonzero(pitches > 0)
        row, frame = place[:, 0], place[:, 1]
        pitch, points = pitches[row, frame, place[:, 2]], points[row, frame, place[:, 2]]
        hz = 440.0 * torch.exp2((pitch + (self.lowest_note - 1 - 69)).double() / 12.0)
        # A sample's angle is that of the first one of its stretch and what the tone turns within it: the sines of both,
        # and their products, are a seventh of the sines of all samples.
        coarse = torch.arange(self.frame // self.fine, device=notes.device) * self.fine
        begin = (
            clock[row].unsqueeze(1) + tuning[row].unsqueeze(1) * ((frame * self.frame).unsqueeze(1) + coarse).double()
        )
        cycles = torch.frac(hz.unsqueeze(1) * begin / self.rate_hz)  # exact however late it is
        first = (2.0 * math.pi) * cycles.float().view(-1, self.sub_frames, 1, self.hop // self.fine, 1)
        first = first * self.order + self.offset  # [N, sub, 1, stretches, H]
        turn = (2.0 * math.pi / self.rate_hz * hz * tuning[row]).float().view(-1, 1, 1)
        turn = turn * self.order.unsqueeze(1) * torch.arange(self.fine, device=notes.device)  # [N, H, fine]
        turned = torch.cat([turn.cos(), turn.sin()], dim=1)
        waves = torch.cat([first.sin(), first.cos()], dim=4)
        pair = torch.stack([points[:, :-1], points[:, 1:]], dim=2).repeat(1, 1, 1, 2)  # [N, sub, 2, 2 * H]
        ends = torch.matmul((waves * pair.unsqueeze(3)).flatten(1, 3), turned)
        ends = ends.view(-1, self.sub_frames, 2, self.hop)
        sound = ends[:, :, 0] + (ends[:, :, 1] - ends[:, :, 0]) * self.rise
        out = torch.zeros(batch * frames, self.frame, device=notes.device)
        out = out.index_add(0, row * frames + frame, sound.flatten(1))
        return out.view(batch, frames * self.frame)

    def _shaped(self, coefficients: Tensor, gain: Tensor) -> Tensor:
        """The codec's coefficients [B, hop, T * sub] times the gains of their bands."""
        return coefficients * gain.flatten(1, 2).index_select(2, self.band_of_bin).transpose(1, 2)

    @torch.jit.export
    def step(
        self,
        latents: Tensor,
        slots: Tensor,
        part: Tensor,
        coefficients: Tensor,
        state: Dict[str, Tensor],
    ) -> Tuple[Tensor, Tensor]:
        """Latents [B, latent, T], slots [B, SLOTS, T] (0 and up), part [B], the codec's coefficients of the same
        frames: the oscillators' audio [B, T * frame], already as late as the decoder's, and shaped coefficients."""
        x = self._embed(latents, slots, part)
        for block in self.blocks:
            x = block.step(x, state)
        notes = slots[:, self.first_note :].transpose(1, 2)
        before = torch.cat([state["voice.notes"].unsqueeze(1), notes[:, :-1]], dim=1)
        amplitudes, gain = self._controls(x, notes, before)
        ends = amplitudes[:, :, :, -1]
        last = torch.cat([state["voice.points"].unsqueeze(1), ends[:, :-1]], dim=1)
        tuning = torch.exp2(state["voice.tuning_cents"] / 1200.0)
        sound = self._synthesise(notes, amplitudes, before, last, state["voice.clock"], tuning)
        state["voice.notes"].copy_(notes[:, -1])
        state["voice.points"].copy_(ends[:, -1])
        state["voice.clock"].add_(tuning * (notes.shape[1] * self.frame))
        late = torch.cat([state["voice.tail"], sound], dim=1)
        count = sound.shape[1]
        state["voice.tail"].copy_(late[:, count:])
        return late[:, :count], self._shaped(coefficients, gain)

    def whole(self, latents: Tensor, slots: Tensor, part: Tensor, coefficients: Tensor) -> Tuple[Tensor, Tensor]:
        """`step` from a fresh state over all frames at once."""
        x = self._embed(latents, slots, part)
        for block in self.blocks:
            x = block.whole(x)
        notes = slots[:, self.first_note :].transpose(1, 2)
        before = nn.functional.pad(notes[:, :-1], (0, 0, 1, 0))
        amplitudes, gain = self._controls(x, notes, before)
        last = nn.functional.pad(amplitudes[:, :-1, :, -1], (0, 0, 0, 0, 1, 0))
        sound = self._synthesise(
            notes,
            amplitudes,
            before,
            last,
            torch.zeros_like(part).double(),
            torch.ones_like(part).double(),
        )
        return nn.functional.pad(sound, (self.hop, 0))[:, : sound.shape[1]], self._shaped(coefficients, gain)


def _bands(hop: int, bands: int) -> Tensor:
    """The band of each MDCT coefficient: narrow ones at the bottom, where notes lie close together."""
    edges = hop * (torch.linspace(0.0, 1.0, bands + 1, dtype=torch.float64) ** 2.2)
    return (torch.arange(hop)[:, None] + 0.5 >= edges[None, 1:]).sum(dim=1).clamp(max=bands - 1)


class VoicedDecoder(nn.Module):
    """Codec decoder for all parts, with the voice on the pitched ones. Rows: songs times parts, parts in order.

    One thread at a time.
    """

    def __init__(self, decoder: MdctDecoder, voice: Voice, parts: List[str]) -> None:
        super().__init__()
        self.decoder, self.voice = decoder, voice
        sung = [index for index, part in enumerate(parts) if part in voice.config.parts]
        self.parts, self.codec_share = len(parts), CODEC_SHARE
        self.sung = nn.Buffer(torch.tensor(sung), persistent=False)
        self.part = nn.Buffer(
            torch.tensor([voice.config.parts.index(parts[index]) for index in sung]), persistent=False
        )

    @torch.jit.export
    def init_state(self, songs: int) -> Dict[str, Tensor]:
        state = self.decoder.init_state(songs * self.parts)
        state.update(self.voice.init_state(songs * self.sung.numel()))
        return state

    def rows(self, songs: int) -> Tensor:
        """Row numbers of the sung parts."""
        return (torch.arange(songs, device=self.sung.device)[:, None] * self.parts + self.sung[None]).flatten()

    @torch.jit.export
    def step(self, latents: Tensor, slots: Tensor, state: Dict[str, Tensor]) -> Tensor:
        """Latents [S * parts, latent, T] and slots [S * parts, SLOTS, T] to audio [S * parts, T * frame]."""
        songs = latents.shape[0] // self.parts
        rows = self.rows(songs)
        coefficients = self.decoder.coefficients_step(latents, state)
        slots = slots.clamp(min=0)
        part = self.part.repeat(songs)
        sound, shaped = self.voice.step(latents[rows], slots[rows], part, coefficients[rows], state)
        mixed = coefficients.index_copy(0, rows, shaped * self.codec_share)
        audio = self.decoder.inverse.step(mixed, state)
        return audio.index_add(0, rows, sound)

    def whole(self, latents: Tensor, slots: Tensor) -> Tensor:
        """`step` from a fresh state over all frames at once."""
        songs = latents.shape[0] // self.parts
        rows = self.rows(songs)
        coefficients = self.decoder.coefficients(latents)
        part = self.part.repeat(songs)
        sound, shaped = self.voice.whole(latents[rows], slots.clamp(min=0)[rows], part, coefficients[rows])
        audio = self.decoder.inverse.whole(coefficients.index_copy(0, rows, shaped * self.codec_share))
        return audio.index_add(0, rows, sound)
