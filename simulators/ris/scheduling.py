"""What somebody at the RIS does with a procedure that is scheduled: cancel it (RAD-3, RAD-13)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.command_line import Result
from simulators.database import Database
from simulators.errors import ArgumentError
from simulators.ris.filler import Filler
from simulators.ris.record import STEPS, find_procedure
from simulators.ris.relations import own_patients

if TYPE_CHECKING:
    import argparse

    from simulators.settings import Settings


def cancel(arguments: argparse.Namespace, settings: Settings) -> Result:
    """Cancel a procedure that has not begun; the service tells the record and every image manager.

    Raises:
        NotFoundError: there is no such accession number.
        ArgumentError: the procedure has begun or ended.
        DeniedError: the patient is not one of the person's.
    """
    database = Database(settings)
    database.migrate(STEPS)
    with database.transaction() as cursor:
        procedure = find_procedure(cursor, arguments.accession, locked=True)
        arguments.acting.require(procedure["patient_id"], own_patients(database))
        if procedure["status"] != "scheduled":
            raise ArgumentError(
                f"{arguments.accession} is {procedure['status']}",
                remedy="Only a procedure that has not begun can be cancelled.",
            )
        Filler(settings).cancel(cursor, procedure)
        procedure = find_procedure(cursor, arguments.accession)
    return Result({"procedure": procedure}, f"{arguments.accession} is cancelled")
