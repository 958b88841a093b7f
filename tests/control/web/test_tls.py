"""HTTPS of the remote: its own certificate is made once and kept, yours is checked; pages and commands pass."""

from __future__ import annotations

import hashlib
import http.client
import json
import shutil
import socket
import ssl
import stat
import subprocess
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography import x509
from gigmate.control.web.tls import FILE_NAME, KEPT_DAYS, RENEWED_BEFORE_DAYS, fingerprint, own_certificate, tls_context
from gigmate.engine.commands import Start
from gigmate.engine.errors import EngineError
from websockets.sync.client import connect

from .stand_in import StandIn, open_remote, wait_for

NAMES = ("localhost", "127.0.0.1", "::1", "stage.local")
NOW = datetime(2026, 12, 1, tzinfo=timezone.utc)


def trusting(path: Path) -> ssl.SSLContext:
    """A client that trusts this certificate alone."""
    return ssl.create_default_context(cafile=str(path))


def test_it_is_made_once_and_kept(tmp_path: Path) -> None:
    first = own_certificate(tmp_path / "new", NAMES, NOW)
    whole = first.read_bytes()
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    later = NOW + timedelta(days=KEPT_DAYS - RENEWED_BEFORE_DAYS - 2)
    assert own_certificate(tmp_path / "new", NAMES[:2], later) == first
    assert first.read_bytes() == whole
    assert [path.name for path in first.parent.iterdir()] == [FILE_NAME]


@pytest.mark.parametrize(
    ("names", "later_days"), [((*NAMES, "10.0.0.7"), 0), (NAMES, KEPT_DAYS - RENEWED_BEFORE_DAYS + 1)]
)
def test_another_network_or_the_end_of_its_time_makes_a_new_one(
    tmp_path: Path, names: tuple[str, ...], later_days: int
) -> None:
    whole = own_certificate(tmp_path, NAMES, NOW).read_bytes()
    path = own_certificate(tmp_path, names, NOW + timedelta(days=later_days))
    assert path.read_bytes() != whole
    found = x509.load_pem_x509_certificate(path.read_bytes())
    said = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(name.value) for name in said] == list(names)
    assert (found.not_valid_after_utc - found.not_valid_before_utc).days <= KEPT_DAYS


def test_what_is_no_certificate_is_replaced(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("half a file")
    tls_context(own_certificate(tmp_path, NAMES, NOW))


def test_a_folder_that_cannot_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EngineError, match="cannot write the remote's certificate"):
        own_certificate(tmp_path / "file" / "under", NAMES)


def test_certificates_that_do_not_hold_are_one_line(tmp_path: Path) -> None:
    own, other = (own_certificate(tmp_path / name, NAMES) for name in ("own", "other"))
    key = tmp_path / "other-key.pem"
    key.write_text(other.read_text().partition("-----BEGIN CERTIFICATE")[0])
    bare = tmp_path / "bare.pem"
    bare.write_text("-----BEGIN CERTIFICATE" + own.read_text().partition("-----BEGIN CERTIFICATE")[2])
    for certificate, its_key, words in (
        (tmp_path / "none.pem", None, "no such file"),
        (own, tmp_path / "none.pem", "no such file"),
        (bare, None, "--tls-key"),
        (bare, key, "another certificate"),
        (tmp_path, None, "no such file"),
    ):
        with pytest.raises(EngineError, match=words) as caught:
            tls_context(certificate, its_key)
        assert "\n" not in str(caught.value)


def test_a_key_with_a_password_is_not_asked_for_on_the_stage(tmp_path: Path) -> None:
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("no openssl here")
    own, locked = own_certificate(tmp_path, NAMES), tmp_path / "locked.pem"
    subprocess.run([program, "pkey", "-aes256", "-passout", "pass:word", "-in", own, "-out", locked], check=True)
    with pytest.raises(EngineError, match="has a password"):
        tls_context(own, locked)


def test_page_and_commands_go_over_https(tmp_path: Path) -> None:
    path = own_certificate(tmp_path, NAMES)
    band = StandIn()
    face, port = open_remote(band, token="open-sesame", tls=tls_context(path))
    try:
        client = http.client.HTTPSConnection("127.0.0.1", port, context=trusting(path), timeout=20)
        client.request("GET", "/")
        assert b"<html" in client.getresponse().read()
        client.close()
        with connect(f"wss://localhost:{port}/ws", ssl=trusting(path)) as socket_:
            socket_.send(json.dumps({"do": "hello", "token": "open-sesame"}))
            socket_.send(json.dumps({"do": "start"}))
            wait_for(lambda: band.commands)
        assert isinstance(band.commands[0], Start)
    finally:
        face.close()


def test_what_speaks_no_tls_is_let_go_and_others_are_served(tmp_path: Path) -> None:
    path = own_certificate(tmp_path, NAMES)
    face, port = open_remote(StandIn(), tls=tls_context(path))
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=20) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert b"HTTP/1.1 200" not in plain.recv(4096)
        client = http.client.HTTPSConnection("127.0.0.1", port, context=trusting(path), timeout=20)
        client.request("GET", "/")
        assert client.getresponse().status == 200
        client.close()
        assert not face.news()
    finally:
        face.close()


def test_the_fingerprint_is_that_which_browsers_show(tmp_path: Path) -> None:
    path = own_certificate(tmp_path, NAMES)
    der = ssl.PEM_cert_to_DER_cert("-----BEGIN CERTIFICATE" + path.read_text().partition("-----BEGIN CERTIFICATE")[2])
    assert fingerprint(path).replace(":", "").lower() == hashlib.sha256(der).hexdigest()
