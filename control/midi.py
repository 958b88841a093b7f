"""MIDI inputs of the system (ALSA, CoreMIDI, Windows) through python-rtmidi: found by name, reconnected.

Knows nothing of JACK's own MIDI, which is read in the audio callback. One thread, `gigmate-midi`, opens, polls and
closes; no Python code ever runs on a MIDI system's thread, so that nothing can call into what is being closed. Methods
may be called by any thread.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from ..engine.commands import NOW, STAMPED, ClockTick, ClockTransport, Command, HandMessage, SystemMessage
from ..engine.gestures import BindingTable, Gestures
from .command_throttle import CommandThrottle

POLL_S = 0.004
SCAN_PERIOD_S = 1.0
"""How often the list of ports is read: a device that was plugged in is found within so long."""
_MOST_AT_ONCE = 2048
"""Messages taken from one port before the others have their turn."""
_QUEUE_MESSAGES = 16_384
"""Room inside python-rtmidi: more than a second of the fastest cable, several times over."""
_UNITS_HZ = 1_000_000
_DRIFT = 2e-4
"""More than a port's clock and ours differ."""
_LOCATE = 0xF2
_LONGEST = 16
"""Bytes of the longest message that can be of time: machine control's locate has 13."""
_OF_A_HAND = (64, *range(120, 128))
"""The controllers that hold notes or end them all."""
_TRANSPORT = {_LOCATE: "locate", 0xFA: "start", 0xFB: "continue", 0xFC: "stop"}

Take = Callable[[str, Sequence[int], float], None]
"""Called on the MIDI thread with the port's name, one whole message, and when it came (time.monotonic's clock)."""


class MidiError(Exception):
    """MIDI cannot be had as asked: one line that says what is wrong and what to do. Any thread."""


class MidiInputs:
    """Listens on all inputs, or on those whose name holds a word; says when one goes and when it is back.

    Any thread.
    """

    def __init__(
        self,
        take: Take,
        port_name: str | None = None,
        api: int | None = None,
        idle: Callable[[float], None] | None = None,
        required: bool = True,
        opened: Callable[[str, float], None] | None = None,
        gone: Callable[[str], None] | None = None,
    ) -> None:
        """Open what is there, and go on looking.

        `api`: one of python-rtmidi's, None for the system's own. `idle` is called after every poll with the time,
        `opened` with each input that is opened and the time, `gone` with each that went away.
        Raises MidiError where python-rtmidi or a MIDI system is missing, and, if `required`, where no input fits now.
        """
        self._on_message, self._on_idle, self._on_opened, self._on_gone = take, idle, opened, gone
        self._port_name = port_name
        self._rtmidi = _rtmidi()
        self._api = system_api(self._rtmidi) if api is None else api
        self._lock = threading.Lock()
        self._open: dict[tuple[str, int], _Input] = {}
        self._refused: set[tuple[str, int]] = set()
        self._seen: set[tuple[str, int]] = set()
        self._news: list[str] = []
        self._end = threading.Event()
        self.lost = 0
        """How often an input went away."""
        self.faults = 0
        """Messages that what listens could not take. Nothing of ours should: it is counted, and the thread lives."""
        self._scanner = _open_client(self._rtmidi, self._api, "gigmate")
        try:
            self._scan_inputs()
            if required and not self._open:
                there = ", ".join(self._names()) or "none"
                raise MidiError(f"no MIDI input for the pedal: plug it in, or see `gigmate devices` (there: {there})")
        except BaseException:
            self._close_all()
            raise
        self._news.clear()  # what is there at the start is in `names`
        self._thread = threading.Thread(target=self._run, name="gigmate-midi", daemon=True)
        self._thread.start()

    @property
    def names(self) -> list[str]:
        """Any thread. The inputs that are open."""
        with self._lock:
            return [source.name for source in self._open.values()]

    def news(self) -> list[str]:
        """Any thread. What changed since the last call, in lines for the musician."""
        with self._lock:
            news, self._news = self._news, []
        return news

    def close(self) -> None:
        """Close every input. May be called twice."""
        self._end.set()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout=5.0)

    # ------------------------------------------------------------------------------------------- the MIDI thread

    def _run(self) -> None:
        next_scan_s = time.monotonic() + SCAN_PERIOD_S
        try:
            while not self._end.wait(POLL_S):
                now_s = time.monotonic()
                for source in list(self._open.values()):
                    for message, at_s in source.messages(now_s):
                        try:
                            self._on_message(source.name, message, at_s)
                        except Exception:  # noqa: BLE001 - a thread that dies takes the pedal along
                            self.faults += 1
                if self._on_idle is not None:
                    self._on_idle(now_s)
                if now_s >= next_scan_s:
                    next_scan_s = now_s + SCAN_PERIOD_S
                    self._scan_inputs()
        finally:
            self._close_all()

    def _names(self) -> list[str]:
        try:
            return [str(name) for name in self._scanner.get_ports()]
        except (self._rtmidi.RtMidiError, UnicodeDecodeError, SystemError):
            return []

    def _scan_inputs(self) -> None:
        """Open what has come, close what has gone. Ports are told apart by name; equal ones by their order."""
        there: dict[tuple[str, int], tuple[int, str]] = {}
        for index, name in enumerate(self._names()):
            plain = plain_name(name)
            nth = sum(1 for key in there if key[0] == plain)
            if self._wanted(name):
                there[plain, nth] = (index, name)
        for key in [key for key in self._open if key not in there]:
            source = self._open[key]
            with self._lock:
                del self._open[key]
                self.lost += 1
                self._news.append(f"MIDI input {source.name} is gone: plug it in again, it will be found")
            source.close()
            if self._on_gone is not None:
                self._on_gone(source.name)
        self._refused &= set(there)
        for key, (index, name) in there.items():
            if key in self._open:
                continue
            try:
                source = _Input(self._rtmidi, self._api, index, name)
            except (self._rtmidi.RtMidiError, MidiError, SystemError) as error:
                if key not in self._refused:
                    self._refused.add(key)
                    with self._lock:
                        self._news.append(f"cannot open the MIDI input {name}: {error}")
                continue
            if self._on_opened is not None:
                self._on_opened(name, time.monotonic())
            with self._lock:
                self._open[key] = source
                self._news.append(f"MIDI input {name} is " + ("back" if key in self._seen else "there"))
            self._seen.add(key)
            self._refused.discard(key)

    def _wanted(self, name: str) -> bool:
        if name.startswith("gigmate"):
            return False
        if self._port_name is None:
            return "midi through" not in name.lower()
        return self._port_name.lower() in name.lower()

    def _close_all(self) -> None:
        with self._lock:
            sources = list(self._open.values())
            self._open.clear()
        for source in sources:
            source.close()
        self._scanner.delete()


