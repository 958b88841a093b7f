"""The hand on the notes: beginnings follow the density, notes end, fills are heard, dynamics follow the musician."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from gigmate.dsp.features import FeatureExtractor
from gigmate.model.generator.generator_config import GeneratorConfig
from gigmate.model.generator.note_steering import (
    LOUDER_DB,
    SOFTER_DB,
    Steer,
    Steering,
)
from gigmate.model.generator.score_tokens import (
    DRUM_VOICES,
    FIRST_NOTE,
    LOUDNESS,
    SLOTS,
    STATE,
)
from gigmate.model.generator.style_statistics import typical_density
from gigmate.model.generator.transformer import Generator

STYLES = ["funk", "pop_ballad", "swing"]
PARTS = ["drums", "bass", "keys"]
BEAT = 1.0 / 12.5
"""Of a frame, at 120 bpm."""
FRAME = 1280


class Player:
    """Steered frames of four beats a bar; what is played is said by the test."""

    def __init__(self, style: int = 0) -> None:
        self.steering = Steering(PARTS, STYLES, torch.tensor([-1.0, 1.0, 2.5]), 25.0, FRAME)
        self.state = self.steering.init_state(1)
        self.state["tokens"] = torch.zeros(3, SLOTS, dtype=torch.int64)
        self.style, self.frame = torch.tensor([style]), 0

    @property
    def beat(self) -> float:
        return self.frame * BEAT

    def step(self, density: float = 0.5, fill: float = 0.0, playing: float = 1.0) -> Steer:
        moment = [self.beat % 1.0, self.beat / 4.0 % 1.0, 120.0, 4.0, playing, 1.0, 1.0, density, fill]
        now = torch.tensor(moment, dtype=torch.float64).float()
        steer = self.steering(now, self.style, torch.zeros(3), torch.ones(3), self.state)
        self.frame += 1
        return steer

    def plays(self, part: int, state: int, note: int = 40) -> None:
        self.state["tokens"][part, STATE] = state + 1
        self.state["tokens"][part, FIRST_NOTE] = (note if state else 0) + 1


def begins_a_beat(density: float, chance: float, beats: int = 80) -> list[float]:
    """Of parts whose generator gives every frame the same chance of a beginning."""
    player, rng = Player(), np.random.default_rng(0)
    begun = np.zeros(3)
    while player.beat < beats:
        push = player.step(density).push.numpy()
        odds = chance / (1 - chance) * np.exp(push)
        for part in range(3):
            starts = rng.random() < odds[part] / (1 + odds[part])
            begun[part] += starts
            player.plays(part, 1 if starts else 5)
    return list(begun / beats)


@pytest.mark.parametrize("chance", [0.05, 0.15])
def test_what_is_played_follows_the_density_whatever_the_generator_likes(chance: float) -> None:
    curves = np.array([begins_a_beat(density, chance) for density in (0.1, 0.3, 0.5, 0.7, 0.9)])
    assert (np.diff(curves, axis=0) > 0).all()
    usual = np.array([typical_density("funk", part)[0] for part in PARTS])
    assert (np.abs(np.log2(curves[2] / usual)) < 0.7).all()


def test_silence_of_a_part_that_should_play_is_not_for_ever_and_is_for_one_that_should_not() -> None:
    player = Player()
    pushes = [player.step().push for _ in range(200)]
    assert bool((pushes[-1] > 2.0).all())
    assert not bool(player.step(playing=0.0).push.any())
    assert float(player.step().push.abs().max()) < 0.2, "a rest is owed nothing"


def test_on_the_beat_next_to_nothing_is_taken_away() -> None:
    player = Player()
    pushes = []
    for _ in range(100):
        player.plays(0, 1)
        phase = player.beat % 1.0
        pushes.append((min(phase, 1.0 - phase) <= BEAT, float(player.step(0.0).push[0])))
    assert min(push for on_beat, push in pushes if on_beat) > -1.0
    assert min(push for on_beat, push in pushes if not on_beat) < -4.0


def test_a_held_chord_is_let_go_where_the_style_plays_short_and_kept_where_it_does_not() -> None:
    bias = {}
    for style in (0, 1):
        player = Player(style)
        for frame in range(100):
            player.plays(2, 1 if frame == 0 else 5)
            made = player.step().bias[:, STATE, 0]
            assert frame > 4 or float(made[2]) == 0.0, "a note that has just begun is let be"
        bias[style] = made
    assert float(bias[0][2]) > 4.0, "funk"
    assert float(bias[1][2]) < 1.0, "a ballad"
    assert float(bias[0][0]) == 0.0, "drums do not hold"


def test_a_fill_is_hits_on_the_grid_lower_and_lower_and_a_crash_on_the_bar_line() -> None:
    player = Player()
    hits, crashes = [], []
    for frame in range(75):  # the command comes on the second beat, the stage ends the fill in the frame of the line
        fill = 1.0 if 13 <= frame <= 49 else 0.0
        before = player.beat
        bias = player.step(fill=fill).bias
        assert not bool(bias[1:, STATE, 1:].any()), "the others are not told where to play"
        quarter = int(bias[0, STATE].argmax())
        if quarter == 0:
            continue
        mask = int(bias[0, FIRST_NOTE].argmax())
        voices = {name for bit, name in enumerate(DRUM_VOICES) if mask >> bit & 1}
        place = before + (quarter - 0.5) / 4.0 * BEAT
        tom, snare = (float(bias[0, FIRST_NOTE, 1 << DRUM_VOICES.index(name)]) for name in ("tom", "snare"))
        (hits if fill else crashes).append((place, voices, tom - snare))
        assert float(bias[0, LOUDNESS, 8]) > float(bias[0, LOUDNESS, 4])
    assert [voices >= {"crash"} for _, voices, _ in crashes] == [True]
    assert abs(crashes[0][0] - 4.0) < BEAT / 4
    places, toms = np.array([place for place, _, _ in hits]), [lead for _, _, lead in hits]
    assert np.abs(places * 4 - np.round(places * 4)).max() / 4 < 0.26 * BEAT
    assert ((places > 2.9).sum(), (places < 2).sum()) == (4, 1)
    assert toms == sorted(toms) and toms[0] < 1.0 and toms[-1] > 5.0
    assert not any(voices & {"crash", "closed_hat", "cymbal"} for _, voices, _ in hits)
    assert not bool(player.step().bias[0, FIRST_NOTE].any())


def test_a_fill_just_before_the_line_goes_on_to_the_next_without_a_crash_between() -> None:
    player = Player()
    crash = []
    for frame in range(120):
        bias = player.step(fill=1.0 if 45 <= frame <= 99 else 0.0).bias
        if "crash" in {name for bit, name in enumerate(DRUM_VOICES) if int(bias[0, FIRST_NOTE].argmax()) >> bit & 1}:
            crash.append(frame)
    assert crash == [100]


def swells(levels_db: list[tuple[float, float]]) -> tuple[list[float], Player]:
    """(seconds, level) of noise that is heard, to the dynamics at the end of each stretch."""
    player, extractor, rng = Player(), FeatureExtractor(), np.random.default_rng(0)
    found = []
    for seconds, level_db in levels_db:
        for _ in range(round(seconds * 25)):
            chunk = rng.normal(0, 10 ** (level_db / 20), 8192).astype(np.float32)
            player.steering.hear(torch.from_numpy(extractor.frame(chunk)), player.state)
        found.append(player.steering.dynamics_db(player.state))
    return found, player


def test_the_band_plays_softer_and_louder_with_the_musician() -> None:
    (usual, soft, loud), player = swells([(12, -30), (4, -42), (4, -26)])
    assert abs(usual) < 0.5 and -SOFTER_DB <= soft < -7 and 2 < loud <= LOUDER_DB
    audio = torch.ones(3, FRAME)
    now = torch.full((1,), player.steering.dynamics_db(player.state))
    slots = torch.zeros(3, SLOTS, dtype=torch.int64)
    first, second = (player.steering.follow(audio, slots, now, player.state) for _ in range(2))
    for part in (1, 2):  # the drums have their own touch on top
        assert float(first[part, 0]) == pytest.approx(1.0, abs=1e-3), "no step"
        assert bool((first[part].diff() > 0).all())
        assert 20 * math.log10(float(second[part, 0])) == pytest.approx(0.7 * loud, abs=0.05)
    _, player = swells([(12, -30), (4, -42)])
    bias = player.step().bias[1, LOUDNESS]
    assert float(bias[2]) > float(bias[7]), "soft classes are likelier"


def test_the_gain_of_a_sound_card_does_not_matter() -> None:
    far = swells([(12, -50), (4, -62)])[0]
    near = swells([(12, -15), (4, -27)])[0]
    np.testing.assert_allclose(far, near, atol=0.5)


def test_silence_is_not_playing_softly() -> None:
    nothing, _ = swells([(6, -140)])
    assert nothing == [0.0]
    (_, gone), _ = swells([(12, -30), (20, -140)])
    assert abs(gone) < 0.1, "who has gone is no example"


@torch.no_grad()
def test_beginnings_are_pushed_only_where_the_generator_sees_a_chance() -> None:
    depth = Generator(GeneratorConfig(layers=1, size=16, heads=2, hidden=24, depth_size=16, depth_heads=2)).depth
    chances = torch.tensor([1e-4, 0.2])
    logits = torch.full((2, 128), -1e4)
    logits[:, 5] = torch.log(1.0 - chances)
    logits[:, 2] = torch.log(chances)

    def begins(push: float) -> list[float]:
        return torch.softmax(depth._pushed(logits, torch.full((2,), push)), dim=1)[:, 1:5].sum(dim=1).tolist()

    assert begins(0.0) == pytest.approx(chances.tolist(), rel=1e-4)
    up, down = begins(4.0), begins(-4.0)
    assert up[0] < 2e-4 and up[1] > 0.85
    assert down[1] < 0.01
