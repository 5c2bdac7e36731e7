"""Sites made in memory: a description as it is written, and roles as their ``meta/pacslab.yml`` would have them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab.topology.load import INVENTORIES_DIR, load_site, site_path
from lab.topology.model import Topology
from lab.topology.role import RoleMeta
from lab.topology.site import Site

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lab.topology.role import Catalog

ASSET = {"owner": "Test", "criticality": "low", "purpose": "Test"}
"""What a host has in the asset register unless its description says otherwise."""


def build_site(
    description: Mapping[str, Any], roles: Mapping[str, Mapping[str, Any]] | Catalog, path: Path = Path("topology.yml")
) -> Site:
    """A site of a description; hosts need no ``asset``, and title and domain follow from its name where they lack.

    Raises:
        ValidationError: the description or a role does not follow its model.
    """
    name = description["site"]
    hosts = {host: {"asset": ASSET, **entry} for host, entry in description["hosts"].items()}
    whole = {"title": name.title(), "domain": f"{name}.internal", **description, "hosts": hosts}
    catalog = {
        role: meta if isinstance(meta, RoleMeta) else RoleMeta.model_validate(meta) for role, meta in roles.items()
    }
    return Site(Topology.model_validate(whole), catalog, path)


@cache
def committed_site(name: str, inventories_dir: Path = INVENTORIES_DIR) -> Site:
    """A site of the repository, which is read once: nothing can change it."""
    return load_site(site_path(name, inventories_dir))
