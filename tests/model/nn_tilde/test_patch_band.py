"""The exported file: loaded by plain torch in a process of its own, it sounds like our band on the same grid."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from gigmate.engine.player import Heard, Moment
from gigmate.engine.run.accompaniment import Accompaniment, AccompanimentSettings
from gigmate.engine.timing.conductor import GridConductor
from gigmate.model.accompanist import Accompanist
from gigmate.model.loading import load_band
from gigmate.model.nn_tilde.patch_band import (
    ATTRIBUTES,
    CHORD_TIME_S,
    PatchBand,
    export_torchscript,
)
from gigmate.model.runtime import load_eager

BLOCKS = (512, 4096, 1, 1000)


class ListeningGrid(GridConductor):
    """A grid with the listener's chord, smoothed as the file does it."""

    def __init__(self, rate_hz: float) -> None:
        super().__init__(100.0, 3, rate_hz)
        self.roots, self.classes = np.zeros(13), np.zeros(12)
        self.roots[12] = 1.0

    def hear(self, heard: Heard, end_position_samples: float, frame_samples: float) -> None:
        share = 1.0 - np.exp(-0.04 / CHORD_TIME_S)
        self.roots += share * (heard.chord_root - self.roots)
        self.classes += share * (heard.chord_pitch_classes - self.classes)

    def moment(self, position_samples: float) -> Moment:
        root = int(self.roots.argmax())
        grid = super().moment(position_samples)
        return replace(grid, chord_root=root if root < 12 else -1, chord_pitch_classes=tuple(self.classes.tolist()))


class SameNoise:
    """The file's own generator, in the place of numpy's."""

    def __init__(self, seed: int) -> None:
        self.value = seed % 2147483646 + 1

    def random(self, shape: tuple[int, int], dtype: object) -> np.ndarray:
        out = np.zeros(shape)
        for place in np.ndindex(*shape):
            self.value = self.value * 48271 % 2147483647
            out[place] = (self.value - 1) / 2147483646
        return np.minimum(out.astype(np.float32), np.float32(0.9999999))


