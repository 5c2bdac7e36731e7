"""The browser of this machine that can be told where names lead."""

from __future__ import annotations

import shutil

from lab.errors import MachineNotReadyError

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge")
"""What takes Chromium's arguments; Firefox does not."""


def installed_browser(named: str | None = None) -> str:
    """The path of the one that is named, or of the first that is installed.

    Raises:
        MachineNotReadyError: there is none.
    """
    for name in (named,) if named else BROWSERS:
        program = shutil.which(name)
        if program:
            return program
    raise MachineNotReadyError(
        f"There is no {named}." if named else "This machine has no browser that can be told where names lead.",
        remedy="Install Chromium, or name one that takes its options with --browser.",
    )
