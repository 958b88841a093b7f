"""The band as one TorchScript file for patches: `forward`, attributes and ratios as nn~ (Max, Pd) reads them.

Sound in at the patch's rate, the three parts out, block by block of any size; listening, generator, decoder and both
resamplers are inside, and so is a plain grid for a conductor: tempo and metre are attributes, the chord is the
listener's. Loads in plain libtorch, on the CPU. The state is the file's own: one thread at a time.

TorchScript reads this source: annotations are not put off, and types are spelt as it knows them.
"""

import math
import warnings
from pathlib import Path
from typing import Dict, List

import numpy as np
import torch
from torch import Tensor, nn

from ...dsp.features import FeatureExtractor, mel_filters, pitch_filters
from ...dsp.resample import Resampler
from .. import checkpoint
from ..generator.note_hand import free_hand
from ..listener import Listener
from ..runtime import LiveBand, WantedFrame, load_eager
from .patch_attributes import ATTRIBUTES, PatchAttributes

FRAMES_A_SECOND = 25
CHORD_TIME_S = 0.16
MOST_AHEAD_FRAMES = 12
_MODULUS, _FACTOR = 2147483647, 48271


class PatchBand(PatchAttributes):
    """One band with its state. `forward` takes [1, 1, n] and gives [1, parts, n], sample for sample in musical time.

    One thread at a time.
    """

    hand: Tensor
    busier: Tensor
    free: Tensor
    block: Tensor
    chunk: Tensor
    queue: Tensor
    roots: Tensor
    classes: Tensor
    down_filter: Tensor
    down_index: Tensor
    down_history: Tensor
    up_filter: Tensor
    up_index: Tensor
    up_history: Tensor
    mel_bank: Tensor
    mel_shape: Tensor
    pitch_bank: Tensor
    pitch_shape: Tensor
    listen_state: Dict[str, Tensor]
    play_state: Dict[str, Tensor]
    styles: List[str]
    forward_input_labels: List[str]
    forward_output_labels: List[str]

    def __init__(self, band: LiveBand, styles: List[str], delay_samples: int, rate_hz: int) -> None:
        """`delay_samples` is the decoder's, at its rate. Raises ValueError for a rate whose frames are not whole."""
        super().__init__()
        self.band = band
        spec = FeatureExtractor().spec
        if rate_hz % FRAMES_A_SECOND:
            raise ValueError(f"{rate_hz} Hz: a frame is no whole number of samples")
        self.rate_hz, self.frame = rate_hz, rate_hz // FRAMES_A_SECOND
        self.band_frame, self.sub_frames, self.sub = (
            spec.frame_samples,
            spec.sub_frames,
            spec.frame_samples // spec.sub_frames,
        )
        self.mel_window, self.parts = spec.mel_window_samples, band.generator.parts
        self.places, self.size = band.generator.places, band.generator.config.size
        self._add_resamplers(spec.rate_hz, rate_hz, delay_samples)
        self._add_features()
        self._add_layout(band.listener)
        self.styles = list(styles)
        self.listen_state, self.play_state = band.init_listen(1), band.init_play(1)
        parts = list(band.generator.config.parts)
        self.forward_input_labels = ["(signal) what you play"]
        self.forward_output_labels = [f"(signal) {part}" for part in parts]
        self.register_buffer("forward_params", torch.tensor([1, 1, self.parts, 1]))

        self.tempo_bpm, self.beats_per_bar, self.style, self.density = 120.0, 4, self.styles[0], 0.5
        self.temperature, self.top_k, self.top_p = 0.9, 100, 0.95
        self.playing, self.seed, self.round_trip, self.restart = True, 0, 0, False
        for name, kind in ATTRIBUTES.items():
            self.register_buffer(f"{name}_params", torch.tensor([kind]))

        self.register_buffer("block", torch.zeros(self.frame))
        self.register_buffer("chunk", torch.zeros(spec.tail_samples + spec.frame_samples))
        self.register_buffer("queue", torch.zeros(self.parts, (MOST_AHEAD_FRAMES + 2) * self.frame))
        self.register_buffer("roots", torch.zeros(13))
        self.register_buffer("classes", torch.zeros(12))
        for name, value in zip(("hand", "busier", "free"), free_hand(self.parts), strict=True):
            self.register_buffer(name, torch.from_numpy(value))
        self.filled, self.queued, self.random, self.beat, self.ahead = 0, 0, 1, 0.0, 2
        self._reset()

    def _add_resamplers(self, band_rate_hz: int, rate_hz: int, delay_samples: int) -> None:
        down = Resampler(rate_hz, band_rate_hz, self.frame, rate_hz)
        up = Resampler(band_rate_hz, rate_hz, self.band_frame, rate_hz)
        for name, resampler, made in (("down", down, self.band_frame), ("up", up, self.frame)):
            factor_up, factor_down, bank = resampler.polyphase
            place = np.arange(made) * factor_down
            taps = bank.shape[1]
            self.register_buffer(f"{name}_filter", torch.from_numpy(bank[place % factor_up].copy()))
            index = (place // factor_up)[:, None] + np.arange(taps)[None]
            self.register_buffer(f"{name}_index", torch.from_numpy(index.astype(np.int64)))
            rows = 1 if name == "down" else self.parts
            self.register_buffer(f"{name}_history", torch.zeros(rows, taps - 1))
        self.lead = round(delay_samples * rate_hz / band_rate_hz) + int(up.delay_out_samples)

    def _add_features(self) -> None:
        extractor = FeatureExtractor()
        for name, bank in (("mel", mel_filters(extractor.spec)), ("pitch", pitch_filters(extractor.spec))):
            self.register_buffer(f"{name}_bank", torch.from_numpy(bank.T.copy()))
            self.register_buffer(f"{name}_shape", torch.from_numpy(getattr(extractor, f"_{name}_window").copy()))

    def _add_layout(self, listener: Listener) -> None:
        layout = listener.config.layout()
        self.root_from, self.root_to = layout["chord_root"]
        self.classes_from, self.classes_to = layout["chord_pitch_classes"]
        self.chord_share = 1.0 - math.exp(-1.0 / FRAMES_A_SECOND / CHORD_TIME_S)

    def _reset(self) -> None:
        """As new: silence before the first sample."""
        for value in self.listen_state.values():
            value.zero_()
        for value in self.play_state.values():
            value.zero_()
        self.block.zero_()
        self.chunk.zero_()
        self.queue.zero_()
        self.down_history.zero_()
        self.up_history.zero_()
        self.classes.zero_()
        self.roots.zero_()
        self.roots[12] = 1.0
        self.filled = 0
        self.random = self.seed % 2147483646 + 1
        room = self.lead + self.round_trip
        self.ahead = min(max(2, 1 + (room + self.frame - 1) // self.frame), 12)
        self.queued = self.ahead * self.frame - room
        self.beat = self.ahead * self.frame * self.tempo_bpm / (60.0 * self.rate_hz)

    def forward(self, x: Tensor) -> Tensor:
        """[1, 1, n] to [1, parts, n]; output sample s is meant to be heard with input sample s (+ round_trip)."""
        if x.size(0) != 1 or x.size(1) != 1:
            raise ValueError("one channel of one player: take one file for each")
        n = x.size(2)
        out = torch.zeros(1, self.parts, n)
        done = 0
        while done < n:
            count = min(n - done, self.frame - self.filled)
            self.block[self.filled : self.filled + count] = torch.nan_to_num(
                x[0, 0, done : done + count], 0.0, 0.0, 0.0
            )
            out[0, :, done : done + count] = self.queue[:, :count]
            self.queue[:, : self.queued - count] = self.queue[:, count : self.queued].clone()
            self.queued -= count
            self.filled += count
            done += count
            if self.filled == self.frame:
                self.filled = 0
                self._step()
        return out

    def _step(self) -> None:
        heard = self._listen()
        if self.playing:
            made = self._play(heard)
        else:
            made = torch.zeros(self.parts, self.band_frame)
        line = torch.cat([self.up_history, made], dim=1)
        sound = (line[:, self.up_index] * self.up_filter).sum(dim=2)
        self.up_history.copy_(line[:, line.size(1) - self.up_history.size(1) :])
        self.queue[:, self.queued : self.queued + self.frame] = sound
        self.queued += self.frame
        self.beat += self.frame * self.tempo_bpm / (60.0 * self.rate_hz)

    def _listen(self) -> Tensor:
        """The block to what the generator hears of it, [2, 1, size]; follows the chord."""
        line = torch.cat([self.down_history, self.block.unsqueeze(0)], dim=1)
        new = (line[0, self.down_index] * self.down_filter).sum(dim=1)
        self.down_history.copy_(line[:, line.size(1) - self.down_history.size(1) :])
        tail = self.chunk.size(0) - self.band_frame
        self.chunk[:tail] = self.chunk[self.band_frame :].clone()
        self.chunk[tail:] = new
        features = self._features()
        logits = self.band.listen(features, self.listen_state)
        root = torch.softmax(logits[self.root_from : self.root_to], dim=0)
        classes = torch.sigmoid(logits[self.classes_from : self.classes_to])
        self.roots.copy_(self.roots + self.chord_share * (root - self.roots))
        self.classes.copy_(self.classes + self.chord_share * (classes - self.classes))
        return self.band.hear(features, self.play_state)

    def _features(self) -> Tensor:
        """As dsp/features.py, of the newest frame."""
        mel: List[Tensor] = []
        tail = self.chunk.size(0) - self.band_frame
        for k in range(self.sub_frames):
            end = tail + self.sub * (k + 1)
            window = self.chunk[end - self.mel_window : end] * self.mel_shape
            mel.append(torch.matmul(torch.fft.rfft(window).abs(), self.mel_bank) * (4.0 / self.mel_window))
        pitch = torch.matmul(torch.fft.rfft(self.chunk * self.pitch_shape).abs(), self.pitch_bank)
        every = torch.cat(mel + [pitch * (4.0 / self.chunk.size(0))])  # noqa: RUF005 - TorchScript
        return torch.log10(every + 1e-5) * 0.4 + 1.0

    def _play(self, heard: Tensor) -> Tensor:
        """The next frame, [parts, band_frame]."""
        root = int(self.roots.argmax())
        moment = torch.tensor(
            [
                self.beat % 1.0,
                (self.beat / self.beats_per_bar) % 1.0,
                self.tempo_bpm,
                float(self.beats_per_bar),
                1.0,
                1.0,
                1.0,
                self.density,
                0.0,
            ]
        )
        style = len(self.styles)
        for index, name in enumerate(self.styles):
            if name == self.style:
                style = index
        noise = torch.zeros(self.parts, self.places)
        for part in range(self.parts):
            for place in range(self.places):
                self.random = self.random * 48271 % 2147483647
                noise[part, place] = (self.random - 1) / 2147483646.0
        wanted = WantedFrame(
            moment,
            torch.tensor([root if root < 12 else -1]),
            self.classes.clamp(0.0, 1.0),
            torch.tensor([style]),
            torch.tensor([self.ahead]),
            noise.clamp(max=0.9999999),
            self.hand,
            self.busier,
            self.free,
            self.temperature,
            self.top_k,
            self.top_p,
        )
        return self.band.play(heard, wanted, self.play_state)


def export_torchscript(target: Path, weights: Path | None = None, rate_hz: int = 48_000, int8: bool = False) -> None:
    """Write the band of `weights` (None: the shipped one) as one file. int8 is faster, where libtorch has its kernels.

    Raises CheckpointError for weights that cannot be used, ValueError for a rate that cannot be, OSError.
    """
    band, codec = load_eager(weights or checkpoint.SHIPPED)
    patch = PatchBand(band, list(band.generator.config.styles), codec.decode_delay_samples, rate_hz).eval()
    part = target.with_name(target.name + ".part")
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", UserWarning)
        if int8:
            patch = torch.ao.quantization.quantize_dynamic(patch, {nn.Linear}, dtype=torch.qint8)
        scripted = torch.jit.script(patch)
        try:
            torch.jit.save(scripted, str(part))
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
