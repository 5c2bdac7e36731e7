"""Edges speak TLS 1.2 and 1.3 with suites of BCP 195, and where callers show a certificate, to nobody without one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lab.topology.catalog import certificate_profiles
from lab.verify.hardening.declare import Sabotage, has_role, promise
from lab.verify.hardening.expect import not_applicable
from lab.verify.hardening.facts import PROCESSES, processes, program
from lab.verify.hardening.sabotages import STOPPED, listener

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from testinfra.host import Host

    from lab.verify.hardening.declare import Target
    from lab.verify.hardening.expect import Expect

PLAIN = {"certificate-status": "CRL and OCSP are signed, and are served over HTTP (RFC 5280, RFC 6960)"}
OTHERWISE = {
    "postgresql": "it speaks TLS after a request of its own protocol; see test_databases.py",
    "ssh": "it has a protection of its own; see test_ssh.py",
    "nts-ke": "it speaks TLS 1.3 alone (RFC 8915 4); see test_time.py",
    "ntp": "its answers are authenticated with keys from nts-ke; see test_time.py",
    "dns": "names are no secret, and whoever is reached by one proves its name by TLS; see test_names.py",
    "dns-tcp": "likewise",
    "kerberos": "its messages are encrypted (RFC 4120); see test_directory.py",
    "kerberos-udp": "likewise",
}
WEAK = (
    "tls1", "tls1.1", "null", "anonymous", "rsa-key-exchange", "cbc-sha1", "cbc-sha384",
)  # fmt: skip
SUITES = {
    "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES256-GCM-SHA384", "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
}  # fmt: skip
"""RFC 9325 4.2, and PS3.15 B.12 with it."""
RESTART = "systemctl restart haproxy"
CONFIG = "/etc/haproxy/haproxy.cfg"
KEPT = "/run/haproxy-kept"
ALSO = ("hardening.edges.*",)


def edges(target: Target) -> Iterable[tuple[str, int]]:
    """Every service that others reach over the network, but those that speak no TLS of their own."""
    return [
        (f"{name} {service.port}", service.port)
        for name, service in target.site.services(target.host).items()
        if service.scope == "network" and service.port is not None and name not in {*PLAIN, *OTHERWISE}
    ]


def mutual(target: Target) -> set[int]:
    """Ports of those whose callers show a certificate."""
    services = target.site.services(target.host).values()
    return {service.port for service in services if service.callers is not None and service.port is not None}


def attempts(target: Target) -> Iterable[tuple[str, tuple[int, str]]]:
    return [(f"{words} {weak}", (port, weak)) for words, port in edges(target) for weak in WEAK]


def versions(target: Target) -> Iterable[tuple[str, tuple[int, str]]]:
    return [
        (f"{words} {version}", (port, version)) for words, port in edges(target) for version in ("tls1.2", "tls1.3")
    ]


def for_the_certified(target: Target) -> Iterable[tuple[str, tuple[int, str]]]:
    return [entry for entry in versions(target) if entry[1][0] in mutual(target)]


def has_edges(target: Target) -> bool:
    return bool(list(edges(target)))


has_haproxy = has_role("haproxy")


def probing(target: Target) -> str:
    """The command that shakes hands with every edge of the host in every way."""
    profiles = certificate_profiles(target.site.catalog)
    certificates = target.site.certificates(target.host).items()
    clients = [name for name, entry in certificates if "clientAuth" in profiles[entry.profile].usages]
    own = {
        "address": str(target.entry.address),
        "name": target.site.fqdn(target.host),
        "certificate": f"/etc/pacslab/tls/{clients[0]}.pem" if clients else None,
    }
    asked = [{"port": port, **own} for _, port in edges(target)]
    return program("tls_probe", "'" + json.dumps(asked) + "'")


def probed(host: Host, target: Target, port: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(host.check_output(probing(target)))[str(port)]
    return found


def edited(
    *expressions: str, on: Callable[[Target], bool] = has_haproxy, also: Sequence[str] = (), **rest: Any
) -> Sabotage:
    """Weaken HAProxy's configuration with sed, and restart it."""
    script = "; ".join(expressions)
    return Sabotage(
        f"cp -aT /etc/haproxy {KEPT} && sed -i '{script}' {CONFIG} /etc/haproxy/conf.d/*.cfg && {RESTART}",
        f"cp -a {KEPT}/. /etc/haproxy/; rm -rf {KEPT}; {RESTART}",
        also=(*ALSO, *also),
        on=lambda target: has_haproxy(target) and on(target),
        **rest,
    )


@promise(
    "hardening.edges.weak",
    "No edge speaks an old version of TLS or a weak suite.",
    remedy="Restore /etc/haproxy/haproxy.cfg: `pacslab up --again`.",
    where=has_edges,
    each=attempts,
    reads=(probing,),
    sabotage=edited(
        "s/^    ssl-default-bind-ciphers .*/    ssl-default-bind-ciphers ALL:@SECLEVEL=0/",
        on=lambda target: target.value[1] == "cbc-sha1",
    ),
)
def test_weak_versions_and_suites_are_refused(
    host: Host, target: Target, subject: tuple[int, str], expect: Expect
) -> None:
    port, weak = subject
    found = probed(host, target, port)[weak]
    expect.that(not found["open"], "a refusal", found.get("why") or f"{found['version']} {found['suite']}")


