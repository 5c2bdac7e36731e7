"""``pacslab ssh``: reach a host as an administrator does, with a certificate that is good for minutes."""

from __future__ import annotations

import json
import shlex
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from lab.cli import numbers, ssh_records
from lab.cli.display import print_line
from lab.cli.ending import TerminatedError
from lab.cli.typed import typed
from lab.engine.lab import Lab
from lab.errors import MachineNotReadyError, PacslabError, UsageError
from lab.events import Bus, Warned

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from lab.events import Event
    from lab.operate.administration import Wish
    from lab.topology.site import ResolvedFlow
    from lab.trust.ssh import Issued

EXAMPLE = """
pacslab ssh pacs-rad --as p.adeyemi
pacslab ssh db1 --as p.adeyemi --reason 'full disk' -- sudo df -h
pacslab ssh --config ~/admin --as p.adeyemi --minutes 60
pacslab ssh idp1 --break-glass 'the sign-on does not start'
pacslab ssh --envelope
"""
MINUTES = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the host, the command, and what the certificate says."""
    parser.add_argument("host", nargs="?", metavar="HOST", help="the host")
    who = parser.add_mutually_exclusive_group()
    who.add_argument(
        "--as", dest="person", metavar="PERSON", help="who comes; asks for the password and the second factor"
    )
    who.add_argument(
        "--break-glass", metavar="REASON", help="while the sign-on is down: open the sealed envelope, on record"
    )
    who.add_argument(
        "--principal",
        default="",
        metavar="NAME",
        help="the principal to be let in as, where administrators do not sign in",
    )
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
    parser.add_argument(
        "--envelope", action="store_true", help="show when the sealed envelope was opened, and sealed again"
    )
    parser.add_argument("--reseal", action="store_true", help="seal the envelope with a new secret")
    parser.add_argument("command", nargs="*", metavar="COMMAND", help="a command for the host, after '--'")


def run(arguments: argparse.Namespace) -> int:
    """Be the client: its input, output, terminal and exit code are ours.

    Raises:
        UsageError: no host is named, none can be reached, or nobody says who comes.
        NotLetInError: the person does not show both factors, or may not administer hosts.
        MachineNotReadyError: the machine has no SSH client.
    """
    lab = Lab.open(arguments.lab)
    if arguments.list:
        return ssh_records.show_certificates(lab, as_json=arguments.json)
    if arguments.envelope:
        return ssh_records.show_envelope(lab, as_json=arguments.json)
    if arguments.revoke is not None:
        return _revoke(lab, arguments)
    from lab.operate.administration import way_to, ways  # noqa: PLC0415 # --help needs no cryptography

    flows = ways(lab.site, arguments.source)
    if arguments.reseal:
        return _reseal(lab, flows[0].source)
    if arguments.host is not None:
        flows = [way_to(flows, arguments.host)]
    if arguments.config is not None:
        return _write(lab, flows, arguments)
    if arguments.host is None:
        raise UsageError("No host is named.", remedy="'pacslab ssh HOST', or 'pacslab ssh --config FOLDER' for all.")
    try:
        with tempfile.TemporaryDirectory(prefix="pacslab-ssh-") as folder:
            _fill(lab, flows, Path(folder), arguments)
            words = ["--", shlex.join(arguments.command)] if arguments.command else []
            return _client(["ssh", "-F", f"{folder}/config", arguments.host, *words])
    finally:
        if arguments.break_glass is not None:
            _seal_again(lab, flows[0].source)


def _client(argv: Sequence[str]) -> int:
    """Run the client in the foreground. Ctrl-C is meant for it; an order to end, which it does not get, is passed on.

    The key is removed when it has ended.
    """
    try:
        client = subprocess.Popen(argv)
    except FileNotFoundError:
        raise MachineNotReadyError("This machine has no SSH client.", remedy="Run 'make setup'.") from None
    while client.returncode is None:
        try:
            client.wait()
        except TerminatedError:
            client.terminate()
            client.wait()
            raise
        except KeyboardInterrupt:
            continue
    return client.returncode


def _fill(lab: Lab, flows: Sequence[ResolvedFlow], folder: Path, arguments: argparse.Namespace) -> Issued:
    """Have what a client needs put into a folder, and entered in the lab's own log."""
    from lab.operate.administration import open_door  # noqa: PLC0415 # --help needs no cryptography

    with _log(lab) as bus:
        return open_door(lab, flows, _wish(lab, flows, arguments, bus), folder, bus)


