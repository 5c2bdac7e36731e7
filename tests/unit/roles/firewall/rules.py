"""Renders the filters of a site's hosts as the roles do, and reads what they would let through."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from lab.topology.variables import host_variables, site_variables

if TYPE_CHECKING:
    from lab.topology.site import Site

ROLES = Path(__file__).resolve().parents[4] / "roles"
MAIN = (ROLES / "base" / "files" / "nftables.conf").read_text("utf-8")
LAB = {"ansible_connection": "docker"}

Element = tuple[str, ...]


class ShutOutError(Exception):
    """A template refused to render (Ansible's ``undef``)."""


def _undef(hint: str) -> None:
    raise ShutOutError(hint)


def render(site: Site, host: str, role: str, template: str, **variables: Any) -> str:
    """A role's template for a host, with the role's defaults, as ``pacslab.lab.configure`` renders it."""
    loader = FileSystemLoader(ROLES / role / "templates")
    environment = Environment(loader=loader, undefined=StrictUndefined, trim_blocks=True, autoescape=False)  # noqa: S701 - nft
    environment.globals["undef"] = _undef
    defaults = ROLES / role / "defaults" / "main.yml"
    known = yaml.safe_load(defaults.read_text("utf-8")) if defaults.exists() else {}
    facts = {**site_variables(site), **host_variables(site, host)}
    return environment.get_template(template).render({**known, **facts, **LAB, **variables})


def host_rules(site: Site, host: str, **variables: Any) -> str:
    """What role base gives a host."""
    return render(site, host, "base", "host.nft.j2", **variables)


def zone_rules(site: Site) -> str:
    """What role firewall gives the site's gateway."""
    gateway = site.gateway
    return render(site, gateway, "firewall", "zones.nft.j2")


def elements(rules: str, name: str) -> set[Element]:
    """The elements of a named set, without their comments."""
    body = re.search(rf"set {name} {{(.*?)\n    }}", rules, re.DOTALL)
    assert body is not None, f"no set {name}"
    found = re.findall(r"^\s+(\S+(?: \. \S+)+) comment ", body[1], re.MULTILINE)
    return {tuple(part.strip('"') for part in one.split(" . ")) for one in found}


def chain(rules: str, name: str) -> list[str]:
    """The statements of a chain, comments left out."""
    body = re.search(rf"chain {name} {{(.*?)\n    }}", rules, re.DOTALL)
    assert body is not None, f"no chain {name}"
    return [line.strip() for line in body[1].splitlines() if line.strip() and not line.strip().startswith("#")]


def write_ruleset(folder: Path, *files: str) -> Path:
    """Write the host's ``nftables.conf`` with these files included, for ``nft --check``."""
    parts = folder / "nftables.d"
    parts.mkdir(parents=True)
    for number, text in enumerate(files):
        (parts / f"{number}.nft").write_text(text)
    path = folder / "nftables.conf"
    path.write_text(MAIN.replace("/etc/nftables.d", str(parts)))
    return path
