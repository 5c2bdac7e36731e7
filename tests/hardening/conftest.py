"""Hosts of the running lab for Testinfra."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import testinfra  # type: ignore[import-untyped]  # it carries no types

if TYPE_CHECKING:
    from collections.abc import Callable

    from testinfra.host import Host  # type: ignore[import-untyped]  # it carries no types

    from lab.engine.lab import Lab


@pytest.fixture(scope="session")
def on(lab: Lab) -> Callable[[str], Host]:
    """Return a host of the lab by its name."""
    return lambda name: testinfra.get_host(f"docker://{lab.container(name)}")
