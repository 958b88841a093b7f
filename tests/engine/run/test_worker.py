"""The worker by hand: no seam when the ahead changes, nothing out of place after a hold-up, everything measured."""

from __future__ import annotations

import itertools
import math
import re

import numpy as np
import pytest
from gigmate.dsp.ring import Ring
from gigmate.engine.actions import ACTIONS
from gigmate.engine.commands import (
    CommandQueue,
    Panic,
    Quit,
    SetControl,
    SetLevel,
    Start,
    Stop,
    Tap,
    Toggle,
)
from gigmate.engine.config import EngineConfig
from gigmate.engine.errors import ConfigError
from gigmate.engine.fault_kinds import FaultKind
from gigmate.engine.fault_log import FaultLog
from gigmate.engine.gestures import Binding, BindingTable, Gesture
from gigmate.engine.output.mixer import Playout, controls_after
from gigmate.engine.player import Controls, Moment
from gigmate.engine.ports.port import Neighbours
from gigmate.engine.run.thread_priority import kept_fluent
from gigmate.engine.run.worker import PortFacts
from gigmate.engine.status import chord_name
from gigmate.engine.timing.conductor import GridConductor

from ..fakes import FRAME, Clicker, Driven, FakePlayer, Singer

H = 1920
STEEPEST = 0.5 * 2 * math.pi * Singer.tone_hz / 48_000  # what the sine itself does from sample to sample


def freeze_budget(driven: Driven) -> None:
    """The machine that runs the tests is slow at times: its times must not count."""
    driven.worker.budget.update = lambda *_: False  # type: ignore[method-assign,assignment]


class Rising(GridConductor):
    """Remembers what it is told."""

    def __init__(self) -> None:
        super().__init__(120, 4, 48_000)
        self.heard_ends: list[tuple[float, float]] = []
        self.taps: list[float] = []
        self.fail = False

    def hear(self, heard: object, end_position_samples: float, frame_samples: float) -> None:
        self.heard_ends.append((end_position_samples, frame_samples))

    def tap(self, position_samples: float) -> None:
        self.taps.append(position_samples)

    def moment(self, position_samples: float) -> Moment:
        if self.fail:
            raise RuntimeError("lost the beat")
        return super().moment(position_samples)


# ---------------------------------------------------------------------------------------------------- in place


@pytest.mark.parametrize("rate_hz", [44_100, 48_000, 96_000])
def test_what_is_heard_is_told_with_its_true_position(rate_hz: int) -> None:
    player, conductor = FakePlayer(listen_delay_samples=640), Rising()
    driven = Driven(player, rate_hz, conductor)
    h = driven.worker.host_frame
    pulse_at = 3 * h + 777
    x = np.zeros(8 * h, np.float32)
    t = np.arange(-60, 61)
    x[pulse_at - 60 : pulse_at + 61] = 0.5 * np.sinc(t * 0.25) * np.hanning(121)
    for i in range(8):
        driven.callback(heard=x[i * h : (i + 1) * h])
        driven.step()
    sound = np.concatenate(player.heard)
    peak = int(np.argmax(sound))
    a, b, c = sound[peak - 1 : peak + 2]
    found = peak + 0.5 * (a - c) / (a - 2 * b + c)
    # The described frame ends `delay_samples` before the chunk: so says the position, in the input's own time.
    for i, (end, frame) in enumerate(conductor.heard_ends):
        assert frame == h
        in_chunk = (i + 1) * FRAME - 640  # where the described frame ends in what the player got
        assert (found - in_chunk) * rate_hz / 32_000 + end == pytest.approx(pulse_at, abs=0.1)


def test_growing_and_shrinking_the_ahead_leaves_no_seam() -> None:
    player = Singer(320)
    driven = Driven(player)
    for frames, ahead in ((10, 2), (10, 4), (10, 3), (12, 2)):
        driven.worker.budget.ahead_frames = ahead
        driven.run(frames)
    assert np.abs(np.diff(driven.played[3 * H :])).max() < 1.05 * STEEPEST
    assert driven.bridge.counters().miss_samples == 0
    beats = [moment.bar_phase for moment in player.moments]
    steps = np.diff(beats) % 1.0
    np.testing.assert_allclose(steps, H / (4 * 24_000), atol=1e-9)  # each frame once, none left out
    assert len(player.moments) == 42


