"""What scanners and senders try: another's worklist, messages of who is in no list, text that is meant for a log."""

from __future__ import annotations

from lab.hospital.hospital import Actor
from lab.scenarios.monitoring.cases import of_case

SCANNER, RECORD = Actor("acquisition"), Actor("order-placer")

DEEDS = (
    of_case("foreign-worklist", "abuse.dicom-foreign-worklist", SCANNER, "worklist-of-another"),
    of_case("unlisted-hl7", "abuse.hl7-unlisted-sender", RECORD, "caller-without-flow"),
    # A name that is meant for who reads the log, and a title that would begin a line of it
    of_case("log-injection", "abuse.hl7-hidden", RECORD, "hl7-malformed"),
    of_case("title-injection", "abuse.dicom-title", SCANNER, "text-for-a-log"),
)
