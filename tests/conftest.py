"""The labs that tests run against: tests that only look come first, and those that change something share one lab."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lab.engine.lab import Lab
from lab.operate.snapshot import load_all
from lab.settings import load_settings
from tests.lab_commands import pacslab, succeed, until

if TYPE_CHECKING:
    from collections.abc import Iterator

OWN = "test"
"""The lab of the tests, which is taken down at the end; a lab that PACSLAB_TEST_LAB names is somebody's, and stays."""
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
    succeed("down", "--lab", OWN)  # of a run that was killed; who knows what it changed
    try:
        succeed("up", "--site", "reference", "--lab", OWN)
        yield Lab.open(OWN)
    finally:
        succeed("down", "--lab", OWN)


@pytest.fixture(scope="session")
def snapshot(lab: Lab) -> Iterator[str]:
    """The name of a snapshot of the lab."""
    if SNAPSHOT in {kept.name for kept in load_all(load_settings())}:  # of a run that was killed
        succeed("snapshot", "remove", SNAPSHOT)
    succeed("snapshot", "save", SNAPSHOT, "--lab", lab.name)
    try:
        yield SNAPSHOT
    finally:
        if lab.name == OWN:  # it may run from the snapshot
            succeed("down", "--lab", OWN)
        succeed("snapshot", "remove", SNAPSHOT)


@pytest.fixture(scope="session")
def clone_name(lab: Lab) -> Iterator[str]:
    """The lab that tests may change: our own, when those that only look are done, or a clone of somebody's."""
    if lab.name == OWN:
        yield OWN
        return
    try:
        yield CLONE
    finally:
        succeed("down", "--lab", CLONE)


@pytest.fixture(scope="module")
def clone(clone_name: str, request: pytest.FixtureRequest) -> Lab:
    """A lab that tests may change if they put it right again.

    Files share it, for a lab costs minutes; one that a file left unhealthy, and that stays so, is replaced before the
    next.
    """
    if not until(lambda: pacslab("status", "--lab", clone_name).code == 0):
        succeed("down", "--lab", clone_name)
        whence = ("--site", "reference") if clone_name == OWN else ("--from", request.getfixturevalue("snapshot"))
        succeed("up", *whence, "--lab", clone_name)
    return Lab.open(clone_name)


@pytest.fixture(scope="module")
def second(snapshot: str) -> Iterator[Lab]:
    """A second lab beside the first, both from one snapshot."""
    name = f"{CLONE}-2"
    try:
        succeed("up", "--from", snapshot, "--lab", name)
        yield Lab.open(name)
    finally:
        succeed("down", "--lab", name)


def changes(item: pytest.Item) -> bool:
    """Whether a test is one of those that may change the lab."""
    return isinstance(item, pytest.Function) and "clone_name" in item.fixturenames


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark what needs a running lab, before tests are chosen by their marks."""
    if any(folder in item.path.parents for folder in ON_A_LAB):
        item.add_marker("lab")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have tests that only look come before those that change the lab."""
    items.sort(key=changes)
