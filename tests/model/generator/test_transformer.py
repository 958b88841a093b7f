"""The generator: cached steps equal the uncached whole, causality, sampling, and independence from other songs."""

from __future__ import annotations

import pytest
import torch
from gigmate.model.generator.conditioning import (
    CHORD_SIZE,
    MOMENT_SIZE,
    FrameCondition,
    MomentColumns,
    chord_features,
    moment_features,
)
from gigmate.model.generator.depth import NEVER, is_onset
from gigmate.model.generator.generator_config import GeneratorConfig
from gigmate.model.generator.note_steering import no_steer
from gigmate.model.generator.sampling import Sampling, sample_token
from gigmate.model.generator.score_tokens import FIRST_NOTE, LOWEST_NOTE, STATE
from gigmate.model.generator.transformer import Generator
from gigmate.model.listener import Listener, ListenerConfig

from ..contract import verify_contract

SMALL = GeneratorConfig(
    styles=("a", "b"),
    codebooks=3,
    entries=16,
    slot_entries=24,
    heard_size=10,
    layers=2,
    size=16,
    heads=2,
    hidden=24,
    window_frames=12,
    condition_size=8,
    heard_channels=8,
    depth_layers=2,
    depth_size=16,
    depth_heads=2,
    depth_hidden=24,
)


@pytest.fixture
def model() -> Generator:
    torch.manual_seed(0)
    model = Generator(SMALL).eval()
    with torch.no_grad():  # the starts that keep a fresh model quiet would hide mistakes
        model.heard_gain.fill_(1.0)
        for layer in model.layers:
            layer.modulate.weight.normal_(std=0.3)
    return model


def conditions(songs: int, frames: int) -> dict[str, torch.Tensor]:
    return {
        "heard": torch.randn(songs, frames, SMALL.heard_size),
        "moment": torch.randn(songs, frames, MOMENT_SIZE),
        "chord": torch.randn(songs, frames, CHORD_SIZE),
        "density": torch.rand(songs, frames),
        "style": torch.arange(songs) % 2,
        "ahead": torch.full((songs,), 3),
    }


def given(c: dict[str, torch.Tensor]) -> FrameCondition:
    return FrameCondition(*(c[name] for name in FrameCondition._fields))


@torch.no_grad()
def run(
    model: Generator, c: dict[str, torch.Tensor], noise: torch.Tensor, pull: torch.Tensor | None = None
) -> torch.Tensor:
    """Tokens [S * parts, T, places] by steps."""
    pull = torch.tensor([-1.0, 0.0, 1.0]) if pull is None else pull
    songs, frames = c["density"].shape
    state = model.init_state(songs)
    tokens = []
    for t in range(frames):
        heard = model.hear(c["heard"][:, t : t + 1], state)
        now = FrameCondition(
            *(c[name][:, t : t + 1] for name in ("moment", "chord", "density")), c["style"], c["ahead"]
        )
        steer = no_steer(pull.repeat(songs), SMALL.slot_entries)
        tokens.append(model.step(heard, now, Sampling(noise[t], 1.0, 1.0, 0, 1.0), steer, state))
    return torch.stack(tokens, dim=1)


@torch.no_grad()
def test_cached_steps_equal_the_whole(model: Generator) -> None:
    """Past the window too: the logits of the whole pass, sampled with the same noise, give the same tokens."""
    songs, frames = 2, 30
    c = conditions(songs, frames)
    noise = torch.rand(frames, songs * 3, len(SMALL.places))
    tokens = run(model, c, noise)
    previous = torch.cat([torch.full_like(tokens[:, :1], -1), tokens[:, :-1]], dim=1)
    z = model.whole(previous, c["heard"], given(c), torch.zeros(0))
    chords = c["chord"].repeat_interleave(3, dim=0).flatten(0, 1)
    logits = model.depth(z.flatten(0, 1), chords, tokens.flatten(0, 1))
    drawn = noise.transpose(0, 1).flatten(0, 1)
    pulls, flat, past = (
        torch.tensor([-1.0, 0.0, 1.0]).repeat_interleave(frames).repeat(2),
        tokens.flatten(0, 1),
        previous,
    )
    bias = model.depth._bias(flat[:, STATE], chords, past.flatten(0, 1), pulls)
    logits[FIRST_NOTE][:, 0] += torch.where(is_onset(flat[:, STATE]), NEVER, 0.0)
    for place in range(FIRST_NOTE, SMALL.slots):
        logits[place] = logits[place] + bias
    again = torch.stack([sample_token(x, drawn[:, k], 1.0, 0, 1.0) for k, x in enumerate(logits)], dim=1).view_as(
        tokens
    )
    assert float((again == tokens).float().mean()) > 0.995


def test_future_does_not_reach_the_past(model: Generator) -> None:
    c = conditions(1, 20)
    noise = torch.rand(20, 3, len(SMALL.places))
    before = run(model, c, noise)
    for name in ("heard", "moment", "chord", "density"):
        c[name][:, 12:] = torch.rand_like(c[name][:, 12:])
    after = run(model, c, noise)
    assert torch.equal(before[:, :12], after[:, :12])
    assert not torch.equal(before[:, 12:], after[:, 12:])


def test_songs_of_a_batch_do_not_hear_each_other(model: Generator) -> None:
    c = conditions(2, 10)
    noise = torch.rand(10, 6, len(SMALL.places))
    both = run(model, c, noise)
    alone = run(model, {name: value[1:] for name, value in c.items()}, noise[:, 3:])
    assert float((both[3:] == alone).float().mean()) > 0.99


