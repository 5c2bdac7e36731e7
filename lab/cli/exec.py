"""``pacslab exec``: run a command on a host."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from lab.cli.passthrough import pass_through
from lab.engine.lab import Lab
from lab.errors import UsageError

if TYPE_CHECKING:
    import argparse

EXAMPLE = """
pacslab exec ct1 -- ip address
pacslab exec db1 --user postgres -- psql
echo hello | pacslab exec ws-rad1 -- cat
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the host, the user and the command."""
    parser.add_argument("host", metavar="HOST", help="the host")
    parser.add_argument("--user", default="root", help="the user to be there (default: root)")
    parser.add_argument("command", nargs="*", metavar="COMMAND", help="the command, after '--'")


def run(arguments: argparse.Namespace) -> int:
    """Run the command with this process's input, output and terminal; its exit code is ours.

    Raises:
        UsageError: no command is given.
    """
    if not arguments.command:
        raise UsageError("No command is given.", remedy=f"Write it after '--': 'pacslab exec {arguments.host} -- id'.")
    lab = Lab.open(arguments.lab)
    tty = sys.stdin.isatty() and sys.stdout.isatty()
    return pass_through(lab.stream(arguments.host, arguments.command, user=arguments.user, tty=tty))
