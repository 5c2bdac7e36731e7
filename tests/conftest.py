"""The labs that tests run against: all of them begin from one snapshot, so that no test sees what another changed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lab.engine.lab import Lab
from lab.operate.snapshot import load_all
from lab.settings import ROOT, load_settings
from tests.lab_commands import pacslab, succeed
from tests.shared import shared

if TYPE_CHECKING:
    from collections.abc import Iterator

OWN = "test"
SNAPSHOT = "test"
CLONE = "test-clone"
HERE = Path(__file__).resolve().parent
ON_A_LAB = (HERE / "lab", HERE / "hardening")


@pytest.fixture(scope="session")
def run_folder() -> Path:
    """A folder of this run of pytest, the same in each of its processes."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID") or f"process-{os.getpid()}"
    return ROOT / ".cache" / "lab-tests" / run


@pytest.fixture(scope="session")
def running(run_folder: Path) -> Iterator[str]:
    """The name of a lab of the reference site: the one that PACSLAB_TEST_LAB names, or one of our own."""
    named = os.environ.get("PACSLAB_TEST_LAB")
    if named:
        yield named
        return

    def make() -> None:
        succeed("up", "--site", "reference", "--lab", OWN)

    def remove() -> None:
        succeed("down", "--lab", OWN)

    with shared(run_folder / "lab", make, remove):
        yield OWN


@pytest.fixture(scope="session")
def snapshot(running: str, run_folder: Path) -> Iterator[str]:
    """The name of a snapshot of the lab, which no test has changed."""

    def make() -> None:
        if SNAPSHOT in {kept.name for kept in load_all(load_settings())}:  # of a run that was killed
            remove()
        succeed("snapshot", "save", SNAPSHOT, "--lab", running)

    def remove() -> None:
        succeed("snapshot", "remove", SNAPSHOT)

    with shared(run_folder / "snapshot", make, remove):
        yield SNAPSHOT


@pytest.fixture(scope="session")
def lab(running: str, request: pytest.FixtureRequest) -> Lab:
    """A lab of the reference site, every service healthy, for tests that look and change nothing."""
    if "PYTEST_XDIST_WORKER" in os.environ:  # to take a snapshot stops the hosts, and another process needs one
        request.getfixturevalue("snapshot")
    return Lab.open(running)


@pytest.fixture(scope="session")
def clones() -> Iterator[None]:
    """Takes the clone down when all tests are done, and one that a killed run left before the first."""
    succeed("down", "--lab", CLONE)
    try:
        yield
    finally:
        succeed("down", "--lab", CLONE)


@pytest.fixture(scope="module")
def clone(snapshot: str, clones: None) -> Lab:
    """A lab made from the snapshot, which tests may change if they put it right again.

    Files share it, for a clone costs half a minute; one that a file left unhealthy is replaced before the next.
    """
    del clones
    if pacslab("status", "--lab", CLONE).code != 0:
        succeed("down", "--lab", CLONE)
        succeed("up", "--from", snapshot, "--lab", CLONE)
    return Lab.open(CLONE)


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a running lab; what changes one is for one process, what only looks for another."""
    for item in items:
        if any(folder in item.path.parents for folder in ON_A_LAB):
            item.add_marker("lab")
            names = getattr(item, "fixturenames", ())
            item.add_marker(pytest.mark.xdist_group("changes" if "snapshot" in names else "looks"))
