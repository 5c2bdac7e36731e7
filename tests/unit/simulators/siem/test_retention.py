"""Days go when the policy has kept them for long enough, unless they are held; and the proof knows of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import psycopg
import pytest

from simulators.siem.core.retention import expired
from tests.unit.simulators.siem.repository import Caller, numbered, wait_until

if TYPE_CHECKING:
    from tests.unit.simulators.siem.repository import Services

OLD = (datetime.now(tz=UTC) - timedelta(days=40)).date()


def make_old_day(services: Services, day: date = OLD) -> None:
    """A day of another time, with its partitions."""
    for table in ("events", "quarantine", "alerts"):
        services.alter(
            f"CREATE TABLE siem.{table}_{day:%Y%m%d} PARTITION OF siem.{table}"
            f" FOR VALUES FROM ('{day} 00:00+00') TO ('{day + timedelta(days=1)} 00:00+00')"
        )
        services.alter(f"ALTER TABLE siem.{table}_{day:%Y%m%d} OWNER TO siem_owner")


def days(services: Services) -> list[str]:
    return [name for (name,) in services.rows("SELECT tablename FROM pg_tables WHERE tablename LIKE 'events_2%%'")]


def drop(services: Services, role: str, day: object) -> None:
    with psycopg.connect(services.target, options=f"-c role={role}") as connection:
        connection.execute("SELECT siem.drop_day(%s)", [day])


def test_a_day_within_the_policy_stays_even_where_the_core_asks(services: Services) -> None:
    today = datetime.now(tz=UTC).date()
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="policy"):
        drop(services, "siem", today - timedelta(days=30))
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        drop(services, "siem-reader", OLD)


def test_a_held_day_stays_until_its_hold_is_released(services: Services) -> None:
    make_old_day(services)
    with psycopg.connect(services.target, options="-c role=siem-officer") as officer:
        row = officer.execute(
            "INSERT INTO siem.holds (first, last, reason) VALUES (%s, %s, 'a case') RETURNING hold", [OLD, OLD]
        ).fetchone()
    assert row is not None
    with psycopg.connect(services.target, options="-c role=siem") as core:
        assert expired(core, 30) == []
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="held"):
        drop(services, "siem", OLD)
    with psycopg.connect(services.target, options="-c role=siem-officer") as officer:
        officer.execute("INSERT INTO siem.releases (hold, reason) VALUES (%s, 'closed')", [row[0]])
    with psycopg.connect(services.target, options="-c role=siem") as core:
        assert expired(core, 30) == [OLD]
    drop(services, "siem", OLD)
    assert f"events_{OLD:%Y%m%d}" not in days(services)


def test_a_day_that_is_over_goes_by_itself_and_is_told(services: Services) -> None:
    make_old_day(services)
    caller = Caller(services.edge)
    caller.send(numbered(1))
    caller.acknowledged(1)  # after the first batch it looks
    caller.send(numbered(2))
    caller.acknowledged(2)
    wait_until(lambda: f"events_{OLD:%Y%m%d}" not in days(services), "it stays")
    ((said,),) = services.rows("SELECT fields->>'pacslab.item' FROM siem.events WHERE action = 'drop-day'")
    assert said == str(OLD)


def test_a_clock_that_was_ahead_stops_nothing(services: Services) -> None:
    """A day that is there is stored in, however far away; another that far away is not made."""
    ahead = (datetime.now(tz=UTC) + timedelta(days=9)).date()
    with pytest.raises(psycopg.errors.InvalidParameterValue):
        make_day(services, ahead)
    make_old_day(services, ahead)
    make_day(services, ahead)


def make_day(services: Services, day: object) -> None:
    with psycopg.connect(services.target, options="-c role=siem") as connection:
        connection.execute("SELECT siem.make_day(%s)", [day])
