"""The desk: transparent when flat, the same for any cutting, trimmed by kind and style, gliding, silent in the end."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from gigmate.dsp.loudness_meter import integrated_lufs
from gigmate.engine.errors import ConfigError
from gigmate.engine.mix import FLAT_MIX, HOUSE_MIX, Mix, PartMix
from gigmate.engine.output.balance_table import TRIMS_DB
from gigmate.engine.output.band_mix import BandMix
from gigmate.engine.output.mix_desk import OWN_VOICE, MixDesk, trim_db
from gigmate.presets.schema import STYLES

RATE_HZ, FRAME = 48_000, 1920
TRIMS = {OWN_VOICE: {"rock": (3.0, -2.0, 6.0), "swing": (0.0, 0.0, 0.0), "funk": (1.0, -1.0, 2.0)}}


def noise(frames: int) -> np.ndarray:
    """Mono sound in the middle, as the band's own voice comes: [3, 2, n]."""
    sound = 0.1 * np.random.default_rng(5).standard_normal((3, 1, frames * FRAME))
    return np.repeat(sound, 2, axis=1).astype(np.float32)


def through(desk: MixDesk, sound: np.ndarray, size: int = FRAME) -> np.ndarray:
    pieces = [desk.process(sound[:, :, at : at + size].copy()) for at in range(0, sound.shape[2], size)]
    return np.concatenate(pieces, axis=2)


def test_a_flat_mix_changes_no_bit() -> None:
    sound = noise(4)
    np.testing.assert_array_equal(through(MixDesk(RATE_HZ, FRAME), sound), sound)


@pytest.mark.parametrize("rate_hz", [44_100, 48_000, 96_000])
def test_the_frame_does_not_matter(rate_hz: int) -> None:
    sound = noise(6)
    outs = []
    for size in (FRAME, 640):
        desk = MixDesk(rate_hz, FRAME)
        desk.set(HOUSE_MIX, "rock")
        outs.append(through(desk, sound, size))
    np.testing.assert_array_equal(outs[0], outs[1])
    assert np.isfinite(outs[0]).all()


def test_trims_are_those_of_the_kind_and_style_or_what_is_usual() -> None:
    assert [trim_db(TRIMS, OWN_VOICE, "rock", place) for place in range(3)] == [3.0, -2.0, 6.0]
    assert trim_db(TRIMS, OWN_VOICE, "polka", 0) == 1.0
    assert trim_db(TRIMS, "theremin", "rock", 0) == 0.0
    desk = MixDesk(RATE_HZ, FRAME, TRIMS)
    desk.set(Mix(), "rock")
    sound = noise(2)
    ratio = np.std(through(desk, sound), axis=(1, 2)) / np.std(sound, axis=(1, 2))
    np.testing.assert_allclose(20 * np.log10(ratio), [3.0, -2.0, 6.0], atol=0.01)


def test_the_table_has_every_style_of_the_own_voice() -> None:
    assert set(TRIMS_DB[OWN_VOICE]) == set(STYLES)
    for rows in TRIMS_DB.values():
        assert all(len(row) == 3 and max(map(abs, row)) <= 18.0 for row in rows.values())


def test_a_change_glides_and_the_compressor_does_not_mind_the_fader() -> None:
    desk = MixDesk(RATE_HZ, FRAME)
    time_s = np.arange(20 * FRAME) / RATE_HZ
    tone = np.broadcast_to(0.4 * np.sin(2 * math.pi * 200 * time_s), (3, 2, time_s.size)).astype(np.float32)
    before = through(desk, tone[:, :, : 10 * FRAME])
    desk.set(FLAT_MIX.with_part(2, pan=-1.0))
    after = through(desk, tone[:, :, 10 * FRAME :])
    whole = np.concatenate([before, after], axis=2)
    assert np.abs(np.diff(whole)).max() < 1.6 * np.abs(np.diff(tone)).max()
    assert np.abs(after[2, 1, -FRAME:]).max() < 1e-6

    levels = []
    for level_db in (0.0, -12.0):
        desk = MixDesk(RATE_HZ, FRAME)
        desk.set(Mix((PartMix(compression=1.0),) * 3), "", levels_db=(level_db,) * 3)
        levels.append(through(desk, tone * np.float32(10 ** (level_db / 20)))[:, 0, -FRAME:].std(axis=1))
    np.testing.assert_allclose(20 * np.log10(levels[1] / levels[0]), -12.0, atol=0.1)


def test_each_part_brings_its_own_room_and_all_ends_in_silence() -> None:
    desk = MixDesk(RATE_HZ, FRAME)
    desk.set(dataclasses.replace(HOUSE_MIX, flat=True))
    sound = noise(10)
    sound[1:] = 0.0
    out = through(desk, sound)
    assert not out[1:].any()
    assert integrated_lufs(out[0] - sound[0], RATE_HZ) > -60.0
    tail = through(desk, np.zeros((3, 2, 60 * FRAME), np.float32))
    assert tail[0, :, :FRAME].any() and not tail[:, :, -FRAME:].any()
    desk.process(noise(1))
    desk.start_anew()
    assert not desk.process(np.zeros((3, 2, FRAME), np.float32)).any()


def test_what_is_changed_by_hand_stays_over_presets() -> None:
    mix = BandMix()
    assert mix.mix == FLAT_MIX
    mix.take_preset(HOUSE_MIX)
    mix.set("keys", "pan", -0.5)
    mix.take_preset(Mix(decay_s=0.8))
    assert mix.values("pan") == (0.0, 0.0, -0.5)
    assert mix.mix.decay_s == 0.8


@pytest.mark.parametrize(
    ("part", "name", "value"),
    [("flute", "pan", 0.0), ("keys", "reverb", 0.1), ("keys", "pan", -1.5), ("drums", "room", math.nan)],
)
def test_what_cannot_be_is_refused(part: str, name: str, value: float) -> None:
    mix = BandMix()
    with pytest.raises(ConfigError):
        mix.set(part, name, value)
    assert mix.mix == FLAT_MIX
