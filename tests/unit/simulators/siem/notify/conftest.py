"""What the notifier's tests share: keys of a site, and a mail server that a test tells how to answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab.trust.store import pki_folder
from tests.unit.simulators.siem.notify.post import Post

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def keys(pki: Path) -> Path:
    return pki_folder(pki)


@pytest.fixture
def post(keys: Path) -> Iterator[Post]:
    listening = Post(keys)
    yield listening
    listening.close()
