"""The ``pacslab`` command, run as a person would run it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

SEEN_WITHIN = 15.0
"""Seconds in which a host's health says what has changed: it asks its services every five."""


@dataclass(frozen=True)
class Ran:
    """A ``pacslab`` command that ended; ``seconds`` is what a person waited."""

    code: int
    out: str
    err: str
    seconds: float

    @property
    def json(self) -> Any:
        """What it printed, parsed."""
        return json.loads(self.out)


def pacslab(*words: str, timeout: float = 900, typed: str | None = None) -> Ran:
    """Run the command as a person would, who types these lines where there are some."""
    begun = time.monotonic()
    argv = [sys.executable, "-m", "lab.cli.main", *words]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=timeout, input=typed)
    return Ran(done.returncode, done.stdout, done.stderr, time.monotonic() - begun)


def succeed(*words: str, timeout: float = 900, typed: str | None = None) -> Ran:
    """Run the command; anything but exit code 0 fails the test with what it said."""
    ran = pacslab(*words, timeout=timeout, typed=typed)
    assert ran.code == 0, f"pacslab {' '.join(words)} ended with {ran.code}:\n{ran.err}\n{ran.out[-3000:]}"
    return ran


def until(promise: Callable[[], bool]) -> bool:
    """Whether it came true while a host's health may still be catching up."""
    deadline = time.monotonic() + SEEN_WITHIN
    while not (kept := promise()) and time.monotonic() < deadline:
        time.sleep(0.5)
    return kept
