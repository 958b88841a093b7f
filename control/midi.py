"""A foot switch or a key over MIDI: messages in, commands out; the MIDI inputs through python-rtmidi.

Knows nothing of JACK, whose MIDI is read in the audio callback. `PedalSwitch` belongs to the thread that
feeds it; `MidiPedal` posts from python-rtmidi's own thread.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from ..engine.commands import Command, Toggle

PRESSED_VALUE = 64
"""A controller at or above this value is pressed, as MIDI says of switches."""
DEBOUNCE_S = 0.02

Pedal = tuple[str, int]


class MidiError(Exception):
    """MIDI cannot be had as asked: one line that says what is wrong and what to do."""


def parse_pedal(text: str) -> Pedal:
    """("cc", 64) of "CC64", ("note", 36) of "note36". Raises MidiError for anything else."""
    match = re.fullmatch(r"(cc|note)[ :]?(\d{1,3})", text.strip().lower())
    if match is None or int(match[2]) > 127:
        raise MidiError(f"--pedal {text}: give a controller or a note from 0 to 127, such as CC64 or NOTE36")
    return match[1], int(match[2])


class PedalSwitch:
    """Turns MIDI messages of one controller or note into one Toggle per press."""

    def __init__(self, pedal: Pedal) -> None:
        self._kind, self._number = pedal
        self._pressed = False
        self._last_press_s = float("-inf")

    def feed(self, message: Sequence[int], at_s: float) -> Command | None:
        """The command of one complete MIDI message that came at `at_s` (any clock that only goes forward)."""
        if len(message) < 3 or message[1] != self._number:
            return None
        status = message[0] & 0xF0
        if self._kind == "cc" and status == 0xB0:
            pressed = message[2] >= PRESSED_VALUE
        elif self._kind == "note" and status in (0x80, 0x90):
            pressed = status == 0x90 and message[2] > 0
        else:
            return None
        was_pressed, self._pressed = self._pressed, pressed
        if not pressed or was_pressed or at_s - self._last_press_s < DEBOUNCE_S:
            return None
        self._last_press_s = at_s
        return Toggle()


class MidiPedal:
    """Listens on the system's MIDI inputs (ALSA, CoreMIDI, Windows) and posts what the pedal asks for.

    Open it before a JACK client is activated: python-rtmidi stalls for seconds after that.
    """

    def __init__(self, pedal: Pedal, post: Callable[[Command], object], port_name: str | None = None) -> None:
        """Open every input, or those whose name holds `port_name`.

        Raises MidiError where python-rtmidi or a MIDI system is missing, or no input has that name.
        """
        self._post = post
        self._inputs: list[Any] = []
        self.names: list[str] = []
        rtmidi = _rtmidi()
        names = list_midi_inputs()
        wanted = [name for name in names if port_name is None or port_name.lower() in name.lower()]
        if port_name is None:
            wanted = [name for name in wanted if "midi through" not in name.lower()]
        if not wanted:
            there = ", ".join(names) or "none"
            raise MidiError(f"no MIDI input for the pedal: plug it in, or see `gigmate devices` (there: {there})")
        for name in wanted:
            switch = PedalSwitch(pedal)
            source = _open_client(rtmidi)
            try:
                source.open_port(names.index(name), name="pedal")
            except rtmidi.RtMidiError as error:
                self.close()
                raise MidiError(f"cannot open the MIDI input {name}: {error}") from None
            source.set_callback(lambda event, _data, switch=switch: self._take(switch, event[0]))
            self._inputs.append(source)
            self.names.append(name)

    def _take(self, switch: PedalSwitch, message: Sequence[int]) -> None:
        command = switch.feed(message, time.monotonic())
        if command is not None:
            self._post(command)

    def close(self) -> None:
        """Close every input. May be called twice."""
        while self._inputs:
            source = self._inputs.pop()
            source.cancel_callback()
            source.close_port()
            source.delete()


def list_midi_inputs() -> list[str]:
    """Names of the system's MIDI inputs. Raises MidiError where python-rtmidi or a MIDI system is missing."""
    probe = _open_client(_rtmidi())
    try:
        return list(probe.get_ports())
    finally:
        probe.delete()


def _rtmidi() -> Any:
    try:
        import rtmidi
    except ImportError:
        raise MidiError(
            "MIDI needs python-rtmidi: `pip install python-rtmidi` (after 3.12 it needs a C++ compiler)"
        ) from None
    return rtmidi


def _open_client(rtmidi: Any) -> Any:
    """A MidiIn of the system's own MIDI, never of the libjack that the Linux wheel carries."""
    if sys.platform.startswith("linux"):
        if not os.path.exists("/dev/snd/seq"):  # asked first: libasound would write to stderr by itself
            raise MidiError("no ALSA MIDI here: load it with `sudo modprobe snd-seq`, or bring the pedal in over JACK")
        api = rtmidi.API_LINUX_ALSA
    else:
        api = rtmidi.API_MACOSX_CORE if sys.platform == "darwin" else rtmidi.API_WINDOWS_MM
    try:
        return rtmidi.MidiIn(api, name="gigmate")
    except rtmidi.RtMidiError as error:
        raise MidiError(f"no MIDI system here: {error}") from None
