"""A MIDI output of the system (ALSA, CoreMIDI, Windows) through python-rtmidi: found by name, or a port of our own.

Knows nothing of JACK's own MIDI, and nothing of notes. One thread at a time: it is opened by the one that starts the
band, before any JACK client runs, and belongs to the one that sends from then on.
"""

from __future__ import annotations

import contextlib
from typing import Any

from .midi import MidiError, _rtmidi, plain_name, system_api

VIRTUAL = "virtual"
PORT_NAME = "GigMate"


class SystemMidiOut:
    """An output that is open, or was and may come back. One thread at a time.

    Raises MidiError where python-rtmidi or a MIDI system is missing, or no output fits.
    """

    def __init__(self, name: str, api: int | None = None) -> None:
        """`name`: part of an output's name, or "virtual" for a port of our own that others connect to."""
        self._rtmidi = _rtmidi()
        self._api = system_api(self._rtmidi) if api is None else api
        self._wanted = name
        self._out: Any = None
        self._there = False
        self.name = ""
        """Of the output."""
        self.lost = 0
        """How often it went away."""
        if name == VIRTUAL:
            self._out = self._client()
            try:
                self._out.open_virtual_port(PORT_NAME)
            except (self._rtmidi.RtMidiError, NotImplementedError) as error:
                raise MidiError(f"no virtual MIDI output here: {error}: give the name of one") from None
            self.name, self._there = PORT_NAME, True
        elif not self._open():
            there = ", ".join(self._names()) or "none"
            raise MidiError(f'no MIDI output "{name}": there are: {there}')

    def send(self, message: bytes) -> None:
        """Never waits; what the device does not take is lost."""
        if self._there:
            with contextlib.suppress(self._rtmidi.RtMidiError, ValueError):
                self._out.send_message(message)

    def look(self) -> bool:
        """Look whether the device is there; True where it has come back since the last look."""
        if self._wanted == VIRTUAL:
            return False
        if self._there:
            with contextlib.suppress(self._rtmidi.RtMidiError):
                self._there = self._full_name in self._names()
            if not self._there:
                self.lost += 1
            return False
        return self._open()

    def close(self) -> None:
        """Let it go. May be called twice."""
        out, self._out, self._there = self._out, None, False
        if out is not None:
            out.close_port()
            out.delete()

    def _open(self) -> bool:
        """Open the first output whose name holds what was asked for; False where there is none."""
        if self._out is not None:
            self._out.close_port()
            self._out.delete()
        self._out = self._client()
        for number, full in enumerate(self._names()):
            if self._wanted.lower() in full.lower() and not full.startswith(PORT_NAME):
                try:
                    self._out.open_port(number, PORT_NAME)
                except self._rtmidi.RtMidiError:
                    continue
                self._full_name, self.name, self._there = full, plain_name(full), True
                return True
        return False

    def _names(self) -> list[str]:
        return [str(name) for name in self._out.get_ports()]

    def _client(self) -> Any:
        try:
            return self._rtmidi.MidiOut(self._api, name=PORT_NAME)
        except (self._rtmidi.RtMidiError, SystemError) as error:
            raise MidiError(f"no MIDI system here: {error}") from None


def list_midi_outputs() -> list[str]:
    """Names of the system's MIDI outputs. Raises MidiError where python-rtmidi or a MIDI system is missing."""
    rtmidi = _rtmidi()
    try:
        probe = rtmidi.MidiOut(system_api(rtmidi), name=PORT_NAME)
    except (rtmidi.RtMidiError, SystemError) as error:
        raise MidiError(f"no MIDI system here: {error}") from None
    try:
        return [str(name) for name in probe.get_ports()]
    finally:
        probe.delete()
