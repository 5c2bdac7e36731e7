"""Serve a port of a host on this machine's loopback, each connection beginning on a workstation of the lab."""

from __future__ import annotations

import re
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lab.engine.execute import STDERR
from lab.errors import EngineError, PacslabError, UsageError
from lab.events import Note, Warned

if TYPE_CHECKING:
    from lab.engine.execute import Stream
    from lab.engine.lab import Lab
    from lab.events import Bus

_RELAY = Path(__file__).with_name("relay.py")
_CHUNK = 65536
_PORT = re.compile("[0-9]{1,5}")


@dataclass(frozen=True)
class ForwardTarget:
    """What is served: a port of a host, as seen from a workstation."""

    host: str
    port: int
    workstation: str


def parse_target(lab: Lab, text: str, workstation: str) -> ForwardTarget:
    """Read HOST:PORT or HOST:SERVICE.

    Raises:
        UsageError: no such host or service, or no port.
    """
    host, _, what = text.partition(":")
    lab.container(host)
    lab.container(workstation)
    if _PORT.fullmatch(what) and 0 < int(what) < 1 << 16:
        return ForwardTarget(host, int(what), workstation)
    services = lab.site.services(host)
    port = services[what].port if what in services else None
    if port is None:
        known = ", ".join(
            f"{name} ({service.port})"
            for name, service in services.items()
            if service.port and service.scope == "network"
        )
        raise UsageError(f"{text!r} is not HOST:PORT or HOST:SERVICE.", remedy=f"{host} offers: {known or 'nothing'}.")
    return ForwardTarget(host, port, workstation)


def listen(port: int) -> socket.socket:
    """Open the listening socket, on loopback only; port 0 takes a free one.

    Raises:
        UsageError: the port is taken.
    """
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError as error:
        raise UsageError(
            f"Port {port} cannot be served: {error.strerror}.", remedy="Choose another with --local."
        ) from error


def join(lab: Lab, target: ForwardTarget) -> Stream:
    """Open one connection, to talk over the stream's input and output.

    Raises:
        UsageError: the lab has no such host.
        EngineError: the workstation does not run.
    """
    address = lab.record.hosts[target.host].address
    return lab.stream(target.workstation, ["python3", "-ISc", _RELAY.read_text("utf-8"), address, str(target.port)])


def serve(lab: Lab, target: ForwardTarget, listener: socket.socket, bus: Bus) -> None:
    """Serve connections until the process ends."""
    while True:
        client, _ = listener.accept()
        threading.Thread(target=_connect, args=(lab, target, client, bus), daemon=True).start()


def serve_here(lab: Lab, target: ForwardTarget, bus: Bus) -> int:
    """Have a port of loopback lead to a target for as long as this process runs; the answer is the port.

    Raises:
        UsageError: no port is free.
    """
    listener = listen(0)
    threading.Thread(target=serve, args=(lab, target, listener, bus), daemon=True).start()
    port: int = listener.getsockname()[1]
    return port


def _connect(lab: Lab, target: ForwardTarget, client: socket.socket, bus: Bus) -> None:
    with client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            stream = join(lab, target)
        except PacslabError as error:
            bus.emit(Warned(error.message, error.remedy))
            return
        threading.Thread(target=_outwards, args=(client, stream), daemon=True).start()
        bus.emit(Note(f"connection to {target.host}:{target.port} as {target.workstation}"))
        try:
            _inwards(client, stream, bus)
        except (OSError, EngineError) as error:
            bus.emit(Warned(f"connection to {target.host}:{target.port} broke: {error}"))
        finally:
            stream.close()
            with suppress(OSError):  # it may be closed at both ends already
                client.shutdown(socket.SHUT_RDWR)  # closing alone leaves it open while the other thread reads


def _inwards(client: socket.socket, stream: Stream, bus: Bus) -> None:
    for kind, data in stream.frames():
        if kind == STDERR:
            bus.emit(Warned(data.decode("utf-8", "replace").strip()))
        else:
            client.sendall(data)


def _outwards(client: socket.socket, stream: Stream) -> None:
    try:
        while data := client.recv(_CHUNK):
            stream.send(data)
        stream.end_input()
    except OSError:
        return  # one side has closed; the other direction ends the connection
