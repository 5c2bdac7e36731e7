"""What the agent answers without a process is what the command itself would have said."""

from __future__ import annotations

import os
import shlex
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from lab.verify.connection.agent import TIMED_OUT, native, run

if TYPE_CHECKING:
    from pathlib import Path


TESTS = [f"test -{what} {{}}" for what in "efdpSL"]


def real(command: str) -> tuple[int, bytes, bytes]:
    """What the shell says."""
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, stdin=subprocess.DEVNULL, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "plain").write_bytes(b"\x00\xff binary\n")
    (tmp_path / "with space & $(x)").write_text("quoted")
    (tmp_path / "inner").mkdir()
    (tmp_path / "link").symlink_to("plain")
    (tmp_path / "broken").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")
    return tmp_path


@pytest.mark.parametrize("name", ["plain", "with space & $(x)", "inner", "link", "broken", "missing", "plain/below"])
@pytest.mark.parametrize("template", [*(f"stat -Lc %{what} {{}}" for what in "UuGgaYsi"), *TESTS, "cat -- {}"])
def test_a_native_answer_is_the_commands_own(folder: Path, name: str, template: str) -> None:
    command = template.format(shlex.quote(str(folder / name)))
    found = native(command)
    if found is not None:
        assert found == real(command)
    elif name == "plain":
        pytest.fail(f"{command} was left to the shell")


@pytest.mark.parametrize(
    "command",
    [
        "stat -Lc %a /etc/passwd; id",
        "cat -- /etc/passwd | wc",
        "cat -- '/a'b'",
        "test -e $HOME",
        "cat -- ~root",
        "stat -c %a /etc/passwd",
        "cat -- /nonexistent",
        "sysctl -n kernel.pid_max",
    ],
)
def test_what_is_unusual_is_left_to_the_shell(command: str) -> None:
    assert native(command) is None


def test_a_command_ends_as_the_engine_would_tell_it() -> None:
    assert run("exit 7", 10)[0] == 7
    assert run("kill -9 $$", 10)[0] == 128 + 9
    assert run("printf '\\000\\377'; echo x >&2", 10) == (0, b"\x00\xff", b"x\n")


def test_a_command_that_hangs_is_killed_with_what_it_started() -> None:
    begun = time.monotonic()
    code, out, _ = run("echo begun; sleep 30 & sleep 30", 0.3)
    assert (code, out) == (TIMED_OUT, b"begun\n")
    assert time.monotonic() - begun < 10
