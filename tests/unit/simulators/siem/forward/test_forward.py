"""Every event and alert is handed over as a line of syslog, in order; a restart leaves none out."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from simulators.siem import forward
from simulators.siem.forward import serve
from simulators.siem.forward.line import LONGEST, Alert, Event
from simulators.siem.forward.serve import Forwarder
from tests.unit.simulators.siem.console.stored import Stored
from tests.unit.simulators.siem.repository import ROOT, own_database
from tests.unit.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

TABLES = Path(forward.__file__).parent / "tables.sql"
WHEN = datetime(2026, 1, 5, 9, 12, 44, 310000, UTC)
LINE = re.compile(
    rb'<(\d+)>1 (\S+) - pacslab-siem - (\S{1,32}) \[pacslab@32473 position="(\d+)"\] (\{.*\})'  # RFC 5424 6
)
HOSTILE = "x\r\n<13>1 - evil - - - -\x1b[2J\u202e\ud800"


@pytest.fixture(scope="module")
def database(server: str) -> Iterator[str]:
    with own_database(server, "forwarded") as target:
        with psycopg.connect(target, autocommit=True) as connection:
            connection.execute(TABLES.read_text())  # type: ignore[arg-type] # a file of ours
        yield target


@pytest.fixture
def stored(database: str) -> Stored:
    return Stored(database)


class Taken:
    """What stands in for rsyslog: takes frames at a socket."""

    def __init__(self) -> None:
        """Listen."""
        self.path = Path(tempfile.mkdtemp(prefix="pacslab-fw-")) / "events.sock"  # a socket's path is short
        self.listening = socket.socket(socket.AF_UNIX)
        self.listening.bind(str(self.path))
        self.listening.listen()
        self.listening.settimeout(20)
        self._rest = b""
        self.positions: list[int] = []
        self.lines: list[dict[str, Any]] = []

    def take(self, connection: socket.socket, count: int) -> None:
        """Read frames until there are so many."""
        connection.settimeout(20)
        while len(self.lines) < count:
            assert self._read(connection), f"{len(self.lines)} lines have come"

    def take_all(self, connection: socket.socket) -> None:
        """Read the frames that are there."""
        connection.settimeout(0)
        with suppress(BlockingIOError):
            while self._read(connection):
                pass

    def _read(self, connection: socket.socket) -> bool:
        came = connection.recv(1 << 16)
        self._rest += came
        while (found := re.match(rb"(\d+) ", self._rest)) and len(self._rest) >= found.end() + int(found[1]):
            end = found.end() + int(found[1])
            told = LINE.fullmatch(self._rest[found.end() : end])
            assert told is not None, self._rest
            self._rest = self._rest[end:]
            self.positions.append(int(told[4]))
            self.lines.append(json.loads(told[5]))
        return bool(came)


@pytest.fixture
def taken() -> Iterator[Taken]:
    listening = Taken()
    yield listening
    listening.listening.close()
    listening.path.unlink()
    listening.path.parent.rmdir()


def test_an_event_is_one_line_whatever_stands_in_it() -> None:
    line = Event(7, WHEN, "ct1", {"event.dataset": "dicom.audit", "message": HOSTILE, "patient.id": "P1"}).line()
    told = LINE.fullmatch(line)
    assert told is not None
    assert (told[1], told[2], told[3]) == (b"110", b"2026-01-05T09:12:44.310Z", b"dicom.audit")
    assert json.loads(told[5]) == {
        "host.name": "ct1", "event.dataset": "dicom.audit", "message": HOSTILE, "patient.id": "P1",
    }  # fmt: skip


def test_a_kind_that_a_sender_chose_makes_no_header() -> None:
    line = Event(7, WHEN, "ct1", {"event.dataset": "a b\r\n] <13>" + "x" * 90}).line()
    told = LINE.fullmatch(line)
    assert told is not None
    assert b" " not in told[3]


def test_an_alert_says_how_grave_it_is() -> None:
    told = LINE.fullmatch(Alert(9, WHEN, "fw1", "ports-scanned", "high", 7, {"title": "x"}).line())
    assert told is not None
    assert told[1] == b"107"
    fields = json.loads(told[5])
    assert (fields["event.kind"], fields["log.level"], fields["pacslab.of"]) == ("alert", "high", 7)


def test_what_is_too_long_for_a_collector_is_shortened_and_says_so() -> None:
    line = Event(7, WHEN, "ct1", {"event.dataset": "x", "message": "y" * 2 * LONGEST}).line()
    assert len(line) <= LONGEST
    fields = json.loads(LINE.fullmatch(line)[5])  # type: ignore[index] # it matches
    assert fields == {"host.name": "ct1", "event.dataset": "x", "pacslab.shortened": True}


def test_events_and_alerts_go_in_their_order_and_none_is_left_out(
    stored: Stored, taken: Taken, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serve, "AT_ONCE", 3)
    (tmp_path / serve.NOTED).write_text(json.dumps({"position": 0, "received": "2020-01-01T00:00:00+00:00"}))
    for number in range(11):
        position = stored.event({"event.dataset": "pacslab.event"}, ago=100 - number)
        if number % 5 == 0:
            stored.alert({"title": "x"}, position, ago=100 - number)
    out, end = socket.socketpair()
    with out, end, psycopg.connect(stored.target, autocommit=True, options="-c role=siem-forwarder") as connection:
        forwarder = Forwarder(connection, out, tmp_path)
        while forwarder.turn():
            pass
        taken.take(end, 14)
    assert taken.positions == list(range(1, 15))


def test_a_restart_goes_back_and_leaves_none_out(stored: Stored, taken: Taken, tmp_path: Path) -> None:
    with psycopg.connect(stored.target, autocommit=True, options="-c role=siem-forwarder") as connection:
        for begin in range(3):
            out, end = socket.socketpair()
            with out, end:
                forwarder = Forwarder(connection, out, tmp_path, back=4)
                for _ in range(10):
                    stored.event({"event.dataset": "pacslab.event"}, ago=-60 * begin)
                    forwarder.turn()
                taken.take_all(end)
    assert sorted(set(taken.positions)) == list(range(1, 31))
    assert 30 < len(taken.positions) <= 30 + 2 * 5


def test_the_service_hands_over_what_comes_and_says_when_it_cannot(
    stored: Stored, taken: Taken, tmp_path: Path
) -> None:
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PACSLAB_SIEM_DATABASE": f"{stored.target} options='-c role=siem-forwarder'",
        "STATE_DIRECTORY": str(tmp_path),
        "RUNTIME_DIRECTORY": str(tmp_path),
    }
    (tmp_path / serve.NOTED).write_text(json.dumps({"position": 0, "received": "2020-01-01T00:00:00+00:00"}))
    stored.event({"event.dataset": "pacslab.event"})
    command = [sys.executable, "-m", "simulators.siem.forward.serve"]
    running = subprocess.Popen([*command, str(taken.path)], cwd=ROOT, env=environment)
    trouble = tmp_path / serve.TROUBLE
    try:
        first, _ = taken.listening.accept()
        taken.take(first, 1)
        assert trouble.read_text() == ""
        first.close()
        stored.event({"event.dataset": "pacslab.event"})
        stored.event({"event.dataset": "pacslab.event"})
        wait_until(lambda: trouble.read_text() == "rsyslog takes no events\n", trouble.read_text())
        second, _ = taken.listening.accept()
        taken.take(second, 4)
        second.close()
    finally:
        running.terminate()
        assert running.wait(20) == 0
    assert taken.positions == [1, 1, 2, 3]


def test_the_forwarder_reads_no_message_as_it_came_and_changes_nothing(stored: Stored) -> None:
    with psycopg.connect(stored.target, autocommit=True, options="-c role=siem-forwarder") as connection:
        for statement in ("SELECT raw FROM siem.messages", "SELECT * FROM siem.decisions", "DELETE FROM siem.alerts"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)  # type: ignore[arg-type] # of tests
