"""A command that no host has runs there all the same, and leaves nothing behind."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from typing import TYPE_CHECKING

import pytest

from lab.hospital.brought import PYTHON, brought
from lab.settings import ROOT
from simulators.commands import COMMANDS

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """The simulators as hosts have them."""
    skipped = shutil.ignore_patterns("misuse", "__pycache__")
    shutil.copytree(ROOT / "simulators", tmp_path / "simulators", ignore=skipped)
    return tmp_path


def python(host: Path, *words: str, program: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    """Run Python with the libraries that a host has, and the host's simulators instead of this tree's."""
    environment = {"PYTHONPATH": f"{host}:{sysconfig.get_path('purelib')}", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-S", *words]
    return subprocess.run(command, input=program, env=environment, cwd=host, check=False, capture_output=True)


def test_a_host_has_no_command_for_attempts(host: Path) -> None:
    assert "pacslab-misuse" not in COMMANDS
    assert b"No module named 'simulators.misuse'" in python(host, "-c", "import simulators.misuse").stderr


def test_it_is_brought_along_and_nothing_of_it_stays(host: Path) -> None:
    before = sorted(host.rglob("*.py"))
    argv, program = brought(["pacslab-misuse", "dicom-control", "--help"])
    assert argv[:2] == [PYTHON, "-"]
    done = python(host, *argv[1:], program=program)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"--ae-title" in done.stdout
    assert sorted(host.rglob("*.py")) == before


def test_other_commands_are_the_hosts_own() -> None:
    assert brought(["pacslab-ris", "orders"]) == (["pacslab-ris", "orders"], None)
