"""The HTTP half over 127.0.0.1: WAV in and out, jobs, limits, tokens, broken uploads, and no file left behind."""

from __future__ import annotations

import http.client
import io
import json
import socket
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile
from gigmate.band import Band
from gigmate.cli import boundary, main, serve
from gigmate.cli.service.workers import launch

from ...engine.fakes import wait_until
from .service_fakes import RATE_HZ, Echoist, Server, SlowEchoist, ask, error_of, lead, multipart, post, serving, wav


@pytest.fixture(scope="module")
def temp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where temporary files go meanwhile."""
    before, folder = tempfile.tempdir, tmp_path_factory.mktemp("temp")
    tempfile.tempdir = str(folder)
    yield folder
    tempfile.tempdir = before


@pytest.fixture(scope="module")
def server(temp: Path) -> Iterator[Server]:
    with serving(upload_bytes=2_000_000, predict_s=20.0, job_s=60.0, files=2, waiting=2, upload_pause_s=1.0) as server:
        yield server
    assert not list(temp.rglob("*")), "nothing stays"


def files(temp: Path) -> list[Path]:
    return [path for path in temp.rglob("*") if path.is_file()]


def test_predict_answers_with_the_bands_own_samples(server: Server, temp: Path) -> None:
    sound = lead(1.0)
    status, body = post(server.url + "/predict", wav(sound), seed=4, preset="funk")
    assert status == 200
    played, rate_hz = soundfile.read(io.BytesIO(body), dtype="float32")
    assert rate_hz == RATE_HZ
    ours = Band(Echoist).accompany(sound, RATE_HZ, seed=4, preset="funk")
    np.testing.assert_allclose(played, ours.mix, atol=2.0**-22)
    assert not files(temp)


def test_predict_answers_with_notes(server: Server, temp: Path) -> None:
    """A MIDI file instead of sound, at once and as a job; a player without notes gives one without notes."""
    status, body = post(server.url + "/predict?format=midi", wav(lead(1.0)), seed=4)
    assert status == 200
    assert [track.name for track in mido.MidiFile(file=io.BytesIO(body)).tracks[1:]] == ["drums", "bass", "keys"]
    status, body = post(server.url + "/predict?format=mp3", wav(lead(1.0)))
    assert status == 422 and b"format" in body
    assert wait_until(lambda: not files(temp)), "it goes away after the answer"


def test_predict_by_a_chart(server: Server) -> None:
    sound = lead(1.0)
    for start in ({}, {"chart_start": 0.25}):
        status, body = post(server.url + "/predict", wav(sound), seed=4, chart="[A]\n| Dm7 | G7/B |", **start)
        assert status == 200
        played, _ = soundfile.read(io.BytesIO(body), dtype="float32")
        assert played.shape == (len(sound), 2)


CHARTS = {
    "pier.cho": "{title: Pier}\n[Dm7]One [G7/B]two\n",
    "pier.abc": 'X:1\nT:Pier\nM:4/4\nL:1/4\nK:C\n"Dm7"D4 | "G7/B"B,4 |]\n',
    "pier.chart": "| Dm7 | G7/B |",
}


@pytest.mark.parametrize("name", CHARTS)
def test_predict_by_a_chart_of_any_format(server: Server, name: str) -> None:
    """As a text, or as a file, it is what it is in our notation."""
    sound, text = wav(lead(0.5)), CHARTS[name]
    _, ours = post(server.url + "/predict?format=midi", sound, chart="| Dm7 | G7/B |", chart_start=0, ahead=0)
    assert post(server.url + "/predict?format=midi", sound, chart=text, chart_start=0, ahead=0) == (200, ours)
    body, kind = multipart(sound, {"chart_start": 0, "ahead": 0}, chart_file=(name, text.encode()))
    assert ask(server.url + "/predict?format=midi", body, "POST", {"Content-Type": kind}) == (200, ours)


def test_a_chart_file_that_cannot_be(server: Server) -> None:
    sound = wav(lead(0.5))
    for fields, file, word in (
        ({}, ("song.mgu", b"x"), "Band-in-a-Box"),
        ({}, ("song.mid", b"MThd"), "chart_file"),
        ({"chart": "| C |"}, ("song.chart", b"| C |"), "one of them"),
    ):
        body, kind = multipart(sound, fields, chart_file=file)
        status, line = error_of(ask(server.url + "/predict", body, "POST", {"Content-Type": kind}))
        assert status == 400
        assert word in line


@pytest.mark.parametrize(("asked_s", "rate_hz"), [(0.4, 44_100), (2.0, 11_025)])
def test_the_length_that_was_asked_for(server: Server, asked_s: float, rate_hz: int) -> None:
    data = wav(np.stack([lead(1.0, rate_hz)] * 2, axis=1), rate_hz)
    status, body = post(server.url + "/predict", data, output_length_in_seconds=asked_s)
    assert status == 200
    played, _ = soundfile.read(io.BytesIO(body))
    assert len(played) == round(asked_s * rate_hz)
    assert np.abs(played[-round(0.2 * rate_hz) : -round(0.03 * rate_hz)]).max() > 0.001


def test_predict_by_a_band_that_waits(server: Server) -> None:
    status, body = post(server.url + "/predict", wav(lead(0.5)), wait="true", output_length_in_seconds=1.0)
    assert status == 200
    played, _ = soundfile.read(io.BytesIO(body))
    assert np.abs(played[: RATE_HZ // 2]).max() == 0.0
    assert np.abs(played).max() > 0.01


def test_health_presets_and_openapi(server: Server) -> None:
    health = json.loads(ask(server.url + "/health")[1])
    assert health["status"] == "ok"
    assert health["limits"]["upload_bytes"] == 2_000_000
    assert {"rock", "funk"} <= {preset["name"] for preset in json.loads(ask(server.url + "/presets")[1])}
    api = json.loads(ask(server.url + "/openapi.json")[1])
    assert {"/predict", "/jobs", "/jobs/{job_id}", "/health", "/presets"} <= set(api["paths"])
    assert ask(server.url + "/docs")[0] == 200


def test_a_job_from_begin_to_end(server: Server, temp: Path) -> None:
    status, body = post(server.url + "/jobs", wav(lead(1.0)), parts="bass")
    assert status == 202
    job = json.loads(body)
    end_s = time.monotonic() + 30
    while job["state"] in ("waiting", "working") and time.monotonic() < end_s:
        time.sleep(0.05)
        job = json.loads(ask(f"{server.url}/jobs/{job['id']}")[1])
    assert job["state"] == "done"
    assert job["done_s"] == job["total_s"] == 1.0
    status, body = ask(f"{server.url}/jobs/{job['id']}/result")
    assert status == 200
    assert soundfile.info(io.BytesIO(body)).frames == RATE_HZ
    assert ask(f"{server.url}/jobs/{job['id']}", method="DELETE")[0] == 204
    assert error_of(ask(f"{server.url}/jobs/{job['id']}"))[0] == 404
    assert not files(temp)


WAV = wav(lead(0.3))


def lying(rate_hz: int = RATE_HZ, channels: int = 1, frames: int = 2**32 - 100) -> bytes:
    """A WAV whose header claims what is not there."""
    head = b"RIFF" + (2**32 - 1).to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little")
    head += (1).to_bytes(2, "little") + channels.to_bytes(2, "little") + rate_hz.to_bytes(4, "little")
    head += (2 * rate_hz * channels % 2**32).to_bytes(4, "little") + (2 * channels % 2**16).to_bytes(2, "little")
    return head + (16).to_bytes(2, "little") + b"data" + frames.to_bytes(4, "little") + bytes(2000)


BROKEN = {
    "nothing": (b"", 415),
    "text": (b"hello " * 300, 415),
    "a header alone": (WAV[:44], 415),
    "half a flac": (wav(lead(1.0), form="FLAC", subtype="PCM_16")[:200], 415),
    "a zip": (b"PK\x03\x04" + bytes(500), 415),
    "a rate that cannot be": (lying(rate_hz=2**31 - 1), 415),
    "too many channels": (lying(channels=1000), 415),
    "an hour of silence": (wav(np.zeros(3600 * 8000, np.float32), 8000, "FLAC", "PCM_16"), 413),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_sound_is_refused(server: Server, temp: Path, name: str) -> None:
    data, status = BROKEN[name]
    assert error_of(post(server.url + "/predict", data))[0] == status
    assert not files(temp)


def test_damaged_files_never_break_the_server(server: Server, temp: Path) -> None:
    """Bytes turned over at random, cut and repeated: an answer every time, of sound or a 4xx."""
    rng = np.random.default_rng(1)
    whole = [WAV, wav(lead(0.3), form="FLAC", subtype="PCM_16"), wav(lead(0.3), form="OGG", subtype="VORBIS")]
    for turn in range(24):
        data = bytearray(whole[turn % 3])
        for place in rng.integers(0, min(len(data), 400 if turn % 2 else len(data)), 8):
            data[place] = int(rng.integers(0, 256))
        cut = int(rng.integers(20, len(data) + 1))
        status, _ = post(server.url + "/predict", bytes(data[:cut]), output_length_in_seconds=0.1)
        assert status in (200, 400, 413, 415)
    assert ask(server.url + "/health")[0] == 200
    assert not files(temp)


@pytest.mark.parametrize(
    ("fields", "status", "word"),
    [
        ({"output_length_in_seconds": -1}, 400, "output length"),
        ({"output_length_in_seconds": "nan"}, 400, "output length"),
        ({"output_length_in_seconds": "soon"}, 422, "output_length_in_seconds"),
        ({"output_length_in_seconds": 1e6}, 413, "longer"),
        ({"preset": "../../etc/passwd"}, 400, "no preset"),
        ({"parts": "flute"}, 400, "flute"),
        ({"ahead": "never"}, 400, "ahead"),
        ({"accompany": "false"}, 400, "nothing to play"),
        ({"chart": "| C | Xm |"}, 400, "line 1, bar 2"),
        ({"chart": "/etc/passwd"}, 400, "chart line 1"),
        ({"chart": "| C | x99 " * 9000}, 400, "chart"),
        ({"chart": "| C |", "chart_start": -1}, 400, "chart"),
        ({"chart_start": 1}, 400, "needs a chart"),
        ({"presets": "funk"}, 422, "did you mean preset?"),
        ({"tempo_bpm": 90}, 422, "there is no field 'tempo_bpm'"),
    ],
)
def test_what_cannot_be_asked(server: Server, fields: dict[str, object], status: int, word: str) -> None:
    code, text = error_of(post(server.url + "/predict", WAV, **fields))
    assert code == status
    assert word in text


def test_missing_field_and_wrong_method(server: Server) -> None:
    from .service_fakes import multipart

    body, kind = multipart(WAV, {}, name="file")
    assert error_of(ask(server.url + "/predict", body, "POST", {"Content-Type": kind}))[0] == 422
    assert ask(server.url + "/predict", b"no multipart", "POST", {"Content-Type": "text/plain"})[0] == 422
    assert ask(server.url + "/predict")[0] == 405
    assert ask(server.url + "/nowhere")[0] == 404


def connection(server: Server) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)


def test_ten_gigabytes_are_refused_before_they_are_sent(server: Server, temp: Path) -> None:
    line = connection(server)
    line.putrequest("POST", "/predict")
    line.putheader("Content-Length", str(10 * 2**30))
    line.putheader("Content-Type", "multipart/form-data; boundary=x")
    line.endheaders()
    assert line.getresponse().status == 413
    line.close()
    assert not files(temp)


def test_more_than_was_allowed_is_broken_off(server: Server, temp: Path) -> None:
    """No Content-Length: counted as it comes."""
    from .service_fakes import multipart

    body, kind = multipart(bytes(3_000_000), {})
    line = connection(server)
    pieces = (body[at : at + 100_000] for at in range(0, len(body), 100_000))
    try:
        line.request("POST", "/predict", pieces, {"Content-Type": kind}, encode_chunked=True)
        assert line.getresponse().status == 413
    except (BrokenPipeError, ConnectionResetError):
        pass  # told to stop while it was sending
    line.close()
    assert ask(server.url + "/health")[0] == 200
    assert not files(temp)


def test_an_upload_that_stands_still_is_broken_off(server: Server, temp: Path) -> None:
    line = connection(server)
    line.putrequest("POST", "/predict")
    line.putheader("Content-Length", "100000")
    line.putheader("Content-Type", "multipart/form-data; boundary=x")
    line.endheaders()
    line.send(b"--x\r\n")
    assert line.getresponse().status == 408
    line.close()


def test_other_sites_are_refused(server: Server) -> None:
    assert error_of(ask(server.url + "/presets", headers={"Origin": "http://elsewhere.example"}))[0] == 403
    assert error_of(ask(server.url + "/presets", headers={"Host": "elsewhere.example"}))[0] == 403
    assert ask(server.url + "/presets", headers={"Origin": server.url})[0] == 200


def test_cancel_full_and_gone_clients(temp: Path) -> None:
    with serving(Band(lambda seed: SlowEchoist(seed)), files=1, waiting=1) as server:
        jobs = [json.loads(post(server.url + "/jobs", wav(lead(30.0)))[1])["id"] for _ in range(2)]
        assert error_of(post(server.url + "/jobs", WAV))[0] == 503
        for job in jobs:
            assert ask(f"{server.url}/jobs/{job}", method="DELETE")[0] == 204
        end_s = time.monotonic() + 30
        while files(temp) and time.monotonic() < end_s:
            time.sleep(0.05)
        assert not files(temp)
        from .service_fakes import multipart

        body, kind = multipart(wav(lead(60.0, 8_000), 8_000), {})
        line = connection(server)
        line.request("POST", "/predict", body, {"Content-Type": kind})
        while not files(temp) and time.monotonic() < end_s:
            time.sleep(0.05)
        line.close()
        while files(temp) and time.monotonic() < end_s + 30:
            time.sleep(0.05)
        assert not files(temp), "who hangs up leaves nothing"
    assert not files(temp)


def test_a_token_is_asked_for(temp: Path) -> None:
    with serving(token="sesame") as server:
        assert ask(server.url + "/health")[0] == 200
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "sesame"}):
            assert error_of(ask(server.url + "/presets", headers=headers))[0] == 401
        assert ask(server.url + "/presets", headers={"Authorization": "Bearer sesame"})[0] == 200


def test_the_verb(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    told: dict[str, object] = {}

    def serve_alone(asked: launch.Asked, token: str | None, listening: socket.socket, opened: object) -> int:
        told.update(limits=asked.limits, token=token)
        opened(3)  # type: ignore[operator]
        return 0

    monkeypatch.setattr(launch, "serve_alone", serve_alone)
    monkeypatch.setenv("GIGMATE_TOKEN", "")
    assert boundary.run(main.app, "gigmate", ["serve", "--port", "0", "--streams", "3"]) == 0
    assert told["token"] is None
    assert told["limits"].streams == 3
    assert boundary.run(main.app, "gigmate", ["serve", "--port", "0", "--host", "0.0.0.0"]) == 0
    assert len(told["token"]) > 20
    assert told["token"] in capsys.readouterr().out
    monkeypatch.setenv("GIGMATE_TOKEN", "sesame")
    assert boundary.run(main.app, "gigmate", ["serve", "--port", "0"]) == 0
    assert told["token"] == "sesame"
    taken = serve.listen("127.0.0.1", 0)
    taken.listen()
    port = str(taken.getsockname()[1])
    assert boundary.run(main.app, "gigmate", ["serve", "--port", port]) == 1
    assert "choose another" in capsys.readouterr().err
    taken.close()
    for wrong in (["--port", "99999"], ["--workers", "0"], ["--drain", "-1"], ["--files", "1000"]):
        assert boundary.run(main.app, "gigmate", ["serve", *wrong]) == 2


def test_channels_of_what_is_sent(server: Server) -> None:
    one = lead(4.0)
    sound = wav(np.stack([one, -one], axis=1))
    for fields, remarked in (({}, True), ({"input": "2"}, False)):
        body, kind = multipart(sound, fields)
        request = urllib.request.Request(server.url + "/predict", body, {"Content-Type": kind})
        with urllib.request.urlopen(request, timeout=60) as answer:
            assert ("inputs 1 and 2 cancel" in answer.headers.get("X-Gigmate-Remark", "")) == remarked
    for wrong, words in (("3", "there is no channel 3"), ("first", "channels as numbers from 1")):
        status, line = error_of(post(server.url + "/predict", sound, input=wrong))
        assert status == 400 and words in line
