"""Handshakes of TLS, made by OpenSSL in memory with certificates of their own: what either side says, in turn."""

from __future__ import annotations

import ssl
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lab.verify.captures.conversation import client, server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lab.verify.captures.conversation import Said

NAME = "service.example"
V10, V12, V13 = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
ANY_STRENGTH = "ALL:@SECLEVEL=0"
"""Suites of OpenSSL that it no longer offers by itself, too."""
FATAL_UNKNOWN_CA = bytes.fromhex("15030300020230")
"""The record with which a peer refuses a certificate (RFC 5246 7.2)."""


@dataclass(frozen=True)
class Shown:
    """What a side proves itself with: a file with its key and certificates, and the authority's certificate."""

    pem: bytes
    authority: x509.Certificate


def certificate(*, days: float = 30, since: float = 1) -> Shown:
    """A certificate of an authority that is made for it, valid for ``days`` from ``since`` days before the capture."""
    began = datetime.now(UTC) - timedelta(days=since)
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in ("Authority of the capture", NAME)]
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in names]
    made = []
    for name, key in zip(names, keys, strict=True):
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(names[0])
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(began)
            .not_valid_after(began + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=name is names[0], path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(keys[0].public_key()), critical=False)
        )
        made.append(builder.sign(keys[0], hashes.SHA256()))
    text = keys[1].private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    chain = b"".join(entry.public_bytes(serialization.Encoding.PEM) for entry in reversed(made))
    return Shown(text + chain, made[0])


def handshake(
    shown: Shown, version: ssl.TLSVersion, suites: str = "ECDHE+AESGCM", *, by_client: Shown | None = None
) -> Iterator[Said]:
    """What both sides say until they are agreed, and a few octets more; the server takes whatever the client shows.

    Raises:
        SSLError: this machine's OpenSSL no longer does so.
    """
    asked = by_client.authority if by_client else None
    sides = [
        _context(by_client, None, version, suites, serves=False),
        _context(shown, asked, version, suites, serves=True),
    ]
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    calling = sides[0].wrap_bio(to_client, to_server, server_hostname=NAME)
    serving = sides[1].wrap_bio(to_server, to_client, server_side=True)
    waiting = [calling, serving]
    while waiting:
        for side in list(waiting):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                pass
            else:
                waiting.remove(side)
            yield from _sent(to_server, client) if side is calling else _sent(to_client, server)
    calling.write(b"a few octets")
    yield from _sent(to_server, client)


def _sent(pipe: ssl.MemoryBIO, by: Callable[[bytes], Said]) -> Iterator[Said]:
    """What is on its way; it stays there for the other side to read."""
    octets = pipe.read()
    if octets:
        pipe.write(octets)
        yield by(octets)


def _context(
    shown: Shown | None, asked: x509.Certificate | None, version: ssl.TLSVersion, suites: str, *, serves: bool
) -> ssl.SSLContext:
    """One side: what it shows, and the authority whose certificates it asks for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if serves else ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = context.maximum_version = version
    if version < V13:
        context.set_ciphers(suites)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if asked is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=asked.public_bytes(serialization.Encoding.DER))
    if shown is not None:
        with tempfile.TemporaryDirectory() as folder:  # the library takes keys from files alone
            path = Path(folder) / "shown.pem"
            path.write_bytes(shown.pem)
            context.load_cert_chain(path)
    return context
