"""``pacslab as``: run a program of this machine in a host's place in the network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.engine.lab import Lab
from lab.errors import UsageError
from lab.operate.as_host import run_as

if TYPE_CHECKING:
    import argparse

EXAMPLE = """
sudo pacslab as ct9 -- echoscu --aetitle CT9 --call PACS1 pacs1.devices.internal 2762
sudo pacslab as ct9 -- bash
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the host and the command."""
    parser.add_argument("host", metavar="HOST", help="the host, of ours or a foreign device")
    parser.add_argument("command", nargs="*", metavar="COMMAND", help="a program of this machine, after '--'")


def run(arguments: argparse.Namespace) -> int:
    """Become the program: its input, output, terminal and exit code are ours.

    Raises:
        UsageError: no command is given.
    """
    if not arguments.command:
        raise UsageError("No command is given.", remedy=f"Write it after '--': 'pacslab as {arguments.host} -- bash'.")
    run_as(Lab.open(arguments.lab), arguments.host, arguments.command)
