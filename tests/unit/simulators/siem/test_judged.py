"""The repository judges what it stores, goes on after a restart where it was, and keeps what people decide."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import errors

from simulators.audit.message import messages_of
from simulators.audit.told import told_by
from simulators.siem.incidents.decide import decide
from simulators.siem.incidents.model import Choice, State
from simulators.siem.incidents.store import Postgres, read
from simulators.siem.sigma.read import load
from tests.unit.simulators.audit.events import SOURCE, entry
from tests.unit.simulators.siem.repository import Caller, Services, numbered, running_services, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def message(number: int, program: str, **event: Any) -> bytes:
    """An audit message as a host's daemon makes it of an event."""
    told = told_by(entry({"outcome": "refused", **event}, program))
    assert told is not None
    *_, (_, made) = messages_of(told, SOURCE)
    return numbered(number, made.xml)


def refused_sign_on(number: int) -> bytes:
    return message(number, "pacslab-sign-on", action="sign-in", reason="wrong-password", person="a.rivera", peer="ws1")


def other_title(number: int) -> bytes:
    facts = {"ae_title": "CT2", "called": "PACSRAD", "certificate": "ct1.imaging.internal", "peer": "10.24.41.11"}
    return message(number, "haproxy", action="associate", reason="ae-mismatch", edge="dicom", **facts)


def alerts(services: Services) -> dict[str, list[Any]]:
    rows = services.rows('SELECT rule, level, "of", fields FROM siem.alerts ORDER BY position')
    return {rule: [level, of, fields] for rule, level, of, fields in rows}


@pytest.fixture
def services(database: str) -> Iterator[Services]:
    """The repository's services, with our rules."""
    with running_services(database, "rules") as services:
        yield services


@pytest.fixture
def caller(services: Services) -> Iterator[Caller]:
    caller = Caller(services.edge)
    yield caller
    caller.close()


def test_an_abuse_is_an_alert_beside_its_event(services: Services, caller: Caller) -> None:
    caller.send(other_title(1))
    caller.acknowledged(1)
    ((position,),) = services.rows("SELECT position FROM siem.events WHERE action = 'associate'")
    level, of, fields = alerts(services)["dicom-title-of-another"]
    assert (level, of, fields["events"]) == ("high", position, [position])
    assert fields["subject"]["dicom.calling_ae"] == "CT2"
    assert fields["respond"]


def test_what_was_counted_before_a_kill_counts_after_it(services: Services, caller: Caller) -> None:
    caller.send(*(refused_sign_on(number) for number in range(1, 5)))
    caller.acknowledged(4)
    assert "sign-ons-failed" not in alerts(services)
    services.kill("core")
    services.start("core")
    again = Caller(services.edge)
    again.send(refused_sign_on(5))
    again.acknowledged(5)
    again.close()
    assert len(alerts(services)["sign-ons-failed"][2]["events"]) == 5


def test_a_host_that_has_gone_is_told_by_the_rule_for_it() -> None:
    (rule,) = [one for one in load() if one.head.file == "host-silent.yml"]
    assert rule.head.ours.match[0]["fields"]["event.action"] == "miss-sender"


def test_an_incident_is_closed_by_a_decision_that_is_added(services: Services, caller: Caller) -> None:
    caller.send(other_title(1))
    caller.acknowledged(1)
    officer = f"{services.target} options='-c role=siem-officer'"
    with psycopg.connect(officer, autocommit=True) as connection:
        store = Postgres(connection)
        (incident,) = read(store, LONG_AGO)
        assert (incident.state, incident.rules) == (State.OPEN, ("dicom-title-of-another",))
        now = datetime.now(tz=UTC)
        store.add(decide([incident], incident.number, Choice.CLOSE, person="k.osei", note="a wrong title", at=now))
        (closed,) = read(store, LONG_AGO)
        assert (closed.state, closed.decisions[0].person, closed.decisions[0].note) == (
            State.CLOSED, "k.osei", "a wrong title",
        )  # fmt: skip
        for statement in ("UPDATE siem.decisions SET note = 'x'", "DELETE FROM siem.decisions"):
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute(statement)  # type: ignore[arg-type] # of this test
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute(
                "INSERT INTO siem.decisions (incident, choice, person, note, at) VALUES (1, 'close', 'x', 'x', now())"
            )


def test_what_the_judge_remembers_is_kept(services: Services, caller: Caller) -> None:
    caller.send(refused_sign_on(1))
    caller.acknowledged(1)
    kept = services.folder / "judge.json"
    wait_until(kept.exists, "nothing is kept")
