"""The cover for late sound: the last bar on the grid, no click going in or out, counts that tell the truth."""

from __future__ import annotations

import numpy as np
import pytest
from gigmate.engine.callback.fallback_bar import FallbackCover

RATE_HZ = 8000
BAR = 4000


@pytest.fixture
def cover() -> FallbackCover:
    return FallbackCover(RATE_HZ)


def _tone(begin: int, count: int, period: int = 40) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * np.arange(begin, begin + count) / period)).astype(np.float32)


def _noise_bar() -> np.ndarray:
    return (0.3 * np.random.default_rng(0).standard_normal(BAR)).astype(np.float32)


def test_sound_in_time_is_not_touched(cover: FallbackCover) -> None:
    sound = _tone(0, 3 * BAR)
    np.testing.assert_array_equal(cover.cover(sound, np.zeros(sound.size, bool), BAR), sound)
    assert (cover.miss_samples, cover.miss_episodes) == (0, 0)


@pytest.mark.parametrize("block", [1, 37, 256, 5000])
def test_a_gap_is_filled_with_the_same_place_of_the_last_bar(cover: FallbackCover, block: int) -> None:
    bar = _noise_bar()
    sound = np.tile(bar, 4)
    missing = np.zeros(sound.size, bool)
    missing[2 * BAR + 500 : 3 * BAR + 900] = True  # longer than a bar: the bar comes again
    played = np.concatenate(
        [cover.cover(sound[i : i + block], missing[i : i + block], BAR) for i in range(0, sound.size, block)]
    )
    fade = cover.fade_samples
    np.testing.assert_array_equal(played[: 2 * BAR + 500], sound[: 2 * BAR + 500])
    # The band repeated itself exactly, so beyond the fade in the cover is what it would have played.
    inside = slice(2 * BAR + 500 + fade, 3 * BAR + 500)
    np.testing.assert_array_equal(played[inside], sound[inside])
    np.testing.assert_array_equal(played[3 * BAR + 900 + fade :], sound[3 * BAR + 900 + fade :])
    assert (cover.miss_samples, cover.miss_episodes) == (BAR + 400, 1)


def test_nothing_clicks(cover: FallbackCover) -> None:
    sound = _tone(0, 6 * BAR, period=41)  # does not fit the bar: the cover has another phase
    missing = np.zeros(sound.size, bool)
    for begin, end in ((BAR + 7, BAR + 700), (3 * BAR + 13, 3 * BAR + 14), (5 * BAR, 5 * BAR + 33)):
        missing[begin:end] = True
    played = cover.cover(sound, missing, BAR)
    assert np.abs(np.diff(played)).max() < 2.2 * np.abs(np.diff(sound)).max()
    assert np.abs(played).max() < 0.75
    assert cover.miss_episodes == 3


def test_sound_that_comes_and_goes_at_once_does_not_click(cover: FallbackCover) -> None:
    sound = _tone(0, 4 * BAR, period=41)
    missing = np.zeros(sound.size, bool)
    missing[2 * BAR : 3 * BAR] = True
    missing[2 * BAR + 500 :: 20] = False
    played = cover.cover(sound, missing, BAR)
    assert np.abs(np.diff(played)).max() < 2.5 * np.abs(np.diff(sound)).max()
    assert np.abs(played).max() < 0.75
    assert cover.miss_episodes == 1


@pytest.mark.parametrize("period", [0, 10**9])
def test_without_a_bar_it_fades_to_silence(cover: FallbackCover, period: int) -> None:
    sound = _tone(0, BAR + 10)
    missing = np.arange(sound.size) >= 2010
    played = cover.cover(sound, missing, period)
    assert np.abs(np.diff(played)).max() <= 1.05 * np.abs(np.diff(sound)).max()
    assert np.abs(played[2010 : 2010 + cover.fade_samples]).max() > 0.3
    assert not played[2010 + cover.fade_samples :].any()


def test_before_the_first_sound_there_is_silence(cover: FallbackCover) -> None:
    assert not cover.cover(np.zeros(100, np.float32), np.ones(100, bool), BAR).any()
    assert cover.miss_episodes == 1
