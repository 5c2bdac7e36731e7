"""Certificates that are another's, of another time, or no longer good; and DICOM without any."""

from __future__ import annotations

from lab.hospital.hospital import Actor
from lab.scenarios.monitoring.cases import of_case

SCANNER = Actor("acquisition")

DEEDS = (
    of_case("other-title", "abuse.dicom-other-ae-title", SCANNER, "dicom-title-of-another"),
    of_case("stolen-certificate", "abuse.dicom-stolen-certificate", SCANNER, "certificate-from-another-address"),
    of_case("expired-certificate", "abuse.dicom-expired", SCANNER, "certificate-refused"),
    of_case("revoked-certificate", "abuse.dicom-revoked", SCANNER, "certificate-refused"),
    of_case("dicom-in-clear", "abuse.dicom-plain", SCANNER, "protocol-in-clear"),
)
