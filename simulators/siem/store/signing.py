"""The repository's key: made once on its host, read by the core alone; its public half proves what was signed."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

if TYPE_CHECKING:
    from pathlib import Path

SIZE = 32


class Signer:
    """Signs heads of batches (Ed25519, RFC 8032)."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        """Sign with this key."""
        self._key = key

    @classmethod
    def open(cls, path: Path) -> Signer:
        """Read the key, or make one.

        Raises:
            OSError: it cannot be read or written.
            ValueError: it is no key.
        """
        with suppress(FileNotFoundError):
            return cls(Ed25519PrivateKey.from_private_bytes(path.read_bytes()))
        made = cls(Ed25519PrivateKey.generate())
        draft = path.with_suffix(".new")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.write(handle, made._key.private_bytes_raw())
            os.fsync(handle)
        finally:
            os.close(handle)
        draft.replace(path)
        return made

    @property
    def public(self) -> bytes:
        """The public key, 32 octets."""
        return self._key.public_key().public_bytes_raw()

    def sign(self, head: bytes) -> bytes:
        """Return the signature of a head, 64 octets; the same head has the same one."""
        return self._key.sign(head)


def is_signed(public: bytes, head: bytes, signature: bytes) -> bool:
    """Tell whether the key's owner signed a head."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, head)
    except (InvalidSignature, ValueError):
        return False
    return True
