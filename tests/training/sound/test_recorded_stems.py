"""A folder of real stems as data: tracked labels near the truth, and errors that say what is missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gigmate.training.sound.recorded_stems import import_song
from gigmate.training.sound.render import render_song
from gigmate.training.sound.stem_files import StemError

pytest.importorskip("tinysoundfont")
pytest.importorskip("librosa")
soundfile = pytest.importorskip("soundfile")


def test_imported_stems_get_labels_near_the_truth(tmp_path: Path) -> None:
    song = render_song(4, styles=("pop_ballad",), seconds=(30.0, 35.0))
    for part in ("lead", "drums", "bass"):
        soundfile.write(tmp_path / f"{part}.wav", song.stems["lead_clean" if part == "lead" else part], 32000)
    found = import_song(tmp_path, 0, bpm=song.meta["bpm"])
    assert set(found.stems) == set(song.stems)
    assert not found.stems["keys"].any()
    assert len(found.stems["lead"]) == len(found.labels["beat_phase"]) * 1280
    true = song.labels["beats_s"]
    errors = [np.abs(true - b).min() for b in found.labels["beats_s"] if true[2] < b < true[-2]]
    assert np.mean(np.array(errors) < 0.07) > 0.8
    frames = min(len(found.labels["chord_root"]), len(song.labels["chord_root"]))
    inside = song.labels["part_active"][:frames, 1]
    same = found.labels["chord_root"][:frames][inside] == song.labels["chord_root"][:frames][inside]
    assert same.mean() > 0.6


def test_a_folder_without_stems_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StemError, match=r"needs lead\.wav"):
        import_song(tmp_path, 0)
