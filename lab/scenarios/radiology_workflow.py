"""Scenario 1: sample radiology practice workflows, and what they must refuse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.scenarios.model import Scenario
from lab.scenarios.radiology import acquisition, evaluation, refusals, trace, variants

if TYPE_CHECKING:
    from lab.scenarios.model import Step
    from lab.scenarios.stage import Stage


def build(stage: Stage) -> tuple[Step, ...]:
    """Acquisition, evaluation, variants, refusals, and what is looked at in the end."""
    return (
        *acquisition.steps(stage),
        *evaluation.steps(stage),
        *variants.steps(stage),
        *refusals.steps(stage),
        *evaluation.last_steps(stage),
        *trace.steps(stage),
    )


SCENARIO = Scenario(
    name="radiology-workflow",
    title="Sample radiology practice workflows",
    summary="An order from registration to report over mutual TLS, its variants, and everything that must be refused.",
    roles=("ehr", "ris", "modality", "workstation", "orthanc", "image_manager"),
    build=build,
)
