"""A patient is registered and an examination ordered at the record; the same whatever is ordered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.hospital.record import Record
from lab.hospital.ris import Ris
from lab.scenarios.examination.course import place_order, received
from lab.scenarios.failure import require

if TYPE_CHECKING:
    from lab.hospital.record import Procedure
    from lab.scenarios.examination.course import ExaminationFacts
    from lab.scenarios.stage import Stage


def register(stage: Stage[ExaminationFacts]) -> str:
    """The RIS takes the registration and logs it (RAD-1)."""
    ris = stage.hospital.host("order-filler")
    mark = stage.hospital.collected.mark(ris)
    answer = Record.of(stage.hospital).register(f"Test{stage.token}", "Anna")
    stage.facts.patient = answer.patient.identifier
    return f"patient {answer.patient.identifier}: {received(stage, ris, mark, answer.message.control_id)}"


def order(procedure: Procedure, stage: Stage[ExaminationFacts]) -> str:
    """The RIS schedules the order under an accession number, and the record learns it (RAD-2, RAD-3)."""
    placed = place_order(stage, stage.facts.patient, procedure)
    known = Ris.of(stage.hospital).show(placed.accession).procedure
    require(
        (known.patient_id, known.status) == (stage.facts.patient, "scheduled"),
        f"the RIS has {known.placer} of {known.patient_id} as {known.status}",
    )
    stage.facts.examination = placed
    return f"order {placed.placer} is scheduled as {placed.accession} on {placed.station}"
