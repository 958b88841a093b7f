"""The band waits for the musician, comes in on a line, falls silent with them: on the file port, heard by a script."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest
import soundfile
from gigmate.engine.commands import (
    Announce,
    Command,
    CountIn,
    Ending,
    Fill,
    SetBandLevel,
    SetLevel,
    SetMute,
    SetOption,
    SetPresetLevels,
    SetTempo,
    Start,
    Stop,
    Tap,
)
from gigmate.engine.config import EngineConfig
from gigmate.engine.errors import ConfigError
from gigmate.engine.output.gain_envelope import GainEnvelope
from gigmate.engine.player import Controls, HeardFrame, Moment
from gigmate.engine.ports import open_port
from gigmate.engine.run.live_engine import Engine
from gigmate.engine.status import Status
from gigmate.engine.timing.conductor import Conductor, GridConductor

from ..fakes import Driven, FakePlayer, Singer
from ..performance import FRAME_S, Noise, Performance, perform, steady

HZ = 48_000
CLEAN = Noise(miss=0.0, jitter_s=0.0, false_per_beat=0.0, offbeat=0.0, downbeat_miss=0.0, downbeat_false=0.0)
STEEPEST = 0.5 * 2 * np.pi * Singer.tone_hz / HZ


class Script(Singer):
    """Hears a made performance, whatever comes in, and sings one note all the time. `at`: commands by input frame."""

    def __init__(self, performance: Performance | None = None) -> None:
        super().__init__()
        self.performance = performance
        self.engine: Engine | None = None
        self.commands: dict[int, list[Command]] = {}
        self.statuses: list[Status] = []
        self.told: list[Moment] = []
        self.fills: list[float] = []
        self.densities: list[float] = []

    def listen(self, chunk: np.ndarray) -> HeardFrame:
        super().listen(chunk)
        frame = len(self.heard) - 1
        if self.resets and self.engine is not None:
            self.statuses.append(self.engine.status)
            for command in self.commands.get(frame, ()):
                self.engine.post(command)
        if self.performance is None or not self.resets:
            return HeardFrame()
        return self.performance.heard(min(frame, self.performance.frames - 1))

    def play(self, moment: Moment, controls: Controls) -> np.ndarray:
        if self.resets:
            self.told.append(moment)
            self.fills.append(controls.fill)
            self.densities.append(controls.density)
        return super().play(moment, controls)


def run(folder: Path, script: Script, conductor: object, seconds: float, **settings: object) -> np.ndarray:
    """The band's sound, float32 [samples, channels]."""
    source = folder / "lead.wav"
    soundfile.write(source, np.zeros(round(seconds * HZ), np.float32), HZ)
    defaults: dict[str, object] = {"start_playing": True, "output_channels": (1,)}
    config = EngineConfig(
        input_file=str(source), output_file=str(folder / "band.wav"), backend="file", realtime=False,
        **{**defaults, **settings},  # type: ignore[arg-type]
    )  # fmt: skip
    port = open_port(config)
    with Engine(config, script, conductor, port) as engine:  # type: ignore[arg-type]
        script.engine = engine
        engine.start()
        assert engine.wait(120)
        assert engine.report()["misses"]["samples"] == 0
        assert engine.report()["faults"].get("worker", 0) == 0, engine.report()["warnings"]
    return soundfile.read(config.output_file, dtype="float32", always_2d=True)[0]


