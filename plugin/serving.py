"""The run of the band behind a plug-in: waits for epochs of the shell, plays each with a session of its own, obeys.

The model is loaded once; live playing and each bounce begin anew, so that a bounce depends on nothing that was before.
Main thread only, but for the lifeline: a thread that waits for the shell's end.
"""

from __future__ import annotations

import os
import struct
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from ..engine.callback.hosted import plugin_table as table
from ..engine.charts.chart import Chart
from ..engine.commands import SelectPreset
from ..engine.config import EngineConfig
from ..engine.errors import ConfigError, EngineError
from ..engine.gestures import BindingTable
from ..engine.player import PARTS
from ..engine.ports.plugin import Epoch, OtherVersionError, PluginPort, SharedMemory
from ..engine.run.thread_priority import raise_priority
from ..session import PlayerLoading, Session, open_session
from ..show import Show
from .changes import Changes

_TURN_S = 0.004
_SAY_S = 0.1
_BEAT_S = 0.05
_PATIENCE_S = 20.0
"""A turn of the main thread that takes longer is one that hangs: the shell is then told so, by silence."""
_LEAVE_S = 2.0
_FIRST_BLOCK_S = 1.0
DEFAULT_PRESET = "rock"
OpenShow = Callable[[str, Chart | None], tuple[Show, list[str]]]


class House(NamedTuple):
    """What the user has at home: presets, charts, bindings. Main thread only."""

    open_show: OpenShow
    """A show of the preset of that name, by that chart, and lines about what is left out of it."""
    read_chart: Callable[[str], Chart]
    bindings: BindingTable | None = None
    """What pedals mean; the shows know the same."""


def config_of(seed: int, clocked: bool) -> EngineConfig:
    """What a plug-in hears and plays: the shell's two inputs, its mix, and its parts, which are in the mix too."""
    outputs = tuple((part, (2 * place + 3, 2 * place + 4)) for place, part in enumerate(PARTS))
    return EngineConfig(
        input_channels=(1, 2),
        output_channels=(1, 2),
        part_outputs=outputs,
        parts_in_main=True,
        realtime=clocked,
        midi_out="off",
        connect=False,
        reconnect_s=0.0,
        seed=seed,
    )


class Lifeline:
    """Knows when the shell has gone, and lets it know that we live. Any thread."""

    def __init__(self, shared: SharedMemory, descriptor: int) -> None:
        """`descriptor` is read until its end, which the shell's end is."""
        self.gone = threading.Event()
        self._shared, self._descriptor = shared, descriptor
        self._turn_s = time.monotonic()
        for action in (self._wait, self._beat):
            threading.Thread(target=action, name="gigmate-lifeline", daemon=True).start()

    def turn(self) -> None:
        """The main thread gets on."""
        self._turn_s = time.monotonic()

    def _wait(self) -> None:
        while os.read(self._descriptor, 64):
            pass
        self.gone.set()
        time.sleep(_LEAVE_S)
        os._exit(0)  # nobody hears it any more, whatever hangs

    def _beat(self) -> None:
        beats = 0
        while not self.gone.wait(_BEAT_S):
            if time.monotonic() - self._turn_s < _PATIENCE_S:
                beats += 1
                self._shared.set_word(table.ENGINE_BEAT, beats)


