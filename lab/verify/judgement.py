"""Judges what a connection attempt came to against the description and the refusals on record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.verify.matrix import Attempt, Judge
from lab.verify.refused_packets import RefusedPacket
from lab.verify.report import Failure

if TYPE_CHECKING:
    from collections.abc import Collection

ARRIVED = {"connected": "it connected", "refused": "a reset came back, so the packet arrived"}


def record_wanted(attempt: Attempt) -> RefusedPacket | None:
    """The refusal that has to be on record for an attempt, or None when nobody logs it."""
    if attempt.judge is Judge.NOBODY:
        return None
    by_firewall = attempt.judge is Judge.FIREWALL
    return RefusedPacket(
        judge="ZDENY" if by_firewall else "HDENY",
        direction=attempt.direction if by_firewall else "",
        source=attempt.source_address,
        target=attempt.address,
        protocol=attempt.protocol,
        port=attempt.port,
    )


def judge(attempt: Attempt, outcome: str, on_record: Collection[RefusedPacket]) -> Failure | None:
    """Return what is wrong with an attempt, or None when it came out as declared.

    A flow that is declared has to connect. Everything else has to end in silence, on this side of the target, and
    with a refusal on record where somebody is to log it: silence alone could also be the target's own filter.
    """
    if attempt.allowed:
        return None if _reached(attempt, outcome) else _closed(attempt, outcome)
    if outcome in ARRIVED:
        return _hole(attempt, ARRIVED[outcome])
    wanted = record_wanted(attempt)
    if wanted is None or wanted in on_record:
        return None
    if attempt.judge is Judge.TARGET:
        return _failure(
            attempt,
            "silence, and the refusal in the target's log",
            f"{outcome}, and no HDENY of {attempt.target} at the collector",
            f"Look at `pacslab exec {attempt.target} -- nft list ruleset`, and at its refusal-log and log-forwarding.",
        )
    if attempt.target_zone == attempt.target:
        return _hole(attempt, f"{outcome}, but the firewall has no refusal of it on record")
    return _hole(
        attempt,
        f"{outcome}, but no refusal of the firewall: it passed, and only the target's own filter stopped it",
    )


def _reached(attempt: Attempt, outcome: str) -> bool:
    """UDP has no handshake: silence is no proof against it, only a refusal is."""
    return outcome == "connected" or (attempt.protocol == "udp" and outcome == "timeout")


def _closed(attempt: Attempt, outcome: str) -> Failure:
    return _failure(
        attempt,
        f"a connection (flow {attempt.source} to {attempt.target}, service {attempt.service})",
        outcome,
        f"See {attempt.target}'s {attempt.service} in `pacslab status`,"
        f" and the rules with `pacslab exec {attempt.judged_by} -- nft list ruleset`.",
    )


def _hole(attempt: Attempt, observed: str) -> Failure:
    by = attempt.judged_by
    return _failure(
        attempt,
        "a refusal: no flow permits it",
        observed,
        f"A rule of {by} lets {attempt.direction} {attempt.protocol}/{attempt.port} pass: find it with"
        f" `pacslab exec {by} -- nft -a list ruleset`, restore the described rules with"
        f" `pacslab exec {by} -- systemctl reload nftables`, or declare the flow in topology.yml.",
    )


def _failure(attempt: Attempt, expected: str, observed: str, remedy: str) -> Failure:
    return Failure(
        source=attempt.source,
        target=attempt.target,
        address=attempt.address,
        protocol=attempt.protocol,
        port=attempt.port,
        zones=attempt.direction,
        expected=expected,
        observed=observed,
        remedy=remedy,
    )
