"""Active discovery from the host that the site names for it: what it finds of the services that flows let it open."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from lab.assets.tell import FUNCTION
from lab.errors import EngineError
from lab.results.model import Outcome, Promise, judged
from lab.verify.assets.finding import MISSING, as_described, otherwise
from lab.verify.assets.nmap import read_scan

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lab.engine.lab import Lab
    from lab.results.model import Result
    from lab.topology.site import ResolvedFlow, Site
    from lab.verify.assets.nmap import Found
    from lab.verify.check import Context

SERVICES = Promise(
    "assets.services",
    "Every service that the host which looks for assets may open is there when a scanner looks for it.",
)
USER = "nobody"
COMMAND = ("nmap", "--unprivileged", "-n", "-Pn", "-sT", "-sV", "--version-light", "--script", "ssl-cert", "-oX", "-")
"""Connections of TCP alone, for which no capability is needed, and scripts that only read what a service shows."""
TIMEOUT = 300
AT_ONCE = 2
REMEDY = "See `pacslab status` for the service, and try `pacslab exec {scanner} -- nmap -sT -Pn -p {port} {address}`."


def scanned(site: Site, scanner: str) -> dict[str, list[ResolvedFlow]]:
    """What a scan looks for: flows of TCP from a host, by their target."""
    found: dict[str, list[ResolvedFlow]] = {}
    for flow in site.flows_out(scanner):
        if flow.protocol == "tcp":
            found.setdefault(flow.target, []).append(flow)
    return found


def judge_services(context: Context) -> Iterator[Result]:
    """Scan what the flows of the discovery host name: one result a flow.

    Raises:
        EngineError: the scanner did not run.
    """
    lab = context.lab
    if not context.wants(SERVICES):
        return
    scanner = next(iter(lab.site.with_function(FUNCTION)), None)
    if scanner is None:
        reason = f"The site has no host with the function {FUNCTION}."
        yield judged(SERVICES, lab.name, Outcome.NOT_APPLICABLE, reason=reason)
        return
    wanted = {
        target: flows for target, flows in scanned(lab.site, scanner).items() if context.wants_host(scanner, target)
    }
    context.say(f"scanning {len(wanted)} hosts from {scanner}")
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        scans = pool.map(lambda target: scan(lab, scanner, target, wanted[target]), wanted)
        for flows, found in zip(wanted.values(), scans, strict=True):
            yield from (judge_flow(lab.site, flow, found) for flow in flows)


def scan(lab: Lab, scanner: str, target: str, flows: Sequence[ResolvedFlow]) -> dict[int, Found]:
    """What the scanner finds at a host, by port.

    Raises:
        EngineError: it did not run, or what it wrote cannot be read.
    """
    address = str(lab.site.address_towards(target, scanner))
    ports = ",".join(str(flow.port) for flow in flows)
    done = lab.run(scanner, [*COMMAND, "-p", ports, address], user=USER, timeout=TIMEOUT)
    if done.code:
        raise EngineError(
            f"The scanner of {scanner} ended with {done.code}: {done.stderr.strip()[-300:]}",
            remedy=f"See whether `pacslab exec {scanner} -- nmap --version` works.",
        )
    return read_scan(done.stdout)


def judge_flow(site: Site, flow: ResolvedFlow, found: Mapping[int, Found]) -> Result:
    """Whether a service was found, with what it told of itself."""
    seen = found.get(flow.port)
    address = str(site.address_towards(flow.target, flow.source))
    told: dict[str, Any] = {
        "subject": f"{flow.service} tcp/{flow.port} from {flow.source}",
        "expected": "an open port",
        "read": "nothing" if seen is None else str(seen),
        "source": f"nmap on {flow.source}",
    }
    if seen is not None and seen.state == "open":
        return as_described(SERVICES, flow.target, **told)
    return otherwise(
        SERVICES,
        flow.target,
        MISSING,
        observed="nothing" if seen is None else seen.state,
        remedy=REMEDY.format(scanner=flow.source, port=flow.port, address=address),
        **told,
        peer=flow.target,
        target=address,
        service=flow.service,
        protocol="tcp",
        port=flow.port,
    )
