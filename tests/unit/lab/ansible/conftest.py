"""What tests of the collection's modules share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.lab.ansible.plugins import plugin
from tests.unit.lab.ansible.systemd import RUNNING, STOPPED, Systemd

if TYPE_CHECKING:
    from pathlib import Path

units = plugin("module_utils.units")


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Systemd:
    """A host's systemd: a.service runs, new.service does not yet, gone.service does not exist."""
    made = Systemd(
        {"a.service": {**RUNNING}, "new.service": STOPPED, "gone.service": {**RUNNING, "LoadState": "not-found"}}
    )
    monkeypatch.setattr(units, "run", made)
    monkeypatch.setattr(units, "enablement", made.enabled)
    monkeypatch.setattr(units, "RUNNING", tmp_path)
    monkeypatch.setattr(units, "UNCONFIGURED", tmp_path / "unconfigured")
    return made
