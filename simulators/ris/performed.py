"""What performed procedure steps do to the schedule: created, changed, ended; the EHR is told (RAD-6, RAD-7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg.types.json import Jsonb
from pydicom.dataset import Dataset

from simulators.events.actions import BEGIN_STEP, UPDATE_STEP
from simulators.events.report import write_event
from simulators.hl7content import Code
from simulators.ris.filler import set_status
from simulators.ris.mpps import IN_PROGRESS, STEP_STATUS, check_change, check_creation, is_repetition
from simulators.ris.requests import DUPLICATE_INSTANCE, INVALID_VALUE, NO_SUCH_INSTANCE, NOT_AUTHORISED, RequestError
from simulators.ris.tell import Teller

if TYPE_CHECKING:
    from simulators.database import Cursor
    from simulators.settings import Settings


@dataclass(frozen=True)
class PerformedSteps:
    """Keeps performed procedure steps."""

    settings: Settings

    def create(self, cursor: Cursor, calling: str, uid: str | None, attributes: Dataset) -> None:
        """Begin a step and link it with the scheduled one that it names; an unscheduled one stands alone.

        The same once more, after an answer that was lost, is answered likewise and has no second effect.

        Raises:
            RequestError: the rules or the schedule do not allow it.
        """
        check_creation(uid, attributes, self._stations(calling))
        creation = attributes.to_json_dict()
        if _created_before(cursor, calling, uid, creation):
            write_event(BEGIN_STEP, mpps=uid, ae_title=calling, repeated=True)
            return
        procedure, step = _scheduled(cursor, calling, attributes.ScheduledStepAttributesSequence[0])
        accession = procedure["accession"] if procedure else None
        cursor.execute(
            "INSERT INTO performed_steps"
            " (sop_instance_uid, performed_id, accession, step_id, station_ae, status, attributes, creation)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            (
                uid,
                str(attributes.PerformedProcedureStepID),
                accession,
                step["step_id"] if step else None,
                calling,
                IN_PROGRESS,
                Jsonb(creation),
                Jsonb(creation),
            ),
        )
        if cursor.rowcount == 0 and _created_before(cursor, calling, uid, creation):  # at the same moment
            return
        self._follow(cursor, accession, step["step_id"] if step else None, IN_PROGRESS, None)
        write_event(BEGIN_STEP, mpps=uid, accession=accession, step=step["step_id"] if step else None, ae_title=calling)

    def _stations(self, calling: str) -> set[str]:
        """The AE titles that a caller may name as performing (0040,0241)."""
        callers = self.settings.find_callers("dicom-tls", permit="MPPS")
        return {calling, *(title for caller in callers if caller.ae_title == calling for title in caller.performs_as)}

    def change(self, cursor: Cursor, calling: str, uid: str, changes: Dataset) -> None:
        """Change or end a step; the end that is told once more, after an answer that was lost, changes nothing.

        Raises:
            RequestError: the rules do not allow it, or another station began it.
        """
        cursor.execute("SELECT accession FROM performed_steps WHERE sop_instance_uid = %s", (uid,))
        named = cursor.fetchone()
        if named is None:
            raise RequestError(NO_SUCH_INSTANCE, "no such performed procedure step")
        # The procedure is locked before its steps, here as everywhere: two transactions cannot wait for each other.
        cursor.execute("SELECT 1 FROM procedures WHERE accession = %s FOR UPDATE", (named["accession"],))
        cursor.execute("SELECT * FROM performed_steps WHERE sop_instance_uid = %s FOR UPDATE", (uid,))
        row = cursor.fetchone()
        if row is None or row["station_ae"] != calling:
            raise RequestError(NOT_AUTHORISED, "another station performs this step")
        held = Dataset.from_json(row["attributes"])
        if is_repetition(row["status"], changes, held):
            write_event(
                UPDATE_STEP,
                mpps=uid,
                accession=row["accession"],
                step=row["step_id"],
                ae_title=calling,
                state=row["status"],
                repeated=True,
            )
            return
        after = check_change(row["status"], changes, held)
        held.update(changes)
        reason = _reason(held) if after != IN_PROGRESS else None
        cursor.execute(
            "UPDATE performed_steps SET status = %s, attributes = %s, reason = %s,"
            " ended = CASE WHEN %s THEN now() END WHERE sop_instance_uid = %s",
            (
                after,
                Jsonb(held.to_json_dict()),
                f"{reason.value}^{reason.meaning}^{reason.scheme}" if reason else None,
                after != IN_PROGRESS,
                uid,
            ),
        )
        if after != row["status"]:
            self._follow(cursor, row["accession"], row["step_id"], after, reason)
        write_event(
            UPDATE_STEP, mpps=uid, accession=row["accession"], step=row["step_id"], ae_title=calling, state=after
        )

    def _follow(
        self, cursor: Cursor, accession: str | None, step_id: str | None, state: str, reason: Code | None
    ) -> None:
        """Bring step and procedure to the state, and tell the EHR."""
        if accession is None:
            return
        status = STEP_STATUS[state]
        cursor.execute("UPDATE steps SET status = %s WHERE step_id = %s", (status, step_id))
        cursor.execute("SELECT status FROM procedures WHERE accession = %s", (accession,))
        row = cursor.fetchone()
        if row is not None and row["status"] not in {status, "reported"}:
            procedure = set_status(cursor, accession, status)
            teller = Teller(self.settings)
            teller.status(cursor, procedure, reason)
            teller.progress(cursor, procedure, reason)


def _created_before(cursor: Cursor, calling: str, uid: str | None, creation: dict[str, Any]) -> bool:
    """Tell whether this very step was created before.

    Raises:
        RequestError: another one was, under the same UID.
    """
    cursor.execute("SELECT station_ae, creation FROM performed_steps WHERE sop_instance_uid = %s", (uid,))
    row = cursor.fetchone()
    if row is None:
        return False
    if row["station_ae"] != calling or row["creation"] != creation:
        raise RequestError(DUPLICATE_INSTANCE, "this performed procedure step exists")
    return True


def _scheduled(cursor: Cursor, calling: str, reference: Dataset) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """Return procedure and step that an item of ScheduledStepAttributesSequence (0040,0270) names, if it names any."""
    step_id = str(reference.get("ScheduledProcedureStepID") or "")
    if not step_id:
        return None, None
    cursor.execute(
        "SELECT procedures.* FROM procedures JOIN steps USING (accession) WHERE step_id = %s FOR UPDATE OF procedures",
        (step_id,),
    )
    procedure = cursor.fetchone()
    cursor.execute("SELECT * FROM steps WHERE step_id = %s FOR UPDATE", (step_id,))
    step = cursor.fetchone()
    if procedure is None or step is None:
        raise RequestError(INVALID_VALUE, "ScheduledProcedureStepID is not known")
    if step["station_ae"] != calling:
        raise RequestError(NOT_AUTHORISED, "the step is scheduled on another station")
    if str(reference.StudyInstanceUID) != procedure["study_uid"]:
        raise RequestError(INVALID_VALUE, "StudyInstanceUID is not the scheduled one")
    if str(reference.get("AccessionNumber") or procedure["accession"]) != procedure["accession"]:
        raise RequestError(INVALID_VALUE, "AccessionNumber is not the scheduled one")
    if step["status"] == "cancelled":
        raise RequestError(INVALID_VALUE, "the step was cancelled")
    return procedure, step


def _reason(attributes: Dataset) -> Code | None:
    """Return PerformedProcedureStepDiscontinuationReasonCodeSequence (0040,0281), if any."""
    items = attributes.get("PerformedProcedureStepDiscontinuationReasonCodeSequence") or []
    if len(items) == 0:
        return None
    item = items[0]
    return Code(
        str(item.get("CodeValue", "")), str(item.get("CodeMeaning", "")), str(item.get("CodingSchemeDesignator", ""))
    )
