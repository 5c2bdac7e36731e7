"""The collector is not healthy while a host that should send its log is silent."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING

import pytest

from tests.unit.roles.programs import role_program

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

LONG_AGO = time.time() - 3600


@pytest.fixture
def probe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The probe on a collector that has been there for an hour, with two senders that have just sent a line."""
    program = role_program("log_collector", "collector_state.py")
    senders = [
        {"index": f"127.1.0.{place}", "value": f"{host} 10.0.0.{place}"} for place, host in ((1, "ct1"), (2, "mr1"))
    ]
    senders.append({"index": "127.2.0.1", "value": "fabric -"})
    (tmp_path / "senders.json").write_text(json.dumps({"table": senders}))
    (tmp_path / "started").symlink_to("id")
    os.utime(tmp_path / "started", (LONG_AGO, LONG_AGO), follow_symlinks=False)
    for host in ("ct1", "mr1", "guest1"):
        (tmp_path / f"{host}.jsonl").touch()
    monkeypatch.setattr(program, "SENDERS", tmp_path / "senders.json")
    monkeypatch.setattr(program, "LOGS", tmp_path)
    monkeypatch.setattr(program, "COLLECTOR", tmp_path / "started")
    return program


def test_hosts_that_send_are_no_matter(probe: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert probe.main() == 0
    assert capsys.readouterr().out == ""


def test_a_silent_host_is_named(probe: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.utime(tmp_path / "mr1.jsonl", (LONG_AGO, LONG_AGO))
    assert probe.main() == 1
    assert capsys.readouterr().out == "no line of mr1 for 5 minutes\n"


def test_so_is_one_that_never_sent_a_line(
    probe: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "ct1.jsonl").unlink()
    assert probe.main() == 1
    assert "ct1" in capsys.readouterr().out


def test_a_collector_that_has_just_started_waits_for_them(probe: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "ct1.jsonl").unlink()
    os.utime(tmp_path / "started", follow_symlinks=False)
    assert probe.main() == 0
