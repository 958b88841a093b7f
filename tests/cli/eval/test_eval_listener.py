"""The judge of listener and conductor: a track that is right scores 1, one half a beat off is found out."""

from pathlib import Path

import numpy as np
import pytest
from gigmate.cli.eval import eval_listener
from gigmate.cli.listen_stream import FRAME_SAMPLES, ListeningPlayer
from gigmate.engine.player import HeardFrame

FRAMES = 1000
BEAT_S = 0.5


def labels() -> dict[str, np.ndarray]:
    beats = np.arange(0, 42, BEAT_S)
    at = np.arange(FRAMES + 10) * 0.04
    bar = (at / (4 * BEAT_S)).astype(int)
    root = np.where(bar % 2 == 0, 0, 9).astype(np.int8)
    classes = np.zeros((len(at), 12), bool)
    classes[root == 0] = np.isin(np.arange(12), (0, 4, 7))
    classes[root == 9] = np.isin(np.arange(12), (9, 0, 4))
    return {
        "beats_s": beats,
        "downbeats_s": beats[::4],
        "onsets_lead_s": beats,
        "tempo_bpm": np.full(len(at), 60 / BEAT_S, np.float32),
        "chord_root": root,
        "chord_pcs": classes,
        "key": np.zeros(len(at), np.int8),
        "minor": np.zeros(len(at), bool),
        "beats_per_bar": np.full(len(at), 4, np.int8),
        "playing": np.ones(len(at), bool),
    }


def track(late_s: float = 0.0) -> eval_listener.Track:
    truth = labels()
    at = (np.arange(FRAMES) + 1) * 0.04 + eval_listener.AHEAD_S
    beats = (at - late_s) / BEAT_S
    frame = np.minimum((at / 0.04).astype(int), len(truth["chord_root"]) - 1)
    root = truth["chord_root"][frame].astype(float)
    return eval_listener.Track(
        at, beats % 1, beats / 4 % 1, np.full(FRAMES, 120.0), np.full(FRAMES, 4.0), np.ones(FRAMES),
        root, root == 9, np.zeros(FRAMES), np.zeros(FRAMES, bool), 0.0,
    )  # fmt: skip


def test_a_right_track_scores_one() -> None:
    figures = eval_listener.score(track(), labels())
    for name in ("beat_f", "within_20_ms", "downbeat_f", "root_share", "chord_share", "key_share", "change_foretold"):
        assert figures[name] == pytest.approx(1.0), name
    assert figures["off_beat_f"] == 0 and figures["octave_error"] == 0 and figures["lock_bars"] < 0.3


def counted(roots: list[int], silent_bars: slice = slice(0)) -> list[int]:
    """The bars (of four beats, one root each) whose change of chord counts as one that could be foretold."""
    bar = np.arange(len(roots) * 50) // 50
    chord = np.array(roots)[bar]
    playing = np.ones(len(chord), bool)
    playing[50 * (silent_bars.start or 0) : 50 * silent_bars.stop] = False
    truth = {"beats_s": np.arange(4 * len(roots) + 1) * 0.5, "beats_per_bar": np.array([4]), "playing": playing}
    starts = np.flatnonzero(np.diff(chord, prepend=-2))
    return [int(bar[start]) for start in starts[eval_listener.repeated(truth, chord, starts)]]


def test_a_change_counts_from_the_third_pass_of_a_form_on() -> None:
    form = [0, 9, 5, 7]
    assert counted(form * 4) == list(range(8, 16))
    assert counted([*form, *form, 2, 4, *form]) == []  # leaving the form is not foretold, coming back is a first pass
    assert counted([*form, *form, *form, 2]) == [8, 9, 10, 11]
    assert counted([0, 0, 5, 5] * 3) == [8, 10]
    assert counted([0, 2, 4, 5, 7, 9, 11, 1, 3, 6, 8, 10]) == []
    assert counted([-1, *form, *form, *form]) == [9, 10, 11, 12]
    assert counted(form * 4, slice(0, 4)) == [10, 11, 12, 13, 14, 15]  # two bars of silence in eight are the most


def test_half_a_beat_off_is_named() -> None:
    figures = eval_listener.score(track(BEAT_S / 2), labels())
    assert figures["beat_f"] == 0 and figures["off_beat_f"] == pytest.approx(1.0)
    assert np.isnan(figures["lock_bars"])


def test_forty_ms_late_is_a_beat_but_not_in_time() -> None:
    figures = eval_listener.score(track(0.04), labels())
    assert figures["beat_f"] == pytest.approx(1.0) and figures["within_20_ms"] == 0


def test_summary_keeps_what_is_finite() -> None:
    row = {"lead": "strum", "beat_f": 1.0, "off_beat_f": 0.0, "lock_bars": float("nan")}
    summary = eval_listener.summarise([row, {**row, "lead": "melody", "beat_f": 0.5, "lock_bars": 2.0}])
    assert summary["all"]["beat_f"] == 0.75 and summary["all"]["never_locked"] == 1
    assert summary["melodic"]["lock_bars_worst"] == 2.0 and summary["comped"]["lock_bars_median"] is None


def test_conducting_clean_beats_is_in_time() -> None:
    frames = []
    for i in range(700):
        start = (i - 1) * 0.04
        beat = np.array([0.9 if abs((start + k * 0.01 + 0.25) % 0.5 - 0.25) < 0.004 else 0.01 for k in range(4)])
        frames.append(HeardFrame(beat=beat.astype(np.float32), activity=1.0, delay_samples=FRAME_SAMPLES))
    figures = eval_listener.score(eval_listener.conduct(frames), labels())
    assert figures["beat_f"] > 0.95 and figures["octave_error"] == 0


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    import torch
    from gigmate.model import checkpoint
    from gigmate.model.configs import HarmonyConfig
    from gigmate.model.harmony.chord_network import Harmony
    from gigmate.model.listener import Listener, ListenerConfig

    torch.manual_seed(0)
    config = ListenerConfig(channels=16, dilations=(1, 2))
    checkpoint.save(tmp_path / "listener.safetensors", "listener", Listener(config), config.to_dict())
    harmony = HarmonyConfig(("rock",), units=8, style_size=2, look_bars=(1,))
    checkpoint.save(tmp_path / "harmony.safetensors", "harmony", Harmony(harmony), harmony.to_dict())
    return tmp_path


def test_an_ear_hears_the_same_again_after_a_reset(weights: Path) -> None:
    ear = ListeningPlayer(weights)
    sound = np.random.default_rng(0).normal(0, 0.1, 10 * FRAME_SAMPLES).astype(np.float32)
    first, _ = eval_listener.hear_song(ear, sound)
    second, _ = eval_listener.hear_song(ear, sound)
    assert len(first) == 10
    assert all(np.array_equal(a.beat, b.beat) for a, b in zip(first, second, strict=True))
    assert first[5].chord_root.sum() == pytest.approx(1.0, abs=1e-5) and first[5].beat.shape == (4,)
