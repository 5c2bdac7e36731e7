"""Snapshots: a configured lab kept as images with its PKI and secrets, from which others start without Ansible."""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lab.engine import names
from lab.engine.hosts import in_parallel, observe, stop_all
from lab.engine.images import Images
from lab.engine.record import LabRecord, load_record
from lab.errors import UsageError
from lab.events import HostPhase, Phase, StageFinished, StageStarted
from lab.operate.devices import STOP_SECONDS, devices_beside
from lab.operate.repair import health_now
from lab.settings import SNAPSHOTS, check_name
from lab.state_file import Moment, read_json

if TYPE_CHECKING:
    from lab.engine.client import Docker
    from lab.engine.lab import Lab
    from lab.events import Bus
    from lab.settings import Settings

FILE = "snapshot.json"
KEPT = ("pki", "secrets.json", "partners.json")
"""What a snapshot takes from the lab's folder, and a clone from the snapshot, besides the site's description.

Everything else there tells of one lab's runs: its log, scenario records, Ansible's artifacts, forwards, locks, and
which containers are configured (``configured.json``); a clone writes its own.
"""
SITE = "site"


@dataclass(frozen=True)
class Snapshot:
    """A kept lab: its site, when it was kept (seconds since 1970), and an image for each host and the fabric."""

    name: str
    site: str
    lab: str
    at: Moment
    images: dict[str, str]


def save(settings: Settings, lab: Lab, name: str, bus: Bus) -> Snapshot:
    """Shut every host down cleanly and keep its files; the caller brings the lab up again.

    Foreign devices are stopped as their maker meant it, and kept as they then are.

    Raises:
        UsageError: the name is taken, here or in another state of this engine, or the lab does not run as a whole.
        EngineError: a host did not shut down cleanly, or Docker refused.
    """
    folder = settings.snapshot_folder(name)
    if folder.exists():
        raise UsageError(f"There is a snapshot {name!r} already.", remedy=f"Run 'pacslab snapshot remove {name}'.")
    stock = Images(lab.docker.path)
    elsewhere = kept_elsewhere(settings, stock, name)
    if elsewhere is not None:
        raise UsageError(
            f"There is a snapshot {name!r} of another PACSLAB_STATE on this engine already: {elsewhere}.",
            remedy="Choose another name: images are called by it.",
        )
    there = observe(lab.docker, lab.name)
    health, since = health_now(
        lab, [host for host in lab.site.managed if host in there and there[host].state == "running"]
    )
    unhealthy = [host for host, known in health.items() if not known.healthy or known.at < since]
    if unhealthy:
        raise UsageError(
            f"Lab {lab.name!r} cannot be kept while {', '.join(unhealthy)} is not healthy.",
            remedy=f"Run 'pacslab up --lab {lab.name}' first.",
        )
    draft = folder.with_name(f".{name}.new")
    shutil.rmtree(draft, ignore_errors=True)
    _keep_files(lab, draft)
    began = time.monotonic()
    kept = [*lab.record.hosts, *devices_beside(lab.site).values()]
    devices = [host for host in kept if host not in lab.site.managed]
    bus.emit(StageStarted("stop", f"{len(lab.record.hosts)} hosts"))
    in_parallel(lambda host: lab.docker.stop(there[host].name, STOP_SECONDS), devices)
    stop_all(lab.docker, [there[host].name for host in lab.site.managed])
    bus.emit(StageFinished("stop", time.monotonic() - began))
    began = time.monotonic()
    bus.emit(StageStarted("keep", f"{len(lab.record.hosts)} hosts"))

    def keep(host: str) -> tuple[str, str]:
        labels = {names.SNAPSHOT: name, names.LAB: lab.name, names.SITE: lab.record.site, names.HOST: host}
        image = stock.commit(there[host].name, repository(name), host, {"Labels": labels})
        bus.emit(HostPhase(host, Phase.WAITING, "kept"))
        return host, image

    images = dict(in_parallel(keep, kept))
    bus.emit(StageFinished("keep", time.monotonic() - began))
    made = Snapshot(name, lab.record.site, lab.name, time.time(), {**images, names.FABRIC: there[names.FABRIC].image})
    (draft / FILE).write_text(json.dumps(asdict(made), indent=1) + "\n", "utf-8")
    draft.rename(folder)
    return made


