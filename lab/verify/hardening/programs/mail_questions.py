"""Asks the mail server of this host, behind its edge, for whom it takes mail, and prints JSON. No mail is sent.

Arguments: the server's loopback port, then addresses to ask for. A host need not have smtplib (python3-minimal).
"""

from __future__ import annotations

import json
import socket
import sys
from typing import BinaryIO

TIMEOUT = 10.0
COMMANDS = ("EHLO check.invalid", "MAIL FROM:<check@check.invalid>", "RCPT TO:<{}>")


def answer(lines: BinaryIO) -> int:
    """Read an answer, of one line or more (RFC 5321 4.2.1): its number; 0 where the server ended the connection."""
    while line := lines.readline():
        if line[3:4] != b"-":
            return int(line[:3])
    return 0


def asked(port: int, address: str) -> int:
    """Ask for one address: what the server says of it, or of what came before where it refuses that."""
    with socket.create_connection(("127.0.0.1", port), TIMEOUT) as server, server.makefile("rb") as lines:
        said = answer(lines)
        for command in COMMANDS:
            server.sendall(f"{command.format(address)}\r\n".encode("ascii"))
            said = answer(lines)
            if not 200 <= said < 300:  # noqa: PLR2004 - RFC 5321 4.2.1
                break
        return said


def main() -> None:
    """Ask for each address on a connection of its own."""
    port, *addresses = sys.argv[1:]
    json.dump({address: asked(int(port), address) for address in addresses}, sys.stdout)


if __name__ == "__main__":
    main()
