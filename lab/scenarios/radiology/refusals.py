"""What the workflow's services must refuse: abuse cases, as steps beside the clinical ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.hospital.hospital import Actor
from lab.scenarios.examination.course import CT_HEAD
from lab.scenarios.refusal import refusal

if TYPE_CHECKING:
    from lab.scenarios.examination.course import ExaminationFacts
    from lab.scenarios.model import Step

SCANNER, RECORD, READER = Actor("acquisition", CT_HEAD.section), Actor("order-placer"), Actor("reading")

STEPS: tuple[Step[ExaminationFacts], ...] = (
    # Callers without a certificate that counts, or without TLS that does
    refusal("no-certificate", "abuse.dicom-no-certificate", SCANNER),
    refusal("foreign-ca", "abuse.dicom-foreign-ca", SCANNER),
    refusal("self-signed", "abuse.dicom-self-signed", SCANNER),
    refusal("expired", "abuse.dicom-expired", SCANNER),
    refusal("revoked", "abuse.dicom-revoked", SCANNER),
    refusal("wrong-profile", "abuse.dicom-wrong-profile", SCANNER),
    refusal("plain-dicom", "abuse.dicom-plain", SCANNER),
    refusal("old-tls", "abuse.dicom-old-tls", SCANNER),
    # Callers with a good certificate and a name that is not theirs
    refusal("other-ae-title", "abuse.dicom-other-ae-title", SCANNER),
    refusal("stolen-certificate", "abuse.dicom-stolen-certificate", SCANNER),
    refusal("unknown-called-ae", "abuse.dicom-unknown-called-ae", SCANNER),
    # Callers who are who they say, and ask what no flow permits them, or what nobody can read
    refusal("modality-find", "abuse.dicom-modality-find", SCANNER),
    refusal("modality-get", "abuse.dicom-modality-get", SCANNER, needs=("store",)),
    refusal("foreign-worklist", "abuse.dicom-foreign-worklist", SCANNER),
    refusal("completed-step", "abuse.dicom-completed-step", SCANNER),
    refusal("false-availability", "abuse.dicom-false-availability", SCANNER),
    refusal("malformed-pdu", "abuse.dicom-malformed-pdu", SCANNER),
    refusal("oversized-pdu", "abuse.dicom-oversized-pdu", SCANNER),
    refusal("malformed-object", "abuse.dicom-malformed-object", SCANNER),
    # HL7 that must not be taken
    refusal("hl7-no-certificate", "abuse.hl7-no-certificate", RECORD),
    refusal("hl7-unlisted-sender", "abuse.hl7-unlisted-sender", RECORD),
    refusal("hl7-other-sender", "abuse.hl7-other-sender", RECORD),
    refusal("hl7-other-event", "abuse.hl7-other-event", READER),
    refusal("hl7-duplicate", "abuse.hl7-duplicate", RECORD),
    refusal("hl7-malformed", "abuse.hl7-malformed", RECORD),
)
