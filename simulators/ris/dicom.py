"""The RIS as a DICOM service behind the edge: verification, worklist, performed steps, availability of objects."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from pydicom.dataset import Dataset
from pynetdicom import evt

from simulators.association import contexts, start_scp
from simulators.errors import NotReadyError
from simulators.events import reasons
from simulators.events.actions import ASSOCIATE, BEGIN_STEP, ECHO, NOTIFY_AVAILABILITY, QUERY, UPDATE_STEP
from simulators.events.report import write_event, write_failure
from simulators.hl7content import Patient
from simulators.ris import availability, worklist
from simulators.ris.performed import PerformedSteps
from simulators.ris.record import filled_order
from simulators.ris.requests import NOT_AUTHORISED, PROCESSING_FAILURE, SUCCESS, RequestError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pynetdicom.transport import ThreadedAssociationServer

    from simulators.database import Cursor, Database
    from simulators.events.vocabulary import Action, Facts
    from simulators.settings import Settings

VERIFICATION = "1.2.840.10008.1.1"
MODALITY_WORKLIST_FIND = "1.2.840.10008.5.1.4.31"
PERFORMED_PROCEDURE_STEP = "1.2.840.10008.3.1.2.3.3"
"""SOP classes (PS3.6 annex A)."""

PENDING, CANCELLED = 0xFF00, 0xFE00
OUT_OF_RESOURCES = 0xA700
IDENTIFIER_DOES_NOT_MATCH, UNABLE_TO_PROCESS = 0xA900, 0xC000
"""Statuses of C-FIND (PS3.4 K.4.1.1.4)."""

NOT_SUPPORTED = 0x0122


@dataclass(frozen=True)
class DicomService:
    """Handlers of the associations; each works in a transaction of its own.

    Attributes:
        settings: this host's; the callers' ``permits`` say who may use what.
        database: where schedule and performed steps are.
        done: called when something may have been put into the outbox.
        most_answers: to one worklist query; whoever gets so many is told that there are more.
    """

    settings: Settings
    database: Database
    done: Callable[[], None]
    most_answers: int = 500

    def start(self) -> ThreadedAssociationServer:
        """Serve on loopback.

        Raises:
            NotReadyError: the host has no AE title, or the port is taken.
        """
        own = self.settings.host.ae_title
        if own is None:
            raise NotReadyError(f"{self.settings.host.name} has no AE title", remedy="Give it one in topology.yml.")
        return start_scp(
            own,
            self.settings.port("dicom"),
            contexts([VERIFICATION, MODALITY_WORKLIST_FIND, PERFORMED_PROCEDURE_STEP, availability.NOTIFICATION]),
            [
                (evt.EVT_C_ECHO, self.echo),
                (evt.EVT_C_FIND, self.find),
                (evt.EVT_N_CREATE, self.create),
                (evt.EVT_N_SET, self.set),
                (evt.EVT_REJECTED, self.rejected),
            ],
            callers=[caller.ae_title for caller in self.settings.find_callers("dicom-tls") if caller.ae_title],
        )

    def _may(self, event: Any, permit: str, action: Action, transaction: str | None = None) -> bool:
        """Tell whether the caller may do it, and write that it may not."""
        calling = _calling(event)
        if any(caller.ae_title == calling for caller in self.settings.find_callers("dicom-tls", permit=permit)):
            return True
        write_event(
            action, reason=reasons.NOT_PERMITTED, transaction=transaction, operation=permit, **self._actor(calling)
        )
        return False

    def _actor(self, calling: str) -> Facts:
        """Who asks, for an event: the calling AE title, and the host that it is declared for."""
        callers = self.settings.find_callers("dicom-tls")
        return {
            "ae_title": calling,
            "peer": next((caller.name for caller in callers if caller.ae_title == calling), None),
        }

    def rejected(self, event: Any) -> None:
        """Log an association that was rejected for its AE titles."""
        requestor = event.assoc.requestor.primitive
        write_event(
            ASSOCIATE,
            reason=reasons.ASSOCIATION_REJECTED,
            called=str(requestor.called_ae_title).strip(),
            **self._actor(str(requestor.calling_ae_title).strip()),
        )

    def echo(self, event: Any) -> int:
        """C-ECHO."""
        return SUCCESS if self._may(event, "C-ECHO", ECHO) else NOT_SUPPORTED

    def find(self, event: Any) -> Iterator[tuple[int | Dataset, Dataset | None]]:
        """Modality Worklist C-FIND: the steps scheduled for the calling AE title, and nobody else's (RAD-5)."""
        calling = _calling(event)
        asks = partial(write_event, QUERY, transaction="RAD-5", **self._actor(calling))
        if not self._may(event, "MWL", QUERY, "RAD-5"):
            yield NOT_SUPPORTED, None
            return
        keys = _identifier(event)
        if keys is None or "ScheduledProcedureStepSequence" not in keys:
            asks(reason=reasons.IDENTIFIER)
            yield _failure(IDENTIFIER_DOES_NOT_MATCH, "no ScheduledProcedureStepSequence"), None
            return
        asked = worklist.station_asked_for(keys)
        if asked not in {"", calling} and not worklist.has_wildcard(asked):
            asks(reason=reasons.FOREIGN_WORKLIST, station=asked)
            yield _failure(UNABLE_TO_PROCESS, "a station sees its own worklist only"), None
            return
        found = 0
        for item in self._items(calling):
            if event.is_cancelled:
                yield CANCELLED, None
                return
            if worklist.matches(keys, item):
                if found == self.most_answers:
                    asks(reason=reasons.TOO_MANY_ANSWERS, found=found)
                    yield _failure(OUT_OF_RESOURCES, f"only the first {found} are answered"), None
                    return
                found += 1
                yield PENDING, worklist.answer(keys, item)
        asks(found=found)

    def _items(self, station_ae: str) -> Iterator[Dataset]:
        """Give what is scheduled on a station, in one query however much it is."""
        with self.database.transaction() as cursor:
            cursor.execute(
                "SELECT steps.step_id, steps.station, steps.scheduled, to_jsonb(procedures) AS procedure, patients.*"
                " FROM steps JOIN procedures USING (accession) JOIN patients USING (patient_id)"
                " WHERE steps.station_ae = %s AND steps.status = 'scheduled' ORDER BY steps.scheduled, steps.step_id",
                (station_ae,),
            )
            rows = cursor.fetchall()
        for row in rows:
            order = filled_order(row["procedure"], row)
            yield worklist.entry(Patient.of_row(row), order, row["station"], station_ae, row["scheduled"])

    def create(self, event: Any) -> tuple[int | Dataset, Dataset | None]:
        """N-CREATE: a performed procedure step (RAD-6), or what an archive has (RAD-49)."""
        calling, uid = _calling(event), event.request.AffectedSOPInstanceUID
        named = uid and str(uid)
        if event.request.AffectedSOPClassUID == availability.NOTIFICATION:
            return self._perform(
                event,
                NOTIFY_AVAILABILITY,
                "IAN",
                lambda cursor: availability.take(cursor, calling, named, event.attribute_list),
            )
        steps = PerformedSteps(self.settings)
        return self._perform(
            event,
            BEGIN_STEP,
            "MPPS",
            lambda cursor: steps.create(cursor, calling, named, event.attribute_list),
            mpps=uid,
        )

    def set(self, event: Any) -> tuple[int | Dataset, Dataset | None]:
        """MPPS N-SET (RAD-7)."""
        calling, uid = _calling(event), event.request.RequestedSOPInstanceUID
        steps = PerformedSteps(self.settings)
        return self._perform(
            event,
            UPDATE_STEP,
            "MPPS",
            lambda cursor: steps.change(cursor, calling, str(uid), event.modification_list),
            mpps=uid,
        )

    def _perform(
        self, event: Any, action: Action, permit: str, work: Callable[[Cursor], None], **about: Any
    ) -> tuple[int | Dataset, Dataset | None]:
        """Do what a request asks, if a flow permits it, and answer; `about` says in an event what it is about."""
        facts = about | self._actor(_calling(event))
        if not self._may(event, permit, action):
            return NOT_AUTHORISED, None
        try:
            with self.database.transaction() as cursor:
                work(cursor)
        except RequestError as error:
            write_event(action, reason=error.reason, status=f"0x{error.status:04X}", **facts)
            return _failure(error.status, error.comment, error.error_id), None
        except Exception as error:  # noqa: BLE001 - whatever a peer sends, it gets a status and the service goes on
            write_failure(action, error, **facts)
            return _failure(PROCESSING_FAILURE, "could not be processed"), None
        self.done()
        return SUCCESS, Dataset()


def _calling(event: Any) -> str:
    return str(event.assoc.requestor.ae_title).strip()


def _identifier(event: Any) -> Dataset | None:
    try:
        keys: Dataset = event.identifier
        keys.walk(lambda _, element: element.value)
    except Exception:  # noqa: BLE001 - decoding fails in many ways; each means that the identifier is none
        return None
    return keys


def _failure(status: int, comment: str, error_id: int | None = None) -> Dataset:
    answer = Dataset()
    answer.Status = status
    answer.ErrorComment = comment
    if error_id is not None:
        answer.ErrorID = error_id
    return answer
