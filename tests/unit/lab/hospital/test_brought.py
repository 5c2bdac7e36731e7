"""A command that no host has runs there all the same, and leaves nothing behind."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from typing import TYPE_CHECKING

import pytest
import yaml

from lab.hospital.brought import PACKAGES, PYTHON, brought
from lab.settings import ROOT
from simulators.commands import COMMANDS

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """The simulators as hosts have them."""
    skipped = shutil.ignore_patterns(*PACKAGES.values(), "__pycache__")
    shutil.copytree(ROOT / "simulators", tmp_path / "simulators", ignore=skipped)
    return tmp_path


def python(host: Path, *words: str, program: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    """Run Python with the libraries that a host has, and the host's simulators instead of this tree's."""
    environment = {"PYTHONPATH": f"{host}:{sysconfig.get_path('purelib')}", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-S", *words]
    return subprocess.run(command, input=program, env=environment, cwd=host, check=False, capture_output=True)


@pytest.mark.parametrize("command", PACKAGES)
def test_a_host_has_no_command_that_is_brought_along(host: Path, command: str) -> None:
    package = PACKAGES[command]
    assert command not in COMMANDS
    assert (
        f"No module named 'simulators.{package}'" in python(host, "-c", f"import simulators.{package}").stderr.decode()
    )


def test_hosts_are_installed_without_what_is_brought_along_and_what_the_repository_alone_has() -> None:
    tasks = yaml.safe_load((ROOT / "roles/simulators/tasks/install.yml").read_text("utf-8"))
    (tree,) = [file for file in tasks[0]["pacslab.lab.configure"]["files"] if "tree" in file]
    assert set(tree["without"]) == {*PACKAGES.values(), "siem"}


@pytest.mark.parametrize(
    ("words", "offers"),
    [
        (["pacslab-misuse", "dicom-control", "--help"], b"--ae-title"),
        (["pacslab-load", "acquire", "--help"], b"--images"),
    ],
)
def test_it_is_brought_along_and_nothing_of_it_stays(host: Path, words: list[str], offers: bytes) -> None:
    before = sorted(host.rglob("*.py"))
    argv, program = brought(words)
    assert argv[:2] == [PYTHON, "-"]
    done = python(host, *argv[1:], program=program)
    assert (done.returncode, done.stderr) == (0, b"")
    assert offers in done.stdout
    assert sorted(host.rglob("*.py")) == before


def test_other_commands_are_the_hosts_own() -> None:
    assert brought(["pacslab-ris", "orders"]) == (["pacslab-ris", "orders"], None)
