"""One accession number, followed through every system."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from lab.hospital.hospital import Actor
from lab.hospital.modality import Modality
from lab.hospital.record import Record
from lab.hospital.ris import Ris
from lab.scenarios.examination.course import FOLLOWED_WITHIN, ExaminationFacts, archive, archives
from lab.scenarios.failure import require
from lab.scenarios.model import Step

if TYPE_CHECKING:
    from lab.scenarios.stage import Stage


def trace(stage: Stage[ExaminationFacts]) -> str:
    """Every system has the accession number, and so have the collected logs of all of them."""
    hospital, done = stage.hospital, stage.facts.examination
    record, ris, everywhere = Record.of(hospital), Ris.of(hospital), archives(hospital, done)
    places = {
        record.host: record.show(done.placer).order.accession,
        ris.host: ris.show(done.accession).procedure.accession,
        done.station: Modality(hospital, done.station).queue(done.accession).steps[0].accession,
    }
    for host in everywhere:
        numbers = {instance.tag("AccessionNumber") for instance in archive(stage, host).instances(done.study)}
        places[host] = numbers.pop() if len(numbers) == 1 else f"{len(numbers)} accession numbers"
    wrong = {host: number for host, number in places.items() if number != done.accession}
    require(not wrong, f"other accession numbers: {wrong}")
    sought = {
        record.host: ("pacslab-ehr", "order-status"),
        ris.host: ("pacslab-ris", "schedule"),
        done.station: ("pacslab-modality", "store"),
        **dict.fromkeys(everywhere, ("pacslab-image-manager", "receive-images")),
    }
    collected = hospital.collected
    for host, (program, action) in sought.items():
        keys = {"program": program, "action": action, "outcome": "success", "accession": done.accession}
        stage.eventually(
            partial(collected.has_event, host, **keys),
            timeout=FOLLOWED_WITHIN,
            otherwise=f"{collected.centre} has no event of {host} with {keys}",
        )
    return f"{done.accession} at {', '.join(places)}; in the collected logs of all of them"


STEPS: tuple[Step[ExaminationFacts], ...] = (
    Step(
        "trace", "One accession number through every system", Actor("order-placer"), "RAD-2 to RAD-28",
        "record, RIS, scanner, PACS and VNA have it, and each one's log at the collector", trace, ("archive",),
    ),
)  # fmt: skip
