"""The proof names the first record that was changed, removed, inserted or cut off, whoever did it."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from simulators.siem import cli
from simulators.siem.store.verify import Checkpoint, Report, verify
from tests.unit.simulators.siem.repository import Caller, numbered, own_database, running_services

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.unit.simulators.siem.repository import Services

COPY_OF = (
    "INSERT INTO siem.events (position, received, run, number, host, fields)"
    " SELECT {}, run, number, host, fields FROM siem.events WHERE position = 3"
)
TWICE = "INSERT INTO siem.messages SELECT {}, octets, raw FROM siem.messages WHERE first = {}"


@dataclass(frozen=True)
class Stored:
    """A database and what proves it."""

    target: str
    key: Path

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What is stored."""
        with psycopg.connect(self.target) as connection:
            return connection.execute(query).fetchall()  # type: ignore[arg-type] # of tests

    def alter(self, statement: str, *values: object) -> None:
        """Do something that nobody but the superuser can."""
        with psycopg.connect(self.target, autocommit=True) as connection:
            connection.execute(statement, values)  # type: ignore[arg-type] # of tests

    def proof(self, *checkpoints: Checkpoint, key: str = "") -> Report:
        """Prove it as the reader does."""
        with psycopg.connect(self.target, autocommit=True, options="-c role=siem-reader") as connection:
            return verify(connection, bytes.fromhex(key or self.key.read_text().strip()), checkpoints)

    @property
    def newest(self) -> Checkpoint:
        """What another host keeps of it."""
        ((number, head),) = self.rows("SELECT number, head FROM siem.batches ORDER BY number DESC LIMIT 1")
        return Checkpoint(number, head.hex(), "ct1")


def fill(services: Services) -> None:
    """Store records 1 to 12 in several batches: nine events, then what is kept apart with its event and alert."""
    caller = Caller(services.edge)
    for number in range(1, 10):
        caller.send(numbered(number))
        caller.acknowledged(number)
    caller.send(numbered(10, "<no/>"))
    caller.acknowledged(10)


@pytest.fixture(scope="module")
def filled(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stored]:
    key = tmp_path_factory.mktemp("key") / "signing.pub"
    with own_database(server, "filled") as target:
        with running_services(target) as services:
            fill(services)
            key.write_text((services.folder / "signing.pub").read_text())
        yield Stored(target, key)


@pytest.fixture
def stored(server: str, filled: Stored) -> Iterator[Stored]:
    """A copy of the same records for each test."""
    with own_database(server, "copy", copy_of="filled") as target:
        yield Stored(target, filled.key)


def test_what_is_as_it_was_stored_is_proven(stored: Stored) -> None:
    ((head,),) = stored.rows("SELECT head FROM siem.batches WHERE number = 3")
    report = stored.proof(stored.newest, Checkpoint(3, head.hex()))
    assert (report.fault, report.records, report.checkpoints) == (None, 12, 2)
    assert report.last == Checkpoint(stored.newest.number, stored.newest.head)


def test_records_that_are_stored_together_are_proven_and_read_back_as_they_came(services: Services) -> None:
    caller = Caller(services.edge)
    sent = [numbered(number, "<no/>" if number in {1, 30} else "") for number in range(1, 51)]
    caller.send(*sent)
    caller.acknowledged(50)
    stored = Stored(services.target, services.folder / "signing.pub")
    report = stored.proof()
    assert (report.fault, report.records) == (None, 52)  # with an event and an alert of what is kept apart
    rows = stored.rows("SELECT number, siem.message(position) FROM siem.events WHERE number > 0 ORDER BY position")
    assert rows == [(number, sent[number - 1]) for number in range(1, 51) if number not in {1, 30}]
    assert stored.rows("SELECT count(*) FROM siem.messages")[0][0] <= report.batches
    (last,) = stored.rows("SELECT max(position) FROM siem.events WHERE number > 0")[0]
    stored.alter("UPDATE siem.messages SET raw = overlay(raw placing '7' from length(raw))")
    fault = stored.proof().fault
    assert fault is not None
    assert fault.position == last or report.batches > 1


