"""The record itself is attacked: whoever is the database's superuser changes what is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.hospital.hospital import Actor
from lab.scenarios.failure import NothingToJudge, require
from lab.scenarios.monitoring.deed import Attempt, Deed
from lab.scenarios.monitoring.facts import detections_of
from lab.scenarios.monitoring.faults import changed

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from lab.scenarios.monitoring.facts import Scene

RECORD = Actor("order-placer")
SQL = (
    *("runuser", "-u", "postgres", "--"),
    *("psql", "--no-psqlrc", "-qAt", "-v", "ON_ERROR_STOP=1", "-d", "siem", "-c"),
)
NEWEST = "SELECT position FROM siem.events WHERE person IS NOT NULL ORDER BY received DESC, position DESC LIMIT 2"
"""One for each half: of a record that is altered again, before anybody saw it restored, nothing new is told."""
ALTER = "UPDATE siem.events SET person = 'nobody' WHERE position = {0} AND received > now() - interval '1 day'"
RESTORE = (
    "UPDATE siem.events SET person = left(fields->>'user.name', 200)"
    " WHERE position = {0} AND received > now() - interval '1 day'"
)


def _altered(stage: Scene) -> Attempt:
    """Make one of the newest records that name a person name another, and put the name back."""
    host = detections_of(stage).host
    stage.acts(host)
    found = stage.hospital.run(host, [*SQL, NEWEST])
    require(found.code == 0, f"{host} has no database of the repository: {found.stderr.strip()[-200:]}")
    positions = [int(position) for position in found.stdout.split()]
    if len(positions) < 2:  # noqa: PLR2004 # one for each half
        raise NothingToJudge("the repository has no two records that name a person")
    turns = iter(positions)
    return Attempt(lambda: _another_person(stage, host, next(turns)), frozenset({host}))


def _another_person(stage: Scene, host: str, position: int) -> AbstractContextManager[str]:
    alter, restore = ([*SQL, statement.format(position)] for statement in (ALTER, RESTORE))
    said = f"the superuser of the database at {host} put another person into record {position}"
    return changed(stage, host, alter, restore, said=said)


DEEDS = (
    Deed(
        "record-altered", "A stored record is changed by the database's superuser", RECORD, "", "record-altered",
        _altered, within=30.0,
    ),
)  # fmt: skip
