"""The daemon of audit messages waits once after a host's start, and then never."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from lab.settings import ROOT
from tests.unit.roles.programs import role_program
from tests.unit.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = ROOT / "roles" / "audit_source" / "files" / "audit_source.py"


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    found: list[float] = []
    monkeypatch.setattr(time, "sleep", found.append)
    return found


def test_after_a_start_of_the_host_it_waits_and_nothing_is_late(tmp_path: Path, waited: list[float]) -> None:
    program = role_program("audit_source", "audit_source.py")
    program.wait_after_boot(str(tmp_path), 5.0, 10.0)
    assert len(waited) == 1
    assert 5.0 <= waited[0] <= 15.0
    assert (tmp_path / "late").read_text() == ""


def test_a_restart_waits_for_nothing_and_leaves_what_the_probe_reads(tmp_path: Path, waited: list[float]) -> None:
    program = role_program("audit_source", "audit_source.py")
    program.wait_after_boot(str(tmp_path), 0.0, 0.0)
    (tmp_path / "late").write_text("3 audit messages wait")
    program.wait_after_boot(str(tmp_path), 5.0, 10.0)
    assert len(waited) == 1
    assert (tmp_path / "late").read_text() == "3 audit messages wait"


def test_while_it_waits_new_certificates_do_not_end_it_and_a_stop_does(tmp_path: Path) -> None:
    argv = [sys.executable, "-IS", str(PROGRAM)]
    with subprocess.Popen(argv, env={**os.environ, "RUNTIME_DIRECTORY": str(tmp_path)}) as process:
        wait_until((tmp_path / "late").exists, "it does not begin")
        process.send_signal(1)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.3)
        process.terminate()
        assert process.wait(5) == -15
    assert not (tmp_path / "begun").exists()


def test_it_begins_without_the_modules_that_take_long_to_read(tmp_path: Path) -> None:
    script = (
        f"import runpy, sys, time; time.sleep = lambda _: (print(*sys.modules), sys.exit())[0];"
        f"runpy.run_path({str(PROGRAM)!r}, run_name='__main__')"
    )
    environment = {**os.environ, "RUNTIME_DIRECTORY": str(tmp_path)}
    done = subprocess.run([sys.executable, "-IS", "-c", script], env=environment, capture_output=True, check=True)
    known = set(done.stdout.decode().split())
    assert "signal" in known
    assert not known & {"ssl", "json", "socket", "subprocess", "dataclasses", "simulators.audit.serve"}
