"""Pedals on the command line: `gigmate midi-learn`, the file of bindings, and what `gigmate-live` is given of it.

Main thread.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...engine.config import EngineConfig
from ...engine.errors import ConfigError, EngineError

if TYPE_CHECKING:
    from ...control.midi import MidiPedals
    from ...control.pedal_learning import Learned, Learner
    from ...engine.actions import Action
    from ...engine.commands import Command
    from ...engine.gestures import BindingTable, Event
    from ...presets.bindings import BindingRow

    Poll = Callable[[], list[tuple[str, Event]]]
    """What has come since the last call: the input's name and the message."""

DEFAULT_TIMEOUT_S = 30.0
_POLL_S = 0.02


def user_file() -> Path:
    """Where the user's own bindings lie: beside the measured round trips ($GIGMATE_CONFIG_DIR says another place)."""
    from ...latency.calibration import calibration_file
    from ...presets.bindings import FILE_NAME

    return calibration_file().with_name(FILE_NAME)


def binding_table(pedal: str | None, file: Path | None, set_list: bool = False) -> BindingTable:
    """What gestures mean: by `--pedal` and `--bindings`, then by the preset, then by the user's own file.

    With a set list, program changes that nobody bound choose its songs. Raises BindingsError for what cannot be, in
    the user's own file too.
    """
    from ...engine.gestures import BindingTable
    from ...presets.bindings import (
        BindingRow,
        bindings_of,
        pedal_row,
        read_bindings,
    )

    asked = [] if pedal is None else [pedal_row(pedal)]
    own: list[BindingRow] = []
    if file is not None:
        asked += read_bindings(file)
    elif user_file().exists():
        own += read_bindings(user_file())
    if set_list and not any(row.program == "any" for row in own):
        own.append(BindingRow(program="any", does="song"))
    return BindingTable(asked=bindings_of(asked), user=bindings_of(own))


def open_pedals(
    config: EngineConfig,
    asked: bool,
    note: Callable[[str], object],
    post: Callable[[Command], object],
    stamp: Callable[[float], int],
    by_hand: bool = False,
) -> MidiPedals | None:
    """The system's MIDI inputs as pedals and clock, or None: on PortAudio always, else where something is bound, or
    chords are led `by_hand`.

    On JACK the audio callback reads JACK's MIDI, and the system's is read only where JACK has none: a device that is on
    both would be two. Raises MidiError where they were `asked` for in vain; where only the user's own bindings rest for
    it, that is a note.
    """
    table = config.bindings
    if table is None:
        return None
    on_jack, bound = config.backend == "jack", asked or by_hand or bool(table.bindings)
    # On Windows a MIDI input belongs to one program at a time: it is left to others until something is bound.
    if not bound and (config.backend != "portaudio" or sys.platform == "win32"):
        return None
    if on_jack and _jack_sources(config):
        return None
    from ...control.midi import MidiError, MidiPedals

    try:
        return MidiPedals(table, post, config.midi_name, required=asked and not on_jack, stamp=stamp)
    except MidiError as error:
        if asked and not on_jack:
            raise
        if on_jack:
            note("no MIDI source on JACK yet: it is connected as soon as it appears")
        elif by_hand:
            note(f"{error} (chords are not led by hand meanwhile)")
        elif table.bindings:
            note(f"{error} (your bindings rest meanwhile)")
        return None


def _jack_sources(config: EngineConfig) -> list[str]:
    from ...engine.ports.jack import list_midi_sources

    try:
        return list_midi_sources(config)
    except EngineError:  # the port will say it better
        return []


