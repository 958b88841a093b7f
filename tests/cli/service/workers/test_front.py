"""Several worker processes behind one port, for real: connections handed over, workers killed, a good end."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync import client
from websockets.sync.client import ClientConnection

from ....engine.fakes import wait_until
from ..service_fakes import RATE_HZ, ask, lead, post, wav

pytestmark = pytest.mark.skipif(os.name != "posix", reason="connections are handed over on POSIX alone")


class Serving:
    """`gigmate serve --workers 2`, and its processes."""

    def __init__(self, weights: Path, folder: Path, *options: str) -> None:
        folder.mkdir(exist_ok=True)
        self.said, self.log, self.faults = folder / "said", folder / "access", folder / "faults"
        environment = {**os.environ, "GIGMATE_TOKEN": ""}
        with self.said.open("w") as said, self.faults.open("w") as faults:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gigmate", "serve", "--port", "0", "--workers", "2", "--files", "1", "--weights",
                 str(weights), "--access-log", str(self.log), *options],
                stdout=said, stderr=faults, env=environment,
            )  # fmt: skip
        assert wait_until(lambda: "room for" in self.said.read_text() or self.process.poll() is not None, 100)
        found = re.search(r"127\.0\.0\.1:(\d+)", self.said.read_text())
        assert found, self.faults.read_text()
        self.url, self.ws = f"http://127.0.0.1:{found[1]}", f"ws://127.0.0.1:{found[1]}"

    def children(self, nice: bool) -> list[int]:
        """Processes that serve streams, or those that complete files, which are nice."""
        pids = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        usual = os.getpriority(os.PRIO_PROCESS, self.process.pid)
        return [pid for pid in map(int, pids) if (os.getpriority(os.PRIO_PROCESS, pid) > usual) == nice]

    def metric(self, name: str) -> float:
        text = ask(self.url + "/metrics")[1].decode()
        return float(re.search(rf"^gigmate_{re.escape(name)} (\S+)$", text, re.M)[1])  # type: ignore[index]

    def play(self) -> tuple[ClientConnection, dict[str, object]]:
        socket = client.connect(self.ws + "/stream", compression=None).__enter__()
        socket.send(json.dumps({"type": "hello", "version": 1, "rate_hz": RATE_HZ}))
        return socket, json.loads(socket.recv(timeout=60))

    def end(self) -> int:
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise


@pytest.fixture(scope="module")
def serving(tiny_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    server = Serving(tiny_weights, tmp_path_factory.mktemp("serving"))
    yield server
    assert server.end() == 128 + signal.SIGTERM


def block(index: int, samples: int = 1920) -> bytes:
    return index.to_bytes(4, "little") + (index * samples).to_bytes(8, "little") + bytes(4 * samples)


def ack_of(socket: ClientConnection, index: int) -> None:
    """Send a block, and wait until it was taken."""
    socket.send(block(index))
    while isinstance(message := socket.recv(timeout=30), bytes) or json.loads(message)["type"] != "ack":
        pass


def test_requests_and_sums_of_all_processes(serving: Serving) -> None:
    """Any worker answers for any job; streams are dealt out evenly; the counters are those of all."""
    status, body = post(serving.url + "/predict", wav(lead(1.0)))
    assert status == 200 and body[:4] == b"RIFF"
    job = json.loads(post(serving.url + "/jobs", wav(lead(1.0)))[1])["id"]
    assert wait_until(lambda: json.loads(ask(f"{serving.url}/jobs/{job}")[1])["state"] == "done", 60)
    for _ in range(2):  # once from each worker
        assert ask(f"{serving.url}/jobs/{job}/result")[1][:4] == b"RIFF"
    assert ask(f"{serving.url}/jobs/{job}", method="DELETE")[0] == 204
    health = json.loads(ask(serving.url + "/health")[1])
    assert health["processes"] == 4  # the front, two for streams, one for files
    before = serving.metric("streams_begun_total")
    room = serving.metric("room")
    sockets = [serving.play()[0] for _ in range(2)]
    for socket in sockets:
        for index in range(10):
            ack_of(socket, index)
    assert wait_until(lambda: serving.metric("streams") == 2, 10)
    assert serving.metric("streams_begun_total") == before + 2
    assert wait_until(lambda: serving.metric("pieces_total") >= 2, 10)
    assert serving.metric("room") < room
    for socket in sockets:
        socket.close()
    assert wait_until(lambda: serving.metric("streams") == 0, 10)
    lines = serving.log.read_text().splitlines()
    assert any('"POST /predict" 200' in line for line in lines)
    assert sum('"WebSocket /stream"' in line for line in lines) == 2


def test_a_worker_that_is_killed_is_started_again_and_said(serving: Serving) -> None:
    """The streams of the others play on, its own end, and the counters keep what it has counted. A busy machine may
    have measured more room in one of the two, which then has both streams."""
    counted = serving.metric("streams_begun_total") + 2
    sockets = [serving.play()[0] for _ in range(2)]
    assert wait_until(lambda: serving.metric("streams_begun_total") == counted, 10)
    time.sleep(0.6)  # the front knows it as well
    victim = serving.children(nice=False)[0]
    os.kill(victim, signal.SIGKILL)
    lost = 0
    for socket in sockets:
        try:
            ack_of(socket, 0)
        except ConnectionClosed:
            lost += 1
    assert wait_until(
        lambda: len(serving.children(nice=False)) == 2 and "takes its place" in serving.faults.read_text()
    )
    assert f"(process {victim}) ended by signal 9: {lost} streams are lost" in serving.faults.read_text()
    assert wait_until(lambda: serving.metric("worker_deaths_total") >= 1, 30)
    assert serving.metric("streams_begun_total") == counted
    assert wait_until(lambda: json.loads(ask(serving.url + "/health")[1])["processes"] == 4, 60)
    for socket in sockets:
        socket.close()


def test_a_file_whose_worker_is_killed_is_completed_by_the_next_one(serving: Serving) -> None:
    job = json.loads(post(serving.url + "/jobs", wav(lead(60.0, 8000), 8000))[1])["id"]

    def state() -> str:
        return str(json.loads(ask(f"{serving.url}/jobs/{job}")[1])["state"])

    assert wait_until(lambda: state() == "working", 60)
    os.kill(serving.children(nice=True)[0], signal.SIGKILL)
    assert wait_until(lambda: "1 files wait again" in serving.faults.read_text(), 30)
    assert wait_until(lambda: state() == "done", 100)
    assert ask(f"{serving.url}/jobs/{job}/result")[1][:4] == b"RIFF"
    ask(f"{serving.url}/jobs/{job}", method="DELETE")


def test_a_good_end(tiny_weights: Path, tmp_path: Path) -> None:
    """Streams are told and seen off in time; who comes meanwhile is refused in words; jobs outlive the server."""
    spool = tmp_path / "spool"
    server = Serving(tiny_weights, tmp_path, "--drain", "2", "--spool", str(spool))
    assert ask(server.url + "/readyz")[0] == 200
    socket, _ = server.play()
    ack_of(socket, 0)
    for _ in range(2):
        assert post(server.url + "/jobs", wav(lead(1200.0, 8000), 8000))[0] == 202
    server.process.terminate()
    messages = []
    index, began_s = 1, time.monotonic()
    try:
        while True:
            messages.append(socket.recv(timeout=0.02) if index % 2 else None)
            index += 1
    except TimeoutError:
        pass
    assert wait_until(lambda: ask(server.url + "/readyz")[0] == 503, 2)
    assert post(server.url + "/jobs", wav(lead(0.1)))[0] == 503
    late = client.connect(server.ws + "/stream").__enter__()
    assert "about to end" in json.loads(late.recv(timeout=5))["error"]
    with pytest.raises(ConnectionClosed) as closed:
        while True:
            messages.append(socket.recv(timeout=10))
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 1001
    texts = [json.loads(message)["type"] for message in messages if isinstance(message, str)]
    assert "leaving" in texts and texts[-1] == "end"
    sound = b"".join(message[12:] for message in messages if isinstance(message, bytes))
    assert np.frombuffer(sound, "<f4").size <= 1920
    assert server.process.wait(30) == 128 + signal.SIGTERM
    assert time.monotonic() - began_s < 20
    assert len(list((spool / "queue").iterdir())) == 2, "handed back"
