"""EnCodec's causal SEANet on the waveform (Tagliasacchi 2020, Défossez 2022), streaming by carried state.

Convolutions that halve time and double channels, two LSTM layers, and the mirror of it: the other candidate for the
codec, and what the official EnCodec weights run on (encodec_adapter.py). Knows no thread and no sound card.
"""

from __future__ import annotations

from typing import Dict

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..configs import SeanetConfig
from ..layers import scaled_normal_
from ..streaming import Streaming
from .codec_protocol import Decoder, Encoder, TokenCodec


class WaveConv(Streaming):
    """A causal convolution [B, C_in, T] -> [B, C_out, T / stride] whose past may start as silence or as a mirror.

    One thread at a time.
    """

    def __init__(
        self, key: str, inputs: int, outputs: int, kernel: int, mirror: bool, stride: int = 1, dilation: int = 1
    ) -> None:
        super().__init__()
        self.key, self.begun = key, f"{key}.begun"
        self.inputs, self.mirror = inputs, mirror
        self.past = (kernel - 1) * dilation + 1 - stride
        self.conv = nn.Conv1d(inputs, outputs, kernel, stride=stride, dilation=dilation)
        scaled_normal_(self.conv.weight)
        nn.init.zeros_(self.conv.bias)  # type: ignore[arg-type]

    def init_state(self, batch: int) -> Dict[str, Tensor]:
        device = self.conv.weight.device
        state = {self.key: torch.zeros(batch, self.inputs, self.past, device=device)}
        if self.mirror:
            state[self.begun] = torch.zeros(batch, dtype=torch.int64, device=device)
        return state

    def _before(self, x: Tensor) -> Tensor:
        """What stands before a sequence that begins with x: [B, C_in, past]. Too short a beginning ends in silence."""
        if not self.mirror:
            return x.new_zeros([x.shape[0], x.shape[1], self.past])
        if x.shape[2] <= self.past:
            x = F.pad(x, (0, self.past + 1 - x.shape[2]))
        return x[:, :, 1 : self.past + 1].flip(2)

    def step(self, x: Tensor, state: Dict[str, Tensor]) -> Tensor:
        past = state[self.key]
        if self.mirror and int(state[self.begun][0].item()) == 0:
            past.copy_(self._before(x))
            state[self.begun].fill_(1)
        padded = torch.cat([past, x], dim=2)
        past.copy_(padded[:, :, padded.shape[2] - self.past :])
        return self.conv(padded)

    def whole(self, x: Tensor) -> Tensor:
        return self.conv(torch.cat([self._before(x), x], dim=2))


