"""The scenes of recovery: labels stay true of the sound, and what never recovers is counted as all that was left."""

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from gigmate.cli.eval import eval_recovery
from gigmate.cli.eval.eval_recovery import EARLY_S, Scene
from gigmate.cli.listen_stream import FRAME_SAMPLES, RATE_HZ
from gigmate.engine.player import HeardFrame

BEAT_S = 0.5
CLICK_SAMPLES = 64


def clicks(seconds: float = 30.0, change_s: float = 12.0) -> Scene:
    """A click on every beat, to the sample."""
    beats = np.arange(0.5, seconds - 0.5, BEAT_S)
    sound = np.zeros(round(seconds * RATE_HZ), np.float32)
    for beat in beats:
        at = round(beat * RATE_HZ)
        sound[at : at + CLICK_SAMPLES] = 0.8
    return Scene("half_beat", sound, beats, beats, 4, change_s, change_s)


def clicks_at_s(sound: np.ndarray) -> np.ndarray:
    return np.flatnonzero((sound[1:] > 0.5) & (sound[:-1] <= 0.5)) / RATE_HZ + 1 / RATE_HZ


class ClickEar:
    """Hears clicks as they come; deaf from `deaf_from_s` on."""

    tail_samples = 0
    harmonist = None

    def __init__(self, deaf_from_s: float = 1e9) -> None:
        self.deaf_from_s, self.frame = deaf_from_s, 0

    def reset(self, *_: int) -> None:
        self.frame = 0

    def listen(self, sound: np.ndarray) -> HeardFrame:
        loud = np.abs(sound.reshape(4, -1)).max(axis=1) > 0.5
        if self.frame * FRAME_SAMPLES / RATE_HZ >= self.deaf_from_s:
            loud[:] = False
        self.frame += 1
        return HeardFrame(beat=np.where(loud, 0.9, 0.01).astype(np.float32), activity=1.0)


def test_after_a_splice_labels_and_sound_agree() -> None:
    scene = clicks()
    longer = eval_recovery.spliced(scene, RATE_HZ, BEAT_S / 2)
    assert len(longer.sound) - len(scene.sound) == round(BEAT_S / 2 * RATE_HZ)
    np.testing.assert_allclose(clicks_at_s(longer.sound), longer.beats_s, atol=1.5 / RATE_HZ)
    np.testing.assert_array_equal(longer.onsets_s, longer.beats_s)
    assert np.diff(longer.beats_s).max() == pytest.approx(1.5 * BEAT_S)
    assert longer.from_s == pytest.approx(12.25) and longer.change_s == 12.0
    assert longer.from_s == pytest.approx(longer.beats_s[np.diff(longer.beats_s).argmax() + 1])


def test_a_rest_is_silent_and_touches_nothing_else() -> None:
    scene = clicks()
    sound = eval_recovery.muted(scene.sound, RATE_HZ, 12.0, 20.0)
    heard = clicks_at_s(sound)
    assert not sound[round((12.0 - EARLY_S) * RATE_HZ) : round((20.0 - EARLY_S - 0.01) * RATE_HZ)].any()
    expected = scene.beats_s[(scene.beats_s < 12.0) | (scene.beats_s >= 20.0)]
    np.testing.assert_allclose(heard, expected, atol=1.5 / RATE_HZ)


def test_another_tempo_begins_at_its_beat() -> None:
    times = np.arange(20) * BEAT_S
    faster = eval_recovery.other_tempo(times, 8, 1.1)
    np.testing.assert_array_equal(faster[:9], times[:9])
    np.testing.assert_allclose(np.diff(faster)[8:], BEAT_S / 1.1)


def score_of(bars: int, spans: list[tuple[float, float]]) -> Any:
    rows = [SimpleNamespace(start_beat=4 * i, beats=4) for i in range(bars)]
    return SimpleNamespace(bars=rows, lead_spans_beats=spans)


def test_the_place_is_where_the_lead_plays_long_enough() -> None:
    assert eval_recovery.place_of(score_of(20, [(0, 80)])) == 6
    assert eval_recovery.place_of(score_of(20, [(16, 80)])) == 10  # comes in at bar 4
    assert eval_recovery.place_of(score_of(13, [(0, 52)])) is None
    assert eval_recovery.place_of(score_of(30, [(0, 24), (40, 120)])) == 13  # a pause before would be no settled beat
    assert eval_recovery.place_of(score_of(30, [])) is None


def test_four_in_a_row_are_asked_and_what_never_comes_is_all_that_was_left() -> None:
    scene = clicks()
    right = eval_recovery.recovery(scene, scene.beats_s, 30.0)
    assert right["bars"] == pytest.approx(0.0) and right["recovered"] and right["in_beat_before"]
    late = np.where((scene.beats_s >= 12.0) & (scene.beats_s < 16.0), scene.beats_s + 0.2, scene.beats_s)
    assert eval_recovery.recovery(scene, late, 30.0)["bars"] == pytest.approx(2.0)
    never = eval_recovery.recovery(scene, np.where(scene.beats_s >= 12.0, scene.beats_s + 0.2, scene.beats_s), 30.0)
    assert not never["recovered"] and never["bars"] == never["bars_left"] == pytest.approx(8.5)
    lost = eval_recovery.recovery(scene, scene.beats_s[scene.beats_s >= 12.0], 30.0)
    assert lost["recovered"] and not lost["in_beat_before"]
    figures = eval_recovery.summarise([right, never, lost])["half_beat"]
    assert figures["never_recovered"] == 1 and figures["bars_worst"] == pytest.approx(8.5)
    assert figures["within_2_bars"] == 2 and figures["not_in_beat_before"] == 1 and figures["songs"] == 3
    assert all(np.isfinite(value) for value in figures.values())


def test_the_conductor_comes_back_from_a_half_beat_and_not_by_luck() -> None:
    scene = eval_recovery.spliced(clicks(), RATE_HZ, BEAT_S / 2)
    back = eval_recovery.evaluate_scene(cast(Any, ClickEar()), scene)
    assert back["recovered"] and back["in_beat_before"] and 0 < back["bars"] < 6
    deaf = eval_recovery.evaluate_scene(cast(Any, ClickEar(deaf_from_s=12.0)), scene)
    assert not deaf["recovered"]
