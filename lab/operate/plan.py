"""What a lab lacks against its description: compared, and nothing done."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from lab.engine import names
from lab.engine.device_spec import described_specs
from lab.engine.fabric import wire
from lab.engine.memory import Asked, asked
from lab.engine.spec import Cgroups, Spec, fabric_spec, owned
from lab.operate.configured import Configured
from lab.operate.inputs import digests

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lab.engine.client import Docker
    from lab.engine.hosts import Running
    from lab.engine.lab import Lab
    from lab.topology.site import Site


class Action(StrEnum):
    """What happens to a container."""

    CREATE = "create"
    RECREATE = "recreate"
    START = "start"
    KEEP = "keep"
    REMOVE = "remove"


@dataclass(frozen=True)
class Containers:
    """Specs of all containers by host name (the fabric by its own), and what each needs."""

    specs: dict[str, Spec]
    actions: dict[str, Action]

    def which(self, *actions: Action) -> list[str]:
        """Hosts with one of these actions; the fabric is none."""
        return [host for host, action in self.actions.items() if action in actions and host != names.FABRIC]


@dataclass(frozen=True)
class Plan:
    """What ``up`` would do."""

    containers: Containers
    images: list[str]
    links: list[str]
    configure: list[str]
    memory: Asked

    @property
    def nothing(self) -> bool:
        """Whether the lab is as described."""
        idle = all(action is Action.KEEP for action in self.containers.actions.values())
        return idle and not (self.images or self.links or self.configure)

    def as_dict(self) -> dict[str, Any]:
        """The plan as ``--json`` prints it."""
        return {
            "changes": not self.nothing,
            "fabric": self.containers.actions[names.FABRIC].value,
            "hosts": {host: action.value for host, action in self.containers.actions.items() if host != names.FABRIC},
            "images": self.images,
            "links": self.links,
            "configure": self.configure,
            "memory": {**asdict(self.memory), "total": self.memory.total},
        }


def compare(
    lab: str,
    site: Site,
    images: Mapping[str, str],
    there: Mapping[str, Running],
    cgroups: Cgroups,
    *,
    folder: Path,
) -> Containers:
    """Compare the containers that exist with those described.

    ``images`` has one for each of them; ``folder`` is where the lab's files are.
    """
    specs = {names.FABRIC: fabric_spec(lab, site, images[names.FABRIC])}
    specs |= described_specs(lab, site, images, cgroups, folder)
    specs = {host: owned(spec, folder) for host, spec in specs.items()}
    actions = {host: _action(spec, there.get(host)) for host, spec in specs.items()}
    actions |= {host: Action.REMOVE for host in there if host not in specs}
    return Containers(specs, actions)


def _action(spec: Spec, there: Running | None) -> Action:
    if there is None:
        return Action.CREATE
    if there.digest != spec.digest:
        return Action.RECREATE
    return Action.KEEP if there.state == "running" else Action.START


def to_configure(site: Site, folder: Path, there: Mapping[str, Running], containers: Containers) -> list[str]:
    """Hosts whose configuration is not (known to be) what the description asks for."""
    known = Configured(folder)
    wanted = digests(site, folder)
    stay = (Action.KEEP, Action.START)
    return [
        host
        for host in site.managed
        if containers.actions[host] not in stay or not known.holds(host, there[host].id, wanted[host])
    ]


def make_plan(
    docker: Docker,
    lab: Lab,
    there: Mapping[str, Running],
    containers: Containers,
    missing_images: list[str],
) -> Plan:
    """Add links and configuration to the comparison of the containers.

    Links are looked at where the fabric runs and stays; those of hosts that are to be made come by themselves.
    """
    links: list[str] = []
    if containers.actions[names.FABRIC] is Action.KEEP:
        stay = {host: there[host].pid for host in containers.which(Action.KEEP) if host in lab.site.hosts}
        links = wire(docker, lab.name, lab.site, stay, apply=False).changes
    to_be_configured = to_configure(lab.site, lab.folder, there, containers)
    return Plan(containers, missing_images, links, to_be_configured, asked(lab.site))
