"""The command's own streams may be full or closed: it says so, and ends with a code of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from lab.settings import ROOT

if TYPE_CHECKING:
    from pathlib import Path


def started(redirections: str, words: str, state: Path) -> subprocess.CompletedProcess[str]:
    """Run ``pacslab WORDS`` from a shell, with its streams redirected."""
    command = f"exec {sys.executable} -m lab.cli.main {words} {redirections}"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PACSLAB_STATE": str(state)}
    return subprocess.run(["sh", "-c", command], env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("words", ["--help", "status --help", "schema", "scenario list --json"])
def test_a_full_standard_output_is_told_in_one_sentence(words: str, tmp_path: Path) -> None:
    done = started(">/dev/full", words, tmp_path)
    assert done.returncode == 5
    assert done.stderr.splitlines()[0] == "pacslab: Standard output cannot be written: No space left on device."
    assert len(done.stderr.splitlines()) == 2


@pytest.mark.parametrize("words", ["--help", "status --help", "snapshot list --json", "down"])
def test_nothing_is_done_while_standard_output_is_closed(words: str, tmp_path: Path) -> None:
    done = started(">&-", words, tmp_path / "state")
    assert done.returncode == 2
    assert "Standard output is closed" in done.stderr
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("redirections", ["2>/dev/full", "2>&-", "2>&- <&-"])
def test_work_goes_on_when_nobody_can_be_told_of_it(redirections: str, tmp_path: Path) -> None:
    done = started(redirections, "snapshot list --json", tmp_path)
    assert (done.returncode, done.stdout) == (0, '{"snapshots": []}\n')
    assert started(redirections, "no-such-verb", tmp_path).returncode == 2


def test_remarks_do_not_come_out_as_results_when_standard_error_is_closed(tmp_path: Path) -> None:
    done = started("2>&-", "status --lab none", tmp_path)
    assert (done.returncode, done.stdout) == (2, "")


def test_a_name_that_is_no_utf_8_is_shown_with_escapes(tmp_path: Path) -> None:
    done = started("", "status --lab \"$(printf '\\377')\"", tmp_path)
    assert done.returncode == 2
    assert "cannot be the name of a lab" in done.stderr
    assert done.stderr.isascii()


HOSTILE = "ct1\\tA\\x1b[2J\\x9b\\u202eB"


@pytest.mark.parametrize("number", [1, 2])
def test_no_text_of_a_host_acts_on_the_terminal(number: int, tmp_path: Path) -> None:
    program = tmp_path / "say.py"
    program.write_text(
        "from lab.cli import main, streams\n"
        "from lab.errors import UsageError\n"
        "streams.prepare()\n"
        f"text = '{HOSTILE}'\n"
        + ("print(text)\n" if number == 1 else "main._report(UsageError(text, remedy=text), as_json=False)\n")
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run([sys.executable, program], env=environment, capture_output=True, text=True, check=True)
    said = done.stdout + done.stderr
    assert "A\\x1b[2J\\x9b\\u202eB" in said
    assert all(character in "\n\t" or character.isprintable() for character in said)
