"""What scanners and record ask for that is not theirs: another's worklist, messages of who is no sender."""

from __future__ import annotations

from lab.hospital.hospital import Actor
from lab.scenarios.monitoring.cases import of_case

SCANNER, RECORD = Actor("acquisition"), Actor("order-placer")

DEEDS = (
    of_case("foreign-worklist", "abuse.dicom-foreign-worklist", SCANNER, "worklist-of-another"),
    of_case("unlisted-hl7", "abuse.hl7-unlisted-sender", RECORD, "caller-without-flow"),
)
