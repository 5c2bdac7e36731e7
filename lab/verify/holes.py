"""What segmentation must catch: a declared flow that is shut, and a hole in the firewall."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from lab.errors import EngineError
from lab.verify.judgement import DECLARED, UNDECLARED
from lab.verify.matrix import Judge, attempts
from lab.verify.mutation import Mutation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lab.engine.lab import Lab
    from lab.topology.site import Site
    from lab.verify.matrix import Attempt

RELOAD = ["systemctl", "reload", "nftables"]


def mutations(site: Site) -> Iterator[Mutation]:
    """A rule on a target that drops a declared flow, and one on the firewall that lets an undeclared one pass."""
    every = attempts(site)
    declared = next(attempt for attempt in every if attempt.allowed and attempt.protocol == "tcp")
    undeclared = next(
        attempt
        for attempt in every
        if attempt.judge is Judge.FIREWALL
        and attempt.protocol == "tcp"
        and attempt.target_zone != attempt.target
        and any(service.port == attempt.port for service in site.services(attempt.target).values())
    )
    shut = partial(_ruled, declared.target, ["input", *_about(declared), "drop"])
    opened = partial(_ruled, site.gateway, ["forward", *_about(undeclared), "accept"])
    yield Mutation(DECLARED.id, declared.source, "", shut, judged=(DECLARED.id,), hosts=(declared.source,))
    yield Mutation(UNDECLARED.id, undeclared.source, "", opened, judged=("segmentation.*",), hosts=(undeclared.source,))


def _about(attempt: Attempt) -> list[str]:
    ends = ["ip", "saddr", attempt.source_address, "ip", "daddr", attempt.address]
    return [*ends, attempt.protocol, "dport", str(attempt.port)]


def _ruled(host: str, rule: list[str], lab: Lab) -> Callable[[], None]:
    """Put a rule before all others; loading the described filter takes it back."""
    _do(lab, host, ["nft", "insert", "rule", "inet", "filter", *rule])
    return partial(_do, lab, host, RELOAD)


def _do(lab: Lab, host: str, argv: list[str]) -> None:
    done = lab.run(host, argv)
    if done.code != 0:
        raise EngineError(f"{host}: {argv[0]} ended with {done.code}: {done.stderr.strip()}", remedy="See its log.")
