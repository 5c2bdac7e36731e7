"""Asks the directory of this host, as strangers do and as its own root may, and prints JSON.

Arguments: the host's address, the name that the directory proves, the domain's distinguished name. It speaks LDAP
(RFC 4511) by itself. As root it reads by a socket that nobody else can open, on which the directory believes all.
"""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMEOUT = 10.0
CA = "/etc/pacslab/tls/ca.crt"
OWN = "/var/lib/samba/private/ldap_priv/ldapi"
SETTINGS = Path("/etc/pacslab/directory.json")
EVENTS = ["journalctl", "--identifier=pacslab-directory", "--since=-1min", "--output=cat", "--no-pager"]
SEQUENCE, INTEGER, OCTETS, ENUMERATED, BOOLEAN, SET = 0x30, 0x02, 0x04, 0x0A, 0x01, 0x31
BIND, SEARCH, MODIFY = 0x60, 0x63, 0x66
ENTRY, REFERENCE = 0x64, 0x73
BASE, SUBTREE = 0, 2
REPLACE = 2


def tlv(tag: int, *parts: bytes) -> bytes:
    """An element of BER: tag, length, content."""
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:  # noqa: PLR2004 # the short form
        return bytes([tag, size]) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + content


def number(value: int, tag: int = INTEGER) -> bytes:
    """An integer or enumerated value."""
    return tlv(tag, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def text(value: str, tag: int = OCTETS) -> bytes:
    """An octet string."""
    return tlv(tag, value.encode())


def elements(content: bytes) -> list[tuple[int, bytes]]:
    """The elements that stand one after the other in a content."""
    found, at = [], 0
    while at < len(content):
        tag, size, at = content[at], content[at + 1], at + 2
        if size & 0x80:
            length = size & 0x7F
            size, at = int.from_bytes(content[at : at + length], "big"), at + length
        found.append((tag, content[at : at + size]))
        at += size
    return found


class Connection:
    """A connection to the directory."""

    def __init__(self, stream: socket.socket) -> None:
        """Speak over a stream that stands."""
        self.stream = stream
        self.reader = stream.makefile("rb")
        self.last = 0

    def ask(self, operation: bytes) -> Iterator[tuple[int, list[tuple[int, bytes]]]]:
        """Send a request, and yield the answers to it."""
        self.last += 1
        self.stream.sendall(tlv(SEQUENCE, number(self.last), operation))
        while True:
            head = self.reader.read(2)
            size = head[1]
            if size & 0x80:
                size = int.from_bytes(self.reader.read(size & 0x7F), "big")
            (_, _), (tag, content), *_ = elements(self.reader.read(size))
            yield tag, elements(content)
            if tag not in (ENTRY, REFERENCE):
                return

    def result(self, operation: bytes) -> int:
        """The code that a request is answered with (RFC 4511 4.1.9)."""
        *_, (_, answer) = self.ask(operation)
        return int.from_bytes(answer[0][1], "big")

    def bind(self, name: str, password: str) -> int:
        """Sign in with a password."""
        return self.result(tlv(BIND, number(3), text(name), text(password, 0x80)))

    def search(
        self, base: str, kind: str, attributes: list[str], scope: int = SUBTREE
    ) -> Iterator[dict[str, list[str]]]:
        """Yield entries of a class, each with its distinguished name under ``dn``; raise where it is not answered."""
        *entries, (_, done) = self.ask(searching(base, kind, attributes, scope))
        code = int.from_bytes(done[0][1], "big")
        if code:
            raise ConnectionError(f"the directory answers a search with {code}")
        for tag, answer in entries:
            if tag == ENTRY:
                found = {"dn": [answer[0][1].decode()]}
                for _, attribute in elements(answer[1][1]):
                    (_, name), (_, values) = elements(attribute)
                    found[name.decode()] = [value.decode(errors="replace") for _, value in elements(values)]
                yield found


def searching(base: str, kind: str, attributes: list[str], scope: int) -> bytes:
    """A request for entries of a class."""
    wanted = tlv(SEQUENCE, *(text(attribute) for attribute in attributes))
    matching = tlv(0xA3, text("objectClass"), text(kind))
    limits = [number(scope, ENUMERATED), number(0, ENUMERATED), number(0), number(0), tlv(BOOLEAN, b"\0")]
    return tlv(SEARCH, text(base), *limits, matching, wanted)


def setting(dn: str, attribute: str, value: str) -> bytes:
    """A request to set an attribute."""
    change = tlv(SEQUENCE, number(REPLACE, ENUMERATED), tlv(SEQUENCE, text(attribute), tlv(SET, text(value))))
    return tlv(MODIFY, text(dn), tlv(SEQUENCE, change))


def over_tls(address: str, name: str) -> Connection:
    """A connection to LDAPS, whose name is verified."""
    plain = socket.create_connection((address, 636), TIMEOUT)
    return Connection(ssl.create_default_context(cafile=CA).wrap_socket(plain, server_hostname=name))


def of_root() -> Connection:
    """A connection that the directory believes."""
    stream = socket.socket(socket.AF_UNIX)
    stream.settimeout(TIMEOUT)
    stream.connect(OWN)
    return Connection(stream)


def attempts(address: str, name: str, domain: str) -> dict[str, int]:
    """What must be refused, with the code that it is answered with."""
    plain = Connection(socket.create_connection((address, 389), TIMEOUT))
    found = {
        "password-without-tls": plain.bind(f"CN=nobody,{domain}", "x"),
        "search-without-name": over_tls(address, name).result(searching(domain, "user", ["cn"], SUBTREE)),
    }
    services = json.loads(SETTINGS.read_text("utf-8"))["services"]
    for service in services:
        dn = f"CN={service},OU=Services,{domain}"
        reader = over_tls(address, name)
        found[f"{service}-reads"] = reader.bind(dn, services[service]["password"])
        found[f"{service}-changes"] = reader.result(setting(dn, "displayName", service))
    return found


def recorded(address: str, name: str) -> str:
    """Try to sign in as somebody who does not exist, and return what the log says of it; nothing where it is silent."""
    stranger = f"CN=check-{time.time_ns()}"
    over_tls(address, name).bind(stranger, "x")
    ends = time.monotonic() + TIMEOUT
    while time.monotonic() < ends:
        done = subprocess.run([*EVENTS, f"--grep={stranger}"], capture_output=True, text=True, check=False)
        if done.stdout.strip():
            return done.stdout.strip().splitlines()[0]
        time.sleep(0.1)
    return ""


def main() -> None:
    """Ask everything once."""
    address, name, domain = sys.argv[1:]
    own = of_root()
    (head,) = own.search(domain, "domainDNS", ["*"], BASE)
    people = own.search(domain, "user", ["sAMAccountName", "userAccountControl", "memberOf"])
    json.dump(
        {
            "attempts": attempts(address, name, domain),
            "recorded": recorded(address, name),
            "policy": {key: values[0] for key, values in head.items() if len(values) == 1},
            "accounts": {
                entry["sAMAccountName"][0]: {
                    "enabled": not int(entry["userAccountControl"][0]) & 2,
                    "groups": entry.get("memberOf", []),
                }
                for entry in people
            },
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
