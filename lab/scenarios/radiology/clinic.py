"""The hospital as steps use it: what people do at the record, and what each system then knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lab.hospital.archive import Archive
from lab.scenarios.failure import StepFailure

if TYPE_CHECKING:
    from lab.hospital.collected import Mark
    from lab.scenarios.stage import Stage

SCHEDULED_WITHIN = 20
"""Seconds in which an order has to be scheduled, and its number known to the record."""
FOLLOWED_WITHIN = 30
"""Seconds in which other systems have to follow what one of them was told."""


@dataclass(frozen=True)
class Examination:
    """One order on its way: who, under which numbers, and on which station."""

    patient: str
    placer: str
    accession: str
    study: str
    modality: str
    station: str


@dataclass(frozen=True)
class Order:
    """What is ordered: procedure code, its meaning, and the kind of modality."""

    code: str
    text: str
    modality: str


CT_HEAD = Order("CTHEAD", "CT head without contrast", "CT")
MR_HEAD = Order("MRHEAD", "MR head", "MR")
US_ABDOMEN = Order("USABD", "Ultrasound of the abdomen", "US")


class Clinic:
    """The site's hosts by what they are, and their commands."""

    def __init__(self, stage: Stage) -> None:
        """Find who plays which part."""
        self.stage = stage
        self.ris = stage.role("ris")
        self.reader = stage.role("workstation", 0)
        self.archives = [name for name, host in stage.lab.site.hosts.items() if "orthanc" in host.roles]
        self.pacs = next(flow.target for flow in stage.lab.site.flows if "N-ACTION" in flow.permits)

    @property
    def record(self) -> str:
        """The host of the electronic health record, which a small practice does without."""
        return self.stage.role("ehr")

    @property
    def technologist(self) -> str:
        """The second workstation, likewise."""
        return self.stage.role("workstation", 1)

    @property
    def vna(self) -> str:
        """The archive behind the PACS, likewise."""
        return next(name for name in self.archives if name != self.pacs)

    def archive(self, host: str) -> Archive:
        """What an archive holds."""
        return Archive(self.stage.lab, host)

    def register(self, given: str, *, family: str | None = None) -> dict[str, Any]:
        """Register a patient of this run; returns the record's answer."""
        argv = ["pacslab-ehr", "register", "--family", family or f"Test{self.stage.token}", "--given", given]
        answer: dict[str, Any] = self.stage.ask(
            self.record, [*argv, "--birth-date", "19700412", "--sex", "F", "--json"]
        )
        return answer

    def order(self, patient: str, order: Order) -> Examination:
        """Place an order and wait until it is scheduled on a station.

        Raises:
            StepFailure: it was not scheduled in time, or on no station of the site.
        """
        argv = ["pacslab-ehr", "order", patient, "--code", order.code, "--text", order.text]
        argv += ["--modality", order.modality, "--wait", str(SCHEDULED_WITHIN), "--json"]
        row = self.stage.ask(self.record, argv)["order"]
        known = self.of_ris(row["accession"])
        return Examination(
            patient=patient,
            placer=row["placer"],
            accession=row["accession"],
            study=known["procedure"]["study_uid"],
            modality=order.modality,
            station=self.station(known["steps"][0]["station_ae"]),
        )

    def station(self, title: str) -> str:
        """The host of an AE title.

        Raises:
            StepFailure: there is none.
        """
        for name, host in self.stage.lab.site.hosts.items():
            if host.ae_title == title:
                return name
        raise StepFailure(f"the order was scheduled on {title}, which is no host of the site")

    def of_ris(self, accession: str) -> dict[str, Any]:
        """Everything the RIS knows of an accession number."""
        known: dict[str, Any] = self.stage.ask(self.ris, ["pacslab-ris", "show", accession, "--json"])
        return known

    def of_record(self, placer: str) -> dict[str, Any]:
        """Everything the record knows of an order."""
        known: dict[str, Any] = self.stage.ask(self.record, ["pacslab-ehr", "show", placer, "--json"])
        return known

    def at(self, station: str, *words: str, timeout: float = 120) -> dict[str, Any]:
        """Run a verb of the modality on its host; returns the answer."""
        answer: dict[str, Any] = self.stage.ask(station, ["pacslab-modality", *words, "--json"], timeout=timeout)
        return answer

    def queue(self, examination: Examination) -> dict[str, Any]:
        """How far the station is with the images of an order."""
        return self.at(examination.station, "queue", "--accession", examination.accession)

    def status_at_ris(self, accession: str, wanted: str) -> str:
        """Wait until the RIS has a procedure in a status.

        Raises:
            StepFailure: it has not, in time.
        """
        return self.stage.eventually(
            lambda: wanted if self.of_ris(accession)["procedure"]["status"] == wanted else None,
            timeout=FOLLOWED_WITHIN,
            otherwise=f"the RIS does not have {accession} as {wanted}",
        )

    def status_at_record(self, placer: str, wanted: str) -> str:
        """Wait until the record has an order in a status.

        Raises:
            StepFailure: it has not, in time.
        """
        return self.stage.eventually(
            lambda: wanted if self.of_record(placer)["order"]["status"] == wanted else None,
            timeout=FOLLOWED_WITHIN,
            otherwise=f"the record does not have {placer} as {wanted}",
        )

    def knows_procedure(self, host: str, examination: Examination) -> str:
        """Tell in which state an archive's image manager keeps the procedure of an order.

        Raises:
            StepFailure: it does not, or for another patient or study.
        """
        rows = self.stage.ask(host, ["pacslab-image-manager", "procedures", "--json"])
        kept = next((row for row in rows if row["accession"] == examination.accession), None)
        if kept is None or (kept["patient"], kept["study_uid"]) != (examination.patient, examination.study):
            raise StepFailure(f"{host} keeps {kept or 'nothing'} for {examination.accession}")
        return str(kept["state"])

    def received(self, host: str, mark: Mark, control_id: str) -> str:
        """Wait until a host's log at the collector says that it received a message.

        Raises:
            StepFailure: it does not, in time.
        """
        line = self.stage.collected.wait(
            host,
            mark,
            # The text alone: every collected line has a key of that name.
            lambda one: "received type=" in one["message"] and control_id in one["message"],
            timeout=FOLLOWED_WITHIN,
        )
        if line is None:
            raise StepFailure(f"no line at {self.stage.collected.centre} that {host} received message {control_id}")
        return f"{host} logged message {control_id} as received"
