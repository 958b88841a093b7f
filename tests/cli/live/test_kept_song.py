"""A song that was learnt and kept is there the next evening: `--song NAME` on a real server, from its first bar."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gigmate.session
import numpy as np
import pytest
from gigmate.cli import boundary, main
from gigmate.engine.charts.chart_parser import parse_chart
from gigmate.engine.learning.learnt_chart import LearntSong
from gigmate.engine.player import Controls, HeardFrame, Moment
from gigmate.presets.loader import load_preset
from gigmate.presets.song_keeper import SongKeeper

SONG = "key: Am\ntempo: 240\n[Verse]\n| Am | F . G . |\n[Chorus]\n| C/E | G |"


class Told:
    """A silent player that keeps what it was told."""

    sample_rate_hz, frame_samples, tail_samples, play_delay_samples = 32_000, 1280, 640, 0

    def __init__(self) -> None:
        self.moments: list[tuple[Moment, str]] = []

    def reset(self, seed: int, ahead_frames: int) -> None:
        self.moments.clear()

    def set_ahead(self, ahead_frames: int) -> None:
        pass

    def listen(self, chunk: np.ndarray) -> HeardFrame:
        return HeardFrame()

    def play(self, moment: Moment, controls: Controls) -> np.ndarray:
        self.moments.append((moment, controls.style))
        return np.zeros((3, self.frame_samples), np.float32)


@pytest.mark.jack
def test_a_kept_song_is_played_from_its_first_bar(
    jack_server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIGMATE_CONFIG_DIR", str(tmp_path))
    song = LearntSong(parse_chart(SONG, "chart"), "Harbour lights", 1, finished=True)
    (line,) = SongKeeper(tmp_path / "songs", lambda: song, lambda: load_preset("swing"), None).news()
    assert "Harbour lights.chart" in line
    band = Told()
    monkeypatch.setattr(gigmate.session, "_shipped_player", lambda weights, seed: band)
    arguments = ["--backend", "jack", "--no-connect", "--start-now", "--no-wait", "--duration", "4"]
    arguments += ["--server", jack_server.name, "--song", "Harbour lights"]
    assert boundary.run(main.live_app, "gigmate-live", arguments) == 0
    told = [moment for moment, _ in band.moments if moment.tempo_bpm > 0]
    assert {style for _, style in band.moments} == {"swing"}, "with the preset that it was played with"
    assert all(abs(moment.tempo_bpm - 240.0) < 0.5 for moment in told)
    assert told[0].bar_phase < 0.2, "from its first bar"
    chords = [(moment.chord_root, moment.chord_bass) for moment in told]
    changes = [chord for n, chord in enumerate(chords) if n == 0 or chord != chords[n - 1]]
    assert changes[:4] == [(9, -1), (5, -1), (7, -1), (0, 4)]
