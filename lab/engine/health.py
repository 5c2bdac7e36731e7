"""How the hosts of a lab are: all of them read with one command in the fabric."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab.engine import names
from lab.engine.execute import STDERR, Stream, execute
from lab.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lab.engine.client import Docker

STALE_AFTER = 20.0
"""Seconds after which a host's report no longer counts."""
HEALTH_FILE = "/run/pacslab/health.json"


_KNOCK = Path(__file__).with_name("knock.py")


@dataclass(frozen=True)
class Device:
    """A foreign device: its address, and the port of each service that it offers."""

    address: str
    ports: dict[str, int]


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


class ReportReader:
    """Reads the reports of many hosts again and again, by one shell in the fabric: starting one costs most.

    Only regular files are read: a host could make the path a pipe that never ends.
    """

    SECONDS = 20.0
    _SCRIPT = 'while read -r _; do grep -sHa --devices=skip "" "$@"; echo .; done'
    _END = b".\n"
    """What ends an answer; every line of a file has the file's path before it."""

    def __init__(self, docker: Docker, lab: str) -> None:
        """Nothing is started yet."""
        self._docker = docker
        self._fabric = names.fabric(lab)
        self._pids: dict[str, int] = {}
        self._stream: Stream | None = None

    def read(self, pids: Mapping[str, int]) -> dict[str, str]:
        """The reports by host, given the process ids of the hosts' first processes; a host without one is left out.

        Raises:
            EngineError: the fabric does not answer.
        """
        if not pids:
            return {}
        if self._stream is None or pids != self._pids:
            self.close()
            self._pids = dict(pids)
            paths = [f"/proc/{pid}/root{HEALTH_FILE}" for pid in pids.values()]
            self._stream = Stream(self._docker, self._fabric, ["sh", "-c", self._SCRIPT, "sh", *paths])
            self._stream.socket.settimeout(self.SECONDS)
        texts: dict[str, list[str]] = {}
        by_pid = {str(pid): host for host, pid in pids.items()}
        for line in self._answer(self._stream).decode("utf-8", "replace").splitlines():
            head, separator, text = line.partition(f"/root{HEALTH_FILE}:")
            host = by_pid.get(head.removeprefix("/proc/"))
            if separator and host:
                texts.setdefault(host, []).append(text)
        return {host: "\n".join(lines) for host, lines in texts.items()}

    def _answer(self, stream: Stream) -> bytes:
        answer = b""
        try:
            stream.send(b"\n")
            for kind, data in stream.frames():
                answer += data if kind != STDERR else b""
                if answer == self._END or answer.endswith(b"\n" + self._END):
                    return answer
        except OSError as error:
            self.close()
            raise EngineError(f"{self._fabric} does not answer: {error}.", remedy="See 'pacslab status'.") from error
        self.close()
        raise EngineError(f"{self._fabric} ended while it was asked.", remedy="Run 'pacslab up'.")

    def close(self) -> None:
        """End the shell."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None


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


def read_health(
    docker: Docker, lab: str, expected: Mapping[str, list[str]], devices: Mapping[str, Device], reader: ReportReader
) -> dict[str, HostHealth]:
    """The health of every host named in ``expected`` (host: names of its services), in that order.

    Those that are ``devices`` report nothing: the lab connects to their services.
    """
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
    reports = reader.read({host: pid for host, pid in pids.items() if host not in devices})
    answers = knock(docker, lab, {host: (pids[host], device) for host, device in devices.items() if host in pids})
    now = time.time()
    return {
        host: judge_device(states[host], services, answers.get(host), now)
        if host in devices
        else judge(states[host], services, reports.get(host), now)
        for host, services in expected.items()
    }


def knock(docker: Docker, lab: str, devices: Mapping[str, tuple[int, Device]]) -> dict[str, dict[str, str]]:
    """Connect to each service of devices, given their process ids, from their own place in the network.

    The answer is for each service why the connection was not taken, or nothing where it was. Nothing runs on a device.
    """
    wanted = {host: [pid, device.address, device.ports] for host, (pid, device) in devices.items() if device.ports}
    if not wanted:
        return {host: {} for host in devices}
    argv = ["python3", "-ISc", _KNOCK.read_text("utf-8")]
    done = execute(docker, names.fabric(lab), argv, input=json.dumps(wanted).encode(), timeout=20)
    answers = done.read(dict[str, dict[str, str]], f"the fabric of lab {lab!r}") if done.code == 0 else {}
    return {host: {} for host in devices if host not in wanted} | answers


def judge_without_fabric(state: str, expected: list[str]) -> HostHealth:
    """The health of a host when the fabric is gone: it has no network, whatever it reports."""
    detail = "the lab's fabric does not run" if state == "running" else f"container {state}"
    return _unknown(state, expected, detail)


def judge_device(state: str, services: Iterable[str], answers: Mapping[str, str] | None, now: float) -> HostHealth:
    """The health of a foreign device: its container runs, and every service of it took a connection.

    ``answers`` holds what came of each connection, empty where it was taken; None when nobody could try.
    """
    if state != "running" or answers is None:
        return _unknown(state, list(services), f"container {state}" if state != "running" else "nobody could ask it")
    return HostHealth(
        state,
        tuple(
            ServiceHealth(name, healthy=answers.get(name) == "", detail=answers.get(name, "not asked"))
            for name in services
        ),
        at=now,
    )


def with_devices(docker: Docker, lab: str, health: Mapping[str, HostHealth]) -> dict[str, HostHealth]:
    """The health of hosts, each with a device of the user's beside it: unhealthy while that does not run."""
    inspected = docker.inspect_all(names.container(lab, names.device(host)) for host in health)
    found = {}
    for host, known in health.items():
        state = _state(inspected.get(names.container(lab, names.device(host))))
        what = known if state == "running" or known.detail else replace(known, detail=f"its device: container {state}")
        found[host] = what
    return found


def _unknown(state: str, expected: list[str], detail: str) -> HostHealth:
    return HostHealth(state, tuple(ServiceHealth(name, healthy=False, detail=detail) for name in expected), detail)


def _state(inspected: dict[str, Any] | None) -> str:
    return "absent" if inspected is None else str(inspected["State"]["Status"])
