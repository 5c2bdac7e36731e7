"""A host loses its power, or a program is killed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.drills.faults import await_restart, killed_host, killed_service
from lab.drills.loads import Images, LogLines, Orders, can_acquire, has_record, sends_log
from lab.drills.model import Drill, Noticed, Repair
from lab.drills.subject import Subject
from lab.events import Bus
from lab.operate.bring_up import LabBringUp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lab.drills.model import Load
    from lab.drills.scene import Scene
    from lab.topology.site import Site

BACK_WITHIN = 30.0


def hosts(site: Site) -> Iterator[Subject]:
    """Every host but foreign devices, of which nobody here knows how they start again."""
    return (Subject(host) for host in site.managed)


def services(site: Site) -> Iterator[Subject]:
    """Every unit of every host's services."""
    for host in site.managed:
        for unit in dict.fromkeys(service.unit for service in site.services(host).values()):
            if unit.endswith(".service"):  # a timer has no process
                yield Subject(host, unit)


def work(site: Site, subject: Subject) -> Iterable[Load]:
    """Lines of the host's own log and of another's; orders and images, whatever the host is for."""
    senders = [flow.source for flow in site.flows_to("log-collection") if flow.source != subject.host]
    own = [subject.host] if sends_log(site, subject.host) else []
    yield from (LogLines(host, cut=host == subject.host) for host in (*own, *senders[:1]))
    if has_record(site):
        yield Orders(1)
    if can_acquire(site):
        yield Images(2)


def log_lines(site: Site, subject: Subject) -> Iterable[Load]:
    """Lines of the host's own log, or of another's where it sends none."""
    senders = [flow.source for flow in site.flows_to("log-collection")]
    own = sends_log(site, subject.host)
    return [LogLines(subject.host if own else host, cut=own) for host in senders[:1]]


def gone(scene: Scene) -> str:
    """What `status` says of the host."""
    return scene.unhealthy()


def logged(scene: Scene) -> str:
    """The line by which systemd tells of the kill: at the collector, or else in the host's journal."""
    unit = scene.subject.part
    if sends_log(scene.site, scene.host):
        lines = scene.hospital.collected.since(scene.host, scene.facts["mark"])
        said = [str(line.get("message")) for line in lines if line.get("program") == "systemd"]
    else:
        argv = ["journalctl", "--no-pager", "--output=cat", f"--since=@{int(scene.since)}", "_PID=1"]
        said = scene.lab.run(scene.host, argv).stdout.splitlines()
    return next((line.strip() for line in said if unit in line and "killed" in line), "")


def up(scene: Scene) -> None:
    """`up` starts what is not there."""
    LabBringUp(scene.lab, Bus()).run()


def back(scene: Scene) -> None:
    """Systemd starts it again."""
    await_restart(scene, BACK_WITHIN)


DRILLS = (
    Drill(
        "drill.kill-host",
        "A host loses its power",
        subjects=hosts,
        fault=killed_host,
        noticed=Noticed("`status` names the host", 10.0, gone),
        repair=Repair("`up`", 120.0, up),
        loads=work,
        counted="orders, images and log lines",
    ),
    Drill(
        "drill.kill-service",
        "The program of a service is killed",
        subjects=services,
        fault=killed_service,
        noticed=Noticed("the log has systemd's line about the unit", 30.0, logged),
        repair=Repair("systemd starts it again", 60.0, back),
        loads=log_lines,
        counted="log lines",
    ),
)
