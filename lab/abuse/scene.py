"""One abuse case in a running hospital: who takes part, what was prepared, and ways to look at what came of it."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar, cast

from lab.deadline import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.abuse.attempt import Parties
    from lab.engine.lab import Lab
    from lab.hospital.collected import Mark
    from lab.hospital.hospital import Hospital
    from lab.topology.site import Site

T = TypeVar("T")
POLL = 0.25
"""Seconds between two looks at something that is waited for."""


@dataclass
class Scene:
    """A case in a hospital, for both of its halves.

    Attributes:
        hospital: The running lab's hosts; what is read on them is kept in its trail.
        parties: The hosts that take part.
        token: Letters and digits, different each time, for names that must be fresh.
    """

    hospital: Hospital
    parties: Parties
    token: str = field(default_factory=lambda: f"{int(time.time()):X}{secrets.token_hex(2).upper()}")
    _prepared: dict[str, object] = field(default_factory=dict, repr=False)
    _numbers: int = field(default=0, repr=False)
    _marks: dict[str, Mark] = field(default_factory=dict, repr=False)

    @property
    def lab(self) -> Lab:
        """The running lab."""
        return self.hospital.lab

    @property
    def site(self) -> Site:
        """Its site."""
        return self.hospital.site

    def ae_title(self, host: str) -> str:
        """A host's AE title."""
        return self.hospital.described(host).ae_title or ""

    def number(self) -> int:
        """A number that is used once in this scene."""
        self._numbers += 1
        return self._numbers

    def once(self, what: str, prepare: Callable[[], T]) -> T:
        """What was prepared under a name; it is made the first time, and is the same in both halves."""
        if what not in self._prepared:
            self._prepared[what] = prepare()
        return cast("T", self._prepared[what])

    def begin(self, *hosts: str) -> None:
        """Remember where the logs of these hosts end: an attempt is about to be made."""
        self._marks = {host: self.hospital.collected.mark(host) for host in dict.fromkeys(hosts)}

    def logged(self, host: str) -> list[dict[str, Any]]:
        """What a host has logged since the attempt began, as far as the collector has it."""
        return self.hospital.collected.since(host, self._marks[host])

    def wait_logged(
        self, host: str, wanted: Callable[[dict[str, Any]], bool], *, timeout: float
    ) -> dict[str, Any] | None:
        """The first such line of a host since the attempt began; None when there is none within ``timeout`` seconds."""
        return self.hospital.collected.wait(host, self._marks[host], wanted, timeout=timeout)

    def eventually(self, look: Callable[[], T], *, timeout: float) -> T:
        """Look again and again until something is there, for ``timeout`` seconds; the last that was seen."""
        return wait_until(look, timeout, POLL)
