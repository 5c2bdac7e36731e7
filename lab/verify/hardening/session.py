"""Runs hardening checks with pytest, in a thread of this process, and yields results while it runs."""

from __future__ import annotations

import contextlib
import io
import os
import queue
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from lab.errors import PacslabError
from lab.settings import ROOT
from lab.verify.hardening.find import check_files, declared_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.results.model import Result
    from lab.verify.hardening.plugin import Judging

OPTIONS = [
    "--noconftest",
    "--import-mode=importlib",
    "--disable-plugin-autoload",
    f"--rootdir={ROOT}",
    "-c/dev/null",
    *(f"-pno:{plugin}" for plugin in ("cacheprovider", "capture", "faulthandler", "junitxml", "logging", "terminal")),
    *(f"-pno:{plugin}" for plugin in ("threadexception", "unraisableexception", "stepwise", "warnings", "doctest")),
]
"""Nothing of a developer's own setting, and nothing that touches the process around it (output, signals, threads)."""


ADDED_OPTIONS = "PYTEST_ADDOPTS"
"""Where pytest finds options besides those it is given."""


class ChecksBrokenError(PacslabError):
    """The files of checks could not be collected."""


@contextlib.contextmanager
def _own_options() -> Iterator[None]:
    """Keep options meant for another run of pytest out of ours: CI sets some, and ours runs without their plugins."""
    given = os.environ.pop(ADDED_OPTIONS, None)
    try:
        yield
    finally:
        if given is not None:
            os.environ[ADDED_OPTIONS] = given


def run_session(judging: Judging) -> Iterator[Result]:
    """Run every wanted check and yield its results as they come.

    Raises:
        ChecksBrokenError: a file of checks cannot be imported, or pytest itself failed.
    """
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    files = [
        str(path)
        for path in check_files()
        if any(judging.wants(declared.promise.id) for declared in declared_in(path).values())
    ]
    if not files:
        return
    results: queue.SimpleQueue[Result | int | BaseException] = queue.SimpleQueue()
    judging.deliver = results.put
    collecting = _Collecting()

    def work() -> None:
        try:
            with contextlib.redirect_stdout(io.StringIO()), _own_options():
                results.put(int(pytest.main([*OPTIONS, *files], plugins=[judging, collecting])))
        except BaseException as error:  # noqa: BLE001 # told where the results are read
            results.put(error)

    thread = threading.Thread(target=work, name="hardening-checks", daemon=True)
    thread.start()
    while True:
        result = results.get()
        if isinstance(result, BaseException):
            raise result
        if isinstance(result, int):
            break
        yield result
    thread.join()
    if collecting.errors or result not in {0, 1, 5}:  # all passed, some failed, none collected
        said = "\n".join(collecting.errors) or f"pytest ended with {result}"
        raise ChecksBrokenError(
            f"The hardening checks could not all be run: {said}", remedy="Run `pytest tests/hardening` to see more."
        )


class _Collecting:
    """Remembers what could not be collected."""

    def __init__(self) -> None:
        self.errors: list[str] = []

    def pytest_configure(self, config: pytest.Config) -> None:
        """Keep Python's own tracebacks: for the long ones pytest parses files, 0.1 s for each check that fails."""
        config.option.tbstyle = "native"

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.errors.append(str(report.longrepr))

    def pytest_internalerror(self, excrepr: object) -> None:
        self.errors.append(str(excrepr))
