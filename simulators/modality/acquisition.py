"""Performing a scheduled procedure step: begin, make images, store, end, commit; whole or in parts."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pydicom.dataset import Dataset

from simulators.errors import (
    ArgumentError,
    AssociationRejectedError,
    BusyError,
    NoAnswerError,
    NotFoundError,
    RefusedError,
    SimulatorError,
    TlsRefusedError,
)
from simulators.events.actions import ACQUIRE, BEGIN_STEP, IMPORT
from simulators.events.report import performing, write_event
from simulators.imaging.context import from_worklist
from simulators.imaging.frame import new_uid
from simulators.modality import procedure_step, worklist
from simulators.modality.spool import ANSWERED, ASKED, COMPLETED, IN_PROGRESS, REFUSED, PerformedStep

if TYPE_CHECKING:
    from pydicom.dataset import FileDataset

    from simulators.events.vocabulary import Facts
    from simulators.imaging.context import StudyContext
    from simulators.modality.links import Links
    from simulators.modality.spool import Spool


def begin(links: Links, spool: Spool, *, accession: str, step_id: str, commit: bool) -> PerformedStep:
    """Find the step in the worklist and tell the RIS that it is in progress.

    A step that was begun here and has no images yet goes on instead: the RIS may have taken it off the worklist while
    its answer was lost. Only when that is still unknown is it told again.

    Raises:
        NotFoundError, ArgumentError: not one step.
        SimulatorError: the RIS is away or refuses.
    """
    pending = _without_images(spool, accession=accession, step_id=step_id, commit=commit)
    if pending is not None:
        if commit:
            spool.want_commitment(pending.uid)
        return confirm(links, spool, pending)
    items = worklist.query(links, accession=accession, step_id=step_id)
    return perform(links, spool, worklist.choose(items, accession or step_id), commit=commit)


def perform(links: Links, spool: Spool, item: Dataset, *, commit: bool) -> PerformedStep:
    """Begin a performed procedure step for a worklist item.

    Raises:
        NoAnswerError: the RIS did not answer; the step stays in the spool, and the service tells the RIS again.
        SimulatorError: the RIS is away or refuses; there is no step.
    """
    step = PerformedStep(
        uid=new_uid(),
        accession=str(item.get("AccessionNumber") or ""),
        step_id=str(worklist.step_of(item).get("ScheduledProcedureStepID") or ""),
        worklist_item=item.to_json(),
        started=datetime.now(tz=UTC).timestamp(),
        status=IN_PROGRESS,
        reported=True,
        reason="",
        commit_wanted=commit,
        begun=ASKED,
    )
    spool.add_step(step)
    try:
        return confirm(links, spool, step)
    except NoAnswerError:
        raise
    except SimulatorError:
        spool.forget_step(step.uid)
        raise


def confirm(links: Links, spool: Spool, step: PerformedStep) -> PerformedStep:
    """Tell the RIS of a step until it has answered; after a lost answer once more at once, with the same words.

    Raises:
        NoAnswerError: it did not answer.
        SimulatorError: it is away or refuses.
    """
    if step.begun != ASKED:
        return step
    item = item_of(step)
    facts = {**identity_of(step), "patient": str(item.get("PatientID") or ""), "mpps": step.uid}
    with performing(BEGIN_STEP, ae_title=links.ae_title, peer=links.ris.name, **facts):
        started = datetime.fromtimestamp(step.started, tz=UTC)
        try:
            procedure_step.begin(links, item, step.uid, started)
        except NoAnswerError:
            procedure_step.begin(links, item, step.uid, started)
    spool.mark_begun(step.uid, ANSWERED)
    return replace(step, begun=ANSWERED)


def repeat_begin(links: Links, spool: Spool, step: PerformedStep) -> None:
    """Tell the RIS again of a step whose beginning it has not answered; the service does so.

    Raises:
        SimulatorError: it is away, or refuses; a step that it refuses for good is forgotten unless it has images.
    """
    try:
        confirm(links, spool, step)
    except (BusyError, AssociationRejectedError, TlsRefusedError):
        raise
    except RefusedError:
        if spool.instances(step.uid):
            spool.mark_begun(step.uid, REFUSED)
        else:
            spool.forget_step(step.uid)
        raise


def _without_images(spool: Spool, *, accession: str, step_id: str, commit: bool) -> PerformedStep | None:
    """The newest step of these that has no images and may have begun, or, where all is done at once, has begun."""
    found = [
        step
        for step in spool.steps()
        if accession in {"", step.accession}
        and step_id in {"", step.step_id}
        and step.status == IN_PROGRESS
        and (step.begun == ASKED or (commit and step.begun == ANSWERED))
        and not spool.instances(step.uid)
    ]
    return found[-1] if found else None


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


def acquire(
    links: Links,
    spool: Spool,
    step: PerformedStep,
    *,
    images: int | None,
    phantom: bool,
    size: int | None = None,
    seed: int = 1,
) -> int:
    """Make the images of a step and put them into the spool; return how many.

    What they are is :func:`simulators.imaging.acquire.images_of`'s to say.

    Raises:
        ArgumentError: the step has ended.
    """
    from simulators.imaging.acquire import images_of  # noqa: PLC0415 # it needs NumPy, which the service is without

    require_in_progress(step)
    number = 1 + len({instance.series for instance in spool.instances(step.uid)})
    count = 0
    study = study_of(links, step)
    for image in images_of(links.modality, study, images, phantom=phantom, number=number, size=size, seed=seed):
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
    ended = datetime.now(tz=UTC).timestamp()
    spool.end_step(step.uid, status, reason, ended)
    return replace(step, status=status, reason=reason, reported=False, ended=ended)


def require_in_progress(step: PerformedStep) -> None:
    """Refuse to change a step with a final state (PS3.4 F.7.2.2.2).

    Raises:
        ArgumentError: it has one.
    """
    if step.status != IN_PROGRESS:
        raise ArgumentError(
            f"Step {step.step_id} is {step.status}; that cannot be changed.", remedy="Begin another step of the order."
        )
