"""How the hosts of a lab are: all of them read with one command in the fabric."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lab.engine import names
from lab.engine.execute import execute

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lab.engine.client import Docker

STALE_AFTER = 20.0
"""Seconds after which a host's report no longer counts."""
HEALTH_FILE = "/run/pacslab/health.json"


@dataclass(frozen=True)
class ServiceHealth:
    """The last answer of a service's probe."""

    name: str
    healthy: bool
    detail: str


@dataclass(frozen=True)
class HostHealth:
    """A host: ``state`` is what Docker says of its container, or ``absent``; ``detail`` is why nothing is known.

    ``at`` is when its services were asked, in seconds since 1970; 0 when they were not.
    """

    state: str
    services: tuple[ServiceHealth, ...]
    detail: str = ""
    at: float = 0.0

    @property
    def healthy(self) -> bool:
        """Whether the host runs and every service of it answered well."""
        return self.state == "running" and not self.detail and all(service.healthy for service in self.services)

    def first_failure(self) -> tuple[str, str]:
        """(service, probe output) of the first that fails; no service when the host itself does not report."""
        for service in self.services:
            if not service.healthy:
                return service.name, service.detail
        return "", self.detail


def read_files(docker: Docker, lab: str, pids: Mapping[str, int], path: str) -> dict[str, str]:
    """Read one file of many hosts, given the process ids of their first processes, with one command in the fabric.

    A host without the file is left out. Only regular files are read: a host could make the path a pipe that never ends.
    """
    if not pids:
        return {}
    paths = [f"/proc/{pid}/root{path}" for pid in pids.values()]
    done = execute(docker, names.fabric(lab), ["grep", "-sHa", "--devices=skip", "", *paths], timeout=20)
    texts: dict[str, list[str]] = {}
    by_pid = {str(pid): host for host, pid in pids.items()}
    for line in done.stdout.splitlines():
        head, separator, text = line.partition(f"/root{path}:")
        host = by_pid.get(head.removeprefix("/proc/"))
        if separator and host:
            texts.setdefault(host, []).append(text)
    return {host: "\n".join(lines) for host, lines in texts.items()}


def judge(state: str, expected: list[str], report: str | None, now: float) -> HostHealth:
    """Turn a host's report into its health: every expected service must be in it, and it must be fresh."""
    if state != "running":
        return _unknown(state, expected, f"container {state}")
    services: dict[str, Any] = {}
    detail = "the host has not reported yet" if report is None else ""
    at = 0.0
    if report is not None:
        try:
            content = json.loads(report)
            at = float(content["at"])
            services = dict(content["services"])
        except (ValueError, KeyError, TypeError) as error:
            detail = f"the host's report cannot be read: {error}"
        else:
            detail = f"the last report is {now - at:.0f} s old" if now - at > STALE_AFTER else ""
    return HostHealth(state, tuple(_service(name, services.get(name), detail) for name in expected), detail, at)


def _service(name: str, answer: Any, detail: str) -> ServiceHealth:
    if detail or not isinstance(answer, dict):
        return ServiceHealth(name, healthy=False, detail=detail or "not in the host's report")
    return ServiceHealth(name, healthy=answer.get("healthy") is True, detail=str(answer.get("detail", "")))


def read_health(docker: Docker, lab: str, expected: Mapping[str, list[str]]) -> dict[str, HostHealth]:
    """The health of every host named in ``expected`` (host: names of its services), in that order."""
    inspected = docker.inspect_all([names.fabric(lab), *(names.container(lab, host) for host in expected)])
    states = {host: _state(inspected.get(names.container(lab, host))) for host in expected}
    fabric = inspected.get(names.fabric(lab))
    if _state(fabric) != "running":
        return {host: judge_without_fabric(states[host], services) for host, services in expected.items()}
    pids = {
        host: int(inspected[names.container(lab, host)]["State"]["Pid"])
        for host, state in states.items()
        if state == "running"
    }
    reports = read_files(docker, lab, pids, HEALTH_FILE)
    now = time.time()
    return {host: judge(states[host], services, reports.get(host), now) for host, services in expected.items()}


def judge_without_fabric(state: str, expected: list[str]) -> HostHealth:
    """The health of a host when the fabric is gone: it has no network, whatever it reports."""
    detail = "the lab's fabric does not run" if state == "running" else f"container {state}"
    return _unknown(state, expected, detail)


def _unknown(state: str, expected: list[str], detail: str) -> HostHealth:
    return HostHealth(state, tuple(ServiceHealth(name, healthy=False, detail=detail) for name in expected), detail)


def _state(inspected: dict[str, Any] | None) -> str:
    return "absent" if inspected is None else str(inspected["State"]["Status"])