def midi_learn(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="ACTION [WHAT]", help="The action to bind, such as start, mute bass, level drums."),
    ] = None,
    midi: Annotated[str | None, typer.Option(metavar="NAME", help="Listen on this MIDI input. Default: all.")] = None,
    bindings: Annotated[
        Path | None, typer.Option(metavar="F.yaml", help="File to write to. Default: your own bindings.")
    ] = None,
    timeout: Annotated[float, typer.Option(metavar="S", help="Wait this long for a press.")] = DEFAULT_TIMEOUT_S,
    server: Annotated[str | None, typer.Option(metavar="NAME", help="JACK: name of the server.")] = None,
    list_: Annotated[bool, typer.Option("--list", help="List the bindings and all actions.")] = False,
    forget: Annotated[
        str | None, typer.Option(metavar="WHAT", help="Remove the bindings of an action, or of a gesture such as CC64.")
    ] = None,
) -> int:
    """Bind a pedal or key to an action: press it two or three times."""
    from ...engine.actions import action_named
    from ...presets.bindings import forget_rows

    path = user_file() if bindings is None else bindings
    if list_ or forget is not None:
        if words:
            raise ConfigError("--list and --forget take no action: leave the action out")
        if forget is not None:
            for row in forget_rows(path, forget.replace("-", "_")):
                print(f"forgotten: {row.binding().text}")
        if list_:
            print("\n".join(_listing(path)))
        return 0
    if not words:
        raise ConfigError("give the action for the pedal, such as `gigmate midi-learn start`; --list shows all")
    if not 0 < timeout <= 3600:
        raise ConfigError(f"--timeout {timeout:g}: give seconds, more than 0, at most 3600")
    action = action_named(words[0].replace("-", "_"))
    values = _values(action, words[1:])
    fader = action.sweep is not None and "value" not in values
    _check(action, values, fader)
    with contextlib.ExitStack() as stack:
        polls = list(_open_sources(stack, midi, server))
        learned = learn(polls, " ".join(words), fader, timeout)
    _write(path, action, values, learned)
    return 0


def bind_by_stepping(action: str, timeout_s: float, server: str | None = None) -> None:
    """Ask for steps on a pedal and bind it to the action, in the user's own file. Raises EngineError: nothing came."""
    from ...engine.actions import action_named

    with contextlib.ExitStack() as stack:
        learned = learn(list(_open_sources(stack, None, server)), action, False, timeout_s)
    _write(user_file(), action_named(action), {}, learned)


def _values(action: Action, words: Sequence[str]) -> dict[str, object]:
    """The action's arguments, in their order. Raises ConfigError."""
    names = [argument.name for argument in action.arguments]
    if len(words) > len(names):
        takes = ", ".join(names) or "nothing"
        raise ConfigError(f"{action.name} takes {takes}: {' '.join(words[len(names) :])} is too much")
    return {name: action.argument(name).take(word) for name, word in zip(names, words, strict=False)}


def _check(action: Action, values: dict[str, object], fader: bool) -> None:
    """Raises ActionError now rather than after the steps."""
    action.command({**values, "value": action.sweep[0]} if fader and action.sweep is not None else values)


# --------------------------------------------------------------------------------------------------------- sources


def _open_sources(stack: contextlib.ExitStack, midi: str | None, server: str | None) -> Iterator[Poll]:
    """Everything that can be listened to, the system's MIDI first. Raises EngineError where there is nothing."""
    from ...control.midi import MidiError

    reasons = []
    count = 0
    for open_one in (lambda: system_source(stack, midi), lambda: _jack_source(stack, midi, server)):
        try:
            yield open_one()
            count += 1
        except (MidiError, EngineError) as error:
            reasons.append(str(error))
    if not count:
        raise EngineError(f"no MIDI to learn from: {'; '.join(reasons)}")


def system_source(stack: contextlib.ExitStack, midi: str | None, api: int | None = None) -> Poll:
    """The system's MIDI inputs (of `api`, one of python-rtmidi's; None: its own). Raises MidiError."""
    from ...control.midi import MidiInputs, event_of

    waiting: deque[tuple[str, Event]] = deque(maxlen=4096)  # appended to by the MIDI thread

    def take(port: str, message: Sequence[int], at_s: float) -> None:
        event = event_of(message, at_s)
        if event is not None:
            waiting.append((port, event))

    inputs = MidiInputs(take, midi, api, required=False)
    stack.callback(inputs.close)
    print(f"listening on {', '.join(inputs.names) or 'MIDI inputs as they are plugged in'}", flush=True)

    def poll() -> list[tuple[str, Event]]:
        for line in inputs.news():
            print(line, flush=True)
        return [waiting.popleft() for _ in range(len(waiting))]

    return poll


def _jack_source(stack: contextlib.ExitStack, midi: str | None, server: str | None) -> Poll:
    """JACK's MIDI, read in the native callback as on stage. Raises EngineError where no server answers."""
    from ...engine.ports.port import open_port, unavailable_reason

    config = EngineConfig(
        backend="jack", connect=False, client_name="gigmate-learn", server_name=server, midi_name=midi or ""
    )
    reason = unavailable_reason("jack", config)  # before numba is loaded
    if reason is not None:
        raise EngineError(reason)
    from ...engine.callback.bridge import Bridge

    port = open_port(config)
    stack.callback(port.close)
    bridge = Bridge(port.rate_hz)
    port.start(bridge)
    print("listening on JACK MIDI", flush=True)
    return lambda: [("JACK MIDI", event) for event in bridge.pop_midi_events()]


