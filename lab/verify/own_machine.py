"""The machine that runs the lab, as hosts must not reach it: its addresses, and a listener of our own."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

NET = Path("/proc/net")


def own_addresses(net: Path = NET) -> list[str]:
    """The machine's own addresses, IPv4 and IPv6, as the kernel lists them.

    Left out: loopback and link-local ones, which mean something else on every host, and public ones, to which nothing
    is ever sent; the machine's bridges always have others.
    """
    found = dict.fromkeys([*_ipv4(net / "fib_trie"), *_ipv6(net / "if_inet6")])
    return [
        str(address) for address in found if not (address.is_loopback or address.is_link_local or address.is_global)
    ]


def _ipv4(path: Path) -> Iterator[IPv4Address | IPv6Address]:
    """``fib_trie`` names an address in one line and says ``/32 host LOCAL`` in the next."""
    address = ""
    for line in path.read_text("ascii").splitlines():
        words = line.split()
        if words[:1] == ["|--"]:
            address = words[1]
        elif words[:3] == ["/32", "host", "LOCAL"]:
            yield ip_address(address)


def _ipv6(path: Path) -> Iterator[IPv4Address | IPv6Address]:
    if path.exists():  # absent where IPv6 is switched off
        for line in path.read_text("ascii").splitlines():
            yield ip_address(bytes.fromhex(line.split()[0]))


@contextmanager
def listening() -> Iterator[int]:
    """Accept and close connections on a free port of every address of the machine; yields the port."""
    family = socket.AF_INET6 if socket.has_dualstack_ipv6() else socket.AF_INET
    server = socket.create_server(("", 0), family=family, dualstack_ipv6=family is socket.AF_INET6)
    acceptor = threading.Thread(target=_accept, args=(server,), name="machine-listener", daemon=True)
    acceptor.start()
    try:
        yield int(server.getsockname()[1])
    finally:
        with suppress(OSError):  # a socket that nobody is connected to need not be shut down before it is closed
            server.shutdown(socket.SHUT_RDWR)
        server.close()
        acceptor.join(timeout=2)


def _accept(server: socket.socket) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return  # closed: the check is over
        connection.close()
