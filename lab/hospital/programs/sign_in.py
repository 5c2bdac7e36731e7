"""Sign in at a directory by LDAPS, as an application does for a person; sent to a host as text, standard library only.

Arguments: the directory's address, and the name that it proves. Standard input: JSON, ``{"name", "password"}``, since
what stands among a process's arguments is seen by others. Output: ``{"code", "said"}``, the result's code (RFC 4511
4.1.9) and its diagnostic message.
"""

from __future__ import annotations

import json
import socket
import ssl
import sys

CA = "/etc/pacslab/tls/ca.crt"
PORT = 636
TIMEOUT = 15.0
INTEGER, OCTETS, SEQUENCE, BIND, SIMPLE = 0x02, 0x04, 0x30, 0x60, 0x80


def element(tag: int, content: bytes) -> bytes:
    """An element of BER; what a bind holds is short of 64 kB."""
    size = len(content)
    return bytes([tag]) + (bytes([size]) if size < 0x80 else b"\x82" + size.to_bytes(2, "big")) + content  # noqa: PLR2004


def request(name: str, password: str) -> bytes:
    """A simple bind (RFC 4511 4.2)."""
    parts = element(INTEGER, b"\x03") + element(OCTETS, name.encode()) + element(SIMPLE, password.encode())
    return element(SEQUENCE, element(INTEGER, b"\x01") + element(BIND, parts))


def content(octets: bytes) -> tuple[bytes, bytes]:
    """What the first element holds, and what follows it."""
    size, at = octets[1], 2
    if size & 0x80:
        length = size & 0x7F
        size, at = int.from_bytes(octets[2 : 2 + length], "big"), 2 + length
    return octets[at : at + size], octets[at + size :]


def answer(message: bytes) -> tuple[int, str]:
    """The code of a bind's result, and its diagnostic message."""
    _, result = content(content(message)[0])
    code, rest = content(content(result)[0])
    _, rest = content(rest)  # the matched name
    return int.from_bytes(code, "big"), content(rest)[0].decode("utf-8", "replace")


def sign_in(address: str, identity: str, name: str, password: str) -> tuple[int, str]:
    """Sign in, over a connection whose other end has proven its name."""
    verified = ssl.create_default_context(cafile=CA)
    with (
        socket.create_connection((address, PORT), TIMEOUT) as plain,
        verified.wrap_socket(plain, server_hostname=identity) as secure,
    ):
        secure.sendall(request(name, password))
        return answer(secure.recv(4096))


if __name__ == "__main__":
    who = json.load(sys.stdin)
    code, said = sign_in(sys.argv[1], sys.argv[2], who["name"], who["password"])
    json.dump({"code": code, "said": said}, sys.stdout)
