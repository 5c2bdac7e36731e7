"""Renders the filters of a site's hosts as the roles do, and reads what they would let through."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lab.topology.catalog import ROLES_DIR
from tests.unit.roles.rendered import rendered_template

if TYPE_CHECKING:
    from pathlib import Path

    from lab.topology.site import Site

MAIN = (ROLES_DIR / "base" / "files" / "nftables.conf").read_text("utf-8")
LAB = {"ansible_connection": "docker"}

Element = tuple[str, ...]


def render(site: Site, host: str, role: str, template: str, **variables: Any) -> str:
    """A role's template for a host of a lab.

    Raises:
        AnsibleError: the template refuses to render.
    """
    return rendered_template(site, host, role, template, **{**LAB, **variables})


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
    return {tuple(part.strip('"') for part in element.split(" . ")) for element in found}


def chain(rules: str, name: str) -> list[str]:
    """The statements of a chain, comments left out."""
    body = re.search(rf"chain {name} {{(.*?)\n    }}", rules, re.DOTALL)
    assert body is not None, f"no chain {name}"
    return [line.strip() for line in body[1].splitlines() if line.strip() and not line.strip().startswith("#")]


def write_ruleset(folder: Path, *files: str) -> Path:
    """Write the host's ``nftables.conf`` with these files included, for ``nft --check``."""
    accounts = iter(range(901, 1000))  # the host's accounts are none of this machine's
    found: dict[str, int] = {}
    files = tuple(
        re.sub(
            r'^(\s+\d+ \. )"([a-z0-9-]+)"',
            lambda m: f"{m[1]}{found.setdefault(m[2], next(accounts))}",
            text,
            flags=re.MULTILINE,
        )
        for text in files
    )
    parts = folder / "nftables.d"
    parts.mkdir(parents=True)
    for number, text in enumerate(files):
        (parts / f"{number}.nft").write_text(text)
    path = folder / "nftables.conf"
    path.write_text(MAIN.replace("/etc/nftables.d", str(parts)))
    return path
