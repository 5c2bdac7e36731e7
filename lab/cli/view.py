"""``pacslab view``: a site's pages in a browser of this machine, as at a workstation of the lab."""

from __future__ import annotations

import json
import shlex
import subprocess
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from lab.cli.display import print_line
from lab.engine.lab import Lab
from lab.events import Bus
from lab.operate.forward import ForwardTarget, serve_here
from lab.operate.installed_browser import BROWSERS, installed_browser

if TYPE_CHECKING:
    import argparse

EXAMPLE = """
pacslab view a.rivera
pacslab view --as ws-tech1
pacslab view --browser /opt/chrome/chrome -- --start-fullscreen
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare who is to sign in, where, and in which browser."""
    parser.add_argument("person", nargs="?", metavar="PERSON", help="the name that somebody signs in with")
    parser.add_argument("--as", dest="workstation", metavar="HOST", help="the workstation whose place it takes")
    parser.add_argument("--host", metavar="HOST", help="whose pages are opened first (default: the viewer's)")
    parser.add_argument("--browser", metavar="PATH", help=f"the browser (default: the first of {', '.join(BROWSERS)})")
    parser.add_argument(
        "--print", dest="only_print", action="store_true", help="print the command to start, and serve until Ctrl-C"
    )
    parser.add_argument("command", nargs="*", metavar="OPTION", help="further options of the browser, after '--'")


def run(arguments: argparse.Namespace) -> int:
    """Serve the site's pages on loopback and open them, until the browser is closed; its profile goes with it.

    Raises:
        UsageError: there is nothing to open, or nobody of that name.
        MachineNotReadyError: there is no browser.
    """
    lab = Lab.open(arguments.lab)
    from lab.operate import browser  # noqa: PLC0415 # with the next: --help needs no cryptography
    from lab.trust.personal import person_of  # noqa: PLC0415

    found = browser.pages(lab.site, arguments.workstation, arguments.host)
    if arguments.person is not None:
        person_of(lab.site, arguments.person)
    program = installed_browser(arguments.browser)
    bus = Bus()
    bus.subscribe(print_line)
    with tempfile.TemporaryDirectory(prefix="pacslab-view-", ignore_cleanup_errors=True) as profile:
        served = {
            flow: serve_here(lab, ForwardTarget(flow.target, flow.port, flow.source), bus) for flow in found.flows
        }
        command = [program, *arguments.command, *browser.arguments(lab, found, served, Path(profile))]
        _tell(lab, arguments, command)
        if arguments.only_print:
            with suppress(KeyboardInterrupt):
                threading.Event().wait()
            return 0
        return _open(command)


def _tell(lab: Lab, arguments: argparse.Namespace, command: list[str]) -> None:
    if arguments.json:
        print(json.dumps({"url": command[-1], "command": command}), flush=True)
        return
    print(f"{command[-1]} as seen from {arguments.workstation or 'a workstation'} of lab {lab.name}", flush=True)
    if arguments.only_print:
        print(shlex.join(command), flush=True)
    if arguments.person is not None:
        ask = f"pacslab people {{}} {arguments.person} --lab {lab.name}"
        print(f"sign in as {arguments.person}: '{ask.format('password')}', then '{ask.format('code')}'", flush=True)


def _open(command: list[str]) -> int:
    """Run the browser in the foreground; Ctrl-C and an order to end (SIGTERM) end it too."""
    browser = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        return browser.wait()
    except KeyboardInterrupt:
        browser.terminate()
        browser.wait()
        return 0
