"""Delivery of what is in the spool: images, ends of procedure steps, and requests for storage commitment."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from simulators import journal
from simulators.errors import SimulatorError
from simulators.imaging.transfer import Parcel
from simulators.modality import commitment, procedure_step
from simulators.modality.spool import ACQUIRED, IN_PROGRESS, LONGEST_PAUSE, STORED
from simulators.modality.store import send
from simulators.service import record, refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from simulators.modality.links import Links
    from simulators.modality.spool import Instance, PerformedStep, Spool, Transaction

ANSWER_SECONDS = 120.0
"""A request for storage commitment that is not answered in this time is made again."""


@dataclass(frozen=True)
class Delivery:
    """What one attempt achieved."""

    stored: int
    waiting: int
    bytes: int
    seconds: float
    error: SimulatorError | None = None


def store_images(links: Links, spool: Spool, instances: Sequence[Instance]) -> Delivery:
    """Send images and write down what became of each; an archive that is away leaves them for the next attempt."""
    begun = time.monotonic()
    pending = {one.uid: one for one in instances}
    size = 0
    stored = 0
    error: SimulatorError | None = None
    try:
        for outcome in send(partial(links.open, links.archive), [_parcel(spool, one) for one in instances]):
            instance = pending.pop(outcome.uid)
            if outcome.error:
                spool.mark_failed(instance, outcome.error)
                record("not-stored", instance=instance.uid, reason=outcome.error)
                continue
            spool.mark_stored(instance.uid)
            stored += 1
            size += instance.bytes
    except SimulatorError as caught:
        error = caught
        for instance in pending.values():
            spool.mark_failed(instance, caught.message)
    seconds = time.monotonic() - begun
    _note_stored(links, spool, instances, error)
    return Delivery(stored, len(instances) - stored, size, seconds, error)


def _note_stored(links: Links, spool: Spool, instances: Sequence[Instance], error: SimulatorError | None) -> None:
    """Write a line for each step that the images are of: one association may serve several orders."""
    sent = {one.uid for one in instances}
    steps = {one.step for one in instances}
    for step in (one for one in spool.steps() if one.uid in steps):
        left = sum(one.uid in sent for one in spool.instances(step.uid, [ACQUIRED]))
        refusal = journal.outcome_of(error) if error else journal.REFUSED
        journal.note(
            "RAD-8",
            "stored",
            peer=links.archive.name,
            **_of(step),
            instances=sum(one.step == step.uid for one in instances) - left,
            waiting=left,
            error=type(error).__name__ if error and left else None,
            outcome=refusal if left else journal.SUCCESS,
        )
    if error is not None:
        error.noted = True


def report_end(links: Links, spool: Spool, step: PerformedStep) -> None:
    """Tell the RIS the final state of a step.

    Raises:
        SimulatorError: it could not be told, or refused.
    """
    made = spool.instances(step.uid)
    action = step.status.lower()
    with journal.transaction("RAD-7", action, peer=links.ris.name, **_of(step), mpps=step.uid, instances=len(made)):
        procedure_step.end(links, step.uid, step.status, step.reason, made)
    spool.mark_reported(step.uid)


def request_commitment(links: Links, spool: Spool, step: PerformedStep) -> Transaction | None:
    """Ask for commitment of all stored images of a step; None when there is nothing to ask for."""
    stored = spool.instances(step.uid, [STORED])
    if not stored:
        return None
    facts = {"peer": links.archive.name, **_of(step), "instances": len(stored)}
    with journal.transaction("RAD-10", "commitment-requested", **facts) as known:
        transaction = commitment.request(links, spool, step.uid, stored)
        known["commitment"] = transaction.uid
    return transaction


def _of(step: PerformedStep) -> dict[str, str]:
    """What identifies a step in the log."""
    return {"accession": step.accession, "study": step.study, "step": step.step_id}


class Courier:
    """The service's part: again and again, with growing pauses while a peer is away."""

    def __init__(self, links: Callable[[], Links], spool: Spool) -> None:
        """Deliver over what ``links`` returns; it is asked in every round, as certificates and CRLs are renewed."""
        self._links = links
        self._spool = spool
        self._failures: dict[str, tuple[int, float]] = {}

    def round(self) -> None:
        """Try all that is due once; a command that is sending has precedence."""
        with self._spool.delivering(wait=False) as mine:
            if mine and (work := list(self._work(time.time()))):
                links = self._links()
                for what, act in work:
                    self._attempt(what, partial(act, links, self._spool))

    def _work(self, now: float) -> Iterator[tuple[str, Callable[[Links, Spool], object]]]:
        waiting = self._spool.instances(states=[ACQUIRED])
        due = [one for one in waiting if one.due <= now]
        if due:
            yield "images", partial(_store_due, instances=due)
        complete = {one.step for one in self._spool.instances(states=[STORED])} - {one.step for one in waiting}
        for step in self._spool.steps():
            if step.status != IN_PROGRESS and not step.reported:
                yield f"end {step.uid}", partial(report_end, step=step)
            if step.commit_wanted and step.uid in complete and self._asks_again(step, now):
                yield f"commit {step.uid}", partial(request_commitment, step=step)

    def _asks_again(self, step: PerformedStep, now: float) -> bool:
        """Whether no request of the step is open, or its answer is overdue."""
        asked = [one for one in self._spool.transactions(step.uid) if one.state == "requested"]
        return not asked or asked[-1].requested + ANSWER_SECONDS < now

    def _attempt(self, what: str, act: Callable[[], object]) -> None:
        count, not_before = self._failures.get(what, (0, 0.0))
        if time.time() < not_before:
            return
        try:
            act()
        except SimulatorError as error:
            self._failures[what] = (count + 1, time.time() + min(2.0**count, LONGEST_PAUSE))
            refuse(reason="not-delivered", what=what, detail=error.message)
        else:
            self._failures.pop(what, None)


def _store_due(links: Links, spool: Spool, instances: Sequence[Instance]) -> None:
    """Send images; each keeps its own time of the next attempt."""
    delivery = store_images(links, spool, instances)
    if delivery.error is not None:
        refuse(reason="archive-unavailable", detail=delivery.error.message, waiting=delivery.waiting)


def _parcel(spool: Spool, instance: Instance) -> Parcel:
    return Parcel(instance.uid, instance.sop_class, instance.syntax, spool.path(instance.uid))
