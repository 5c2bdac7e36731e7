"""Work that is counted: lines of a host's log at the collector; orders and images at every system that keeps them."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lab.drills.model import Count
from lab.errors import PacslabError
from lab.hospital.archive import Archive
from lab.hospital.collected import FOLDER, collector
from lab.hospital.hospital import Actor
from lab.hospital.image_manager import procedures
from lab.hospital.modality import Modality
from lab.hospital.record import Procedure, Record
from lab.hospital.ris import Ris

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.drills.scene import Scene
    from lab.hospital.ris import Requested
    from lab.topology.site import Site

PROCEDURES = (
    Procedure("CTHEAD", "CT head without contrast", "CT"),
    Procedure("MRHEAD", "MR head", "MR"),
    Procedure("USABD", "Ultrasound of the abdomen", "US"),
)
"""What is ordered: the first for which the site has a scanner."""
MARK = "drill-line"
SAID_AGAIN = 99
"""Lines that a host may send twice whose power or whose rsyslog was cut: it keeps its place in the journal every
hundred lines (role log_forwarder, persistStateInterval), as to keep it sooner would lose what is not yet sent."""
WHOLE = (
    "import json,sys\n"
    "broken=0\n"
    "for line in open(sys.argv[1],'rb'):\n"
    "    try: json.loads(line)\n"
    "    except ValueError: broken+=1\n"
    "print(broken)\n"
)


@dataclass
class LogLines:
    """Lines that a host's programs hand to its log; the host's log has them once ``logger`` has ended well.

    Attributes:
        host: The host.
        number: How many in each phase.
        cut: Whether its power, or its rsyslog, is cut on the way.
    """

    host: str
    number: int = 20
    cut: bool = False
    _handed: list[str] = field(default_factory=list, repr=False)

    def send(self, scene: Scene, phase: str) -> None:
        """Hand lines to the log, where the host runs."""
        lines = [f"{MARK} {scene.token} {phase}-{number}" for number in range(self.number)]
        try:
            done = scene.lab.run(
                self.host, ["logger", "--tag", "drill"], input="".join(f"{line}\n" for line in lines).encode()
            )
        except PacslabError:
            return  # the host does not run: nothing was handed over
        if done.code == 0:
            self._handed += lines

    def count(self, scene: Scene) -> Sequence[Count]:
        """How many of them the collector has, and whether its file is whole."""
        centre = str(collector(scene.site))
        path = f"{FOLDER}/{self.host}.jsonl"
        kept = scene.lab.run(centre, ["grep", "-ah", f"{MARK} {scene.token} ", "--", path]).stdout
        found = Counter(_message(line) for line in kept.splitlines())
        broken = scene.lab.run(centre, ["python3", "-Ic", WHOLE, path]).stdout.strip()
        wanted = set(self._handed)
        return [
            Count(
                f"log lines of {self.host} at {centre}",
                len(wanted),
                len(wanted & found.keys()),
                sum(number > 1 for line, number in found.items() if line in wanted),
                int(broken or 0),
                may_repeat=SAID_AGAIN if self.cut else 0,
            )
        ]


def _message(line: str) -> str:
    try:
        return str(json.loads(line)["message"]).strip()
    except (ValueError, KeyError, TypeError):
        return ""


@dataclass
class Orders:
    """Orders placed at the record: record, RIS and every archive know each once, under one accession number."""

    number: int = 2
    _patient: str = ""
    _placed: list[str] = field(default_factory=list, repr=False)

    def send(self, scene: Scene, phase: str) -> None:
        """Place orders; one that the record does not take is none."""
        try:
            record = Record.of(scene.hospital)
            if not self._patient:
                self._patient = record.register(f"DRILL{scene.token}", phase.upper()).patient.identifier
            for _ in range(self.number):
                self._placed.append(record.place(self._patient, procedure_of(scene.site)))
        except PacslabError as error:
            scene.say(f"    no order was taken {phase} the fault: {error.message[:120]}")

    def count(self, scene: Scene) -> Sequence[Count]:
        """How many the record has scheduled, the RIS knows, and the archives were told of."""
        try:
            record, ris = Record.of(scene.hospital), Ris.of(scene.hospital)
            numbers = [record.show(placer).order.accession for placer in self._placed]
            accessions = [number for number in numbers if number]
            counts = [
                Count(
                    "orders with an accession number at the record",
                    len(self._placed),
                    len(accessions),
                    _twice(accessions),
                )
            ]
            known = [ris.show(number).procedure.placer for number in accessions]
            counts.append(
                Count("orders at the RIS", len(self._placed), len(set(known) & set(self._placed)), _twice(known))
            )
            for host in _archives(scene.site):
                told = [row.accession for row in procedures(scene.hospital, host) if row.accession in set(accessions)]
                counts.append(Count(f"orders at {host}", len(self._placed), len(set(told)), _twice(told)))
        except PacslabError as error:
            return [Count(f"orders ({error.message[:160]})", len(self._placed), -1)]
        return counts


@dataclass
class Images:
    """Images that a scanner acquires for one order: its archive and the long-term archive have each, as acquired."""

    number: int = 4
    _accession: str = ""
    _study: str = ""
    _digests: dict[str, str] = field(default_factory=dict, repr=False)

    def send(self, scene: Scene, phase: str) -> None:
        """Before the fault the step begins; during it images are acquired, and delivered as soon as they can be."""
        hospital = scene.hospital
        if phase == "before":
            self._accession = _ordered(scene)
            self._study = Ris.of(hospital).show(self._accession).procedure.study_uid
            Modality(hospital, self._station(scene)).perform("begin", self._accession)
        elif phase == "during":
            try:
                station = Modality(hospital, self._station(scene))
                station.acquire_undelivered(self._accession, images=self.number)
                self._digests = station.digests(self._accession)
            except PacslabError as error:
                scene.say(f"    no image was acquired during the fault: {error.message[:120]}")

    def _station(self, scene: Scene) -> str:
        """The scanner on which the order was scheduled."""
        if "station" not in scene.facts:
            title = Ris.of(scene.hospital).show(self._accession).steps[0].station_ae
            scene.facts["station"] = str(scene.hospital.named(title))
        return str(scene.facts["station"])

    def count(self, scene: Scene) -> Sequence[Count]:
        """How many each archive has, of those that the scanner had acquired, with the pixel data as acquired."""
        wanted, counts = self._digests, []
        for host in (scene.hospital.archive_of(self._station(scene)), *scene.site.with_function("long-term-archive")):
            try:
                archive = Archive(scene.hospital, host)
                uids = [instance.tag("SOPInstanceUID") for instance in archive.instances(self._study)]
                pixels = archive.pixels(self._study) if uids else {}
            except PacslabError as error:
                counts.append(Count(f"images at {host} ({error.message[:160]})", len(wanted), -1))
                continue
            same = sum(pixels.get(uid) == digest for uid, digest in wanted.items())
            counts.append(Count(f"images at {host}", len(wanted), same, _twice(uids)))
        return counts


def _ordered(scene: Scene) -> str:
    """The accession number of a new order of a new patient, from the record, or at the RIS where there is none."""
    name = f"DRILL{scene.token}"
    procedure = procedure_of(scene.site)
    if has_record(scene.site):
        record = Record.of(scene.hospital)
        return str(record.order(record.register(name, "IMAGES").patient.identifier, procedure).accession)
    ris = Ris.of(scene.hospital)
    ordered: Requested = ris.order(ris.register(name, "IMAGES"), procedure)
    return ordered.accession


def scanners(site: Site) -> dict[Procedure, list[str]]:
    """The scanners of a site that run programs of ours, by what is ordered for them."""
    ours = {host for host, entry in site.hosts.items() if entry.device is None}
    found = {
        procedure: [host for host in Actor("acquisition", procedure.section).hosts(site) if host in ours]
        for procedure in PROCEDURES
    }
    return {procedure: hosts for procedure, hosts in found.items() if hosts}


def procedure_of(site: Site) -> Procedure:
    """What is ordered in drills on a site that has scanners."""
    return next(iter(scanners(site)))


def can_acquire(site: Site) -> bool:
    """Whether the site has a scanner whose images are ordered."""
    return bool(scanners(site) and site.with_function("order-filler"))


def sends_log(site: Site, host: str) -> bool:
    """Whether a host's log goes to the collector, or is its own."""
    centre = collector(site)
    return centre is not None and (
        host == centre or any(flow.source == host for flow in site.flows_to("log-collection"))
    )


def has_record(site: Site) -> bool:
    """Whether orders are placed at a record of the site."""
    return bool(scanners(site) and site.with_function("order-placer") and site.with_function("order-filler"))


def _archives(site: Site) -> list[str]:
    """The archives that the RIS tells of what is ordered: the scanners' own, and the long-term archive."""
    performing = scanners(site)[procedure_of(site)]
    own = {flow.target for scanner in performing for flow in site.flows_out(scanner) if "N-ACTION" in flow.permits}
    return sorted(own | set(site.with_function("long-term-archive")))


def _twice(values: Sequence[str]) -> int:
    return sum(number > 1 for number in Counter(values).values())
