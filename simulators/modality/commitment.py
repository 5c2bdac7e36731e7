"""RAD-10 Storage Commitment (PS3.4 J): asking the archive to answer for images, and hearing its answer.

The answer may come on the association of the request or on one that the archive opens later.
"""

from __future__ import annotations

import hashlib
from functools import partial
from typing import TYPE_CHECKING, Any

from pydicom.dataset import Dataset
from pynetdicom import evt

from simulators.association import contexts
from simulators.deadline import Deadline
from simulators.errors import BusyError, NoAnswerError, RefusedError
from simulators.events import reasons
from simulators.events.actions import COMMITMENT_REPORT
from simulators.events.report import write_event
from simulators.modality.procedure_step import BUSY, reference_to
from simulators.modality.spool import COMMITTED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from simulators.events.vocabulary import Reason
    from simulators.modality.links import Links
    from simulators.modality.spool import Instance, Spool, Transaction

PUSH_MODEL = "1.2.840.10008.1.20.1"
PUSH_MODEL_INSTANCE = "1.2.840.10008.1.20.1.1"
_REQUEST, _ALL_SAFE, _FAILURES_EXIST = 1, 1, 2

# Statuses of N-EVENT-REPORT-RSP (PS3.7 10.1.1.1.8).
_SUCCESS, _PROCESSING_FAILURE, _INVALID_ARGUMENT, _NO_SUCH_EVENT = 0x0000, 0x0110, 0x0115, 0x0113

FAILURES = {
    0x0110: "processing failure",
    0x0112: "no such object instance",
    0x0213: "resource limitation",
    0x0122: "referenced SOP class not supported",
    0x0119: "class/instance conflict",
    0x0131: "duplicate transaction UID",
}
"""Failure Reason (0008,1197), PS3.3 C.14.1.1."""

SAME_ASSOCIATION_SECONDS = 1.0
"""How long the association of the request is kept open for an answer on it."""


def request(links: Links, spool: Spool, step: str, instances: Sequence[Instance]) -> Transaction:
    """Send N-ACTION for images, and take the answer if it comes on the same association.

    Raises:
        RefusedError: the archive does not take the request; BusyError when it may take it later.
        AssociationRejectedError, TlsRefusedError, UnreachableError: there is no association.
    """
    archive = links.archive
    handlers = [(evt.EVT_N_EVENT_REPORT, handler(spool, lambda _event: archive.ae_title or ""))]
    with links.open(archive, contexts([PUSH_MODEL]), handlers) as association:
        transaction = spool.begin_transaction(step, archive.ae_title or "", instances)
        status, _ = association.send_n_action(
            _request(transaction.uid, instances), _REQUEST, PUSH_MODEL, PUSH_MODEL_INSTANCE
        )
        answer = status.get("Status")
        if answer != _SUCCESS:
            spool.doubt_transaction(transaction.uid, "unanswered" if answer is None else "refused")
        if answer is None:
            raise NoAnswerError(
                f"{archive.name} did not answer N-ACTION; it may have taken the request.",
                remedy="Look at the archive's health and log; until it reports, it is asked again.",
            )
        if answer != _SUCCESS:
            raise (BusyError if answer in BUSY else RefusedError)(
                f"{archive.name} refused storage commitment: status 0x{answer:04X}",
                remedy="Look at the archive's log; it has to permit N-ACTION to this modality.",
            )
        wait_for(spool, transaction, SAME_ASSOCIATION_SECONDS)
    return transaction


def wait_for(spool: Spool, transaction: Transaction, seconds: float) -> str:
    """Wait until a request is answered, here or by the service, and return its state."""
    deadline = Deadline(seconds)
    while True:
        state = next(
            (known.state for known in spool.transactions(transaction.step) if known.uid == transaction.uid), "requested"
        )
        if state not in {"requested", "unanswered"} or deadline.over:
            return state
        deadline.pause(0.1)


def handler(spool: Spool, peer_of: Callable[[Any], str]) -> Callable[[Any], tuple[int, Dataset | None]]:
    """Return a handler of ``EVT_N_EVENT_REPORT``; ``peer_of`` tells the AE title that the event comes from."""

    def on_report(event: Any) -> tuple[int, Dataset | None]:
        peer = peer_of(event)
        if event.request.AffectedSOPClassUID != PUSH_MODEL:
            write_event(COMMITMENT_REPORT, reason=reasons.NOT_STORAGE_COMMITMENT, ae_title=peer)
            return _PROCESSING_FAILURE, None
        return accept(spool, peer, event.event_type, event.event_information), None

    return on_report


def accept(spool: Spool, peer: str, event_type: int, information: Dataset) -> int:
    """Apply a report (PS3.4 J.3.3) if it answers a request of ours to that very peer; return the DIMSE status.

    A report that is believed deletes images, so anything doubtful is refused and changes nothing. The same report once
    more, whose answer was lost, is answered as it was and changes nothing either.
    """
    uid = str(information.get("TransactionUID") or "")
    tell = partial(write_event, COMMITMENT_REPORT, ae_title=peer, commitment=uid)
    report = hashlib.sha256(f"{event_type} {information.to_json()}".encode()).hexdigest()
    transaction = next((known for known in spool.transactions() if known.uid == uid), None)
    if transaction is None:
        tell(reason=reasons.UNKNOWN_COMMITMENT)
        return _INVALID_ARGUMENT
    if transaction.peer == peer and transaction.report == report:
        tell(repeated=True)
        return _SUCCESS
    doubt = _doubt(transaction, peer, event_type)
    if doubt is not None:
        tell(reason=doubt)
        return _NO_SUCH_EVENT if doubt is reasons.UNKNOWN_EVENT_TYPE else _INVALID_ARGUMENT
    promised = spool.promised(uid)
    safe = _uids(information.get("ReferencedSOPSequence"))
    failed = {
        str(item.ReferencedSOPInstanceUID): FAILURES.get(
            int(item.FailureReason), f"reason 0x{int(item.FailureReason):04X}"
        )
        for item in information.get("FailedSOPSequence") or []
    }
    named = safe | set(failed)
    if not named <= promised or safe & set(failed) or (event_type == _ALL_SAFE and (failed or safe != promised)):
        tell(reason=reasons.REPORT_MISMATCH)
        return _INVALID_ARGUMENT
    state = COMMITTED if safe == promised else "failed"
    spool.end_transaction(uid, state, safe, failed.items(), report)
    step = next(performed for performed in spool.steps() if performed.uid == transaction.step)
    tell(
        reason=None if state == COMMITTED else reasons.NOT_COMMITTED,
        accession=step.accession,
        study=step.study,
        step=step.step_id,
        committed=len(safe),
        failed=len(failed),
    )
    return _SUCCESS


def _doubt(transaction: Transaction, peer: str, event_type: int) -> Reason | None:
    """Why a report does not answer a request, if it does not."""
    if peer != transaction.peer:
        return reasons.OTHER_ARCHIVE
    if not transaction.open:
        return reasons.COMMITMENT_ANSWERED
    return None if event_type in {_ALL_SAFE, _FAILURES_EXIST} else reasons.UNKNOWN_EVENT_TYPE


def _uids(sequence: Iterable[Dataset] | None) -> set[str]:
    return {str(item.ReferencedSOPInstanceUID) for item in sequence or ()}


def _request(transaction: str, instances: Iterable[Instance]) -> Dataset:
    information = Dataset()
    information.TransactionUID = transaction
    information.ReferencedSOPSequence = [reference_to(instance) for instance in instances]
    return information
