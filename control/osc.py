"""OSC over UDP: takes commands from plug-ins, DAWs and tablets; sends status and beats.

Knows only commands and the status. One thread, `gigmate-osc`, reads and writes; methods may be called by any. It never
waits for the band, and what comes in can neither stop it nor fill the queue of commands.
"""

from __future__ import annotations

import heapq
import itertools
import math
import re
import select
import socket
import threading
import time
from collections.abc import Callable, Sequence

from ..engine.commands import Command, Panic, Stop, Toggle
from ..engine.status import Status
from .command_throttle import CommandThrottle, fader_of
from .osc_wire import (
    BeatAnnouncer,
    Message,
    OscError,
    beat_packet,
    command_of,
    messages_of,
    status_packets,
    status_values,
)

Endpoint = tuple[str, int]
LOCAL_HOST = "127.0.0.1"
STATUS_PERIOD_S = 0.05
"""20 times a second; fields that did not change are sent once a second."""
_ALL_PERIOD_S = 1.0
_LOOK_S = 0.01
"""How often the status is looked at for beats."""
_IDLE_S = 0.25
_SAME_AGAIN_S = 0.02
"""The same press again within so long is one press: some senders say everything twice."""
_PRESSES_A_SECOND = 100.0
_PRESSES_AT_ONCE = 50.0
_PACKETS_A_TURN = 32
"""Read at most so many each _LOOK_S: what comes faster waits in the system's buffer, and what that cannot hold is lost
there, at no cost to the band."""
_LATEST_S = 30.0
"""A bundle for a moment further away than this is a wrong clock, not a plan."""
_MOST_WAITING = 256


class OscSetupError(Exception):
    """OSC cannot be had as asked: one line that says what is wrong and what to do. Any thread."""


def parse_endpoint(option: str, text: str, host_needed: bool) -> Endpoint:
    """(host, port) of "9100" (this machine alone), "HOST:9100" or "[::1]:9100". Raises OscSetupError."""
    match = re.fullmatch(r"(?:(\[[0-9A-Fa-f:.%\w]+\]|[^\s:\[\]]+):)?(\d{1,5})", text.strip(), re.ASCII)
    form = "HOST:PORT, such as 192.168.1.20:9001" if host_needed else "[HOST:]PORT, such as 9100"
    if match is None or not 1 <= int(match[2]) <= 65535 or (host_needed and match[1] is None):
        raise OscSetupError(f"{option} {text}: give {form}")
    return (match[1] or LOCAL_HOST).strip("[]"), int(match[2])