@promise(
    "hardening.edges.strong",
    "Every edge speaks TLS 1.2 and 1.3 with a recommended suite to whoever may call, and proves its name.",
    remedy="`pacslab status`; see `journalctl -u haproxy` on the host.",
    where=has_edges,
    each=versions,
    reads=(probing,),
    sabotage=edited("s/ssl-min-ver TLSv1.2/ssl-min-ver TLSv1.3/", on=lambda target: target.value[1] == "tls1.2"),
)
def test_strong_suites_are_spoken(host: Host, target: Target, subject: tuple[int, str], expect: Expect) -> None:
    port, version = subject
    found = probed(host, target, port)[version]
    expect.that(found["open"], "a connection", found.get("why", "a connection"))
    expect.only(SUITES, [found["suite"]], "suites")


@promise(
    "hardening.edges.strangers",
    "Every edge whose callers show a certificate turns away a caller without one.",
    remedy="Restore the edge's `verify required`: `pacslab up --again`.",
    where=has_edges,
    each=for_the_certified,
    reads=(probing,),
    sabotage=edited("s/verify required/verify optional/"),
)
def test_a_caller_without_a_certificate_is_turned_away(
    host: Host, target: Target, subject: tuple[int, str], expect: Expect
) -> None:
    port, version = subject
    found = probed(host, target, port)[f"{version}-stranger"]
    expect.that(not found["open"], "a refusal", str(found.get("why") or "the connection stands"))
    alert = str(found["why"])
    expect.that(
        "CERTIFICATE_REQUIRED" in alert or "HANDSHAKE_FAILURE" in alert, "an alert that asks for a certificate", alert
    )


@promise(
    "hardening.edges.resumption",
    "No edge whose callers show a certificate resumes a session, so that a revocation counts at once.",
    remedy="Restore tune.ssl.cachesize 0 and no-tls-tickets in /etc/haproxy/haproxy.cfg.",
    where=has_edges,
    each=for_the_certified,
    reads=(probing,),
    sabotage=edited("/tune.ssl.cachesize 0/d; s/ no-tls-tickets//"),
)
def test_no_session_is_resumed(host: Host, target: Target, subject: tuple[int, str], expect: Expect) -> None:
    port, version = subject
    found = probed(host, target, port)
    expect.that(found[version]["open"], "a first connection", str(found[version].get("why", "")))
    if version == "tls1.2":
        expect.equal(False, found[version]["ticket"], "a ticket")  # noqa: FBT003 # a value to compare
    again = found.get(f"{version}-again")
    if again is None or not again["open"]:
        expect.that(kept=True, expected="no resumption", observed="no session to resume")
        return
    expect.equal(False, again["reused"], "resumed")  # noqa: FBT003 # a value to compare


@promise(
    "hardening.edges.workers",
    "Who handles an edge's traffic holds no capability and runs as an account of its own.",
    remedy="Restore `user haproxy` in /etc/haproxy/haproxy.cfg.",
    where=lambda target: has_haproxy(target) and has_edges(target),
    reads=(PROCESSES,),
    sabotage=edited("/^    user haproxy/d; /^    group haproxy/d", also=("hardening.processes.*",)),
)
def test_workers_hold_no_capability(host: Host, expect: Expect) -> None:
    every = [process for process in processes(host) if process.unit == "haproxy.service"]
    masters = {process.pid for process in every if process.ppid == 1}
    workers = [process for process in every if process.ppid in masters]
    expect.some(workers, "workers")
    for worker in workers:
        expect.that(worker.uid != 0, "another account than root", f"user id {worker.uid}")
        expect.equal(0, worker.effective, "capabilities")
        expect.equal(True, worker.no_new_privileges, "NoNewPrivs")  # noqa: FBT003 # a value to compare


@promise(
    "hardening.edges.all",
    "Every service that the network reaches is behind TLS, but what is signed anyway.",
    remedy="Put the service behind an edge, or list with its reason why it needs none.",
    where=has_edges,
    each=edges,
    reads=(probing,),
    sabotage=Sabotage(
        lambda target: f"systemctl stop haproxy && {listener('0.0.0.0', target.value)}",  # noqa: S104 # that is the sabotage
        f"{STOPPED}; {RESTART}",
        also=("hardening.*",),
        on=lambda target: has_haproxy(target) and len(list(edges(target))) == 1,
    ),
)
def test_every_network_service_is_behind_tls(host: Host, target: Target, subject: int, expect: Expect) -> None:
    found = probed(host, target, subject)
    if not found:
        not_applicable("nothing was probed")
    expect.that(found["tls1.3"]["open"], "TLS", str(found["tls1.3"].get("why", "")))
