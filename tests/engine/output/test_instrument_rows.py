"""Instruments in place of parts of the neural voice: on which bar line they change, which notes they get, what ends."""

from __future__ import annotations

import math

import numpy as np
import pytest
from gigmate.engine.commands import SetSound, SetSounds, StepSound
from gigmate.engine.config import EngineConfig
from gigmate.engine.errors import ConfigError
from gigmate.engine.fault_kinds import FaultKind
from gigmate.engine.fault_log import FaultLog
from gigmate.engine.part_sounds import PartSound, part_sound
from gigmate.engine.player import PARTS, Controls, Moment
from gigmate.engine.run.band_step import BandStep
from gigmate.engine.timing.fixed_grid import GridConductor
from gigmate.model.note_events import NoteEvent

from ..fakes import FakePlayer

RATE_HZ, HOST_FRAME = 48_000, 1920
BAR_SAMPLES = 96_000  # at 120
LEVELS_DB = (0.0, 0.0, 0.0)
NEURAL = 0.25


class Noted(FakePlayer):
    """The neural voice is a constant; a note a frame begins in every part, and ends with the next."""

    def __init__(self) -> None:
        super().__init__(play_delay_samples=640)
        self.played = 0

    def play(self, moment: Moment, controls: Controls) -> np.ndarray:
        self.played += 1
        return np.full((3, self.frame_samples), NEURAL, np.float32)

    def notes(self) -> list[NoteEvent]:
        events = []
        for part in range(3):
            events += [NoteEvent(part, 40, 0, 0), NoteEvent(part, 40, 90, 320)]
        return events


