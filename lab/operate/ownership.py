"""Whose a lab's containers are: each names the folder of its lab's files, so that two states do not mix their labs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab.engine import names
from lab.engine.record import FILE
from lab.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lab.engine.client import Docker


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
