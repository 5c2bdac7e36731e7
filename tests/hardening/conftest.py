"""Hosts of a running lab for Testinfra: the lab that PACSLAB_TEST_LAB names, otherwise ``reference``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
import testinfra  # type: ignore[import-untyped]  # it carries no types

if TYPE_CHECKING:
    from collections.abc import Callable

    from testinfra.host import Host  # type: ignore[import-untyped]  # it carries no types


@pytest.fixture(scope="session")
def on() -> Callable[[str], Host]:
    """Return a host of the lab by its name."""
    lab = os.environ.get("PACSLAB_TEST_LAB", "reference")
    return lambda name: testinfra.get_host(f"docker://pacslab-{lab}-{name}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs a running lab."""
    for item in items:
        item.add_marker("lab")
