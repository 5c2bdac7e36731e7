"""Configure the running hosts of a lab: the plays of their roles, in the order of ``playbooks/site.yml``."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from lab.ansible.play import Play
from lab.ansible.site_playbook import lab_playbook
from lab.events import StageFinished, StageStarted
from lab.trust.files import write_private
from lab.trust.variables import trust_variables

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lab.engine.lab import Lab
    from lab.events import Bus
    from lab.topology.site import Site

STAGE = "configuration"


def configure(lab: Lab, site: Site, hosts: Sequence[str], bus: Bus) -> None:
    """Bring the configuration of these hosts to what the site says; hosts must be running.

    Raises:
        AnsibleError: a task failed; the message names host, role, task and what it said.
        MachineNotReadyError: Mitogen is missing.
    """
    if not hosts:
        return
    began = time.monotonic()
    bus.emit(StageStarted(STAGE, f"{len(hosts)} hosts"))
    folder = lab.folder / "ansible"
    roles = {role for host in hosts for role in site.hosts[host].roles}
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    Play(
        playbook=_written(folder / "site.yml", lab_playbook(site.catalog, roles)),
        inventories=[site.path, _write(folder / "overlay.json", overlay(lab, site))],
        folder=folder,
        variables=[_write(folder / "variables.json", trust_variables(site, lab.folder))],
        limit=hosts if len(hosts) < len(site.managed) else (),
    ).run(bus)
    bus.emit(StageFinished(STAGE, time.monotonic() - began, f"{len(hosts)} hosts"))


def overlay(lab: Lab, site: Site) -> dict[str, Any]:
    """An inventory that says how hosts of a lab are reached; all else is in the site's own."""
    return {
        "all": {
            "vars": {"ansible_connection": "docker"},
            "hosts": {name: {"ansible_host": lab.container(name)} for name in site.managed},
        }
    }


def _write(path: Path, content: dict[str, Any]) -> Path:
    return _written(path, json.dumps(content, indent=1))


def _written(path: Path, text: str) -> Path:
    write_private(path, text.encode())
    return path
