"""``pacslab logs``: show the log of a host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.cli import numbers
from lab.cli.passthrough import pass_through
from lab.engine.lab import Lab
from lab.errors import UsageError

if TYPE_CHECKING:
    import argparse

EXAMPLE = """
pacslab logs fw1
pacslab logs pacs-rad --unit orthanc --follow
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the host and which part of its log."""
    parser.add_argument("host", metavar="HOST", help="the host")
    parser.add_argument("--unit", metavar="UNIT", help="only this systemd unit")
    parser.add_argument("--lines", type=numbers.count, default=200, metavar="N", help="the last N lines (default: 200)")
    parser.add_argument("--follow", action="store_true", help="go on as the log grows, until Ctrl-C")


def run(arguments: argparse.Namespace) -> int:
    """Print the journal; with --json, one JSON object a line as journald has it. Of a device, print what it printed.

    Raises:
        UsageError: a device is asked for what only a journal has.
    """
    lab = Lab.open(arguments.lab)
    lab.container(arguments.host)
    if lab.record.hosts[arguments.host].ports is not None:
        return _printed(lab, arguments)
    argv = ["journalctl", "--no-pager", "--lines", str(arguments.lines)]
    argv += ["--output", "json" if arguments.json else "short-iso"]
    argv += ["--unit", arguments.unit] if arguments.unit else []
    argv += ["--follow"] if arguments.follow else []
    return pass_through(lab.stream(arguments.host, argv, tty=False, stdin=False))


def _printed(lab: Lab, arguments: argparse.Namespace) -> int:
    container = lab.container(arguments.host)
    if arguments.unit or arguments.follow or arguments.json:
        raise UsageError(
            f"{arguments.host} is a foreign device and has no journal: --unit, --follow and --json ask for one.",
            remedy=f"Leave them out, or use 'docker logs {container}', which has flags of its own.",
        )
    text = lab.docker.printed(container, arguments.lines)
    print(
        "".join(char if char.isprintable() or char in "\n\t" else "\N{REPLACEMENT CHARACTER}" for char in text), end=""
    )
    return 0
