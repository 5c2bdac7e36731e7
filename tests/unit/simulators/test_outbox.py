"""The outbox keeps each patient's messages in order, and lets no message hold up another patient's."""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from simulators import outbox as outbox_module
from simulators.database import URL_VARIABLE, Database
from simulators.errors import ArgumentError, NoAnswerError, NotFoundError, RefusedError
from simulators.hl7content import adt, merge
from simulators.hl7exchange import enqueue
from simulators.hl7messages import Problem, acknowledgement, parse
from simulators.mllp import Listener
from simulators.outbox import MOST_ERRORS, Attempt, Outbox, outbox_of
from simulators.ris.record import STEPS
from simulators.workstation import pending as pending_module
from simulators.workstation.pending import PendingReport, PendingReports
from tests.unit.simulators.database import own_schema
from tests.unit.simulators.peers import ANNA, EHR, free_port, renamed, ris_settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from simulators.proxy_protocol import Sender

UNPROCESSED = Problem("AE", 207, "send it again")


class Receiver:
    """A peer that answers as it is told; ``problems`` has what is wrong with messages about a patient."""

    def __init__(self, stack: ExitStack) -> None:
        """Listen on a free port."""
        self.problems: dict[str, Problem] = {}
        self.taken: list[str] = []
        self.other_number = False
        listener = Listener(0, self.answer, behind_proxy=False)
        listener.start()
        stack.callback(listener.stop)
        self.port = listener.server_address[1]

    def answer(self, data: bytes, _: Sender) -> list[bytes]:
        """Answer one message."""
        message = parse(data)
        patient = message.get("PID", 3)
        problem = self.problems.get(patient)
        if problem is None:
            self.taken.append(f"{message.type} {patient}")
        answer = acknowledgement(message, EHR, problem)
        return [answer.replace(message.control_id.encode(), b"ANOTHER") if self.other_number else answer]


class Sending:
    """An outbox with one peer."""

    def __init__(self, stack: ExitStack) -> None:
        """Make the tables."""
        self.settings = ris_settings()
        self.database = Database(self.settings)
        self.database.migrate(STEPS)
        self.receiver = Receiver(stack)
        self.outbox = Outbox(self.settings, self.database)
        self.peer = replace(self.settings.peer("hl7-tls", role="image_manager"), port=self.receiver.port)

    def put(self, *patients: str) -> list[int]:
        """Put an update of each patient into the outbox; return the messages' numbers."""
        with self.database.transaction() as cursor:
            return [
                enqueue(cursor, self.settings, self.peer, lambda envelope, who=patient: adt(envelope, "A08", who))
                for patient in (renamed(ANNA, name) for name in patients)
            ]

    def run(self, *, due: bool = True) -> Attempt:
        """Deliver until nothing may be sent, or nothing is answered."""
        while (last := self.outbox.deliver_next(self.peer, due=due)) is Attempt.ANSWERED:
            pass
        return last

    def states(self) -> list[str]:
        """What became of the messages."""
        return [row["state"] for row in self.rows()]

    def rows(self) -> list[dict[str, Any]]:
        """The messages."""
        with self.database.transaction() as cursor:
            cursor.execute("SELECT * FROM messages ORDER BY id")
            return cursor.fetchall()

    def change(self, what: str) -> None:
        """Change all messages that wait."""
        with self.database.transaction() as cursor:
            cursor.execute(f"UPDATE messages SET {what} WHERE state = 'waiting'".encode())  # noqa: S608 - our own text


@pytest.fixture
def sending(server: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Sending]:
    monkeypatch.setenv(URL_VARIABLE, own_schema(server, request.node.name))
    for module in (outbox_module, pending_module):
        monkeypatch.setattr(module, "client_context", lambda *_: None)
    with ExitStack() as stack:
        yield Sending(stack)


def test_a_message_that_cannot_be_processed_holds_up_only_its_patients(sending: Sending) -> None:
    sending.receiver.problems["P1"] = UNPROCESSED
    sending.put("P1", "P2", "P1", "P3")
    assert sending.run() is Attempt.NOTHING
    assert sending.receiver.taken == ["ADT^A08 P2", "ADT^A08 P3"]
    assert sending.states() == ["waiting", "delivered", "waiting", "delivered"]


def test_a_merge_keeps_its_place_among_the_messages_of_both_patients(sending: Sending) -> None:
    sending.receiver.problems["P1"] = UNPROCESSED
    sending.put("P1")
    with sending.database.transaction() as cursor:
        enqueue(cursor, sending.settings, sending.peer, lambda envelope: merge(envelope, renamed(ANNA, "P2"), "P1"))
    sending.put("P2")
    sending.run()
    assert sending.receiver.taken == []
    sending.receiver.problems.clear()
    sending.change("next_try = now()")
    sending.run()
    assert sending.receiver.taken == ["ADT^A08 P1", "ADT^A40 P2", "ADT^A08 P2"]


def test_a_command_gets_its_answer_past_a_message_that_fails(sending: Sending) -> None:
    sending.receiver.problems["P1"] = UNPROCESSED
    _, number = sending.put("P1", "P2")
    assert sending.outbox.deliver(sending.peer, number)["state"] == "delivered"


def fail(sending: Sending, times: int) -> None:
    for _ in range(times):
        sending.change("next_try = now()")
        sending.run()


