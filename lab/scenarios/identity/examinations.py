"""One examination in each of two departments."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from lab.hospital.modality import Modality
from lab.hospital.record import Record
from lab.hospital.ris import Ris
from lab.hospital.signed_in import person_for, signs_in
from lab.scenarios.examination.course import CT_HEAD, ECHO, place_order
from lab.scenarios.failure import NothingToJudge, require
from lab.scenarios.identity.facts import Case

if TYPE_CHECKING:
    from lab.scenarios.identity.tries import Scene

PROCEDURES = (CT_HEAD, ECHO)
IMAGES = ("--images", "2", "--matrix", "64")


def examine(stage: Scene) -> str:
    """Two patients are ordered for and examined, each in another department."""
    hospital, site = stage.hospital, stage.hospital.site
    record = Record.of(hospital)
    if not signs_in(site, record.host):
        raise NothingToJudge("nobody signs in at this site")
    orderer, cases = person_for(site, record.host, "place-order"), []
    for procedure in PROCEDURES:
        patient = record.register(f"Identity{stage.token}", procedure.code.title()).patient.identifier
        done = place_order(stage, patient, procedure)
        Modality(hospital, done.station).perform("acquire", done.accession, *IMAGES)
        stage.eventually(
            partial(_available, stage, done.accession),
            timeout=60,
            otherwise=f"no archive has told the RIS of {done.accession}",
        )
        cases.append(Case(done, orderer, site.hosts[done.station].asset.owner))
    first, second = cases
    require(first.department != second.department, f"both were examined in {first.department}")
    stage.facts.cases = (first, second)
    stage.acts(record.host)
    return "; ".join(f"{case.done.accession} in {case.department}, ordered by {case.orderer}" for case in cases)


def _available(stage: Scene, accession: str) -> bool:
    return bool(Ris.of(stage.hospital).show(accession).availability)
