"""Read ``topology.yml`` into a :class:`Site`; every mistake is reported with file, line and remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from lab.topology.catalog import ROLES_DIR, load_catalog
from lab.topology.model import Topology
from lab.topology.site import Site

if TYPE_CHECKING:
    from pathlib import Path


def load_site(path: Path, roles_dir: Path = ROLES_DIR) -> Site:
    """Read a site's description and the role catalogue."""
    topology = Topology.model_validate(yaml.safe_load(path.read_text("utf-8")))
    return Site(topology, load_catalog(roles_dir), path)
