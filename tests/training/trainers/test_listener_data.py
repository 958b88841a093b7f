"""What the listener is taught from: events to a fraction of a sub-frame, crops in other keys and tempi."""

from __future__ import annotations

import numpy as np
import pytest
from gigmate.engine.timing.beats.beat_kalman import PeakFinder
from gigmate.engine.timing.conductor_settings import BeatFilterSettings, KalmanSettings
from gigmate.model.listener import DELAY_FRAMES, ListenerConfig
from gigmate.training.store import songs_in
from gigmate.training.trainers import listener_data
from gigmate.training.trainers.listener_data import (
    ListenerData,
    pulse_targets,
    steady,
    tempo_targets,
)

from ..stores import tiny_store

FRAMES = 200
SHAPE = ListenerConfig()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> ListenerData:
    return ListenerData(songs_in(tiny_store(tmp_path_factory.mktemp("store"))), SHAPE)


def beats_of(y: np.ndarray) -> np.ndarray:
    """Places of the beats in targets, in frames, as the conductor finds them in what a listener says."""
    start, stop = SHAPE.layout()["beat"]
    finder = PeakFinder(KalmanSettings().peak_threshold, BeatFilterSettings().level_least)
    found = [peak.time_s for i, row in enumerate(y[:, start:stop]) for peak in finder.hear(row, i + 1.0, 1.0)]
    return np.array(found)


def test_the_conductor_finds_a_pulse_to_a_tenth_of_a_sub_frame() -> None:
    places = 5.0 + 12.0 * np.arange(12) + np.linspace(0, 1, 12)
    y = np.zeros((160, max(stop for _, stop in SHAPE.layout().values())), np.float32)
    start, stop = SHAPE.layout()["beat"]
    y[:, start:stop] = pulse_targets(places, 160, SHAPE.sub_frames)
    assert np.abs(beats_of(y) - places).max() < 0.1 / SHAPE.sub_frames
    assert 0.87 < y.max() <= 1.0


def test_events_at_the_edges_are_no_error() -> None:
    assert pulse_targets(np.array([-0.1, 10.1, 500.0]), 10, 4)[[0, -1]].max(axis=1).min() > 0.5
    assert not pulse_targets(np.zeros(0), 10, 4).any()


def test_tempo_is_a_bump_in_its_bin() -> None:
    tempo = tempo_targets(np.array([60.0, 120.0], np.float32))
    assert np.allclose(tempo.sum(axis=1), 1.0) and tempo[0].argmax() < tempo[1].argmax()


def test_a_steady_crop_is_the_song_itself(data: ListenerData) -> None:
    x, y = data.heard(0, 7, steady(FRAMES)), data.asked(0, 7, steady(FRAMES))
    assert np.array_equal(x, data.features[0][7 + DELAY_FRAMES : 7 + DELAY_FRAMES + FRAMES].astype(np.float32))
    beats = data.labels[0]["beats_s"] * 25.0 - 7
    inside = beats[(beats > 1) & (beats < FRAMES - 1)]
    assert np.abs(beats_of(y)[:, None] - inside).min(axis=0).max() < 0.03
    roots = data.labels[0]["chord_root"][7 : 7 + FRAMES]
    start, stop = SHAPE.layout()["chord_root"]
    assert np.array_equal(y[:, start:stop].argmax(1), np.where(roots < 0, 12, roots))


def test_a_crop_played_faster_from_some_moment_on(data: ListenerData) -> None:
    whole = FRAMES + DELAY_FRAMES
    path = np.array([[0.0, 100.0, whole], [0.0, 100.0, 100.0 + 1.25 * (whole - 100.0)]])
    x, y = data.heard(0, 0, path), data.asked(0, 0, path)
    plain = data.heard(0, 0, steady(FRAMES))
    assert x.shape == plain.shape
    assert np.allclose(x[: 100 - DELAY_FRAMES], plain[: 100 - DELAY_FRAMES], atol=1e-5)
    # the frame that ends 80 frames after the turn ends where the song's 100 frames after it do
    last_sub = slice((SHAPE.sub_frames - 1) * 64, None)
    heard = x[100 + 80 - 1 - DELAY_FRAMES, last_sub]
    assert np.allclose(heard, data.features[0][100 + 100 - 1, last_sub].astype(np.float32), atol=1e-3)
    beats = data.labels[0]["beats_s"] * 25.0
    expected = np.where(beats < 100, beats, 100 + (beats - 100) / 1.25)
    expected = expected[(expected > 1) & (expected < FRAMES - 1)]
    assert np.abs(beats_of(y)[:, None] - expected).min(axis=0).max() < 0.03
    start, stop = SHAPE.layout()["tempo"]
    tempi = listener_data.tempo_bins_bpm().numpy()[y[:, start:stop].argmax(1)]
    assert tempi[150] / tempi[50] == pytest.approx(1.25, rel=0.04)


