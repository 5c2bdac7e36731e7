"""Pin the hosts' Python packages: the extra ``simulators`` and all it needs, as pip resolves it today ('make lock')."""

from __future__ import annotations

import tempfile
import tomllib
from pathlib import Path

from lab.images.wheels import download
from lab.settings import ROOT

HEADER = "# Made by 'make lock' from the extra 'simulators' of pyproject.toml: Python packages of the lab's hosts.\n"
TARGET = ROOT / "roles" / "python_runtime" / "files" / "requirements.txt"


def wanted(root: Path = ROOT) -> list[str]:
    """What the project asks for."""
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    return list(project["optional-dependencies"]["simulators"])


def pins(wheels: list[Path]) -> str:
    """An exact pin for each wheel, by name."""
    names = [wheel.name.split("-")[:2] for wheel in wheels]
    parts = sorted((name.lower().replace("_", "-"), version) for name, version in names)
    return "".join(f"{name}=={version}\n" for name, version in parts)


def main() -> None:
    """Resolve and write the file."""
    with tempfile.TemporaryDirectory(prefix="pacslab-lock-") as folder:
        download(wanted(), Path(folder))
        TARGET.write_text(HEADER + pins(list(Path(folder).glob("*.whl"))), "utf-8")


if __name__ == "__main__":
    main()
