"""Waits for refusals to arrive at the collector."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.deadline import Deadline
from lab.verify.matrix import sends_log
from lab.verify.refused_packets import RefusedPacket, refused_packets

if TYPE_CHECKING:
    from collections.abc import Collection

    from lab.hospital.collected import Collected

PATIENCE = 10.0
"""Seconds in which a refusal has to reach the collector."""
BEFORE = 32_000_000
"""How many bytes of log before a run are searched for refusals that the rate limit kept from being logged again: more
than a minute of refusals at five hundred bytes each."""


class Records:
    """The refusals that hosts have logged since this object was made."""

    def __init__(self, collected: Collected) -> None:
        """Remember where every host's log ends now."""
        self.collected = collected
        hosts = [host for host in collected.lab.site.hosts if sends_log(collected.lab.site, host)]
        self.begun = {host: collected.mark(host) for host in hosts}
        self.read_to = dict(self.begun)
        self.seen: dict[RefusedPacket, float] = {}

    def await_all(self, wanted: Collection[RefusedPacket], loggers: Collection[str]) -> None:
        """Read the logs of ``loggers`` until every wanted refusal is on record or PATIENCE is over."""
        deadline = Deadline(PATIENCE)
        while True:
            for host in loggers:
                self._read(host)
            if all(name in self.seen for name in wanted) or deadline.over:
                return
            deadline.pause(0.3)

    def _read(self, host: str) -> None:
        lines, self.read_to[host] = self.collected.following(host, self.read_to[host])
        self.seen.update(refused_packets(lines))

    def before(self, loggers: Collection[str]) -> dict[RefusedPacket, float]:
        """The refusals logged shortly before this object was made, with the time of the last of each."""
        found: dict[RefusedPacket, float] = {}
        for host in loggers:
            found.update(refused_packets(self.collected.before(host, self.begun[host], BEFORE)))
        return found
