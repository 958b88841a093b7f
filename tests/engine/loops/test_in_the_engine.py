"""The looper in a live run: out of its own output or the main one, where it was heard, and on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from gigmate.engine.commands import LoopKeep, SetLoop
from gigmate.engine.config import EngineConfig
from gigmate.engine.errors import ConfigError
from gigmate.engine.ports import open_port
from gigmate.engine.run.live_engine import Engine
from gigmate.engine.timing.conductor import Conductor

from ..fakes import FakePlayer, write_noise

RATE = 48_000
BAR = 2 * RATE


@pytest.mark.parametrize(("round_trip", "apart"), [(0, False), (613, True)])
def test_a_loop_is_heard_where_it_was_played_though_the_band_is_off(
    round_trip: int, apart: bool, tmp_path: Path
) -> None:
    lead = write_noise(tmp_path / "lead.wav", RATE, 11.0)
    config = EngineConfig(
        backend="file",
        input_file=str(lead),
        output_file=str(tmp_path / "out.wav"),
        output_channels=(1,),
        part_outputs=(("loop", (3, 4)),) if apart else (),
        record_file=f"{tmp_path}/take/",
        realtime=False,
        round_trip_samples=round_trip,
    )
    conductor = Conductor(RATE, 120.0, listen=False)
    with Engine(config, FakePlayer(), conductor, open_port(config)) as engine:
        conductor.follow_loop(engine.loop_time)
        engine.post(LoopKeep(2, at_sample=5 * RATE))
        engine.start()
        assert engine.wait(60)
        report = engine.report()
        status = engine.status
    assert not report["faults"], report["warnings"]
    assert (status.loop, status.loop_bars, status.loop_takes) == ("playing", 2, 1)
    heard, _ = soundfile.read(lead, dtype="float32")
    out, _ = soundfile.read(tmp_path / "out.wav", dtype="float32", always_2d=True)
    stem, _ = soundfile.read(tmp_path / "take" / "loop.wav", dtype="float32")
    mix, _ = soundfile.read(tmp_path / "take" / "mix.wav", dtype="float32")
    first = int(np.flatnonzero(stem)[0])
    line = round(first / BAR) * BAR + (first - round(first / BAR) * BAR) // 10  # the conductor's bars begin near 0
    expected = heard[line - 2 * BAR + 2000 : line - 3000]
    assert np.array_equal(stem[line + 2000 : line + 2 * BAR - 3000], expected)
    for channel in (1, 2) if apart else (0,):
        begin = line - round_trip  # played so much earlier than it is heard
        played = out[begin + 2000 : begin + 2 * BAR - 3000, channel]
        assert np.allclose(played, expected, atol=1e-6)
    assert not apart or not out[:, 0].any()
    assert np.allclose(mix[line + 2000 : line + 2 * BAR - 3000, 0], expected, atol=1e-6)


def test_the_loop_may_be_soft_from_the_start(tmp_path: Path) -> None:
    config = EngineConfig(
        backend="file", input_file=str(write_noise(tmp_path / "lead.wav", RATE, 9.0)), realtime=False,
        output_file=str(tmp_path / "out.wav"), output_channels=(1,),
    )  # fmt: skip
    conductor = Conductor(RATE, 120.0, listen=False)
    with Engine(config, FakePlayer(), conductor, open_port(config)) as engine:
        engine.post(SetLoop("level", -20.0))
        engine.post(LoopKeep(1, at_sample=4 * RATE))
        engine.start()
        assert engine.wait(60)
    heard, _ = soundfile.read(tmp_path / "lead.wav", dtype="float32")
    out, _ = soundfile.read(tmp_path / "out.wav", dtype="float32")
    assert 0.05 < np.abs(out).max() / np.abs(heard).max() < 0.15


def test_an_output_of_the_loop_is_checked_as_those_of_parts_are() -> None:
    assert EngineConfig(part_outputs=(("loop", (5,)),)).buses.loop_bus == 1
    with pytest.raises(ConfigError, match="gives channel 1 to both main and loop"):
        EngineConfig(part_outputs=(("loop", (1,)),))
    with pytest.raises(ConfigError, match="or loop"):
        EngineConfig(part_outputs=(("loops", (5,)),))
