"""What a hostile client sends, over 127.0.0.1: an answer every time, in bounded memory and time, and no file left."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import struct
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .service_fakes import RATE_HZ, Server, ask, error_of, lead, multipart, post, serving, wav

REFUSED = (400, 408, 411, 413, 415, 422)
MOST_GROWTH_MIB = 96.0
FUZZ = settings(
    max_examples=30, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def temp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where temporary files go meanwhile."""
    before, folder = tempfile.tempdir, tmp_path_factory.mktemp("temp")
    tempfile.tempdir = str(folder)
    yield folder
    tempfile.tempdir = before


@pytest.fixture(scope="module")
def server(temp: Path) -> Iterator[Server]:
    with serving(
        upload_bytes=2_000_000, predict_s=20.0, job_s=20.0, files=2, waiting=8, upload_pause_s=1.0, upload_s=3.0,
        uploads=4, kept=100, result_bytes=3_000_000,
    ) as server:  # fmt: skip
        assert post(server.url + "/predict", wav(lead(0.2)))[0] == 200  # all that is loaded once is loaded
        yield server
    assert not list(temp.rglob("*")), "nothing stays"


def resident_mib() -> float:
    """What this process, with the server in it, holds now; 0 where Linux is not there to say."""
    if sys.platform != "linux":
        return 0.0
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def files_in(folder: Path) -> list[str]:
    """Names of all files below; a folder that the server removes meanwhile holds none."""
    return [name for _, _, names in os.walk(folder) for name in names]


@pytest.fixture(autouse=True)
def bounded(server: Server, temp: Path) -> Iterator[None]:
    """Whatever a test does: memory stays, the server answers, and no file is left."""
    before_mib = resident_mib()
    yield
    assert resident_mib() - before_mib < MOST_GROWTH_MIB
    end_s = time.monotonic() + 20
    health: dict = {}
    while time.monotonic() < end_s:
        health = json.loads(ask(server.url + "/health")[1])
        if not files_in(temp) and not health["jobs"]["working"]:
            break
        time.sleep(0.05)
    assert health["status"] == "ok"
    assert not files_in(temp)


# ------------------------------------------------------------------------------------------------- files that lie


def chunked(kind: bytes, *chunks: tuple[bytes, int, bytes]) -> bytes:
    """RIFF-like, each chunk with the length that it claims."""
    body = b"".join(name + struct.pack("<I", claimed) + data for name, claimed, data in chunks)
    return kind + struct.pack("<I", 2**32 - 1) + b"WAVE" + body


def form(channels: int = 1, rate_hz: int = RATE_HZ, bits: int = 16, code: int = 1, align: int | None = None) -> bytes:
    align = channels * bits // 8 if align is None else align
    return struct.pack("<HHIIHH", code, channels, rate_hz, rate_hz * align % 2**32, align % 2**16, bits)


