"""A repository in miniature: three roles, two hosts, and what the images of its site are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from lab.images.recipe import Recipe, site_recipes
from lab.topology.catalog import load_catalog
from tests.unit.site_builder import build_site

if TYPE_CHECKING:
    from pathlib import Path

    from lab.topology.site import Site

ROLES = {"common": [], "web": [], "program": ["program"], "settings": []}
HOSTS = {"one": ["common", "web", "settings"], "two": ["common", "program"]}


class Repository:
    """Files under a temporary folder, and the keys that follow from them."""

    def __init__(self, root: Path) -> None:
        """Write the roles and the program."""
        self.root = root
        for role, sources in ROLES.items():
            self.write(f"roles/{role}/meta/pacslab.yml", yaml.safe_dump({"summary": role, "sources": sources}))
            self.write(f"roles/{role}/tasks/configure.yml", "---\n")
            if role != "settings":
                self.write(f"roles/{role}/tasks/install.yml", "---\n")
        self.write("program/main.py", "print()\n")
        self.write("inventories/mini/topology.yml", "")

    def write(self, path: str, text: str) -> None:
        """Write a file below the root."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")

    def site(self, hosts: dict[str, list[str]] | None = None) -> Site:
        """The site of this repository."""
        description = {
            "site": "mini",
            "zones": {"lan": {"vlan": 1, "subnet": "10.0.0.0/24", "purpose": "all"}},
            "hosts": {
                name: {"zone": "lan", "address": f"10.0.0.{number}", "roles": roles}
                for number, (name, roles) in enumerate((hosts or HOSTS).items(), start=10)
            },
            "flows": [{"from": "one", "to": "two", "service": "none", "why": "x"}],
        }
        return build_site(description, load_catalog(self.root / "roles"), self.root / "inventories/mini/topology.yml")

    def recipes(self, base: str = "base", hosts: dict[str, list[str]] | None = None) -> dict[str, Recipe]:
        """Recipes by name."""
        found = site_recipes(self.site(hosts), base, roles_dir=self.root / "roles", root=self.root)
        return {recipe.name: recipe for recipe in found.values()}

    def keys(self, base: str = "base") -> dict[str, str]:
        """Keys by name."""
        return {name: recipe.key for name, recipe in self.recipes(base).items()}