class FakeInstrument:
    """Writes down what it is told; sounds 1.0 from its first note on."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.events: list[tuple[int, int]] = []
        self.pitches: set[int] = set()
        self.ended_at: int | None = None
        self.at = 0
        self.cents = 0.0

    def start_anew(self, position: int) -> None:
        self.begun.append(position)
        self.at, self.events = position, []

    def note(self, position: int, pitch: int, velocity: int) -> None:
        self.events.append((position, velocity))
        self.pitches.add(pitch)

    def end_all(self, position: int) -> None:
        self.ended_at = position

    def tune(self, cents: float) -> None:
        self.cents = cents

    def render(self, count: int) -> np.ndarray:
        first = min((position for position, velocity in self.events if velocity), default=1 << 40)
        places = self.at + np.arange(count)
        self.at += count
        return np.tile((places >= first).astype(np.float32), (2, 1))


class FakeRack:
    """Instruments at once, after some asking, or never."""

    def __init__(self) -> None:
        self.given: list[tuple[str, PartSound, FakeInstrument]] = []
        self.loading = 0
        self.why = ""

    def usual(self, part: str, style: str) -> int:
        return {"drums": 0, "bass": 32 if style == "swing" else 33, "keys": 0}[part]

    def take(self, part: str, sound: PartSound) -> FakeInstrument | None:
        if self.why or self.loading > 0:
            self.loading -= 1
            return None
        self.given.append((part, sound, FakeInstrument()))
        return self.given[-1][2]

    def trouble(self) -> str:
        return self.why


class Stand:
    """A band with a rack, frame by frame."""

    def __init__(self, batch_frames: int = 1) -> None:
        self.rack, self.fault_log, self.player = FakeRack(), FaultLog(), Noted()
        self.controls = Controls(style="rock")
        self.band = BandStep(
            EngineConfig(start_playing=True, wait_for_musician=False),
            RATE_HZ,
            self.player,
            GridConductor(120, 4, RATE_HZ),
            self.fault_log,
            batch_frames=batch_frames,
        )
        self.band.play_instruments(self.rack)
        self.band.stage.start()
        self.frame = 0
        self.want("neural", "neural", "neural")

    def want(self, *sounds: str) -> None:
        wanted = [part_sound(part, sound) for part, sound in zip(PARTS, sounds, strict=True)]
        self.band.set_sounds(SetSounds(tuple(wanted)))

    def play(self, frames: int) -> tuple[int, np.ndarray]:
        """The first sample, and [parts, 2, n]."""
        made = []
        self.drums_at: list[int] = []
        """Where the groove has the onsets of the drums."""
        first = self.band.playout.position(self.frame, 0)
        for _ in range(frames):
            moment = self.band.direct(self.frame, fresh=self.frame == 0)
            frame = self.band.make(self.frame, moment, self.controls, LEVELS_DB)
            assert frame is not None
            made += [one.parts.copy() for one in frame]
            self.drums_at += [round(n.position_samples) for n in self.band.placed_notes if n.part == 0 and n.velocity]
            self.frame += 1
        return first, np.concatenate(made, axis=-1)


def test_parts_without_an_instrument_are_as_they_were() -> None:
    stand = Stand()
    _, parts = stand.play(5)
    assert stand.band.sounds == ("neural",) * 3
    assert parts[:, :, 3000:] == pytest.approx(NEURAL, abs=0.01)
    assert not stand.rack.given


def test_what_is_wanted_before_the_first_frame_is_on_from_its_first_sample() -> None:
    stand = Stand()
    stand.want("kit 1", "neural", "rhodes")
    first, parts = stand.play(4)
    assert stand.band.sounds == ("standard kit", "neural", "electric piano 1")
    assert (parts[0, :, : stand.drums_at[0] - first] == 0.0).all()
    assert (parts[0, :, stand.drums_at[0] - first :] == 1.0).all()
    assert parts[1, :, 3000:] == pytest.approx(NEURAL, abs=0.01)
    part, _, drums = stand.rack.given[0]
    assert part == "drums" and drums.begun[-1] == first
    begins = [position for position, velocity in drums.events if velocity]
    assert begins == stand.drums_at
    assert len(begins) == 4


def test_a_swap_waits_for_the_bar_line_and_takes_what_is_just_before_it() -> None:
    stand = Stand()
    stand.play(10)
    stand.want("neural", "fingered bass", "neural")
    first, parts = stand.play(60)
    line = BAR_SAMPLES - 960
    assert (parts[1, :, : line - first] < 0.5).all()
    assert (parts[1, :, line - first + 2400 :] == 1.0).all()  # the neural voice is gone after 10 ms
    begins = [position for position, velocity in stand.rack.given[0][2].events if velocity]
    assert begins[0] >= line and begins[0] - line <= HOST_FRAME
    assert stand.band.sounds == ("neural", "fingered bass", "neural")


def test_the_old_instrument_ends_on_the_line_and_rings_out_beside_the_new_one() -> None:
    stand = Stand()
    stand.want("kit 1", "fingered bass", "rhodes")
    stand.play(10)
    stand.band.set_sounds(SetSound("keys", "organ"))
    first, parts = stand.play(60)
    old, new = stand.rack.given[2][2], stand.rack.given[3][2]
    assert old.ended_at == BAR_SAMPLES - 960
    assert max(position for position, velocity in old.events if velocity) < old.ended_at
    assert min(position for position, velocity in new.events if velocity) >= old.ended_at
    both = parts[2, 0, old.ended_at - first + 2 * HOST_FRAME :]
    assert (both == 2.0).all()
    stand.play(200)
    assert stand.play(1)[1][2].max() == 1.0  # after six seconds the old one is put away


def test_back_to_the_neural_voice_on_the_bar() -> None:
    stand = Stand()
    stand.want("kit 1", "neural", "neural")
    stand.play(10)
    stand.band.set_sounds(SetSound("drums", "neural"))
    first, parts = stand.play(60)
    line = BAR_SAMPLES - 960 - first
    assert (parts[0, 0, 4000:line] == 1.0).all()
    assert parts[0, 0, line + 480 :] == pytest.approx(1.0 + NEURAL, abs=0.01)  # the kit rings out
    assert stand.band.sounds[0] == "neural"


def test_a_sound_that_is_still_loading_comes_on_a_later_bar_line() -> None:
    stand = Stand()
    stand.play(10)
    stand.rack.loading = 60
    stand.want("kit 1", "neural", "neural")
    stand.play(60)
    assert stand.band.sounds[0] == "neural"
    stand.play(50)
    assert stand.band.sounds[0] == "standard kit"


def test_what_cannot_be_had_is_said_once_and_the_band_goes_on() -> None:
    stand = Stand()
    stand.rack.why = "no bank of instruments was found: install one"
    stand.want("kit 1", "neural", "neural")
    _, parts = stand.play(120)
    assert stand.band.sounds == ("neural",) * 3
    assert parts[0, :, 3000:] == pytest.approx(NEURAL, abs=0.01)
    assert stand.fault_log.counts()[FaultKind.NO_INSTRUMENT.value] == 1
    assert stand.fault_log.warnings == (stand.rack.why,)
    stand.rack.why = ""
    stand.band.set_sounds(SetSound("drums", "kit 1"))  # asked for again, it is tried again
    stand.play(60)
    assert stand.band.sounds[0] == "standard kit"


def test_instruments_of_the_style_change_with_it() -> None:
    stand = Stand()
    stand.want("neural", "instruments", "neural")
    stand.play(5)
    assert stand.band.sounds[1] == "fingered bass"
    stand.controls = Controls(style="swing")
    stand.play(60)
    assert stand.band.sounds[1] == "acoustic bass"


def test_after_a_frame_that_failed_nothing_of_before_sounds() -> None:
    stand = Stand()
    stand.want("kit 1", "fingered bass", "rhodes")
    stand.play(5)
    stand.band.broken = True  # as after a stop, a panic, or frames that were skipped
    stand.frame += 20
    first, _ = stand.play(2)
    for _, _, one in stand.rack.given:
        assert one.begun[-1] == first
        assert all(position >= first for position, _ in one.events)


def test_batches_give_what_single_frames_give() -> None:
    class Patient(Noted):
        def draw(self, moment: Moment, controls: Controls) -> None: ...

        def sound(self) -> np.ndarray:
            return np.full((3, 4 * self.frame_samples), NEURAL, np.float32)

    one, four = Stand(), Stand()
    four.band = BandStep(
        EngineConfig(start_playing=True, wait_for_musician=False),
        RATE_HZ,
        Patient(),
        GridConductor(120, 4, RATE_HZ),
        FaultLog(),
        batch_frames=4,
    )
    four.band.play_instruments(four.rack)
    four.band.stage.start()
    for stand in (one, four):
        stand.want("kit 1", "neural", "neural")
        stand.play(8)
        stand.want("neural", "fingered bass", "neural")
    np.testing.assert_array_equal(one.play(60)[1], four.play(60)[1])
    assert one.rack.given[0][2].events == four.rack.given[0][2].events


def test_the_neural_voice_is_not_made_while_nobody_hears_it() -> None:
    class Quiet(Noted):
        drawn = passed = 0

        def draw(self, moment: Moment, controls: Controls) -> None:
            self.drawn += 1

        def pass_over(self) -> None:
            self.passed += 1

    stand = Stand()
    player = Quiet()
    stand.band = BandStep(
        EngineConfig(start_playing=True, wait_for_musician=False),
        RATE_HZ,
        player,
        GridConductor(120, 4, RATE_HZ),
        FaultLog(),
    )
    stand.band.play_instruments(stand.rack)
    stand.band.stage.start()
    stand.want("kit 1", "fingered bass", "rhodes")
    stand.play(20)
    assert (player.drawn, player.passed, player.played) == (19, 19, 1)  # the first, before it is known
    stand.band.set_sounds(SetSound("keys", "neural"))
    first, parts = stand.play(60)
    assert player.drawn == 19 and player.played == 61  # from when it is asked for, so that it is there on the bar line
    line = BAR_SAMPLES - 960 - first
    assert parts[2, 0, line + 480 + HOST_FRAME :] == pytest.approx(1.0 + NEURAL, abs=0.01)
    stand.want("kit 1", "fingered bass", "rhodes")
    stand.play(60)
    before = player.played
    stand.play(10)
    assert player.played == before


def test_the_round_of_a_part_and_of_the_band() -> None:
    stand = Stand()
    stand.play(2)
    stand.band.set_sounds(StepSound())
    stand.play(60)
    assert "neural" not in stand.band.sounds
    for name in ("electric piano 1", "drawbar organ"):  # the grand piano is what the style has, and sounds already
        stand.band.set_sounds(StepSound("keys"))
        stand.play(60)
        assert stand.band.sounds[2] == name
    stand.band.set_sounds(StepSound())
    stand.play(60)
    assert stand.band.sounds == ("neural",) * 3
    for wrong in (SetSound("keys", "kazoo"), SetSound("choir", "neural"), StepSound("choir")):
        with pytest.raises(ConfigError):
            stand.band.set_sounds(wrong)


def test_instruments_are_in_the_tuning_of_the_band() -> None:
    class Tuned(Noted):
        tuning_hz = 442.0

        def fix_tuning(self, tuning_hz: float | None) -> None: ...

    stand = Stand()
    stand.band = BandStep(EngineConfig(), RATE_HZ, Tuned(), GridConductor(120, 4, RATE_HZ), FaultLog())
    stand.band.play_instruments(stand.rack)
    stand.band.stage.start()
    stand.want("kit 1", "neural", "rhodes")
    stand.play(2)
    assert stand.rack.given[1][2].cents == round(1200 * math.log2(442 / 440))


def test_a_player_without_notes_has_its_own_voice_alone() -> None:
    band = BandStep(EngineConfig(), RATE_HZ, FakePlayer(), GridConductor(120, 4, RATE_HZ), FaultLog())
    band.play_instruments(FakeRack())
    band.set_sounds(SetSounds((part_sound("drums", "kit 1"),) * 3))
    assert band.sounds == ("neural",) * 3
    with pytest.raises(ConfigError, match="does not give them"):
        band.set_sounds(SetSound("drums", "kit 1"))


@pytest.mark.parametrize(("style", "pitches"), [("swing", {55, 64, 72}), ("ska", {64, 67, 72})])
def test_instruments_scores_and_midi_have_the_keys_as_they_are_voiced(style: str, pitches: set[int]) -> None:
    stand = Stand()
    stand.controls = Controls(style=style)
    events = [NoteEvent(2, pitch, velocity, at) for velocity, at in ((0, 0), (90, 320)) for pitch in (64, 67, 72)]
    stand.player.notes = lambda: events  # type: ignore[method-assign]
    stand.want("neural", "neural", "piano")
    stand.band.keep_score()
    stand.play(3)
    assert stand.rack.given[-1][2].pitches == pitches
    assert {note.pitch for note in stand.band.take_notes()} == pitches
    assert stand.band.score is not None
    assert {note.pitch for note in stand.band.score.score(0.0, 1e9, RATE_HZ).notes} == pitches
