"""An SSH authority: a key, and the certificates that it signs for hosts and people (OpenSSH's PROTOCOL.certkeys)."""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    SSHCertificateBuilder,
    SSHCertificateType,
)

from lab.trust.profiles import CLOCK_SKEW

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

LONGEST_GRANT = timedelta(hours=12)
"""A working day: a certificate that lasts longer would have to be revoked to be taken back."""
EXTENSIONS = (b"permit-pty",)
"""A terminal, and none of the forwardings that an OpenSSH certificate has by default."""


@dataclass(frozen=True)
class Grant:
    """What a person is let in by.

    Attributes:
        person: Who it is; stands in the log of every host that they come to.
        reason: Why they come; stands there too.
        principals: As whom hosts may let them in.
        sources: The addresses that they come from.
        lifetime: How long it can be used; a session that was begun goes on.
    """

    person: str
    reason: str
    principals: tuple[str, ...]
    sources: tuple[str, ...]
    lifetime: timedelta

    @property
    def key_id(self) -> str:
        """What sshd writes into its log."""
        return f"{self.person}: {self.reason}"


@dataclass(frozen=True)
class SshAuthority:
    """A key that hosts or their visitors trust, and its name for people."""

    key: Ed25519PrivateKey
    name: str

    def line(self) -> str:
        """The public key, as ``TrustedUserCAKeys`` and ``known_hosts`` write it."""
        return public_line(self.key.public_key(), self.name)

    def host_certificate(
        self, key: Ed25519PublicKey, names: Iterable[str], now: datetime, lifetime: timedelta
    ) -> bytes:
        """Sign a host's key for its names; the first is its DNS name."""
        found = [name.encode() for name in names]
        builder = _builder(key, SSHCertificateType.HOST, now - CLOCK_SKEW, now + lifetime)
        builder = builder.key_id(found[0]).valid_principals(found).serial(new_serial())
        return builder.sign(self.key).public_bytes()

    def fingerprint(self) -> str:
        """The public key's fingerprint, as OpenSSH writes it into logs."""
        digest = hashlib.sha256(base64.b64decode(self.line().split()[1])).digest()
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")

    def user_certificate(
        self,
        key: Ed25519PublicKey,
        grant: Grant,
        serial: int,
        now: datetime,
        *,
        extensions: Iterable[bytes] = EXTENSIONS,
    ) -> bytes:
        """Sign a person's key for what they are granted."""
        builder = _builder(key, SSHCertificateType.USER, now - CLOCK_SKEW, now + grant.lifetime)
        builder = builder.key_id(grant.key_id.encode()).serial(serial)
        builder = builder.valid_principals([principal.encode() for principal in grant.principals])
        builder = builder.add_critical_option(b"source-address", ",".join(grant.sources).encode())
        for extension in extensions:
            builder = builder.add_extension(extension, b"")
        return builder.sign(self.key).public_bytes()


def new_key() -> Ed25519PrivateKey:
    """A new key on Ed25519 (RFC 8709)."""
    return Ed25519PrivateKey.generate()


def new_serial() -> int:
    """A number that no other certificate has; 0 would be none."""
    return secrets.randbelow((1 << 63) - 1) + 1


def private_key(key: Ed25519PrivateKey) -> bytes:
    """A key as OpenSSH reads it, without a passphrase."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())


def public_line(key: Ed25519PublicKey, comment: str) -> str:
    """A public key as OpenSSH writes it."""
    return f"{key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()} {comment}"


def _builder(
    key: Ed25519PublicKey, kind: SSHCertificateType, begins: datetime, ends: datetime
) -> SSHCertificateBuilder:
    builder = SSHCertificateBuilder().public_key(key).type(kind)
    return builder.valid_after(int(begins.timestamp())).valid_before(int(ends.timestamp()))
