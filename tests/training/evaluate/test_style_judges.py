"""Judges of style: what they look at in notes, whom they believe, and how they come into the summary."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gigmate.model.generator import score_tokens as st
from gigmate.training.band.arrange import write_song
from gigmate.training.evaluate.style_judges import (
    StyleJudge,
    can_be_asked,
    note_features,
    written_features,
)
from gigmate.training.evaluate.summary import summarise
from gigmate.training.sound.song_labels import label
from gigmate.training.trainers.score_labels import score_slots

STYLES = ("rock", "reggae", "swing", "funk")


@pytest.fixture(scope="module")
def judge() -> StyleJudge:
    pytest.importorskip("sklearn")
    made = [written_features(style, range(300, 312), 16.0, 8.0) for style in STYLES]
    return StyleJudge(np.concatenate(made), [style for style in STYLES for _ in range(12)])


def test_written_songs_are_told_by_their_notes(judge: StyleJudge) -> None:
    hits = [
        hit for style in STYLES for hit in judge.right(written_features(style, range(400, 404), 16.0, 8.0), [style] * 4)
    ]
    assert np.mean(hits) >= 0.85


def test_the_same_notes_at_other_places_of_the_beat_are_told_less_often(judge: StyleJudge) -> None:
    def hits(late_beats: float, silent: bool = False) -> float:
        found = []
        for style in STYLES:
            for seed in range(500, 504):
                score = write_song(seed, "validation", (style,), seconds=(16.0, 20.0))
                labels, slots = label(score, 400), score_slots(score, 400)
                beats = labels["beats_per_bar"].astype(float)
                bar_phase = (labels["bar_phase"] + late_beats / beats) % 1.0
                features = note_features(slots * (not silent), bar_phase, beats, labels["tempo_bpm"])
                found += judge.right(features[None], [style])
        return float(np.mean(found))

    in_place = hits(0.0)
    assert in_place >= 0.85
    assert hits(0.25) < in_place - 0.2
    assert hits(0.0, silent=True) <= 0.25  # whatever is told of silence is right once in four


def test_where_something_begins_is_counted_per_beat() -> None:
    slots = np.zeros((3, st.SLOTS, 100), np.int64)  # 4 s at 120 bpm: eight beats
    beat = np.arange(100) * 0.04 * 2.0
    on = np.flatnonzero(np.diff(np.floor(beat + 1e-6), prepend=-1.0) > 0)
    slots[0, st.STATE, on], slots[0, st.FIRST_NOTE, on] = 1, 1
    found = note_features(slots, beat / 4.0 % 1.0, np.full(100, 4.0), np.full(100, 120.0))
    ticks = found[:24]
    assert ticks[[0, 1, 12, 13]].sum() == pytest.approx(2.0) and ticks.sum() == pytest.approx(2.0)
    kicks = found[24 : 24 + 8 * 7].reshape(8, 7)
    assert kicks[[0, 4], 0] == pytest.approx([1.0, 1.0]) and kicks[:, 1:].sum() == 0.0
    assert not np.isnan(note_features(slots[:, :, :0], *(np.zeros(0),) * 3)).any()


def test_a_style_is_only_asked_for_in_bars_that_it_knows() -> None:
    assert can_be_asked("rock", 4) and not can_be_asked("jazz_waltz", 4) and not can_be_asked("odd_five", 4)
    assert can_be_asked("jazz_waltz", 3) and not can_be_asked("rock", 3) and can_be_asked("odd_five", 5)
    assert can_be_asked("swing", 3) and can_be_asked("swing", 4) and can_be_asked("samba", 4)


def test_both_judges_come_into_the_summary(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    rows: list[dict[str, object]] = []
    for style, value in (("rock", 0.0), ("funk", 1.0)):
        for number in range(4):
            rows.append({"kind": "truth", "style": style, "number": number})
            np.savez(
                tmp_path / f"truth-{style}-{number}.npz",
                features=np.full(3, value) + 0.01 * number, notes=np.full((5, 2), value),
            )  # fmt: skip
    rows.append(
        {"kind": "control", "number": 0, "style": "rock", "styles": ["rock", "funk", "ska"],
         "density": [[0.1, 1, 1, 1, 1], [0.9, 2, 2, 2, 2]], "temperature": [[0.5, 0.2], [1.3, 0.1]]}
    )  # fmt: skip
    # the notes follow what was asked, the sound stays that of rock
    notes = np.array([[0.0, 0.0], [1.0, 1.0], [1.0, 1.0]])
    np.savez(tmp_path / "control-0.npz", features=np.zeros((3, 3)), notes=notes)
    control = summarise(rows, tmp_path)["control"]

    def value(told_by: str, of: str) -> float:
        return float(control[f"style_by_{told_by}"][of]["value"])

    assert value("notes", "band") == pytest.approx(2 / 3) and value("sound", "band") == pytest.approx(1 / 3)
    assert value("notes", "learnt") == 1.0 and value("sound", "learnt") == 0.5  # nothing learnt ska
    assert value("sound", "own") == 1.0 and value("sound", "true") == 1.0
    asked = {item["name"]: item["found"] for item in summarise(rows, tmp_path)["asked"] if "style" in item["name"]}
    assert asked["style: told from the notes"] == pytest.approx(2 / 3)  # what is asked is asked of all
