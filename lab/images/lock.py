"""Pin what roles take from elsewhere than the installed Debian release, as it is now ('make lock').

Python packages: an extra of the project and all it needs, as pip resolves it. npm packages: the hashes of the versions
that roles name. Packages of a later Debian release: their versions and hashes.
"""

from __future__ import annotations

import tempfile
import tomllib
from pathlib import Path

from lab.engine.client import Docker
from lab.events import Bus
from lab.images import later_release, npm
from lab.images.ensure import ensure_recipes, recipes_of
from lab.images.wheels import download
from lab.settings import DEFAULT_SITE, ROOT, load_settings
from lab.topology.catalog import ROLES_DIR, load_catalog
from lab.topology.load import load_site, site_path

HEADER = "# Made by 'make lock' from the extra '{extra}' of pyproject.toml: Python packages of the lab's hosts.\n"


def targets(roles_dir: Path = ROLES_DIR) -> dict[Path, str]:
    """The file of each role that has pinned packages, with the extra that it pins."""
    declared = {role: meta.python_packages for role, meta in load_catalog(roles_dir).items()}
    return {roles_dir / role / sources.pins: sources.extra for role, sources in declared.items() if sources is not None}


def wanted(extra: str, root: Path = ROOT) -> list[str]:
    """What the project asks for in an extra."""
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    return list(project["optional-dependencies"][extra])


def pins(wheels: list[Path]) -> str:
    """An exact pin for each wheel, by name."""
    names = [wheel.name.split("-")[:2] for wheel in wheels]
    parts = sorted((name.lower().replace("_", "-"), version) for name, version in names)
    return "".join(f"{name}=={version}\n" for name, version in parts)


def base_image() -> str:
    """The base image, made where it is missing: a bare host of the release that hosts have."""
    settings = load_settings()
    site = load_site(site_path(DEFAULT_SITE, settings.inventories))
    recipes = recipes_of(site, settings)
    return ensure_recipes(site, {(): recipes[()]}, Bus())[()]


def main() -> None:
    """Resolve and write the files of every role that has some."""
    for target, extra in targets().items():
        with tempfile.TemporaryDirectory(prefix="pacslab-lock-") as folder:
            download(wanted(extra), Path(folder))
            target.write_text(HEADER.format(extra=extra) + pins(list(Path(folder).glob("*.whl"))), "utf-8")
    for role, meta in load_catalog().items():
        if meta.npm_packages is not None:
            npm.lock(ROLES_DIR / role / meta.npm_packages)
    for path in later_release.files(ROLES_DIR):
        later_release.lock(Docker(), base_image(), path)


if __name__ == "__main__":
    main()
