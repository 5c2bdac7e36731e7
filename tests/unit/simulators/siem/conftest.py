"""The repository, for the tests of this folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.simulators.siem.repository import own_database, running_services

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.unit.simulators.siem.repository import Services


@pytest.fixture
def database(server: str) -> Iterator[str]:
    """A database with the repository's tables: a connection string of its superuser."""
    with own_database(server, "siem") as target:
        yield target


@pytest.fixture
def services(database: str) -> Iterator[Services]:
    """The repository's services, at work."""
    with running_services(database) as services:
        yield services
