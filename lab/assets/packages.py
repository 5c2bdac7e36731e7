"""What is installed on each host: as the package list of its image says, or as the running host itself does."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Any

from packageurl import PackageURL

from lab.assets.model import Installed, Kind, Package
from lab.engine.client import Docker
from lab.engine.images import Images
from lab.errors import EngineError, MachineNotReadyError
from lab.images.ensure import list_packages, present, recipes_of
from lab.images.sbom import Listed, components, file_name
from lab.state_file import read_json

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from lab.engine.lab import Lab
    from lab.images.recipe import Recipe
    from lab.settings import Settings
    from lab.topology.site import Site

FOREIGN = "a foreign device: what its image holds, its maker knows"
NOT_BUILT = "its image, as it is described now, is not built: run `pacslab build`, or ask a running lab with --running"
REMEDY = "Remove it: it is made again from its image."


def listed(site: Site, settings: Settings, hosts: Collection[str] = ()) -> dict[str, Installed]:
    """What the images' package lists say of hosts; a list that was lost is made again where the image is there.

    Raises:
        UsageError: a list is damaged, or a host has a role that does not exist.
    """
    recipes = recipes_of(site, settings)
    known: dict[str, Installed] = {}
    found: dict[str, Installed] = {}
    for host, entry in site.hosts.items():
        if hosts and host not in hosts:
            continue
        if host not in site.managed:
            found[host] = Installed(reason=FOREIGN)
            continue
        recipe = recipes[tuple(entry.roles)].built
        if recipe.key not in known:
            known[recipe.key] = _of_image(recipe, settings.state / "sbom")
        found[host] = known[recipe.key]
    return found


def installed(lab: Lab, host: str) -> Installed:
    """What a running host of ours says of itself: dpkg, the hosts' Python environment, served npm packages.

    Raises:
        EngineError: the host does not run, or did not answer.
    """
    script = files("lab.images").joinpath("list_packages.py").read_bytes()
    done = lab.run(host, ["/usr/bin/python3", "-I", "-"], input=script)
    if done.code:
        raise EngineError(
            f"The packages of {host} could not be listed: {done.stderr.strip()[-300:]}",
            remedy=f"See whether `pacslab exec {host} -- dpkg-query -W` works.",
        )
    return Installed(packages_of(components(done.read(Listed, host))), f"the running host {host}")


def _of_image(recipe: Recipe, folder: Path) -> Installed:
    path = folder / file_name(recipe)
    if not path.is_file() and not _made_again(recipe, folder):
        return Installed(reason=NOT_BUILT)
    content = read_json(path, dict[str, Any], remedy=REMEDY)
    return Installed(packages_of(content["components"]), f"image {recipe.tag}")


def _made_again(recipe: Recipe, folder: Path) -> bool:
    try:
        images = present(Images(), [recipe])
        if recipe.key not in images:
            return False
        list_packages(Docker(), recipe, images[recipe.key], folder)
    except (EngineError, MachineNotReadyError):  # no engine, or none that answers: there is no list
        return False
    return True


def packages_of(entries: Iterable[dict[str, Any]]) -> tuple[Package, ...]:
    """Components of a CycloneDX document as packages, sorted by their package URLs."""
    return tuple(sorted(map(_package, entries), key=lambda package: package.purl))


def _package(component: dict[str, Any]) -> Package:
    """A component of CycloneDX as a package."""
    purl = component["purl"]
    licences = tuple(entry["license"]["name"] for entry in component.get("licenses", ()))
    return Package(Kind(PackageURL.from_string(purl).type), component["name"], component["version"], purl, licences)
