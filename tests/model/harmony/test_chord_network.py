"""Harmony: the streaming contract, the same in all twelve keys, and a stream that is what training saw."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gigmate.dsp.half_beat import HalfBeat
from gigmate.dsp.log_probability import pitch_class_log_odds, root_log_probabilities
from gigmate.model.configs import CHORDS, HEARD, ROOTS, UNPITCHED, HarmonyConfig
from gigmate.model.harmony.chord_network import Harmony, network_of
from gigmate.model.harmony.harmonist import Harmonist, pitch_channels, unpitched_features

from ..contract import verify_contract

CONFIG = HarmonyConfig(("funk", "rock"), units=8, style_size=3, look_bars=(1, 2))
BARS, PLACES = 6, 8


@pytest.fixture
def model() -> Harmony:
    torch.manual_seed(0)
    return Harmony(CONFIG).eval()


def test_it_keeps_the_streaming_contract(model: Harmony) -> None:
    whole = verify_contract(model, torch.randn(2, 9, CONFIG.size), 1, 1, 1)
    assert whole.shape == (2, 9, 4, CHORDS)


def test_what_sounds_higher_is_named_higher(model: Harmony) -> None:
    x = torch.randn(1, 12, CONFIG.size)
    pitched = CONFIG.channels * ROOTS
    higher = x.clone()
    higher[:, :, :pitched] = torch.roll(x[:, :, :pitched].view(1, 12, -1, ROOTS), 5, 3).flatten(2)
    with torch.no_grad():
        expected = torch.roll(model.whole(x).view(1, 12, 4, 2, ROOTS), 5, 4).flatten(3)
        torch.testing.assert_close(model.whole(higher), expected, atol=1e-5, rtol=0)


def half_beats(seed: int) -> list[HalfBeat]:
    rng = np.random.default_rng(seed)
    found = []
    for number in range(BARS * PLACES):
        roots = rng.dirichlet(np.ones(13)).astype(np.float32)
        classes, played = rng.random(12).astype(np.float32), rng.random(12).astype(np.float32)
        place = number % PLACES
        means = root_log_probabilities(roots), pitch_class_log_odds(classes), played
        found.append(HalfBeat(*means, float(rng.random()), 0.28, place, PLACES, 0.7))
    return found


def written_out(given: list[HalfBeat], style: int) -> np.ndarray:
    """The network's input [T, size] of half-beats, put together at once."""
    columns = [np.stack([np.asarray(row[i], np.float32) for row in given]) for i in range(8)]
    roots, classes, played, trust, length_s, place, slots, sure = columns
    heard = pitch_channels(roots[:, :ROOTS], classes, played, trust)
    channels = [heard]
    for ahead in (0, 1):
        for bars in CONFIG.look_bars:
            then = np.zeros((len(given), 1, ROOTS), np.float32)
            for t in range(len(given)):
                if t - bars * PLACES + ahead >= 0:
                    then[t, 0] = heard[t - bars * PLACES + ahead, 0]
            channels.append(then)
    rest = unpitched_features(roots[:, ROOTS], trust, length_s, place, slots, sure)
    told = np.zeros((len(given), len(CONFIG.styles) + 1), np.float32)
    told[:, style] = 1.0
    return np.concatenate([np.concatenate(channels, axis=1).reshape(len(given), -1), rest, told], axis=1)


@pytest.mark.parametrize(("told", "style"), [(None, 0), ("rock", 2), ("polka", 0)])
def test_the_stream_says_what_the_whole_says(model: Harmony, told: str | None, style: int) -> None:
    harmonist = Harmonist(network_of(model))
    harmonist.set_style("funk")
    harmonist.set_style(told)
    given = half_beats(1)
    for row in half_beats(2):  # another song before
        harmonist.read(row)
    harmonist.reset()
    with torch.no_grad():
        odds = model.whole(torch.from_numpy(written_out(given, style))[None])[0]
    expected = torch.softmax(odds, dim=-1).numpy()
    for row, wanted in zip(given, expected, strict=True):
        reading = harmonist.read(row)
        assert all(one.sum() == pytest.approx(1.0, abs=1e-4) for one in reading)
        np.testing.assert_allclose(np.stack(reading), wanted, atol=1e-5)


def test_what_was_not_heard_says_nothing() -> None:
    loud = pitch_channels(np.zeros(12), np.zeros(12), np.ones(12), np.float32(1.0))
    assert loud.shape == (HEARD, ROOTS)
    assert np.abs(loud).max() > 0
    assert np.abs(pitch_channels(np.zeros(12), np.zeros(12), np.ones(12), np.float32(0.0))).max() == 0.0


def test_a_place_is_told_as_far_as_it_is_sure() -> None:
    def at(place: int, sure: float, slots: int = 8) -> np.ndarray:
        values = (-1.0, 1.0, 0.25, place, slots, sure)
        return unpitched_features(*(np.asarray(value, np.float32) for value in values))

    assert at(0, 1.0).shape == (UNPITCHED,)
    kinds = {place: int(at(place, 1.0)[3:6].argmax()) for place in (0, 2, 4)}
    assert kinds == {0: 0, 4: 1, 2: 2}
    assert np.abs(at(3, 1.0)[3:6]).max() == 0.0
    assert at(3, 1.0)[6] == 1.0
    np.testing.assert_allclose(at(0, 0.5)[3], 0.5 * at(0, 1.0)[3])
    assert at(3, 1.0, slots=6)[4] == 0.0, "a bar of three has no middle beat"
