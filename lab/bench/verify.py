"""How long the hardening checks take over kept connections, against Testinfra's own backend for Docker."""

from __future__ import annotations

import time
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

import testinfra

from lab.bench.figures import Figure, alternate
from lab.errors import EngineError
from lab.results.model import Outcome
from lab.verify.hardening.machines import machines_of
from lab.verify.hardening.plugin import Judging, matcher
from lab.verify.hardening.session import run_session

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from testinfra.host import Host

    from lab.engine.lab import Lab
    from lab.results.model import Result
    from lab.verify.hardening.plugin import Machines

LEAST = 30.0
"""How many times as fast as the stock backend."""
MANY = 1000
SECONDS_FOR_MANY = 10.0
KEPT, STOCK = "kept connections", "stock backend"


class StockMachines:
    """The hosts of a lab over ``docker exec``, one process for each question, as Testinfra ships it."""

    def __init__(self, lab: Lab) -> None:
        """Nothing is asked yet."""
        self._lab = lab

    def host(self, name: str) -> Host:
        """A host over the stock backend."""
        return testinfra.get_host(f"docker://{self._lab.container(name)}")

    def container(self, name: str) -> Mapping[str, Any]:
        """How the engine runs the host."""
        return self._lab.docker.inspect(self._lab.container(name))


def bench_verify(
    lab: Lab, repetitions: int, say: Callable[[str], None], ids: Sequence[str] = (), hosts: Sequence[str] = ()
) -> list[Figure]:
    """Run the same checks both ways, alternating.

    Raises:
        EngineError: the two ways do not agree on what holds, so that comparing their times would mean nothing.
    """
    seen: dict[str, list[Result]] = {}
    names = list(hosts) or list(lab.site.managed)

    def run(way: str) -> float:
        began = time.monotonic()
        seen[way] = _judged(lab, way, names, ids)
        return time.monotonic() - began

    taken = alternate({KEPT: partial(run, KEPT), STOCK: partial(run, STOCK)}, repetitions, say)
    _agree(seen)
    number = len(seen[KEPT])
    for_many = tuple(seconds * MANY / number for seconds in taken[KEPT])
    limit = (SECONDS_FOR_MANY,) * len(for_many)
    return [
        Figure(
            f"{number} hardening checks on {len(names)} hosts, over kept connections",
            "the same checks over Testinfra's docker:// backend",
            taken[KEPT],
            taken[STOCK],
            LEAST,
            faster=True,
        ),
        Figure(
            f"{MANY} of these checks, over kept connections",
            f"{SECONDS_FOR_MANY:g} s",
            for_many,
            limit,
            1.0,
            faster=False,
        ),
    ]


def _judged(lab: Lab, way: str, hosts: list[str], ids: Sequence[str]) -> list[Result]:
    kept = machines_of(lab) if way == KEPT else None
    machines: Machines = kept or StockMachines(lab)
    try:
        return list(run_session(Judging(lab.site, lambda: machines, hosts, matcher(ids), lambda _: None)))
    finally:
        if kept is not None:
            kept.close()


def _agree(seen: Mapping[str, Sequence[Result]]) -> None:
    bad = [
        Counter((result.id, result.host, result.subject) for result in results if result.outcome is Outcome.ERROR)
        for results in seen.values()
    ]
    if any(bad) or len(seen[KEPT]) != len(seen[STOCK]):
        named = next((f"{name} [{host}]" for found in bad for name, host, _ in found), "their numbers")
        raise EngineError(
            f"The two ways do not judge the same: {named}.",
            remedy="Run `pacslab verify hardening`, and correct what it says.",
        )
