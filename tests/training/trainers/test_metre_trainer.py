"""Lines along songs: where their beats are, and that what is learnt is written as the stage reads it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from gigmate.dsp.metre_slots import LEVELS, MASK, SLOTS, SLOTS_PER_BEAT, HeardSpan
from gigmate.engine.timing.beats.long_memory.metre_network import MetreNetwork, Verdict
from gigmate.training.errors import TrainingError
from gigmate.training.trainers.metre_data import MetreSong, draw_line
from gigmate.training.trainers.metre_trainer import (
    Metre,
    MetreShape,
    Said,
    draw_lines,
    losses,
    unshown,
    write_weights,
)
from safetensors.numpy import load_file

FRAME_S = 0.04


def clicks(beats: int = 60, period_s: float = 0.5) -> MetreSong:
    """A beat is heard on every beat and nothing else; bars of four."""
    beats_s = 0.3 + np.arange(beats) * period_s
    frames = round((beats_s[-1] + 1.0) / FRAME_S)
    sub = np.full((3, 4 * frames), 0.02, np.float32)
    sub[0, np.round(beats_s / FRAME_S * 4).astype(int)] = 0.9
    sub[1, np.round(beats_s[::4] / FRAME_S * 4).astype(int)] = 0.9
    heard = HeardSpan(sub, np.zeros((frames + 1, 25)), np.zeros((frames + 1, 0)), FRAME_S)
    return MetreSong(heard, beats_s, beats_s[::4])


def test_the_place_of_a_line_is_where_its_beats_were_heard() -> None:
    rng, song = np.random.default_rng(3), clicks()
    lines = [line for line in (draw_line(rng, song) for _ in range(60)) if line is not None]
    right = [line for line in lines if line.level == 0]
    assert {line.place for line in right} == {0, 1, 2, 3} and len({line.level for line in lines}) > 3
    for line in right:
        heard = np.where(line.slots[:, MASK] > 0, line.slots[:, 0], -9.0)
        loudest = [heard[k::SLOTS_PER_BEAT].max() for k in range(SLOTS_PER_BEAT)]
        assert int(np.argmax(loudest)) == line.place
        downbeats = np.nonzero(line.downbeats)[0]
        assert len(downbeats) and (downbeats % SLOTS_PER_BEAT == line.place).all()
        assert (np.diff(downbeats) == 4 * SLOTS_PER_BEAT).all()
    assert all(line.place == -1 and not line.downbeats.any() for line in lines if line.level)


def test_songs_of_a_few_beats_are_refused() -> None:
    with pytest.raises(TrainingError, match="longer"):
        draw_lines(np.random.default_rng(0), [clicks(6)], 2)


def test_some_of_what_is_heard_is_not_shown_and_the_mask_always_is() -> None:
    slots = torch.ones(400, SLOTS, 13)
    shown = unshown(np.random.default_rng(0), slots)
    share = 1.0 - shown[:, 0].mean(dim=0)
    assert 0.3 < share[0] < 0.5 and share[0] == share[1] and 0.2 < share[2] < 0.4
    assert 0.08 < share[5] < 0.25 and share[MASK] == share[3] == 0.0
    assert slots.min() == 1.0


def test_the_loss_falls_with_the_right_answer() -> None:
    lines = draw_lines(np.random.default_rng(5), [clicks()], 8)
    right = lines.place >= 0
    places = 6.0 * torch.nn.functional.one_hot(lines.place.clamp(min=0), SLOTS_PER_BEAT).float()
    levels = 6.0 * torch.nn.functional.one_hot(lines.level, len(LEVELS)).float()
    on = torch.arange(SLOTS) % SLOTS_PER_BEAT == lines.place[:, None]
    good = losses(Said(places, levels, 12.0 * on.float() - 6.0, 12.0 * lines.downbeats - 6.0), lines)
    assert right.any() and all(float(value) < 0.05 for value in good.values())
    assert all(float(value) > 1.0 for value in losses(Said(-places, -levels, 6.0 - 12.0 * on.float(),
                                                            6.0 - 12.0 * lines.downbeats), lines).values())  # fmt: skip


def test_what_is_learnt_is_what_the_stage_reads(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = Metre(MetreShape(12, 3)).eval()
    write_weights(model.state_dict(), tmp_path / "metre.safetensors")
    network = MetreNetwork(load_file(tmp_path / "metre.safetensors"))
    lines = draw_lines(np.random.default_rng(5), [clicks()], 1)
    slots, overall = lines.slots[0].numpy(), lines.overall[0].numpy()
    z = network.begin(slots, overall)
    for step in range(network.steps):
        z = network.advance(step, z, slots[:, MASK : MASK + 1])
    assert isinstance(z, Verdict)
    with torch.no_grad():
        said = model(lines.slots, lines.overall)
    assert z.places == pytest.approx(torch.log_softmax(said.places, 1)[0].numpy(), abs=0.02)
