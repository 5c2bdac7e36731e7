"""Audit messages that a host sends to the repository for a test or a measurement, as its daemon would."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from lab.errors import UsageError
from lab.hospital.answers import Answer, read
from lab.hospital.errors import CommandFailedError
from lab.hospital.programs import program

if TYPE_CHECKING:
    from lab.engine.lab import Lab
    from lab.topology.site import ResolvedFlow, Site

PLACE = "/etc/pacslab/tls"


class Sent(Answer):
    """What came of it; times are seconds from sending to acknowledging."""

    sent: int
    acknowledged: int
    seconds: float
    median: float
    slowest: float
    connections: int
    processor: float
    """Seconds of processor time that sending took."""


@dataclass(frozen=True)
class Sender:
    """A host that may send, and the certificate that it shows."""

    flow: ResolvedFlow
    certificate: str


def sender(site: Site, host: str | None = None) -> Sender:
    """Return a host with a flow to the collector; `host`, where it is given.

    Raises:
        UsageError: there is none.
    """
    for flow in site.flows_to("log-collection"):
        profile = site.services(flow.target)[flow.service].callers
        names = [name for name, entry in site.certificates(flow.source).items() if entry.profile == profile]
        if names and flow.source in site.managed and host in {None, flow.source}:
            if host is None and site.hosts[flow.source].gateway:
                continue
            return Sender(flow, names[0])
    raise UsageError(f"{host or 'No host'} may send audit messages.", remedy="Add a flow to the collector.")


def new_run() -> str:
    """Name a run."""
    return str(uuid4())


def stream(
    lab: Lab,
    run: str,
    count: int,
    *,
    first: int = 1,
    host: str | None = None,
    rate: float = 0,
    seconds: float = 0,
    patience: float = 60,
    content: str | None = None,
    alarming: bool = False,
    plain: bool = False,
) -> Sent:
    """Send messages numbered from `first`, and wait until they are acknowledged.

    Args:
        lab: where.
        run: names what they belong to.
        count: how many at most.
        first: number of the first.
        host: who sends; a host that may, where it is not given.
        rate: messages a second; 0: as many as are taken.
        seconds: after which no more are begun; 0: all are.
        patience: seconds for which nothing need be acknowledged before it gives up.
        content: what stands in each of them in place of an audit message.
        alarming: each is one that a rule alarms about.
        plain: to the collector, as lines that nobody acknowledges.

    Raises:
        CommandFailedError: it could not be sent.
    """
    who = sender(lab.site, host)
    asked: dict[str, Any] = {
        "address": str(lab.site.hosts[who.flow.target].address),
        "port": who.flow.port,
        "identity": lab.site.identity(who.flow.target, who.flow.service),
        "certificate": f"{PLACE}/{who.certificate}.crt",
        "key": f"{PLACE}/{who.certificate}.key",
        "ca": f"{PLACE}/ca.crt",
        "run": run,
        "first": first,
        "count": count,
        "rate": rate,
        "seconds": seconds,
        "patience": patience,
        "content": content,
        "alarming": alarming,
        "plain": plain,
    }
    argv = ["python3", "-I", "-", json.dumps(asked)]
    done = lab.run(who.flow.source, argv, input=program("audit_stream.py"), timeout=600 + 2 * seconds + patience)
    if done.code != 0:
        raise CommandFailedError(
            f"{who.flow.source} could not send audit messages: {done.stderr.strip()[-300:]}",
            remedy=f"See `pacslab logs {who.flow.target}`.",
        )
    return read(Sent, done.stdout, f"the sender on {who.flow.source}")
