"""The network: a scan by a visitor, a device that nobody declared, another's address, images for an unlisted place."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

from lab.abuse.forgery import address, gateway_of
from lab.abuse.misuse import misuse
from lab.abuse.parties import scanner_alone_at_archive, visitor_at_archive
from lab.abuse.scene import Scene as Attempted
from lab.abuse.sights import names_of
from lab.engine.forging import Forged, arrived
from lab.engine.packets import IPV4, SYN, frame, tcp
from lab.hospital.hospital import Actor, why
from lab.scenarios.failure import NothingToJudge, require
from lab.scenarios.monitoring.cases import of_case
from lab.scenarios.monitoring.deed import Attempt, Deed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.abuse.attempt import Parties
    from lab.scenarios.monitoring.facts import Scene
    from lab.topology.site import Site

SCANNER = Actor("acquisition", "CT")
NOWHERE = "NOWHERE"
"""An AE title that no host of any site has."""
PORTS = 16
"""The rule counts ten ports in a minute."""
FIRST_PORT = 20_000
PATIENCE = "0.3"
SCAN = """
import socket, sys
for port in sys.argv[2:]:
    with socket.socket() as tried:
        tried.settimeout({patience})
        try:
            tried.connect((sys.argv[1], int(port)))
        except OSError:
            continue
        print(port)
"""


def _scan(stage: Scene) -> Attempt:
    """A visitor tries one port of an archive after the other, each once: the firewall tells of one once a minute."""
    site = stage.hospital.site
    parties = visitor_at_archive(site)
    stage.acts(parties.source)
    ports = count(FIRST_PORT + secrets.randbelow(20_000))
    return Attempt(lambda: _ports(stage, parties, [next(ports) for _ in range(PORTS)]), _names(site, parties.source))


@contextmanager
def _ports(stage: Scene, parties: Parties, ports: list[int]) -> Iterator[str]:
    there = address(stage.hospital.site, parties.target)
    argv = ["python3", "-I", "-c", SCAN.format(patience=PATIENCE), there, *map(str, ports)]
    done = stage.hospital.run(parties.source, argv)
    require(done.code == 0, f"{parties.source} tried nothing: {why(done)}")
    require(not done.stdout.strip(), f"{parties.target} answered {parties.source} at {done.stdout.split()}")
    yield f"{parties.source} tried {len(ports)} ports of {parties.target}"


def _names(site: Site, host: str) -> frozenset[str]:
    return frozenset({host, address(site, host)})


def _stranger(stage: Scene) -> Attempt:
    """A device with an address of its own speaks behind a scanner's port, as behind a switch that somebody plugged in.

    Raises:
        NothingToJudge: the scanners' zone has no free address.
    """
    site = stage.hospital.site
    source = stage.hospital.host(SCANNER)
    stage.acts(source)
    zone = site.topology.zones[site.hosts[source].zone]
    taken = {zone.gateway, *(host.address for host in site.hosts.values())}
    free = next((str(found) for found in reversed(list(zone.subnet.hosts())) if found not in taken), None)
    if free is None:
        raise NothingToJudge(f"the zone of {source} has no free address")
    return Attempt(partial(_spoke, stage, source, free), frozenset({free}))


@contextmanager
def _spoke(stage: Scene, source: str, stranger: str) -> Iterator[str]:
    site = stage.hospital.site
    gateway, mark = gateway_of(site, source), secrets.randbits(32)
    packet = tcp(stranger, gateway, (1 + secrets.randbelow(1023), 443), SYN, mark)
    octets = frame(stranger, gateway, IPV4, packet)
    card = site.interfaces(source)[0].name
    reached = arrived(stage.lab, [Forged(source, card, octets, site.gateway, packet[20:36])] * 2)
    require(not any(reached), f"{site.gateway} was reached by {stranger}, which nobody declared")
    yield f"a device with address {stranger} spoke at the port of {source}"


def _unlisted(stage: Scene) -> Attempt:
    """A scanner asks its archive to send a study to who is in no list."""
    parties = scanner_alone_at_archive(stage.hospital.site)
    stage.acts(parties.source)
    scene = Attempted(stage.hospital, parties)

    @contextmanager
    def move() -> Iterator[str]:
        answer = misuse(scene, parties.source, "dicom-move", "--ae-title", NOWHERE)
        require(answer.refused, f"{parties.target} sent something: {answer.detail}")
        yield f"{parties.target} refused {parties.source} {answer.detail}"

    return Attempt(move, names_of(scene, parties.source))


DEEDS = (
    Deed(
        "guest-scan", "Network: a visitor's device scans an archive for open ports", SCANNER, "", "ports-scanned",
        _scan, lines=True,
    ),
    Deed(
        "new-device", "Network: a device that nobody declared speaks in the scanners' zone", SCANNER, "",
        "device-undeclared", _stranger, lines=True,
    ),
    of_case("address-clone", "abuse.network-neighbours-name", SCANNER, "address-cloned", lines=True),
    Deed(
        "unlisted-destination", "DICOM: an archive is asked to send a study to an unlisted destination", SCANNER,
        "C-MOVE", "images-to-unlisted-destination", _unlisted, lines=True,
    ),
)  # fmt: skip
