"""``pacslab ssh``: reach a host as an administrator does, with a certificate that is good for minutes."""

from __future__ import annotations

import json
import shlex
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from lab.cli import numbers
from lab.engine.lab import Lab
from lab.errors import MachineNotReadyError, UsageError
from lab.events import Bus

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from lab.topology.site import ResolvedFlow
    from lab.trust.ssh import Issued

EXAMPLE = """
pacslab ssh pacs-rad
pacslab ssh db1 --reason 'full disk' -- sudo df -h
pacslab ssh --config ~/admin --minutes 60
pacslab ssh --list
"""
MINUTES = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the host, the command, and what the certificate says."""
    parser.add_argument("host", nargs="?", metavar="HOST", help="the host")
    parser.add_argument("--as", dest="principal", default="", metavar="NAME", help="the principal to be let in as")
    parser.add_argument("--reason", default="", metavar="TEXT", help="why; it stands in the host's log")
    parser.add_argument(
        "--minutes",
        type=numbers.count,
        default=MINUTES,
        metavar="N",
        help=f"how long the certificate lets in; a session goes on (default: {MINUTES})",
    )
    parser.add_argument("--from", dest="source", metavar="HOST", help="the host to come from, where there are several")
    parser.add_argument(
        "--config", type=Path, metavar="FOLDER", help="write key, certificate and configuration there, for 'ssh -F'"
    )
    parser.add_argument("--list", action="store_true", help="show the certificates that were given lately")
    parser.add_argument("--revoke", type=int, metavar="SERIAL", help="have every host refuse a certificate from now on")
    parser.add_argument("command", nargs="*", metavar="COMMAND", help="a command for the host, after '--'")


def run(arguments: argparse.Namespace) -> int:
    """Be the client: its input, output, terminal and exit code are ours.

    Raises:
        UsageError: no host is named, or none can be reached.
        MachineNotReadyError: the machine has no SSH client.
    """
    lab = Lab.open(arguments.lab)
    if arguments.list:
        return _list(lab, as_json=arguments.json)
    if arguments.revoke is not None:
        return _revoke(lab, arguments)
    from lab.operate.administration import way_to, ways  # noqa: PLC0415 # --help needs no cryptography

    flows = ways(lab.site, arguments.source)
    if arguments.host is not None:
        flows = [way_to(flows, arguments.host)]
    if arguments.config is not None:
        return _write(lab, flows, arguments)
    if arguments.host is None:
        raise UsageError("No host is named.", remedy="'pacslab ssh HOST', or 'pacslab ssh --config FOLDER' for all.")
    with tempfile.TemporaryDirectory(prefix="pacslab-ssh-") as folder:
        _fill(lab, flows, Path(folder), arguments)
        words = ["--", shlex.join(arguments.command)] if arguments.command else []
        return _client(["ssh", "-F", f"{folder}/config", arguments.host, *words])


def _client(argv: Sequence[str]) -> int:
    """Run the client in the foreground. Ctrl-C is meant for it: the key is removed when it has ended."""
    try:
        client = subprocess.Popen(argv)
    except FileNotFoundError:
        raise MachineNotReadyError("This machine has no SSH client.", remedy="Run 'make setup'.") from None
    while client.returncode is None:
        with suppress(KeyboardInterrupt):
            client.wait()
    return client.returncode


def _fill(lab: Lab, flows: Sequence[ResolvedFlow], folder: Path, arguments: argparse.Namespace) -> Issued:
    """Have what a client needs put into a folder, and entered in the lab's own log."""
    from lab.operate.administration import Wish, open_door, person  # noqa: PLC0415 # --help needs no cryptography
    from lab.operate.event_log import RunLog  # noqa: PLC0415

    reason = arguments.reason or shlex.join(arguments.command)[:60] or "no reason given"
    wish = Wish(person(), reason, arguments.principal, timedelta(minutes=arguments.minutes))
    bus, log = Bus(), RunLog(lab.folder)
    bus.subscribe(log)
    try:
        return open_door(lab, flows, wish, folder, bus)
    finally:
        log.close()


def _write(lab: Lab, flows: Sequence[ResolvedFlow], arguments: argparse.Namespace) -> int:
    """Write a folder for other clients, which is the user's to remove.

    Raises:
        UsageError: it is there already, and not one of these.
    """
    folder = arguments.config.expanduser().absolute()
    if folder.exists() and not (folder / "config").is_file():
        raise UsageError(f"{folder} holds something else.", remedy="Name a folder that is not there yet.")
    entry = _fill(lab, flows, folder, arguments)
    if arguments.json:
        print(json.dumps({"config": f"{folder}/config", "hosts": [flow.target for flow in flows], **asdict(entry)}))
    else:
        print(f"'ssh -F {folder}/config HOST' lets in until {_clock(entry.until)}.")
    return 0


def _list(lab: Lab, *, as_json: bool) -> int:
    from lab.trust.ssh import issued  # noqa: PLC0415 # --help needs no cryptography
    from lab.trust.store import pki_folder  # noqa: PLC0415

    found = issued(pki_folder(lab.folder))
    if as_json:
        print(json.dumps([asdict(entry) for entry in found]))
        return 0
    rows = [("SERIAL", "STATE", "GIVEN", "UNTIL", "PRINCIPALS", "PERSON", "REASON")]
    rows += [
        (
            str(entry.serial),
            _state(entry),
            _clock(entry.at),
            _clock(entry.until),
            ",".join(entry.principals),
            entry.person,
            entry.reason,
        )
        for entry in found
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    return 0


def _revoke(lab: Lab, arguments: argparse.Namespace) -> int:
    from lab.operate.certificates import revoke_ssh_certificate  # noqa: PLC0415 # it imports Ansible

    entry = revoke_ssh_certificate(lab, arguments.revoke, Bus())
    if arguments.json:
        print(json.dumps(asdict(entry)))
    else:
        print(f"revoked {entry.serial} of {entry.person}")
    return 0


def _state(entry: Issued) -> str:
    if entry.revoked is not None:
        return "revoked"
    return "good" if entry.until > time.time() else "expired"


def _clock(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M:%SZ}"