def test_what_fails_again_and_again_is_set_aside_and_somebody_decides(
    sending: Sending, events: list[dict[str, Any]]
) -> None:
    sending.receiver.problems["P1"] = UNPROCESSED
    first, second = sending.put("P1", "P1")
    fail(sending, 1)
    sending.put("P2")
    fail(sending, MOST_ERRORS - 1)
    assert sending.states()[0] == "set aside"
    assert [event["reason"] for event in events if event.get("reason") == "set-aside"] == ["set-aside"]
    sending.receiver.problems.clear()
    fail(sending, 1)
    assert sending.states() == ["set aside", "delivered", "delivered"], "the queue goes on"

    with sending.database.transaction() as cursor:
        outbox_of(cursor, argparse.Namespace(retry=first, drop=None))
    sending.run()
    assert sending.states() == ["delivered"] * 3
    with sending.database.transaction() as cursor, pytest.raises(ArgumentError):
        outbox_of(cursor, argparse.Namespace(retry=None, drop=second))
    with sending.database.transaction() as cursor, pytest.raises(NotFoundError):
        outbox_of(cursor, argparse.Namespace(retry=99, drop=None))


def test_the_health_probe_is_told_what_is_set_aside(
    sending: Sending, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    told = tmp_path / "set-aside"
    (number,) = sending.put("P1")
    sending.outbox.report()
    assert told.read_text() == ""
    with sending.database.transaction() as cursor:
        cursor.execute("UPDATE messages SET state = 'set aside'")
    sending.outbox.report()
    assert told.read_text().startswith(f"{number}: ADT^A08 ")
    assert "P1" not in told.read_text(), "no patient is named in a probe's answer"
    assert told.stat().st_mode & 0o777 == 0o644
    with sending.database.transaction() as cursor:
        outbox_of(cursor, argparse.Namespace(retry=number, drop=None))
    sending.outbox.report()
    assert told.read_text() == ""


def test_a_dropped_message_is_never_sent(sending: Sending, events: list[dict[str, Any]]) -> None:
    sending.receiver.problems["P1"] = Problem("AE", 204, "unknown")
    (number,) = sending.put("P1")
    sending.run()
    with sending.database.transaction() as cursor:
        shown = outbox_of(cursor, argparse.Namespace(retry=None, drop=number))
    assert "dropped" in shown.text
    assert {"action": "settle", "state": "dropped", "peer": "pacs-rad"}.items() <= events[-1].items()
    sending.receiver.problems.clear()
    sending.run()
    assert sending.receiver.taken == []


def test_a_peer_that_can_process_nothing_gets_no_message_set_aside_at_once(sending: Sending) -> None:
    sending.receiver.problems = {"P1": UNPROCESSED, "P2": UNPROCESSED}
    sending.put("P1", "P2")
    fail(sending, MOST_ERRORS + 3)
    assert sending.states() == ["waiting", "waiting"]
    sending.change("failing = now() - interval '2 hours'")
    fail(sending, 1)
    assert sending.states() == ["set aside", "set aside"]


def test_a_peer_that_does_not_answer_is_left_alone_for_a_while(sending: Sending) -> None:
    away = replace(sending.peer, port=free_port())
    sending.put("P1", "P2")
    assert sending.outbox.deliver_next(away, due=True) is Attempt.UNANSWERED
    assert sending.outbox.deliver_next(away, due=True) is Attempt.NOTHING
    assert [row["attempts"] for row in sending.rows()] == [1, 0]
    sending.run(due=False)
    assert sending.receiver.taken == ["ADT^A08 P1", "ADT^A08 P2"]


def test_another_messages_acknowledgement_is_no_answer(sending: Sending) -> None:
    sending.receiver.other_number = True
    sending.put("P1")
    assert sending.run() is Attempt.UNANSWERED
    assert sending.states() == ["waiting"]
    sending.receiver.other_number = False
    sending.run(due=False)
    assert sending.states() == ["delivered"]


def test_a_duplicate_counts_as_taken_only_when_it_was_sent_before(sending: Sending) -> None:
    sending.receiver.problems["P1"] = Problem("AR", 205, "again", ("MSH", "1", "10"))
    sending.put("P1")
    sending.run()
    assert sending.states() == ["refused"]


def pending_report(sending: Sending) -> tuple[PendingReport, Any]:
    (number,) = sending.put("P1")
    row = next(row for row in sending.rows() if row["id"] == number)
    return PendingReport(row["control_id"], "pacs-rad", "A1", "2.25.1", row["body"]), sending.peer


def test_a_report_that_is_not_answered_is_kept_and_sent_as_the_same(
    sending: Sending, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pending_module, "SECONDS", 0.2)
    report, peer = pending_report(sending)
    pending = PendingReports(tmp_path / "reports")
    sending.receiver.problems["P1"] = UNPROCESSED
    for port in (free_port(), peer.port):
        with pytest.raises(NoAnswerError):
            pending.submit(sending.settings, replace(peer, port=port), report)
        assert PendingReports(tmp_path / "reports").all() == [report]
    sending.receiver.problems.clear()
    assert pending.submit(sending.settings, peer, report)["control_id"] == report.control_id
    assert pending.all() == []


def test_a_report_that_is_refused_is_given_up(sending: Sending, tmp_path: Path) -> None:
    report, peer = pending_report(sending)
    pending = PendingReports(tmp_path / "reports")
    sending.receiver.problems["P1"] = Problem("AE", 204, "unknown")
    with pytest.raises(RefusedError):
        pending.submit(sending.settings, peer, report)
    assert pending.all() == []
