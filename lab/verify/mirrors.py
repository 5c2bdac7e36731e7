"""Who watches a zone cannot send into it: frames from the mirror's interface are tried, and must not arrive."""

from __future__ import annotations

import secrets
import time
from functools import partial
from typing import TYPE_CHECKING

from lab.engine import names
from lab.engine.execute import execute
from lab.engine.fabric import bridge_name, mirror_name
from lab.engine.forging import Forged, arrived
from lab.engine.mirror_ports import TABLE as DROPPED
from lab.engine.packets import IPV4, SYN, frame, tcp
from lab.engine.port_filter import TABLE
from lab.errors import EngineError
from lab.results.model import Observation, Outcome, Promise, judged
from lab.topology.site import MIRROR
from lab.verify.mutation import Mutation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lab.engine.lab import Lab
    from lab.results.model import Result
    from lab.topology.site import Site
    from lab.verify.check import Context

WITNESS = Promise("segmentation.mirror", "A host that watches a zone cannot send into it.")
REMEDY = "Run `pacslab up`, which sets mirrors right."


def watched(site: Site) -> list[tuple[str, str, str]]:
    """Hosts that watch, each with every zone that it watches and a host there."""
    return [
        (witness, zone, victim)
        for witness in site.hosts
        for zone in site.mirrored(witness)
        for victim in [name for name, host in site.hosts.items() if host.zone == zone and not host.gateway][:1]
    ]


def judge_mirrors(context: Context) -> Iterator[Result]:
    """Send a frame into every watched zone, in the name of its gateway, and judge whether it arrived.

    Raises:
        EngineError: they could not be sent.
    """
    site = context.lab.site
    wanted = [entry for entry in watched(site) if context.wants_host(entry[0], entry[2]) and context.wants(WITNESS)]
    if not wanted:
        return
    context.say(f"{len(wanted)} frames from mirrors")
    frames = [_frame(site, *entry) for entry in wanted]
    for (witness, zone, victim), arrives in zip(wanted, arrived(context.lab, frames), strict=True):
        seen = "it arrived" if arrives else "it did not arrive"
        yield judged(
            WITNESS,
            witness,
            Outcome.FAILED if arrives else Outcome.PASSED,
            subject=f"into {zone}, to {victim}",
            expected="it does not arrive",
            observed=seen,
            remedy=REMEDY,
            observations=(Observation(seen, f"the card of {victim}", time.time()),),
            facts={"source": witness, "target": victim, "zone": zone},
        )


def _frame(site: Site, witness: str, zone: str, victim: str) -> Forged:
    gateway, address = str(site.topology.zones[zone].gateway), str(site.hosts[victim].address)
    packet = tcp(gateway, address, (secrets.randbelow(20_000) + 40_000, 1), SYN, secrets.randbits(32))
    return Forged(witness, MIRROR, frame(gateway, address, IPV4, packet), victim, packet[20:36])


def mutations(site: Site) -> Iterator[Mutation]:
    """The cable of a mirror is led into a zone, where nothing drops what comes from it."""
    for witness, zone, victim in watched(site)[:1]:
        make = partial(_led_in, mirror_name(site, witness), bridge_name(site.topology.zones[zone].vlan))
        yield Mutation(WITNESS.id, witness, "", make, judged=(WITNESS.id,), hosts=(victim,))


def _led_in(port: str, bridge: str, lab: Lab) -> Callable[[], None]:
    def run(*lines: str) -> None:
        done = execute(lab.docker, names.fabric(lab.name), ["sh", "-ec", "\n".join(lines)])
        if done.code != 0:
            raise EngineError(f"The mirror {port} did not change: {done.stderr.strip()}", remedy="Run `pacslab up`.")

    undone = (
        f"ip link set {port} nomaster",
        f"nft chain netdev {DROPPED} {port} '{{ policy drop; }}'",
        f"handle=$(nft -a list chain bridge {TABLE} enter | sed -n 's/.*{port}.* accept # handle //p')",
        f'[ -z "$handle" ] || nft delete rule bridge {TABLE} enter handle "$handle"',
    )
    undo = partial(run, *undone)
    try:
        run(
            f"nft chain netdev {DROPPED} {port} '{{ policy accept; }}'",
            f'nft insert rule bridge {TABLE} enter iifname "{port}" accept',
            f"ip link set {port} master {bridge}",
        )
    except EngineError:
        undo()
        raise
    return undo
