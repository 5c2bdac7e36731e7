"""``pacslab forward``: a port of a host, on this machine, as seen from a workstation."""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import time
from typing import TYPE_CHECKING

from lab.cli import numbers
from lab.cli.display import print_line
from lab.cli.passthrough import pass_through
from lab.engine.lab import Lab
from lab.errors import UsageError
from lab.events import Bus
from lab.operate import background_forwards
from lab.operate.forward import join, listen, parse_target, serve

if TYPE_CHECKING:
    import argparse

    from lab.operate.forward import ForwardTarget

EXAMPLE = """
pacslab forward pacs-rad:dicomweb-tls --as ws-rad1 --local 8443
pacslab forward pacs-rad:2762 --as ws-rad1 --background
pacslab forward --stop 8443
ssh -o ProxyCommand='pacslab forward db1:ssh --as adm1 --stdio' p.adeyemi@db1
"""
ASK_EVERY = 30.0
"""Seconds between two questions whether somebody may go on: what the directory says counts within a minute."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what is served, from where, and where."""
    parser.add_argument("target", nargs="?", metavar="HOST:PORT", help="a port or the name of a service of a host")
    parser.add_argument("--as", dest="workstation", metavar="HOST", help="the host whose network connections begin in")
    parser.add_argument(
        "--local", type=numbers.port, default=0, metavar="PORT", help="port of 127.0.0.1 (default: a free one)"
    )
    parser.add_argument(
        "--stdio", action="store_true", help="serve no port: join this command's own input and output to the target"
    )
    parser.add_argument(
        "--signed-in",
        metavar="PERSON",
        help="with --stdio: end the connection when PERSON may no longer administer hosts, as 'pacslab ssh' asks for",
    )
    parser.add_argument("--background", action="store_true", help="return at once and serve until the lab goes down")
    parser.add_argument(
        "--stop", type=numbers.port, metavar="PORT", help="end the forward that serves this port of 127.0.0.1"
    )


def run(arguments: argparse.Namespace) -> int:
    """Serve until Ctrl-C, or in the background; 0 when it serves."""
    lab = Lab.open(arguments.lab)
    if arguments.stop is not None:
        if not background_forwards.stop_all(lab.folder, arguments.stop):
            raise UsageError(
                f"Nothing of lab {lab.name!r} serves port {arguments.stop}.", remedy="See 'pacslab doctor'."
            )
        return 0
    if not arguments.target or not arguments.workstation:
        raise UsageError("forward needs HOST:PORT and --as HOST.", remedy="'pacslab forward --help' shows examples.")
    target = parse_target(lab, arguments.target, arguments.workstation)
    if arguments.stdio:
        return _join(lab, target, arguments.signed_in)
    listener = listen(arguments.local)
    local = listener.getsockname()[1]
    if arguments.background and _left_to_child():
        listener.close()
        _tell(target, local, as_json=arguments.json)
        return 0
    if not arguments.background:
        _tell(target, local, as_json=arguments.json)
    _serve(lab, target, listener)
    return 0


def _join(lab: Lab, target: ForwardTarget, person: str | None) -> int:
    """Join this command's own input and output, for as long as the person may administer hosts where one is named."""
    stream = join(lab, target)
    if person is None:
        return pass_through(stream)
    from lab.operate.administrators import is_still_one  # noqa: PLC0415 # other forwards need no cryptography

    why: list[str] = []

    def watch() -> None:
        while not why:
            time.sleep(ASK_EVERY)
            if reason := is_still_one(lab, target.workstation, person):
                why.append(reason)
        stream.socket.shutdown(socket.SHUT_RDWR)  # ends what passes through

    threading.Thread(target=watch, daemon=True).start()
    code = pass_through(stream)
    if why:
        print(f"The session was ended: {why[0]}", file=sys.stderr)
    return code


def _tell(target: ForwardTarget, local: int, *, as_json: bool) -> None:
    served = {"local": local, "host": target.host, "port": target.port, "as": target.workstation}
    text = f"127.0.0.1:{local} is {target.host}:{target.port} as seen from {target.workstation}"
    print(json.dumps(served) if as_json else text, flush=True)


def _serve(lab: Lab, target: ForwardTarget, listener: socket.socket) -> None:
    bus = Bus()
    bus.subscribe(print_line)
    local = listener.getsockname()[1]
    pid = os.getpid()
    noted = background_forwards.note(
        lab.folder,
        background_forwards.BackgroundForward(
            pid, background_forwards.start_of(pid), local, target.host, target.port, target.workstation
        ),
    )
    try:
        serve(lab, target, listener, bus)
    finally:
        noted.unlink(missing_ok=True)


def _left_to_child() -> bool:
    """Fork; True in the parent. The child leaves the terminal: its own session, and nothing to read or print to."""
    if os.fork():
        return True
    os.setsid()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())
    return False
