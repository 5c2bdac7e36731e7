"""A line for the log collector with a certificate that does not belong to its sender, or not to logging."""

from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from simulators.errors import UnreachableError
from simulators.misuse.case import Case
from simulators.misuse.credentials import presenting
from simulators.misuse.outcome import Answer

if TYPE_CHECKING:
    import argparse

    from simulators.settings import Peer, Settings

ANSWER_SECONDS = 3.0
"""How long a collector may take to end the connection of a sender that it does not take lines from."""


def peer_of(arguments: argparse.Namespace, settings: Settings) -> Peer:
    """The collector that is named, or this host's."""
    return settings.peer("syslog-tls", name=arguments.peer)


def other_certificate(arguments: argparse.Namespace, settings: Settings) -> Answer:
    """Send a line (RFC 5424, framed as RFC 5425 4.3 says) with a certificate that is given."""
    peer = peer_of(arguments, settings)
    tls = presenting(settings, arguments.certificate, arguments.key)
    line = f"<14>1 {datetime.now(UTC).isoformat()} {settings.host.name} intruder - - - {arguments.text}\n".encode()
    try:
        plain_socket = socket.create_connection((peer.address, peer.port), timeout=ANSWER_SECONDS)
    except OSError as error:
        raise UnreachableError(f"no connection to {peer.name}: {error}", remedy="Look at its health.") from error
    facts = {"text": arguments.text}
    try:
        with tls.wrap_socket(plain_socket, server_hostname=peer.identity) as connection:
            connection.sendall(b"%d %b" % (len(line), line))
            ended = connection.recv(1) == b""
    except TimeoutError:
        return Answer(refused=False, layer="none", detail="the connection stayed open", facts=facts)
    except ssl.SSLError as error:
        return Answer(refused=True, layer="tls", detail=str(error.reason or error), facts=facts)
    except OSError as error:
        return Answer(refused=True, layer="connection", detail=f"the collector ended it: {error}", facts=facts)
    finally:
        plain_socket.close()
    return Answer(refused=ended, layer="connection", detail="the collector ended the connection", facts=facts)


CASES = (
    Case(
        "syslog-other-certificate",
        "a log line with a certificate that is given: another host's, or for another purpose",
        other_certificate,
        peer_of,
        "--certificate /run/x.crt --key /run/x.key --text hello",
    ),
)
