"""A browser of this machine that a program drives, over Chrome's DevTools protocol, through Playwright."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lab.deadline import wait_until
from lab.errors import EngineError, MachineNotReadyError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import BrowserContext

AT_ROOT = ("--no-sandbox",) if os.geteuid() == 0 else ()
"""Chromium has no sandbox as root; a program may do without, a person may not."""
OPTIONS = ("--headless=new", "--remote-debugging-port=0", "--window-size=1400,900", *AT_ROOT)
"""What a browser is started with that is to be driven."""
STARTS_WITHIN = 60.0


class BrowserError(EngineError):
    """A page was not as it had to be, or the browser ended."""


@contextmanager
def driven(profile: Path) -> Iterator[BrowserContext]:
    """The browser that was started on a profile with :data:`OPTIONS`; it goes on afterwards.

    Raises:
        MachineNotReadyError: Playwright is not installed, or the browser does not start.
        BrowserError: a page is not as it has to be; what a caller waits for in vain becomes that too.
    """
    try:
        from playwright.sync_api import Error, sync_playwright  # noqa: PLC0415 # what drives no browser needs none
    except ImportError as error:
        raise MachineNotReadyError(
            "Playwright, which drives a browser, is not installed beside pacslab.",
            remedy="Run 'lab/setup.sh simulators,test browser'.",
        ) from error
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{_port(profile)}")
            (context,) = browser.contexts
            yield context
            browser.close()
        except Error as error:
            told = str(error).partition("\n")[0]
            raise BrowserError(
                f"The browser: {told}", remedy="'pacslab view' shows the pages as it has them."
            ) from error


def _port(profile: Path) -> int:
    """Where the browser lets itself be driven; it writes that into its profile."""
    told = profile / "DevToolsActivePort"
    if not wait_until(lambda: told.exists() and "\n" in told.read_text(), STARTS_WITHIN, 0.2):
        raise MachineNotReadyError("The browser does not start.", remedy="Start it by hand to see what it says.")
    return int(told.read_text().split("\n")[0])
