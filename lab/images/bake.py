"""Bake images level by level: parents first, all images of a level in one Ansible run, then kept in parallel."""

from __future__ import annotations

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lab.ansible.play import Play
from lab.engine.spec import STOP_SIGNAL
from lab.errors import AnsibleError
from lab.events import ImageFinished, ImageStarted
from lab.images import sbom
from lab.images.container import CLEAN_UP, PART_LABEL, UPDATE_LISTS, build_containers, container_name, run
from lab.images.debian import COMMAND
from lab.settings import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from lab.engine.client import Docker
    from lab.engine.images import Images
    from lab.events import Bus
    from lab.images.recipe import Recipe

PROXIES = ("http_proxy", "https_proxy", "no_proxy")
COMMITS = 4  # at once: more only wait for the disk


@dataclass(frozen=True)
class Bakery:
    """What all bakes of one run share; ``packages`` has, by role, folders and where its containers see them."""

    docker: Docker
    stock: Images
    folder: Path
    sbom_folder: Path
    packages: Mapping[str, Mapping[str, Path]]
    bus: Bus

    def refresh_lists(self, base_image: str) -> None:
        """Fetch the mirror's package lists where they are old; all bakes of the run read them."""
        name = "pacslab-build-lists"
        with build_containers(self.docker, {name: base_image}):
            run(self.docker, name, UPDATE_LISTS)

    def bake(self, level: Sequence[Recipe], images: dict[str, str]) -> dict[str, str]:
        """Bake one level and return image ids by key; ``images`` holds the parents' by key.

        Raises:
            AnsibleError: a role failed; the message names image, role, task and what it said.
            EngineError: Docker or the package mirror refused.
        """
        began = time.monotonic()
        for recipe in level:
            self.bus.emit(ImageStarted(recipe.name))
        parents = {container_name(recipe): images[recipe.parent.key] for recipe in level if recipe.parent}
        packages = {container_name(entry): self.packages.get(entry.role, {}) for entry in level}
        with build_containers(self.docker, parents, packages):
            self._install(level)
            with ThreadPoolExecutor(COMMITS) as pool:
                ids = list(pool.map(self._keep, level))
        for recipe in level:
            self.bus.emit(ImageFinished(recipe.name, recipe.key, time.monotonic() - began))
        return {recipe.key: image for recipe, image in zip(level, ids, strict=True)}

    def _install(self, level: Sequence[Recipe]) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        inventory = self.folder / "inventory.json"
        inventory.write_text(json.dumps(inventory_of(level), indent=1), "utf-8")
        try:
            Play(ROOT / "playbooks" / "images.yml", [inventory], self.folder, order="free").run(self.bus)
        except AnsibleError as error:
            raise AnsibleError(f"Baking failed. {error.message}", remedy=error.remedy) from error

    def _keep(self, recipe: Recipe) -> str:
        name = container_name(recipe)
        sbom.write(sbom.collect(self.docker, name, recipe), self.sbom_folder, recipe)
        run(self.docker, name, CLEAN_UP)
        config = {"Cmd": COMMAND, "StopSignal": STOP_SIGNAL, "Labels": {**recipe.labels, PART_LABEL: "host"}}
        repository, tag = recipe.tag.split(":")
        return self.stock.commit(name, repository, tag, config)


def inventory_of(level: Sequence[Recipe]) -> dict[str, Any]:
    """The inventory of a level: an image is a host, whose container is reached through Docker."""
    hosts = {
        recipe.name: {"ansible_host": container_name(recipe), "image_role": recipe.role, **recipe.variables}
        for recipe in level
    }
    shared = {"ansible_connection": "docker", "image_environment": proxies()}
    return {"all": {"vars": shared, "hosts": hosts}}


def proxies() -> dict[str, str]:
    """The machine's proxies, for the packages that roles fetch; they do not become part of an image."""
    found = {name: os.environ.get(name) or os.environ.get(name.upper()) for name in PROXIES}
    return {name: value for name, value in found.items() if value}


def levels(recipes: Sequence[Recipe]) -> list[list[Recipe]]:
    """Recipes grouped so that a parent is in an earlier group than its children."""
    groups: dict[int, list[Recipe]] = {}
    for recipe in recipes:
        groups.setdefault(len(recipe.roles), []).append(recipe)
    return [groups[depth] for depth in sorted(groups)]
