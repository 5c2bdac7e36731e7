"""The lab that tests on a lab run against: one that is named, or one of their own, taken down at the end."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lab.engine.lab import Lab
from tests.lab_commands import succeed

if TYPE_CHECKING:
    from collections.abc import Iterator

OWN = "test"
HERE = Path(__file__).resolve().parent
ON_A_LAB = (HERE / "lab", HERE / "hardening")


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
    """Mark what needs a running lab."""
    for item in items:
        if any(folder in item.path.parents for folder in ON_A_LAB):
            item.add_marker("lab")