class Osc:
    """Listens on one endpoint and tells others: open it, let it `begin` when there is a band, and close it.

    Any thread.
    """

    def __init__(
        self, listen: Endpoint | None = None, tell: Sequence[Endpoint] = (), by_time_tags: bool = False
    ) -> None:
        """Open the sockets. Raises OscSetupError: a port that is taken, a host that is not known.

        `by_time_tags`: what is stamped with a time to come waits for it, as only a sender with our clock can mean.
        What stops the band never waits.
        """
        self._by_time_tags = by_time_tags
        self._post: Callable[[Command], object] = _nobody
        self._status: Callable[[], Status] = Status
        self._throttle = CommandThrottle(self._count_post)
        self._press_credit, self._credited_s = _PRESSES_AT_ONCE, 0.0
        self._pressed: dict[Command, float] = {}
        self._waiting: list[tuple[float, int, Command]] = []
        self._order = itertools.count()
        self._lock = threading.Lock()
        self._news: list[str] = []
        self._reported_kinds: set[str] = set()
        self._end = threading.Event()
        self.received = 0
        """Messages that came."""
        self.posted = 0
        self.bad = 0
        """Packets that are no OSC, and messages that ask for nothing we know."""
        self.limited = 0
        """Presses that came too fast for any foot."""
        self.unsent = 0
        """Packets that found no way out."""
        self._in: socket.socket | None = None
        self._out: list[tuple[socket.socket, tuple[object, ...]]] = []
        self._wake_in, self._wake_out = socket.socketpair()
        try:
            if listen is not None:
                self._in = _listening_socket(listen)
            for endpoint in tell:
                self._out.append(_outgoing_socket(endpoint))
        except BaseException:
            self._close_sockets()
            raise
        self._thread = threading.Thread(target=self._run, name="gigmate-osc", daemon=True)

    def begin(self, post: Callable[[Command], object], status: Callable[[], Status]) -> None:
        """Start to listen and to tell. `post` and `status` are called on the OSC thread and must not wait."""
        self._post, self._status = post, status
        self._thread.start()

    def figures(self) -> dict[str, int]:
        """Any thread. What came and went, as plain values."""
        names = ("received", "posted", "bad", "limited", "unsent")
        return {name: int(getattr(self, name)) for name in names}

    @property
    def port(self) -> int:
        """The port that is listened on; 0 where none is."""
        return 0 if self._in is None else int(self._in.getsockname()[1])

    def news(self) -> list[str]:
        """Any thread. What is worth saying since the last call, each kind once."""
        with self._lock:
            news, self._news = self._news, []
        return news

    def close(self) -> None:
        """End the thread and close the sockets. May be called twice."""
        if not self._end.is_set():
            self._end.set()
            self._wake_out.send(b".")
            if self._thread.ident is not None:
                self._thread.join(timeout=5.0)
            self._close_sockets()

    # --------------------------------------------------------------------------------------------- the OSC thread

    def _run(self) -> None:
        beats, sent = BeatAnnouncer(), _SentFields()
        readers = [self._wake_in] + ([] if self._in is None else [self._in])
        while not self._end.is_set():
            now_s = time.monotonic()
            wait_s = _IDLE_S if not self._out else _LOOK_S
            if beats.due_s is not None:
                wait_s = min(wait_s, beats.due_s - now_s)
            if self._waiting or self._throttle.waiting:
                wait_s = min(wait_s, _LOOK_S)
            ready, _, _ = select.select(readers, [], [], max(0.0, wait_s))
            now_s = time.monotonic()
            if self._in is not None and self._in in ready:
                self._read(self._in, now_s)
            self._handle_due(now_s)
            self._throttle.flush(now_s)
            if self._out:
                self._send_status(beats, sent, now_s)

    def _read(self, source: socket.socket, now_s: float) -> None:
        for _ in range(_PACKETS_A_TURN):
            try:
                data, _sender = source.recvfrom(65_535)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:  # some systems tell here that a packet sent before was refused
                continue
            try:
                messages = messages_of(data)
            except OscError as error:
                self._fault("bad packet", f"OSC: a damaged packet: {error}")
                continue
            for message in messages:
                self.received += 1
                self._hear(message, now_s)
        self._end.wait(_LOOK_S)

    def _hear(self, message: Message, now_s: float) -> None:
        try:
            command = command_of(message, explain="unknown" not in self._reported_kinds)
        except OscError as error:
            self._fault("unknown", f"OSC: {error}")
            return
        if command is None:
            return
        ahead_s = message.due_s - time.time() if self._by_time_tags and message.due_s > 0.0 else 0.0
        if self._ends_sound(command):  # at once; and what was planned to come before it is not to come after it
            keeps_s = math.inf if isinstance(command, Panic) else now_s + ahead_s
            self._waiting = [one for one in self._waiting if one[0] > keeps_s]
            heapq.heapify(self._waiting)
        elif ahead_s > _LATEST_S or (ahead_s > 0.0 and len(self._waiting) >= _MOST_WAITING):
            self._fault("late", "OSC: a bundle with a time too far in the future: set the clock of the sender")
            return
        elif ahead_s > 0.0:
            heapq.heappush(self._waiting, (now_s + ahead_s, next(self._order), command))
            return
        self._handle(command, now_s)

    def _ends_sound(self, command: Command) -> bool:
        if isinstance(command, Toggle):
            return self._status().state not in ("loading", "stopped", "stopping")
        return isinstance(command, (Stop, Panic))

    def _handle_due(self, now_s: float) -> None:
        while self._waiting and self._waiting[0][0] <= now_s:
            self._handle(heapq.heappop(self._waiting)[2], now_s)

    def _handle(self, command: Command, now_s: float) -> None:
        if fader_of(command) is None and not self._may_press(command, now_s):
            self.limited += 1
            return
        self._throttle.put(command, now_s)

    def _may_press(self, command: Command, now_s: float) -> bool:
        if now_s - self._pressed.get(command, float("-inf")) < _SAME_AGAIN_S:
            return False
        if len(self._pressed) > 256:
            self._pressed = {c: at_s for c, at_s in self._pressed.items() if now_s - at_s < _SAME_AGAIN_S}
        self._press_credit += (now_s - self._credited_s) * _PRESSES_A_SECOND
        self._press_credit = min(self._press_credit, _PRESSES_AT_ONCE)
        self._credited_s = now_s
        if self._press_credit < 1.0 and not isinstance(command, Panic):
            return False
        self._press_credit -= 1.0
        self._pressed[command] = now_s
        return True

    def _count_post(self, command: Command) -> None:
        self.posted += 1
        self._post(command)

    def _fault(self, kind: str, line: str) -> None:
        self.bad += 1
        self._add_news(kind, line)

    def _add_news(self, kind: str, line: str) -> None:
        if kind not in self._reported_kinds:
            with self._lock:
                self._reported_kinds.add(kind)
                self._news.append(line)

    def _send_status(self, beats: BeatAnnouncer, sent: _SentFields, now_s: float) -> None:
        status = self._status()
        for beat in beats.beats(status, now_s):
            self._send(beat_packet(beat))
        if now_s >= sent.next_s:
            sent.next_s = max(sent.next_s + STATUS_PERIOD_S, now_s + STATUS_PERIOD_S / 2)
            for packet in status_packets(sent.changed(status_values(status), now_s)):
                self._send(packet)

    def _send(self, packet: bytes) -> None:
        for out, address in self._out:
            try:
                out.sendto(packet, address)  # type: ignore[arg-type]
            except (BlockingIOError, InterruptedError):
                self.unsent += 1
            except OSError as error:
                self.unsent += 1
                self._add_news("unsent", f"OSC: nothing gets through to {address[0]}:{address[1]} ({error.strerror})")

    def _close_sockets(self) -> None:
        for one in (self._in, self._wake_in, self._wake_out, *(out for out, _ in self._out)):
            if one is not None:
                one.close()


