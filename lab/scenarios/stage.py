"""What a step holds: the hospital, what earlier steps found out, and ways to wait for what comes."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from lab.deadline import wait_until
from lab.scenarios.failure import StepFailure

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.engine.lab import Lab
    from lab.hospital.hospital import Hospital

T = TypeVar("T")
Facts_co = TypeVar("Facts_co", covariant=True)
POLL = 0.25
"""Seconds between two looks at something that is waited for."""


@dataclass
class Stage(Generic[Facts_co]):
    """One run of a scenario on one lab.

    Attributes:
        hospital: The lab's hosts, asked for by function, and commands on them.
        facts: What steps leave for later ones.
        token: Upper-case letters and digits, different in every run, for identifiers that must be fresh.
    """

    hospital: Hospital
    facts: Facts_co
    token: str = field(default_factory=lambda: f"{int(time.time()):X}{secrets.token_hex(1).upper()}")
    acting: str | None = None
    """The host that the running step says acts; None while it has not said."""

    @property
    def lab(self) -> Lab:
        """The running lab."""
        return self.hospital.lab

    def acts(self, host: str) -> None:
        """Say which of the hosts that could act does."""
        self.acting = host

    def eventually(self, look: Callable[[], T | None], *, timeout: float, otherwise: str) -> T:
        """Look again and again until something is there.

        Raises:
            StepFailure: nothing was there within ``timeout`` seconds; the text is ``otherwise``.
        """
        found = wait_until(look, timeout, POLL)
        if not found:
            raise StepFailure(f"{otherwise} (waited {timeout:g} s)")
        return found
