"""`gigmate eval` without a band: rows that survive a kill, tasks done once, oracles and ablations at their place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gigmate.cli import boundary, main
from gigmate.cli.eval import eval_command, eval_tasks
from gigmate.cli.eval.eval_controls import own_bars_s
from gigmate.cli.eval.eval_playing import (
    Played,
    Watched,
    _changed,
    _Deaf,
    _Forgetful,
)
from gigmate.cli.eval.eval_tasks import (
    KINDS,
    Rows,
    conductor_bars,
    plan,
    run_all,
)
from gigmate.cli.eval.eval_workbench import Settings, Task
from gigmate.engine.errors import ConfigError
from gigmate.engine.player import Controls, HeardFrame, Moment
from gigmate.model.band_stream import Wanted

SETTINGS = Settings("abc", ("rock", "funk"), songs=3, scenes=1, control_leads=1, steady_runs=1, truth_songs_per_style=1)


def test_every_task_is_planned_once() -> None:
    tasks = plan(SETTINGS)
    names = [task.name for task in tasks]
    assert len(set(names)) == len(names)
    assert {task.kind for task in tasks} == {"song", "scene", "control", "truth", "steady", "codec"}
    assert [task.name for task in plan(SETTINGS, ("songs",))] == ["song:0", "song:1", "song:2"]
    assert len(plan(SETTINGS, KINDS)) == 3 + 4 + 1 + 2 + 1 + 1


def test_a_stopped_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    did: list[str] = []

    def work(task: Task) -> list[dict[str, Any]]:
        if task.name == "song:1" and not did.count("song:1"):
            did.append(task.name)
            raise KeyboardInterrupt
        did.append(task.name)
        return [{"task": task.name, "value": float("nan")}, {"task": task.name, "value": 1.0}]

    monkeypatch.setattr(eval_tasks, "_begin", lambda *_: None)
    monkeypatch.setattr(eval_tasks, "_do", work)
    tasks, path = plan(SETTINGS, ("songs",)), tmp_path / "deep" / "rows.jsonl"
    with pytest.raises(KeyboardInterrupt):
        run_all(Rows(path, SETTINGS), tasks, None, 1, lambda _: None)
    with path.open("a") as file:
        file.write('{"task": "song:2", "val')  # what a kill leaves
    rows = Rows(path, SETTINGS)
    assert rows.done == {"song:0"}
    run_all(rows, tasks, None, 1, lambda _: None)
    assert did == ["song:0", "song:1", "song:1", "song:2"]
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["task"] for line in lines[1:]] == ["song:0"] * 2 + ["song:1"] * 2 + ["song:2"] * 2
    assert lines[1]["value"] is None
    assert Rows(path, SETTINGS).done == {"song:0", "song:1", "song:2"}


def test_rows_of_other_settings_are_not_mixed(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    Rows(path, SETTINGS).add([{"task": "song:0"}])
    other = Settings("other weights", ("rock", "funk"), songs=3)
    with pytest.raises(ConfigError, match="--fresh"):
        Rows(path, other)
    assert Rows(path, other, fresh=True).done == set()


@pytest.mark.parametrize(
    "arguments",
    [["--only", "dreams"], ["--songs", "1"], ["--seconds", "5"], ["--seconds", "nan"], ["--split", "none"],
     ["listener", "--split", "none"], ["listener", "--seconds", "inf"]],
)  # fmt: skip
def test_what_cannot_be_asked_is_said_in_a_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("librosa")
    assert boundary.run(main.app, "gigmate", ["eval", *arguments]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


@pytest.mark.parametrize("quick", [True, False])
def test_a_few_songs_are_called_neither_good_nor_bad(
    quick: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def play(rows: Rows, tasks: list[Task], *_: object) -> None:
        scene = {"kind": "scene", "scene": "chord", "band": {"chord_beats": 9.0}, "true": {"chord_beats": 0.0}}
        rows.add([{"task": task.name, "number": 0, "style": "rock", **scene} for task in tasks])

    monkeypatch.setattr(eval_command, "_check_judges", lambda: None)
    monkeypatch.setattr(eval_command, "_settings", lambda *_: SETTINGS)
    monkeypatch.setattr(eval_tasks, "run_all", play)
    wish = ["--quick"] if quick else []
    told = ["eval", "--only", "reaction", "--report", str(tmp_path), "--out", str(tmp_path / "figures.json"), *wish]
    assert boundary.run(main.app, "gigmate", told) == 0
    pages = [capsys.readouterr().out, (tmp_path / "band.md").read_text(encoding="utf-8")]
    for page in pages:
        assert ("| met |" in page and "**no**" in page) is not quick
        assert ("decide nothing" in page) is quick
        assert "| chord: chord_beats | 9.00" in page
    for name in ("figures.json", "band.json"):
        assert ("asked" in json.loads((tmp_path / name).read_text())["summary"]) is not quick


# ------------------------------------------------------------------------------- between the engine and the model


class Recorder:
    """A Player that notes the moments it is given."""

    sample_rate_hz, frame_samples, tail_samples, play_delay_samples = 32_000, 1280, 0, 320
    styles = ("rock",)

    def __init__(self) -> None:
        self.moments: list[Moment] = []

    def reset(self, seed: int, ahead_frames: int) -> None:
        self.moments.clear()

    def set_ahead(self, ahead_frames: int) -> None: ...

    def listen(self, chunk: np.ndarray) -> HeardFrame:
        return HeardFrame()

    def play(self, moment: Moment, controls: Controls) -> np.ndarray:
        self.moments.append(moment)
        return np.zeros((3, 1280), np.float32)

    def slots(self) -> np.ndarray:
        return np.full((3, 6), len(self.moments), np.int64)


def told(condition: str, labels: dict[str, np.ndarray] | None = None, ahead: int = 3, frames: int = 10) -> list[Moment]:
    inner = Recorder()
    player = Watched(inner, _changed(condition, labels))
    player.play(moment(), Controls())  # a warm-up
    player.reset(0, ahead)
    for _ in range(frames):
        player.listen(np.zeros(1280, np.float32))
        player.play(moment(), Controls())
    assert player.styles == ("rock",) and len(player.cpu_s) == len(player.told) == frames
    assert [written[0, 0] for written in player.slots] == [*range(1, frames + 1)]
    return inner.moments


def moment() -> Moment:
    return Moment(0.25, 0.5, 100.0, 4, 0.8, chord_root=2, chord_pitch_classes=(0.5,) * 12)


def labels_of(frames: int = 200) -> dict[str, np.ndarray]:
    at = np.arange(frames) * 0.04
    return {
        "beat_phase": at / 0.5 % 1, "bar_phase": at / 2.0 % 1, "tempo_bpm": np.full(frames, 120.0),
        "beats_per_bar": np.full(frames, 4), "chord_root": np.arange(frames) % 12,
        "chord_pcs": np.eye(12, dtype=bool)[np.arange(frames) % 12], "part_active": np.ones((frames, 3), bool),
    }  # fmt: skip


def test_the_oracle_tells_the_truth_of_the_frame_that_will_be_heard() -> None:
    truth = labels_of()
    found = told("oracle", truth, ahead=3)
    assert [m.chord_root for m in found] == [*range(5, 12), 0, 1, 2]  # two frames further on
    assert [m.beat_phase for m in found] == pytest.approx(list(truth["beat_phase"][3:13]))
    assert found[0].chord_pitch_classes[5] == 1.0 and found[0].confidence == 1.0 and found[0].playing


def test_ablations_withhold_one_thing_each() -> None:
    assert told("live")[0] == moment()
    without_chord = told("no_chord")[0]
    assert without_chord.chord_root == -1 and not any(without_chord.chord_pitch_classes)
    assert without_chord.tempo_bpm == 100.0 and without_chord.beat_phase == 0.25
    without_moment = told("no_moment")[0]
    assert without_moment.tempo_bpm == 0.0 and without_moment.chord_root == 2


def test_deafness_and_forgetting_are_between_player_and_program() -> None:
    class Stream:
        name = "band"

        def __init__(self) -> None:
            self.told: list[Any] = []

        def hear(self, features: np.ndarray) -> None:
            self.told.append(features.sum())

        def recall(self, tokens: np.ndarray) -> None:
            self.told.append(tokens)

        def draw(self, wanted: Wanted) -> None:
            self.told.append("drawn")

    deaf, forgetful = Stream(), Stream()
    _Deaf(deaf).hear(np.ones(3, np.float32))
    assert deaf.told == [0.0] and _Deaf(deaf).name == "band"
    noise = np.zeros((3, 10), np.float32)
    asked = Wanted(*(0.0,) * 9, 0, (0.0,) * 12, 0, 2, noise, 0.9, 0, 1.0, 0.0)
    _Forgetful(forgetful).draw(asked)
    assert (forgetful.told[0] == -1).all() and forgetful.told[0].shape == (3, 10) and forgetful.told[1] == "drawn"


def test_the_band_s_own_bars() -> None:
    frames = np.arange(20, 220)
    bar_phase = (frames * 0.04 - 1.3) / 2.0 % 1  # downbeats at 1.3, 3.3, 5.3 and 7.3 s
    played = Played(
        {}, 32_000, 3, 0, np.zeros(0), np.full(200, 120.0), np.zeros(200), frames, bar_phase, np.full(200, 4.0)
    )
    assert own_bars_s(played, 3.0) == pytest.approx([0.3, 2.3, 4.3])


def test_how_long_the_conductor_takes() -> None:
    truth, frames = labels_of(400), np.arange(300)
    late = truth["beat_phase"][:300].copy()
    late[100:150] = (late[100:150] + 0.4) % 1  # two seconds, one bar, off

    def bars(phase: np.ndarray) -> float:
        played = Played({}, 32_000, 3, 0, np.zeros(0), np.zeros(300), phase, frames)
        return conductor_bars(played, truth, 4.0)

    assert bars(truth["beat_phase"][:300]) == pytest.approx(0.0)
    assert bars(late) == pytest.approx(1.0, abs=0.05)
    assert np.isnan(bars((truth["beat_phase"][:300] + 0.4) % 1))
