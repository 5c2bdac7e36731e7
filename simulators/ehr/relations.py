"""Whom people treat and what departments have ordered, as orders and admissions of the record say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.relations.resource import TREATMENT_DAYS, Relation

if TYPE_CHECKING:
    from simulators.database import Database
    from simulators.relations.departments import Departments


def related_patients(departments: Departments, database: Database, relation: Relation, who: str) -> list[str]:
    """Return identifiers of the patients of a person, or of all people of a department.

    Raises:
        NotReadyError: the database cannot be reached.
    """
    people = [who] if relation is Relation.TREATMENT else departments.people_of(who)
    with database.transaction() as cursor:
        cursor.execute(
            "SELECT patient_id FROM orders WHERE provider = ANY(%(people)s)"
            " AND status NOT IN ('cancelled', 'refused') AND changed > now() - make_interval(days => %(days)s)"
            " UNION SELECT patient_id FROM admissions WHERE attending = ANY(%(people)s) AND discharged IS NULL",
            {"people": people, "days": TREATMENT_DAYS},
        )
        return [row["patient_id"] for row in cursor.fetchall()]
