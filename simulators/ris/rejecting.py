"""What people do at the RIS about images that are not to be used: ask for their rejection, grant it, refuse it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.access.denied import DeniedError
from simulators.command_line import Result, table
from simulators.database import Database
from simulators.errors import ArgumentError
from simulators.events import reasons
from simulators.events.actions import ASK_REJECTION, DECIDE_REJECTION
from simulators.events.report import write_event
from simulators.printable import hides
from simulators.rejections import ISSUES, WORDS, Title
from simulators.ris import rejections
from simulators.ris.note_sender import archives_for
from simulators.ris.record import STEPS, find_patient, find_procedure
from simulators.ris.relations import own_patients

if TYPE_CHECKING:
    import argparse

    from simulators.settings import Settings

LONGEST_TEXT = 256
"""Characters of what a person writes about it."""
SHOWN = ("id", "accession", "patient_id", "title", "state", "asked_by", "decided_by", "objects", "taken")


def ask(arguments: argparse.Namespace, settings: Settings) -> Result:
    """Ask for images of a procedure to be rejected; somebody else decides.

    Raises:
        NotFoundError: there is no such accession number, or no archive has such images.
        ArgumentError: an earlier request waits, the title needs an issue, or nobody signs in here.
        DeniedError: the patient is not one of the person's.
    """
    person, title = _person(arguments), WORDS[arguments.reason]
    if (title is Title.QUALITY) is not bool(arguments.issue):
        raise ArgumentError(
            "--issue says what was wrong with the quality, and with nothing else",
            remedy=f"With --reason quality, name one of {', '.join(ISSUES)}.",
        )
    text = _sound(arguments.text)
    database = _open(settings)
    with database.transaction() as cursor:
        procedure = find_procedure(cursor, arguments.accession, locked=True)
        arguments.acting.require(procedure["patient_id"], own_patients(database))
        images = rejections.images_of(cursor, procedure["study_uid"], arguments.series, arguments.instance)
        number = rejections.ask(
            cursor, arguments.accession, person, title=title.value, issue=arguments.issue, text=text, images=images
        )
        row = rejections.listed(cursor, number=number)[0]
    write_event(ASK_REJECTION, **_facts(row))
    return _done(row, f"rejection {number} of {len(images)} objects of {arguments.accession} waits for a decision")


def authorise(arguments: argparse.Namespace, settings: Settings) -> Result:
    """Grant a rejection: archives are sent the note, and take out what it names.

    Raises:
        NotFoundError: there is no such rejection.
        ArgumentError: somebody has decided, no archive takes notes, or nobody signs in here.
        DeniedError: the patient is not one of the person's, or the person has asked for it.
    """
    person = _person(arguments)
    database = _open(settings)
    with database.transaction() as cursor:
        rejection, procedure = _to_decide(cursor, arguments, database)
        archives = archives_for(settings, rejections.holders(cursor, procedure["study_uid"]))
        patient = find_patient(cursor, procedure["patient_id"])
        if not archives or patient is None:
            raise ArgumentError(
                "no archive with these images takes rejection notes",
                remedy="A flow from this host to the archive permits REJECTION.",
            )
        from simulators.ris.rejection_note import rejection_note  # noqa: PLC0415 # highdicom takes a second

        note = rejection_note(settings, rejection, procedure, patient, arguments.acting.person_name)
        rejections.grant(cursor, arguments.rejection, person, note, [peer.name for peer in archives])
        row = rejections.listed(cursor, number=arguments.rejection)[0]
    write_event(DECIDE_REJECTION, **_facts(row), state=rejections.GRANTED)
    return _done(
        row, f"rejection {arguments.rejection} is granted; {', '.join(peer.name for peer in archives)} are told"
    )


def refuse(arguments: argparse.Namespace, settings: Settings) -> Result:
    """Refuse a rejection: everything stays as it is.

    Raises:
        NotFoundError: there is no such rejection.
        ArgumentError: somebody has decided, or nobody signs in here.
        DeniedError: the patient is not one of the person's, or the person has asked for it.
    """
    person, why = _person(arguments), _sound(arguments.text)
    database = _open(settings)
    with database.transaction() as cursor:
        _to_decide(cursor, arguments, database)
        rejections.refuse(cursor, arguments.rejection, person, why)
        row = rejections.listed(cursor, number=arguments.rejection)[0]
    write_event(DECIDE_REJECTION, **_facts(row), state=rejections.REFUSED)
    return _done(row, f"rejection {arguments.rejection} is refused")


def listing(arguments: argparse.Namespace, settings: Settings) -> Result:
    """List rejections, with what has become of them."""
    with _open(settings).transaction() as cursor:
        rows = rejections.listed(cursor, accession=arguments.accession)
    return Result(rows, shown(rows))


def shown(rows: list[dict[str, Any]]) -> str:
    """Rejections as a table; `taken` says how many archives have the note."""
    lines = [
        {
            **row,
            "objects": len(row["instances"]),
            "taken": f"{sum(told['state'] == rejections.TAKEN for told in row['archives'])}/{len(row['archives'])}",
        }
        for row in rows
    ]
    return table(lines, SHOWN)


def _to_decide(cursor: Any, arguments: argparse.Namespace, database: Database) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a rejection and its procedure, if the person who acts may decide on it."""
    accession = rejections.accession_of(cursor, arguments.rejection)
    procedure = find_procedure(cursor, accession, locked=True)
    arguments.acting.require(procedure["patient_id"], own_patients(database))
    rejection = rejections.undecided(cursor, arguments.rejection)
    if rejection["asked_by"].casefold() == arguments.acting.name.casefold():
        raise DeniedError(
            "You have asked for this rejection yourself.",
            remedy="Somebody else decides on it.",
            reason=reasons.OWN_REQUEST,
        )
    return rejection, procedure


def _person(arguments: argparse.Namespace) -> str:
    name: str = arguments.acting.name
    if not name:
        raise ArgumentError(
            "nobody signs in at this site, so nobody can tell who asks from who decides",
            remedy="A flow to a sign-on makes people known.",
        )
    return name


def _sound(text: str) -> str:
    if hides(text) or len(text) > LONGEST_TEXT:
        raise ArgumentError(
            f"the text has more than {LONGEST_TEXT} characters, or some that are not seen", remedy="Write it otherwise."
        )
    return text.strip()


def _facts(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "rejection": row["id"], "accession": row["accession"], "patient": row["patient_id"], "study": row["study_uid"],
        "title": row["title"], "instances": len(row["instances"]),
    }  # fmt: skip


def _done(row: dict[str, Any], text: str) -> Result:
    return Result({"rejection": row}, text)


def _open(settings: Settings) -> Database:
    database = Database(settings)
    database.migrate(STEPS)
    return database
