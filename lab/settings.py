"""Where things are on the machine that runs labs."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from lab.errors import UsageError

ROOT = Path(__file__).resolve().parents[1]
DEFAULT_SITE = "reference"
SNAPSHOTS = "snapshots"
RESERVED = (SNAPSHOTS, "cache", "sbom")
"""Folders of the state that are not labs."""
_LAB_NAME = re.compile(r"^[a-z][a-z0-9-]{0,30}$")


@dataclass(frozen=True)
class Settings:
    """Folders; ``PACSLAB_STATE`` moves the one that labs are kept in, ``PACSLAB_INVENTORIES`` that of sites."""

    inventories: Path
    roles: Path
    state: Path

    def lab_folder(self, lab: str) -> Path:
        """The folder of a lab, which need not exist.

        Raises:
            UsageError: the name cannot be a lab's.
        """
        if lab in RESERVED:
            raise UsageError(
                f"A lab cannot be called {lab!r}: that folder keeps snapshots.", remedy="Choose another name."
            )
        return self.state / check_name(lab, "lab")

    def snapshot_folder(self, name: str) -> Path:
        """The folder of a snapshot, which need not exist. Snapshots outlive their lab."""
        return self.state / SNAPSHOTS / check_name(name, "snapshot")


def check_name(name: str, what: str) -> str:
    """Return the name when it can stand in paths, container names and image tags.

    Raises:
        UsageError: it cannot.
    """
    if not _LAB_NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be the name of a {what}.",
            remedy="Use lower case letters, digits and hyphens, a letter first, 31 characters at most.",
        )
    return name


def load_settings() -> Settings:
    """Read the environment."""
    return Settings(
        inventories=Path(os.environ.get("PACSLAB_INVENTORIES") or ROOT / "inventories").absolute(),
        roles=ROOT / "roles",
        state=Path(os.environ.get("PACSLAB_STATE") or ROOT / ".lab").absolute(),
    )
