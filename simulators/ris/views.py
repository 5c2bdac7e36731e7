"""What the RIS shows: orders, procedures, steps, worklists, one accession's whole trail, the outbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.command_line import Result, table
from simulators.database import Database, one
from simulators.hl7exchange import messages
from simulators.outbox import outbox_of
from simulators.ris.availability import availability_of, retrievable
from simulators.ris.record import STEPS, find_procedure
from simulators.ris.rejecting import shown
from simulators.ris.rejections import listed, rejected_in

if TYPE_CHECKING:
    import argparse

    from simulators.settings import Settings


def _open(settings: Settings) -> Database:
    database = Database(settings)
    database.migrate(STEPS)
    return database


def orders(_: argparse.Namespace, settings: Settings) -> Result:
    """List orders as the placer knows them."""
    with _open(settings).transaction() as cursor:
        cursor.execute(
            "SELECT placer, filler, accession, patient_id, code, description, modality, priority, reason, provider,"
            " status, ordered, changed FROM procedures ORDER BY accession"
        )
        rows = cursor.fetchall()
    columns = (
        "placer",
        "filler",
        "accession",
        "patient_id",
        "modality",
        "description",
        "priority",
        "status",
        "ordered",
    )
    return Result(rows, table(rows, columns))


def procedures(_: argparse.Namespace, settings: Settings) -> Result:
    """List requested procedures."""
    with _open(settings).transaction() as cursor:
        cursor.execute("SELECT * FROM procedures ORDER BY accession")
        rows = cursor.fetchall()
    return Result(rows, table(rows, ("accession", "procedure_id", "patient_id", "description", "status", "study_uid")))


def steps(_: argparse.Namespace, settings: Settings) -> Result:
    """List scheduled steps with the performed ones that belong to them."""
    with _open(settings).transaction() as cursor:
        cursor.execute(
            "SELECT steps.*, performed.sop_instance_uid AS mpps, performed.status AS performed, performed.created,"
            " performed.ended, performed.reason FROM steps"
            " LEFT JOIN performed_steps AS performed USING (step_id) ORDER BY step_id, performed.created"
        )
        rows = cursor.fetchall()
    return Result(rows, table(rows, ("step_id", "accession", "station_ae", "scheduled", "status", "mpps", "performed")))


def worklist(arguments: argparse.Namespace, settings: Settings) -> Result:
    """List what the stations' worklists hold."""
    with _open(settings).transaction() as cursor:
        cursor.execute(
            "SELECT station_ae, step_id, accession, patient_id, family, given, modality, description, scheduled"
            " FROM steps JOIN procedures USING (accession) JOIN patients USING (patient_id)"
            " WHERE steps.status = 'scheduled' AND (%(station)s::text IS NULL OR station_ae = %(station)s)"
            " ORDER BY station_ae, scheduled, step_id",
            {"station": arguments.station},
        )
        rows = cursor.fetchall()
    return Result(rows, table(rows, ("station_ae", "scheduled", "accession", "step_id", "patient_id", "description")))


def show(arguments: argparse.Namespace, settings: Settings) -> Result:
    """Show one accession number: patient, order, steps, performed steps, reports, and its messages in order."""
    with _open(settings).transaction() as cursor:
        procedure = find_procedure(cursor, arguments.accession)
        cursor.execute("SELECT * FROM patients WHERE patient_id = %s", (procedure["patient_id"],))
        patient = one(cursor)
        cursor.execute("SELECT * FROM steps WHERE accession = %s ORDER BY step_id", (arguments.accession,))
        scheduled = cursor.fetchall()
        cursor.execute("SELECT * FROM performed_steps WHERE accession = %s ORDER BY created", (arguments.accession,))
        performed = [_performed(row) for row in cursor.fetchall()]
        cursor.execute("SELECT * FROM reports WHERE accession = %s ORDER BY id", (arguments.accession,))
        reports = cursor.fetchall()
        available = availability_of(cursor, procedure["study_uid"])
        here = retrievable(cursor, procedure["study_uid"])
        rejected = listed(cursor, accession=arguments.accession)
        accounted = here | rejected_in(cursor, arguments.accession)
        trail = messages(cursor, keys=[arguments.accession])
    data = {
        "procedure": procedure,
        "patient": patient,
        "steps": scheduled,
        "performed_steps": performed,
        "availability": available,
        "missing": sorted({uid for step in performed for uid in step["made"]} - accounted),
        "rejections": rejected,
        "reports": reports,
        "messages": trail,
    }
    text = "\n\n".join(
        (
            table([{**procedure, **patient}], ("accession", "placer", "patient_id", "family", "description", "status")),
            table(scheduled, ("step_id", "station_ae", "scheduled", "status")),
            table(performed, ("sop_instance_uid", "station_ae", "status", "created", "ended", "images", "reason")),
            table(available, ("ae_title", "instances", "unavailable", "changed")),
            f"performed and at no archive: {len(data['missing'])}",
            shown(rejected),
            table(reports, ("source", "author", "status", "received", "instance_uid", "report")),
            table(trail, ("at", "direction", "peer", "type", "control_id", "state", "answer")),
        )
    )
    return Result(data, text)


def _performed(row: dict[str, Any]) -> dict[str, Any]:
    """Return a performed step's row with its series instead of all its attributes (DICOM JSON, PS3.18 F).

    ``made`` has the SOP Instance UIDs of what was made in it, images and others.
    """
    attributes = row.pop("attributes")
    performed = attributes.get("00400340", {}).get("Value", [])
    series = [
        {"series_uid": _first(item, "0020000E"), "images": len(item.get("00081140", {}).get("Value", []))}
        for item in performed
    ]
    made = [
        _first(reference, "00081155")
        for item in performed
        for tag in ("00081140", "00400220")
        for reference in item.get(tag, {}).get("Value", [])
    ]
    return {**row, "series": series, "images": sum(item["images"] for item in series), "made": made}


def _first(item: dict[str, Any], tag: str) -> str | None:
    values = item.get(tag, {}).get("Value") or [None]
    first: str | None = values[0]
    return first


def outbox(arguments: argparse.Namespace, settings: Settings) -> Result:
    """List what was sent and what waits, after deciding on what was set aside."""
    with _open(settings).transaction() as cursor:
        return outbox_of(cursor, arguments)