class _Input:
    """One open input. The MIDI thread's own."""

    def __init__(self, rtmidi: Any, api: int, index: int, name: str) -> None:
        self.name = name
        self._errors = (rtmidi.RtMidiError, SystemError)
        self._client = _open_client(rtmidi, api, "gigmate", _QUEUE_MESSAGES)
        self._timestamps = TimestampFilter()
        self._empty_s = time.monotonic()
        """When the port's queue was last seen empty: what is in it came later."""
        try:
            # All of it: what python-rtmidi leaves out takes its share of the gaps with it.
            self._client.ignore_types(sysex=False, timing=False, active_sense=False)
            self._client.open_port(index, name="pedal")
        except BaseException:
            self._client.delete()
            raise

    def messages(self, now_s: float) -> list[tuple[Sequence[int], float]]:
        """What has come, each with its time: by the gaps that the port measured, and never outside this turn."""
        found: list[tuple[Sequence[int], float]] = []
        while len(found) < _MOST_AT_ONCE:
            got = self._client.get_message()
            if got is None:
                self._empty_s = now_s
                break
            message, gap_s = got
            found.append((message, self._timestamps.time_of(gap_s, self._empty_s, now_s)))
        return found

    def close(self) -> None:
        with contextlib.suppress(*self._errors):
            self._client.close_port()
        self._client.delete()


class TimestampFilter:
    """When messages came, by the gaps between them: a port measures those better than a poll finds the messages.

    One thread at a time.
    """

    def __init__(self) -> None:
        self._sum_s = 0.0  # the port's own clock
        self._offset_s: float | None = None

    def time_of(self, gap_s: float, earliest_s: float, latest_s: float) -> float:
        """The time of a message that came `gap_s` after the one before, and surely between the other two."""
        self._sum_s += max(0.0, gap_s)
        offset_s = latest_s - self._sum_s  # late by as long as the message waited; the least so far is the truest
        if self._offset_s is None:
            self._offset_s = offset_s
        else:
            drift_s = _DRIFT * max(0.0, gap_s)
            self._offset_s = min(self._offset_s + drift_s, offset_s)
        at_s = self._offset_s + self._sum_s
        if at_s < earliest_s:  # gaps were lost: begin anew from what is sure
            at_s = earliest_s
            self._offset_s = earliest_s - self._sum_s
        return at_s


