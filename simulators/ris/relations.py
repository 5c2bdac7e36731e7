"""Whom people treat and whom departments examine, as procedures, stations and reports say."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from simulators.relations.departments import load_departments
from simulators.relations.resource import TREATMENT_DAYS, Relation

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.database import Database
    from simulators.relations.departments import Departments


def related_patients(departments: Departments, database: Database, relation: Relation, who: str) -> list[str]:
    """Return identifiers of the patients of a person, or of a department: its own stations' and its people's.

    Raises:
        NotReadyError: the database cannot be reached.
    """
    department = relation is Relation.DEPARTMENT
    people = departments.people_of(who) if department else [who]
    stations = departments.stations_of(who) if department else []
    with database.transaction() as cursor:
        cursor.execute(
            "SELECT patient_id FROM procedures WHERE provider = ANY(%(people)s) AND status <> 'cancelled'"
            " AND changed > now() - make_interval(days => %(days)s)"
            " UNION SELECT patient_id FROM reports JOIN procedures USING (accession) WHERE author = ANY(%(people)s)"
            " AND received > now() - make_interval(days => %(days)s)"
            " UNION SELECT patient_id FROM steps JOIN procedures USING (accession)"
            " WHERE station_ae = ANY(%(stations)s) AND steps.status <> 'cancelled'",
            {"people": people, "stations": stations, "days": TREATMENT_DAYS},
        )
        return [row["patient_id"] for row in cursor.fetchall()]


def own_patients(database: Database) -> Callable[[Relation, str], list[str]]:
    """What this host itself knows of people's and departments' patients, for a command that somebody acts with.

    Raises:
        NotReadyError: the host does not know its departments.
    """
    return partial(related_patients, load_departments(), database)
