"""The service of the record: listens behind the HL7 edge and delivers the outbox."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from simulators.database import Database
from simulators.ehr.receive import order_status, result
from simulators.ehr.record import STEPS, order_refused
from simulators.ehr.relations import related_patients
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
from simulators.service import notify, wait_for_stop

if TYPE_CHECKING:
    import argparse

    from simulators.settings import Settings


def serve(_: argparse.Namespace, settings: Settings) -> None:
    """Serve until SIGTERM; waits for the database first."""
    send_to_journal()
    database = Database(settings)
    database.wait_until_ready(STEPS)
    outbox = Outbox(settings, database, refused=order_refused)
    receiver = Receiver(
        settings,
        {
            **dict.fromkeys(("ORM^O01", "OMG^O19"), TransactionalInbox(database, order_status, outbox.wake)),
            "ORU^R01": TransactionalInbox(database, result, outbox.wake),
        },
    )
    listener = Listener(settings.port("hl7"), receiver.answer)
    relations = RelationsService(settings.port(LOOPBACK), partial(related_patients, load_departments(), database))
    listener.start()
    relations.start()
    outbox.start()
    write_event(START, hl7=settings.port("hl7"))
    notify("READY=1")
    wait_for_stop()
    notify("STOPPING=1")
    listener.stop()
    relations.stop()
