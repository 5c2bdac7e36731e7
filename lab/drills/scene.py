"""A drill on a running lab: its subject, when the fault was made, and ways to look at the lab."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from lab.deadline import wait_until
from lab.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lab.drills.subject import Subject
    from lab.engine.lab import Completed, Lab
    from lab.hospital.hospital import Hospital
    from lab.topology.site import Site

T = TypeVar("T")
POLL = 0.5


@dataclass
class Scene:
    """One fault at one subject.

    Attributes:
        hospital: The lab's hosts.
        subject: Where the fault is made.
        say: Told what is going on, one line at a time.
        token: Letters and digits, different each time, for names that must be fresh.
        since: When the fault was made, in seconds since 1970.
        facts: What a fault leaves for its look and its repair.
        sizes: How much the drill is made of, by name; see :class:`lab.drills.model.Drill`.
    """

    hospital: Hospital
    subject: Subject
    say: Callable[[str], None]
    token: str = field(default_factory=lambda: f"{int(time.time()):X}{secrets.token_hex(2).upper()}")
    since: float = 0.0
    facts: dict[str, Any] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)

    @property
    def lab(self) -> Lab:
        """The running lab."""
        return self.hospital.lab

    @property
    def site(self) -> Site:
        """Its site."""
        return self.hospital.site

    @property
    def host(self) -> str:
        """The host at which the fault is made."""
        return self.subject.host

    def must(self, argv: Sequence[str], *, host: str = "", data: bytes | None = None, timeout: float = 60) -> Completed:
        """Run a command of the drill's own on a host, the subject's where none is named.

        Raises:
            EngineError: it ended with another code than 0, so that the fault is not as it is meant.
        """
        where = host or self.host
        done = self.lab.run(where, argv, input=data, timeout=timeout)
        if done.code:
            raise EngineError(
                f"{where}: {' '.join(argv)[:80]} ended with {done.code}: {(done.stderr or done.stdout).strip()[-200:]}",
                remedy=f"See `pacslab exec {where}`; the drill's fault was not made, or not taken away.",
            )
        return done

    def unhealthy(self, host: str = "") -> str:
        """What ``status`` says of a host that is not healthy, the subject's where none is named; else nothing."""
        known = self.lab.health()[host or self.host]
        if known.healthy:
            return ""
        service, detail = known.first_failure()
        return f"{service}: {detail}" if service else known.detail

    def eventually(self, look: Callable[[], T], *, timeout: float) -> T:
        """Look again and again until something is seen, for ``timeout`` seconds; what was seen last."""
        return wait_until(look, timeout, POLL)
