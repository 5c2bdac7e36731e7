"""The gate refuses what a sender may not say, answers it, logs it, and lets nothing through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from simulators.hl7content import Code, Envelope, Order, adt, merge, order_message
from simulators.hl7memory import Acceptance
from simulators.hl7messages import Answer, Party, parse, read_answer
from simulators.hl7receiver import Receiver
from tests.unit.simulators.peers import ANNA, EHR, RIS, MemoryInbox, from_ehr, ris_settings, sender

if TYPE_CHECKING:
    from simulators.hl7messages import Message

REGISTER = adt(from_ehr(), "A04", ANNA)


def ask(text: str | bytes, *, name: str | None = "ehr1", inbox: MemoryInbox | None = None) -> Answer:
    takes = inbox or MemoryInbox()
    receiver = Receiver(ris_settings(), dict.fromkeys(("ADT^A04", "ADT^A40", "ORM^O01"), takes))
    (answer,) = receiver.answer(text if isinstance(text, bytes) else text.encode(), sender(name))
    return read_answer(answer)


def test_a_permitted_message_is_taken_and_answered_with_its_control_id() -> None:
    inbox = MemoryInbox()
    answer = ask(REGISTER, inbox=inbox)
    assert (answer.acknowledgement, answer.control_id) == ("AA", "C1")
    assert [message.type for message in inbox.taken] == ["ADT^A04"]


REFUSALS = [
    ("unlisted-sender", 207, REGISTER, "mr1"),
    ("unlisted-sender", 207, REGISTER, None),
    ("sender-mismatch", 207, REGISTER.replace("|EHR1|", "|RIS1|"), "ehr1"),
    ("sender-mismatch", 207, REGISTER, "ws-rad1"),
    ("wrong-receiver", 103, REGISTER.replace("|RIS1|", "|VNA1|"), "ehr1"),
    ("version", 203, REGISTER.replace("|2.5.1|", "|2.2|"), "ehr1"),
    ("processing-id", 202, REGISTER.replace("|P|2.5.1", "|T|2.5.1"), "ehr1"),
    ("control-id", 101, REGISTER.replace("|C1|", "||"), "ehr1"),
    ("control-id", 101, REGISTER.replace("|C1|", f"|{'C' * 200}|"), "ehr1"),
    ("not-permitted", 200, merge(Envelope(Party.of("ws-rad1", "reference"), RIS, "C1"), ANNA, "P2"), "ws-rad1"),
    ("message-type", 200, adt(from_ehr(), "A08", ANNA), "ehr1"),
    ("segments", 100, REGISTER.replace("PV1|", "PID|1||P9\rPV1|"), "ehr1"),
    ("segments", 100, REGISTER.split("PV1")[0], "ehr1"),
    ("malformed", 102, "hello", "ehr1"),
    ("malformed", 102, REGISTER.replace("|EHR1|", "|\\X0D\\|"), "ehr1"),
]


@pytest.mark.parametrize(("reason", "code", "text", "name"), REFUSALS)
def test_a_refusal_is_answered_logged_and_without_effect(
    reason: str, code: int, text: str, name: str | None, events: list[dict[str, Any]]
) -> None:
    inbox = MemoryInbox()
    answer = ask(text, name=name, inbox=inbox)
    assert (answer.acknowledgement, answer.code) == ("AR", code)
    assert inbox.taken == []
    assert [(event["action"], event["outcome"], event["reason"]) for event in events] == [
        ("receive", "refused", reason)
    ]


def test_a_control_id_that_came_before_with_other_content_is_refused_and_has_no_second_effect(
    events: list[dict[str, Any]],
) -> None:
    inbox = MemoryInbox()
    ask(REGISTER, inbox=inbox)
    answer = ask(REGISTER.replace("Anna", "Eva"), inbox=inbox)
    assert (answer.acknowledgement, answer.code, answer.location) == ("AR", 205, "MSH^1^10")
    assert len(inbox.taken) == 1
    assert [event.get("reason") for event in events] == [None, "duplicate-control-id"]
    assert events[1]["field"] == "MSH-10"


def test_a_message_that_comes_again_is_answered_as_before_and_has_no_second_effect(
    events: list[dict[str, Any]],
) -> None:
    inbox = MemoryInbox()
    ask(REGISTER, inbox=inbox)
    answer = ask(REGISTER, inbox=inbox)
    assert (answer.acknowledgement, answer.control_id) == ("AA", "C1")
    assert len(inbox.taken) == 1
    assert [event.get("repeated") for event in events] == [None, True]


def test_two_senders_may_use_the_same_control_id() -> None:
    inbox = MemoryInbox()
    ask(REGISTER, inbox=inbox)
    assert inbox.accept("ws-rad1", parse(REGISTER.replace("Anna", "Eva").encode())) is Acceptance.NEW


def test_an_inbox_that_breaks_is_answered_with_an_error_that_may_be_tried_again(
    events: list[dict[str, Any]],
) -> None:
    class Broken(MemoryInbox):
        def accept(self, sender: str, message: Message) -> Acceptance:
            raise RuntimeError(sender, message)

    answer = ask(REGISTER, inbox=Broken())
    assert (answer.acknowledgement, answer.code) == ("AE", 207)
    assert [(event["outcome"], event["reason"], event["error"]) for event in events] == [
        ("failed", "internal-error", "RuntimeError")
    ]


def test_a_log_line_cannot_be_forged_by_a_message(events: list[dict[str, Any]]) -> None:
    order = order_message(Envelope(EHR, RIS, "C1"), "NW", ANNA, Order("O1", Code("C", "c", "L"), "CT"))
    ask(order.replace("ORM^O01^ORM_O01", 'ORM", "outcome": "success^O01^ORM_O01'))
    ask(order.replace("ORM^O01^ORM_O01", 'ORM", "outcome": "success^O01\\.br\\^ORM_O01'))
    typed, broken = events
    assert (typed["outcome"], typed["reason"]) == ("refused", "not-permitted")
    assert typed["message_type"] == 'ORM", "outcome": "success^O01'
    assert (broken["outcome"], broken["reason"]) == ("refused", "malformed")
    assert "message_type" not in broken
