"""Remove images that no site here is made from any more."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lab.engine.client import ConflictError
from lab.images.container import ARCHIVES_VOLUME, LISTS_VOLUME
from lab.images.ensure import recipes_of
from lab.images.recipe import LABEL_KEY, LABEL_ROLES
from lab.settings import SNAPSHOTS
from lab.topology.load import load_site

if TYPE_CHECKING:
    from lab.engine.images import Images
    from lab.settings import Settings

REPOSITORY = "pacslab/"
UNNAMED = "<none>:<none>"
"""How older engines list an image without a name; newer ones list no name."""


@dataclass
class Pruned:
    """What became of images that nothing is made from."""

    removed: list[str] = field(default_factory=list)
    in_use: list[str] = field(default_factory=list)


def users(settings: Settings) -> list[str]:
    """The commands that remove what images are still needed for: every lab and every snapshot that is kept."""
    labs = sorted(path.parent.name for path in settings.state.glob("*/lab.json"))
    snapshots = sorted(path.name for path in (settings.state / SNAPSHOTS).glob("*") if path.is_dir())
    return [f"pacslab down --lab {name}" for name in labs] + [f"pacslab snapshot remove {name}" for name in snapshots]


def remove_all(stock: Images, settings: Settings) -> Pruned:
    """Remove every image of ours that is not in use, with its package list, and the package caches."""
    result = _remove(stock, settings, keep=set())
    for volume in (LISTS_VOLUME, ARCHIVES_VOLUME):
        if stock.remove_volume(volume):
            result.removed.append(volume)
    return result


def prune(stock: Images, settings: Settings) -> Pruned:
    """Remove images of ours whose key no site under ``inventories`` has, with their package lists, and superseded ones.

    An image that a container runs on, or that another image builds on, stays and is named.

    Raises:
        UsageError: a site's description has mistakes, so it is not known what it needs.
    """
    wanted = {
        recipe.tag
        for path in sorted(settings.inventories.glob("*/topology.yml"))
        for recipe in recipes_of(load_site(path), settings).values()
    }
    return _remove(stock, settings, keep=wanted)


def _remove(stock: Images, settings: Settings, *, keep: set[str]) -> Pruned:
    result = Pruned()
    for reference, name in _children_first(stock):
        if name in keep:
            continue
        try:
            stock.remove(reference)
        except ConflictError:
            result.in_use.append(name)
            continue
        result.removed.append(name)
        if reference != name:  # superseded: the list is that of the image which has the name now
            continue
        sbom = settings.state / "sbom" / f"{name.removeprefix(REPOSITORY).replace(':', '-')}.json"
        sbom.unlink(missing_ok=True)
    return result


def _children_first(stock: Images) -> list[tuple[str, str]]:
    """Our role images, as Docker knows them and as we call them; those with the longest role lists first.

    An image that was built again (``build --fresh``) has lost its name to the new one, and is known by its id.
    A snapshot's images carry the labels of the images that they came from, but names that do not hold the key.
    """
    found: list[tuple[int, str, str]] = []
    for image in stock.listed(LABEL_KEY):
        labels = image["Labels"]
        roles = [role for role in labels[LABEL_ROLES].split(",") if role]
        tags = [tag for tag in image["RepoTags"] or () if tag != UNNAMED]
        for tag in tags:
            name, _, version = tag.partition(":")
            if name.startswith(REPOSITORY) and version and labels[LABEL_KEY].startswith(version):
                found.append((len(roles), tag, tag))
        if not tags:
            found.append((len(roles), image["Id"], f"{image['Id']} (superseded: {','.join(roles) or 'debian'})"))
    return [(reference, name) for _, reference, name in sorted(found, reverse=True)]
