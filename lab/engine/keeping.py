"""What a host keeps when its container is made again: the folders in which its programs have their own data.

The files go from the old container, which is shut down, into the new one before it starts; there they wait beside the
root until the first process of its first start puts them where they belong (:data:`PUT_BACK`). The old container goes
only then, so that whoever is interrupted has lost nothing and begins again.
"""

from __future__ import annotations

import io
import tarfile
import tempfile
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING

from lab.engine.client import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from lab.engine.client import Docker

WAITING = "/.pacslab-kept"
FOLDERS = f"{WAITING}/folders"
PUT_BACK = (
    f'if [ -f {FOLDERS} ]; then while read -r folder; do if [ -e "{WAITING}$folder" ]; then'
    f' rm -rf "$folder" && mkdir -p "${{folder%/*}}" && mv "{WAITING}$folder" "$folder" || exit 1; fi; done <{FOLDERS}'
    f" && rm -rf {WAITING}; fi"
)
"""Shell: what waits replaces what the image has there; done again after an interruption, it does the rest.
Where that fails, the host does not start."""

OWN_DEPTH = 4
"""Parts of ``/var/lib/<program>``: below it, a folder of /var is one program's own (FHS 3.0, 5.8 and 5.10)."""
ACCOUNTS = (("/etc/passwd", "uid"), ("/etc/group", "gid"))


def kept(folders: Sequence[str]) -> list[str]:
    """Those of a host's folders that are its programs' own data, outermost only; others are the image's."""
    own = sorted(
        path for path in map(PurePosixPath, folders) if path.parts[:2] == ("/", "var") and len(path.parts) >= OWN_DEPTH
    )
    return [str(path) for path in own if not any(outer in path.parents for outer in own)]


def carry(docker: Docker, old: str, new: str, folders: Sequence[str], scratch: Path) -> list[str]:
    """Put folders of a container that does not run into one that has not started yet; return those that there were.

    Files keep the names of their owners where the new container's accounts have other numbers.

    Args:
        docker: The engine.
        old: The container that has the files.
        new: The container that gets them.
        folders: Their paths; one that the old container does not have is left out.
        scratch: A folder of the machine for a copy of each, which nobody else sees and which goes at once.

    Raises:
        EngineError: Docker refused.
    """
    owners = {kind: _renumbering(docker, old, new, path) for path, kind in ACCOUNTS}
    there: list[str] = []
    for folder in folders:
        with tempfile.TemporaryFile(dir=scratch) as archive:
            if not _pack_first(docker, old, (f"{WAITING}{folder}", folder), archive):
                continue
            archive.seek(0)
            docker.unpack(new, _announced([*there, folder]))
            parent = f"{WAITING}{PurePosixPath(folder).parent}"
            if any(owners.values()):
                with tempfile.TemporaryFile(dir=scratch) as renumbered:
                    _renumber(archive, renumbered, owners["uid"], owners["gid"])
                    renumbered.seek(0)
                    docker.unpack(new, renumbered, parent)
            else:
                docker.unpack(new, archive, parent)
        there.append(folder)
    return there


def _pack_first(docker: Docker, container: str, paths: Sequence[str], archive: IO[bytes]) -> bool:
    """Pack the first of some paths that is there: what waits in a container that never started, or what it has."""
    for path in paths:
        try:
            docker.pack(container, path, archive)
        except NotFoundError:
            continue
        return True
    return False


def _announced(folders: Sequence[str]) -> bytes:
    """A tar archive for the root: the places where folders wait, and the list of them."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        places = {f"{WAITING}{place}" for folder in folders for place in PurePosixPath(folder).parents}
        for place in sorted(places):
            entry = tarfile.TarInfo(place.strip("/"))
            entry.type, entry.mode = tarfile.DIRTYPE, 0o700
            archive.addfile(entry)
        text = "".join(f"{folder}\n" for folder in folders).encode()
        entry = tarfile.TarInfo(FOLDERS.strip("/"))
        entry.size, entry.mode = len(text), 0o600
        archive.addfile(entry, io.BytesIO(text))
    return buffer.getvalue()


def _renumbering(docker: Docker, old: str, new: str, path: str) -> dict[int, int]:
    """Numbers that are another's in the new container: old number to new, for names that both know."""
    before, after = (_numbers(docker, container, path) for container in (old, new))
    return {number: after[name] for name, number in before.items() if name in after and after[name] != number}


def _numbers(docker: Docker, container: str, path: str) -> dict[str, int]:
    buffer = io.BytesIO()
    docker.pack(container, path, buffer)
    buffer.seek(0)
    with tarfile.open(fileobj=buffer) as archive:
        entry = archive.extractfile(archive.next() or tarfile.TarInfo())
        text = entry.read().decode("utf-8", "replace") if entry else ""
    rows = (line.split(":") for line in text.splitlines())
    return {row[0]: int(row[2]) for row in rows if len(row) > 2 and row[2].isdigit()}  # noqa: PLR2004 # passwd(5), group(5)


def _renumber(source: IO[bytes], target: IO[bytes], uids: Mapping[int, int], gids: Mapping[int, int]) -> None:
    with (
        tarfile.open(fileobj=source, mode="r|") as old,
        tarfile.open(fileobj=target, mode="w|", format=tarfile.PAX_FORMAT) as new,
    ):
        for entry in old:
            entry.uid, entry.gid = uids.get(entry.uid, entry.uid), gids.get(entry.gid, entry.gid)
            new.addfile(entry, old.extractfile(entry) if entry.isreg() else None)
