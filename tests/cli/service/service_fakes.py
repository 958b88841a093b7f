"""A real uvicorn on 127.0.0.1 in a thread, around a band of fakes that hears and hums."""

from __future__ import annotations

import contextlib
import io
import json
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import soundfile
import uvicorn
from gigmate.band import Band
from gigmate.cli import serve
from gigmate.cli.service.service_limits import Limits
from gigmate.cli.service.workers.running import server_config
from gigmate.engine.player import Controls, HeardFrame, Moment

RATE_HZ = 48_000


class Echoist:
    """A Player whose sound depends on its seed, on all that it heard and on the moments that it was told."""

    sample_rate_hz, frame_samples, tail_samples, play_delay_samples = 32_000, 1280, 640, 320
    pause_s = 0.0

    def __init__(self, seed: int = 0) -> None:
        self.reset(seed, 2)

    def reset(self, seed: int, ahead_frames: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.heard = np.zeros(1280, np.float32)
        self.ahead = ahead_frames

    def set_ahead(self, ahead_frames: int) -> None:
        self.ahead = ahead_frames

    def listen(self, chunk: np.ndarray) -> HeardFrame:
        self.heard = 0.5 * self.heard + chunk[640:] + 0.1 * chunk[:640].mean()
        return HeardFrame(activity=1.0, level_db=-20.0)

    def play(self, moment: Moment, controls: Controls) -> np.ndarray:
        if self.pause_s:
            time.sleep(self.pause_s)
        noise = self.rng.standard_normal((3, 1280)) * 0.02
        made = noise + 0.3 * self.heard * (1 + moment.beat_phase) * (0.5 + controls.density)
        return np.clip(made, -4.0, 4.0).astype(np.float32)


class Note(NamedTuple):
    """A NoteEvent."""

    part: int
    pitch: int
    velocity: int
    offset_samples: int


class Noted(Echoist):
    """A drum at the beginning of every tenth frame, over with the next one."""

    frames = 0

    def reset(self, seed: int, ahead_frames: int) -> None:
        super().reset(seed, ahead_frames)
        self.frames = 0

    def play(self, moment: Moment, controls: Controls) -> np.ndarray:
        self.frames += 1
        return super().play(moment, controls)

    def notes(self) -> list[Note]:
        return [Note(0, 36, 100, 320)] if self.frames % 10 == 1 else [Note(0, 36, 0, 0)] * (self.frames % 10 == 2)


class SlowEchoist(Echoist):
    pause_s = 0.05


class Server:
    """What a test needs of one running server."""

    def __init__(self, band: Band, limits: Limits, token: str | None) -> None:
        self._socket = serve.listen("127.0.0.1", 0)
        self.port = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.ws = f"ws://127.0.0.1:{self.port}"
        self._server = uvicorn.Server(server_config(band, limits, token))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)
        self._thread.start()
        end_s = time.monotonic() + 60
        while not self._server.started and time.monotonic() < end_s:
            time.sleep(0.01)
        assert self._server.started

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(30)
        self._socket.close()
        assert not self._thread.is_alive()


@contextlib.contextmanager
def serving(band: Band | None = None, token: str | None = None, **limits: float) -> Iterator[Server]:
    server = Server(band or Band(Echoist), Limits(**limits), token)  # type: ignore[arg-type]
    try:
        yield server
    finally:
        server.stop()


def lead(seconds: float, rate_hz: int = RATE_HZ) -> np.ndarray:
    n = np.arange(round(seconds * rate_hz))
    return (0.2 * np.sin(2 * np.pi * 220 * n / rate_hz) * (n % (rate_hz // 2) < rate_hz // 8)).astype(np.float32)


def wav(sound: np.ndarray, rate_hz: int = RATE_HZ, form: str = "WAV", subtype: str = "FLOAT") -> bytes:
    file = io.BytesIO()
    soundfile.write(file, sound, rate_hz, subtype, format=form)
    return file.getvalue()


def multipart(
    data: bytes, fields: dict[str, object], name: str = "request", chart_file: tuple[str, bytes] | None = None
) -> tuple[bytes, str]:
    """Body and content type, as any client makes them; `chart_file`: name and bytes of a second file."""
    mark = uuid.uuid4().hex
    lines = b"".join(
        f'--{mark}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in fields.items()
    )
    if chart_file is not None:
        where = f'--{mark}\r\nContent-Disposition: form-data; name="chart_file"; filename="{chart_file[0]}"\r\n\r\n'
        lines += where.encode() + chart_file[1] + b"\r\n"
    head = f'--{mark}\r\nContent-Disposition: form-data; name="{name}"; filename="a.wav"\r\n\r\n'.encode()
    return lines + head + data + f"\r\n--{mark}--\r\n".encode(), f"multipart/form-data; boundary={mark}"


def ask(
    url: str, data: bytes | None = None, method: str | None = None, headers: dict[str, str] | None = None
) -> tuple[int, bytes]:
    """(status, body) of one request."""
    request = urllib.request.Request(url, data, headers or {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def post(url: str, data: bytes, headers: dict[str, str] | None = None, **fields: object) -> tuple[int, bytes]:
    """POST a file as the field `request`."""
    body, kind = multipart(data, fields)
    return ask(url, body, "POST", {"Content-Type": kind, **(headers or {})})


def error_of(answer: tuple[int, bytes]) -> tuple[int, str]:
    """(status, the one line)."""
    text = json.loads(answer[1])["error"]
    assert "\n" not in text
    return answer[0], text
