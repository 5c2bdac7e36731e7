"""A hospital's whole work as a load: every order and image counted at every system that keeps something of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lab.drills.model import Count
from lab.errors import PacslabError
from lab.hospital.archive import Archive
from lab.hospital.collected import collector
from lab.hospital.database import rows
from lab.hospital.modality import COMMAND, Queue
from lab.hospital.workday import Volume, Workday

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lab.drills.scene import Scene
    from lab.hospital.collected import Mark

WORKDAY = "workday"
"""The fact of a scene under which the work is found by the fault that is made in its middle."""
SHARES = {"before": 0.2, "during": 0.8, "after": 1.0}
"""Of the orders, that are done at the end of each phase."""
STUDIES = 25
"""Whose pixels are asked of an archive at a time."""
AT_THE_RECORD = """
SELECT patient_id, placer, accession, status FROM orders WHERE starts_with(patient_id, :'prefix')
"""
AT_THE_RIS = """
SELECT accession, placer, status,
  (SELECT count(*) FROM performed_steps AS done WHERE done.accession = procedures.accession) AS steps,
  (SELECT coalesce(sum(jsonb_array_length(series->'00081140'->'Value')), 0)
     FROM performed_steps AS done, jsonb_array_elements(done.attributes->'00400340'->'Value') AS series
    WHERE done.accession = procedures.accession AND done.status = 'COMPLETED') AS images
FROM procedures WHERE starts_with(patient_id, :'prefix')
"""
"""Images that performed steps name: Performed Series Sequence, Referenced Image Sequence (PS3.4 F.7.2)."""


@dataclass
class Work:
    """Orders, images and studies that are read, of as many patients as there are orders.

    Attributes:
        marks: Where each scanner's log ended when the work began.
    """

    marks: dict[str, Mark] = field(default_factory=dict, repr=False)
    _compared: dict[str, tuple[int, int]] = field(default_factory=dict, repr=False)
    """Of each archive that was compared: how many images it had then, and how many of them as acquired."""

    def send(self, scene: Scene, phase: str) -> None:
        """Work until the phase's share of the orders is done; the second phase goes on through the faults."""
        if WORKDAY not in scene.facts:
            volume = Volume(scene.sizes["orders"], scene.sizes["images"], scene.sizes["matrix"])
            scene.facts[WORKDAY] = Workday(scene.lab, volume, f"L{scene.token}", lambda text: scene.say(f"    {text}"))
            self.marks = {host: scene.hospital.collected.mark(host) for host in scene.facts[WORKDAY].staff.scanners}
        day: Workday = scene.facts[WORKDAY]
        day.work(max(1, round(day.volume.orders * SHARES[phase])))
        scene.say(f"    {phase}: {day.progress()}")

    def count(self, scene: Scene) -> Sequence[Count]:
        """How many orders and images each system has; what has not arrived yet is looked for again."""
        day: Workday = scene.facts[WORKDAY]
        counts: list[Count] = []
        for look in (_record, _ris, _scanners, self._archives, _readers, self._logs):
            try:
                counts += look(scene, day)
            except PacslabError as error:
                counts.append(Count(f"what {look.__name__.strip('_')} keep ({error.message[:160]})", 1, 0))
        return counts

    def _archives(self, scene: Scene, day: Workday) -> Iterator[Count]:
        for host in (day.staff.archive, *scene.hospital.sends_on_to(day.staff.archive)):
            archive, wanted = Archive(scene.hospital, host), _images(day)
            there = archive.count("Instance", PatientID=f"{day.prefix}*")
            if there < wanted:
                yield Count(f"images at {host}", wanted, there)
                continue
            if self._compared.get(host, (0, 0))[0] != there:
                self._compared[host] = there, _as_acquired(archive, day)
            same = self._compared[host][1]
            yield Count(f"images at {host}, as acquired", wanted, same, max(0, there - wanted))

    def _logs(self, scene: Scene, day: Workday) -> Iterator[Count]:
        """The ends of all procedure steps (RAD-7), which each scanner logs when the RIS has taken them."""
        told: list[str] = []
        twice = 0
        for host, mark in self.marks.items():
            lines = [line for line in scene.hospital.collected.since(host, mark) if _ended(line, day)]
            told += {line["data"]["accession"] for line in lines}
            twice += sum(number > 1 for number in Counter(line["message"] for line in lines).values())
        yield Count(f"steps that ended, in the log at {collector(scene.site)}", day.volume.orders, len(told), twice)


