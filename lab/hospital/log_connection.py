"""The connection by which a host sends its log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.deadline import wait_until

if TYPE_CHECKING:
    from lab.engine.lab import Lab
    from lab.topology.site import ResolvedFlow

PATIENCE = 20.0
"""Seconds: a sender that was cut off tries again after up to 15."""


def log_port(lab: Lab, flow: ResolvedFlow) -> int | None:
    """The sender's own port of the connection that it has open to the collector; None when it has none.

    One that has just been cut off connects again when it has a line to send, so it gets one and is waited for.
    """
    server = str(lab.site.hosts[flow.target].address)
    argv = ["ss", "-Htn", "state", "established", "dst", server, "dport", "=", f":{flow.port}"]

    def look() -> list[str]:
        words = lab.run(flow.source, argv).stdout.split()
        return words if len(words) > 2 else []  # noqa: PLR2004 # queues, and then the local end

    words = look()
    if not words:
        lab.run(flow.source, ["logger", "--tag", "trial", "wanted: a connection"])
        words = wait_until(look, PATIENCE, 0.5)
    return int(words[2].rpartition(":")[2]) if words else None
