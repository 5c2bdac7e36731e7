"""The inventory of TLS services: which certificate each shows, until when, with which version of TLS."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from lab.errors import EngineError
from lab.results.model import Promise
from lab.trust.store import current, pki_folder
from lab.verify.assets.finding import CHANGED, MISSING, as_described, otherwise

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lab.engine.lab import Lab
    from lab.results.model import Result
    from lab.topology.site import Site
    from lab.verify.check import Context

CERTIFICATES = Promise(
    "assets.certificates",
    "Every service that proves itself by TLS shows the certificate that the register has, good for thirty more days.",
)
PROGRAM = Path(__file__).with_name("show_certificates.py")
LEFT = timedelta(days=30)
VERSIONS = {"TLSv1.2", "TLSv1.3"}
AT_ONCE = 4
REMEDY = "Run `pacslab pki rotate`, or `pacslab up` where the host has not got its new certificate."


def proving(site: Site, host: str) -> dict[str, int]:
    """Services of a host that prove themselves by TLS to others, with their ports."""
    return {
        name: service.port
        for name, service in site.services(host).items()
        if service.presents and service.scope == "network" and service.port is not None and service.protocol == "tcp"
    }


def judge_certificates(context: Context) -> Iterator[Result]:
    """Look at the services of every host of ours that is wanted: one result a service.

    Raises:
        EngineError: the program did not run on a host.
    """
    lab = context.lab
    hosts = [host for host in lab.site.managed if context.wants_host(host) and proving(lab.site, host)]
    if not context.wants(CERTIFICATES) or not hosts:
        return
    context.say(f"asking the TLS services of {len(hosts)} hosts for their certificates")
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        for host, answers in zip(hosts, pool.map(lambda host: shown(lab, host), hosts), strict=True):
            issued = fingerprints(lab, host)
            for service, answer in answers.items():
                yield judge_service(lab.site, host, service, answer, issued[service])


def shown(lab: Lab, host: str) -> dict[str, dict[str, str]]:
    """What each of a host's services shows.

    Raises:
        EngineError: the program did not run there.
    """
    services = proving(lab.site, host)
    address = str(lab.site.hosts[host].address)
    asked = [{"address": address, "port": port, "name": lab.site.fqdn(host)} for port in services.values()]
    done = lab.run(host, ["python3", "-I", "-", json.dumps(asked)], input=PROGRAM.read_bytes())
    if done.code:
        raise EngineError(
            f"The services of {host} could not be asked: {done.stderr.strip()[-300:]}",
            remedy=f"See whether `pacslab exec {host} -- python3 --version` works.",
        )
    return dict(zip(services, done.read(list[dict[str, str]], host), strict=True))


def fingerprints(lab: Lab, host: str) -> dict[str, set[str]]:
    """Of each service the certificates that the lab has issued for it (SHA-256); none where others did."""
    pki = pki_folder(lab.folder)
    found: dict[str, set[str]] = {}
    for service in proving(lab.site, host):
        profile = lab.site.services(host)[service].presents
        names = [name for name, own in lab.site.certificates(host).items() if own.profile == profile]
        issued = [certificate for name in names if (certificate := current(pki, host, name)) is not None]
        found[service] = {certificate.fingerprint(hashes.SHA256()).hex() for certificate in issued}
    return found


def judge_service(site: Site, host: str, service: str, answer: Mapping[str, str], issued: set[str]) -> Result:
    """Whether what a service shows is what the register has; ``issued`` are the fingerprints that it may show."""
    port = proving(site, host)[service]
    told: dict[str, Any] = {
        "subject": f"{service} tcp/{port}",
        "expected": f"the certificate of {site.identity(host, service)}, over TLS 1.2 or later",
        "read": answer.get("why") or f"{answer['version']} {answer['suite']}",
        "source": f"handshake on {host}",
    }
    reason, observed = _seen(answer, issued)
    if not reason:
        return as_described(CERTIFICATES, host, **told)
    facts: dict[str, Any] = {"peer": host, "service": service, "protocol": "tcp", "port": port}
    return otherwise(CERTIFICATES, host, reason, observed=observed, remedy=REMEDY, **told, **facts)


def _seen(answer: Mapping[str, str], issued: set[str]) -> tuple[str, str]:
    """Why an answer is not as the register has it, and what it is; empty where it is."""
    if "why" in answer:
        return MISSING, f"no handshake: {answer['why']}"
    certificate = x509.load_der_x509_certificate(bytes.fromhex(answer["certificate"]))
    until = certificate.not_valid_after_utc
    if issued and certificate.fingerprint(hashes.SHA256()).hex() not in issued:
        return CHANGED, f"another certificate: {certificate.subject.rfc4514_string()}"
    if until < datetime.now(UTC) + LEFT:
        return CHANGED, f"it ends at {until:%Y-%m-%d %H:%M} UTC"
    if answer["version"] not in VERSIONS:
        return CHANGED, f"{answer['version']}"
    return "", ""