class MidiPedals:
    """MIDI inputs of the system as the band's pedals and clock: posts the commands that their messages mean.

    Open it before a JACK client is activated: python-rtmidi stalls for seconds after that. Any thread.
    """

    def __init__(
        self,
        table: BindingTable,
        post: Callable[[Command], object],
        port_name: str | None = None,
        api: int | None = None,
        required: bool = True,
        stamp: Callable[[float], int] = lambda at_s: NOW,
    ) -> None:
        """`stamp`: the sample of a moment of time.monotonic, so that taps and clocks count from when they came.

        Raises MidiError as `MidiInputs` does. `post` and `stamp` are called on the MIDI thread, and must not wait.
        """
        self._table = table
        self._post, self._stamp = post, stamp
        self._throttle = CommandThrottle(post)
        self._gestures: dict[str, Gestures] = {}  # by port: two devices are two feet
        self._inputs = MidiInputs(self._receive, port_name, api, self._idle, required, self._opened, self._gone)

    @property
    def names(self) -> list[str]:
        """Any thread. The inputs that are open."""
        return self._inputs.names

    @property
    def lost(self) -> int:
        """Any thread. How often an input went away."""
        return self._inputs.lost

    def news(self) -> list[str]:
        """Any thread. What changed since the last call, in lines for the musician."""
        return self._inputs.news()

    def _receive(self, port: str, message: Sequence[int], at_s: float) -> None:
        if is_of_system(message):
            self._post(SystemMessage(bytes(message), self._stamp(at_s)))
            return
        event = event_of(message, at_s)
        if event is None:
            return
        status = event[1]
        if status == 0xF8:
            self._post(ClockTick(self._stamp(at_s)))
            return
        if status in _TRANSPORT:
            sixteenths = event[2] | event[3] << 7
            self._post(ClockTransport(_TRANSPORT[status], self._stamp(at_s), sixteenths))
        if status & 0xE0 == 0x80 or (status & 0xF0 == 0xB0 and event[2] in _OF_A_HAND):
            self._post(HandMessage(status, event[2], event[3], self._stamp(at_s), port))
        for command in self._gestures[port].commands(event):
            if isinstance(command, STAMPED):
                command = replace(command, at_sample=self._stamp(at_s))
            self._throttle.put(command, at_s)

    def _opened(self, port: str, at_s: float) -> None:
        gestures = self._gestures.get(port)
        if gestures is None:
            gestures = self._gestures[port] = Gestures(self._table, _UNITS_HZ, stamped=False)
        gestures.connected(int(at_s * _UNITS_HZ))

    def _gone(self, port: str) -> None:
        self._post(HandMessage(0xFF, device=port))

    def _idle(self, now_s: float) -> None:
        for gestures in self._gestures.values():
            for command in gestures.due(int(now_s * _UNITS_HZ)):
                self._throttle.put(command, now_s)
        self._throttle.flush(now_s)

    def close(self) -> None:
        """Close every input. May be called twice."""
        self._inputs.close()


def is_of_system(message: Sequence[int]) -> bool:
    """Whether that is a piece of time code, or a short message to all makers in real time: what the clocks read."""
    if len(message) < 2 or len(message) > _LONGEST:
        return False
    return message[0] == 0xF1 or (message[0] == 0xF0 and message[1] == 0x7F)


def event_of(message: Sequence[int], at_s: float) -> tuple[int, int, int, int] | None:
    """A whole MIDI message as an event, its position in microseconds; None for what nothing here is made of."""
    if not message or not 0x80 <= message[0] <= 0xFF:
        return None
    status = message[0]
    if status >= 0xF8:
        size = 1
    elif status >= 0xF0 and status != _LOCATE:
        return None
    else:
        size = 2 if status & 0xF0 in (0xC0, 0xD0) else 3
    if size > 1 and (len(message) != size or not all(0 <= byte < 0x80 for byte in message[1:])):
        return None
    data = [*message[1:size], 0, 0]
    return int(at_s * _UNITS_HZ), status, data[0], data[1]


def plain_name(name: str) -> str:
    """The name without the numbers that the system gives anew at each plugging in ("nanoKEY 24:0", "Pedal 2")."""
    return re.sub(r"\s+\d+(:\d+)?$", "", name.strip())


def list_midi_inputs() -> list[str]:
    """Names of the system's MIDI inputs. Raises MidiError where python-rtmidi or a MIDI system is missing."""
    rtmidi = _rtmidi()
    probe = _open_client(rtmidi, system_api(rtmidi), "gigmate")
    try:
        return [str(name) for name in probe.get_ports()]
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


def system_api(rtmidi: Any) -> int:
    """The system's own MIDI, never the libjack that the Linux wheel carries. Raises MidiError where there is none."""
    if not sys.platform.startswith("linux"):
        return int(rtmidi.API_MACOSX_CORE if sys.platform == "darwin" else rtmidi.API_WINDOWS_MM)
    if not os.path.exists("/dev/snd/seq"):  # asked first: libasound would write to stderr by itself
        raise MidiError("no ALSA MIDI here: load it with `sudo modprobe snd-seq`, or use MIDI on JACK")
    return int(rtmidi.API_LINUX_ALSA)


def _open_client(rtmidi: Any, api: int, name: str, queue_messages: int = 1024) -> Any:
    try:
        return rtmidi.MidiIn(api, name=name, queue_size_limit=queue_messages)
    except (rtmidi.RtMidiError, SystemError) as error:
        raise MidiError(f"no MIDI system here: {error}") from None