def sounding(sound: np.ndarray) -> list[tuple[float, float]]:
    """(from, to) in seconds of each stretch that is not silent."""
    loud = np.abs(sound).reshape(-1, 240).max(axis=1) > 0.02
    edges = np.flatnonzero(np.diff(np.concatenate([[0], loud.astype(int), [0]])))
    return [(a * 240 / HZ, b * 240 / HZ) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def off_beat(time_s: float, performance: Performance) -> float:
    return float(np.abs(performance.beats_s - time_s).min())


def test_it_comes_in_on_a_bar_line_and_goes_out_with_the_bar_and_comes_back_on_the_beat(tmp_path: Path) -> None:
    beats = steady(120, 31.0, start_s=3.0)
    performance = perform(beats, 1, CLEAN, rests=((24, 36), (44, 46)))
    performance.activity[: int(2.9 / FRAME_S)] = 0.02
    script = Script(performance)
    sound = run(tmp_path, script, Conductor(float(HZ)), 30.0)[:, 0]
    stretches = sounding(sound)
    assert len(stretches) == 2, stretches
    (came, went), (back, _) = stretches
    assert 3.5 < came < 11.0
    place = int(np.abs(beats - came).argmin())
    assert performance.beat_in_bar[place] == 0, "it comes in on a downbeat"
    assert abs(beats[place] - came) < 0.05
    stopped_s, again_s = beats[24], beats[36]
    assert stopped_s + 1.2 < went < stopped_s + 2.1, "who stops on a bar line is followed on the next"
    assert min(abs(went - beats[::4])) < 0.06
    assert again_s - 0.05 < back < again_s + 1.2
    assert off_beat(back, performance) < 0.05
    assert np.abs(np.diff(sound)).max() < 1.1 * STEEPEST, "no click"
    holding = np.array([status.holding for status in script.statuses])
    assert holding[: int(3.0 / FRAME_S)][2:].all()
    assert not holding[int((came + 0.2) / FRAME_S) : int((went - 0.5) / FRAME_S)].any()
    assert holding[int((went + 0.2) / FRAME_S) : int((back - 0.3) / FRAME_S)].all()
    assert not holding[int((back + 0.2) / FRAME_S) :].any(), "a rest of two beats is none"
    assert {status.state for status in script.statuses[1:]} == {"playing"}


@pytest.mark.parametrize("beat", [21, 22, 23])
def test_who_stops_within_a_bar_is_followed_within_a_bar(tmp_path: Path, beat: int) -> None:
    beats = steady(120, 17.0, start_s=0.5)
    performance = perform(beats, 1, CLEAN, rests=((beat, 99),))
    script = Script(performance)
    sound = run(tmp_path, script, Conductor(float(HZ)), 15.0)[:, 0]
    (_, went) = sounding(sound)[-1]
    assert beats[beat] + 1.2 < went < beats[beat] + 2.05
    assert off_beat(went, performance) < 0.06
    assert np.abs(np.diff(sound)).max() < 1.1 * STEEPEST, "no click"


def test_it_goes_on_alone_where_it_is_asked_to(tmp_path: Path) -> None:
    performance = perform(steady(120, 22.0, start_s=0.5), 1, CLEAN, rests=((20, 44),))
    script = Script(performance)
    sound = run(tmp_path, script, Conductor(float(HZ)), 20.0, when_silent="go_on")[:, 0]
    assert len(sounding(sound)) == 1
    assert sounding(sound)[0][1] > 19.9
    assert all(moment.playing and moment.confidence >= 0.3 for moment in script.told[-200:])


def test_who_waits_for_nobody_is_not_told_that_nobody_plays(tmp_path: Path) -> None:
    """In a set tempo the band sounds over silence: told that nobody plays, the network leaves parts out."""
    script = Script(None)
    run(tmp_path, script, Conductor(float(HZ), 120.0), 4.0, wait_for_musician=False)
    assert len(script.told) > 50
    assert all(moment.playing and moment.confidence >= 0.3 for moment in script.told[10:])


def test_nobody_plays_and_nothing_sounds(tmp_path: Path) -> None:
    performance = perform(steady(120, 8.0, start_s=0.5), 1, CLEAN, rests=((0, 99),))
    performance.activity[:] = 0.02
    script = Script(performance)
    sound = run(tmp_path, script, Conductor(float(HZ)), 6.0)
    assert np.abs(sound).max() == 0.0
    assert script.statuses[-1].holding
    assert not script.told[-1].playing


def test_by_taps_it_starts_unheard_and_later_stops_with_the_musician(tmp_path: Path) -> None:
    performance = perform(steady(120, 22.0, start_s=0.5), 1, CLEAN, rests=((0, 12), (28, 99)))
    performance.activity[:13] = 0.02
    script = Script(performance)
    for beat in range(4):
        frame = round((0.5 + 0.5 * beat) / FRAME_S)
        script.commands[frame] = [Tap(round((0.5 + 0.5 * beat) * HZ))]
    script.commands[60] = [Start()]
    sound = run(tmp_path, script, Conductor(float(HZ)), 20.0, start_playing=False)[:, 0]
    (stretch,) = sounding(sound)
    assert 60 * FRAME_S < stretch[0] < 60 * FRAME_S + 0.3, "at once"
    assert 0.5 + 28 * 0.5 < stretch[1] < 0.5 + 37 * 0.5
    assert script.told[0].playing
    assert script.statuses[70].time_source == "tap"


def test_a_start_may_wait_for_the_bar_line(tmp_path: Path) -> None:
    script = Script()
    script.commands[10] = [Start()]
    sound = run(tmp_path, script, GridConductor(120, 4, HZ), 5.0, start_playing=False, start_at="bar")[:, 0]
    (stretch,) = sounding(sound)
    assert stretch[0] == pytest.approx(2.0, abs=0.025)
    assert abs(sound[2 * HZ : 2 * HZ + 240]).max() > 0.45, "at full level on the line"
    assert "start" in {status.pending for status in script.statuses}


@pytest.mark.parametrize("bars", [1, 2])
def test_a_count_in_clicks_on_its_own_channel_and_the_band_comes_in_on_the_downbeat(bars: int, tmp_path: Path) -> None:
    script = Script()
    script.commands[5] = [SetTempo(150)]
    script.commands[6] = [CountIn(bars)]
    sound = run(tmp_path, script, Conductor(float(HZ)), 8.0, start_playing=False, click_channels=(3,))
    band, click = sound[:, 0], sound[:, 1]
    starts = [a for a, _ in sounding(click)]
    assert len(starts) == 4 * bars
    np.testing.assert_allclose(np.diff(starts), 0.4, atol=0.006)
    (stretch,) = sounding(band)
    assert stretch[0] == pytest.approx(starts[0] + bars * 1.6, abs=0.026)
    first = int(np.flatnonzero(np.abs(click) > 0)[0])
    entrance = first + round(bars * 1.6 * HZ)
    assert np.abs(band[entrance : entrance + 240]).max() > 0.45
    assert np.abs(click).max() < 10 ** (-1 / 20)
    assert "count-in" in {status.pending for status in script.statuses}
    assert script.statuses[-1].bar >= bars


def test_without_a_click_channel_the_click_is_in_the_main_output(tmp_path: Path) -> None:
    script = Script()
    script.commands[5] = [SetTempo(120), CountIn(1)]
    sound = run(tmp_path, script, Conductor(float(HZ)), 3.2, start_playing=False)
    assert sound.shape[1] == 1
    assert len(sounding(sound[:, 0])) >= 4


def test_no_count_in_without_a_tempo(tmp_path: Path) -> None:
    script = Script()
    script.commands[5] = [CountIn(1), CountIn(5)]
    sound = run(tmp_path, script, Conductor(float(HZ)), 1.0, start_playing=False)
    assert np.abs(sound).max() == 0.0
    assert script.engine is not None
    assert script.engine.report()["faults"]["command"] == 2
    assert "needs a tempo" in script.engine.report()["warnings"][0]


def test_an_ending_rings_out_after_the_downbeat_and_stops(tmp_path: Path) -> None:
    script = Script()
    script.commands[60] = [Ending()]  # in the second bar
    sound = run(tmp_path, script, GridConductor(120, 4, HZ), 8.0)[:, 0]
    (stretch,) = sounding(sound)
    line = 4.0
    assert np.abs(sound[int((line + 0.1) * HZ) : int((line + 0.2) * HZ)]).max() > 0.45, "the last hit is heard"
    assert line + 0.8 < stretch[1] < line + 1.5
    assert np.abs(np.diff(sound)).max() < 1.1 * STEEPEST
    assert script.statuses[-1].state == "stopped"
    assert "ending" in {status.pending for status in script.statuses}
    assert not all(moment.playing for moment in script.told), "the player is told to end as well"


def test_a_fill_lasts_to_the_bar_line(tmp_path: Path) -> None:
    script = Script()
    script.commands[60] = [Fill()]
    run(tmp_path, script, GridConductor(120, 4, HZ), 6.0)
    filled = np.flatnonzero(np.array(script.fills) > 0)
    assert 60 <= filled[0] <= 66
    assert filled[-1] == pytest.approx(4.0 / FRAME_S, abs=4)
    assert np.all(np.diff(filled) == 1)
    assert script.densities[int(filled[0])] > script.densities[0]
    assert script.densities[-1] == script.densities[0]


def test_a_chart_that_ends_ends_the_band(tmp_path: Path) -> None:
    from gigmate.engine.charts.chart_parser import parse_chart
    from gigmate.engine.commands import SetChart

    chart = dataclasses.replace(parse_chart("| Am | F |", "test"), loops=False)
    script = Script()
    script.commands[3] = [SetTempo(120), SetChart(chart), Announce("rock", "One", 1, 3)]
    script.commands[6] = [CountIn(1)]
    sound = run(tmp_path, script, Conductor(float(HZ)), 10.0, start_playing=False, click_channels=(2,))
    band, click = sound[:, 0], sound[:, 1]
    (stretch,) = sounding(band)
    began = sounding(click)[0][0] + 2.0
    assert stretch[0] == pytest.approx(began, abs=0.03)
    assert began + 4.0 < stretch[1] < began + 5.6, "two bars and the last downbeat"
    roots = [moment.chord_root for moment in script.told]
    assert set(roots) == {9, 5}
    assert {"Am", "F"} <= {status.chord_played for status in script.statuses}
    assert script.statuses[-1].song == "One"


def test_the_click_has_a_level_of_its_own(tmp_path: Path) -> None:
    peaks = []
    for level_db in (0.0, -12.0, float("-inf"), 40.0):
        script = Script()
        script.commands[2] = [SetTempo(120), SetOption("click_db", level_db)]
        script.commands[4] = [CountIn(1)]
        sound = run(tmp_path, script, Conductor(float(HZ)), 3.0, start_playing=False, click_channels=(2,))
        peaks.append(np.abs(sound[:, 1]).max())
    assert peaks[1] == pytest.approx(peaks[0] * 10 ** (-12 / 20), rel=0.02)
    assert peaks[2] == 0.0
    assert peaks[3] == peaks[0]  # refused, and said
    assert script.engine is not None
    assert script.engine.report()["faults"]["command"] == 1


def test_mutes_and_habits(tmp_path: Path) -> None:
    script = Script()
    script.commands[10] = [SetMute("drums")]
    script.commands[30] = [SetMute("drums", False), SetOption("ceiling_dbfs", -20.0)]
    script.commands[40] = [
        SetOption("start_at", "bar"),
        SetOption("start_at", "soon"),
        SetOption("mood", 1),
        SetMute("x"),
    ]
    sound = run(tmp_path, script, GridConductor(120, 4, HZ), 3.0)[:, 0]
    assert np.abs(sound[20 * 1920 : 28 * 1920]).max() == 0.0
    assert 0.05 < np.abs(sound[50 * 1920 :]).max() <= 0.1
    assert script.statuses[20].muted == (True, False, False)
    assert script.statuses[20].levels_db == (0.0, 0.0, 0.0)
    assert script.engine is not None
    assert script.engine.report()["faults"]["command"] == 3


def test_what_was_turned_down_by_hand_stays_down_in_the_next_song(tmp_path: Path) -> None:
    script = Script()
    script.commands[5] = [SetPresetLevels((-3.0, 0.0, 0.0), (False, False, False))]
    script.commands[15] = [SetMute("keys"), SetLevel("drums", -9.0), SetLevel("bass", -math.inf)]
    script.commands[25] = [SetPresetLevels((0.0, 2.0, 2.0), (False, False, False))]  # the next song
    script.commands[40] = [SetBandLevel(-math.inf)]
    script.commands[55] = [SetBandLevel(0.0), SetMute("keys", False)]
    sound = run(tmp_path, script, GridConductor(120, 4, HZ), 3.0)[:, 0]

    def peak(first: int, last: int) -> float:  # this player sings on the drums alone
        return float(np.abs(sound[first * 1920 : last * 1920]).max())

    assert script.statuses[30].muted == (False, False, True)
    assert script.statuses[30].levels_db == (-6.0, -math.inf, 2.0)
    assert peak(32, 38) == pytest.approx(peak(0, 4) * 10 ** (-6 / 20), rel=0.01)
    assert peak(48, 53) == 0.0
    assert script.statuses[50].band_level_db == -math.inf
    assert peak(64, 72) == pytest.approx(peak(32, 38), rel=0.01)
    assert script.statuses[64].muted == (False, False, False)


@pytest.mark.parametrize("start_s", [1.0, 1.0173, 1.039])
@pytest.mark.parametrize("round_trip", [0, 777])
def test_start_and_stop_at_a_sample_are_heard_at_the_declared_sample(
    start_s: float, round_trip: int, tmp_path: Path
) -> None:
    script = Script()
    start, stop = round(start_s * HZ), round((start_s + 0.7) * HZ)
    script.commands[int(start_s / FRAME_S)] = [Start(start)]
    script.commands[int((start_s + 0.7) / FRAME_S)] = [Stop(stop)]
    grid = GridConductor(120, 4, HZ)
    sound = run(tmp_path, script, grid, 3.0, start_playing=False, round_trip_samples=round_trip)[:, 0]
    assert script.engine is not None
    delay = script.engine.report()["start_delay_samples"]
    assert 0 < delay <= 2.1 * 1920
    first = int(np.flatnonzero(np.abs(sound) > 1e-6)[0])
    last = int(np.flatnonzero(np.abs(sound) > 1e-6)[-1])
    assert start + delay <= first <= start + delay + 2, "the note that is sung may be at zero there"
    assert stop + delay + 960 - 3 <= last <= stop + delay + 960, "and the ramp of 20 ms after it"


def test_a_start_taken_back_and_given_again_before_it_is_heard_is_a_start() -> None:
    driven = Driven(Singer(), config=EngineConfig(start_playing=False))
    driven.run(5)
    delay = driven.worker.look_ahead.start_delay_samples
    places = (10_000, 10_900, 11_800)
    driven.callback()
    for command in (Start(places[0]), Stop(places[1]), Start(places[2])):
        driven.commands.post(command)
        driven.step() if command == Start(places[0]) else driven.worker._take_commands()
    driven.run(10)
    sound = driven.played
    assert np.abs(sound[: places[0] + delay]).max() == 0.0
    assert np.abs(sound[places[0] + delay + 200 : places[0] + delay + 1000]).max() > 0.1
    assert np.abs(sound[places[2] + delay + 1000 : places[2] + delay + 3000]).max() > 0.45
    assert np.abs(np.diff(sound)).max() < 3 * STEEPEST
    assert driven.bridge.counters().miss_samples == 0


def test_panic_forgets_a_count_in() -> None:
    from gigmate.engine.commands import Panic

    driven = Driven(FakePlayer(), conductor=Conductor(float(HZ), tempo_bpm=120), config=EngineConfig())
    driven.run(3)
    driven.commands.post(CountIn(2))
    driven.run(10)
    assert driven.worker.status.pending == "count-in"
    driven.commands.post(Panic())
    driven.run(3)
    assert driven.worker.status.pending == ""
    assert driven.worker.status.state in ("stopping", "stopped")


def test_an_envelope_fades_where_it_is_told() -> None:
    envelope = GainEnvelope()
    envelope.switch(150, True, 100)
    envelope.switch(400, False, 50)
    gains = np.concatenate([envelope.gains(start, 100) for start in range(0, 600, 100)])
    assert not gains[:150].any()
    np.testing.assert_allclose(gains[150:250], np.sin(np.arange(1, 101) / 100 * np.pi / 2), atol=1e-6)
    assert (gains[250:400] == 1.0).all()
    assert not gains[450:].any()
    assert envelope.silent
    envelope.switch(700, True, 10)
    assert not envelope.silent
    assert envelope.gains(900, 10)[-1] == 1.0, "a place that has passed counts all the same"


def test_settings_that_cannot_be_are_refused() -> None:
    for settings, words in (
        ({"when_silent": "sleep"}, "stop or go_on"),
        ({"start_at": "later"}, "now or bar"),
        ({"click_channels": (0,)}, "from 1"),
        ({"click_channels": (2,), "output_channels": (1, 2)}, "give the click another channel"),
    ):
        with pytest.raises(ConfigError, match=words):
            EngineConfig(**settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_asked_in_whatever_order_the_band_survives(seed: int) -> None:
    """Every command with good and bad values at random: no step fails, nothing clicks, and the status makes sense."""
    import random

    from gigmate.engine import commands as c
    from gigmate.engine.actions import ACTIONS
    from gigmate.engine.charts.chart_parser import parse_chart

    rng = random.Random(seed)
    chart = parse_chart("[A]\n| Am | F |\n[B]\n| C | G |", "test")
    performance = perform(steady(110, 60.0, start_s=0.5), seed, Noise(), rests=((20, 30), (50, 60)))
    script = Script(performance)
    driven = Driven(script, conductor=Conductor(float(HZ)), config=EngineConfig())
    driven.worker.look_ahead.budget.update = lambda *_: False  # type: ignore[method-assign,assignment]
    assert len(ACTIONS) > 10

    def some() -> Command:
        at = rng.choice([-1, driven.bridge.position - rng.randrange(3000)])
        return rng.choice(
            [
                c.Start(at), c.Start(), c.Stop(at), c.Toggle(at), c.Toggle(), c.CountIn(rng.randrange(4)), c.Fill(),
                c.Ending(), c.Tap(at), c.SetTempo(rng.choice([0, 7, 90, 132, 390])),
                c.SetTimeSource(rng.choice([*c.TIME_SOURCES, "sun"])), c.ClockTick(at),
                c.ClockTransport(rng.choice(["start", "stop", "continue", "locate", "?"]), at, rng.randrange(99)),
                c.SetLevel("bass", rng.choice([-6.0, 99.0])), c.SetMute(rng.choice(["drums", "tuba"])),
                c.SetChart(rng.choice([None, chart])), c.JumpSection(rng.choice(["", "B", "Z"])),
                c.SetOption(rng.choice([*c.BAND_OPTIONS, "x"]), rng.choice(["go_on", "stop", "bar", "now", 1, -3.0])),
                c.Announce("p", "s", 1, 2), c.StepSong(), c.SetControl("density", rng.choice([0.2, 3])),
            ]
        )  # fmt: skip

    for _ in range(500):
        driven.callback()
        if rng.random() < 0.15:
            driven.commands.post(some())
        if rng.random() < 0.005:
            driven.commands.post(c.Panic())
        driven.step()
        status = driven.worker.status
        assert not (status.holding and status.state == "stopped")
        assert status.bar >= 0 or status.beats_per_bar
    sound = driven.played
    assert np.isfinite(sound).all()
    assert np.abs(sound).max() <= 10 ** (-1 / 20) + 1e-6
    assert driven.bridge.counters().miss_samples == 0
