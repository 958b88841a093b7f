"""The network on stage computes what was taught; what it is asked is what was heard."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gigmate.dsp.metre_slots import CHANNELS, LEVELS, MASK, OVERALL, SLOTS, SLOTS_PER_BEAT, HeardSpan, slot_features
from gigmate.engine.player import HeardFrame
from gigmate.engine.timing.beats.long_memory.heard_span import LastMinute
from gigmate.engine.timing.beats.long_memory.line_reader import LineReader
from gigmate.engine.timing.beats.long_memory.metre_network import MetreNetwork, Verdict, shipped_network
from gigmate.training.trainers.metre_trainer import Metre, MetreShape

FRAME_S = 0.04


def taught() -> tuple[Metre, MetreNetwork]:
    torch.manual_seed(4)
    model = Metre(MetreShape(12, 3)).eval()
    with torch.no_grad():
        model.sharpness.fill_(0.7)
    return model, MetreNetwork({name: value.numpy() for name, value in model.state_dict().items()})


def verdict(network: MetreNetwork, slots: np.ndarray, overall: np.ndarray) -> Verdict:
    z = network.begin(slots, overall)
    for step in range(network.steps):
        z = network.advance(step, z, slots[:, MASK : MASK + 1])
    assert isinstance(z, Verdict)
    return z


@pytest.mark.parametrize("unheard", [0, 100, 203])
def test_numpy_and_torch_say_the_same(unheard: int) -> None:
    model, network = taught()
    rng = np.random.default_rng(2)
    slots = rng.standard_normal((SLOTS, CHANNELS)).astype(np.float32)
    slots[:, MASK] = 1.0
    slots[:unheard] = 0.0
    overall = rng.standard_normal(OVERALL).astype(np.float32)
    with torch.no_grad():
        said = model(torch.from_numpy(slots)[None], torch.from_numpy(overall)[None])
    found = verdict(network, slots, overall)
    assert found.places == pytest.approx(torch.log_softmax(said.places, 1)[0].numpy(), abs=1e-4)
    assert found.levels == pytest.approx(torch.log_softmax(said.levels, 1)[0].numpy(), abs=1e-4)
    assert len(found.levels) == len(LEVELS)


def span(seconds: float, pulse_s: float, at_s: float = 0.0) -> HeardSpan:
    """Pulses of a beat and an onset each `pulse_s` from `at_s` on, one note throughout."""
    frames = round(seconds / FRAME_S)
    sub = np.full((3, frames * 4), 0.02, np.float32)
    places = np.round((np.arange(at_s, seconds, pulse_s)) / FRAME_S * 4).astype(int)
    sub[0, places] = sub[2, places] = 0.9
    rows = np.zeros((frames + 1, 25))
    rows[1:, 0] = rows[1:, 12] = rows[1:, 24] = 1.0
    return HeardSpan(sub, np.cumsum(rows, axis=0), np.zeros((frames + 1, 0)), FRAME_S)


def test_a_slot_has_what_is_within_an_eighth_of_a_beat_of_it() -> None:
    at_s = np.arange(40) * 0.125 + 1.0
    slots, _ = slot_features(span(10.0, 0.5), at_s, 0.5)
    beats = slots[-40:, 0]
    assert beats[::4].min() > 1.0 and np.delete(beats, np.s_[::4]).max() < 0.0
    assert slots[-40:, 3] == pytest.approx(np.ones(40), abs=1e-3)
    assert not slots[:-40].any()


def test_a_turn_is_told_where_another_chord_begins() -> None:
    heard = span(10.0, 0.5)
    rows = np.diff(heard.sums, axis=0, prepend=0.0)
    rows[126:, :24] = 0.0
    rows[126:, [5, 17]] = 1.0  # from second 5 on
    at_s = np.arange(64) * 0.125 + 1.0
    slots, _ = slot_features(heard._replace(sums=np.cumsum(rows, axis=0)), at_s, 0.5)
    for channel in range(5, CHANNELS):
        assert slots[:, channel].argmax() == SLOTS - 64 + 32


def test_what_was_not_heard_is_masked_and_says_nothing() -> None:
    at_s = np.arange(-20, 20) * 0.125
    slots, _ = slot_features(span(4.0, 0.5), at_s, 0.5)
    assert not slots[: SLOTS - 20].any() and slots[-20:, MASK].all()


def test_the_last_minute_is_the_same_however_long_one_has_played() -> None:
    """Its arrays move back once a window; a span of them is what the last frames said."""
    kept, rng = LastMinute(4.0), np.random.default_rng(0)
    rows = []
    for frame in range(337):
        heard = HeardFrame(
            beat=rng.random(4, np.float32), played=rng.random(12, np.float32), chord_root=rng.random(13, np.float32),
            activity=0.5,
        )  # fmt: skip
        rows.append(heard)
        kept.hear(heard, (frame + 1) * FRAME_S, FRAME_S)
    found = kept.span()
    assert kept.length_s == pytest.approx(4.0) and kept.begin_s == pytest.approx(337 * FRAME_S - 4.0)
    assert found.sub[0] == pytest.approx(np.concatenate([h.beat for h in rows[-100:]]))
    steps = np.diff(found.sums, axis=0)
    assert steps[:, 12:24] == pytest.approx(np.stack([h.chord_root[:12] for h in rows[-100:]]), abs=1e-5)
    assert steps[:, :12] == pytest.approx(0.5 * np.stack([h.played for h in rows[-101:-1]]), abs=1e-5)


@pytest.mark.parametrize("after", [0, 1, 2, 3])
def test_places_are_counted_from_the_lines_own_beats(after: int) -> None:
    """The same slots, once taken for beats and once for what is so many quarters after them."""
    answers = []
    for called in (0, after):
        reader = LineReader(shipped_network(), 0.5)
        reader.ask(span(30.0, 0.5), np.arange(200) * 0.125, 0.5, called)
        answer = None
        while reader.busy:
            answer = reader.advance()
        assert answer is not None
        answers.append(answer)
    assert np.exp(answers[1].places).sum() == pytest.approx(1.0)
    assert np.roll(answers[1].places, -after) == pytest.approx(answers[0].places)
    assert answers[1].level == answers[0].level <= 0.0


def test_a_question_takes_many_frames_and_can_be_cancelled() -> None:
    reader = LineReader(shipped_network(), 0.5)
    reader.ask(span(30.0, 0.5), np.arange(200) * 0.125, 0.5, 0)
    assert reader.advance() is None and reader.busy
    reader.cancel()
    assert not reader.busy and reader.advance() is None


def test_pulses_on_every_beat_are_the_beats() -> None:
    reader = LineReader(shipped_network(), 0.5)
    at_s = np.arange(200) * 0.125
    reader.ask(span(30.0, 0.5, 0.25), at_s, 0.5, (len(at_s) - 1) % SLOTS_PER_BEAT)
    answer = None
    while reader.busy:
        answer = reader.advance()
    assert answer is not None and answer.places.argmax() == 2
