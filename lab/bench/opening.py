"""How soon a person sees the first image after opening a study, in a real browser: in the viewer, and at plain Orthanc.

Both are the same OHIF in the same Chromium of this machine, which reaches the site as a workstation does
(``pacslab view``). Plain is OHIF's files and Orthanc's own DICOMweb interface, served on the archive's host by a small
program: no sign-on, no gateway, no edge, no TLS and no network between hosts.
"""

from __future__ import annotations

import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lab.bench.programs import program
from lab.deadline import wait_until
from lab.errors import EngineError
from lab.events import Bus
from lab.hospital.viewer import Viewer
from lab.operate.browser import arguments, pages
from lab.operate.driven_browser import OPTIONS, driven
from lab.operate.forward import ForwardTarget, serve_here
from lab.operate.installed_browser import installed_browser

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import BrowserContext, Page

    from lab.engine.lab import Lab

    Opening = Callable[[], float]

FILES, SETTINGS = "/srv/pacslab/viewer", "/srv/pacslab/pages/app-config.js"
"""Where the viewer's host has OHIF, and what it is told."""
PLAIN = "/srv/plain-viewer"
"""Where the archive's host gets it, in a lab that is thrown away."""
PORT = 18_099
FIRST = """
let arrived = false;
document.addEventListener("CORNERSTONE_STACK_NEW_IMAGE", () => { arrived = true; }, true);
document.addEventListener("CORNERSTONE_IMAGE_RENDERED", () => {
  if (arrived) { window.pacslabFirst ??= performance.now(); }
}, true);
"""
"""Notes when the first image was drawn, in milliseconds since the page was asked for."""
DRAWN_WITHIN = 60_000.0
LOOK = 0.05
REMEDY = "'pacslab view' shows the viewer as the browser has it."


@contextmanager
def browser(lab: Lab) -> Iterator[BrowserContext]:
    """A browser that reaches the viewer as from a workstation, and loopback.

    Raises:
        MachineNotReadyError: there is no browser, or nothing that drives it.
        BrowserError: a page is not as it has to be.
    """
    found, bus = pages(lab.site), Bus()
    served = {flow: serve_here(lab, ForwardTarget(flow.target, flow.port, flow.source), bus) for flow in found.flows}
    with tempfile.TemporaryDirectory(prefix="pacslab-bench-", ignore_cleanup_errors=True) as profile:
        command = [installed_browser(), *OPTIONS, *arguments(lab, found, served, Path(profile))]
        quiet = subprocess.DEVNULL
        with subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet) as started:
            try:
                with driven(Path(profile)) as context:
                    context.add_init_script(FIRST)
                    yield context
            finally:
                started.terminate()


def in_viewer(context: BrowserContext, lab: Lab, person: str, study: str) -> Opening:
    """Sign a person in; the function that is returned opens the study and returns the seconds until its first image."""
    viewer, page = Viewer.of(lab), context.new_page()
    page.goto(f"{viewer.address}/", timeout=DRAWN_WITHIN)
    viewer.sign_in(page, person, DRAWN_WITHIN)
    return lambda: _first(page, f"{viewer.address}/viewer?StudyInstanceUIDs={study}")


@contextmanager
def at_plain_orthanc(context: BrowserContext, lab: Lab, archive: str, user: str, study: str) -> Iterator[Opening]:
    """The same OHIF at the archive's own interface.

    Raises:
        EngineError: it is not served there.
    """
    _copy(lab, Viewer.of(lab).host, archive)
    port = lab.site.services(archive)["http"].port
    argv = [
        "python3",
        "-I",
        "-c",
        program("plain_viewer.py").decode(),
        PLAIN,
        f"{lab.record.hosts[archive].address}:{PORT}",
        str(port),
        user,
    ]
    serving = lab.stream(archive, argv)
    try:
        if not any(b"serving" in data for _, data in serving.frames()):
            raise EngineError(f"{archive} does not serve OHIF.", remedy="Run the measurement again.")
        here = serve_here(lab, ForwardTarget(archive, PORT, archive), Bus())
        page = context.new_page()
        yield lambda: _first(page, f"http://127.0.0.1:{here}/viewer?StudyInstanceUIDs={study}")
    finally:
        serving.close()


def _first(page: Page, address: str) -> float:
    page.bring_to_front()
    page.goto(address, timeout=DRAWN_WITHIN, wait_until="commit")
    # Asked for again and again: the page's policy lets no condition be compiled in it.
    if not wait_until(lambda: page.evaluate("window.pacslabFirst") is not None, DRAWN_WITHIN / 1000, LOOK):
        raise EngineError(f"No image was drawn within {DRAWN_WITHIN / 1000:.0f} s at {address}.", remedy=REMEDY)
    seconds = float(page.evaluate("window.pacslabFirst")) / 1000
    page.goto("about:blank")
    return seconds


def _copy(lab: Lab, viewer: str, archive: str) -> None:
    """Bring OHIF's files to the archive's host, with what the viewer tells it."""
    packed = lab.run(viewer, ["sh", "-ec", f"tar -C {FILES} -cz . | base64"], timeout=120)
    settings = lab.run(viewer, ["cat", SETTINGS])
    unpack = f"mkdir -p {PLAIN} && base64 -d | tar -C {PLAIN} -xz"
    done = lab.run(archive, ["sh", "-ec", unpack], input=packed.stdout.encode(), timeout=120)
    if packed.code or settings.code or done.code:
        raise EngineError(f"{archive} did not get OHIF: {done.stderr.strip()}", remedy="Run the measurement again.")
    lab.write(archive, f"{PLAIN}/app-config.js", settings.stdout.encode())
