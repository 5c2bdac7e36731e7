"""One accession number, followed through every system."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from lab.scenarios.model import Step
from lab.scenarios.radiology.acquisition import examination
from lab.scenarios.radiology.clinic import FOLLOWED_WITHIN, Clinic
from lab.scenarios.stage import require

if TYPE_CHECKING:
    from lab.scenarios.stage import Stage


def trace(stage: Stage) -> str:
    """Ask every system for the accession number, and the collector whose logs speak of it."""
    clinic, done = Clinic(stage), examination(stage)
    places = {
        clinic.record: clinic.of_record(done.placer)["order"]["accession"],
        clinic.ris: clinic.of_ris(done.accession)["procedure"]["accession"],
        done.station: clinic.queue(done)["steps"][0]["accession"],
    }
    for host in clinic.archives:
        numbers = {one["AccessionNumber"] for one in clinic.archive(host).instances(done.study)}
        places[host] = numbers.pop() if len(numbers) == 1 else f"{len(numbers)} accession numbers"
    wrong = {host: number for host, number in places.items() if number != done.accession}
    require(not wrong, f"other accession numbers: {wrong}")
    about = f"accession={done.accession} "
    sought = {
        clinic.record: ("pacslab-ehr", about),
        clinic.ris: ("pacslab-ris", about),
        done.station: ("pacslab-modality", about),
        **dict.fromkeys(clinic.archives, ("pacslab-image-manager", f"images-arrived {about}")),
    }
    for host, (program, text) in sought.items():
        stage.eventually(
            partial(stage.collected.has, host, program, text),
            timeout=FOLLOWED_WITHIN,
            otherwise=f"{stage.collected.centre} has no line {text!r} of {program} on {host}",
        )
    return f"{done.accession} at {', '.join(places)}; in the collected logs of all of them"


def steps(stage: Stage) -> tuple[Step, ...]:
    """The one step."""
    return (
        Step(
            "trace", "One accession number through every system", stage.collected.centre, "RAD-2 to RAD-28",
            ("PR.PT-1", "DE.AE-1"), "record, RIS, scanner, PACS and VNA have it, and each one's log at the collector",
            trace, ("archive",),
        ),
    )  # fmt: skip
