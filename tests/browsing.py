"""A real browser at a workstation of a lab: Chromium, as ``pacslab view`` opens it, driven by a test."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from lab.hospital.viewer import Viewer
from lab.operate.driven_browser import OPTIONS, driven
from lab.settings import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request

    from lab.engine.lab import Lab

EVIDENCE = ROOT / ".cache" / "viewer"
"""Where pictures of the pages are kept, in the order in which a test saw them."""
ANSWERS = 60_000.0
"""Milliseconds in which a page has to show what is waited for."""


@dataclass
class Browser:
    """A browser that a person has opened.

    Attributes:
        page: Its page.
        viewer: What is opened in it.
        asked: Every address that it asked for, but for what it made itself.
        complaints: What its console says of the page's security policy, and errors that no script caught.
        pictures: How many are kept.
    """

    page: Page
    viewer: Viewer
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    pictures: int = 0

    def watch(self, context: BrowserContext) -> None:
        """Note from now on what is asked for, and what the console says."""

        def note_request(request: Request) -> None:
            if urlsplit(request.url).scheme in {"http", "https", "ws", "wss"}:
                self.asked.append(request.url)

        def note_console(message: ConsoleMessage) -> None:
            if "Content Security Policy" in message.text:
                self.complaints.append(message.text)

        context.on("request", note_request)
        context.on("console", note_console)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))

    def sign_in(self, person: str) -> None:
        """Sign in where the page for it is shown, with a one-time password that was not used yet."""
        self.viewer.sign_in(self.page, person, ANSWERS)

    def keep(self, name: str) -> Path:
        """Keep a picture of the page as evidence."""
        self.pictures += 1
        path = EVIDENCE / f"{self.pictures:02}-{name}.png"
        self.page.screenshot(path=path)
        return path


@contextmanager
def chromium(lab: Lab, *words: str, evidence: Path = EVIDENCE) -> Iterator[tuple[BrowserContext, str]]:
    """A browser as ``pacslab view`` with these words opens it, and the address of its first page; closed afterwards."""
    evidence.mkdir(parents=True, exist_ok=True)
    whole = ["view", *words, "--lab", lab.name, "--json", "--", *OPTIONS]
    log = (evidence / "browser.log").open("w", encoding="utf-8")
    with log, subprocess.Popen(
        [sys.executable, "-m", "lab.cli.main", *whole], stdout=subprocess.PIPE, stderr=log, text=True, cwd=ROOT
    ) as view:  # fmt: skip
        try:
            assert view.stdout is not None
            opened: dict[str, Any] = json.loads(view.stdout.readline())
            with driven(_profile(opened["command"])) as context:
                yield context, str(opened["url"])
        finally:
            view.terminate()


@contextmanager
def browser(lab: Lab, person: str) -> Iterator[Browser]:
    """A browser at the workstation where people sign in, on the viewer's first page; it is closed afterwards."""
    viewer = Viewer.of(lab)
    for picture in EVIDENCE.glob("*.png"):
        picture.unlink()
    with chromium(lab, person, "--as", viewer.sign_on.caller) as (context, _):
        found = Browser(context.pages[0], viewer)
        found.watch(context)
        found.page.goto(f"{viewer.address}/", timeout=ANSWERS)
        yield found


def _profile(command: list[str]) -> Path:
    """The folder that the browser keeps its profile in."""
    (profile,) = (word.partition("=")[2] for word in command if word.startswith("--user-data-dir="))
    return Path(profile)
