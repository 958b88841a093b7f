"""The judges judged: the right part is the ceiling, another song's the floor, lateness shows, silence is 0."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gigmate.files.json_text import plain
from gigmate.training.evaluate.part_fit import in_chord
from gigmate.training.evaluate.sound_figures import (
    bar_patterns,
    density_per_s,
    embed,
    frechet,
    level_db,
    repetition,
    stuck_s,
)
from gigmate.training.evaluate.statistics import (
    interval,
    rank_correlation,
    ratio_interval,
)
from gigmate.training.evaluate.take_scores import (
    FIGURES,
    PARTS,
    Truth,
    at_judges_rate,
    score,
    stems_of,
)

pytest.importorskip("librosa")
pytest.importorskip("mir_eval")
pytest.importorskip("tinysoundfont")

RATE_HZ, SECONDS = 32_000, 24.0


@pytest.fixture(scope="module")
def songs() -> list[Any]:
    """Two songs in different keys and tempi, the lead in from the start."""
    from gigmate.training.sound.render import render_song

    made = [render_song(seed, styles=(style,), seconds=(24.0, 28.0)) for seed, style in ((6, "rock"), (11, "disco"))]
    assert abs(made[0].meta["bpm"] - made[1].meta["bpm"]) > 3
    return made


@pytest.fixture(scope="module")
def scored(songs: list[Any]) -> dict[str, dict[str, float]]:
    song, other = songs
    truth = Truth.of(song, SECONDS)
    true = stems_of(song, SECONDS)
    late = {
        part: np.concatenate([np.zeros(int(0.05 * RATE_HZ), np.float32), true[part]])[: len(true[part])]
        for part in PARTS
    }
    silent = {part: np.zeros_like(true[part]) for part in PARTS}
    takes = {"true": true, "other": stems_of(other, SECONDS), "late": late, "silent": silent}
    return {name: score(at_judges_rate(take, RATE_HZ), truth) for name, take in takes.items()}


def test_the_true_parts_are_the_ceiling(scored: dict[str, dict[str, float]]) -> None:
    true = scored["true"]
    assert set(true) == set(FIGURES)
    assert true["drums_beat_f"] > 0.9 and true["mix_beat_f"] > 0.9
    assert abs(true["drums_lag_ms"]) <= 12 and abs(true["mix_lag_ms"]) <= 12
    assert true["bass_in_chord"] > 0.5 and true["keys_in_chord"] > 0.6
    assert true["stuck_s"] < 1.0


def test_another_songs_parts_are_the_floor(scored: dict[str, dict[str, float]]) -> None:
    true, other = scored["true"], scored["other"]
    assert other["drums_beat_f"] < 0.6 < true["drums_beat_f"]
    assert other["bass_in_chord"] < true["bass_in_chord"] - 0.15
    assert other["keys_in_chord"] < true["keys_in_chord"] - 0.15


def test_fifty_milliseconds_late_shows_in_the_lag_though_hardly_in_the_beat_f(
    scored: dict[str, dict[str, float]],
) -> None:
    late, true = scored["late"], scored["true"]
    assert late["drums_lag_ms"] - true["drums_lag_ms"] == pytest.approx(50, abs=6)
    assert late["drums_beat_f"] > 0.6


def test_silence_scores_nothing(scored: dict[str, dict[str, float]]) -> None:
    silent = scored["silent"]
    assert silent["drums_beat_f"] == silent["mix_beat_f"] == 0.0
    assert silent["bass_in_chord"] == silent["keys_in_chord"] == 0.0
    assert silent["drums_onset_f"] == 0.0 and math.isnan(silent["drums_lag_ms"])


def test_a_transposed_bass_is_heard_as_wrong(songs: list[Any]) -> None:
    classes = songs[0].labels["chord_pcs"][:500]
    right = classes.astype(float)
    assert in_chord(right, classes, 0) == 1.0
    assert in_chord(np.roll(right, 1, axis=1), classes, 0) < 0.4


def test_the_distance_of_sounds(songs: list[Any]) -> None:
    takes = [at_judges_rate({p: s.stems[p] for p in PARTS}, RATE_HZ) for s in songs]
    clouds = {name: [embed(take[name]) for take in takes] for name in ("drums", "keys")}
    # windows are few here: each cloud is doubled with a little noise
    rng = np.random.default_rng(0)

    def cloud(rows: np.ndarray) -> np.ndarray:
        return np.concatenate([rows + 0.01 * rng.standard_normal(rows.shape) for _ in range(4)])

    drums, keys = (cloud(np.concatenate(clouds[name])) for name in ("drums", "keys"))
    assert frechet(drums, drums) == pytest.approx(0.0, abs=0.05)
    assert frechet(keys, drums) > 10 * max(1.0, frechet(cloud(np.concatenate(clouds["drums"])), drums))
    assert math.isnan(frechet(drums[:5], drums))


def test_repetition_tells_a_loop_from_chance_and_stuck_a_frozen_sound() -> None:
    rng = np.random.default_rng(0)
    rate, bar_s = 22_050, 2.0
    hits = rng.random(16) < 0.4
    hits[0] = True

    def play(pattern: np.ndarray) -> np.ndarray:
        sound = np.zeros(int(bar_s * rate), np.float32)
        for step in np.flatnonzero(pattern):
            at = int((step + 0.1) * bar_s / 16 * rate)
            burst = rng.standard_normal(1200) * np.exp(-np.arange(1200) / 200)
            sound[at : at + 1200] += burst[: len(sound) - at].astype(np.float32)
        return sound

    bars = np.arange(13) * bar_s
    loop = np.concatenate([play(hits) for _ in range(12)])
    chance = np.concatenate([play(rng.permutation(hits)) for _ in range(12)])
    assert repetition(loop, bars) > 0.9 > repetition(chance, bars) + 0.15
    assert bar_patterns(loop, bars).shape == (12, 16)
    assert density_per_s(loop) == pytest.approx(hits.sum() / bar_s, rel=0.2)
    tone = 0.2 * np.sin(2 * np.pi * 220 * np.arange(rate * 6) / rate).astype(np.float32)
    assert stuck_s(tone) > 5.0
    assert stuck_s(loop) < 0.5
    assert stuck_s(np.zeros(rate * 3, np.float32)) == 0.0
    assert level_db(np.zeros(10)) == -120.0 and level_db(np.ones(10)) == pytest.approx(0.0, abs=1e-6)


# ------------------------------------------------------------------------------------------------- statistics


def test_intervals_hold_the_truth_and_leave_out_what_is_missing() -> None:
    rng = np.random.default_rng(1)
    held = 0
    for seed in range(60):
        found = interval([*rng.normal(3.0, 1.0, 40), None, math.nan], seed=seed)
        assert found is not None and found["n"] == 40
        held += found["low"] <= 3.0 <= found["high"]
    assert 51 <= held <= 60
    assert interval([None, math.nan]) is None


def test_the_share_of_the_gap() -> None:
    own, against, full, floor = [0.6, 0.7, 0.5], [0.3, 0.4, 0.2], [0.9, 1.0, 0.8], [0.3, 0.4, 0.2]
    found = ratio_interval(own, against, full, floor)
    assert found is not None and found["value"] == pytest.approx(0.5)
    assert found["low"] == pytest.approx(0.5) and found["high"] == pytest.approx(0.5)
    deaf = ratio_interval(own, own, full, floor)
    assert deaf is not None and deaf["value"] == pytest.approx(0.0)
    assert ratio_interval([None], [0.1], [1.0], [0.2]) is None


def test_rank_correlation() -> None:
    assert rank_correlation([1, 2, 3, 4], [1, 10, 100, 1000]) == pytest.approx(1.0)
    assert rank_correlation([1, 2, 3, 4], [4, 3, 2, 1]) == pytest.approx(-1.0)
    assert math.isnan(rank_correlation([1, 2, 3], [5, 5, 5]))
    assert rank_correlation([1, 1, 2, 2], [1, 1, 2, 2]) == pytest.approx(1.0)


# ---------------------------------------------------------------------------------------------- scripted scenes


@pytest.mark.parametrize(("kind", "figure", "most"), [("chord", "chord_beats", 1), ("faster", "tempo_bars", 0.5)])
def test_the_arrangers_own_band_follows_at_once_and_a_stubborn_one_never(kind: str, figure: str, most: float) -> None:
    from gigmate.training.evaluate.scenes import measure, write_scene

    scene = write_scene(kind, 1, ("disco", "rock"))
    true = stems_of(scene.song, scene.song.seconds)
    assert measure(scene, at_judges_rate(true, RATE_HZ))[figure] <= most
    at = int(scene.change_s * RATE_HZ)
    before = int(scene.bars_s[1] * RATE_HZ)
    stubborn = {p: np.resize(sound[before:at], len(sound)) for p, sound in true.items()}  # goes round in the old one
    stubborn = {p: np.concatenate([true[p][:at], stubborn[p][: len(true[p]) - at]]) for p in true}
    assert math.isnan(measure(scene, at_judges_rate(stubborn, RATE_HZ))[figure])


def test_a_pause_is_measured() -> None:
    from gigmate.training.evaluate.scenes import measure, write_scene

    scene = write_scene("pauses", 1, ("disco",))
    true = stems_of(scene.song, scene.song.seconds)
    figures = measure(scene, at_judges_rate(true, RATE_HZ))
    assert figures["before_db"] < -60 and figures["after_db"] < -60
    assert figures["entry_bars"] == pytest.approx(1.0, abs=0.1) and figures["stop_bars"] == pytest.approx(1.0, abs=0.15)
    assert figures["entry_error_ms"] < 40
    on = {p: np.resize(sound[int(scene.bars_s[4] * RATE_HZ) : int(scene.bars_s[8] * RATE_HZ)], len(sound))
          for p, sound in true.items()}  # fmt: skip
    endless = measure(scene, at_judges_rate(on, RATE_HZ))
    assert math.isnan(endless["stop_bars"]) and endless["before_db"] > -10 and endless["after_db"] > -10


def test_a_song_goes_round_in_time(songs: list[Any]) -> None:
    from gigmate.training.evaluate.examples import go_round

    long, round_s = go_round(songs[0], 50.0)
    assert long.seconds >= 50.0 and long.seconds == pytest.approx(round(long.seconds / round_s) * round_s)
    first = score(at_judges_rate({p: long.stems[p][: int(24 * RATE_HZ)] for p in PARTS}, RATE_HZ), Truth.of(long, 24.0))
    truth = Truth.of(long, long.seconds)
    start_s = long.seconds - round_s
    stretch = truth.part_of(start_s, start_s + 20.0)
    piece = {p: long.stems[p][int(start_s * RATE_HZ) : int((start_s + 20.0) * RATE_HZ)] for p in PARTS}
    last = score(at_judges_rate(piece, RATE_HZ), stretch)
    assert first["drums_beat_f"] > 0.85 and last["drums_beat_f"] > 0.85
    assert abs(last["drums_lag_ms"]) <= 12


# --------------------------------------------------------------------------------------------- from rows to page


def rows_of(band: float, songs: int = 6) -> list[dict[str, Any]]:
    def take(value: float) -> dict[str, float]:
        return {name: (0.0 if name.endswith(("_ms", "_s")) else value) for name in FIGURES}

    step = {"p50_ms": 5.0, "p99_ms": 8.0, "p99.9_ms": 9.0, "times_real_time": 6.0}
    return [
        {
            "task": f"song:{i}", "kind": "song", "number": i, "seed": i, "condition": condition, "style": "rock",
            "band": take(value + 0.01 * i), "true": take(0.9 + 0.01 * i), "floor": take(0.3 + 0.01 * i),
            "wrong": take(0.3 + 0.01 * i), "step": step, "ahead_frames": 3, "misses": 0,
        }
        for i in range(songs)
        for condition, value in (("live", band), ("oracle", 0.9), ("no_chord", band - 0.1))
    ]  # fmt: skip


@pytest.mark.parametrize(("band", "share", "met"), [(0.9, 1.0, True), (0.3, 0.0, False), (0.6, 0.5, False)])
def test_a_summary_says_what_is_met(tmp_path: Path, band: float, share: float, met: bool) -> None:
    from gigmate.training.evaluate.report import lines_of, write_report
    from gigmate.training.evaluate.summary import summarise

    rows = rows_of(band)
    summary = plain(summarise(rows, tmp_path))
    assert summary["share_of_gap"]["live"]["drums_beat_f"]["value"] == pytest.approx(share, abs=1e-6)
    assert summary["share_of_gap"]["oracle"]["drums_beat_f"]["value"] == pytest.approx(1.0)
    assert summary["ablations"]["no_chord"]["bass_in_chord"]["value"] == pytest.approx(0.1)
    asked = {item["name"]: item for item in summary["asked"]}
    assert asked["drums: beat F, of the true part's"]["met"] is met
    assert asked["share of the true gap: bass, energy in the chord"]["met"] is met
    assert asked["drums: signed lag, off by at most (ms)"]["met"] is True
    assert any("drums, beat F" in line for line in lines_of(summary))
    pytest.importorskip("matplotlib")
    settings = {"songs": 6, "seconds": 30.0, "split": "test", "first_seed": 0, "weights_id": "abc"}
    write_report(tmp_path / "report", summary, rows, settings, "gigmate eval")
    page = (tmp_path / "report" / "band.md").read_text()
    assert re.search(r"^\| `gigmate eval` \| \d{4}-\d\d-\d\d \| \S.* \|$", page, re.MULTILINE)
    assert json.loads((tmp_path / "report" / "band.json").read_text())["summary"]["asked"]
    assert (tmp_path / "report" / "band-figures.png").stat().st_size > 1000


def test_scenes_that_are_never_followed_count_as_latest(tmp_path: Path) -> None:
    from gigmate.training.evaluate.summary import summarise

    rows = [
        {"task": f"scene:chord:{i}", "kind": "scene", "number": i, "scene": "chord", "style": "rock",
         "band": {"chord_beats": value}, "true": {"chord_beats": 0.0}}
        for i, value in enumerate([1.0, 2.0, None, None, None])
    ]  # fmt: skip
    found = summarise(rows, tmp_path)["reaction"]["chord: chord_beats"]
    assert found["band"]["median"] is None and found["band"]["never"] == 0.6
    assert found["true"]["median"] == 0.0
    asked = {item["name"]: item for item in summarise(rows, tmp_path)["asked"]}
    assert asked["chord change followed (beats)"]["met"] is False
