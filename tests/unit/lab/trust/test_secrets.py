"""Secrets are made once, kept private, and dropped with their host."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING

import pytest

from lab.state_file import DamagedFileError
from lab.trust import ensure_secrets
from tests.unit.lab.trust.sites import tiny_site

if TYPE_CHECKING:
    from pathlib import Path


def test_a_secret_is_made_for_each_host_of_the_role(tmp_path: Path) -> None:
    found = ensure_secrets(tiny_site(), tmp_path)
    assert list(found["orthanc_http"]) == ["pacs1"]
    assert len(found["orthanc_http"]["pacs1"]) >= 32


def test_a_secret_stays_what_it_is(tmp_path: Path) -> None:
    assert ensure_secrets(tiny_site(), tmp_path) == ensure_secrets(tiny_site(), tmp_path)


def test_the_secret_of_a_removed_host_is_dropped(tmp_path: Path) -> None:
    ensure_secrets(tiny_site(), tmp_path)
    site = tiny_site(without="pacs1")
    assert ensure_secrets(site, tmp_path)["orthanc_http"] == {}
    assert "pacs1" not in (tmp_path / "secrets.json").read_text("utf-8")


def test_secrets_are_for_their_owner_alone(tmp_path: Path) -> None:
    ensure_secrets(tiny_site(), tmp_path)
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["nonsense", json.dumps([1]), json.dumps({"orthanc_http": 1})])
def test_a_damaged_file_is_an_error_and_not_a_new_start(tmp_path: Path, text: str) -> None:
    (tmp_path / "secrets.json").write_text(text)
    with pytest.raises(DamagedFileError, match=r"secrets\.json"):
        ensure_secrets(tiny_site(), tmp_path)