def test_state_does_not_grow_and_zero_is_the_silent_past(model: Generator) -> None:
    state = model.init_state(1)
    assert all(not bool(value.any()) for value in state.values())
    shapes = {name: value.shape for name, value in state.items()}
    c = conditions(1, 1)
    for _ in range(15):
        heard = model.hear(c["heard"], state)
        sampling = Sampling(torch.rand(3, len(SMALL.places)), 1.0, 1.0, 4, 0.9)
        model.step(heard, given(c), sampling, no_steer(torch.zeros(3), SMALL.slot_entries), state)
    assert {name: value.shape for name, value in state.items()} == shapes


def test_listener_keeps_the_contract() -> None:
    torch.manual_seed(0)
    listener = Listener(ListenerConfig(heard_size=10, channels=8, dilations=(1, 2, 4)))
    verify_contract(listener, torch.randn(2, 25, 10), 1, 1, 1)


def test_pick_keeps_to_its_limits() -> None:
    logits = torch.log(torch.tensor([[0.5, 0.3, 0.15, 0.05]])).repeat(4000, 1)
    noise = torch.rand(4000, generator=torch.Generator().manual_seed(0))
    assert set(sample_token(logits, noise, 0.0, 0, 1.0).tolist()) == {0}
    assert set(sample_token(logits, noise, 1.0, 2, 1.0).tolist()) == {0, 1}
    assert set(sample_token(logits, noise, 1.0, 0, 0.75).tolist()) == {0, 1}
    drawn = torch.bincount(sample_token(logits, noise, 1.0, 0, 1.0), minlength=4) / 4000
    torch.testing.assert_close(drawn, torch.tensor([0.5, 0.3, 0.15, 0.05]), atol=0.03, rtol=0)
    hot = torch.bincount(sample_token(logits, noise, 5.0, 0, 1.0), minlength=4) / 4000
    assert float(hot[3]) > 0.15
    edge = sample_token(logits[:2], torch.tensor([0.0, 0.999999]), 1.0, 0, 0.9)
    assert edge.tolist() == [0, 2]


def test_conditions_are_withheld_whole() -> None:
    one = torch.full((1, 2), 0.25)
    known = torch.tensor([[1.0, 0.0]])
    moment = moment_features(MomentColumns(one, one, one * 480, one * 16, one, one, known), 25.0)
    assert moment.shape == (1, 2, MOMENT_SIZE)
    assert bool(moment[0, 0].any()) and not bool(moment[0, 1].any())
    chord = chord_features(torch.tensor([[3, -1]]), torch.zeros(1, 2, 12), known)
    assert chord[0, 0, 12 + 4] == 1 and not bool(chord[0, 1].any())


def test_next_line_of_the_grid_is_told_in_frames() -> None:
    """At 120 bpm a beat is 12.5 frames: half a frame before the beat, the beat falls into this frame."""
    phase = torch.tensor([1.0 - 0.5 / 12.5, 0.5])
    moment = moment_features(
        MomentColumns(phase, phase, torch.full((2,), 120.0), torch.full((2,), 4.0), *(torch.ones(2) for _ in range(3))),
        25.0,
    )
    distance, inside = moment[:, 20:24], moment[:, 24:28]
    assert inside[0].tolist() == [1.0] * 4 and inside[1].tolist() == [0.0] * 4
    torch.testing.assert_close(distance[0, 0], torch.tensor(-0.5), atol=1e-4, rtol=0)


@torch.no_grad()
def test_notes_outside_the_chord_are_pulled_away(model: Generator) -> None:
    """A chord of one pitch class and a strong pull: notes that begin are of that class, without a pull they are not."""
    c = conditions(1, 60)
    c["chord"] = chord_features(torch.full((1, 60), 2), torch.eye(12)[2].expand(1, 60, 12), torch.ones(1, 60))
    noise = torch.rand(60, 3, len(SMALL.places))

    def inside(pull: float) -> float:
        tokens = run(model, c, noise, torch.tensor([-1.0, pull, pull]))[1:]
        notes = tokens[..., FIRST_NOTE : SMALL.slots]
        there = (notes > 0) & ((tokens[..., :1] >= 1) & (tokens[..., :1] <= 4))
        return float(((notes[there] + LOWEST_NOTE - 1) % 12 == 2).float().mean())

    assert inside(50.0) > 0.99 and inside(0.0) < 0.5


@torch.no_grad()
def test_what_cannot_be_is_not_drawn(model: Generator) -> None:
    """Notes sound on only where they were, silence holds none, and a beginning has something that begins."""
    frames = 80
    tokens = run(model, conditions(1, frames), torch.rand(frames, 3, len(SMALL.places)), torch.tensor([-1.0, 0.0, 0.0]))
    assert bool((tokens[..., STATE] == 0).any()) and bool((tokens[..., STATE] > 4).any())
    for row in range(3):
        before: set[int] = set()
        for frame in tokens[row].tolist():
            notes = {note for note in frame[FIRST_NOTE : SMALL.slots] if note > 0}
            if 1 <= frame[STATE] <= 4:
                assert frame[FIRST_NOTE] > 0
            elif frame[STATE] == 0 or row == 0:
                assert not notes
            else:
                assert notes <= before
            before = notes


def test_styles_are_exaggerated_away_from_that_of_no_style(model: Generator) -> None:
    before = model.style.weight.detach().clone()
    model.exaggerate_styles(1.0)
    torch.testing.assert_close(model.style.weight, before)
    model.exaggerate_styles(1.5)
    after = model.style.weight.detach()
    torch.testing.assert_close(after[-1], before[-1])  # of no style
    torch.testing.assert_close(after[:-1] - before[-1], 1.5 * (before[:-1] - before[-1]))
