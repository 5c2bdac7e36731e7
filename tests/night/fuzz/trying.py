"""Runs the command as a process of its own, and says what is wrong with how it ended."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lab.settings import ROOT
from tests.night.fuzz.state import LAB

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SECONDS = 180
"""Longer than any verb takes that has nothing to work on; one that waits for ever is found."""
CODES = {0, 1, 2, 3, 4, 5, 130}
"""docs/exit-codes.md."""
MARKS = ("Traceback (most recent call last)", "Exception ignored", "object at 0x")
"""What only a mistake of the program prints."""
TEXT = {"exec", "logs", "graph", "schema"}
"""Verbs whose standard output is not one JSON document, with ``--json`` either."""
LONGEST_ARGUMENT = 100_000


@dataclass(frozen=True)
class Attempt:
    """A command, and where its input and output go: ``""`` a pipe, ``closed``, or a path such as ``/dev/full``."""

    words: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    stdin: str = "/dev/null"
    stdout: str = ""
    stderr: str = ""
    about: str = ""

    def __str__(self) -> str:
        """The command as it can be typed, with what was done before it."""
        words = " ".join(word if len(word) < 60 else f"{word[:20]}...({len(word)})" for word in self.words)
        streams = {"<": (self.stdin, "/dev/null"), ">": (self.stdout, ""), "2>": (self.stderr, "")}
        ways = [f"{sign}{to}" for sign, (to, usual) in streams.items() if to != usual]
        return " ".join(
            filter(
                None, (f"[{self.about}]" if self.about else "", str(dict(self.environment) or ""), repr(words), *ways)
            )
        )


def tools(folder: Path) -> str:
    """A PATH without the programs that build images or reach the network."""
    folder.mkdir()
    for name in ("sh", "ip", "git", "true"):
        for place in ("/usr/bin", "/usr/sbin", "/bin", "/sbin"):
            if os.access(f"{place}/{name}", os.X_OK):
                (folder / name).symlink_to(f"{place}/{name}")
                break
    return str(folder)


def done(attempt: Attempt, state: Path, docker: str, path: str) -> subprocess.CompletedProcess[bytes]:
    """Run it to its end.

    Raises:
        TimeoutExpired: it has none.
    """
    here = state.parent / "here"
    here.mkdir(exist_ok=True)
    environment = {
        "PATH": path,
        "PYTHONPATH": str(ROOT),
        "HOME": str(here),
        "TMPDIR": str(here),  # its locks are not the machine's
        "PACSLAB_STATE": str(state),
        "DOCKER_HOST": docker,
        "PACSLAB_LAB": LAB,  # the lab that the state has, unless the words name another
        **attempt.environment,
    }
    # the shell opens and closes the streams: that is how a person's shell, cron or a supervisor would start it
    script = 'exec "$@"' + "".join(
        f" {sign}{'&-' if to == 'closed' else to}"
        for sign, to in (("<", attempt.stdin), (">", attempt.stdout), ("2>", attempt.stderr))
        if to
    )
    argv = ["/bin/sh", "-c", script, "sh", sys.executable, "-m", "lab.cli.main", *attempt.words]
    return subprocess.run(argv, cwd=here, env=environment, capture_output=True, timeout=SECONDS, check=False)


def wrong(attempt: Attempt, state: Path, docker: str, path: str) -> str:
    """Try it; the answer is what is wrong with how it ended, or nothing."""
    try:
        ended = done(attempt, state, docker, path)
    except subprocess.TimeoutExpired:
        return f"no end within {SECONDS} s"
    out, err = (data.decode("utf-8", "replace") for data in (ended.stdout, ended.stderr))
    for mark in MARKS:
        if mark in out + err:
            return f"{mark!r}: {(out + err).strip()[-1500:]}"
    if ended.returncode not in CODES and attempt.words[:1] != ("exec",):
        return f"exit code {ended.returncode}: {err[-300:]}"
    if "--json" in attempt.words and ended.returncode != 2 and out.strip() and attempt.words[0] not in TEXT:
        try:
            json.loads(out)
        except ValueError as error:
            return f"standard output is no JSON: {error}: {out[-300:]}"
    return ""
