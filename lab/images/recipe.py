"""Images as prefixes of role lists, each with a key that follows from what it is made of."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from lab.errors import UsageError
from lab.images.sources import digest, image_files, installs

if TYPE_CHECKING:
    from pathlib import Path

    from lab.topology.site import Site

RoleList = tuple[str, ...]

LABEL_ROLES = "pacslab.roles"
LABEL_KEY = "pacslab.key"
_SHORT = 12  # hexadecimal digits of a key in a tag: enough for a name, the label holds it all


@dataclass(frozen=True)
class Recipe:
    """One image: what it holds, what it is made from, and the key of both."""

    roles: RoleList
    key: str
    parent: Recipe | None
    installs: bool
    variables: dict[str, Any] = field(default_factory=dict)

    @property
    def built(self) -> Recipe:
        """The recipe whose image this is: itself, or where its role installs nothing, the nearest that does."""
        return self if self.installs or self.parent is None else self.parent.built

    @property
    def role(self) -> str:
        """The role that this image adds to its parent; ``debian`` for the base image."""
        return self.roles[-1] if self.roles else "debian"

    @property
    def name(self) -> str:
        """What people are shown."""
        return "+".join(self.roles) or "debian"

    @property
    def tag(self) -> str:
        """The image's name in Docker."""
        return f"pacslab/{self.role}:{self.key[:_SHORT]}"

    @property
    def labels(self) -> dict[str, str]:
        """Labels by which the image is known."""
        return {LABEL_ROLES: ",".join(self.roles), LABEL_KEY: self.key}


def site_recipes(site: Site, base_key: str, *, roles_dir: Path, root: Path) -> dict[RoleList, Recipe]:
    """Every image that the site's hosts are made from, parents before children; the base image has no roles.

    Raises:
        UsageError: a host has a role that does not exist.
    """
    made: dict[RoleList, Recipe] = {(): Recipe((), base_key, None, installs=True)}
    variables = install_variables(site)
    digests: dict[str, str] = {}
    for name, host in site.managed.items():
        for length in range(1, len(host.roles) + 1):
            roles = tuple(host.roles[:length])
            if roles in made:
                continue
            role = roles[-1]
            if role not in site.catalog:
                raise UsageError(
                    f"Host {name} has the role {role}, which does not exist.",
                    remedy=f"Roles are the folders of {roles_dir} with meta/pacslab.yml.",
                )
            if role not in digests:
                digests[role] = digest(image_files(roles_dir / role, root, site.catalog[role].sources), root)
            made[roles] = _recipe(roles, made[roles[:-1]], digests[role], variables, roles_dir)
    return dict(sorted(made.items(), key=lambda entry: len(entry[0])))


def _recipe(roles: RoleList, parent: Recipe, files: str, variables: dict[str, Any], roles_dir: Path) -> Recipe:
    role = roles[-1]
    if not installs(roles_dir / role):
        return Recipe(roles, parent.key, parent, installs=False)
    own = {name: value for name, value in variables.items() if name.startswith(f"{role}_install_")}
    parts = json.dumps([parent.key, role, files, own], sort_keys=True)
    return Recipe(roles, hashlib.sha256(parts.encode()).hexdigest(), parent, installs=True, variables=own)


def install_variables(site: Site) -> dict[str, Any]:
    """Variables in the site's ``group_vars`` that change images, by name: ``<role>_install_...``."""
    found: dict[str, Any] = {}
    for path in sorted((site.path.parent / "group_vars").rglob("*.yml")):
        content = yaml.safe_load(path.read_text("utf-8")) or {}
        found.update({name: value for name, value in content.items() if "_install_" in name})
    return found