@pytest.mark.parametrize(
    ("statement", "kind", "position"),
    [
        ("UPDATE siem.messages SET raw = raw || 'x' WHERE first = 4", "changed", 4),
        ("UPDATE siem.messages SET raw = raw || 'x', octets[1] = octets[1] + 1 WHERE first = 4", "changed", 4),
        ("UPDATE siem.messages SET raw = overlay(raw placing '7' from 9) WHERE first = 4", "changed", 4),
        ("UPDATE siem.messages SET octets = '{}' WHERE first = 4", "changed", 4),
        ("UPDATE siem.messages SET first = 5 WHERE first = 4", "changed", 4),
        ("DELETE FROM siem.messages WHERE first = 4", "changed", 4),
        ("DELETE FROM siem.messages", "changed", 1),
        (TWICE.format("first, received + interval '1 us'", 4), "changed", 4),
        (TWICE.format("99, received", 9), "changed", 99),
        (TWICE.format("12, received", 9), "changed", 12),
        (TWICE.format("10, received", 9), "changed", 10),
        ("UPDATE siem.events SET fields = replace(fields::text, 'a.r', 'b.s')::json WHERE position = 5", "changed", 5),
        ("UPDATE siem.events SET patient = 'P9' WHERE position = 6", "changed", 6),
        ("UPDATE siem.events SET study = NULL WHERE position = 6", "changed", 6),
        ("UPDATE siem.events SET time = NULL WHERE position = 6", "changed", 6),
        ("UPDATE siem.events SET time = 'infinity' WHERE position = 6", "changed", 6),
        ("UPDATE siem.events SET host = 'mr1' WHERE position = 7", "changed", 7),
        ("UPDATE siem.events SET number = 70 WHERE position = 7", "changed", 7),
        ("UPDATE siem.events SET received = received + interval '1 us' WHERE position = 7", "changed", 7),
        (
            ("UPDATE siem.events SET received = (SELECT max(received) + interval '1 us' FROM siem.events)"
            " WHERE position = 7"), "changed", 7,
        ),
        ("UPDATE siem.quarantine SET reason = 'nothing'", "changed", 10),
        ("UPDATE siem.alerts SET level = 'low'", "changed", 12),
        ('UPDATE siem.alerts SET "of" = 3', "changed", 12),
        ("DELETE FROM siem.events WHERE position = 2", "removed", 2),
        ("DELETE FROM siem.events WHERE position = 1", "removed", 1),
        ("DELETE FROM siem.alerts", "removed", 12),
        ("DELETE FROM siem.quarantine", "removed", 10),
        (COPY_OF.format("99, received"), "inserted", 99),
        (COPY_OF.format("3, received + interval '1 us'"), "inserted", 3),
        ("DELETE FROM siem.batches WHERE number = 3", "removed", 3),
        ("UPDATE siem.batches SET root = head WHERE number = 3", "changed", 3),
        ("UPDATE siem.batches SET leaves = '' WHERE number = 3", "changed", 3),
        ("UPDATE siem.batches SET signature = head || head WHERE number = 4", "changed", 4),
        ("UPDATE siem.batches SET count = 2 WHERE number = 4", "changed", 4),
        ("UPDATE siem.batches SET until = until + interval '1 day' WHERE number = 4", "changed", 4),
    ],
)  # fmt: skip
def test_the_first_record_that_is_not_as_it_was_is_named(
    stored: Stored, statement: str, kind: str, position: int
) -> None:
    stored.alter(statement)
    fault = stored.proof().fault
    assert fault is not None
    assert (fault.kind, fault.position) == (kind, position)


def cut(stored: Stored) -> int:
    """Remove the last two batches with all that is in them; return the position of their first record."""
    ((number, first),) = stored.rows("SELECT number, first FROM siem.batches ORDER BY number DESC OFFSET 1 LIMIT 1")
    for table in ("events", "quarantine", "alerts"):
        stored.alter(f"DELETE FROM siem.{table} WHERE position >= %s", first)  # noqa: S608
    stored.alter("DELETE FROM siem.messages WHERE first >= %s", first)
    stored.alter("DELETE FROM siem.batches WHERE number >= %s", number)
    stored.alter("DELETE FROM siem.progress WHERE batch >= %s", number)
    return int(first)


def test_an_end_that_is_cut_off_is_found_by_what_another_host_has_kept(stored: Stored) -> None:
    kept, first = stored.newest, cut(stored)
    assert stored.proof().fault is None  # the store alone cannot tell
    fault = stored.proof(kept).fault
    assert fault is not None
    assert (fault.kind, fault.position) == ("cut", first)
    assert "ct1" in fault.says