def rf64(claimed_bytes: int) -> bytes:
    """A WAV of 64-bit lengths that claims so many bytes."""
    sizes = struct.pack("<QQQI", claimed_bytes + 100, claimed_bytes, claimed_bytes // 2, 0)
    body = b"ds64" + struct.pack("<I", len(sizes)) + sizes + b"fmt " + struct.pack("<I", 16) + form()
    return (
        b"RF64" + struct.pack("<I", 2**32 - 1) + b"WAVE" + body + b"data" + struct.pack("<I", 2**32 - 1) + bytes(4000)
    )


def flac_of_silence(seconds: float, rate_hz: int = 8_000, channels: int = 1, length_told: bool = True) -> bytes:
    """Minutes of silence in some kilobytes; or one that does not say how long it is."""
    data = bytearray(wav(np.zeros((round(seconds * rate_hz), channels), np.float32), rate_hz, "FLAC", "PCM_16"))
    if not length_told:
        assert data[:4] == b"fLaC"
        data[8 + 13] &= 0xF0
        data[8 + 14 : 8 + 18] = bytes(4)
    return bytes(data)


SOUND = wav(lead(0.3))
LIARS: dict[str, tuple[Callable[[], bytes], tuple[int, ...]]] = {
    "ten gigabytes of WAV": (lambda: rf64(10 * 2**30), (200, 413)),
    "a length of 2**63": (lambda: rf64(2**63 - 2), (200, 413, 415)),
    "a rate of 0": (lambda: chunked(b"RIFF", (b"fmt ", 16, form(rate_hz=0)), (b"data", 4000, bytes(4000))), (415,)),
    "a rate of 1": (lambda: chunked(b"RIFF", (b"fmt ", 16, form(rate_hz=1)), (b"data", 4000, bytes(4000))), (415,)),
    "1000 channels": (lambda: chunked(b"RIFF", (b"fmt ", 16, form(1000)), (b"data", 4000, bytes(4000))), (415,)),
    "no channel": (lambda: chunked(b"RIFF", (b"fmt ", 16, form(0)), (b"data", 4000, bytes(4000))), (415,)),
    "no bits": (lambda: chunked(b"RIFF", (b"fmt ", 16, form(bits=0)), (b"data", 4000, bytes(4000))), (200, 415)),
    "another alignment": (
        lambda: chunked(b"RIFF", (b"fmt ", 16, form(2, align=1)), (b"data", 4000, bytes(4000))), (200, 415)
    ),
    "a chunk of 4 GB before the sound": (
        lambda: chunked(b"RIFF", (b"fmt ", 16, form()), (b"LIST", 2**32 - 1, bytes(4000))), (415,)
    ),
    "a format of 4 GB": (lambda: chunked(b"RIFF", (b"fmt ", 2**32 - 1, form())), (415,)),
    "an hour of silence": (lambda: flac_of_silence(3600), (413,)),
    "half an hour that says no length": (lambda: flac_of_silence(1800, length_told=False), (413, 415)),
    "a FLAC cut": (lambda: flac_of_silence(10, 44_100)[:150], (415,)),
    "a FLAC at a rate that no sound has": (lambda: flac_of_silence(0.01, 655_350), (415,)),
}  # fmt: skip


@pytest.mark.parametrize("path", ["/predict", "/jobs"])
@pytest.mark.parametrize("name", LIARS)
def test_headers_are_not_believed(server: Server, name: str, path: str) -> None:
    make, allowed = LIARS[name]
    status, body = post(server.url + path, make())
    if path == "/predict":
        assert status in allowed
        return
    assert status == 202
    job = json.loads(body)
    end_s = time.monotonic() + 60
    while job["state"] in ("waiting", "working") and time.monotonic() < end_s:
        time.sleep(0.05)
        job = json.loads(ask(f"{server.url}/jobs/{job['id']}")[1])
    result = ask(f"{server.url}/jobs/{job['id']}/result")[0]
    assert ask(f"{server.url}/jobs/{job['id']}", method="DELETE")[0] == 204
    assert result in allowed, job
    assert job["state"] == ("done" if result == 200 else "failed")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38, 1e-44])
def test_numbers_that_are_no_sound(server: Server, value: float) -> None:
    sound = lead(0.3).astype(np.float64)
    sound[2000:9000] = value
    for subtype in ("FLOAT", "DOUBLE"):
        status, body = post(server.url + "/predict", wav(sound, subtype=subtype), mix="true")
        assert status == 200
        assert body[:4] == b"RIFF"


def test_a_result_larger_than_a_disk_has_room_for(server: Server) -> None:
    """A few kilobytes may ask for gigabytes: eight channels at 192 kHz, with the recording in the answer."""
    data = flac_of_silence(0.05, 192_000, 8)
    assert len(data) < 20_000
    code, text = error_of(post(server.url + "/predict", data, output_length_in_seconds=19, mix="true"))
    assert code == 413
    assert "8 channels at 192000 Hz" in text


