"""How much of the machine's memory a host may take, as the kernel limits it, and a host whose limit is gone."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from lab.engine.memory import MEGABYTE, limits
from lab.results.model import Observation, Outcome, Promise, judged
from lab.verify.mutation import Mutation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from lab.engine.lab import Lab
    from lab.results.model import Result
    from lab.topology.site import Site

MEMORY = Promise("containment.memory", "No lab host takes more of the machine's memory than its roles may take.")
IN_FORCE = """
path=$(sed -n 's/^[0-9]*:memory://p' /proc/1/cgroup)
if [ -n "$path" ]
then sed -n 's/^hierarchical_memory_limit //p' "/sys/fs/cgroup/memory$path/memory.stat"
else cat /sys/fs/cgroup/memory.max
fi
"""
"""Control groups version 1: the least of the group's limit and those above it; 2: the limit of the host's own part."""
REMEDY = "Run `pacslab up`: it makes a container again that is not as described; `pacslab check` tells of the kernel."


def judge_memory(lab: Lab, hosts: Iterable[str]) -> Iterator[Result]:
    """Compare the limit in force on each host of ours with what its roles may take."""
    for host in hosts:
        most = lab.site.memory(host).most * MEGABYTE
        said = lab.run(host, ["sh", "-c", IN_FORCE])
        limit = said.stdout.strip()
        kept = limit.isdecimal() and int(limit) <= most
        yield judged(
            MEMORY,
            host,
            Outcome.PASSED if kept else Outcome.FAILED,
            expected=f"at most {most} bytes",
            observed=f"{limit} bytes" if limit.isdecimal() else limit or said.stderr.strip() or "no limit",
            observations=(Observation(said.stdout, f"control group of {host}", time.time()),),
            remedy=REMEDY,
        )


def mutations(site: Site) -> Iterator[Mutation]:
    """A host that may take four times as much."""
    host = next(name for name in site.managed if name != site.gateway)
    yield Mutation(MEMORY.id, host, "", partial(_raised, host), judged=(MEMORY.id,), hosts=(host,))


def _raised(host: str, lab: Lab) -> Callable[[], None]:
    container, most = lab.container(host), lab.site.memory(host).most

    def allow(megabytes: int) -> None:
        lab.docker.call("POST", f"/containers/{container}/update", body=limits(megabytes))

    allow(4 * most)
    return partial(allow, most)
