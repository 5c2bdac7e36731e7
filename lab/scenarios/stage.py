"""What a step holds: the lab, what earlier steps found out, and ways to look at the receiving side."""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from lab.deadline import Deadline
from lab.errors import UsageError
from lab.hospital.collected import Collected
from lab.scenarios.failure import StepFailure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lab.engine.lab import Completed, Lab

T = TypeVar("T")
POLL = 0.25
"""Seconds between two looks at something that is waited for."""


@dataclass
class Stage:
    """One run of a scenario on one lab.

    Attributes:
        lab: The running lab.
        token: Upper-case letters and digits, different in every run, for identifiers that must be fresh.
        facts: What steps leave for later ones, by name.
    """

    lab: Lab
    token: str = field(default_factory=lambda: f"{int(time.time()):X}{secrets.token_hex(1).upper()}")
    facts: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Open the collected logs of the lab."""
        self.collected = Collected(self.lab)

    def role(self, role: str, number: int = 0) -> str:
        """The host that plays a role, in the order of the description.

        Raises:
            UsageError: the site has no such host.
        """
        hosts = [name for name, host in self.lab.site.hosts.items() if role in host.roles]
        if len(hosts) <= number:
            raise UsageError(
                f"Site {self.lab.site.name} has {len(hosts)} host(s) with role {role}; {number + 1} are needed.",
                remedy="Run it on a site that has them, such as reference.",
            )
        return hosts[number]

    def run(
        self, host: str, argv: Sequence[str], *, data: bytes | None = None, user: str = "root", timeout: float = 60
    ) -> Completed:
        """Run a command on a host; what its exit code means is the caller's to say."""
        return self.lab.run(host, list(argv), input=data, user=user, timeout=timeout)

    def ask(self, host: str, argv: Sequence[str], *, data: bytes | None = None, timeout: float = 60) -> Any:
        """Run a command that answers in JSON.

        Raises:
            StepFailure: it ended with another code than 0, or its answer is not JSON.
        """
        done = self.run(host, argv, data=data, timeout=timeout)
        if done.code != 0:
            raise StepFailure(
                f"{host}: {' '.join(argv)} ended with {done.code}: {last_lines(done.stderr or done.stdout)}"
            )
        try:
            return json.loads(done.stdout)
        except json.JSONDecodeError as error:
            raise StepFailure(f"{host}: {' '.join(argv)} answered {done.stdout[:200]!r}, not JSON") from error

    def eventually(self, look: Callable[[], T | None], *, timeout: float, otherwise: str) -> T:
        """Look again and again until something is there.

        Raises:
            StepFailure: nothing was there within ``timeout`` seconds; the text is ``otherwise``.
        """
        deadline = Deadline(timeout)
        while True:
            found = look()
            if found:
                return found
            if deadline.over:
                raise StepFailure(f"{otherwise} (waited {timeout:g} s)")
            deadline.pause(POLL)


def require(condition: object, observed: str) -> None:
    """Fail the step with what was observed unless the condition holds.

    Raises:
        StepFailure: it does not hold.
    """
    if not condition:
        raise StepFailure(observed)


def last_lines(text: str, lines: int = 3) -> str:
    """The end of a command's output, on one line."""
    return " / ".join(line.strip() for line in text.strip().splitlines()[-lines:]) or "no output"
