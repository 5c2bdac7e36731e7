"""Which hosts are connected, and which are missed: a sender keeps its connection also while it has nothing to say."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

PATIENCE = 60.0
"""Seconds for which a host may be without a connection: a restart takes less."""


class Presence:
    """The connections of each host; missed are those that were connected, or are expected, and are not for long."""

    def __init__(self, expected: Iterable[str], now: float) -> None:
        """Expect some hosts from now on (seconds of a steady clock)."""
        self._open: dict[str, int] = {}
        self._gone_since = dict.fromkeys(expected, now)
        self._missed: set[str] = set()

    def opened(self, host: str) -> None:
        """A host has connected."""
        self._open[host] = self._open.get(host, 0) + 1
        self._gone_since.pop(host, None)
        self._missed.discard(host)

    def closed(self, host: str, now: float) -> None:
        """One of a host's connections has ended."""
        left = self._open.get(host, 0) - 1
        if left > 0:
            self._open[host] = left
        else:
            self._open.pop(host, None)
            self._gone_since.setdefault(host, now)

    def missed(self, now: float) -> list[str]:
        """Return hosts that have been gone for long enough, each once until it comes again."""
        found = [
            host for host, since in self._gone_since.items() if now - since >= PATIENCE and host not in self._missed
        ]
        self._missed.update(found)
        return found
