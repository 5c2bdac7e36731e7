"""Performing a scheduled procedure step: begin, make images, store, end, commit; whole or in parts."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pydicom.dataset import Dataset

from simulators.errors import ArgumentError, NotFoundError
from simulators.events.actions import ACQUIRE, BEGIN_STEP, IMPORT
from simulators.events.report import performing, write_event
from simulators.imaging.acquire import images_of
from simulators.imaging.context import from_worklist
from simulators.imaging.frame import new_uid
from simulators.modality import procedure_step, worklist
from simulators.modality.spool import COMPLETED, IN_PROGRESS, PerformedStep

if TYPE_CHECKING:
    from pydicom.dataset import FileDataset

    from simulators.events.vocabulary import Facts
    from simulators.imaging.context import StudyContext
    from simulators.modality.links import Links
    from simulators.modality.spool import Spool


def begin(links: Links, spool: Spool, *, accession: str, step_id: str, commit: bool) -> PerformedStep:
    """Find the step in the worklist and tell the RIS that it is in progress.

    Raises:
        NotFoundError, ArgumentError: not one step.
        SimulatorError: the RIS is away or refuses.
    """
    items = worklist.query(links, accession=accession, step_id=step_id)
    return perform(links, spool, worklist.choose(items, accession or step_id), commit=commit)


def perform(links: Links, spool: Spool, item: Dataset, *, commit: bool) -> PerformedStep:
    """Begin a performed procedure step for a worklist item.

    Raises:
        SimulatorError: the RIS is away or refuses.
    """
    scheduled = worklist.step_of(item)
    uid = new_uid()
    started = datetime.now(tz=UTC)
    accession = str(item.get("AccessionNumber") or "")
    step_id = str(scheduled.get("ScheduledProcedureStepID") or "")
    patient = str(item.get("PatientID") or "")
    facts = {"patient": patient, "accession": accession, "study": item.StudyInstanceUID, "step": step_id, "mpps": uid}
    with performing(BEGIN_STEP, ae_title=links.ae_title, peer=links.ris.name, **facts):
        procedure_step.begin(links, item, uid, started)
    step = PerformedStep(
        uid=uid,
        accession=accession,
        step_id=step_id,
        worklist_item=item.to_json(),
        started=started.timestamp(),
        status=IN_PROGRESS,
        reported=True,
        reason="",
        commit_wanted=commit,
    )
    spool.add_step(step)
    return step


def item_of(step: PerformedStep) -> Dataset:
    """The worklist item that a step was begun for."""
    return Dataset.from_json(json.loads(step.worklist_item))


def find_steps(spool: Spool, *, accession: str, step_id: str) -> list[PerformedStep]:
    """The steps that this modality began for an accession number or scheduled step, oldest first.

    Raises:
        NotFoundError: there is none.
    """
    found = [step for step in spool.steps() if accession in {"", step.accession} and step_id in {"", step.step_id}]
    if not found:
        raise NotFoundError(
            f"No step for {accession or step_id} was begun here.", remedy="Begin it with `pacslab-modality begin`."
        )
    return found


def find_step(spool: Spool, *, accession: str, step_id: str) -> PerformedStep:
    """The newest of them; errors as :func:`find_steps`."""
    return find_steps(spool, accession=accession, step_id=step_id)[-1]


def study_of(links: Links, step: PerformedStep) -> StudyContext:
    """What objects made in the step say of their study."""
    context = from_worklist(item_of(step), links.equipment, performed_step_uid=step.uid)
    return replace(context, started=datetime.fromtimestamp(step.started, tz=UTC))


def acquire(links: Links, spool: Spool, step: PerformedStep, *, images: int | None, phantom: bool) -> int:
    """Make the images of a step and put them into the spool; return how many.

    Raises:
        ArgumentError: the step has ended.
    """
    require_in_progress(step)
    number = 1 + len({instance.series for instance in spool.instances(step.uid)})
    count = 0
    for image in images_of(links.modality, study_of(links, step), images, phantom=phantom, number=number):
        spool.add_image(step.uid, image)
        count += 1
    write_event(ACQUIRE, **identity_of(step), modality=links.modality, instances=count)
    return count


def add(spool: Spool, step: PerformedStep, document: FileDataset) -> None:
    """Put an imported object into the spool, to be stored and listed with the step's images."""
    require_in_progress(step)
    spool.add_image(step.uid, document)
    write_event(IMPORT, **identity_of(step), sop_class=document.SOPClassUID, instance=document.SOPInstanceUID)


def identity_of(step: PerformedStep) -> Facts:
    """What identifies a step in an event."""
    return {"accession": step.accession, "study": step.study, "step": step.step_id}


def end(spool: Spool, step: PerformedStep, status: str, reason: str = "") -> PerformedStep:
    """Set the final state of a step.

    Raises:
        ArgumentError: it has one already, there is nothing to complete, or the reason is not of CID 9300.
    """
    require_in_progress(step)
    if status == COMPLETED and not spool.instances(step.uid):
        raise ArgumentError(f"Step {step.step_id} has no images.", remedy="Make some, or discontinue it.")
    if reason and reason not in procedure_step.REASONS:
        raise ArgumentError(
            f"{reason} is no reason to discontinue.", remedy=f"Use one of {', '.join(procedure_step.REASONS)}."
        )
    spool.end_step(step.uid, status, reason)
    return replace(step, status=status, reason=reason, reported=False)


def require_in_progress(step: PerformedStep) -> None:
    """Refuse to change a step with a final state (PS3.4 F.7.2.2.2).

    Raises:
        ArgumentError: it has one.
    """
    if step.status != IN_PROGRESS:
        raise ArgumentError(
            f"Step {step.step_id} is {step.status}; that cannot be changed.", remedy="Begin another step of the order."
        )
