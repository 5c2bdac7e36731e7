"""A sign-on, and a folder for sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from simulators.person.sessions import FOLDER_VARIABLE
from tests.unit.simulators.person import sign_on

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def desk() -> Iterator[sign_on.SignOn]:
    with sign_on.sign_on() as state:
        yield state


@pytest.fixture
def sessions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    return tmp_path