def _nobody(command: Command) -> None:
    """Before there is a band."""


class _SentFields:
    """What the listeners know: a field is sent when it changes, and all of them once a second."""

    def __init__(self) -> None:
        self.next_s = float("-inf")
        self._all_s = float("-inf")
        self._values: dict[str, tuple[object, ...]] = {}

    def changed(self, values: dict[str, tuple[object, ...]], now_s: float) -> dict[str, tuple[object, ...]]:
        before = self._values
        self._values = values
        if now_s >= self._all_s:
            self._all_s = now_s + _ALL_PERIOD_S
            return values
        return {name: value for name, value in values.items() if before.get(name) != value}


def _addresses(endpoint: Endpoint, passive: bool) -> tuple[int, tuple[object, ...]]:
    host, port = endpoint
    flags = socket.AI_PASSIVE if passive else 0
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM, flags=flags)
    except (socket.gaierror, UnicodeError):
        raise OscSetupError(f"OSC: there is no host {host}: check the name, or give its address") from None
    family, _, _, _, address = found[0]
    return int(family), address


def _listening_socket(endpoint: Endpoint) -> socket.socket:
    family, address = _addresses(endpoint, passive=True)
    one = socket.socket(family, socket.SOCK_DGRAM)
    try:
        one.bind(address)
    except OSError as error:
        one.close()
        raise OscSetupError(
            f"OSC cannot listen on {endpoint[0]}:{endpoint[1]} ({error.strerror}): give another port to --osc"
        ) from None
    one.setblocking(False)
    return one


def _outgoing_socket(endpoint: Endpoint) -> tuple[socket.socket, tuple[object, ...]]:
    family, address = _addresses(endpoint, passive=False)
    one = socket.socket(family, socket.SOCK_DGRAM)
    one.setblocking(False)
    return one, address
