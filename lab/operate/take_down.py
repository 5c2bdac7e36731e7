"""Remove all of a lab: by its label, so that it works when the lab's files are gone too."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.engine import names
from lab.engine.hosts import in_parallel
from lab.operate.background_forwards import stop_all
from lab.operate.ownership import require_own

if TYPE_CHECKING:
    from lab.engine.client import Docker
    from lab.settings import Settings


@dataclass(frozen=True)
class Removed:
    """What there was."""

    containers: list[str]
    forwards: list[int]
    folder: str | None

    @property
    def anything(self) -> bool:
        """Whether there was anything at all."""
        return bool(self.containers or self.forwards or self.folder)


def take_down(settings: Settings, docker: Docker, lab: str) -> Removed:
    """Remove the lab's forwards, containers with their volumes, and files. Its snapshots stay.

    Raises:
        ForeignLabError: the containers are those of a lab whose files are in another folder.
        EngineError: Docker refused; what is left can be removed by another run.
    """
    folder = settings.lab_folder(lab)
    require_own(docker, lab, folder)
    forwards = stop_all(folder)
    containers = [container["Names"][0].lstrip("/") for container in docker.containers(f"{names.LAB}={lab}")]
    in_parallel(docker.remove, containers)
    there = folder.exists()
    if there:
        shutil.rmtree(folder)
    return Removed(sorted(containers), forwards, str(folder) if there else None)
