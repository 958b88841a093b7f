"""A session plays a show: songs and presets asked for from outside and from within the audio arrive in the engine."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from gigmate.engine.commands import (
    JumpSection,
    SelectPreset,
    SelectSong,
    StepPreset,
    StepSong,
    Tap,
)
from gigmate.engine.config import EngineConfig
from gigmate.engine.gestures import BindingTable
from gigmate.engine.player import Controls, HeardFrame, Moment
from gigmate.presets.loader import load_preset
from gigmate.presets.setlist import load_set
from gigmate.session import PlayerLoading, Session, open_session
from gigmate.show import Show, known_presets

EVENING = Path(__file__).resolve().parents[1] / "docs" / "examples" / "evening.yaml"


class Notekeeper:
    """A Player of silence that remembers what it was told."""

    sample_rate_hz, frame_samples, tail_samples, play_delay_samples = 32_000, 1280, 640, 0
    styles = ("rock", "funk", "swing", "blues_shuffle")

    def __init__(self) -> None:
        self.moment, self.controls = Moment(0.0, 0.0, 120.0, 4, 0.0), Controls()

    def reset(self, seed: int, ahead_frames: int) -> None:
        return None

    def set_ahead(self, ahead_frames: int) -> None:
        return None

    def listen(self, chunk: np.ndarray) -> HeardFrame:
        return HeardFrame(activity=1.0, level_db=-20.0)

    def play(self, moment: Moment, controls: Controls) -> np.ndarray:
        self.moment, self.controls = moment, controls
        return np.zeros((3, 1280), np.float32)


@pytest.fixture
def player() -> Notekeeper:
    return Notekeeper()


@pytest.fixture
def evening(tmp_path: Path, player: Notekeeper) -> Iterator[Session]:
    soundfile.write(tmp_path / "lead.wav", np.zeros(48_000 * 120, np.int16), 48_000)
    config = EngineConfig(
        backend="file", input_file=str(tmp_path / "lead.wav"), start_playing=True, bindings=BindingTable()
    )
    presets, _ = known_presets()
    show = Show(load_preset("rock"), set_list=load_set(EVENING), presets=presets, bindings=config.bindings)
    with open_session(config, show, PlayerLoading(load=lambda: player)) as session:
        session.start()
        yield session


def until(session: Session, true: Callable[[], bool]) -> bool:
    """Run the session as the main loop does until something is true."""
    end_s = time.monotonic() + 30.0
    while time.monotonic() < end_s and not session.wait(0.02):
        if true():
            return True
    return false_with(session)


def false_with(session: Session) -> bool:
    print(session.status)
    return False


def test_it_begins_with_the_first_song(evening: Session, player: Notekeeper) -> None:
    assert until(evening, lambda: evening.status.song == "Opening blues" and player.controls.style == "blues_shuffle")
    status = evening.status
    assert (status.preset, status.song_number, status.songs) == ("Blues shuffle", 1, 4)
    assert until(evening, lambda: evening.status.chord_played == "A7")
    assert player.moment.chord_root == 9
    assert "An evening at the harbour: song 1 of 4, Opening blues" in evening.show.describe()
    assert [line for line in evening.describe() if "not taught odd_five" in line]
    assert evening.report()["preset"] == "Blues shuffle"


def test_songs_are_stepped_through_from_outside_and_from_the_audio(evening: Session, player: Notekeeper) -> None:
    evening.post(StepSong(1))
    assert until(evening, lambda: evening.status.song == "Harbour lights" and player.controls.style == "swing")
    assert until(evening, lambda: evening.status.section == "Intro" and evening.status.chord_played == "Gm9")
    evening.engine.post(StepSong(1))  # as a pedal in the audio does
    assert until(evening, lambda: evening.status.song == "Sunday in five")
    assert until(evening, lambda: evening.status.beats_per_bar == 5)
    evening.post(SelectSong(4))
    assert until(evening, lambda: evening.status.song == "Whatever comes" and evening.status.section == "")
    evening.post(StepSong(1))
    assert until(evening, lambda: any("last song" in line for line in evening.status.warnings))
    assert evening.status.song_number == 4


def test_a_section_is_jumped_to_at_the_bar_line(evening: Session) -> None:
    evening.post(StepSong(1))
    assert until(evening, lambda: evening.status.section == "Intro")
    for k in range(4):
        evening.post(Tap(24_000 * (k + 1)))  # 120 bpm
    evening.post(JumpSection("Chorus"))
    assert until(evening, lambda: evening.status.section == "Chorus")
    assert until(evening, lambda: evening.status.chord_played == "Bb/F")
    assert evening.lists()["sections"] == ["Intro", "Verse", "Chorus", "Outro"]


def test_presets_and_what_cannot_be(evening: Session, player: Notekeeper) -> None:
    evening.post(SelectPreset("funk"))
    assert until(evening, lambda: evening.status.preset == "Funk" and player.controls.style == "funk")
    assert evening.status.song == "Opening blues"
    evening.post(SelectPreset("fnuk"))
    assert until(evening, lambda: any("did you mean funk?" in line for line in evening.status.warnings))
    evening.post(StepPreset(1))
    assert until(evening, lambda: evening.status.preset == "Gospel")


def test_songs_from_many_threads_at_once_do_not_mix(evening: Session, player: Notekeeper) -> None:
    threads = [
        threading.Thread(target=lambda n=number: [evening.post(SelectSong(n)) for _ in range(5)])
        for number in (1, 2, 3, 4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    style = evening.preset.style
    song = evening.show.song
    assert song is not None
    assert until(evening, lambda: evening.status.song == song.title and player.controls.style == style)
    assert evening.status.preset == song.preset.name
