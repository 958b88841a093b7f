"""`gigmate eval leads`: kinds of error and what confidence is worth, and what a folder must hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gigmate.cli.eval.eval_leads import figures, score_lead, summary, taps_on, tells_apart
from gigmate.engine.errors import ConfigError

BEATS = np.arange(0.0, 60.0, 0.5)
DOWNBEATS = BEATS[::4]


def told(beats_s: np.ndarray, confidence: float = 0.8) -> np.ndarray:
    return np.stack([beats_s, np.arange(len(beats_s)) % 4 + 1, np.full(len(beats_s), confidence)], axis=1)


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        (BEATS + 0.02, "right"),
        (BEATS + 0.25, "half a beat off"),
        (BEATS[::2], "half"),
        (BEATS[1::2], "half"),
        (np.arange(0, 60, 0.25), "double"),
        (np.arange(0, 60, 0.75), "2/3"),
        (np.arange(0, 60, 1 / 3), "3/2"),
        (np.arange(0, 60, 2 / 3), "3/4"),
        (np.arange(0, 60, 0.41), "lost"),
    ],
)
def test_the_kind_of_an_error(found: np.ndarray, kind: str) -> None:
    row = figures("song", told(found), BEATS, DOWNBEATS, 10.0)
    assert row.kind == kind
    assert (row.beat_f >= 0.7) == (kind == "right")


def test_confidence_is_judged_bar_by_bar() -> None:
    late = np.where(BEATS > 30, BEATS + 0.25, BEATS)
    rows = told(late)
    rows[BEATS > 30, 2] = 0.1
    row = figures("song", rows, BEATS, DOWNBEATS, 10.0)
    assert tells_apart(list(row.bars)) > 0.95
    assert np.isnan(tells_apart([(0.5, True)]))
    assert "1 recordings" in summary([row])


def test_taps_begin_on_a_downbeat() -> None:
    taps = taps_on(BEATS, DOWNBEATS, 4)
    assert np.max(np.abs(taps - [6.0, 6.5, 7.0, 7.5])) < 0.06
    assert not len(taps_on(BEATS, DOWNBEATS, 0))


def test_a_recording_without_its_beats_is_named(tmp_path: Path) -> None:
    lead = tmp_path / "song.lead.wav"
    lead.write_bytes(b"")
    (tmp_path / "song.json").write_text("{}")
    with pytest.raises(ConfigError, match=r"song\.json: no beats_s"):
        score_lead(None, lead, 0, "")  # type: ignore[arg-type]
