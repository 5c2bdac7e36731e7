"""The lab that these tests run against: one that is named, or one of their own, taken down at the end."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from lab_commands import succeed

from lab.engine.lab import Lab

if TYPE_CHECKING:
    from collections.abc import Iterator

OWN = "test"


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """A lab of the reference site, every service healthy: the one that PACSLAB_TEST_LAB names, or one of our own."""
    named = os.environ.get("PACSLAB_TEST_LAB")
    if named:
        yield Lab.open(named)
        return
    try:
        succeed("up", "--site", "reference", "--lab", OWN)
        yield Lab.open(OWN)
    finally:
        succeed("down", "--lab", OWN)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs a running lab."""
    for item in items:
        item.add_marker("lab")
