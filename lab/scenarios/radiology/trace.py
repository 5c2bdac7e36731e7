"""One accession number, followed through every system."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.scenarios.model import Step
from lab.scenarios.radiology.acquisition import examination
from lab.scenarios.radiology.clinic import FOLLOWED_WITHIN, Clinic
from lab.scenarios.stage import require
from lab.verify.collected import FOLDER

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
    wanted = {clinic.ris}

    def logs() -> set[str]:
        found = stage.run(stage.collected.centre, ["sh", "-c", f'grep -l "$1" {FOLDER}/*.jsonl', "sh", done.accession])
        return {line.rpartition("/")[2].removesuffix(".jsonl") for line in found.stdout.split()}

    seen = stage.eventually(
        lambda: logs() if logs() >= wanted else None,
        timeout=FOLLOWED_WITHIN,
        otherwise=f"{stage.collected.centre} has {done.accession} in the logs of {sorted(logs())} only",
    )
    return f"{done.accession} at {', '.join(places)}; in the logs of {', '.join(sorted(seen))}"


def steps(stage: Stage) -> tuple[Step, ...]:
    """The one step."""
    return (
        Step(
            "trace", "One accession number through every system", stage.collected.centre, "RAD-2 to RAD-28",
            ("PR.PT-1", "DE.AE-1"), "record, RIS, scanner, PACS, VNA and the collected logs have it", trace,
            ("archive",),
        ),
    )  # fmt: skip