def test_crops_at_every_pace_fit_the_shortest_song(data: ListenerData, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener_data, "PACED_SHARE", 1.0)
    monkeypatch.setattr(listener_data, "TURNED_SHARE", 1.0)
    for seed, frames in ((0, FRAMES), (1, data.shortest_frames)):
        x, y = data.batch(np.random.default_rng(seed), 20, frames)
        assert x.shape == (20, frames, SHAPE.heard_size) and len(y[0]) == frames
        assert x.isfinite().all() and y.isfinite().all()


@pytest.mark.parametrize("semitones", [4, -4])
def test_a_transposed_crop_sounds_and_is_named_the_same_way_up_or_down(data: ListenerData, semitones: int) -> None:
    x, y = data.heard(0, 0, steady(FRAMES)), data.asked(0, 0, steady(FRAMES))
    moved_x, moved_y = x.copy(), y.copy()
    data._transpose(moved_x, moved_y, semitones)
    start = SHAPE.heard_size - 72
    assert np.array_equal(moved_x[:, :start], x[:, :start])
    assert np.array_equal(moved_x[:, start + 8 : -8], x[:, start + 8 - semitones : x.shape[1] - 8 - semitones])
    root, classes = (SHAPE.layout()[name][0] for name in ("chord_root", "chord_pitch_classes"))
    sounding = y[:, root + 12] == 0
    assert sounding.any()
    expected = (y[sounding, root : root + 12].argmax(1) + semitones) % 12
    assert np.array_equal(moved_y[sounding, root : root + 12].argmax(1), expected)
    assert np.array_equal(moved_y[:, root + 12], y[:, root + 12])
    for pitch_class in range(12):
        place = classes + (pitch_class + semitones) % 12
        assert np.array_equal(moved_y[:, place], y[:, classes + pitch_class])
    assert np.array_equal(moved_y[:, :root], y[:, :root])


def test_a_coloured_crop_keeps_its_onsets(data: ListenerData) -> None:
    """Another tone, a noise under it, a pitch that is off: what is loud stays, in its place, and nothing leaves the
    range of features."""
    x = data.heard(0, 0, steady(FRAMES))
    mel = slice(0, SHAPE.heard_size - 72)
    changed = 0
    for seed in range(12):
        y = data._coloured(np.random.default_rng(seed), x.copy())
        assert y.shape == x.shape and y.dtype == np.float32 and y.min() >= -1.0 and y.max() <= 1.1
        loud = x[:, mel].max(axis=1) > np.quantile(x[:, mel].max(axis=1), 0.5)
        flux = [np.maximum(np.diff(z[:, mel].sum(axis=1)), 0.0) for z in (x, y)]
        assert np.corrcoef(*flux)[0, 1] > 0.5 and loud.any()
        changed += not np.array_equal(x, y)
    assert changed == 12


def test_no_crop_is_paced_out_of_what_people_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener_data, "PACED_SHARE", 1.0)
    monkeypatch.setattr(listener_data, "TURNED_SHARE", 0.0)
    rng = np.random.default_rng(0)
    widest = 0.0
    for tempo_bpm in (60.0, 120.0, 205.0):
        for _ in range(200):
            path = listener_data._paced(rng, 400, 10_000, tempo_bpm)
            pace = (path[1, -1] - path[1, 0]) / (path[0, -1] - path[0, 0])
            assert listener_data.SLOWEST_BPM <= pace * tempo_bpm <= listener_data.FASTEST_BPM
            widest = max(widest, abs(np.log(pace)))
    assert widest > 0.2
