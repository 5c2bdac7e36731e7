"""What several unit tests share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from simulator_database import running_server

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A PostgreSQL server for one file's tests: its connection string."""
    with running_server() as target:
        yield target
