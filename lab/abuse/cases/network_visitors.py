"""Hosts that no flow lets call anybody, at the door of an archive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.abuse.attempt import Parties, Tried
from lab.abuse.evidence import Evidence
from lab.abuse.failure import AttemptError, require
from lab.abuse.misuse import misuse
from lab.abuse.model import AbuseCase
from lab.abuse.parties import DICOM, visitor_at_archive
from lab.abuse.weakening import PROGRAMS, FilterRule, on_gateway

if TYPE_CHECKING:
    from lab.abuse.scene import Scene
    from lab.topology.site import Site

PATIENCE = "2"
"""Seconds for an answer; a second SYN is sent after one (RFC 6298)."""


def _port(site: Site, host: str) -> int:
    return site.services(host)[DICOM].port or 0


def _knock(scene: Scene) -> Tried:
    """Open a connection to the archive's DICOM port, and look at the certificate that it shows.

    Raises:
        AttemptError: the program did not run on the source.
    """
    source, target = scene.parties.source, scene.parties.target
    address, port = str(scene.hospital.described(target).address), str(_port(scene.site, target))
    argv = ["python3", "-I", "-", address, port, PATIENCE]
    done = scene.hospital.run(source, argv, input=(PROGRAMS / "knock.py").read_bytes())
    if done.code != 0:
        raise AttemptError(
            f"The attempt did not run on {source}: {done.stderr.strip()[-300:]}",
            remedy=f"See whether `pacslab exec {source} -- python3 --version` works.",
        )
    said = done.stdout.strip()
    return Tried(said == "timeout", said, {"answer": said})


def _answered(scene: Scene, tried: Tried) -> str:
    """Harm: the archive's edge answered, and told who it is."""
    answer = str(tried.facts["answer"])
    return f"{scene.parties.target} answered {scene.parties.source}: {answer}" if answer.startswith("connected") else ""


def _turned_away(scene: Scene) -> Evidence:
    """The firewall's line: from which zone to which, and both addresses."""
    hosts, parties = scene.site.hosts, scene.parties
    source, target = hosts[parties.source], hosts[parties.target]
    about = (source.zone, target.zone, str(source.address), str(target.address))
    return Evidence(scene.site.gateway, "no-flow", about=tuple(frozenset({word}) for word in about))


def _serves(scene: Scene, _: Tried) -> str:
    """Unharmed: the archive answers a scanner that may call it.

    Raises:
        NotAsPromised: it does not.
    """
    target, scanner = scene.parties.target, scene.parties.other
    answer = misuse(scene, scanner, "dicom-control")
    require(not answer.refused, f"afterwards {target} refuses {scanner}: {answer.detail}")
    return f"{target} still answers {scanner}"


def _both_ways(site: Site, parties: Parties) -> str:
    """A rule for the firewall, which judges answers too: whatever belongs to a connection that the source opens."""
    source = site.hosts[parties.source].address
    return f"ct original ip saddr {source} ct original proto-dst {_port(site, parties.target)} accept"


def _hole(site: Site, parties: Parties) -> str:
    source = site.hosts[parties.source].address
    return f"ip saddr {source} tcp dport {_port(site, parties.target)} accept"


CASES = (
    AbuseCase(
        "abuse.network-visitor-at-archive",
        "Network: a visitor's device opens the archive's DICOM port",
        parties=visitor_at_archive,
        attempt=_knock,
        evidence=_turned_away,
        harm=_answered,
        unharmed=_serves,
        control="the firewall, and the archive's own packet filter, let declared flows through and nothing else",
        weakenings=(
            FilterRule("a hole in the firewall, for answers too", "forward", _both_ways, where=on_gateway),
            FilterRule("a hole in the archive's own packet filter", "input", _hole),
        ),
    ),
)
