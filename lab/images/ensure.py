"""Bring about every image that a site's hosts are made from, and nothing else."""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from lab.engine.client import Docker
from lab.engine.images import Images
from lab.errors import EngineError
from lab.events import ImageFinished, ImageStarted, Note, StageFinished, StageStarted
from lab.images import sbom
from lab.images.container import NPM, WHEELS, build_containers, container_name, remove_left_over
from lab.images.debian import Mirror, base_key, build_base
from lab.images.recipe import LABEL_KEY, Recipe, RoleList, site_recipes
from lab.settings import ROOT, Settings, load_settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lab.events import Bus
    from lab.topology.site import Site

STAGE = "images"


def ensure_images(site: Site, bus: Bus, *, fresh: bool = False) -> dict[RoleList, str]:
    """Return the image id of every role list of the site, and of the bare base image under ``()``.

    Images that are there are not built again, unless ``fresh`` asks for all of them, with today's packages.

    Raises:
        AnsibleError: a role could not be baked.
        EngineError: Docker, mmdebstrap, pip or npm failed.
        MachineNotReadyError: Docker, mmdebstrap or npm is missing.
        UsageError: a host has a role that does not exist.
    """
    return ensure_recipes(site, recipes_of(site, load_settings()), bus, fresh=fresh)


def ensure_recipes(
    site: Site, recipes: dict[RoleList, Recipe], bus: Bus, *, fresh: bool = False
) -> dict[RoleList, str]:
    """As :func:`ensure_images`, for the site's recipes as the caller saw them."""
    settings = load_settings()
    docker, stock = Docker(), Images()
    images = {} if fresh else present(stock, recipes.values())
    if _missing(recipes, images):
        with _alone(bus):
            images = {} if fresh else present(stock, recipes.values())
            _build(docker, settings, site, _missing(recipes, images), images, bus=bus)
    return {roles: images[recipe.key] for roles, recipe in recipes.items()}


def recipes_of(site: Site, settings: Settings) -> dict[RoleList, Recipe]:
    """The images of a site, parents first."""
    return site_recipes(site, base_key(Mirror.from_environment()), roles_dir=settings.roles, root=ROOT)


def present(stock: Images, recipes: Iterable[Recipe]) -> dict[str, str]:
    """Image ids by key, of those recipes whose image is there.

    A snapshot of a host carries the key of the image that it came from, but not its name, so both must agree.
    """
    wanted = {recipe.tag: recipe.key for recipe in recipes}
    return {
        wanted[tag]: image["Id"]
        for image in stock.listed(LABEL_KEY)
        for tag in image["RepoTags"] or ()
        if tag in wanted and image["Labels"][LABEL_KEY] == wanted[tag]
    }


def _missing(recipes: dict[RoleList, Recipe], images: dict[str, str]) -> list[Recipe]:
    """What has to be built, once each: a role that only configures has its parent's image."""
    return [recipe for recipe in recipes.values() if recipe.installs and recipe.key not in images]


def _build(
    docker: Docker, settings: Settings, site: Site, missing: list[Recipe], images: dict[str, str], *, bus: Bus
) -> None:
    """Build what is missing, and enter it into ``images``."""
    if not missing:  # another build made it while this one waited
        return
    from lab.images.bake import Bakery, levels  # noqa: PLC0415 # Ansible is of no use where nothing is missing
    from lab.images.npm import fetch_packages  # noqa: PLC0415
    from lab.images.wheels import fetch_wheels  # noqa: PLC0415

    began, stock = time.monotonic(), Images(docker.path)
    bus.emit(StageStarted(STAGE, f"{len(missing)} to build"))
    for name in remove_left_over(docker):
        bus.emit(Note(f"Removed {name}, left over from a build that was cut off."))
    cache = settings.state / "cache"
    sbom_folder = settings.state / "sbom"
    if not missing[0].roles:
        _build_debian(docker, missing.pop(0), images, sbom_folder, bus)
    packages: dict[str, dict[str, Path]] = {}
    for role in dict.fromkeys(recipe.role for recipe in missing):
        meta, folder = site.catalog[role], settings.roles / role
        if meta.python_packages is not None:
            bus.emit(Note(f"Fetching the Python packages of role {role}."))
            packages[role] = {WHEELS: fetch_wheels(folder / meta.python_packages.pins, cache / "wheels")}
        if meta.npm_packages is not None:
            bus.emit(Note(f"Fetching the npm packages of role {role}."))
            packages.setdefault(role, {})[NPM] = fetch_packages(folder / meta.npm_packages, cache / "npm")
    if missing:
        bakery = Bakery(docker, stock, cache / "bake", sbom_folder, packages, bus)
        # Only the base image has no sources but the release's own: a later one's index may have expired.
        bakery.refresh_lists(images[recipes_of(site, settings)[()].key])
        for level in levels(missing):
            images.update(bakery.bake(level, images))
            _refuse_changed(stock, level, recipes_of(site, settings))
    bus.emit(StageFinished(STAGE, time.monotonic() - began))


def _refuse_changed(stock: Images, level: list[Recipe], now: dict[RoleList, Recipe]) -> None:
    """Give up images whose files were edited while they were baked: their key does not say what is in them.

    Raises:
        EngineError: there are such images.
    """
    changed = [recipe for recipe in level if recipe.roles not in now or now[recipe.roles].key != recipe.key]
    for recipe in changed:
        stock.remove(recipe.tag)
    if changed:
        raise EngineError(
            f"Files of role {changed[0].role}, or of one before it, changed while its image was built.",
            remedy="Do the same again: what was built before is kept.",
        )


def _build_debian(docker: Docker, recipe: Recipe, images: dict[str, str], sbom_folder: Path, bus: Bus) -> None:
    began = time.monotonic()
    bus.emit(ImageStarted(recipe.name))
    image = build_base(Images(docker.path), recipe, Mirror.from_environment())
    list_packages(docker, recipe, image, sbom_folder)
    images[recipe.key] = image
    bus.emit(ImageFinished(recipe.name, recipe.key, time.monotonic() - began))


def list_packages(docker: Docker, recipe: Recipe, image: str, folder: Path) -> Path:
    """Write the package list of an image that is there already."""
    name = f"{container_name(recipe)}-list"
    with build_containers(docker, {name: image}):
        return sbom.write(sbom.collect(docker, name, recipe), folder, recipe)


@contextmanager
def _alone(bus: Bus) -> Iterator[None]:
    """Wait until no other build of this user runs on the machine."""
    path = Path(tempfile.gettempdir(), f"pacslab-build-{os.getuid()}.lock")
    lock = FileLock(path, mode=0o600)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        bus.emit(Note("Another build runs on this machine; waiting for it."))
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
