"""Every clock is compared with the site's time, whose answers are authenticated, and is right."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lab.verify.hardening.declare import Sabotage, has_role, promise
from lab.verify.hardening.facts import program
from lab.verify.hardening.sabotages import STOPPED, listener

if TYPE_CHECKING:
    from testinfra.host import Host

    from lab.verify.hardening.declare import Target
    from lab.verify.hardening.expect import Expect

LIMIT = 1.0
"""Seconds (IHE ITI TF-2 3.1, Maintain Time)."""
CONFIGURATION = "/etc/chrony/chrony.conf"
KEPT = "/run/chrony.conf.kept"
RESTART = "systemctl restart chrony"
MEASURED = "for n in $(seq 200); do chronyc -c tracking | grep -q Normal && exit 0; sleep 0.2; done; exit 1"
"""A script that ends once there is a measurement: who starts before the time server asks again a quarter of a minute
later."""
CLOCK = f"({MEASURED}); chronyc -c -n tracking; chronyc -c -n authdata"
ALSO = ("hardening.time.*",)


def asks(target: Target) -> bool:
    """Hosts that ask another one for the time."""
    return any(flow.service == "nts-ke" for flow in target.site.flows_out(target.host))


def read(host: Host) -> list[list[str]]:
    """How the clock stands, and how each source is authenticated."""
    return [line.split(",") for line in str(host.check_output(CLOCK)).splitlines()]


def edited(expression: str) -> Sabotage:
    """Change how the time is asked for, and wait until it has been."""
    return Sabotage(
        f"cp -a {CONFIGURATION} {KEPT} && sed -i '{expression}' {CONFIGURATION} && {RESTART}; {MEASURED}",
        f"mv {KEPT} {CONFIGURATION}; {RESTART}; {MEASURED}",
        also=ALSO,
    )


@promise(
    "hardening.time.offset",
    "The host's clock is within a second of the site's time.",
    remedy="`chronyc tracking` on the host and on the time server; set the clock that is wrong.",
    where=asks,
    reads=(CLOCK,),
    sabotage=edited("s/^server .*/& offset 2.5/"),
)
def test_the_clock_is_right(host: Host, expect: Expect) -> None:
    facts = read(host)[0]
    expect.equal("Normal", facts[-1], "leap status")
    offset = float(facts[4])
    expect.that(abs(offset) <= LIMIT, f"within {LIMIT:g} s", f"{offset:+.3f} s against {facts[1]}")


@promise(
    "hardening.time.authenticated",
    "The time is taken from the described server alone, whose answers are authenticated (NTS, RFC 8915).",
    remedy="Restore /etc/chrony/chrony.conf: `pacslab up --again`.",
    where=asks,
    reads=(CLOCK,),
    sabotage=edited("s/ nts ntsport [0-9]*//; s/^authselectmode .*//"),
)
def test_the_time_is_authenticated(host: Host, target: Target, expect: Expect) -> None:
    _, *sources = read(host)
    flows = [flow for flow in target.site.flows_out(target.host) if flow.service == "nts-ke"]
    wanted = {str(target.site.hosts[flow.target].address) for flow in flows}
    expect.equal(sorted(wanted), sorted(source[0] for source in sources), "servers")
    for address, mode, _, _, bits, *_ in sources:
        expect.equal("NTS", mode, f"authentication of {address}")
        expect.that(int(bits) >= 128, "a key of 128 bits or more", f"{bits} bits")


def probing(target: Target) -> str:
    asked = {
        "address": str(target.entry.address),
        "port": target.site.services(target.host)["nts-ke"].port,
        "name": target.site.identity(target.host, "nts-ke"),
        "certificate": None,
        "protocols": ["ntske/1"],
    }
    return program("tls_probe", "'" + json.dumps([asked]) + "'")


@promise(
    "hardening.time.keys",
    "Keys for the time are given by TLS 1.3 alone, by a server that proves its name.",
    remedy="`pacslab status`; see `journalctl -u chrony` on the host.",
    where=has_role("time_server"),
    reads=(probing,),
    sabotage=Sabotage(
        lambda target: f"systemctl stop chrony; {listener(str(target.entry.address), 4460)}",
        f"{STOPPED}; systemctl start chrony",
        also=("hardening.*",),
    ),
)
def test_keys_are_given_by_tls_13_alone(host: Host, target: Target, expect: Expect) -> None:
    (found,) = json.loads(host.check_output(probing(target))).values()
    answers: dict[str, dict[str, Any]] = found
    expect.that(answers["tls1.3"]["open"], "TLS 1.3", str(answers["tls1.3"].get("why", "")))
    for version in ("tls1", "tls1.1", "tls1.2"):
        expect.that(not answers[version]["open"], f"no {version}", "a connection")
