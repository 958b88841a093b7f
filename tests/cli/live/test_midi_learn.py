"""`gigmate midi-learn`: steps of a pedal over JACK and over rtmidi, and what is said where nothing can be learned."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty, Queue
from typing import Any

import pytest
from gigmate.cli import boundary, main
from gigmate.cli.live import midi_learn as cli_midi
from gigmate.cli.live.midi_learn import binding_table, open_pedals, user_file
from gigmate.control import midi as control_midi
from gigmate.engine.config import EngineConfig
from gigmate.engine.errors import ConfigError
from gigmate.engine.gestures import ANY, Gesture
from gigmate.latency.calibration import FOLDER_VARIABLE
from gigmate.presets.bindings import BindingRow, add_rows, read_bindings

SOURCE = Path(__file__).parents[2] / "control" / "midi_source.py"
BY_RTMIDI = Path(__file__).with_name("learn_by_rtmidi.py")


@pytest.fixture(autouse=True)
def own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "config"))


def row(**values: Any) -> BindingRow:
    return BindingRow.model_validate(values)


def run(*arguments: str) -> int:
    return boundary.run(main.app, "gigmate", ["midi-learn", *arguments])


class Running:
    """A process whose lines wait in a queue."""

    def __init__(self, environment: dict[str, str], *command: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *command],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._lines: Queue[str] = Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line.strip())

    def line(self, timeout_s: float = 90.0) -> str:
        try:
            return self._lines.get(timeout=timeout_s)
        except Empty:
            raise AssertionError("nothing was said") from None

    def until(self, words: str) -> str:
        while words not in (line := self.line()):
            pass
        return line

    def send(self, text: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()
        assert self.line() == "done"


@pytest.fixture
def running() -> Iterator[Callable[..., Running]]:
    processes: list[Running] = []

    def start(*arguments: Any) -> Running:
        processes.append(Running(*arguments))
        return processes[-1]

    yield start
    for one in processes:
        one.process.kill()
        one.process.wait()
        for stream in (one.process.stdin, one.process.stdout):
            if stream is not None:
                stream.close()


def learning(environment: dict[str, str], tmp_path: Path, *arguments: str) -> tuple[Any, ...]:
    code = "from gigmate.cli.main import main; main()"
    return {**environment, FOLDER_VARIABLE: str(tmp_path / "config")}, "-c", code, "midi-learn", *arguments


@pytest.mark.jack
def test_setup_binds_the_pedal_that_is_stepped_on(
    jack_server: Any, running: Callable[..., Running], tmp_path: Path
) -> None:
    board = running(jack_server.environment, str(SOURCE), "board")
    assert board.line() == "ready"
    code = "import sys; from gigmate.cli.live import midi_learn as m; m.bind_by_stepping('toggle', 60.0, sys.argv[1])"
    environment = {**jack_server.environment, FOLDER_VARIABLE: str(tmp_path / "config")}
    stepping = running(environment, "-c", code, jack_server.name)
    stepping.until("press the pedal")
    board.send("b0427f b04200")
    stepping.until("once more")
    board.send("b0427f b04200")
    if "more" in (said := stepping.line()):  # a busy machine lost a cycle and what was sent in it
        board.send("b0427f b04200")
        said = stepping.line()
    assert said == "It is a pedal that presses and lets go."
    assert stepping.process.wait(60) == 0
    assert read_bindings(user_file()) == (row(cc=66, does="toggle"),)


@pytest.mark.jack
def test_pedals_are_learned_over_jack(jack_server: Any, running: Callable[..., Running], tmp_path: Path) -> None:
    environment = jack_server.environment
    board = running(environment, str(SOURCE), "board")
    assert board.line() == "ready"
    learner = running(*learning(environment, tmp_path, "start", "--server", jack_server.name))
    assert learner.until("press the pedal").startswith("start:")
    board.send("f8 b0407f f8 b04000")
    assert learner.line() == "heard it from JACK MIDI"
    assert learner.line() == "once more"
    board.send("b0407f b04000")
    if (said := learner.line()) == "and once more":  # a busy machine lost a cycle and what was sent in it
        board.send("b0407f b04000")
        said = learner.line()
    assert said == "It is a pedal that presses and lets go."
    assert learner.line() == f"wrote {{cc: 64, does: start}} to {user_file()}"
    assert learner.process.wait(60) == 0
    assert read_bindings(user_file()) == (row(cc=64, does="start"),)

    learner = running(*learning(environment, tmp_path, "toggle", "--midi", "board"))
    learner.until("press the pedal")
    for value, answer in (("7f", "once more"), ("00", "and once more"), ("7f", "It is a toggle")):
        board.send(f"b040{value}")
        learner.until(answer)
    assert learner.line() == "no longer: CC64: start"
    assert learner.process.wait(60) == 0
    assert read_bindings(user_file()) == (row(cc=64, does="toggle", pedal="toggle"),)

    learner = running(*learning(environment, tmp_path, "level", "bass"))
    learner.until("move the fader")
    board.send("flood b007 128 400")
    learner.until("It is a fader")
    assert learner.process.wait(60) == 0
    assert read_bindings(user_file())[1:] == (row(cc=7, does="level", part="bass"),)


@pytest.mark.jack
def test_a_pedal_is_learned_over_rtmidi(jack_server: Any, running: Callable[..., Running], tmp_path: Path) -> None:
    board = running(jack_server.environment, str(SOURCE), "board")
    assert board.line() == "ready"
    path = tmp_path / "mine.yaml"
    learner = running(jack_server.environment, str(BY_RTMIDI), str(path))
    assert learner.line() == "listening on board:out"
    learner.until("press the pedal")
    for message, answer in (("fa", "once more"), ("fc", "and once more"), ("fa", "It is a pedal that sends two")):
        board.send(f"f8 {message} f8 f8")
        learner.until(answer)
    assert learner.process.wait(60) == 0
    assert read_bindings(path) == (row(midi="start", does="fill"), row(midi="stop", does="fill"))


@pytest.mark.jack
def test_waiting_ends_and_says_so(jack_server: Any, running: Callable[..., Running], tmp_path: Path) -> None:
    learner = running(*learning(jack_server.environment, tmp_path, "fill", "--timeout", "0.5"))
    assert learner.until("nothing arrived").endswith("see `gigmate devices`, or choose one with --midi")
    assert learner.process.wait(60) == 1
    learner = running(jack_server.environment, str(BY_RTMIDI), str(tmp_path / "none.yaml"), "0.5")
    assert learner.until("error nothing arrived from any MIDI input for 0.5 s")
    assert not (tmp_path / "none.yaml").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "midi-learn start"),
        (("strat",), "did you mean start?"),
        (("mute",), "drums, bass or keys"),
        (("mute", "drum"), "drums, bass or keys"),
        (("level", "bass", "99"), "dB from -60 to 12"),
        (("fill", "now"), "fill takes nothing: now is too much"),
        (("fill", "--timeout", "0"), "--timeout 0"),
        (("--list", "fill"), "leave the action out"),
        (("--forget", "fill"), "nothing is bound to 'fill'"),
    ],
)
def test_a_request_that_cannot_be(arguments: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*arguments) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1


def test_what_is_bound_is_listed_and_forgotten(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--list") == 0
    assert "nothing is bound" in capsys.readouterr().out
    add_rows(user_file(), [row(cc=64, does="count_in", bars=2), row(note=36, does="fill")])
    assert run("--list") == 0
    said = capsys.readouterr().out
    assert "  CC64: count_in 2\n  note 36: fill\n" in said
    assert "section [name]" in said
    assert run("--forget", "count-in") == 0
    assert capsys.readouterr().out == "forgotten: CC64: count_in 2\n"
    assert read_bindings(user_file()) == (row(note=36, does="fill"),)


def test_the_table_that_a_run_is_given(tmp_path: Path) -> None:
    assert binding_table(None, None).bindings == ()
    add_rows(user_file(), [row(cc=64, does="stop"), row(cc=65, does="fill")])
    table = binding_table("CC64", None, set_list=True)
    assert [binding.text for binding in table.bindings] == ["CC64: toggle", "CC65: fill", "program any: song"]
    assert table.bindings[2].gesture == Gesture("program", ANY)
    path = tmp_path / "tonight.yaml"
    add_rows(path, [row(cc=1, does="tap")])
    assert [binding.text for binding in binding_table(None, path).bindings] == ["CC1: tap"]
    with pytest.raises(ConfigError, match="--pedal CC200: give a controller"):
        binding_table("CC200", None)
    with pytest.raises(ConfigError, match="no bindings file"):
        binding_table(None, tmp_path / "gone.yaml")


@pytest.mark.parametrize(
    ("backend", "pedal", "asked", "on_jack", "opened"),
    [
        ("jack", "CC64", True, ["system:midi_capture_1"], False),  # the audio callback reads it
        ("jack", "CC64", True, [], True),  # jackd without a bridge: the device is on ALSA alone
        ("jack", None, False, [], False),
        ("portaudio", None, False, [], sys.platform != "win32"),  # a clock may come, or a preset with pedals of its own
        ("portaudio", "CC64", True, [], True),
        ("file", None, False, [], False),
        ("file", "CC64", True, [], True),
    ],
)
def test_where_the_systems_midi_is_read(
    backend: Any,
    pedal: str | None,
    asked: bool,
    on_jack: list[str],
    opened: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(control_midi, "MidiPedals", lambda *arguments, **named: "open")
    monkeypatch.setattr(cli_midi, "_jack_sources", lambda config: on_jack)
    config = EngineConfig(backend=backend, bindings=binding_table(pedal, None))
    found = open_pedals(config, asked, lambda line: None, lambda command: None, lambda at_s: 0)
    assert (found == "open") is opened


def test_a_missing_midi_system_is_an_error_only_where_it_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*arguments: object, **named: object) -> None:
        raise control_midi.MidiError("no MIDI here")

    monkeypatch.setattr(control_midi, "MidiPedals", missing)
    said: list[str] = []

    def opening(asked: bool) -> object:
        config = EngineConfig(backend="portaudio", bindings=binding_table(None, None))
        return open_pedals(config, asked, said.append, lambda command: None, lambda at_s: 0)

    assert opening(asked=False) is None
    assert said == []
    with pytest.raises(control_midi.MidiError):
        opening(asked=True)
    add_rows(user_file(), [row(cc=64, does="fill")])
    assert opening(asked=False) is None
    assert said == ["no MIDI here (your bindings rest meanwhile)"]


def test_chords_by_hand_open_the_inputs_though_nothing_is_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_midi, "MidiPedals", lambda *arguments, **named: "open")
    monkeypatch.setattr(cli_midi, "_jack_sources", lambda config: [])
    config = EngineConfig(backend="jack", bindings=binding_table(None, None))

    def opening(by_hand: bool) -> object:
        return open_pedals(config, False, lambda line: None, lambda command: None, lambda at_s: 0, by_hand)

    assert opening(False) is None
    assert opening(True) == "open"
