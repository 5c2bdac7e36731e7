"""Storing an object and making sure that the archive can find it again (RAD-19, RAD-24, RAD-29, RAD-43)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydicom import dcmread

from simulators.deadline import Deadline
from simulators.errors import NoAnswerError, RefusedError, SimulatorError, UnreachableError
from simulators.events.actions import BEGIN_TRANSFER, STORE
from simulators.events.report import performing, write_event
from simulators.imaging.transfer import ABORTED, NO_ANSWER, Parcel, negotiated, parcel_of, store
from simulators.workstation.pending import PAUSE_SECONDS, SECONDS
from simulators.workstation.query import find

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from simulators.workstation.desk import Desk
    from simulators.workstation.pending import PendingObject, PendingObjects

_LOST = frozenset({NO_ANSWER, ABORTED})
"""What leaves open whether the archive has the object: it has it once, however often it is sent."""


def keep(desk: Desk, pending: PendingObjects, document: Dataset, transaction: str) -> dict[str, str]:
    """Store an object, look it up, and return what identifies it; the log has it as that transaction.

    Raises:
        NoAnswerError: the archive may have it or not; `pending` keeps it.
        RefusedError: it did not take the object, or does not know it afterwards.
        SimulatorError: the archive is away, and has nothing of it.
    """
    return send(desk, pending, pending.keep(document, desk.archive.name, transaction))


def send(desk: Desk, pending: PendingObjects, kept: PendingObject) -> dict[str, str]:
    """Send an object, for the first time or again; errors as :func:`keep`."""
    head = dcmread(kept.path, stop_before_pixels=True)
    facts = {
        "accession": head.get("AccessionNumber"),
        "study": head.StudyInstanceUID,
        "instance": head.SOPInstanceUID,
        "sop_class": head.SOPClassUID,
    }
    identity = {name: str(head[name].value) for name in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")}
    deadline = Deadline(SECONDS)
    write_event(BEGIN_TRANSFER, ae_title=desk.ae_title, peer=desk.archive.name, **facts)
    with performing(STORE, transaction=kept.transaction, **desk.actor, **facts):
        error = _store(desk, pending, kept, deadline)
        if error:
            pending.forget(kept)
            raise RefusedError(f"{desk.archive.name} did not take the object: {error}", remedy="Look at its log.")
    found = _look_up(desk, identity, deadline)
    pending.forget(kept)
    if found != 1:
        raise RefusedError(
            f"{desk.archive.name} took {head.SOPInstanceUID} and does not find it.", remedy="Look at its log and disk."
        )
    return {**identity, "SOPClassUID": str(head.SOPClassUID), "archive": desk.archive.name}


def _store(desk: Desk, pending: PendingObjects, kept: PendingObject, deadline: Deadline) -> str:
    """Send an object until the archive has answered, and return what was wrong; empty when it has it.

    Raises:
        NoAnswerError: it did not answer in time.
        SimulatorError: nothing has reached it, and the object is forgotten.
    """
    parcel = parcel_of(kept.path)
    sent = False
    while True:
        try:
            error = _attempt(desk, parcel)
        except SimulatorError as failure:
            if not sent:
                pending.forget(kept)
                raise
            if not isinstance(failure, UnreachableError):
                raise
            error = NO_ANSWER
        if error not in _LOST:
            return error
        sent = True
        _wait(desk, deadline)


def _attempt(desk: Desk, parcel: Parcel) -> str:
    with desk.open(negotiated([parcel])) as association:
        return store(association, parcel)


def _look_up(desk: Desk, identity: dict[str, str], deadline: Deadline) -> int:
    """Return how many objects the archive finds.

    Raises:
        NoAnswerError: it did not answer in time.
    """
    while True:
        try:
            return len(find(desk, "IMAGE", identity))
        except UnreachableError:
            _wait(desk, deadline)


def _wait(desk: Desk, deadline: Deadline) -> None:
    """Wait before the next attempt.

    Raises:
        NoAnswerError: there is none any more.
    """
    if deadline.over:
        raise NoAnswerError(
            f"{desk.archive.name} has not answered for an object that it may have.",
            remedy="It is kept: `pacslab-workstation submit` sends it again, as the same object.",
        )
    deadline.pause(PAUSE_SECONDS)
