"""The archive's roles, rendered for a host of a site with Ansible's own filters."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jinja2
import yaml
from ansible.plugins.filter.core import FilterModule
from jinja2.nativetypes import NativeEnvironment

from lab.topology import load_site
from lab.topology.catalog import ROLES_DIR
from lab.topology.variables import host_variables, site_variables

if TYPE_CHECKING:
    from lab.topology import Site

REFERENCE = load_site(ROLES_DIR.parent / "inventories" / "reference" / "topology.yml")
SMALL_PRACTICE = load_site(ROLES_DIR.parent / "inventories" / "small-practice" / "topology.yml")


def archives(site: Site) -> list[str]:
    """Return the hosts of a site that run Orthanc."""
    return [name for name, host in site.hosts.items() if "orthanc" in host.roles]


def render(site: Site, host: str, role: str, template: str) -> str:
    """Return a role's template as the playbook would write it; secrets are ``secret-of-<host>``."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(ROLES_DIR / role / "templates"),
        trim_blocks=True,
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701 - configuration files, not web pages
    )
    environment.filters.update(FilterModule().filters())
    native = NativeEnvironment()
    defaults, facts = (ROLES_DIR / role / folder / "main.yml" for folder in ("defaults", "vars"))
    variables: dict[str, Any] = {
        **site_variables(site),
        **host_variables(site, host),
        "trust_secrets": {"orthanc_http": {name: f"secret-of-{name}" for name in site.hosts}},
    }
    for name, value in yaml.safe_load(defaults.read_text("utf-8")).items():
        variables[name] = environment.from_string(value).render(variables) if isinstance(value, str) else value
    for name, value in (yaml.safe_load(facts.read_text("utf-8")) if facts.exists() else {}).items():
        variables[name] = native.from_string(value).render(variables) if isinstance(value, str) else value
    return environment.get_template(template).render(variables)


def orthanc(site: Site, host: str) -> dict[str, Any]:
    """Return the configuration of a host's Orthanc."""
    data: dict[str, Any] = json.loads(render(site, host, "orthanc", "orthanc.json.j2"))
    return data
