"""What labs left behind on this machine, and the command that clears each."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab.engine import names
from lab.engine.record import FILE, load_record
from lab.operate import background_forwards, snapshot
from lab.operate.ownership import owner
from lab.settings import RESERVED
from lab.state_file import DamagedFileError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lab.engine.client import Docker
    from lab.engine.images import Images
    from lab.settings import Settings


class Kind(StrEnum):
    """What can be left over; `docs/troubleshooting.md` says of each what it is."""

    CONTAINERS = "containers"
    FOLDER = "folder"
    FORWARD = "forward"
    IMAGE = "image"
    LINK = "link"
    SNAPSHOT = "snapshot"


@dataclass(frozen=True)
class LeftOver:
    """Something that no lab in use accounts for."""

    kind: Kind
    name: str
    why: str
    clear: str


def examine(settings: Settings, docker: Docker, stock: Images) -> Iterator[LeftOver]:
    """Look for everything that a lab can leave behind."""
    labs: dict[str, list[dict[str, Any]]] = {}
    for container in docker.containers(names.LAB):
        labs.setdefault(container["Labels"][names.LAB], []).append(container)
    yield from _ownerless(settings, labs)
    yield from _folders(settings, labs)
    yield from _snapshots(settings, stock)
    yield from _links()


def _ownerless(settings: Settings, labs: Mapping[str, list[dict[str, Any]]]) -> Iterator[LeftOver]:
    """Containers whose lab's files are neither here nor where they themselves say.

    Whatever runs may be in use, with its files on a disk that is not mounted now: to remove it is never advised.
    """
    for lab, containers in sorted(labs.items()):
        folder = settings.state / lab
        if (folder / FILE).is_file() or owner(containers, folder) is not None:
            continue
        running = sum(container["State"] == "running" for container in containers)
        why = f"{len(containers)} containers ({running} running) of a lab whose files are not in {settings.state}"
        named = sorted({container["Labels"].get(names.FOLDER, "") for container in containers} - {"", str(folder)})
        why += f", nor in {', '.join(named)}" if named else ""
        look = f"docker ps --filter label={names.LAB}={lab}"
        find = f"find whose it is ({look}) and set PACSLAB_STATE to where its files are; once nobody needs it, stop it"
        yield LeftOver(Kind.CONTAINERS, lab, why, find if running else _down(lab))


def _down(lab: str) -> str:
    return f"pacslab down --lab {lab}"


def _folders(settings: Settings, labs: Mapping[str, list[dict[str, Any]]]) -> Iterator[LeftOver]:
    for folder in sorted(path for path in settings.state.glob("*") if path.is_dir() and path.name not in RESERVED):
        lab = folder.name
        if lab.startswith("."):
            continue
        yield from _damaged(folder, has_containers=lab in labs)
        if lab not in labs:
            yield LeftOver(
                Kind.FOLDER, str(folder), "a lab without containers", f"pacslab up --lab {lab}, or {_down(lab)}"
            )
        for path in background_forwards.files(folder):
            try:
                forward = background_forwards.load(path)
            except DamagedFileError as error:
                yield LeftOver(Kind.FORWARD, path.name, error.message, f"rm {path}")
                continue
            if not forward.alive:
                clear = f"rm {folder / background_forwards.FOLDER / f'{forward.local}.json'}"
                yield LeftOver(Kind.FORWARD, f"port {forward.local}", f"its process {forward.pid} ended", clear)
            elif lab not in labs:
                yield LeftOver(
                    Kind.FORWARD, f"port {forward.local}", "its lab has no containers", f"kill {forward.pid}"
                )


def _damaged(folder: Path, *, has_containers: bool) -> Iterator[LeftOver]:
    try:
        record = load_record(folder)
    except DamagedFileError as error:
        yield LeftOver(Kind.FOLDER, str(folder), error.message, error.remedy)
        return
    if record is None:
        clear = f"pacslab up --lab {folder.name}" if has_containers else _down(folder.name)
        yield LeftOver(Kind.FOLDER, str(folder), "no lab.json in it", clear)


def _snapshots(settings: Settings, stock: Images) -> Iterator[LeftOver]:
    known = {}
    for path in snapshot.files(settings):
        try:
            kept = snapshot.load(settings, path.parent.name)
        except DamagedFileError as error:
            yield LeftOver(Kind.SNAPSHOT, path.parent.name, error.message, error.remedy)
        else:
            known[kept.name] = kept
    found = {
        tag: (image.get("Labels") or {}).get(names.FOLDER, "")
        for image in stock.listed(names.SNAPSHOT)
        for tag in image["RepoTags"] or ()
    }
    for tag, of_lab in sorted(found.items()):
        name = tag.partition(":")[0].removeprefix(snapshot.repository(""))
        if name not in known and not snapshot.kept_beside(Path(of_lab), name):
            yield LeftOver(Kind.IMAGE, tag, "of a snapshot that has no record", f"docker image rm {tag}")
    for kept in known.values():
        missing = [
            host
            for host in kept.images
            if host != names.FABRIC and f"{snapshot.repository(kept.name)}:{host}" not in found
        ]
        if missing:
            why = f"images of {', '.join(missing)} are gone"
            yield LeftOver(Kind.SNAPSHOT, kept.name, why, f"pacslab snapshot remove {kept.name}")
    for draft in sorted(settings.snapshot_folder("any").parent.glob(".*.new")):
        yield LeftOver(Kind.FOLDER, str(draft), "a snapshot that was not finished", f"rm -r {draft}")


def _links() -> Iterator[LeftOver]:
    """No link of a lab may lie in the machine's own network."""
    done = subprocess.run(["ip", "-j", "link", "show"], capture_output=True, text=True, check=True)
    for link in json.loads(done.stdout):
        name, mac = link["ifname"], link.get("address", "")
        if name.startswith("vlan") and mac.startswith("02:00:"):
            yield LeftOver(
                Kind.LINK, name, "a host's interface in the machine's own network", f"sudo ip link del {name}"
            )
