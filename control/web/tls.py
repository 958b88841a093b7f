"""HTTPS for the remote: a certificate of our own, made once and kept, or the user's.

Browsers let a page keep the screen on only over HTTPS. Knows files and certificates, not the server. Control thread
only: making one takes milliseconds, and it reads and writes files.
"""

from __future__ import annotations

import ipaddress
import os
import ssl
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from ...engine.errors import EngineError

if TYPE_CHECKING:
    from cryptography import x509

KEPT_DAYS = 397
"""Phones refuse certificates that hold for longer than 398 days (CA/Browser Forum, baseline requirements 6.3.2)."""
RENEWED_BEFORE_DAYS = 30
FILE_NAME = "remote.pem"


def tls_context(certificate: Path, key: Path | None = None) -> ssl.SSLContext:
    """The server's side of TLS with that certificate. Raises EngineError where it cannot be read or does not fit."""
    for path in (certificate, key):
        if path is not None and not path.is_file():
            raise EngineError(f"{path}: no such file: give the certificate in PEM, and its key")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2

    def asked() -> str:  # OpenSSL would ask on the terminal, in the middle of a start
        raise EngineError(
            f"{key or certificate}: the key has a password: give one without (openssl pkey -in ... -out ...)"
        )

    try:
        context.load_cert_chain(certificate, key, password=asked)
    except (ssl.SSLError, OSError, ValueError) as error:
        if isinstance(error, ssl.SSLError) and error.reason == "KEY_VALUES_MISMATCH":
            raise EngineError(f"{key or certificate}: this key belongs to another certificate") from error
        raise EngineError(
            f"{certificate}: no certificate in PEM with its key ({key or 'in the same file, or by --tls-key'})"
        ) from error
    return context


def own_certificate(folder: Path, names: tuple[str, ...], now: datetime | None = None) -> Path:
    """A certificate of our own for these host names and addresses, with its key in the same file.

    The one that lies in `folder` is taken while it holds and has all the names, so that a phone that has accepted it
    need not be asked again. Needs cryptography. Raises EngineError where the file cannot be written.
    """
    from cryptography import x509

    now = now or datetime.now(timezone.utc)
    path = folder / FILE_NAME
    try:
        known = x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError):  # none yet, or none that can be read: a new one takes its place
        known = None
    if known is not None and _holds(known, names, now):
        return path
    try:
        folder.mkdir(parents=True, exist_ok=True)
        made = folder / f"{FILE_NAME}.{os.getpid()}"
        with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(_made(names, now))
        os.replace(made, path)
    except OSError as error:
        raise EngineError(f"{path}: cannot write the remote's certificate ({error.strerror})") from error
    return path


def fingerprint(path: Path) -> str:
    """The certificate's SHA-256, as browsers show it: pairs of digits with colons."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    digits = x509.load_pem_x509_certificate(path.read_bytes()).fingerprint(hashes.SHA256()).hex().upper()
    return ":".join(digits[place : place + 2] for place in range(0, len(digits), 2))


def _holds(certificate: x509.Certificate, names: tuple[str, ...], now: datetime) -> bool:
    from cryptography import x509

    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    said = {str(name.value) for name in found}
    return set(names) <= said and now + timedelta(days=RENEWED_BEFORE_DAYS) < certificate.not_valid_after_utc


def _made(names: tuple[str, ...], now: datetime) -> bytes:
    """Key and certificate in PEM."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "GigMate remote")])
    usage = x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.SERVER_AUTH])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))  # a phone's clock may be behind
        .not_valid_after(now + timedelta(days=KEPT_DAYS - 1))
        .add_extension(x509.SubjectAlternativeName([_general_name(text) for text in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return secret + certificate.public_bytes(serialization.Encoding.PEM)


def _general_name(text: str) -> x509.GeneralName:
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)