class Serving:
    """Plays for one shell until it has gone. Main thread only."""

    def __init__(self, shared: SharedMemory, lifeline: Lifeline, house: House) -> None:
        self._shared, self._lifeline, self._house = shared, lifeline, house
        self._chart: Chart | None = None
        self._chart_name = self._said = ""
        self._faults: list[str] = []
        self._said_troubles: list[str] = []
        self._show: Show | None = None
        self._changes = self._fresh_changes()

    def run(self, loading: PlayerLoading) -> None:
        """Load, then one epoch after another. Raises what loading raises."""
        self._say(table.STATES.index("loading"), "loading the band")
        loading.result(self._wait_for_model)
        self._shared.attach(os.getpid())
        self._say(table.STATES.index("ready"), "the band is ready")
        while not self._lifeline.gone.is_set():
            self._lifeline.turn()
            epoch = self._shared.next_epoch()
            if epoch is None:
                time.sleep(_TURN_S)
                continue
            try:
                self._play(epoch, loading)
            except EngineError as error:
                self._say(table.STATES.index("failed"), str(error))

    def fail(self, text: str) -> None:
        """Say why nothing will be played."""
        self._say(table.STATES.index("failed"), text)

    def _wait_for_model(self) -> None:
        self._lifeline.turn()
        if self._lifeline.gone.is_set():
            raise EngineError("the host has gone")

    def _fresh_changes(self) -> Changes:
        return Changes(lambda: self._need_show().preset, lambda: self._chart)

    def _need_show(self) -> Show:
        if self._show is None:
            raise EngineError("no preset is on yet")
        return self._show

    # ------------------------------------------------------------------------------------------------- an epoch

    def _play(self, epoch: Epoch, loading: PlayerLoading) -> None:
        """One epoch, from its event on to the next."""
        self._changes = changes = self._fresh_changes()
        texts = [self._shared.text(number) or "" for number in (table.PRESET_TEXT, table.CHART_TEXT)]
        changes.named_preset = texts[0]
        self._faults, self._said_troubles, self._chart_name = [], [], ""
        self._take_chart(texts[1])
        self._show = self._open(texts[0] or DEFAULT_PRESET)
        seed = round(self._first_parameters(epoch).get(changes.number("seed"), 0.0))
        config = replace(config_of(max(0, seed), epoch.clocked), bindings=self._house.bindings)
        port = PluginPort(config, self._shared, epoch, raise_priority)
        with open_session(config, self._show, loading, self._lifeline.turn, port=port) as session:
            session.start()
            self._serve(session, port)

    def _first_parameters(self, epoch: Epoch) -> dict[int, float]:
        """They stand behind the epoch's event as soon as its first block does."""
        end_s = time.monotonic() + _FIRST_BLOCK_S
        while self._shared.word(table.SHELL_POSITION) <= epoch.begin and time.monotonic() < end_s:
            time.sleep(0.001)
        return self._shared.first_parameters()

    def _open(self, preset: str) -> Show:
        try:
            show, faults = self._house.open_show(preset, self._chart)
        except ConfigError as error:
            show, faults = self._house.open_show(DEFAULT_PRESET, self._chart)
            faults.insert(0, str(error))
        self._faults += faults
        return show

    def _serve(self, session: Session, port: PluginPort) -> None:
        said_s = 0.0
        while not (port.over or self._lifeline.gone.is_set() or session.wait(0.0)):
            self._lifeline.turn()
            changes = port.take_parameters()
            for number, value in changes:
                self._obey(session, number, value)
            if changes:
                port.obeyed(len(changes))
            if time.monotonic() - said_s > _SAY_S:
                said_s = time.monotonic()
                self._report(session, port)
            time.sleep(_TURN_S)

    def _obey(self, session: Session, number: int, value: float) -> None:
        if number == table.TEXT_PARAMETER + table.PRESET_TEXT:
            commands = self._changes.name_preset(self._shared.text(table.PRESET_TEXT) or "")
        elif number == table.TEXT_PARAMETER + table.CHART_TEXT:
            before = self._chart_name
            self._take_chart(self._shared.text(table.CHART_TEXT) or "")
            commands = self._changes.chart(self._chart) if self._chart_name != before else []
        else:
            commands = self._changes.change(number, value)
        for command in commands:
            session.post(command)
            if isinstance(command, SelectPreset):
                for over in self._changes.over_preset():
                    session.post(over)

    def _take_chart(self, name: str) -> None:
        if name and name == self._chart_name:
            return
        self._chart_name = name
        try:
            self._chart = self._house.read_chart(name) if name else None
        except (EngineError, OSError) as error:
            self._chart = None
            self._faults.append(f"chart: {error}")

    # ------------------------------------------------------------------------------------------------ what is said

    def _report(self, session: Session, port: PluginPort) -> None:
        status = session.status
        port.follow(status.ahead_samples + round(1.5e-3 * status.frame_ms * port.rate_hz))
        shared = self._shared
        shared.set_word(table.ENGINE_TEMPO, struct.unpack("<q", struct.pack("<d", status.tempo_bpm))[0])
        shared.set_word(table.ENGINE_AHEAD, status.ahead_samples)
        troubles = [*self._faults, *session.remarks, *status.warnings]
        new = [text for text in troubles if text not in self._said_troubles]
        if new:  # one at a time: the shell looks for them
            self._said_troubles.append(new[0])
        text = new[0] if new else troubles[-1] if troubles else f"{status.preset or DEFAULT_PRESET}: the band is on"
        self._say(table.STATES.index("playing"), text)

    def _say(self, state: int, text: str) -> None:
        if text != self._said:
            self._said = text
            self._shared.set_message(text.splitlines()[0] if text else "")
        self._shared.set_word(table.ENGINE_STATE, state)


def serve(shared_descriptor: int, loading: PlayerLoading, house: House, lifeline_descriptor: int = 0) -> None:
    """Play for the shell whose memory that is, until it has gone. Raises EngineError; the shell is told why, one of
    another version by the exit code."""
    try:
        shared = SharedMemory(shared_descriptor)
    except OtherVersionError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(table.OTHER_VERSION_EXIT) from error
    serving = Serving(shared, Lifeline(shared, lifeline_descriptor), house)
    try:
        serving.run(loading)
    except Exception as error:
        serving.fail(str(error) or type(error).__name__)
        raise
