"""Rendering: sound that agrees with its labels, the same from the same seed, and shards that come back whole."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import pytest
from gigmate.training.band.arrange import write_song
from gigmate.training.band.score import PARTS
from gigmate.training.sound import (
    augment,
    label_judge,
    own_instruments,
    render,
    song_labels,
    soundfonts,
)
from gigmate.training.sound.render import (
    RenderedSong,
    load_song,
    render_song,
    save_song,
)

pytest.importorskip("tinysoundfont")
SHORT = (14.0, 18.0)


@pytest.fixture(scope="module")
def song() -> RenderedSong:
    return render_song(11, styles=("rock",), seconds=SHORT)


def test_stems_are_as_long_as_their_labels_say(song: RenderedSong) -> None:
    frames = len(song.labels["beat_phase"])
    for stem in song.stems.values():
        assert stem.dtype == np.float32
        assert stem.shape == (frames * 1280,)
        assert np.isfinite(stem).all()
        assert np.abs(stem).max() <= 1.0
    for name, kind in song_labels.FRAME_LABELS.items():
        assert song.labels[name].dtype == kind
        assert len(song.labels[name]) == frames


def test_drum_hits_sound_within_five_ms_of_their_label(song: RenderedSong) -> None:
    found = label_judge.onsets(song)
    assert found["drum_within_5ms"] > 0.95
    assert found["drum_error_ms"] < 3.0


def test_parts_sound_where_labelled_and_only_there(song: RenderedSong) -> None:
    found = label_judge.sounding(song)
    for part in PARTS:
        assert found[f"sounding_{part}"] > 0.95
        assert not found[f"quiet_{part}"] < 1.0  # nan: never silent


def test_labels_agree_with_the_beats_and_chords(song: RenderedSong) -> None:
    lab = song.labels
    at = np.round(lab["beats_s"] / song_labels.FRAME_S).astype(int)
    at = at[at < len(lab["beat_phase"])]
    near = np.minimum(lab["beat_phase"][at], 1.0 - lab["beat_phase"][at])
    assert near.max() <= song_labels.FRAME_S * lab["tempo_bpm"].max() / 60.0
    inside = lab["chord_root"] >= 0
    assert lab["chord_pcs"][inside, lab["chord_root"][inside]].all()
    assert not lab["chord_pcs"][~inside].any()
    assert ((lab["bar_phase"] >= 0) & (lab["bar_phase"] < 1)).all()
    assert set(np.round(np.diff(np.searchsorted(lab["beats_s"], lab["downbeats_s"])))) == {4}


def test_same_seed_gives_the_same_samples_whatever_came_before(song: RenderedSong) -> None:
    render_song(5, styles=("swing",), seconds=(8.0, 9.0))
    again = render_song(11, styles=("rock",), seconds=SHORT)
    for name, stem in song.stems.items():
        assert np.array_equal(stem, again.stems[name]), name


def test_other_rates_hold_the_same_moments() -> None:
    low, high = (render_song(2, rate, styles=("funk",), seconds=(8.0, 9.0)) for rate in (32000, 48000))
    assert len(high.stems["lead"]) * 2 == len(low.stems["lead"]) * 3
    assert np.array_equal(low.labels["onsets_drums_s"], high.labels["onsets_drums_s"])
    assert label_judge.onsets(high)["drum_within_5ms"] > 0.95


def test_levels_are_those_of_the_style(song: RenderedSong) -> None:
    assert augment.active_rms_db(song.stems["lead_clean"], 32000) == pytest.approx(-20.0, abs=1.0)
    assert augment.active_rms_db(song.stems["bass"], 32000) == pytest.approx(-20.0, abs=1.5)


def test_a_shard_comes_back(song: RenderedSong, tmp_path: Path) -> None:
    path = render.song_path(tmp_path, song.seed)
    save_song(song, path)
    back = load_song(path)
    assert back.meta == song.meta
    for name, stem in song.stems.items():
        assert np.abs(stem - back.stems[name]).max() < 2.0 / 32767
    for name, values in song.labels.items():
        assert np.array_equal(values, back.labels[name]), name
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_a_file_that_is_no_shard_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", a=np.zeros(3))
    with pytest.raises(ValueError, match="not a rendered song"):
        load_song(tmp_path / "x.npz")


def test_command_writes_and_keeps_songs(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch) -> None:
    monkeypatch.setattr(render, "render_song", functools.partial(render_song, seconds=(6.0, 7.0)))
    arguments = ["--songs", "1", "--out", str(tmp_path), "--seed", "9"]
    assert render.main(arguments) == 0
    assert "song-0000000009.npz" in capsys.readouterr().out
    assert render.main(arguments) == 0
    assert capsys.readouterr().out == ""


def test_a_missing_font_is_said_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soundfonts, "SEARCH", ())
    monkeypatch.delenv(soundfonts.VARIABLE, raising=False)
    with pytest.raises(soundfonts.SoundFontError, match="apt install fluid-soundfont-gm"):
        soundfonts.find("fluid")
    with pytest.raises(ValueError, match="known: fluid"):
        soundfonts.find("other")


def test_a_font_is_found_by_the_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "FluidR3_GM.sf2").write_bytes(b"x")
    monkeypatch.setenv(soundfonts.VARIABLE, str(tmp_path))
    assert soundfonts.find("fluid") == tmp_path / "FluidR3_GM.sf2"


def test_a_wrong_rate_is_refused() -> None:
    with pytest.raises(ValueError, match="multiple of 25"):
        render_song(0, 44101)


def test_the_stage_leaves_a_silent_lead_quiet_and_a_loud_one_in_range() -> None:
    rng = np.random.default_rng(0)
    t = np.arange(64000) / 32000
    tone = (0.3 * np.sin(2 * np.pi * 220 * t)).astype(np.float32)
    band = rng.standard_normal(64000).astype(np.float32) * 0.1
    for k in range(12):
        lead = tone if k % 2 else np.zeros_like(tone)
        out = augment.live_lead(lead, band, 32000, np.random.default_rng(k), True, 0.8)
        assert out.shape == lead.shape
        assert np.isfinite(out).all()
        assert np.abs(out).max() <= 1.0
        if not k % 2:
            assert augment.rms_db(out) < -25.0


def test_drive_adds_harmonics_and_the_cabinet_takes_the_top() -> None:
    t = np.arange(32000) / 32000
    tone = 0.3 * np.sin(2 * np.pi * 440 * t)
    driven = augment.drive(tone, 24.0, 0.1)
    spectrum = np.abs(np.fft.rfft(driven))
    assert spectrum[1320] > 0.05 * spectrum[440]
    noise = np.random.default_rng(1).standard_normal(32000)
    boxed = np.abs(np.fft.rfft(augment.cabinet(noise, 32000, np.random.default_rng(2))))
    assert boxed[9000:14000].mean() < 0.1 * boxed[400:2000].mean()


def test_our_own_instruments_sound_on_time_and_alike_each_time() -> None:
    score = write_song(3, styles=("rock",), seconds=(10.0, 12.0))
    fonts = dict.fromkeys(("lead", *PARTS), render.OWN)
    first, again = (render.render_score(score, np.random.default_rng(1), fonts=fonts) for _ in range(2))
    assert first.meta["font"] == render.OWN
    for name, stem in first.stems.items():
        assert np.array_equal(stem, again.stems[name]), name
        assert np.abs(stem).max() > 0.02
    assert label_judge.onsets(first)["drum_within_5ms"] > 0.95
    pitch = own_instruments.render_events(
        [(0.0, 1.0, 69, 100)], 33, drums=False, length_samples=32000, rate_hz=32000, tuning_cents=0.0
    )
    spectrum = np.abs(np.fft.rfft(pitch))
    assert abs(int(np.argmax(spectrum[:600])) - 440) <= 1


def test_held_out_sounds_are_in_their_splits_only() -> None:
    found = {
        split: set(render_song(0, split=split, seconds=(4.0, 5.0), sound_variety=1.0).meta["fonts"].values())
        for split in ("train", "validation", "held_sound")
    }
    assert found == {"train": {"fluid"}, "validation": {"fluid"}, "held_sound": {"own"}}