def lead(rate_hz: int, seconds: float) -> np.ndarray:
    n = np.arange(round(seconds * rate_hz))
    return (0.3 * np.sin(2 * np.pi * 220 * n / rate_hz) * (n % (rate_hz // 2) < rate_hz // 5)).astype(np.float32)


def ours(weights: Path, sound: np.ndarray, rate_hz: int, ahead_frames: int) -> np.ndarray:
    player = Accompanist(load_band(weights, compiled=False), 7)
    band = Accompaniment(
        player, ListeningGrid(rate_hz), rate_hz, AccompanimentSettings(seed=7, ahead_frames=ahead_frames)
    )
    player._noise = SameNoise(7)  # type: ignore[assignment]
    pieces = [band.push(sound), *band.finish()]
    return np.concatenate([piece.mono_parts for piece in pieces], axis=1)


LOADER = """
import sys, numpy as np, torch
band = torch.jit.load(sys.argv[1])
band.eval()
band.to(torch.device("cpu"))  # as nn~ does with every file, whether it has a GPU or not
assert {"forward", "get_methods", "get_attributes"} <= set(band._c._method_names())
assert all(hasattr(band, name + "_params") for name in band.get_attributes())
assert band.get_methods() == ["forward"]
assert band.forward_params.tolist() == [1, 1, 3, 1]
kinds = {0: bool, 1: int, 2: float, 3: str}
for name in band.get_attributes():
    kind = kinds[int(getattr(band, name + "_params")[0])]
    got = getattr(band, "get_" + name)()  # nn~ from 1.6.0 on: a list or a tuple, with as many values as there are kinds
    assert type(got) is tuple and [type(one) for one in got] == [kind], name
assert band.set_tempo_bpm(100.0) == band.set_beats_per_bar(3) == band.set_seed(7) == band.set_restart(True) == 0
assert band.set_tempo_bpm(-1.0) == band.set_style("polka") == -1
sound, out, at, turn = np.load(sys.argv[2]), [], 0, 0
blocks = [int(text) for text in sys.argv[4].split(",")]
with torch.inference_mode():
    while at < len(sound):
        piece = sound[at : at + blocks[turn % len(blocks)]]
        # nn~'s way with one batch: [channels in, batch, n, ratio in], the last of each ratio, batches first; and back.
        rows, ratio, parts, stretch = band.forward_params.tolist()
        heard = torch.cat([torch.from_numpy(piece).view(1, 1, -1)], 1).reshape(rows, 1, -1, ratio)
        made = band.forward(heard.select(-1, -1).permute(1, 0, 2))
        made = made.repeat_interleave(stretch).reshape(1, parts, -1)
        assert made.shape == (1, 3, len(piece)) and made.dtype == torch.float32
        out.append(made[0].numpy())
        at, turn = at + len(piece), turn + 1
assert "gigmate" not in sys.modules
np.save(sys.argv[3], np.concatenate(out, axis=1))
"""


@pytest.mark.parametrize("rate_hz", [32_000, 48_000])
def test_a_plain_loader_hears_our_band(tiny_weights: Path, tmp_path: Path, rate_hz: int) -> None:
    file = tmp_path / "band.ts"
    export_torchscript(file, tiny_weights, rate_hz)
    assert [path.name for path in tmp_path.iterdir()] == ["band.ts"]
    sound = lead(rate_hz, 1.3)
    np.save(tmp_path / "in.npy", sound)
    blocks = ",".join(map(str, BLOCKS))
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-c",
        LOADER,
        str(file),
        str(tmp_path / "in.npy"),
        str(tmp_path / "out.npy"),
    ]
    subprocess.run([*command, blocks], check=True, timeout=110)
    theirs = np.load(tmp_path / "out.npy")
    ramped = round(0.13 * rate_hz)  # ours comes in with a ramp
    reference = ours(tiny_weights, sound, rate_hz, ahead_frames=2)
    assert np.abs(theirs).max() > 0.05
    np.testing.assert_allclose(theirs[:, ramped:], reference[:, ramped:], atol=2e-3)


def test_attributes_change_what_is_heard(tiny_weights: Path) -> None:
    band, codec = load_eager(tiny_weights)
    for layer in band.generator.layers:  # untrained conditions say nothing
        torch.nn.init.normal_(layer.modulate.weight, std=0.5)
    patch = PatchBand(band, list(band.generator.config.styles), codec.decode_delay_samples, 48_000).eval()
    sound = torch.from_numpy(lead(48_000, 0.5)).view(1, 1, -1)

    def play() -> np.ndarray:
        patch.set_restart(True)
        with torch.inference_mode():
            return patch(sound).numpy()

    first = play()
    np.testing.assert_array_equal(play(), first)
    for name, value in (("style", "funk"), ("density", 1.0), ("seed", 9), ("tempo_bpm", 90.0)):
        (before,) = getattr(patch, f"get_{name}")()
        assert getattr(patch, f"set_{name}")(value) == 0
        assert getattr(patch, f"get_{name}")() == (value,)
        assert not np.array_equal(play(), first), name
        getattr(patch, f"set_{name}")(before)
    np.testing.assert_array_equal(play(), first)
    assert patch.set_playing(False) == 0
    assert np.abs(play()).max() == 0.0
    patch.set_playing(True)
    assert patch.set_round_trip(2_000) == 0
    earlier = play()
    assert np.flatnonzero(np.abs(earlier[0]).max(axis=0))[0] < np.flatnonzero(np.abs(first[0]).max(axis=0))[0] + 1920
    assert patch.set_round_trip(10**6) == -1
    assert set(patch.get_attributes()) == set(ATTRIBUTES)
    with pytest.raises(ValueError, match="one channel"):
        patch(torch.zeros(2, 1, 64))
    with pytest.raises(ValueError, match="whole number"):
        PatchBand(band, ["rock"], 320, 44_056)
