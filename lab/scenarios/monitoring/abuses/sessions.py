"""Sign-ons that fail again and again, and a session that goes on elsewhere."""

from __future__ import annotations

from lab.hospital.hospital import Actor
from lab.scenarios.monitoring.cases import of_case

READING = Actor("reading")

DEEDS = (
    of_case("session-elsewhere", "abuse.viewer-stolen-session", READING, "session-elsewhere"),
    of_case("foreign-study", "abuse.viewer-foreign-study", READING, "patient-of-others"),
)