def _images(day: Workday) -> int:
    return day.volume.orders * day.volume.images


def _as_acquired(archive: Archive, day: Workday) -> int:
    """How many images an archive has with the pixel data that was acquired."""
    studies, wanted = [entry.study for entry in day.acquired.values()], day.images
    same = 0
    for start in range(0, len(studies), STUDIES):
        stored = archive.pixels(*studies[start : start + STUDIES])
        same += sum(wanted.get(uid) == digest for uid, digest in stored.items())
    return same


def _record(scene: Scene, day: Workday) -> Iterator[Count]:
    host = day.staff.record
    kept = rows(scene.lab, host, AT_THE_RECORD, prefix=day.prefix)
    performed = [row for row in kept if row["accession"] and row["status"] == "performed"]
    known = {row["placer"] for row in performed} & set(day.placed.values())
    patients = Counter(row["patient_id"] for row in kept)
    yield Count(f"orders performed at {host}", day.volume.orders, len(known), _more_than_once(patients))


def _ris(scene: Scene, day: Workday) -> Iterator[Count]:
    host = scene.hospital.host("order-filler")
    kept = rows(scene.lab, host, AT_THE_RIS, prefix=day.prefix)
    completed = [row for row in kept if row["status"] == "completed"]
    double = sum(row["steps"] > 1 for row in kept) + max(0, len(kept) - day.volume.orders)
    known = {row["placer"] for row in completed} & set(day.placed.values())
    yield Count(f"procedures completed at {host}", day.volume.orders, len(known), double)
    yield Count(f"images that steps name at {host}", _images(day), sum(int(row["images"]) for row in completed))


def _scanners(scene: Scene, day: Workday) -> Iterator[Count]:
    double = len(day.repeated)
    for host in day.staff.scanners:
        mine = {accession for accession, where in day.scanner.items() if where == host}
        queue = scene.hospital.ask(host, [COMMAND, "queue", "--json"], Queue, timeout=120)
        steps = [step for step in queue.steps if step.accession in mine]
        wanted = sum(len(day.acquired[accession].digests) for accession in mine)
        committed = sum(step.states.committed for step in steps)
        yield Count(f"images at {host} for which the archive answers", wanted, committed, len(steps) - len(mine))
    acquired = sum(len(entry.digests) for entry in day.acquired.values())
    yield Count("images acquired", _images(day), acquired, double)


def _readers(_: Scene, day: Workday) -> Iterator[Count]:
    wanted = day.images
    seen = {uid: digest for images in day.read.values() for uid, digest in images.items()}
    same = sum(seen.get(uid) == digest for uid, digest in wanted.items())
    readers = " and ".join(f"{reader.host} ({'DICOMweb' if reader.web else 'DICOM'})" for reader in day.staff.readers)
    yield Count(f"images read at {readers}", _images(day), same, len(seen.keys() - wanted.keys()))


def _ended(line: dict[str, Any], day: Workday) -> bool:
    """Whether a collected line is the event of a step of this work that ended."""
    data = line.get("data")
    return (
        isinstance(data, dict)
        and (data.get("action"), data.get("outcome")) == ("update-step", "success")
        and data.get("accession") in day.acquired
    )


def _more_than_once(numbers: Counter[str]) -> int:
    return sum(number > 1 for number in numbers.values())
