"""Wait until every host of a lab is healthy, telling what each still lacks."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lab.deadline import Deadline
from lab.errors import UnhealthyError
from lab.events import HostPhase, Phase

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from lab.engine.health import HostHealth
    from lab.engine.lab import Lab
    from lab.events import Bus

PAUSE = 0.4
"""Seconds between two looks: each costs processor time, which the hosts need themselves."""
SHARE = 3
"""How many times as long as a look took is waited: a busy machine is looked at less often."""
LONGEST_PAUSE = 1.0
"""Seconds after which hosts are looked at again in any case: whoever waits is told soon that all is well."""
UNASKED = "its services have not been asked since it was configured"


@dataclass(frozen=True)
class UnhealthyService:
    """A service that is not healthy; ``service`` is empty when the host itself does not report."""

    host: str
    service: str
    detail: str
    remedy: str


class NeverHealthyError(UnhealthyError):
    """Hosts did not become healthy in time."""

    def __init__(self, failures: list[UnhealthyService], seconds: float) -> None:
        """Name the first failure, its probe's last output and its remedy; tell how many others there are."""
        first = failures[0]
        what = f"service {first.service}" if first.service else "the host"
        lines = [f"{first.host}: {what} was not healthy within {seconds:g} s: {first.detail or 'no answer'}"]
        lines += [
            f"{service.host}: {service.service or 'host'}: {service.detail or 'no answer'}" for service in failures[1:]
        ]
        super().__init__("\n  ".join(lines), remedy=first.remedy)
        self.failures = failures

    def as_dict(self) -> dict[str, object]:
        """Return the error as ``--json`` prints it, with every failure."""
        return {**super().as_dict(), "failures": [vars(service) for service in self.failures]}


def wait_until_healthy(
    lab: Lab,
    bus: Bus,
    seconds: float,
    since: Mapping[str, float],
    hosts: Collection[str] | None = None,
    *,
    stalled: float | None = None,
) -> dict[str, HostHealth]:
    """Look again and again until all hosts are healthy, or those that are named.

    ``since`` holds hosts that were changed, with the time (seconds since 1970) from which on their reports count: an
    older one may speak of services that have been restarted meanwhile. With ``stalled``, waiting ends also when no
    host has come further for so many seconds: on a busy machine hosts that start need longer than on an idle one.

    Raises:
        NeverHealthyError: some are not when the time has passed, or a host's container ended.
    """
    deadline, began = Deadline(seconds), time.monotonic()
    patience = seconds if stalled is None else stalled
    progress = Deadline(patience)
    told: dict[str, tuple[bool, str]] = {}
    with lab.watch_health() as look:
        while True:
            looked = time.monotonic()
            health = {host: _new_enough(answer, since.get(host, 0)) for host, answer in look().items()}
            if hosts is not None:
                health = {host: answer for host, answer in health.items() if host in hosts}
            if [host for host, answer in health.items() if _tell(bus, host, answer, told)]:
                progress = Deadline(patience)
            if all(answer.healthy for answer in health.values()):
                return health
            if deadline.over or progress.over or any(answer.state != "running" for answer in health.values()):
                raise NeverHealthyError(failures(lab, health), round(time.monotonic() - began))
            deadline.pause(min(LONGEST_PAUSE, max(PAUSE, SHARE * (time.monotonic() - looked))))


def _new_enough(answer: HostHealth, since: float) -> HostHealth:
    if answer.healthy and answer.at < since:
        return replace(answer, detail=UNASKED)
    return answer


def failures(lab: Lab, health: dict[str, HostHealth]) -> list[UnhealthyService]:
    """The first failing service of each host that is not healthy."""
    found = []
    for host, answer in health.items():
        if not answer.healthy:
            service, detail = answer.first_failure()
            found.append(UnhealthyService(host, service, detail, _remedy(lab, host, "" if answer.detail else service)))
    return found


def _remedy(lab: Lab, host: str, service: str) -> str:
    look = f"See 'pacslab logs {host} --lab {lab.name}'; 'pacslab up --lab {lab.name}' goes on from here."
    if host not in lab.site.managed:
        return (
            f"{host} is a device: what it prints shows 'docker logs {lab.container(host)}'. Its roles in topology.yml "
            f"say what it offers; 'pacslab up --lab {lab.name}' goes on from here."
        )
    if not service:
        return f"Run 'pacslab exec {host} --lab {lab.name} -- systemctl status pacslab-health'. {look}"
    return f"{lab.site.services(host)[service].remedy} {look}"


def _tell(bus: Bus, host: str, answer: HostHealth, told: dict[str, tuple[bool, str]]) -> bool:
    """Tell what a host lacks, where that is new; the answer is whether it is."""
    service, detail = answer.first_failure()
    state = (answer.healthy, service)
    if told.get(host) == state:
        return False
    told[host] = state
    if answer.healthy:
        bus.emit(HostPhase(host, Phase.HEALTHY))
    elif answer.detail == UNASKED:
        bus.emit(HostPhase(host, Phase.CHECKING))
    else:
        bus.emit(HostPhase(host, Phase.UNHEALTHY, f"{service}: {detail}" if service else detail))
    return True