@FUZZ
@given(
    kind=st.sampled_from(["WAV", "FLAC", "OGG", "AIFF", "W64", "CAF", "AU"]),
    turned=st.lists(st.tuples(st.integers(0, 2**31), st.integers(0, 255)), max_size=12),
    early=st.booleans(),
    cut=st.floats(0.01, 1.0),
)
def test_any_damage(server: Server, kind: str, turned: list[tuple[int, int]], early: bool, cut: float) -> None:
    data = bytearray(wav(lead(0.1), form=kind, subtype="VORBIS" if kind == "OGG" else "PCM_16"))
    for place, value in turned:
        data[place % (min(120, len(data)) if early else len(data))] = value
    whole = bytes(data[: max(1, round(cut * len(data)))])
    assert post(server.url + "/predict", whole, output_length_in_seconds=0.1)[0] in (200, 400, 413, 415)


# ----------------------------------------------------------------------------------------------- requests that lie


@FUZZ
@given(
    body=st.one_of(
        st.binary(max_size=400),
        st.builds(
            lambda heads, end: b"".join(b"--x\r\n" + head + b"\r\n\r\nabc\r\n" for head in heads) + end,
            st.lists(
                st.sampled_from(
                    [
                        b'Content-Disposition: form-data; name="request"; filename="a"',
                        b'Content-Disposition: form-data; name="request"',
                        b'Content-Disposition: form-data; name="seed"',
                        b"Content-Disposition: form-data",
                        b"Content-Disposition: attachment",
                        b"Content-Type: " + b"a" * 300,
                        b"\xff\xfe: \x00",
                        b"",
                    ]
                ),
                max_size=5,
            ),
            st.sampled_from([b"--x--\r\n", b"--x", b"", b"\r\n\r\n", b"--y--\r\n"]),
        ),
    ),
    kind=st.sampled_from(
        [
            "multipart/form-data; boundary=x",
            "multipart/form-data",
            "multipart/form-data; boundary=",
            "multipart/form-data; boundary=" + "x" * 5000,
            "multipart/mixed; boundary=x",
            "application/x-www-form-urlencoded",
            "application/json",
            "audio/wav",
        ]
    ),
)
def test_any_form(server: Server, body: bytes, kind: str) -> None:
    assert ask(server.url + "/predict", body, "POST", {"Content-Type": kind})[0] in REFUSED


def test_many_parts(server: Server) -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="request"; filename="a"\r\n\r\nabc\r\n'
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    assert ask(server.url + "/predict", 5000 * part + b"--x--\r\n", "POST", kind)[0] in REFUSED
    assert post(server.url + "/predict", SOUND, chart="| C " * 300_000)[0] in REFUSED


def raw(server: Server, head: str) -> socket.socket:
    line = socket.create_connection(("127.0.0.1", server.port), timeout=30)
    line.sendall(f"POST /predict HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n{head}\r\n\r\n".encode())
    return line


def answer_of(line: socket.socket) -> int:
    """The status; 0 where the line was cut instead."""
    got = b""
    with contextlib.suppress(ConnectionError):
        while b"\r\n" not in got and (piece := line.recv(4096)):
            got += piece
    line.close()
    return int(got.split()[1]) if got else 0


@pytest.mark.parametrize("claimed", [10 * 2**30, 2**63, 10**30])
def test_ten_gigabytes_are_refused_before_they_are_sent(server: Server, claimed: int) -> None:
    line = raw(server, f"Content-Length: {claimed}\r\nContent-Type: multipart/form-data; boundary=x")
    assert answer_of(line) in (400, 413)


@pytest.mark.parametrize("claimed", ["-1", "abc", "1, 2", "0x10"])
def test_a_length_that_is_none(server: Server, claimed: str) -> None:
    line = raw(server, f"Content-Length: {claimed}\r\nContent-Type: multipart/form-data; boundary=x")
    assert answer_of(line) == 400


CHUNKS = "Transfer-Encoding: chunked\r\nContent-Type: multipart/form-data; boundary=x"
FILE = b'--x\r\nContent-Disposition: form-data; name="request"; filename="a"\r\n\r\n'


