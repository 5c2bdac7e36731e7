"""Sends forged packets in a running lab, and judges whether they arrived and whether they are on record."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from lab.deadline import wait_until
from lab.engine.forging import arrived, next_number
from lab.errors import EngineError
from lab.hospital.collected import is_event
from lab.hospital.log_connection import log_port
from lab.results.model import Observation, Outcome, Promise, judged
from lab.verify.forgeries import Connection, Kind, expected_events, forged, forgeries
from lab.verify.records import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.engine.lab import Lab
    from lab.hospital.collected import Collected
    from lab.results.model import Result
    from lab.topology.site import ResolvedFlow
    from lab.verify.check import Context
    from lab.verify.forgeries import Forgery

PROMISES = {
    Kind.SOURCE: Promise(
        "segmentation.forged-source", "A packet in the name of another host does not arrive, and is on record."
    ),
    Kind.RESET: Promise(
        "segmentation.forged-reset",
        "A reset in the name of another host does not reach the connection that it is for, and is on record.",
    ),
    Kind.ERROR: Promise(
        "segmentation.error-message", "An error message (ICMP) from another zone does not arrive, and is on record."
    ),
}
REMEDY = {
    False: "Run `pacslab up`, which loads the filter of the fabric's ports again.",
    True: "Look at chains arrive and forward in `pacslab exec {gateway} -- nft list ruleset`.",
}


def judge_forgeries(context: Context, collected: Collected) -> Iterator[Result]:
    """Send every forgery that is wanted, and judge each.

    Raises:
        EngineError: they could not be sent.
    """
    lab = context.lab
    wanted = [
        forgery
        for forgery in forgeries(lab.site)
        if context.wants_host(forgery.source, forgery.victim) and context.wants(PROMISES[forgery.kind])
    ]
    if not wanted:
        return
    context.say(f"{len(wanted)} forged packets")
    connections = {
        flow.source: _open_connection(lab, flow) for flow in dict.fromkeys(forgery.connection for forgery in wanted)
    }
    loggers = {host for forgery in wanted for host, _ in expected_events(lab.site, forgery)}
    marks = {host: collected.mark(host) for host in loggers}
    reached = arrived(lab, [forged(lab.site, forgery, connections) for forgery in wanted])
    missing = _await_records(collected, marks, lab, wanted)
    for forgery, reaches, lacks in zip(wanted, reached, missing, strict=True):
        yield _judge(lab, forgery, arrives=reaches, missing=lacks)


def _open_connection(lab: Lab, flow: ResolvedFlow) -> Connection:
    """The connection that a flow has open.

    Raises:
        EngineError: it has none.
    """
    server = str(lab.site.hosts[flow.target].address)
    port = log_port(lab, flow)
    if port is None:
        raise EngineError(
            f"{flow.source} has no connection to {flow.target}, so that none can be attacked.",
            remedy=f"See service log-forwarding of {flow.source} in `pacslab status`.",
        )
    number = next_number(lab, flow.source, port, (server, flow.port), lambda: lab.run(flow.source, ["logger", "trial"]))
    return Connection(port, number)


def _await_records(collected: Collected, marks: dict[str, Any], lab: Lab, wanted: list[Forgery]) -> list[str]:
    """Wait for the events of all forgeries; for each the words for what is missing, or nothing."""
    missing: list[str] = []

    def all_there() -> bool:
        lines = {host: collected.since(host, mark) for host, mark in marks.items()}
        missing[:] = [
            "; ".join(
                f"{host} has none with {keys}"
                for host, keys in expected_events(lab.site, forgery)
                if not any(is_event(line, **keys) for line in lines[host])
            )
            for forgery in wanted
        ]
        return not any(missing)

    wait_until(all_there, seconds=PATIENCE, pause=0.5)
    return missing


def _judge(lab: Lab, forgery: Forgery, *, arrives: bool, missing: str) -> Result:
    seen = "it arrived" if arrives else "it did not arrive"
    return judged(
        PROMISES[forgery.kind],
        forgery.source,
        Outcome.FAILED if arrives or missing else Outcome.PASSED,
        subject=forgery.name,
        expected="it does not arrive, and is on record",
        observed=f"{seen}; {missing}" if missing else f"{seen}, and is on record",
        remedy=REMEDY[forgery.past_fabric or forgery.kind is Kind.ERROR].format(gateway=lab.site.gateway),
        observations=(Observation(seen, f"the card of {forgery.victim}", time.time()),),
        facts={"source": forgery.source, "target": forgery.victim, "claims": forgery.claims, "kind": str(forgery.kind)},
    )
