"""Inventory from a site's description: ``inventories/<site>/topology.yml`` as it stands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseFileInventoryPlugin
from ansible.template import trust_as_template

try:
    from lab.topology.load import load_site
    from lab.topology.problems import TopologyError
    from lab.topology.variables import host_variables, site_variables

    IMPORT_ERROR = None
except ImportError as error:  # said in parse: Ansible passes over a plugin that does not load
    IMPORT_ERROR = error

if TYPE_CHECKING:
    from ansible.inventory.data import InventoryData
    from ansible.parsing.dataloader import DataLoader

DOCUMENTATION = r"""
name: topology
short_description: Inventory from a site's description
description:
  - Reads a site's C(topology.yml) as it stands; no key C(plugin) is needed or allowed in it.
  - Makes a group C(zone_<zone>) for every zone and C(role_<role>) for every role, with hyphens as underscores.
  - Sets the variables C(site_*) for all hosts, and C(host_*), C(flows_in) and C(flows_out) for each host.
    docs/architecture.md lists them.
  - Sets C(ansible_host) to the host's address, for SSH to real machines.
  - C(group_vars) and C(host_vars) beside the file are read as with any inventory.
author: pacslab
options: {}
requirements: [pacslab]
"""

EXAMPLES = r"""
# ansible-inventory -i inventories/reference/topology.yml --graph
site: reference
title: Reference imaging site
domain: imaging.internal
zones:
  modality-ct: {vlan: 41, subnet: 10.24.41.0/24, isolated: true, purpose: CT scanners}
"""

FILE_NAMES = frozenset({"topology.yml", "topology.yaml"})
SECTIONS = ("site", "zones", "hosts")
"""Top-level keys by which a description is told from another tool's file of this name."""


class InventoryModule(BaseFileInventoryPlugin):  # type: ignore[misc]  # Ansible has no type information
    """Hosts, groups and variables of a site."""

    NAME = "pacslab.lab.topology"
    trusted_by_default = True
    """The description is the site's own file, trusted as its group_vars are."""

    def verify_file(self, path: str) -> bool:
        """Accept a file by name and content: one with mistakes too, so that they are reported here."""
        if not super().verify_file(path) or Path(path).name not in FILE_NAMES:
            return False
        text = Path(path).read_text("utf-8", errors="replace")
        return all(re.search(rf"^{section}\s*:", text, re.MULTILINE) for section in SECTIONS)

    def parse(self, inventory: InventoryData, loader: DataLoader, path: str, cache: bool = True) -> None:  # noqa: FBT001, FBT002  # Ansible's signature
        """Fill the inventory.

        Raises:
            AnsibleParserError: with every mistake of the description.
        """
        super().parse(inventory, loader, path, cache)
        if IMPORT_ERROR:
            raise AnsibleParserError(
                "The Python package pacslab is not installed beside Ansible; run the commands of the repository's .venv"
            ) from IMPORT_ERROR
        try:
            site = load_site(Path(path))
        except TopologyError as error:
            raise AnsibleParserError(f"{error.message}\n{error.remedy}") from None
        for zone in site.topology.zones:
            inventory.add_group(group_name("zone", zone))
        for name, host in site.managed.items():
            inventory.add_host(name, group=group_name("zone", host.zone))
            for role in host.roles:
                inventory.add_host(name, group=inventory.add_group(group_name("role", role)))
            self._set(name, {"ansible_host": str(host.address), **host_variables(site, name)})
        self._set("all", site_variables(site))
        self._load_jinja_plugins()

    def _load_jinja_plugins(self) -> None:
        """Load filters and tests before Ansible forks for each task of each host: every fork would load them itself."""
        self.templar.template(trust_as_template("{{ [] | select('truthy') | list }}"))

    def _set(self, entity: str, variables: dict[str, Any]) -> None:
        for variable, value in variables.items():
            self.inventory.set_variable(entity, variable, value)


def group_name(kind: str, name: str) -> str:
    """Return the group of a zone or role: Ansible wants identifiers."""
    return f"{kind}_{name.replace('-', '_')}"
