"""The service of the RIS: HL7 listener, DICOM listener, outbox and rejection notes in one process."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from simulators.database import Database
from simulators.events.actions import START
from simulators.events.outlets import send_to_journal
from simulators.events.report import write_event
from simulators.hl7exchange import TransactionalInbox
from simulators.hl7receiver import Receiver
from simulators.mllp import Listener
from simulators.outbox import Outbox
from simulators.relations.departments import load_departments
from simulators.relations.resource import LOOPBACK
from simulators.relations.service import RelationsService
from simulators.ris.dicom import DicomService
from simulators.ris.filler import Filler
from simulators.ris.note_sender import NoteSender
from simulators.ris.patients import Patients
from simulators.ris.record import STEPS
from simulators.ris.relations import related_patients
from simulators.ris.reports import Reports
from simulators.service import notify, wait_for_stop

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from simulators.database import Cursor
    from simulators.hl7messages import Message
    from simulators.settings import Settings


def handlers(settings: Settings) -> dict[str, Callable[[Cursor, str, Message], str | None]]:
    """Return who deals with each message type that the RIS takes."""
    patients = Patients(settings)
    return {
        **dict.fromkeys(("ADT^A01", "ADT^A04", "ADT^A05"), patients.register),
        "ADT^A08": patients.update,
        **dict.fromkeys(("ADT^A03", "ADT^A11"), patients.leave),
        "ADT^A40": patients.merge,
        **dict.fromkeys(("ORM^O01", "OMG^O19"), Filler(settings).take),
        "ORU^R01": Reports(settings).take,
    }


def serve(_: argparse.Namespace, settings: Settings) -> None:
    """Serve until SIGTERM; waits for the database first."""
    send_to_journal()
    database = Database(settings)
    database.wait_until_ready(STEPS)
    outbox = Outbox(settings, database)
    receiver = Receiver(
        settings,
        {kind: TransactionalInbox(database, work, outbox.wake) for kind, work in handlers(settings).items()},
    )
    listener = Listener(settings.port("hl7"), receiver.answer)
    dicom = DicomService(settings, database, outbox.wake).start()
    relations = RelationsService(settings.port(LOOPBACK), partial(related_patients, load_departments(), database))
    listener.start()
    relations.start()
    outbox.start()
    NoteSender(settings, database).start()
    write_event(START, hl7=settings.port("hl7"), dicom=settings.port("dicom"), ae_title=settings.host.ae_title)
    notify("READY=1")
    wait_for_stop()
    notify("STOPPING=1")
    listener.stop()
    relations.stop()
    dicom.shutdown()
