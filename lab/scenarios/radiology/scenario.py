"""Scenario 1: sample radiology practice workflows, and what they must refuse."""

from __future__ import annotations

from lab.hospital.hospital import Actor
from lab.scenarios.model import Scenario
from lab.scenarios.radiology import acquisition, evaluation, people, refusals, trace, variants
from lab.scenarios.radiology.facts import RadiologyFacts

SCENARIO = Scenario(
    name="radiology-workflow",
    title="Sample radiology practice workflows",
    summary="An order from registration to report over mutual TLS, its variants, and everything that must be refused.",
    facts=RadiologyFacts,
    steps=(
        *acquisition.STEPS,
        *evaluation.STEPS,
        *variants.STEPS,
        *people.STEPS,
        *refusals.STEPS,
        *evaluation.LAST_STEPS,
        *trace.STEPS,
    ),
    also=(Actor("long-term-archive"),),
)
