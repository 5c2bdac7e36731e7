"""Transactions on pooled connections."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import psycopg
import pytest

from simulators import database as module
from simulators.database import URL_VARIABLE, Database, one
from simulators.errors import NotReadyError
from tests.unit.simulators.database import own_schema
from tests.unit.simulators.peers import ris_settings

if TYPE_CHECKING:
    from pathlib import Path

STEPS = ("CREATE TABLE notes (text text NOT NULL)",)


@pytest.fixture
def target(server: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    made = own_schema(server, request.node.name)
    monkeypatch.setenv(URL_VARIABLE, made)
    return made


@pytest.fixture
def database(target: str) -> Database:
    assert target
    made = Database(ris_settings())
    made.migrate(STEPS)
    return made


def backend(database: Database) -> int:
    with database.transaction() as cursor:
        cursor.execute("SELECT pg_backend_pid() AS pid")
        return int(one(cursor)["pid"])


def test_a_connection_serves_one_transaction_after_the_other(database: Database) -> None:
    assert backend(database) == backend(database)


def test_what_raises_is_undone_and_its_connection_serves_on(database: Database) -> None:
    before = backend(database)
    with pytest.raises(psycopg.errors.DivisionByZero), database.transaction() as cursor:
        cursor.execute("INSERT INTO notes VALUES ('x'); SELECT 1 / 0")
    with database.transaction() as cursor:
        cursor.execute("SELECT count(*) AS n FROM notes")
        assert one(cursor)["n"] == 0
    assert backend(database) == before


def test_threads_have_connections_of_their_own(database: Database) -> None:
    together = threading.Barrier(4, timeout=20)

    def work() -> None:
        with database.transaction() as cursor:
            together.wait()
            cursor.execute("INSERT INTO notes VALUES ('x')")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.transaction() as cursor:
        cursor.execute("SELECT count(*) AS n FROM notes")
        assert one(cursor)["n"] == 4


def test_connections_that_the_server_ended_are_replaced(database: Database, target: str) -> None:
    gone = backend(database)
    with psycopg.connect(target, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", (gone,))
    assert backend(database) != gone


def test_a_database_that_is_away_is_told_at_once_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(URL_VARIABLE, f"host={tmp_path} dbname=x")
    database = Database(ris_settings())
    for _ in range(2):
        begun = time.monotonic()
        with pytest.raises(NotReadyError, match="No such file or directory"), database.transaction():
            pass
        assert time.monotonic() - begun < module.CONNECTION_SECONDS / 2
    assert capfd.readouterr().err == ""


def test_a_database_that_comes_later_is_found(target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = tmp_path / "socket"
    folder = psycopg.conninfo.conninfo_to_dict(target)["host"]
    monkeypatch.setenv(URL_VARIABLE, psycopg.conninfo.make_conninfo(target, host=str(link)))
    database = Database(ris_settings())
    with pytest.raises(NotReadyError), database.transaction():
        pass
    link.symlink_to(str(folder))
    database.wait_until_ready(STEPS)
    assert backend(database)


def test_who_finds_all_connections_in_use_is_told(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert target
    monkeypatch.setattr(module, "CONNECTION_SECONDS", 0.3)
    monkeypatch.setattr(module, "MOST_CONNECTIONS", 1)
    database = Database(ris_settings())
    assert backend(database)
    with (
        database.transaction(),
        pytest.raises(NotReadyError, match="no connection came free"),
        database.transaction(),
    ):
        pass


def test_a_command_ends_without_waiting_for_the_pool(target: str) -> None:
    code = (
        "import time; from simulators.database import Database; from tests.unit.simulators.peers import ris_settings\n"
        "database = Database(ris_settings())\n"
        "with database.transaction() as cursor: cursor.execute('SELECT 1')\n"
        "print(time.time())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, URL_VARIABLE: target},
        capture_output=True,
        text=True,
        check=True,
    )
    assert time.time() - float(done.stdout) < 3
    assert done.stderr == ""
