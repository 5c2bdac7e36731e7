"""Audit and monitoring: a normal day is on record and raises no alert; what a hospital fears is noticed in seconds."""

from __future__ import annotations

from lab.hospital.hospital import Actor
from lab.scenarios.model import Scenario
from lab.scenarios.monitoring import switching
from lab.scenarios.monitoring.day import account, patients, people
from lab.scenarios.monitoring.deeds import deeds
from lab.scenarios.monitoring.facts import MonitoringFacts
from lab.scenarios.monitoring.notice import step_of

SCENARIO = Scenario(
    name="audit-and-monitoring",
    title="Audit and monitoring",
    summary="A normal day, of which everything is on record and nothing alerts; then abuses, each noticed by its rule.",
    facts=MonitoringFacts,
    also=(Actor("reading"), Actor("quality-control"), Actor("order-filler"), Actor("primary-archive")),
    at_length=True,
    steps=(
        *patients.STEPS,
        *people.STEPS,
        *account.STEPS,
        *switching.STEPS,
        *(step_of(deed) for deed in deeds()),
    ),
)