def test_a_chain_that_was_signed_again_is_found_by_what_another_host_has_kept(services: Services) -> None:
    fill(services)
    stored = Stored(services.target, services.folder / "signing.pub")
    kept = stored.newest
    services.kill("core")
    cut(stored)
    services.start("core")  # with the repository's own key
    caller, number = Caller(services.edge), 8
    while stored.newest.number < kept.number:
        caller.send(numbered(number + 1))
        caller.acknowledged(number + 1)
        number += 1
    assert stored.proof().fault is None
    fault = stored.proof(kept).fault
    assert fault is not None
    assert fault.kind == "replaced"


def test_the_first_record_that_may_be_replaced_follows_the_last_that_a_kept_head_fits(services: Services) -> None:
    fill(services)
    stored = Stored(services.target, services.folder / "signing.pub")
    heads = {number: head.hex() for number, head in stored.rows("SELECT number, head FROM siem.batches")}
    ((first,),) = stored.rows("SELECT first + count FROM siem.batches WHERE number = 2")
    kept = [Checkpoint(1, heads[1], "ct1"), Checkpoint(2, heads[2], "mr1"), Checkpoint(4, "ab" * 32, "ct1")]
    fault = stored.proof(*kept).fault
    assert fault is not None
    assert (fault.kind, fault.position, fault.batch) == ("replaced", first, 4)
    assert f"what follows record {first - 1} was replaced" in fault.says


def test_a_store_that_was_emptied_or_begun_anew_is_found_from_its_first_record_on(services: Services) -> None:
    fill(services)
    stored = Stored(services.target, services.folder / "signing.pub")
    kept, key = stored.newest, stored.key.read_text().strip()
    services.kill("core")
    stored.alter(
        "TRUNCATE siem.events, siem.messages, siem.quarantine, siem.alerts, siem.batches, siem.progress, siem.gaps,"
        " siem.late"
    )
    fault = stored.proof(kept).fault
    assert fault is not None
    assert (fault.kind, fault.position) == ("cut", 1)
    (services.folder / "signing.key").unlink()
    services.start("core")  # with a key of its own
    caller = Caller(services.edge)
    for number in range(1, kept.number + 2):
        caller.send(numbered(number))
        caller.acknowledged(number)
    assert stored.proof().fault is None  # the store and its own key cannot tell
    for told in (stored.proof(kept).fault, stored.proof(key=key).fault):
        assert told is not None
        assert told.position == 1


def test_another_keys_signature_proves_nothing(stored: Stored) -> None:
    fault = stored.proof(key="00" * 32).fault
    assert fault is not None
    assert (fault.kind, fault.position) == ("changed", 1)


def test_the_command_proves_with_what_others_have_kept(
    stored: Stored, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PACSLAB_SIEM_DATABASE", f"{stored.target} options='-c role=siem-reader'")

    def run(*words: str, given: object = None) -> tuple[int, list[dict[str, Any]]]:
        monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(given)))
        code = cli.main(list(words))
        return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    _, (head,) = run("head", "--key", str(stored.key))
    kept = {"key": head["key"], "checkpoints": [{"number": head["number"], "head": head["head"]}]}
    code, (report,) = run("verify", "--kept", given=kept)
    assert (code, report["fault"], report["records"], report["checkpoints"]) == (0, None, 12, 1)
    code, shown = run("show", "--patient", "P0000001", "--limit", "3")
    assert (code, [entry["position"] for entry in shown]) == (0, [7, 8, 9])
    assert run("show", "--accession", "none") == (0, [])
    assert run("show")[0] == 2
    _, (sender,) = run("senders")
    assert (sender["host"], sender["runs"][0]["last"], sender["missing"], sender["refused"]) == ("ct1", 10, [], 1)
    _, (apart,) = run("quarantine")
    assert (apart["number"], "<no/>" in apart["raw"]) == (10, True)
    _, (alarm,) = run("alerts")
    assert (alarm["rule"], alarm["of"]) == ("repository.refuse", 11)
    stored.alter("UPDATE siem.messages SET raw = '', octets[1] = 0 WHERE first = 2")
    code, (report,) = run("verify", "--kept", given=kept)
    assert (code, report["fault"]["position"]) == (1, 2)
