"""Judges what a connection attempt came to against the description and the refusals on record."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from lab.results.model import Observation, Outcome, Promise, Result, judged
from lab.verify.matrix import Attempt, Judge
from lab.verify.refused_packets import RefusedPacket

if TYPE_CHECKING:
    from collections.abc import Collection

DECLARED = Promise("segmentation.declared", "A flow that the description declares connects.")
UNDECLARED = Promise(
    "segmentation.undeclared", "A connection that no flow declares is refused, and the refusal is on record."
)
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


def judge(attempt: Attempt, outcome: str, on_record: Collection[RefusedPacket]) -> Result:
    """Judge an attempt by what it came to.

    A flow that is declared has to connect. Everything else has to end in silence, on this side of the target, and
    with a refusal on record where somebody is to log it: silence alone could also be the target's own filter.
    """
    if attempt.allowed:
        return _passed(attempt, outcome) if _reached(attempt, outcome) else _closed(attempt, outcome)
    if outcome in ARRIVED:
        return _hole(attempt, outcome, ARRIVED[outcome])
    wanted = record_wanted(attempt)
    if wanted is None or wanted in on_record:
        return _passed(attempt, outcome)
    if attempt.judge is Judge.TARGET:
        return _failed(
            attempt,
            outcome,
            expected="silence, and the refusal in the target's log",
            observed=f"{outcome}, and no HDENY of {attempt.target} at the collector",
            remedy=f"Look at `pacslab exec {attempt.target} -- nft list ruleset`, and at its refusal-log and"
            " log-forwarding.",
        )
    if attempt.target_zone == attempt.target:
        return _hole(attempt, outcome, f"{outcome}, but the firewall has no refusal of it on record")
    return _hole(
        attempt,
        outcome,
        f"{outcome}, but no refusal of the firewall: it passed, and only the target's own filter stopped it",
    )


def _reached(attempt: Attempt, outcome: str) -> bool:
    """Whether the network let it through.

    UDP has no handshake: silence is no proof against it, only a refusal is. A reset of a foreign device has come all
    the way; whether something listens there is for its health to say.
    """
    if attempt.foreign and outcome == "refused":
        return True
    return outcome == "connected" or (attempt.protocol == "udp" and outcome == "timeout")


def _closed(attempt: Attempt, outcome: str) -> Result:
    return _failed(
        attempt,
        outcome,
        expected=_connection(attempt),
        observed=outcome,
        remedy=f"See {attempt.target}'s {attempt.service} in `pacslab status`,"
        f" and the rules with `pacslab exec {attempt.judged_by} -- nft list ruleset`.",
    )


def _connection(attempt: Attempt) -> str:
    return f"a connection (flow {attempt.source} to {attempt.target}, service {attempt.service})"


def _hole(attempt: Attempt, outcome: str, observed: str) -> Result:
    by = attempt.judged_by
    return _failed(
        attempt,
        outcome,
        expected="a refusal: no flow permits it",
        observed=observed,
        remedy=f"A rule of {by} lets {attempt.direction} {attempt.protocol}/{attempt.port} pass: find it with"
        f" `pacslab exec {by} -- nft -a list ruleset`, restore the described rules with"
        f" `pacslab exec {by} -- systemctl reload nftables`, or declare the flow in topology.yml.",
    )


def _passed(attempt: Attempt, outcome: str) -> Result:
    if attempt.allowed:
        return _result(attempt, outcome, Outcome.PASSED, expected=_connection(attempt), observed=outcome)
    recorded = "" if attempt.judge is Judge.NOBODY else f", refused on record by {attempt.judged_by}"
    return _result(attempt, outcome, Outcome.PASSED, expected="a refusal", observed=f"{outcome}{recorded}")


def _failed(attempt: Attempt, outcome: str, **said: Any) -> Result:
    return _result(attempt, outcome, Outcome.FAILED, **said)


def _result(attempt: Attempt, outcome: str, verdict: Outcome, **said: Any) -> Result:
    return judged(
        DECLARED if attempt.allowed else UNDECLARED,
        attempt.source,
        verdict,
        subject=f"to {attempt.target} ({attempt.address}) {attempt.protocol}/{attempt.port} {attempt.direction}",
        observations=(Observation(outcome, f"connection attempt on {attempt.source}", time.time()),),
        facts={
            "source": attempt.source,
            "target": attempt.target,
            "address": attempt.address,
            "protocol": attempt.protocol,
            "port": attempt.port,
            "zones": attempt.direction,
        },
        **said,
    )
