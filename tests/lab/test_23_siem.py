"""The repository keeps what it has acknowledged, whatever is killed; and it names what was altered."""

# ruff: noqa: S608 - what stands in these statements are numbers, UUIDs and names of ours
from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from lab.hospital.audit_stream import new_run, sender, stream
from lab.hospital.repository import Repository, repository_of
from tests.lab_commands import pacslab, succeed, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.engine.lab import Lab

SQL = ["runuser", "-u", "postgres", "--", "psql", "--no-psqlrc", "-qAt", "-v", "ON_ERROR_STOP=1", "-d", "siem", "-c"]
MESSAGES = 3_000
RATE = 400.0
"""Messages a second: long enough for something to be killed meanwhile."""


@pytest.fixture(autouse=True)
def _has_a_repository(clone: Lab) -> None:
    if repository_of(clone.site) is None:
        pytest.skip("no host of this lab's site keeps audit messages")


def sql(lab: Lab, statement: str) -> str:
    done = lab.run(Repository(lab).host, [*SQL, statement], timeout=120)
    assert done.code == 0, done.stderr
    return done.stdout.strip()


def numbers(lab: Lab, run: str) -> list[int]:
    found = sql(lab, f"SELECT number FROM siem.events WHERE run = '{run}' ORDER BY position")
    return [int(number) for number in found.split()]


def killed(lab: Lab, unit: str) -> None:
    """Kill all processes of a unit, which systemd starts again."""
    done = lab.run(Repository(lab).host, ["systemctl", "kill", "--signal=SIGKILL", unit])
    assert done.code == 0, done.stderr


def senders(lab: Lab) -> list[str]:
    flows = lab.site.flows_to("log-collection")
    return [flow.source for flow in flows if flow.source in lab.site.managed][:3]


def test_a_message_that_was_sent_is_stored_and_found(clone: Lab) -> None:
    run = new_run()
    sent = stream(clone, run, 20)
    assert sent.acknowledged == 20
    host = sender(clone.site).flow.source
    shown = succeed("audit", "show", "--accession", "AB0000007", "--json", "--lab", clone.name).json
    (found,) = [entry for entry in shown if entry["fields"].get("event.sequence") == 7]
    assert {name: found["fields"][name] for name in ("host.name", "patient.id", "user.name", "event.code")} == {
        "host.name": host, "patient.id": "PB0000007", "user.name": "person7", "event.code": "110104",
    }  # fmt: skip
    assert succeed("audit", "show", "--person", "person7", "--lab", clone.name).out.count("AB0000007") == 1


def test_numbers_that_come_again_are_kept_once(clone: Lab) -> None:
    run = new_run()
    assert stream(clone, run, 50).acknowledged == 50
    assert stream(clone, run, 60).acknowledged == 60
    assert numbers(clone, run) == list(range(1, 61))