def _wish(lab: Lab, flows: Sequence[ResolvedFlow], arguments: argparse.Namespace, bus: Bus) -> Wish:
    """Who comes, why and as whom, once that is proven.

    Raises:
        UsageError: nobody says who comes, though administrators sign in at this site; or somebody does where none do.
        NotLetInError: the person does not show both factors, or may not administer hosts.
    """
    from lab.operate import administrators, emergency  # noqa: PLC0415 # with the next: --help needs no cryptography
    from lab.operate.administration import Wish, person  # noqa: PLC0415

    reason = arguments.reason or shlex.join(arguments.command)[:60] or "no reason given"
    lifetime, source = timedelta(minutes=arguments.minutes), flows[0].source
    if arguments.break_glass is not None:
        if len(flows) != 1:
            raise UsageError(
                "The envelope is opened for one host.", remedy="Name it: 'pacslab ssh HOST --break-glass ...'."
            )
        return emergency.break_glass(lab, flows[0], arguments.break_glass, lifetime, bus)
    if arguments.person is not None:
        administrators.require_sign_on(lab.site, source)
        factors = administrators.Factors(arguments.person, typed("Password: "), typed("One-time password: "))
        administrators.sign_in(lab, source, factors)
        return Wish(arguments.person, reason, "", lifetime, account=arguments.person, signed_in=True)
    if administrators.sign_on_of(lab.site, source) is not None:
        known = ", ".join(lab.site.administrators) or "nobody"
        raise UsageError(
            "Administrators sign in before they come to a host; nobody is named.",
            remedy=f"'--as PERSON' ({known}). While the sign-on is down: '--break-glass REASON'.",
        )
    return Wish(person(), reason, arguments.principal, lifetime)


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
        return 0
    print(f"'ssh -F {folder}/config HOST' lets in until {ssh_records.clock(entry.until)}.")
    if arguments.break_glass is not None:
        print("The envelope is open. 'pacslab ssh --reseal' seals it again.")
    return 0


def _revoke(lab: Lab, arguments: argparse.Namespace) -> int:
    from lab.operate.certificates import revoke_ssh_certificate  # noqa: PLC0415 # it imports Ansible

    entry = revoke_ssh_certificate(lab, arguments.revoke, Bus())
    if arguments.json:
        print(json.dumps(asdict(entry)))
    else:
        print(f"revoked {entry.serial} of {entry.person}")
    return 0


def _reseal(lab: Lab, source: str) -> int:
    from lab.operate.emergency import reseal  # noqa: PLC0415 # it imports Ansible

    with _log(lab) as bus:
        reseal(lab, source, bus)
    print("The envelope is sealed, with another secret than before.")
    return 0


def _seal_again(lab: Lab, source: str) -> None:
    """Seal what was opened, also where the session ended otherwise; where that fails, say so beside its own error."""
    from lab.operate.emergency import reseal  # noqa: PLC0415 # it imports Ansible
    from lab.trust.envelope import is_open, record  # noqa: PLC0415 # --help needs no cryptography
    from lab.trust.store import pki_folder  # noqa: PLC0415

    try:
        opened = is_open(record(pki_folder(lab.folder)))
    except PacslabError:
        return  # there is none, which was told
    if not opened:
        return  # it was refused before that
    with _log(lab) as bus:
        reseal(lab, source, bus)


@contextmanager
def _log(lab: Lab) -> Iterator[Bus]:
    """What happens meanwhile is kept in the lab's own log; warnings are printed."""
    from lab.operate.event_log import RunLog  # noqa: PLC0415 # --help needs no log

    bus, log = Bus(), RunLog(lab.folder)
    bus.subscribe(log)
    bus.subscribe(_print_warning)
    try:
        yield bus
    finally:
        log.close()


def _print_warning(event: Event) -> None:
    if isinstance(event, Warned):
        print_line(event)
