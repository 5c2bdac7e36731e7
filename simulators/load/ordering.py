"""A ward: patients are registered and an order is placed for each, and after a lost answer nobody orders twice.

The load works in the record itself, as nobody's: people sign in for commands, which this is not.
"""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

import psycopg

from simulators.command_line import Result
from simulators.deadline import Deadline
from simulators.ehr.orders import place
from simulators.ehr.patients import register
from simulators.ehr.record import Record
from simulators.errors import SimulatorError
from simulators.person.acting import NOBODY

if TYPE_CHECKING:
    from simulators.settings import Settings

PAUSE = 0.5


def order(arguments: Namespace, settings: Settings) -> Result:
    """Place the orders that are not placed yet; return the placer order number of each that the record has."""
    deadline = Deadline(arguments.seconds)
    placed: dict[str, str] = {}
    for number in range(arguments.first, arguments.last + 1):
        patient = f"{arguments.prefix}{number:05}"
        section = arguments.sections[number % len(arguments.sections)]
        while not deadline.over and patient not in placed:
            try:
                placed[patient] = _once(settings, patient, section)
            except (SimulatorError, psycopg.Error):
                # The record's database is away, and whether it has taken the order is seen once it is back.
                deadline.pause(PAUSE)
    return Result({"orders": placed}, f"{len(placed)} orders")


def _once(settings: Settings, patient: str, section: str) -> str:
    """Register a patient and place an order where the record has none; return the placer order number."""
    with Record(settings).database.transaction() as cursor:
        cursor.execute(
            "SELECT placer FROM patients LEFT JOIN orders USING (patient_id) WHERE patient_id = %s", (patient,)
        )
        known = cursor.fetchone()
    if known is None:
        person = {"family": "Load", "given": patient, "birth_date": "19700412", "sex": "O", "patient_class": "O"}
        register(Namespace(id=patient, acting=NOBODY, **person), settings)
    if known is None or known["placer"] is None:
        wanted = {"code": f"{section}LOAD", "text": f"{section} under load", "scheme": "99PACSLAB", "modality": section}
        rest = {"priority": "R", "reason": "", "acting": NOBODY, "wait": 0.0}
        data = place(Namespace(patient=patient, **wanted, **rest), settings).data
        return str(data["order"]["placer"])
    return str(known["placer"])