def test_garbage_leaves_the_other_senders_served_and_alarms(clone: Lab) -> None:
    bad, *good = senders(clone)
    run = new_run()
    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(stream, clone, new_run(), 500, host=host, rate=100) for host in good]
        for content in ("<no", "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "<a>" * 5_000, "plain words"):
            assert stream(clone, new_run(), 200, host=bad, content=content).acknowledged == 200
        assert [done.result().acknowledged for done in running] == [500] * len(good)
    apart = Repository(clone).lines("quarantine", "--limit", "800")
    assert {entry["host"] for entry in apart} == {bad}
    rules = {(entry["rule"], entry["host"]) for entry in Repository(clone).lines("alerts")}
    assert ("audit-message-refused", bad) in rules
    assert stream(clone, run, 5, host=bad).acknowledged == 5  # and it is heard when it sends what it should


@pytest.mark.parametrize(
    "unit", ["pacslab-siem.service", "pacslab-siem-intake.service", "postgresql@17-main.service", "haproxy.service"]
)
def test_what_is_killed_loses_nothing(clone: Lab, unit: str) -> None:
    run = new_run()
    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(stream, clone, run, MESSAGES, rate=RATE)
        for _ in range(3):
            time.sleep(1.5)
            killed(clone, unit)
        sent = sending.result()
    assert sent.acknowledged == MESSAGES
    assert numbers(clone, run) == list(range(1, MESSAGES + 1))
    assert until(lambda: pacslab("status", "--lab", clone.name).code == 0)


def test_a_database_without_room_acknowledges_nothing_and_loses_nothing(clone: Lab) -> None:
    """As on a full disk: the server refuses to write."""
    run = new_run()
    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(stream, clone, run, MESSAGES, rate=RATE)
        time.sleep(1.5)
        sql(clone, "ALTER ROLE siem SET default_transaction_read_only = on")
        killed(clone, "postgresql@17-main.service")
        time.sleep(4)
        before = len(numbers_when_there(clone, run))
        assert before < MESSAGES
        sql(clone, "ALTER ROLE siem RESET default_transaction_read_only")
        killed(clone, "pacslab-siem.service")
        assert sending.result().acknowledged == MESSAGES
    assert numbers(clone, run) == list(range(1, MESSAGES + 1))


def numbers_when_there(clone: Lab, run: str) -> list[int]:
    host = Repository(clone).host
    assert until(lambda: clone.run(host, [*SQL, "SELECT 1"]).code == 0)
    return numbers(clone, run)


def test_what_is_stored_is_proven_and_a_record_that_is_altered_is_named(clone: Lab) -> None:
    run = new_run()
    assert stream(clone, run, 10).acknowledged == 10
    proof = succeed("audit", "verify", "--json", "--lab", clone.name).json
    assert proof["fault"] is None
    assert proof["records"] >= 10
    position = int(sql(clone, f"SELECT position FROM siem.events WHERE run = '{run}' AND number = 4"))
    sql(clone, f"UPDATE siem.events SET person = 'nobody' WHERE position = {position}")
    assert fault(clone) == {"kind": "changed", "position": position}
    sql(clone, f"UPDATE siem.events SET person = fields->>'user.name' WHERE position = {position}")
    assert succeed("audit", "verify", "--json", "--lab", clone.name).json["fault"] is None


def fault(clone: Lab) -> dict[str, Any]:
    ran = pacslab("audit", "verify", "--json", "--lab", clone.name)
    assert ran.code == 1, ran.out + ran.err
    found = json.loads(ran.out)["fault"]
    return {name: found[name] for name in ("kind", "position")}


UNITS = [f"pacslab-siem{part}.{kind}" for kind in ("socket", "service") for part in ("-intake", "")]


@contextmanager
def at_rest(clone: Lab) -> Iterator[None]:
    """Nothing is stored meanwhile; senders keep what they have."""
    host = Repository(clone).host
    assert clone.run(host, ["systemctl", "stop", *UNITS], timeout=60).code == 0
    try:
        yield
    finally:
        assert clone.run(host, ["systemctl", "start", *UNITS], timeout=120).code == 0


@pytest.mark.night
def test_an_end_that_is_cut_off_is_found(clone: Lab) -> None:
    assert stream(clone, new_run(), 10).acknowledged == 10
    with at_rest(clone):
        last = succeed("audit", "verify", "--json", "--lab", clone.name).json["batches"]
        first = int(sql(clone, f"SELECT first FROM siem.batches WHERE number = {last}"))
        tables = {"events": "position", "quarantine": "position", "alerts": "position", "messages": "first"}
        tables |= {"batches": "first"}
        keep = [
            f"CREATE TABLE public.kept_{name} AS SELECT * FROM siem.{name} WHERE {column} >= {first}"
            for name, column in tables.items()
        ]
        cut = [f"DELETE FROM siem.{name} WHERE {column} >= {first}" for name, column in tables.items()]
        sql(clone, "; ".join([*keep, *cut]))
        try:
            assert fault(clone) == {"kind": "cut", "position": first}
        finally:
            back = [f"INSERT INTO siem.{name} SELECT * FROM public.kept_{name}" for name in tables]
            drop = [f"DROP TABLE public.kept_{name}" for name in tables]
            sql(clone, "; ".join([*back, *drop]))
        assert succeed("audit", "verify", "--json", "--lab", clone.name).json["fault"] is None
    assert until(lambda: pacslab("status", "--lab", clone.name).code == 0)
