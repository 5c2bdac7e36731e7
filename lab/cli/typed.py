"""What a person types without showing it; where there is no terminal, a line of standard input."""

from __future__ import annotations

import getpass
import os
import sys

from lab.errors import UsageError

LONGEST = 1024


def typed(prompt: str) -> str:
    """Ask for it, or read the next line and nothing behind it: the rest is for the command that follows.

    Raises:
        UsageError: there is nothing.
    """
    line = getpass.getpass(prompt) if sys.stdin.isatty() else _line()
    if not line:
        raise UsageError(
            "A password and a one-time password are needed.",
            remedy="Type them when asked, or give each as a line of standard input.",
        )
    return line


def _line() -> str:
    found = b""
    while len(found) < LONGEST and (octet := os.read(sys.stdin.fileno(), 1)) not in (b"", b"\n"):
        found += octet
    return found.decode("utf-8", "replace").rstrip("\r")
