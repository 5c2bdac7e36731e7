"""A disk is full: it is named, nobody acknowledges what is not kept, and what waited arrives once there is room."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.drills.faults import full_disk, small_disk
from lab.drills.loads import Images, LogLines, Orders, can_acquire, has_record
from lab.drills.model import Drill, Noticed, Repair
from lab.drills.subject import Subject
from lab.hospital.collected import FOLDER, collector

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from contextlib import AbstractContextManager

    from lab.drills.model import Load
    from lab.drills.scene import Scene
    from lab.topology.site import Site

SERVICE = "storage"
"""The service of every host by which it tells that a disk is full."""
EVERYWHERE = "base"
"""The role whose folders every host has; they are on the same disk as the rest of it."""


def folders(site: Site) -> Iterator[Subject]:
    """Every folder in which a role keeps what is not to be lost, on every host, but the collector's log."""
    for host, entry in site.managed.items():
        for role in entry.roles:
            if role != EVERYWHERE:
                yield from (Subject(host, folder) for folder in site.catalog[role].storage if folder != FOLDER)


def log_folder(site: Site) -> Iterable[Subject]:
    """The collector's log."""
    centre = collector(site)
    return [Subject(centre, FOLDER)] if centre else []


def units(scene: Scene) -> list[str]:
    """The units of the roles that keep things in the folder, without those that every host has."""
    entry, folder = scene.site.hosts[scene.host], scene.subject.part
    roles = [role for role in entry.roles if folder in scene.site.catalog[role].storage]
    found = [service.unit for role in roles for service in scene.site.catalog[role].services.values()]
    return list(dict.fromkeys(unit for unit in found if unit != "haproxy.service"))


def small(scene: Scene) -> AbstractContextManager[None]:
    """The folder is on a small disk of its own."""
    return small_disk(scene, scene.subject.part, units(scene))


def full(scene: Scene) -> AbstractContextManager[None]:
    """That disk is full."""
    return full_disk(scene, scene.subject.part)


def named(scene: Scene) -> str:
    """What `status` says of the host: its storage, and which folder."""
    said = scene.unhealthy()
    folder = scene.subject.part
    return said if said.startswith(f"{SERVICE}:") and folder in said else ""


def work(site: Site, subject: Subject) -> Iterable[Load]:
    """Lines of another host's log, orders and images."""
    senders = [flow.source for flow in site.flows_to("log-collection") if flow.source != subject.host]
    yield from (LogLines(host) for host in senders[-1:])
    if has_record(site):
        yield Orders()
    if can_acquire(site):
        yield Images()


def many_lines(site: Site, subject: Subject) -> Iterable[Load]:
    """300 lines of each of two hosts, and of the collector itself."""
    senders = [flow.source for flow in site.flows_to("log-collection")]
    return [LogLines(host, 300) for host in (*senders[:2], subject.host)]


NAMED = Noticed("`status` names the host, its storage and the folder", 30.0, named)
ROOM_AGAIN = Repair("room is made on the disk", 60.0, lambda _: None)

DRILLS = (
    Drill(
        "drill.full-log-disk",
        "The disk of the collected logs is full",
        subjects=log_folder,
        prepared=small,
        fault=full,
        noticed=NAMED,
        repair=ROOM_AGAIN,
        loads=many_lines,
        counted="900 log lines of three hosts",
    ),
    Drill(
        "drill.full-disk",
        "A disk with images, orders or databases is full",
        subjects=folders,
        prepared=small,
        fault=full,
        noticed=NAMED,
        repair=ROOM_AGAIN,
        loads=work,
        counted="orders, images and log lines",
    ),
)
