"""What segmentation must catch: a declared flow that is shut, and holes in the firewall's and the fabric's filters."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from lab.engine import names
from lab.engine.execute import execute
from lab.engine.port_filter import TABLE
from lab.engine.wire import STATE
from lab.errors import EngineError
from lab.verify import mirrors
from lab.verify.forgeries import Kind, forgeries
from lab.verify.forging import PROMISES
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
    """A rule on a target that drops a declared flow, one on the firewall that lets another pass, and open filters."""
    every = attempts(site)
    declared = next(
        attempt for attempt in every if attempt.allowed and attempt.protocol == "tcp" and not attempt.foreign
    )
    undeclared = next(
        attempt
        for attempt in every
        if attempt.judge is Judge.FIREWALL
        and attempt.protocol == "tcp"
        and attempt.target_zone != attempt.target
        and not attempt.foreign
        and any(service.port == attempt.port for service in site.services(attempt.target).values())
    )
    shut = partial(_ruled, declared.target, ["input", *_about(declared), "drop"])
    opened = partial(_ruled, site.gateway, ["forward", *_about(undeclared), "accept"])
    yield Mutation(DECLARED.id, declared.source, "", shut, judged=(DECLARED.id,), hosts=(declared.source,))
    yield Mutation(UNDECLARED.id, undeclared.source, "", opened, judged=("segmentation.*",), hosts=(undeclared.source,))
    yield from mirrors.mutations(site)
    liar = next((forgery.source for forgery in forgeries(site) if forgery.past_fabric), None)
    if liar is None:
        return  # fewer than three zones, or no log: nobody has a connection to attack
    for kind, make in (
        (Kind.SOURCE, _ports_opened),
        (Kind.RESET, partial(_without, site.gateway, "arrive", "fib")),
        (Kind.ERROR, partial(_ruled, site.gateway, ["forward", "ct", "state", "related", "accept"])),
    ):
        promise = PROMISES[kind].id
        yield Mutation(
            promise, liar, "", make, also=("segmentation.forged-*",), judged=("segmentation.*-*",), hosts=(liar,)
        )


def _about(attempt: Attempt) -> list[str]:
    ends = ["ip", "saddr", attempt.source_address, "ip", "daddr", attempt.address]
    return [*ends, attempt.protocol, "dport", str(attempt.port)]


def _ruled(host: str, rule: list[str], lab: Lab) -> Callable[[], None]:
    """Put a rule before all others; loading the described filter takes it back."""
    _do(lab, host, ["nft", "insert", "rule", "inet", "filter", *rule])
    return partial(_do, lab, host, RELOAD)


def _without(host: str, chain: str, word: str, lab: Lab) -> Callable[[], None]:
    """Take a rule out of a chain; loading the described filter takes it back."""
    script = (
        f"handle=$(nft -a list chain inet filter {chain} | sed -n 's/.*{word}.*# handle //p')"
        f" && nft delete rule inet filter {chain} handle $handle"
    )
    _do(lab, host, ["sh", "-c", script])
    return partial(_do, lab, host, RELOAD)


def _ports_opened(lab: Lab) -> Callable[[], None]:
    """Let every frame into the fabric; its own filter, which it keeps, takes that back."""

    def nft(*argv: str) -> None:
        done = execute(lab.docker, names.fabric(lab.name), ["nft", *argv])
        if done.code != 0:
            raise EngineError(f"The fabric's filter did not change: {done.stderr.strip()}", remedy="Run `pacslab up`.")

    nft("insert", "rule", "bridge", TABLE, "enter", "accept")
    return partial(nft, "--file", f"{STATE}/filter")


def _do(lab: Lab, host: str, argv: list[str]) -> None:
    done = lab.run(host, argv)
    if done.code != 0:
        raise EngineError(f"{host}: {argv[0]} ended with {done.code}: {done.stderr.strip()}", remedy="See its log.")