# -------------------------------------------------------------------------------------------------------- learning


def learn(polls: Sequence[Poll], what: str, fader: bool, timeout_s: float) -> Learned:
    """Ask for steps until the pedal is known. Raises EngineError: nothing came, or nothing to be made of it."""
    from ...control.pedal_learning import LearnError

    print(
        f"{what}: move the fader from one end to the other"
        if fader
        else f"{what}: press the pedal once, and release it",
        flush=True,
    )
    inputs = _Inputs(fader)
    since_s = time.monotonic()
    while True:
        for port, event in (item for poll in polls for item in poll()):
            inputs.take(port, event, time.monotonic())
        now_s = time.monotonic()
        learner = inputs.still(now_s)
        if learner is not None:
            since_s = now_s
            try:
                learned = learner.result()
            except LearnError as error:
                raise EngineError(str(error)) from None
            if learned is not None:
                return learned
            print("once more" if learner.steps == 1 else "and once more", flush=True)
        elif now_s - since_s > timeout_s and not inputs.listening:
            raise EngineError(
                f"nothing arrived from {inputs.chosen or 'any MIDI input'} for {timeout_s:g} s: see `gigmate devices`,"
                " or choose one with --midi"
            )
        elif now_s - since_s > 2 * timeout_s:
            raise EngineError(f"{inputs.listening} keeps sending: choose another input with --midi")
        time.sleep(_POLL_S)


class _Inputs:
    """A learner for each input: the first on which a step is over is the pedal's.

    A device may be there twice, and others may chatter.
    """

    def __init__(self, fader: bool) -> None:
        self._fader = fader
        self._learners: dict[str, Learner] = {}
        self._said: set[str] = set()
        self.chosen = ""
        """The input that is learned from; empty while none is known."""

    @property
    def listening(self) -> str:
        """An input on which a step has begun and is not over; empty for none."""
        return next((port for port, learner in self._learners.items() if learner.listening), "")

    def take(self, port: str, event: Event, at_s: float) -> None:
        from ...control.pedal_learning import Learner

        if self.chosen not in ("", port):
            return
        learner = self._learners.setdefault(port, Learner(self._fader))
        learner.take(event, at_s)
        for text in learner.trembling:
            if f"{port} {text}" not in self._said:
                self._said.add(f"{port} {text}")
                print(f"{text} of {port} keeps changing: ignored", flush=True)

    def still(self, now_s: float) -> Learner | None:
        """The learner on which a step is over now."""
        for port, learner in self._learners.items():
            if learner.still(now_s):
                if not self.chosen:
                    self.chosen = port
                    print(f"heard it from {port}", flush=True)
                    self._learners = {port: learner}
                return learner
        return None


def _write(path: Path, action: Action, values: dict[str, object], learned: Learned) -> None:
    from ...engine.gestures import Binding
    from ...presets.bindings import add_rows, read_bindings, row_of

    ends = action.sweep if learned.kind == "fader" else None
    rows = [row_of(Binding(gesture, action, tuple(values.items()), ends)) for gesture in learned.gestures]
    gone = add_rows(path, rows)
    print(f"It is {learned.text}.")
    for row in gone:
        if row not in rows:
            print(f"no longer: {row.binding().text}")
    for row in rows:
        print(f"wrote {row.line()} to {path}")
    others = [row for row in read_bindings(path) if _same_action(row, rows[0]) and row not in rows]
    for row in others:
        gesture = row.binding().gesture.text
        print(f'{gesture} does the same; to change that: gigmate midi-learn --forget "{gesture}"')


def _same_action(one: BindingRow, other: BindingRow) -> bool:
    first, second = one.binding(), other.binding()
    return (first.action, first.arguments) == (second.action, second.arguments)


def _listing(path: Path) -> list[str]:
    from ...engine.actions import ACTIONS
    from ...presets.bindings import read_bindings

    rows = read_bindings(path) if path.exists() else ()
    lines = [f"{path}:" if rows else f"{path}: nothing is bound"]
    lines += [f"  {row.binding().text}" for row in rows]
    lines.append("actions:")
    for action in ACTIONS.values():
        words: list[Any] = [
            f"[{argument.name}]" if argument.optional else argument.name for argument in action.arguments
        ]
        lines.append(f"  {' '.join([action.name, *words]):<22} {action.text}")
    return lines
