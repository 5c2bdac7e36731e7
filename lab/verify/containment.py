"""Proves that no lab host reaches the machine that runs the lab, or anything beside the lab."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from lab.errors import EngineError
from lab.verify.attempting import attempt_all
from lab.verify.own_machine import listening, own_addresses
from lab.verify.report import Failure
from lab.verify.sink import PORT, sink

if TYPE_CHECKING:
    from lab.engine.lab import Lab
    from lab.verify.attempting import Target

REMEDY = "The lab's network must be its own: run `pacslab doctor`, then `pacslab down` and `pacslab up`."
STOPPED = {"timeout", "unreachable"}


def check_containment(lab: Lab) -> tuple[int, list[Failure]]:
    """Try the machine's own addresses and a sink from every host; return how many attempts, and those that arrived.

    Both are shown to answer others first: the sink its neighbour, the machine's listener the machine itself.

    Raises:
        EngineError: the sink or the listener does not answer whom it should, so that nothing would be proven.
    """
    with listening() as port, sink(lab) as beside:
        _answers_itself(port)
        machine: list[Target] = [("tcp", address, port) for address in own_addresses()]
        targets: list[Target] = [*machine, ("tcp", beside.address, PORT)]
        outcomes = attempt_all(lab, dict.fromkeys(lab.site.hosts, targets))
        strangers = beside.strangers()
    failures = [
        _failure(lab, host, target, "the machine" if target in machine else "a sink beside the lab", outcome)
        for host, answers in outcomes.items()
        for target, outcome in answers.items()
        if outcome not in STOPPED
    ]
    unseen = [_stranger(address, beside.address) for address in strangers if not failures]
    return len(outcomes) * len(targets), failures + unseen


def _answers_itself(port: int) -> None:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except OSError as error:
        raise EngineError(
            f"The listener on this machine does not answer on loopback: {error}; it would prove nothing.",
            remedy="Look at the machine's own packet filter.",
        ) from error


def _failure(lab: Lab, host: str, target: Target, what: str, outcome: str) -> Failure:
    return Failure(
        source=host,
        target=what,
        address=target[1],
        protocol=target[0],
        port=target[2],
        zones=f"{lab.site.hosts[host].zone}>outside",
        expected="nothing leaves the lab",
        observed="it connected" if outcome == "connected" else f"an answer came back ({outcome})",
        remedy=REMEDY,
    )


def _stranger(address: str, sink_address: str) -> Failure:
    return Failure(
        source=address,
        target="a sink beside the lab",
        address=sink_address,
        protocol="tcp",
        port=PORT,
        zones="?>outside",
        expected="nothing but its neighbour reaches the sink",
        observed=f"a connection from {address}",
        remedy=REMEDY,
    )
