"""What labs left behind on this machine, and the command that clears each."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from lab.engine import names
from lab.engine.record import load_record
from lab.errors import UsageError
from lab.operate import background_forwards, snapshot
from lab.settings import RESERVED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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
    listed = docker.containers(names.LAB)
    labs = {container["Labels"][names.LAB] for container in listed}
    for lab in sorted(labs):
        if not (settings.state / lab / "lab.json").is_file():
            count = sum(container["Labels"][names.LAB] == lab for container in listed)
            yield LeftOver(Kind.CONTAINERS, lab, f"{count} containers of a lab whose files are gone", _down(lab))
    yield from _folders(settings, labs)
    yield from _snapshots(settings, stock)
    yield from _links()


def _down(lab: str) -> str:
    return f"pacslab down --lab {lab}"


def _folders(settings: Settings, labs: set[str]) -> Iterator[LeftOver]:
    for folder in sorted(path for path in settings.state.glob("*") if path.is_dir() and path.name not in RESERVED):
        lab = folder.name
        if lab.startswith("."):
            continue
        yield from _damaged(folder)
        if lab not in labs:
            yield LeftOver(
                Kind.FOLDER, str(folder), "a lab without containers", f"pacslab up --lab {lab}, or {_down(lab)}"
            )
        for forward in background_forwards.load_all(folder):
            if not forward.alive:
                clear = f"rm {folder / background_forwards.FOLDER / f'{forward.local}.json'}"
                yield LeftOver(Kind.FORWARD, f"port {forward.local}", f"its process {forward.pid} ended", clear)
            elif lab not in labs:
                yield LeftOver(
                    Kind.FORWARD, f"port {forward.local}", "its lab has no containers", f"kill {forward.pid}"
                )


def _damaged(folder: Path) -> Iterator[LeftOver]:
    try:
        record = load_record(folder)
    except UsageError as error:
        yield LeftOver(Kind.FOLDER, str(folder), error.message, _down(folder.name))
        return
    if record is None:
        yield LeftOver(Kind.FOLDER, str(folder), "no lab.json in it", _down(folder.name))


def _snapshots(settings: Settings, stock: Images) -> Iterator[LeftOver]:
    known = {kept.name: kept for kept in snapshot.load_all(settings)}
    found = {tag for image in stock.listed(names.SNAPSHOT) for tag in image["RepoTags"] or ()}
    for tag in sorted(found):
        name = tag.partition(":")[0].removeprefix(snapshot.repository(""))
        if name not in known:
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
