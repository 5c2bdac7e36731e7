"""Delivery of what is in the spool: images, ends of procedure steps, and requests for storage commitment."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from simulators.errors import AssociationRejectedError, BusyError, RefusedError, SimulatorError, TlsRefusedError
from simulators.events import reasons
from simulators.events.actions import BEGIN_TRANSFER, DELIVER, REQUEST_COMMITMENT, STORE, UPDATE_STEP
from simulators.events.report import performing, reason_of, write_event, write_failure
from simulators.imaging.transfer import Parcel
from simulators.modality import commitment, procedure_step
from simulators.modality.acquisition import confirm, identity_of, repeat_begin
from simulators.modality.spool import (
    ACQUIRED,
    ANSWERED,
    ASKED,
    COMMIT,
    END,
    IN_PROGRESS,
    LONGEST_PAUSE,
    STORED,
    WAITING,
)
from simulators.modality.store import send

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from simulators.modality.links import Links
    from simulators.modality.spool import Instance, PerformedStep, Spool, Transaction

OUT_OF_RESOURCES = "status 0xA7"
"""How a refusal begins that is about the archive and not the image (PS3.4 B.2.3)."""
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
    pending = {entry.uid: entry for entry in instances}
    size = 0
    stored = 0
    refused: dict[str, str] = {}
    error: SimulatorError | None = None
    try:
        for outcome in send(partial(links.open, links.archive), [_parcel(spool, entry) for entry in instances]):
            if len(pending) == len(instances):
                _tell_begin(links, spool, instances)
            instance = pending.pop(outcome.uid)
            if outcome.error:
                _mark(links, spool, instance, outcome.error)
                refused[instance.step] = outcome.error
                continue
            spool.mark_stored(instance.uid)
            stored += 1
            size += instance.bytes
    except SimulatorError as caught:
        error = caught
        for instance in pending.values():
            spool.mark_failed(instance, caught.message)
    seconds = time.monotonic() - begun
    _tell(links, spool, instances, error, refused)
    return Delivery(stored, len(instances) - stored, size, seconds, error)


def _tell_begin(links: Links, spool: Spool, instances: Sequence[Instance]) -> None:
    """Write an event for each step whose images are on their way; the archive has answered for the first one."""
    counts = Counter(instance.step for instance in instances)
    for step in (step for step in spool.steps() if step.uid in counts):
        facts = {"ae_title": links.ae_title, "peer": links.archive.name, **identity_of(step)}
        write_event(BEGIN_TRANSFER, **facts, instances=counts[step.uid])


def _mark(links: Links, spool: Spool, instance: Instance, error: str) -> None:
    """Write down that an image was not taken; one that the archive refuses for what it is, is set aside in the end."""
    if not error.startswith("status ") or error.startswith(OUT_OF_RESOURCES):
        spool.mark_failed(instance, error)
    elif spool.mark_refused(instance, error):
        write_event(
            STORE,
            reason=reasons.SET_ASIDE,
            transaction="RAD-8",
            ae_title=links.ae_title,
            peer=links.archive.name,
            instance=instance.uid,
            status=error.removeprefix("status "),
        )


def _tell(
    links: Links,
    spool: Spool,
    instances: Sequence[Instance],
    error: SimulatorError | None,
    refused: Mapping[str, str],
) -> None:
    """Write an event for each step that the images are of: one association may serve several orders.

    Args:
        links: the modality's peers.
        spool: holds the steps.
        instances: what was to be sent.
        error: what ended the delivery.
        refused: for each step of which an image was not taken, what was wrong with the last one.
    """
    sent = {instance.uid for instance in instances}
    steps = {instance.step for instance in instances}
    for step in (step for step in spool.steps() if step.uid in steps):
        left = sum(instance.uid in sent for instance in spool.instances(step.uid, [ACQUIRED]))
        reason = reason_of(error) if error else reasons.NOT_STORED
        write_event(
            STORE,
            reason=reason if left else None,
            waiting=True,
            transaction="RAD-8",
            ae_title=links.ae_title,
            peer=links.archive.name,
            **identity_of(step),
            instances=sum(instance.step == step.uid for instance in instances) - left,
            left=left,
            status=refused.get(step.uid, "").removeprefix("status "),
            error=type(error).__name__ if error and left else None,
        )
    if error is not None:
        error.noted = True


def report_end(links: Links, spool: Spool, step: PerformedStep) -> None:
    """Tell the RIS the final state of a step.

    Raises:
        SimulatorError: it could not be told, or refused.
    """
    step = confirm(links, spool, step)
    made = spool.instances(step.uid)
    facts = {**identity_of(step), "mpps": step.uid, "state": step.status, "instances": len(made)}
    with performing(UPDATE_STEP, ae_title=links.ae_title, peer=links.ris.name, **facts):
        procedure_step.end(links, step, made)
    spool.mark_reported(step.uid)
    spool.accepted(step.uid, END)


def request_commitment(links: Links, spool: Spool, step: PerformedStep) -> Transaction | None:
    """Ask for commitment of all stored images of a step; None when there is nothing to ask for."""
    stored = spool.instances(step.uid, [STORED])
    if not stored:
        return None
    facts = {"peer": links.archive.name, **identity_of(step), "instances": len(stored)}
    with performing(REQUEST_COMMITMENT, ae_title=links.ae_title, **facts) as known:
        transaction = commitment.request(links, spool, step.uid, stored)
        known["commitment"] = transaction.uid
    spool.accepted(step.uid, COMMIT)
    return transaction


def patiently(what: str, act: Callable[..., object], links: Links, spool: Spool, step: PerformedStep) -> None:
    """Tell a peer something of a step once more; what it refuses for what it says is set aside in the end.

    Raises:
        SimulatorError: it is away, or refuses.
    """
    try:
        act(links, spool, step)
    except (BusyError, AssociationRejectedError, TlsRefusedError):
        raise
    except RefusedError as error:
        if spool.refuse(step.uid, what, error.message):
            action, peer = (UPDATE_STEP, links.ris) if what == END else (REQUEST_COMMITMENT, links.archive)
            write_event(action, reason=reasons.SET_ASIDE, ae_title=links.ae_title, peer=peer.name, **identity_of(step))
        raise


class Courier:
    """The service's part: again and again, with growing pauses while a peer is away."""

    def __init__(self, links: Callable[[], Links], spool: Spool) -> None:
        """Deliver over what ``links`` returns; it is asked in every round, as certificates and CRLs are renewed."""
        self._links = links
        self._spool = spool
        self._failures: dict[str, tuple[int, float]] = {}

    def round(self) -> None:
        """Try all that is due once; a command that is sending goes first."""
        with self._spool.delivering(wait=False) as mine:
            if mine and (work := list(self._work(time.time()))):
                links = self._links()
                self._failures = {what: self._failures[what] for what, _ in work if what in self._failures}
                for what, act in work:
                    self._attempt(what, partial(act, links, self._spool))

    def _work(self, now: float) -> Iterator[tuple[str, Callable[[Links, Spool], object]]]:
        waiting = self._spool.instances(states=[ACQUIRED])
        due = [instance for instance in waiting if instance.due <= now]
        if due:
            yield "images", partial(_store_due, instances=due)
        complete = {instance.step for instance in self._spool.instances(states=[STORED])} - {
            instance.step for instance in waiting
        }
        aside = {(one.step, one.what) for one in self._spool.refusals() if one.state != WAITING}
        for step in self._spool.steps():
            if step.begun == ASKED:
                yield f"begin {step.uid}", partial(repeat_begin, step=step)
            ended = step.status != IN_PROGRESS and not step.reported and step.begun == ANSWERED
            if ended and (step.uid, END) not in aside:
                yield f"end {step.uid}", partial(patiently, END, report_end, step=step)
            wanted = step.commit_wanted and step.uid in complete and self._asks_again(step, now)
            if wanted and (step.uid, COMMIT) not in aside:
                yield f"commit {step.uid}", partial(patiently, COMMIT, request_commitment, step=step)

    def _asks_again(self, step: PerformedStep, now: float) -> bool:
        """Whether the archive has no request of the step, or its answer is overdue."""
        asked = [transaction for transaction in self._spool.transactions(step.uid) if transaction.state == "requested"]
        return not asked or asked[-1].requested + ANSWER_SECONDS < now

    def _attempt(self, what: str, act: Callable[[], object]) -> None:
        count, not_before = self._failures.get(what, (0, 0.0))
        if time.time() < not_before:
            return
        try:
            act()
        except SimulatorError as error:
            self._failures[what] = (count + 1, time.time() + min(2.0**count, LONGEST_PAUSE))
            write_failure(DELIVER, error, waiting=True)
        else:
            self._failures.pop(what, None)


def _store_due(links: Links, spool: Spool, instances: Sequence[Instance]) -> None:
    """Send images; each keeps its own time of the next attempt."""
    store_images(links, spool, instances)


def _parcel(spool: Spool, instance: Instance) -> Parcel:
    return Parcel(instance.uid, instance.sop_class, instance.syntax, spool.path(instance.uid))