def repository(name: str) -> str:
    """The repository of a snapshot's images; each host is a tag."""
    return f"pacslab/snapshot-{name}"


def _keep_files(lab: Lab, draft: Path) -> None:
    draft.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    copy_kept(lab.folder, draft)
    shutil.copytree(Path(lab.record.topology).parent, draft / SITE)


def copy_kept(source: Path, target: Path) -> None:
    """Copy what is kept of a lab into a new folder that only its owner may enter: it holds private keys."""
    target.mkdir(mode=0o700)
    for name in KEPT:
        path = source / name
        if path.is_dir():
            shutil.copytree(path, target / name, ignore=shutil.ignore_patterns(".lock"))
        elif path.exists():
            shutil.copy2(path, target / name)


def load(settings: Settings, name: str) -> Snapshot:
    """Read a snapshot's record.

    Raises:
        UsageError: there is none of that name, or its record is damaged.
    """
    path = settings.snapshot_folder(name) / FILE
    if not path.is_file():
        known = ", ".join(kept.name for kept in load_all(settings)) or "none"
        raise UsageError(f"There is no snapshot {name!r}.", remedy=f"Snapshots: {known}.")
    return _read(path)


def _read(path: Path) -> Snapshot:
    remedy = (
        f"Put it back from a copy, or remove the snapshot: 'rm -r {path.parent}'; 'pacslab doctor' names its images."
    )
    return read_json(path, Snapshot, remedy=remedy)


def kept_beside(lab_folder: Path, name: str) -> bool:
    """Whether a snapshot has its record in the state that a lab's folder lies in, which may be another than ours."""
    return lab_folder.is_absolute() and (lab_folder.parent / SNAPSHOTS / name / FILE).is_file()


def kept_elsewhere(settings: Settings, stock: Images, name: str) -> Path | None:
    """The state that keeps a snapshot of this name on the engine and is not ours; None where there is none."""
    for image in stock.listed(f"{names.SNAPSHOT}={name}"):
        folder = Path((image.get("Labels") or {}).get(names.FOLDER, ""))
        if folder.parent != settings.state and kept_beside(folder, name):
            return folder.parent
    return None


def files(settings: Settings) -> list[Path]:
    """The record of each snapshot."""
    return sorted(settings.snapshot_folder("any").parent.glob(f"[a-z]*/{FILE}"))


def load_all(settings: Settings) -> list[Snapshot]:
    """Every snapshot, oldest first.

    Raises:
        DamagedFileError: the record of one is not what was written there.
    """
    return sorted(map(_read, files(settings)), key=lambda kept: kept.at)


def remove(settings: Settings, docker: Docker, stock: Images, name: str) -> None:
    """Remove a snapshot: its images and its files.

    Raises:
        UsageError: there is none of that name, or a lab was made from it.
    """
    kept = load(settings, name)
    users = sorted({container["Labels"][names.LAB] for container in docker.containers(f"{names.SNAPSHOT}={name}")})
    if users:
        raise UsageError(
            f"Snapshot {name!r} is what lab {', '.join(users)} runs from.",
            remedy=f"Run 'pacslab down --lab {users[0]}' first.",
        )
    for host in kept.images:
        if host != names.FABRIC:
            stock.remove(f"{repository(name)}:{host}")
    shutil.rmtree(settings.snapshot_folder(name))


def prepare_clone(settings: Settings, name: str, lab: str) -> None:
    """Make the folder of a new lab from a snapshot; ``up`` does the rest. A clone begun earlier is left as it is.

    Raises:
        UsageError: there is no such snapshot, or the lab exists and is not made from it.
    """
    kept = load(settings, check_name(name, "snapshot"))
    folder = settings.lab_folder(lab)
    record = load_record(folder)
    if record and record.snapshot == name:
        return
    if record:
        raise UsageError(
            f"There is a lab {lab!r} already.", remedy=f"Choose another with --lab, or run 'pacslab down --lab {lab}'."
        )
    shutil.rmtree(folder, ignore_errors=True)  # of a clone that was killed before its record was written
    copy_kept(settings.snapshot_folder(name), folder)
    shutil.copytree(settings.snapshot_folder(name) / SITE, folder / SITE)
    topology = folder / SITE / "topology.yml"
    LabRecord(lab, kept.site, str(topology), {}, snapshot=name, images=kept.images).save(folder)
