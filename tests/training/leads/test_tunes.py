"""Melodies by people: read with their pick-ups, harmonised, and played at a pace that they can have."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from gigmate.training.band.chord_theory import parse_numeral
from gigmate.training.leads.harmonise import harmonise, key_of
from gigmate.training.leads.tunebook import read_tune
from gigmate.training.leads.tunes import write_tune

# A scale up and down in G, 3/4 with a pick-up of a quarter; ours.
BARS = [[[2.0, 1.0, 62.0]]] + [
    [[0.0, 1.0, float(a)], [1.0, 1.0, float(b)], [2.0, 1.0, float(c)]]
    for a, b, c in [(67, 69, 71), (72, 71, 69), (71, 69, 67), (66, 69, 62)] * 2 + [(67, 66, 69), (67, 67, 67)]
]


@pytest.fixture
def tunes(tmp_path: Path) -> Path:
    path = tmp_path / "tunes.json"
    path.write_text(json.dumps([{"from": "ours", "metre": "3/4", "bars": BARS}]), encoding="utf-8")
    return path


def weights(*classes: int) -> np.ndarray:
    made = np.zeros(12)
    made[list(classes)] = 1.0
    return made


def test_the_tune_is_there_with_its_pick_up_before_the_first_bar(tunes: Path) -> None:
    alone = next(song for song in (write_tune(seed, tunes) for seed in range(40)) if song.beats_per_bar == 3)
    line = sorted(alone.notes["lead"], key=lambda n: (n.beat, n.pitch))
    up = (line[0].pitch - 62) % 12
    assert line[0].beat in (1.5, 1.75, 2.0)  # as written, or pushed by a half or a quarter
    assert {n.pitch % 12 for n in line} <= {(int(p) + up) % 12 for bar in BARS for _, _, p in bar} | {
        pc for bar in alone.bars for _, chord in bar.chords for pc in range(12)
    }
    assert alone.bars[0].lead_from_beats == 2.0 and not [n for n in line if n.beat < 1.4]
    assert alone.key not in (6,) and 56 <= alone.bpm <= 205


def test_the_same_seed_is_the_same_song(tunes: Path) -> None:
    assert write_tune(3, tunes).notes == write_tune(3, tunes).notes


def test_a_key_is_heard_by_its_notes_and_its_end() -> None:
    major = weights(0, 2, 4, 5, 7, 9, 11)
    major[[0, 7, 4]] += 2
    assert key_of(major, 0) == (0, False)
    minor = weights(9, 11, 0, 2, 4, 5, 7)
    minor[[9, 4, 0]] += 2
    assert key_of(minor, 9) == (9, True)


def test_chords_fit_the_notes_that_they_lie_under() -> None:
    spans = [weights(7, 11, 2), weights(0, 4, 7), weights(2, 6, 9), weights(7, 11)]
    found = harmonise(spans, 7, False)
    assert [chord.root for chord in found] == [7, 0, 2, 7]
    assert found[0].pcs == parse_numeral("I", 7).pcs


class _Note:
    isNote = True

    def __init__(self, offset: float, length: float, pitch: int) -> None:
        self.offset, self.quarterLength = offset, length
        self.pitch = type("Pitch", (), {"midi": pitch})


class _Measure:
    def __init__(self, *notes: _Note) -> None:
        self.notes = self.notesAndRests = list(notes)


class _Part:
    def __init__(self, ratio: str, measures: list[_Measure]) -> None:
        self.measures = measures
        self.sign = type("Sign", (), {"ratioString": ratio})

    def stripTies(self) -> _Part:
        return self

    def recurse(self) -> _Part:
        return self

    def getElementsByClass(self, name: str) -> list[object]:
        return list(self.measures) if name == "Measure" else [self.sign]


def _read(ratio: str, measures: list[_Measure]) -> dict[str, object] | None:
    return read_tune(type("Tune", (), {"parts": [_Part(ratio, measures)]}))


def test_a_tunes_pick_up_ends_at_the_bar_line_and_a_divided_bar_is_one() -> None:
    whole = _Measure(_Note(0, 1, 60), _Note(1, 1, 62))
    tune = _read(
        "2/4",
        [_Measure(_Note(0, 0.5, 55)), *[whole] * 7, _Measure(_Note(0, 1.5, 64)), _Measure(_Note(0, 0.5, 65)), whole],
    )
    assert tune is not None
    bars = tune["bars"]
    assert isinstance(bars, list) and bars[0] == [[1.5, 0.5, 55.0]] and len(bars) == 10
    assert bars[8] == [[0.0, 1.5, 64.0], [1.5, 0.5, 65.0]]


def test_a_tune_whose_bars_do_not_add_up_is_left_out() -> None:
    whole = _Measure(_Note(0, 1, 60), _Note(1, 1, 62))
    assert _read("2/4", [whole] * 9 + [_Measure(_Note(0, 3, 60))]) is None
    assert _read("5/4", [whole] * 12) is None
    assert _read("2/4", [whole] * 4) is None
