"""Bring a lab up: add whatever it lacks against its description, and wait until every service is healthy.

Each stage looks at what is there and adds the rest, so a second run changes nothing, and a run that was killed at any
point is continued by the next.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.engine import names
from lab.engine.fabric import wire
from lab.engine.hosts import ensure, in_parallel, observe, pids, wait_for_systemd
from lab.engine.keeping import kept
from lab.engine.requirements import require
from lab.errors import EngineError
from lab.events import HostPhase, Note, Phase, StageFinished, StageStarted
from lab.operate.configured import Configured
from lab.operate.devices import device_images, devices_beside, stop_cut_off
from lab.operate.inputs import digests
from lab.operate.ownership import require_own
from lab.operate.plan import Action, compare, to_configure
from lab.operate.repair import ask, repair
from lab.operate.wait import NeverHealthyError, wait_until_healthy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.engine.hosts import Running
    from lab.engine.lab import Lab
    from lab.events import Bus
    from lab.operate.plan import Containers

SYSTEMD_SECONDS = 90
HEALTHY_SECONDS = 180
RECONFIGURE_AFTER = 30
"""Seconds in which no host comes further, after which one that was configured in an earlier run and is still unhealthy
is configured again: longer than any service takes to start."""


@dataclass(frozen=True)
class LabBringUp:
    """Brings one lab up. ``timeout``: how long hosts may take to become healthy, in seconds.

    ``again`` configures every host, whether or not anything it was configured from has changed.
    """

    lab: Lab
    bus: Bus
    timeout: float = HEALTHY_SECONDS
    again: bool = False

    def run(self) -> None:
        """Do all stages.

        Raises:
            MachineNotReadyError: the machine lacks something; nothing was started.
            EngineError: Docker or the fabric refused.
            AnsibleError: a role failed.
            UnhealthyError: a host did not become healthy in time.
        """
        lab = self.lab
        with self._stage("machine"):
            needed = {path for host in lab.site.managed for path in lab.site.devices(host)}
            cgroups = require(lab.docker, sorted(needed))
            require_own(lab.docker, lab.name, lab.folder)
        images = self.images()
        lab.record.save(lab.folder)
        with ThreadPoolExecutor(max_workers=1) as pool:
            trust = pool.submit(self._trust)
            if any(host.device and host.device.bundle for host in lab.site.hosts.values()):
                trust.result()  # a device's container shows its bundle, which must be there before
            there = observe(lab.docker, lab.name)
            containers = compare(lab.name, lab.site, images, there, cgroups, folder=lab.folder)
            running = self._containers(containers, there)
            self._network(running)
            since = self._repair(containers, there)
            trust.result()
        wanted = list(lab.site.managed) if self.again else to_configure(lab.site, lab.folder, there, containers)
        since |= self._configure(wanted)
        for host in running:
            self.bus.emit(HostPhase(host, Phase.CONFIGURED))
        with self._stage("health", f"{len(lab.site.hosts)} hosts"):
            ask(lab, [host for host in wanted if containers.actions[host] is Action.KEEP])
            self._wait(set(lab.site.managed) - set(wanted), since)

    def images(self) -> dict[str, str]:
        """An image for each host and the fabric; those that are missing are built."""
        if self.lab.record.images:
            return self.lab.record.images
        from lab.images import ensure_images  # noqa: PLC0415 # a lab from a snapshot needs no image built

        return images_of_hosts(self.lab, ensure_images(self.lab.site, self.bus))

    def _trust(self) -> None:
        from lab.operate.bundles import renew_bundles  # noqa: PLC0415 # with the next: cryptography is slow to import
        from lab.trust import ensure_partners, ensure_pki, ensure_secrets  # noqa: PLC0415

        with self._stage("certificates"):
            ensure_pki(self.lab.site, self.lab.folder)
            ensure_secrets(self.lab.site, self.lab.folder)
            ensure_partners(self.lab.site, self.lab.folder)
            renew_bundles(self.lab.site, self.lab.folder)

    def _containers(self, containers: Containers, there: dict[str, Running]) -> dict[str, int]:
        """Remove, make and start containers; the answer is the process id of each host."""
        docker, site = self.lab.docker, self.lab.site
        for host in containers.which(Action.REMOVE):
            docker.remove(there[host].name)
            self.bus.emit(HostPhase(host, Phase.REMOVED))

        def bring(host: str) -> None:
            action = containers.actions[host]
            folders = kept(list(site.storage(host))) if host in site.managed else []
            ensure(docker, containers.specs[host], there.get(host), folders, self.lab.folder)
            if host in site.hosts:
                self.bus.emit(HostPhase(host, Phase.STARTED, "" if action is Action.KEEP else action.value))

        beside = set(devices_beside(site).values())
        with self._stage("hosts", f"{len(site.hosts)} hosts"):
            in_parallel(bring, containers.specs.keys() - beside)
            running = pids(docker, self.lab.name, site.hosts)
            for host in site.hosts.keys() - running.keys():
                raise ended(self.lab, host)
            stop_cut_off(docker, self.lab.name, site)
            in_parallel(bring, beside)
            in_parallel(lambda host: docker.start(containers.specs[host].name), beside)  # those that were just stopped
        return running

    def _network(self, running: dict[str, int]) -> None:
        lab = self.lab
        with self._stage("network", f"{len(lab.site.topology.zones)} zones"):
            wiring = wire(lab.docker, lab.name, lab.site, running, apply=True)
            if wiring.problems:
                raise ended(lab, wiring.problems[0].partition(":")[0])
            for host in running:
                self.bus.emit(HostPhase(host, Phase.CONNECTED))
            managed = {host: pid for host, pid in running.items() if host in lab.site.managed}
            late = wait_for_systemd(lab.docker, lab.name, managed, SYSTEMD_SECONDS)
            if late:
                raise ended(lab, late[0])
            for host in running:
                self.bus.emit(HostPhase(host, Phase.RUNNING))

    def _repair(self, containers: Containers, there: dict[str, Running]) -> dict[str, float]:
        """Restart unhealthy services of hosts that ran before and were configured; return since when reports count."""
        known = Configured(self.lab.folder)
        hosts = [host for host in containers.which(Action.KEEP) if known.knows(host, there[host].id)]
        with self._stage("repair", f"{len(hosts)} hosts"):
            return repair(self.lab, self.bus, hosts)

    def _configure(self, hosts: list[str]) -> dict[str, float]:
        """Configure hosts; the answer is when each was."""
        lab = self.lab
        wanted = digests(lab.site, lab.folder)
        if hosts and not self._is_first_of_clone():
            from lab.operate.configure import configure  # noqa: PLC0415 # Ansible is slow to import

            for host in hosts:
                self.bus.emit(HostPhase(host, Phase.CONFIGURING))
            configure(lab, lab.site, hosts, self.bus)
        if hosts:
            now = observe(lab.docker, lab.name)
            Configured(lab.folder).note({host: (now[host].id, wanted[host]) for host in hosts})
        return dict.fromkeys(hosts, time.time())

    def _wait(self, untouched: set[str], since: dict[str, float]) -> None:
        """Wait for health; hosts that this run has not configured and that stay unhealthy are configured once more."""
        try:
            stalled = RECONFIGURE_AFTER if untouched else None
            wait_until_healthy(self.lab, self.bus, self.timeout, since, stalled=stalled)
        except NeverHealthyError as error:
            unhealthy = [service.host for service in error.failures if service.host in untouched]
            if unhealthy:
                self.bus.emit(
                    Note(f"configuring {', '.join(unhealthy)} again: not healthy although nothing has changed")
                )
                since |= self._configure(unhealthy)
            wait_until_healthy(self.lab, self.bus, self.timeout, since)

    def _is_first_of_clone(self) -> bool:
        """A lab that was just made from a snapshot is configured as it is: that is what a snapshot is for."""
        return self.lab.record.snapshot is not None and not Configured(self.lab.folder).any

    @contextmanager
    def _stage(self, name: str, detail: str = "") -> Iterator[None]:
        began = time.monotonic()
        self.bus.emit(StageStarted(name, detail))
        yield
        self.bus.emit(StageFinished(name, time.monotonic() - began, detail))


def images_of_hosts(lab: Lab, made: dict[tuple[str, ...], str]) -> dict[str, str]:
    """An image for each container: a host's by its roles, a device's as the description names it.

    The fabric takes the smallest there is, which has what it needs.

    Raises:
        UsageError: the machine does not have a device's image.
    """
    images = {host: made[tuple(entry.roles)] for host, entry in lab.site.managed.items()}
    return {**images, **device_images(lab.docker, lab.site), names.FABRIC: made[min(made, key=len)]}


def ended(lab: Lab, host: str) -> EngineError:
    """Say that a container ended, or its systemd never came up, with the last that it printed."""
    query = {"stdout": "1", "stderr": "1", "tail": "20"}
    text = lab.docker.call("GET", f"/containers/{lab.container(host)}/logs", query=query)
    lines = [line for line in "".join(char for char in text if char.isprintable() or char == "\n").splitlines() if line]
    what = "systemd did not start" if host in lab.site.managed else "the device ended"
    return EngineError(
        f"{host}: {what}." + "".join(f"\n    {line}" for line in lines[-8:]),
        remedy=f"See 'docker logs {lab.container(host)}' and 'pacslab check'.",
    )
