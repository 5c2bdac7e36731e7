"""``pacslab build``: build the images of a site."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab.cli.display import print_line
from lab.events import Bus
from lab.settings import load_settings

if TYPE_CHECKING:
    import argparse

    from lab.images.recipe import Recipe, RoleList
    from lab.settings import Settings

EXAMPLE = """
pacslab build
pacslab build --sbom reports/sbom
pacslab build --fresh --prune
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what to build again, what to write, and what to remove."""
    parser.add_argument("--fresh", action="store_true", help="build every image again, with today's packages")
    parser.add_argument("--sbom", metavar="DIR", type=Path, help="copy each image's package list (CycloneDX) to DIR")
    parser.add_argument("--prune", action="store_true", help="then remove images that no site is made from")
    parser.add_argument("--remove", action="store_true", help="build nothing; remove all images and package caches")


def run(arguments: argparse.Namespace) -> int:
    """Build what is missing; 0 when every image of the site is there."""
    from lab.images.ensure import ensure_recipes, recipes_of  # noqa: PLC0415 # --help needs neither Docker nor Ansible
    from lab.topology.load import load_site, site_path  # noqa: PLC0415

    settings = load_settings()
    if arguments.remove:
        return _remove(arguments, settings)
    site = load_site(site_path(arguments.site, settings.inventories))
    bus = Bus()
    bus.subscribe(print_line)
    recipes = recipes_of(site, settings)
    images = ensure_recipes(site, recipes, bus, fresh=arguments.fresh)
    result: dict[str, Any] = {
        "site": site.name,
        "images": [
            {"roles": list(roles), "tag": recipe.built.tag, "key": recipe.key, "id": images[roles]}
            for roles, recipe in recipes.items()
        ],
        "sbom": _copy_sbom(recipes, images, settings, arguments.sbom) if arguments.sbom else [],
        "removed": [],
        "in_use": [],
    }
    if arguments.prune:
        from lab.engine.images import Images  # noqa: PLC0415 # asked for rarely
        from lab.images.prune import prune  # noqa: PLC0415

        pruned = prune(Images(), settings)
        result |= {"removed": pruned.removed, "in_use": pruned.in_use}
    print(json.dumps(result) if arguments.json else _as_text(result))
    return 0


def _remove(arguments: argparse.Namespace, settings: Settings) -> int:
    """Remove every image that is not in use; 1 when some are."""
    from lab.engine.images import Images  # noqa: PLC0415 # asked for rarely
    from lab.images.prune import remove_all, users  # noqa: PLC0415

    pruned = remove_all(Images(), settings)
    lines = [f"removed {name}" for name in pruned.removed] + [f"in use, kept: {name}" for name in pruned.in_use]
    print(json.dumps({"removed": pruned.removed, "in_use": pruned.in_use}) if arguments.json else "\n".join(lines))
    if not pruned.in_use:
        return 0
    print("pacslab: images that labs or snapshots use were kept, and so are the files of these.", file=sys.stderr)
    first = users(settings) or ["pacslab doctor"]
    print("\n  ".join(["  To remove them too, run this, then the same again:", *first]), file=sys.stderr)
    return 1


def _copy_sbom(
    recipes: dict[RoleList, Recipe], images: dict[RoleList, str], settings: Settings, target: Path
) -> list[str]:
    """Copy the package lists of these images, and return the files; a list that was lost is made again."""
    from lab.engine.client import Docker  # noqa: PLC0415 # asked for rarely
    from lab.images.ensure import list_packages  # noqa: PLC0415
    from lab.images.sbom import file_name  # noqa: PLC0415

    kept = settings.state / "sbom"
    target.mkdir(parents=True, exist_ok=True)
    copies: dict[str, None] = {}
    for roles, recipe in recipes.items():
        name = file_name(recipe.built)
        if not (kept / name).is_file():
            list_packages(Docker(), recipe.built, images[roles], kept)
        copies[str(shutil.copy(kept / name, target / name))] = None
    return list(copies)


def _as_text(result: dict[str, Any]) -> str:
    tags = {image["tag"]: None for image in result["images"]}
    lines = [f"{result['site']}: {len(tags)} images"]
    if result["sbom"]:
        lines.append(f"{len(result['sbom'])} package lists written")
    lines += [f"removed {tag}" for tag in result["removed"]]
    lines += [f"in use, kept: {tag}" for tag in result["in_use"]]
    return "\n".join(lines)