def change_ahead(driven: Driven, by_samples: int, voiced: bool = True) -> None:
    """As the worker does where a step has changed the ahead, or the voice comes or goes."""
    worker = driven.worker

    def measure(*_: object) -> int:
        worker.budget._take(worker.budget.ahead_samples + by_samples)
        worker._playout.voiced = voiced
        return by_samples

    worker.look_ahead.measure = measure  # type: ignore[method-assign]
    driven.run(1)
    worker.look_ahead.measure = lambda *_: 0  # type: ignore[method-assign]


@pytest.mark.parametrize("by", [120, 240, H // 2, H + 120, 2 * H, -120, -H // 2, -H - 120])
def test_an_ahead_that_changes_by_less_than_a_frame_stays_in_place_and_makes_no_click(by: int) -> None:
    for player in (Clicker(320), Singer(320)):
        driven = Driven(player)
        driven.worker.budget.ahead_frames = 4
        change_ahead(driven, 0)
        driven.run(20)
        change_ahead(driven, by)
        made = driven.worker.made_frames
        driven.run(40)
        assert driven.bridge.counters().miss_samples == 0
        assert driven.worker.made_frames - made == pytest.approx(40 + by / H, abs=1)
        sound = driven.played
        if isinstance(player, Singer):
            assert np.abs(np.diff(sound[6 * H :])).max() < 3 * STEEPEST
            assert min(np.abs(sound[n * H : (n + 1) * H]).max() for n in range(8, 56)) > 0.3
        else:
            for beat in (1, 3, 4):
                place = beat * 24_000
                assert abs(int(np.abs(sound[place - 2_000 : place + 2_000]).argmax()) - 2_000) <= 1


def test_the_ahead_may_change_again_and_again() -> None:
    player = Singer(320)
    driven = Driven(player)
    driven.worker.budget.ahead_frames = 4
    for by in (120, 120, 600, -480, H, -H // 2, 240, -240):
        change_ahead(driven, by)
        driven.run(3)
    assert driven.bridge.counters().miss_samples == 0
    assert np.abs(np.diff(driven.played[8 * H :])).max() < 3 * STEEPEST


class Ticks:
    """Instruments that tick on each beat, of 24,000 samples, and say which samples they were asked for."""

    def __init__(self) -> None:
        self.spans: list[tuple[int, int]] = []

    def fill(self, start_samples: int, parts: np.ndarray) -> None:
        self.spans.append((start_samples, parts.shape[-1]))
        parts.fill(0.0)
        at = -start_samples % 24_000
        if at < parts.shape[-1]:
            parts[:, :, at] = 0.5

    def start_anew(self) -> None:
        self.spans.clear()


@pytest.mark.parametrize("grows", [0, 480, -240, H])
def test_instruments_need_no_time_for_the_voice_and_stay_in_place_where_it_comes_and_goes(grows: int) -> None:
    player = Clicker(320)
    driven = Driven(player)
    worker, ticks = driven.worker, Ticks()
    worker._band.source = ticks
    worker.budget.ahead_frames = 4
    change_ahead(driven, 0)
    driven.run(20)
    lead = worker._playout.lead_samples
    assert lead == 480 + worker._playout.resample_samples
    for voiced in (False, True, False):
        change_ahead(driven, grows, voiced)
        driven.run(12)
        assert worker._playout.lead_samples == (lead if voiced else 0)
    for (start, count), (after, _) in itertools.pairwise(ticks.spans):
        assert after == start + count, "no sample is left out or made twice"
    assert driven.bridge.counters().miss_samples == 0
    for beat in (1, 2, 3, 4):
        place = beat * 24_000
        assert abs(int(np.abs(driven.played[place - 2_000 : place + 2_000]).argmax()) - 2_000) <= 1
    newest = ticks.spans[-1][0]
    assert newest == worker._playout.position(worker._next - 1, 0)


def test_without_the_voice_the_ahead_is_less_by_what_it_takes() -> None:
    driven = Driven(Clicker(320), clocked=True)
    worker, playout = driven.worker, driven.worker._playout
    look_ahead = worker.look_ahead
    heard = {"voice": False}
    look_ahead.voiced = lambda: heard["voice"]
    look_ahead.begin()
    without = worker.budget.delays
    assert (without.player_samples, without.resample_out_samples) == (0, 0)
    heard["voice"] = True
    look_ahead.begin()
    assert worker.budget.delays.fixed_samples == without.fixed_samples + 480 + playout.resample_samples
    before = worker.budget.ahead_samples
    heard["voice"] = False
    look_ahead.begin()
    assert before - worker.budget.ahead_samples >= 480
    heard["voice"] = True
    later = look_ahead.measure(1, 0.001, 0.0)
    assert later > 0, "it comes back, and there is too little time"
    (growth,) = look_ahead.growths
    assert growth["by_ms"] == pytest.approx(later / 48, abs=0.01)
    assert growth["others_ms"] == pytest.approx((H + worker.budget.delays.fixed_samples) / 48, abs=0.01)
    assert worker.budget.remainder_samples >= 0


def test_what_is_recorded_has_no_hole_where_the_ahead_changed() -> None:
    driven = Driven(Singer(320))
    worker = driven.worker
    worker.budget.ahead_frames = 4
    take = worker._band.line_up(worker.budget.max_ahead_frames)
    take.switch(0, True)
    taken = []
    for frame in range(60):
        change_ahead(driven, {20: 600, 40: -360}.get(frame, 0))
        taken.append(take.frame(np.zeros(H, np.float32))[1])
    sound = np.concatenate(taken)[10 * H :]
    assert np.abs(np.diff(sound)).max() < 3 * STEEPEST
    assert min(np.abs(sound[n * 480 : n * 480 + 480]).max() for n in range(len(sound) // 480)) > 0.2


def test_after_a_hold_up_it_is_in_place_again() -> None:
    player = Clicker(320)
    driven = Driven(player, clocked=True)
    freeze_budget(driven)
    driven.run(20)
    driven.callback(6.0)  # six frames in which the worker did not run
    for _ in range(6):
        driven.step()
    driven.run(30)
    assert driven.worker.skipped_frames >= 4
    assert len(player.heard) == 56
    counters = driven.bridge.counters()
    assert counters.miss_episodes == 1
    assert 4 * H <= counters.miss_samples <= 6 * H
    assert driven.fault_log.counts()["skipped_frames"] == driven.worker.skipped_frames
    sound = driven.played
    for beat in (1, 3, 4):  # the second fell into the hole
        place = beat * 24_000
        window = np.abs(sound[place - 2_000 : place + 2_000])
        assert abs(int(window.argmax()) - 2_000) <= 1


def test_at_rest_the_offset_is_chosen_anew_and_the_band_is_in_place_with_any() -> None:
    driven = Driven(Clicker(320), clocked=True)
    budget = driven.worker.budget
    update = budget.update
    freeze_budget(driven)  # only what is said below counts
    driven.run(30)
    offsets = [budget.offset_samples]
    for step_ms in (31.0, 18.0, 5.0):
        driven.commands.post(Stop())
        driven.run(5)
        update(step_ms * 48)
        driven.run(3)
        offsets.append(budget.offset_samples)
        driven.commands.post(Start())
        driven.run(40)
        assert driven.worker.budget.offset_samples == offsets[-1]
        assert driven.worker.status.ahead_samples == budget.ahead_frames * H + offsets[-1]
        frames = driven.played.size // H
        for beat in (frames * H // 24_000 - 1, frames * H // 24_000 - 2):
            window = np.abs(driven.played[beat * 24_000 - 2_000 : beat * 24_000 + 2_000])
            assert abs(int(window.argmax()) - 2_000) <= 1
            assert window.max() > 0.1
    assert len(set(offsets)) == 4, offsets
    assert driven.bridge.counters().miss_samples == 0


def test_input_that_waited_before_the_first_frame_is_no_fault() -> None:
    player = Singer()
    driven = Driven(player, clocked=True)
    freeze_budget(driven)
    driven.callback(10.0)  # the sound card ran while the engine still asked for latencies
    for _ in range(10):
        driven.step()
    driven.run(5)
    assert driven.worker.skipped_frames == driven.worker.late_frames == 0
    assert driven.fault_log.counts() == {}
    assert driven.bridge.counters().miss_samples == 0
    assert np.abs(driven.played[-2 * H :]).max() > 0.45


def test_another_round_trip_slides_the_sound() -> None:
    for change in (+700, -700):
        driven = Driven(Clicker(320), round_trip=1_000)
        driven.run(30)
        driven.facts = PortFacts(0, 1_000 + change, 128)
        driven.run(50)
        sound = driven.played
        for beat, round_trip in ((1, 1_000), (5, 1_000 + change), (6, 1_000 + change)):
            place = beat * 24_000 - round_trip
            assert abs(int(np.abs(sound[place - 2_000 : place + 2_000]).argmax()) - 2_000) <= 1
        assert driven.bridge.counters().miss_samples == 0


@pytest.mark.parametrize("change", [300, -300, 1_500, 5_000, -5_000])
def test_no_round_trip_makes_a_click(change: int) -> None:
    driven = Driven(Singer(320), round_trip=6_000)
    driven.run(30)
    driven.facts = PortFacts(0, 6_000 + change, 128)
    driven.run(40)
    assert np.abs(np.diff(driven.played[4 * H :])).max() < 3 * STEEPEST
    assert np.abs(driven.played[-H:]).max() > 0.45


def test_from_rest_it_begins_with_the_newest_frame() -> None:
    player = Singer()
    driven = Driven(player, config=EngineConfig())
    driven.run(10)
    assert not player.moments
    assert driven.worker.status.state == "stopped"
    driven.commands.post(Start())
    driven.run(10)
    assert driven.worker.status.state == "playing"
    assert player.moments[0].bar_phase == pytest.approx((10 + driven.worker.budget.ahead_frames) * H / 96_000 % 1)
    driven.commands.post(Stop())
    driven.run(1)
    assert driven.worker.status.state in ("stopping", "stopped")
    driven.run(10)
    made = len(player.moments)
    driven.run(5)
    assert len(player.moments) == made
    driven.commands.post(Toggle())
    driven.run(10)
    assert np.abs(driven.played[-H:]).max() > 0.45
    assert driven.bridge.counters().miss_samples == 0
    assert np.abs(np.diff(driven.played)).max() < 2 * STEEPEST


# ---------------------------------------------------------------------------------------- measured, and alive


def test_slow_steps_grow_the_ahead_and_the_player_is_told() -> None:
    player = FakePlayer()
    driven = Driven(player, clocked=True)
    worker = driven.worker
    worker.look_ahead.guess_s = 0.0
    worker.budget.update(0.010 * 48_000)
    worker.look_ahead.settle()
    first = worker.budget.ahead_samples

    def measure(made: int, step_s: float) -> int:
        later = worker.look_ahead.measure(made, step_s, 0.0)
        if later:
            worker._guard.set_ahead(worker.budget.ahead_frames_up)
        return later

    for _ in range(5):
        measure(1, 0.010)
    for _ in range(2):
        measure(1, 0.021)
    assert worker.budget.ahead_samples == first, "one that another program held up is not slowness"
    later = measure(1, 0.021)
    assert worker.budget.ahead_samples == first + later
    assert 0 < later <= 0.011 * 48_000, "no more than is missing"
    assert player.aheads[-1] == -(-worker.budget.ahead_samples // H)
    assert 0 <= worker.budget.remainder_samples < 120
    measure(2, 9.0)  # two frames in one step say nothing of one
    assert worker.budget.ahead_samples == first + later
    for _ in range(20):
        measure(1, 5.0)
    assert worker.budget.ahead_frames <= 6, "steps longer than frames are not cured by going further ahead"


def test_the_first_step_alone_grows_nothing() -> None:
    look_ahead = Driven(Clicker(320), clocked=True).worker.look_ahead
    look_ahead.begin()
    changes = [look_ahead.measure(1, 0.06, 0.0) for _ in range(4)]
    assert changes[:2] == [0, 0] and sum(changes) > 0


def test_waiting_in_the_queue_counts_as_slow() -> None:
    driven = Driven(FakePlayer(), clocked=True)
    freeze_budget(driven)
    driven.run(2)
    driven.callback(2.0)
    driven.step()  # for the first frame of two: one frame late
    assert driven.worker.look_ahead.response.highest_s >= (H - 128) / 48_000


def test_a_fault_of_the_conductor_does_not_end_it() -> None:
    conductor = Rising()
    driven = Driven(Singer(), conductor=conductor)
    driven.run(5)
    conductor.fail = True
    for _ in range(3):
        driven.callback()
        with driven.worker._whatever_happens():
            driven.step()
    conductor.fail = False
    driven.run(5)
    assert driven.fault_log.counts()["worker"] == 3
    assert "lost the beat" in driven.fault_log.warnings[0]
    assert driven.worker._frame == 13
    assert np.abs(driven.played[-H:]).max() > 0.45


def test_taps_are_where_the_input_has_them() -> None:
    conductor = Rising()
    driven = Driven(FakePlayer(), conductor=conductor)
    driven.worker.look_ahead.facts = PortFacts(256, 512, 128)
    driven.callback()
    for command in (Tap(1_000), Tap(-1)):
        driven.commands.post(command)
    driven.worker._take_commands()
    assert conductor.taps == [1_256, H + 256]


def test_status_says_what_is() -> None:
    driven = Driven(Singer())
    driven.run(30)
    status = driven.worker.status
    assert status.seconds == pytest.approx(30 * 0.04)
    assert (status.bar, status.beat, status.beats_per_bar) == (1, 3, 4)
    assert status.tempo_bpm == 120
    assert status.part_db[0] == pytest.approx(-6.0, abs=0.1)
    assert status.part_db[1] == -120.0
    assert status.output_db == pytest.approx(-6.0, abs=0.3)
    assert status.input_db == -120.0
    assert status.ahead_samples == 2 * H
    assert status.frame_ms == pytest.approx(40.0)
    assert status.misses == status.miss_episodes == 0


# ------------------------------------------------------------------------------------------------ small things


def test_playout_counts_what_came_too_late() -> None:
    playout, ring = Playout(48_000, 32_000, FRAME, 320), Ring(96_000, rows=2)
    assert (playout.host_frame, playout.lead_samples) == (H, 480 + playout.resample_samples)
    ring.take(4 * H)
    sound = np.ones((2, H), np.float32)
    assert playout.write(ring, 2, sound, 0) == H
    late = playout.write(ring, 4, sound, 0)
    assert late == playout.lead_samples
    assert playout.write(ring, 5, sound, 0) == 0


def test_controls_change_or_say_why_not() -> None:
    controls = controls_after(Controls(), SetLevel("bass", -math.inf))
    assert controls.levels_db == (0.0, -math.inf, 0.0)
    controls = controls_after(controls, SetControl("top_k", 20.0))
    assert controls.top_k == 20
    bad = [
        (SetLevel("flute", 0.0), "drums, bass, keys"),
        (SetLevel("bass", math.nan), "at most"),
        (SetLevel("bass", 60.0), "at most 24"),
        (SetControl("speed", 1), "density"),
        (SetControl("density", 1.5), "from 0 to 1"),
        (SetControl("density", "much"), "from 0 to 1"),
        (SetControl("temperature", math.nan), "from 0.01"),
        (SetControl("top_k", 0), "from 1"),
    ]
    for command, words in bad:
        with pytest.raises(ConfigError, match=words):
            controls_after(controls, command)


def test_the_queue_is_bounded_and_keeps_what_must_not_be_lost() -> None:
    commands = CommandQueue(capacity=8)
    assert commands.post(Panic())
    assert commands.post(Quit())
    dropped = [not commands.post(SetControl("density", i / 100)) for i in range(100)]
    assert sum(dropped) == commands.dropped == 94
    drained = commands.drain()
    assert drained[:2] == [Panic(), Quit()]
    assert drained[-1] == SetControl("density", 0.99)
    assert len(drained) == 8
    assert commands.drain() == []
    for _ in range(100):
        commands.post(Quit())
    assert len(commands.drain()) == 8


def test_notes_say_once_and_count_always() -> None:
    fault_log = FaultLog()
    for file in ("first.wav", "second\n.wav", "third.wav"):
        fault_log.fault(FaultKind.RECORDING_GAPS, file=file)
    fault_log.fault(FaultKind.XRUNS, 5, block_samples=256)
    assert [line.partition(":")[0] for line in fault_log.warnings] == [
        "first.wav",
        FaultKind.XRUNS.said.partition(":")[0],
    ]
    assert fault_log.warnings[1].endswith("raise the block size to 256")
    assert fault_log.counts() == {"recording_gaps": 3, "xruns": 5}
    assert all(type(name) is str for name in fault_log.counts())
    for kind in [*FaultKind] * 8:
        fault_log.fault(kind, **dict.fromkeys(re.findall(r"{(\w+)}", kind.said), "more\nof it"))
    assert len(fault_log.warnings) == len(FaultKind), "one line each, however often: the log is bounded"
    assert not any("\n" in line or "{" in line for line in fault_log.warnings)


def test_chords_have_names() -> None:
    classes = [0.0] * 12
    assert chord_name(-1, classes) == ""
    classes[0] = 0.9
    assert chord_name(9, classes) == "Am"
    assert chord_name(8, classes) == "Ab"


def test_garbage_is_left_until_there_is_time() -> None:
    import gc

    gc.unfreeze()  # what the tests have frozen for all of them
    assert gc.isenabled()
    with kept_fluent() as collector:
        assert not gc.isenabled() and gc.get_freeze_count() > 0
        before = gc.get_stats()[1]["collections"]
        collector._young_s -= 5.0
        collector.collect(0.02)
        collector.collect(0.02)
        assert gc.get_stats()[1]["collections"] == before + 1
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0
    gc.freeze()
    frozen = gc.get_freeze_count()
    with kept_fluent():
        assert not gc.isenabled()
    assert gc.get_freeze_count() > 0.9 * frozen, "that of the program around us stays"


def test_a_tap_of_a_program_means_what_is_heard_of_it() -> None:
    """A round trip after its sample; a foot on a device, the way through the converter."""
    taps: list[float] = []
    for source, after in ((Neighbours(), 256), (Neighbours(programs=True), 512), (Neighbours(True, True), 256)):
        table = BindingTable([Binding(Gesture("note", 36), ACTIONS["tap"])])
        driven = Driven(FakePlayer(), config=EngineConfig(bindings=table))
        driven.facts = PortFacts(256, 512, 128, midi_in_from=source)
        driven.worker.look_ahead.facts = driven.facts
        driven.worker._conductor.tap = taps.append  # type: ignore[method-assign]
        gesture = driven.worker._gestures.commands_of([(1000, 0x90, 36, 100)])
        for command in map(driven.worker._in_place, gesture):
            driven.worker.command_handler.obey(command)
        assert taps.pop() == 1000 + after


def test_notes_that_nobody_takes_ask_for_no_time() -> None:
    driven = Driven(Clicker(320), clocked=True)
    worker, look_ahead = driven.worker, driven.worker.look_ahead
    look_ahead.voiced = lambda: False
    look_ahead.note_out_samples = 480.0
    alone = (Neighbours(),) * 3
    for taken, asked in (((alone[0], Neighbours(programs=True), alone[0]), 480.0), (alone, 0.0)):
        driven.facts = PortFacts(0, 0, 128, notes_out_to=taken)
        look_ahead.begin()
        assert worker.budget.delays.player_samples == asked
    driven.facts = PortFacts(0, 0, 128, notes_out_to=(Neighbours(devices=True), *alone[1:]))
    before = worker.budget.ahead_samples
    for _ in range(30):
        look_ahead.measure(1, 0.001, 0.0)
    assert worker.budget.delays.player_samples == 480.0, "connected while the band plays"
    assert worker.budget.ahead_samples > before and worker.budget.remainder_samples >= 0


def test_what_came_in_before_the_run_began_says_nothing_of_steps() -> None:
    driven = Driven(Clicker(320), clocked=True)
    waited: list[float] = []
    driven.worker.look_ahead.measure = lambda made, step_s, samples: waited.append(samples) or 0  # type: ignore[method-assign,func-returns-value]
    driven.callback(5.0)  # the port was open, and nobody took it yet
    for _ in range(5):
        driven.step()
    driven.callback(3.0)  # but a step that was held up does
    for _ in range(3):
        driven.step()
    assert waited == [0, 0, 0, 0, 0, 2 * H, H, 0]
