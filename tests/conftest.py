"""The labs that tests run against: all of them begin from one snapshot, so that no test sees what another changed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lab.engine.lab import Lab
from lab.operate.snapshot import load_all
from lab.settings import load_settings
from tests.lab_commands import pacslab, succeed

if TYPE_CHECKING:
    from collections.abc import Iterator

OWN = "test"
SNAPSHOT = "test"
CLONE = "test-clone"
HERE = Path(__file__).resolve().parent
ON_A_LAB = (HERE / "lab", HERE / "hardening")


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """A lab of the reference site, every service healthy, for tests that look and change nothing.

    It is the one that PACSLAB_TEST_LAB names, or one of our own, taken down at the end.
    """
    named = os.environ.get("PACSLAB_TEST_LAB")
    if named:
        yield Lab.open(named)
        return
    try:
        succeed("up", "--site", "reference", "--lab", OWN)
        yield Lab.open(OWN)
    finally:
        succeed("down", "--lab", OWN)


@pytest.fixture(scope="session")
def snapshot(lab: Lab) -> Iterator[str]:
    """The name of a snapshot of the lab, which no test has changed."""
    if SNAPSHOT in {kept.name for kept in load_all(load_settings())}:  # of a run that was killed
        succeed("snapshot", "remove", SNAPSHOT)
    succeed("snapshot", "save", SNAPSHOT, "--lab", lab.name)
    try:
        yield SNAPSHOT
    finally:
        succeed("snapshot", "remove", SNAPSHOT)


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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a running lab."""
    for item in items:
        if any(folder in item.path.parents for folder in ON_A_LAB):
            item.add_marker("lab")
