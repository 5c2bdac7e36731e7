"""What is in an image, as a CycloneDX 1.6 document: Debian, Python and npm packages with versions and licences."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict
from urllib.parse import quote

from lab.atomic_write import atomic_write
from lab.engine.execute import execute
from lab.errors import EngineError

if TYPE_CHECKING:
    from pathlib import Path

    from lab.engine.client import Docker
    from lab.images.recipe import Recipe

SPECIFICATION = "1.6"
DISTRIBUTION = "trixie"
_NAMESPACE = uuid.UUID("5b6fd6a6-7a4c-5ac8-9d3c-2f4b6d5c9a10")


class Listed(TypedDict):
    """What ``list_packages.py`` prints."""

    debian: list[Entry]
    python: list[Entry]
    npm: list[Entry]


class Entry(TypedDict):
    """A package in it; Debian's have an architecture."""

    name: str
    version: str
    licences: list[str]
    architecture: NotRequired[str]


def collect(docker: Docker, container: str, recipe: Recipe) -> dict[str, Any]:
    """Ask a build container for its packages and return them as a document.

    Raises:
        EngineError: the container did not answer.
    """
    script = files("lab.images").joinpath("list_packages.py").read_bytes()
    done = execute(docker, container, ["/usr/bin/python3", "-I", "-"], input=script)
    if done.code:
        raise EngineError(
            f"The packages of image {recipe.name} could not be listed: {done.stderr.strip()[-500:]}",
            remedy="Run 'pacslab build' again.",
        )
    return document(recipe, done.read(Listed, f"the container of image {recipe.name}"), datetime.now(UTC))


def document(recipe: Recipe, packages: Listed, at: datetime) -> dict[str, Any]:
    """The CycloneDX document of an image."""
    return {
        "$schema": f"http://cyclonedx.org/schema/bom-{SPECIFICATION}.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": SPECIFICATION,
        "serialNumber": uuid.uuid5(_NAMESPACE, recipe.key).urn,
        "version": 1,
        "metadata": {
            "timestamp": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": {
                "type": "container",
                "bom-ref": recipe.tag,
                "name": recipe.tag.partition(":")[0],
                "version": recipe.tag.partition(":")[2],
                "properties": [{"name": name, "value": value} for name, value in recipe.labels.items()],
            },
        },
        "components": components(packages),
    }


def components(packages: Listed) -> list[dict[str, Any]]:
    """Packages as components of CycloneDX, sorted by their package URLs."""
    found = [
        *map(_debian, packages["debian"]),
        *map(_python, packages["python"]),
        *map(_npm, packages["npm"]),
    ]
    return sorted(found, key=lambda component: component["bom-ref"])


def file_name(recipe: Recipe) -> str:
    """What an image's document is called."""
    return f"{recipe.tag.removeprefix('pacslab/').replace(':', '-')}.json"


def write(content: dict[str, Any], folder: Path, recipe: Recipe) -> Path:
    """Keep a document beside those of the other images."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / file_name(recipe)
    atomic_write(path, json.dumps(content, indent=1) + "\n")
    return path


def _debian(entry: Entry) -> dict[str, Any]:
    purl = f"pkg:deb/debian/{entry['name']}@{quote(entry['version'], safe='.~-')}"
    return _component(entry, f"{purl}?arch={entry['architecture']}&distro={DISTRIBUTION}")


def _python(entry: Entry) -> dict[str, Any]:
    return _component(entry, f"pkg:pypi/{entry['name'].lower().replace('_', '-')}@{quote(entry['version'])}")


def _npm(entry: Entry) -> dict[str, Any]:
    return _component(entry, f"pkg:npm/{quote(entry['name'], safe='/')}@{quote(entry['version'])}")


def _component(entry: Entry, purl: str) -> dict[str, Any]:
    name, version = entry["name"], entry["version"]
    component: dict[str, Any] = {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}
    if entry["licences"]:
        component["licenses"] = [{"license": {"name": name}} for name in entry["licences"]]
    return component
