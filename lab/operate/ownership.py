"""Whose a lab's containers are: each names the folder of its lab's files, so that two states do not mix their labs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab.engine import names
from lab.engine.lab import Lab
from lab.engine.record import FILE
from lab.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lab.engine.client import Docker
    from lab.settings import Settings


class ForeignLabError(UsageError):
    """Containers of that name belong to a lab whose files are elsewhere."""

    def __init__(self, lab: str, owner: Path) -> None:
        """Name the lab and where its files are."""
        super().__init__(
            f"There is a lab {lab!r} on this machine whose files are in {owner}.",
            remedy=f"Set PACSLAB_STATE={owner.parent} to work with it, or choose another name with --lab.",
        )


def owner(containers: Iterable[dict[str, Any]], folder: Path) -> Path | None:
    """The other folder that has the files of a lab, by what the engine says of its containers; None when there is none.

    A folder that is gone owns nothing: a state may have been moved since its containers were made.
    """
    for container in containers:
        named = container["Labels"].get(names.FOLDER)
        if named and Path(named) != folder and (Path(named) / FILE).is_file():
            return Path(named)
    return None


def require_own(docker: Docker, lab: str, folder: Path) -> None:
    """Make sure that a lab's containers, where it has any, are of the lab with its files in this folder.

    Raises:
        ForeignLabError: they are another's, which must not be changed from here.
    """
    found = owner(docker.containers(f"{names.LAB}={lab}"), folder)
    if found is not None:
        raise ForeignLabError(lab, found)


def open_own(name: str, settings: Settings, docker: Docker) -> Lab:
    """Open a lab of this state, whose containers, where it has any, are its own.

    Raises:
        ForeignLabError: the containers of that name are of a lab whose files are elsewhere.
        UsageError: there is no lab of that name, here or elsewhere.
    """
    require_own(docker, name, settings.lab_folder(name))
    return Lab.open(name, settings)


def others(docker: Docker, state: Path) -> dict[str, Path]:
    """The labs on this machine whose files are in another state, and where these are."""
    found: dict[str, list[dict[str, Any]]] = {}
    for container in docker.containers(names.LAB):
        found.setdefault(container["Labels"][names.LAB], []).append(container)
    known = {lab: owner(containers, state / lab) for lab, containers in sorted(found.items())}
    return {lab: folder for lab, folder in known.items() if folder is not None}