class WaveUpConv(Streaming):
    """A transposed convolution [B, C_in, T] -> [B, C_out, T * stride]; what hangs over goes into the next step.

    One thread at a time.
    """

    def __init__(self, key: str, inputs: int, outputs: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.key, self.outputs, self.stride, self.over = key, outputs, stride, kernel - stride
        # the bias stands by itself: where two steps meet it would count twice
        self.conv = nn.ConvTranspose1d(inputs, outputs, kernel, stride=stride, bias=False)
        self.bias = nn.Parameter(torch.zeros(outputs))
        nn.init.normal_(self.conv.weight, std=(inputs * kernel / stride) ** -0.5)

    def init_state(self, batch: int) -> Dict[str, Tensor]:
        return {self.key: torch.zeros(batch, self.outputs, self.over, device=self.conv.weight.device)}

    def step(self, x: Tensor, state: Dict[str, Tensor]) -> Tensor:
        over = state[self.key]
        y = self.conv(x)
        y = torch.cat([y[:, :, : self.over] + over, y[:, :, self.over :]], dim=2)
        size = x.shape[2] * self.stride
        over.copy_(y[:, :, size:])
        return y[:, :, :size] + self.bias[:, None]

    def whole(self, x: Tensor) -> Tensor:
        return self.conv(x)[:, :, : x.shape[2] * self.stride] + self.bias[:, None]


class WaveUnit(Streaming):
    """Residual unit: two convolutions over half the channels beside a pointwise one. One thread at a time."""

    def __init__(self, key: str, channels: int, config: SeanetConfig, dilation: int) -> None:
        super().__init__()
        mirror, hidden = config.start == "reflect", channels // config.compress
        self.first = WaveConv(f"{key}.first", channels, hidden, config.residual_kernel, mirror, dilation=dilation)
        self.second = WaveConv(f"{key}.second", hidden, channels, 1, False)
        self.beside = WaveConv(f"{key}.beside", channels, channels, 1, False)

    def init_state(self, batch: int) -> Dict[str, Tensor]:
        return self.first.init_state(batch)

    def _sum(self, x: Tensor, y: Tensor) -> Tensor:
        return self.beside.conv(x) + self.second.conv(F.elu(y))

    def step(self, x: Tensor, state: Dict[str, Tensor]) -> Tensor:
        return self._sum(x, self.first.step(F.elu(x), state))

    def whole(self, x: Tensor) -> Tensor:
        return self._sum(x, self.first.whole(F.elu(x)))


class WaveLstm(Streaming):
    """LSTM layers with a way around them, [B, C, T] -> [B, C, T]. One thread at a time."""

    def __init__(self, key: str, channels: int, layers: int) -> None:
        super().__init__()
        self.key_h, self.key_c = f"{key}.h", f"{key}.c"
        self.lstm = nn.LSTM(channels, channels, layers)
        self.silence = nn.Buffer(torch.zeros(layers, 1, channels), persistent=False)

    def init_state(self, batch: int) -> Dict[str, Tensor]:
        return {self.key_h: self.silence.repeat(1, batch, 1), self.key_c: self.silence.repeat(1, batch, 1)}

    def step(self, x: Tensor, state: Dict[str, Tensor]) -> Tensor:
        y, (h, c) = self.lstm(x.permute(2, 0, 1), (state[self.key_h], state[self.key_c]))
        state[self.key_h].copy_(h)
        state[self.key_c].copy_(c)
        return y.permute(1, 2, 0) + x

    def whole(self, x: Tensor) -> Tensor:
        y, _ = self.lstm(x.permute(2, 0, 1))
        return y.permute(1, 2, 0) + x


class DownStage(Streaming):
    """Residual units, then a convolution that shortens time by `ratio` and doubles the channels.

    One thread at a time.
    """

    def __init__(self, key: str, channels: int, ratio: int, config: SeanetConfig) -> None:
        super().__init__()
        self.units = nn.ModuleList(
            [
                WaveUnit(f"{key}.unit{i}", channels, config, config.dilation_base**i)
                for i in range(config.residual_layers)
            ]
        )
        mirror = config.start == "reflect"
        self.down = WaveConv(f"{key}.down", channels, 2 * channels, 2 * ratio, mirror, stride=ratio)

    def init_state(self, batch: int) -> Dict[str, Tensor]:
        state = self.down.init_state(batch)
        for unit in self.units:
            state.update(unit.init_state(batch))
        return state

    def step(self, x: Tensor, state: Dict[str, Tensor]) -> Tensor:
        for unit in self.units:
            x = unit.step(x, state)
        return self.down.step(F.elu(x), state)

    def whole(self, x: Tensor) -> Tensor:
        for unit in self.units:
            x = unit.whole(x)
        return self.down.whole(F.elu(x))


class UpStage(Streaming):
    """The mirror of `DownStage`. One thread at a time."""

    def __init__(self, key: str, channels: int, ratio: int, config: SeanetConfig) -> None:
        super().__init__()
        self.up = WaveUpConv(f"{key}.up", 2 * channels, channels, 2 * ratio, ratio)
        self.units = nn.ModuleList(
            [
                WaveUnit(f"{key}.unit{i}", channels, config, config.dilation_base**i)
                for i in range(config.residual_layers)
            ]
        )

    def init_state(self, batch: int) -> Dict[str, Tensor]:
        state = self.up.init_state(batch)
        for unit in self.units:
            state.update(unit.init_state(batch))
        return state

    def step(self, x: Tensor, state: Dict[str, Tensor]) -> Tensor:
        x = self.up.step(F.elu(x), state)
        for unit in self.units:
            x = unit.step(x, state)
        return x

    def whole(self, x: Tensor) -> Tensor:
        x = self.up.whole(F.elu(x))
        for unit in self.units:
            x = unit.whole(x)
        return x


class SeanetEncoder(Encoder):
    """Audio [B, N] to latents [B, latent, N / frame], no delay. One thread at a time."""

    def __init__(self, config: SeanetConfig) -> None:
        super().__init__()
        mirror = config.start == "reflect"
        self.head = WaveConv("enc.head", 1, config.filters, config.kernel, mirror)
        self.stages = nn.ModuleList(
            [
                DownStage(f"enc.{i}", config.filters * 2**i, ratio, config)
                for i, ratio in enumerate(reversed(config.ratios))
            ]
        )
        top = config.filters * 2 ** len(config.ratios)
        layers = config.lstm_layers
        self.lstm = nn.ModuleList([WaveLstm("enc.lstm", top, layers)] if layers else [])
        self.tail = WaveConv("enc.tail", top, config.latent, config.kernel, mirror)
        self.scaled = config.scaled_latents

    def init_state(self, batch: int) -> Dict[str, Tensor]:
        state = self.head.init_state(batch)
        for stage in self.stages:
            state.update(stage.init_state(batch))
        for lstm in self.lstm:
            state.update(lstm.init_state(batch))
        state.update(self.tail.init_state(batch))
        return state

    def front(self, x: Tensor) -> Tensor:
        """What is not learnt of `whole`: [B, N] to [B, 1, N]."""
        return x.unsqueeze(1)

    def step(self, x: Tensor, state: Dict[str, Tensor]) -> Tensor:
        y = self.head.step(self.front(x), state)
        for stage in self.stages:
            y = stage.step(y, state)
        for lstm in self.lstm:
            y = lstm.step(y, state)
        return self._scaled(self.tail.step(F.elu(y), state))

    def whole(self, x: Tensor) -> Tensor:
        return self.latents(self.front(x))

    def latents(self, x: Tensor) -> Tensor:
        """The learnt part of `whole`: [B, 1, N] to [B, latent, N / frame]."""
        y = self.head.whole(x)
        for stage in self.stages:
            y = stage.whole(y)
        for lstm in self.lstm:
            y = lstm.whole(y)
        return self._scaled(self.tail.whole(F.elu(y)))

    def _scaled(self, z: Tensor) -> Tensor:
        if not self.scaled:
            return z
        return F.layer_norm(z.transpose(1, 2), [z.shape[1]]).transpose(1, 2)


class SeanetDecoder(Decoder):
    """Latents [B, latent, T] to audio [B, T * frame], no delay. One thread at a time."""

    def __init__(self, config: SeanetConfig) -> None:
        super().__init__()
        mirror = config.start == "reflect"
        top = config.filters * 2 ** len(config.ratios)
        self.head = WaveConv("dec.head", config.latent, top, config.kernel, mirror)
        layers = config.lstm_layers
        self.lstm = nn.ModuleList([WaveLstm("dec.lstm", top, layers)] if layers else [])
        self.stages = nn.ModuleList(
            [UpStage(f"dec.{i}", top // 2 ** (i + 1), ratio, config) for i, ratio in enumerate(config.ratios)]
        )
        self.tail = WaveConv("dec.tail", config.filters, 1, config.kernel, mirror)
        with torch.no_grad():
            self.tail.conv.weight.mul_(0.1)  # music is not as loud as white noise at full scale

    def init_state(self, batch: int) -> Dict[str, Tensor]:
        state = self.head.init_state(batch)
        for lstm in self.lstm:
            state.update(lstm.init_state(batch))
        for stage in self.stages:
            state.update(stage.init_state(batch))
        state.update(self.tail.init_state(batch))
        return state

    def step(self, x: Tensor, state: Dict[str, Tensor]) -> Tensor:
        y = self.head.step(x, state)
        for lstm in self.lstm:
            y = lstm.step(y, state)
        for stage in self.stages:
            y = stage.step(y, state)
        return self.tail.step(F.elu(y), state).squeeze(1)

    def whole(self, x: Tensor) -> Tensor:
        return self.audio(self.features(x))

    def audio(self, features: Tensor) -> Tensor:
        """The last map of `whole`: [B, filters, N] to [B, N]."""
        return self.tail.whole(F.elu(features)).squeeze(1)

    def features(self, x: Tensor) -> Tensor:
        """The learnt part of `whole` but its last map: latents [B, latent, T] to [B, filters, T * frame]."""
        y = self.head.whole(x)
        for lstm in self.lstm:
            y = lstm.whole(y)
        for stage in self.stages:
            y = stage.whole(y)
        return y


class SeanetCodec(TokenCodec):
    """SEANet under the `Codec` face. A gap is faded on the waveform. One thread at a time."""

    def __init__(self, config: SeanetConfig) -> None:
        super().__init__(config, SeanetEncoder, SeanetDecoder)
