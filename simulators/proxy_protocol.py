"""The PROXY protocol, version 2: who is at the other end of a connection that the edge passes on.

Source: HAProxy, "The PROXY protocol", sections 2.2 (binary header) and 2.2.5 (PP2_TYPE_SSL).
"""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
MAXIMUM_LENGTH = 4096
"""Bytes after the fixed part; HAProxy sends some hundred."""

_LOCAL, _PROXY = 0x20, 0x21
_TCP4, _TCP6 = 0x11, 0x21
_TYPE_SSL, _SUBTYPE_VERSION, _SUBTYPE_CN = 0x20, 0x21, 0x22
_CLIENT_CERT = 0x02 | 0x04


class ProxyHeaderError(ValueError):
    """The connection does not begin with a PROXY header of version 2 that can be understood."""


@dataclass(frozen=True)
class Sender:
    """Who opened a connection, as the edge saw it.

    ``name`` is the common name of the client certificate, None when there was no verified one;
    ``address`` the IP address, ``tls`` the protocol version.
    """

    name: str | None
    address: str
    port: int
    tls: str | None = None


def read_header(read: Callable[[int], bytes]) -> Sender | None:
    """Read the header with `read` (which returns exactly so many bytes) and return the sender.

    Returns None for the LOCAL command: the edge's own health check.

    Raises:
        ProxyHeaderError: malformed, or not a header at all.
    """
    fixed = read(16)
    if fixed[:12] != SIGNATURE:
        raise ProxyHeaderError("no PROXY header")
    command, family, length = struct.unpack("!BBH", fixed[12:])
    if length > MAXIMUM_LENGTH:
        raise ProxyHeaderError(f"PROXY header of {length} bytes")
    body = read(length)
    if command == _LOCAL:
        return None
    if command != _PROXY:
        raise ProxyHeaderError(f"PROXY version or command 0x{command:02x}")
    try:
        return _sender(family, body)
    except (struct.error, ValueError) as error:
        raise ProxyHeaderError(f"PROXY header: {error}") from error


def _sender(family: int, body: bytes) -> Sender:
    if family == _TCP4:
        width, form = 12, "!4s4sHH"
    elif family == _TCP6:
        width, form = 36, "!16s16sHH"
    else:
        raise ProxyHeaderError(f"PROXY address family 0x{family:02x}")
    source, _, port, _ = struct.unpack(form, body[:width])
    name = version = None
    for kind, value in _values(body[width:]):
        if kind == _TYPE_SSL:
            client, verify = struct.unpack("!BI", value[:5])
            inner = dict(_values(value[5:]))
            version = inner.get(_SUBTYPE_VERSION, b"").decode("ascii") or None
            if client & _CLIENT_CERT and verify == 0:
                name = inner.get(_SUBTYPE_CN, b"").decode("utf-8") or None
    return Sender(name=name, address=str(ipaddress.ip_address(source)), port=port, tls=version)


def _values(data: bytes) -> Iterator[tuple[int, bytes]]:
    while data:
        kind, length = struct.unpack("!BH", data[:3])
        if len(data) < 3 + length:
            raise ProxyHeaderError("PROXY header: a value is cut short")
        yield kind, data[3 : 3 + length]
        data = data[3 + length :]
