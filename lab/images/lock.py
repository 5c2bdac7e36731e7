"""Pin the Python packages of roles: an extra of the project and all it needs, as pip resolves it now ('make lock')."""

from __future__ import annotations

import tempfile
import tomllib
from pathlib import Path

from lab.images.wheels import download
from lab.settings import ROOT
from lab.topology.catalog import ROLES_DIR, load_catalog

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


def main() -> None:
    """Resolve and write the file of every role that has one."""
    for target, extra in targets().items():
        with tempfile.TemporaryDirectory(prefix="pacslab-lock-") as folder:
            download(wanted(extra), Path(folder))
            target.write_text(HEADER.format(extra=extra) + pins(list(Path(folder).glob("*.whl"))), "utf-8")


if __name__ == "__main__":
    main()
