"""Whether an object fits what the filler has announced (RAD-4) and told since (RAD-13, RAD-66): rules are functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulators.events import reasons
from simulators.image_manager.rejection import rejected_as

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from simulators.events.vocabulary import Reason

WRONG_ENTRY = "110514"
"""Discontinuation reason "Incorrect worklist entry selected" (DCM, PS3.16 CID 9300)."""
WRONG_STATE = "wrong entry"
"""State of a procedure that was discontinued for that reason."""


@dataclass(frozen=True)
class Arrival:
    """What an object says of itself; ``known_study``: the archive has its study already, of the same patient."""

    patient: str
    study: str
    accession: str
    known_study: bool = False
    instance: str = ""


@dataclass(frozen=True)
class Expected:
    """An announced procedure."""

    accession: str
    study: str
    patient: str
    state: str


def misfit(db: sqlite3.Connection, arrival: Arrival) -> Reason | None:
    """Return why an object does not fit; None when it does."""
    rejected = rejected_as(db, arrival.instance)
    if rejected is not None:
        return rejected.reason
    procedure = _procedure(db, "study_uid", arrival.study)
    if procedure is None:
        return _unannounced(db, arrival)
    return next((reason for rule in RULES if (reason := rule(db, arrival, procedure)) is not None), None)


def _unannounced(db: sqlite3.Connection, arrival: Arrival) -> Reason | None:
    """An accession number belongs to the study that was announced with it; other studies are known, or are not."""
    if arrival.accession and _procedure(db, "accession", arrival.accession) is not None:
        return reasons.OTHER_STUDY
    return None if arrival.known_study else reasons.UNSCHEDULED


def of_its_patient(db: sqlite3.Connection, arrival: Arrival, procedure: Expected) -> Reason | None:
    """The object's patient is the procedure's, whatever numbers both have had before."""
    same = present(db, arrival.patient) == present(db, procedure.patient)
    return None if same else reasons.OTHER_PATIENT


def of_its_order(_: sqlite3.Connection, arrival: Arrival, procedure: Expected) -> Reason | None:
    """An accession number, where the object has one, is the procedure's."""
    return reasons.OTHER_ACCESSION if arrival.accession not in {"", procedure.accession} else None


def unwanted(db: sqlite3.Connection, study: str, instance: str) -> Reason | None:
    """Return why an object that is in the archive has to leave it; None when it may stay."""
    rejected = rejected_as(db, instance)
    if rejected is not None:
        return rejected.reason
    procedure = _procedure(db, "study_uid", study)
    wrong = procedure is not None and procedure.state == WRONG_STATE
    return reasons.WRONG_WORKLIST_ENTRY if wrong else None


def still_wanted(_: sqlite3.Connection, __: Arrival, procedure: Expected) -> Reason | None:
    """The procedure was not cancelled, nor ended because another worklist entry was meant."""
    return {"cancelled": reasons.CANCELLED_PROCEDURE, WRONG_STATE: reasons.WRONG_WORKLIST_ENTRY}.get(procedure.state)


RULES: tuple[Callable[[sqlite3.Connection, Arrival, Expected], Reason | None], ...] = (
    of_its_patient, of_its_order, still_wanted,
)  # fmt: skip
"""In the order in which they are asked of an object whose study was announced."""


def present(db: sqlite3.Connection, identifier: str) -> str:
    """Return the identifier that stands for a patient by now, after merges."""
    row = db.execute("SELECT surviving FROM merges WHERE prior = ?", (identifier,)).fetchone()
    return str(row["surviving"]) if row else identifier


def _procedure(db: sqlite3.Connection, column: str, value: str) -> Expected | None:
    row = db.execute(
        f"SELECT accession, study_uid, patient, state FROM procedures WHERE {column} = ?",  # noqa: S608 - our own names
        (value,),
    ).fetchone()
    return Expected(row["accession"], row["study_uid"], row["patient"], row["state"]) if row else None
