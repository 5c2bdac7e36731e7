"""What several unit tests share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab.trust.pki import ensure_pki
from tests.unit.simulators.database import running_server
from tests.unit.site_builder import committed_site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A PostgreSQL server for one file's tests: its connection string."""
    with running_server() as target:
        yield target


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a lab of the reference site that has its keys and certificates, for one file's tests."""
    folder = tmp_path_factory.mktemp("lab")
    ensure_pki(committed_site("reference"), folder)
    return folder