def send_endlessly(server: Server, size: int, pause_s: float, most_s: float) -> tuple[int, float]:
    """(status, seconds) of a body that would never end."""
    line = raw(server, CHUNKS)
    began_s = time.monotonic()
    with contextlib.suppress(ConnectionError):
        line.sendall(f"{len(FILE):x}\r\n".encode() + FILE + b"\r\n")
        while time.monotonic() - began_s < most_s:
            line.sendall(f"{size:x}\r\n".encode() + bytes(size) + b"\r\n")
            time.sleep(pause_s)
            line.setblocking(False)
            try:
                if line.recv(1, socket.MSG_PEEK):
                    break
            except BlockingIOError:
                pass
            line.settimeout(30)
    took_s = time.monotonic() - began_s
    line.settimeout(30)
    return answer_of(line), took_s


def test_a_body_without_end_is_cut_by_its_size(server: Server) -> None:
    status, took_s = send_endlessly(server, 100_000, 0.0, 30.0)
    assert status in (0, 413)
    assert took_s < 29.0


def test_a_body_that_drips_is_cut_by_the_time(server: Server) -> None:
    status, took_s = send_endlessly(server, 1, 0.1, 30.0)
    assert status == 408
    assert took_s < 20.0


def test_headers_without_end(server: Server) -> None:
    line = socket.create_connection(("127.0.0.1", server.port), timeout=30)
    sent = 0
    with contextlib.suppress(ConnectionError, TimeoutError):
        line.sendall(b"POST /predict HTTP/1.1\r\nX: ")
        while sent < 50_000_000:
            line.sendall(bytes([97]) * 100_000)
            sent += 100_000
    assert sent < 50_000_000
    assert answer_of(line) in (0, 400, 431)


def test_uploads_at_once_have_a_limit_that_is_said(server: Server) -> None:
    """Four are on their way: the fifth is told so, and has its turn when they have gone."""
    lines = [raw(server, CHUNKS) for _ in range(4)]
    for line in lines:
        line.sendall(f"{len(FILE):x}\r\n".encode() + FILE + b"\r\n")
    end_s = time.monotonic() + 20
    answers: list[tuple[int, bytes]] = []
    while time.monotonic() < end_s and not any(status == 503 for status, _ in answers):
        answers.append(post(server.url + "/predict", SOUND))
    assert error_of(answers[-1])[0] == 503
    assert "4 uploads" in error_of(answers[-1])[1]
    assert {answer_of(line) for line in lines} == {408}
    assert post(server.url + "/predict", SOUND)[0] == 200


def test_clients_that_go_in_the_middle(server: Server) -> None:
    body, kind = multipart(wav(lead(2.0)), {})

    def go(share: float) -> None:
        line = raw(server, f"Content-Length: {len(body)}\r\nContent-Type: {kind}")
        with contextlib.suppress(ConnectionError):
            line.sendall(body[: round(share * len(body))])
        line.close()

    threads = [threading.Thread(target=go, args=(share,)) for share in (0.0, 0.01, 0.5, 0.99, 1.0)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)


def test_results_that_nobody_fetches_have_a_limit(temp: Path) -> None:
    with serving(files=1, waiting=4, kept=2) as server:
        for _ in range(2):
            job = json.loads(post(server.url + "/jobs", wav(lead(0.2)))[1])["id"]
            end_s = time.monotonic() + 30
            while json.loads(ask(f"{server.url}/jobs/{job}")[1])["state"] != "done" and time.monotonic() < end_s:
                time.sleep(0.02)
        code, text = error_of(post(server.url + "/predict", SOUND))
        assert code == 503
        assert "2 results" in text
        assert ask(f"{server.url}/jobs/{job}", method="DELETE")[0] == 204
        assert post(server.url + "/predict", SOUND)[0] == 200


def test_connections_have_a_limit_that_is_said(temp: Path) -> None:
    with serving(connections=4) as server:
        held = [socket.create_connection(("127.0.0.1", server.port), timeout=10) for _ in range(4)]
        end_s = time.monotonic() + 10
        status = 0
        while status != 503 and time.monotonic() < end_s:
            line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
            line.request("GET", "/health")
            status = line.getresponse().status
            line.close()
        assert status == 503
        for line in held:
            line.close()
        while ask(server.url + "/health")[0] != 200 and time.monotonic() < end_s + 10:
            time.sleep(0.05)
        assert ask(server.url + "/health")[0] == 200
