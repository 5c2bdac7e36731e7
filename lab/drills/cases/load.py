"""A hospital's whole work at once, through power cuts of PACS, RIS, database and firewall in its middle."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.drills.faults import cut_power
from lab.drills.loads import LogLines
from lab.drills.model import Count, Drill, Noticed, Repair
from lab.drills.subject import Subject
from lab.drills.workload import WORKDAY, Work
from lab.errors import PacslabError, UsageError
from lab.events import Bus
from lab.hospital.collected import collector
from lab.hospital.database import SERVICE
from lab.hospital.hospital import Actor
from lab.hospital.workday import Staff
from lab.operate.bring_up import LabBringUp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lab.drills.model import Load
    from lab.drills.scene import Scene
    from lab.hospital.workday import Workday
    from lab.topology.site import Site

NOTICED_WITHIN, HEALTHY_WITHIN = 10.0, 120.0
RESTARTS = "restarts"
"""The fact of a scene with what came of each power cut."""
LOOK = 0.5


@dataclass(frozen=True)
class Restart:
    """A host that lost its power: after how many seconds it was noticed, and after how many more all was healthy."""

    host: str
    noticed: float | None
    healthy: float | None

    def __str__(self) -> str:
        """In words."""
        noticed = "not noticed" if self.noticed is None else f"noticed after {self.noticed:.1f} s"
        healthy = "not healthy" if self.healthy is None else f"healthy {self.healthy:.1f} s after `up` began"
        return f"{self.host} lost its power: {noticed}, {healthy}"


def everything(site: Site) -> list[Subject]:
    """One subject: the archive that loses its power first, and the others after it."""
    try:
        first, *others = hosts(site)
    except UsageError:
        return []
    return [Subject(first, f"then {', '.join(others)}")]


def hosts(site: Site) -> list[str]:
    """Archive, RIS, the archive's database and the firewall.

    Raises:
        UsageError: the site has not the people whose work is counted, or keeps no log of it.
    """
    archive = Staff.of(site).archive
    if collector(site) is None:
        raise UsageError("The site has no log collector.", remedy="Add a flow to a service that collects logs.")
    ris = Actor("order-filler").hosts(site)[:1]
    database = [flow.target for flow in site.flows_out(archive) if flow.service == SERVICE][:1]
    return list(dict.fromkeys([archive, *ris, *database, site.gateway]))


@contextmanager
def power_cuts(scene: Scene) -> Iterator[None]:
    """Cut the power of one host after the other while the work goes on, and bring each up again."""
    scene.facts[RESTARTS] = []
    over = threading.Event()
    cut_power(scene.lab, scene.host)
    with ThreadPoolExecutor(max_workers=1) as pool:
        going = pool.submit(_one_after_the_other, scene, over)
        try:
            yield
        finally:
            over.set()
        going.result()


def _one_after_the_other(scene: Scene, over: threading.Event) -> None:
    """The first host has no power already; the others follow as the work gets on, the last before its end."""
    day: Workday = scene.facts[WORKDAY]
    wanted = hosts(scene.site)
    done, all_of_them = len(day.acquired), day.volume.orders
    for number, host in enumerate(wanted):
        moment = done + number * (0.75 * all_of_them - done) / len(wanted)
        while not over.is_set() and len(day.acquired) < moment:
            over.wait(LOOK)
        if number:
            cut_power(scene.lab, host)
        restart = _brought_up(scene, host)
        scene.facts[RESTARTS].append(restart)
        scene.say(f"    {restart}")


def _brought_up(scene: Scene, host: str) -> Restart:
    cut = time.monotonic()
    seen = scene.eventually(lambda: scene.unhealthy(host), timeout=NOTICED_WITHIN)
    noticed = time.monotonic() - cut if seen else None
    began = time.monotonic()
    try:
        up(scene)
    except PacslabError as error:
        scene.say(f"    {error.message}")
    left = HEALTHY_WITHIN - (time.monotonic() - began)
    healthy = scene.eventually(lambda: all(known.healthy for known in scene.lab.health().values()), timeout=left)
    return Restart(host, noticed, time.monotonic() - began if healthy else None)


def up(scene: Scene) -> None:
    """`up` starts what is not there."""
    LabBringUp(scene.lab, Bus()).run()


@dataclass
class Restarts:
    """Counts what came of the power cuts."""

    def send(self, scene: Scene, phase: str) -> None:
        """Nothing is sent."""
        del scene, phase

    def count(self, scene: Scene) -> Sequence[Count]:
        """How many were noticed, and repaired, in time."""
        wanted, found = len(hosts(scene.site)), scene.facts[RESTARTS]
        noticed = sum(restart.noticed is not None for restart in found)
        healthy = sum(restart.healthy is not None for restart in found)
        return [
            Count(f"power cuts noticed within {NOTICED_WITHIN:g} s", wanted, noticed),
            Count(f"power cuts after which `up` had all healthy within {HEALTHY_WITHIN:g} s", wanted, healthy),
        ]


def work(site: Site, _: Subject) -> Iterable[Load]:
    """The hospital's work, the power cuts, and lines of the logs of those who lose their power and of a scanner."""
    staff = Staff.of(site)
    cut = hosts(site)
    lines = [LogLines(host, 50, cut=host in cut) for host in (*cut, next(iter(staff.scanners)))]
    return [Work(), Restarts(), *lines]


DRILLS = (
    Drill(
        "drill.load",
        "PACS, RIS, database and firewall lose their power one after the other in the middle of a hospital's work",
        subjects=everything,
        fault=power_cuts,
        noticed=Noticed("`status` names the host", NOTICED_WITHIN, lambda scene: scene.unhealthy()),
        repair=Repair("`up` after each", HEALTHY_WITHIN, up),
        loads=work,
        counted="orders, images and log lines at every system",
        settles=900.0,
        sizes={"orders": 500, "images": 40, "matrix": 64},
    ),
)
