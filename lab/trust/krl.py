"""A list of revoked SSH certificates, as OpenSSH reads it (OpenSSH's PROTOCOL.krl)."""

from __future__ import annotations

import base64
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

MAGIC, FORMAT = 0x5353484B524C0A00, 1
CERTIFICATES, SERIAL_LIST = b"\x01", b"\x20"
"""The only section there is, and how it names certificates: by serial number."""


def revocation_list(authority: str, serials: Iterable[int], now: datetime) -> bytes:
    """Return the list of these certificates of an authority, which is named by the line of its public key."""
    key = base64.b64decode(authority.split()[1])
    moment = int(now.timestamp())  # it is also the list's number: a later list has a higher one
    head = struct.pack(">QIQQQ", MAGIC, FORMAT, moment, moment, 0) + _string(b"") + _string(b"")
    numbers = b"".join(struct.pack(">Q", serial) for serial in sorted(serials))
    if not numbers:
        return head
    section = _string(key) + _string(b"") + SERIAL_LIST + _string(numbers)
    return head + CERTIFICATES + _string(section)


def _string(data: bytes) -> bytes:
    """RFC 4251 5."""
    return struct.pack(">I", len(data)) + data
