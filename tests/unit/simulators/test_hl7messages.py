"""HL7 messages are read strictly and built so that no value breaks out of its field."""

from __future__ import annotations

import pytest

from simulators.errors import ArgumentError
from simulators.hl7content import (
    Code,
    Order,
    Report,
    Status,
    adt,
    merge,
    order_message,
    order_of,
    patient_of,
    report_message,
    report_of,
    status_of,
)
from simulators.hl7messages import MalformedError, Problem, acknowledgement, escape, parse, read_answer, unescape
from simulators.hl7receiver import SHAPES, HL7ProblemError, follows
from tests.unit.simulators.peers import ANNA, RIS, from_ehr

NASTY = "R&D | 5^2 ~ back\\slash \\E\\ Ünïcode"


def test_delimiters_survive_a_round_trip() -> None:
    assert unescape(escape(NASTY)) == NASTY


def test_no_delimiter_is_left_in_an_escaped_value() -> None:
    assert not set("|^&~") & set(escape(NASTY))


@pytest.mark.parametrize("text", ["a\rPID|1||P9", "a\x0bb", "a\x1cb", "a\x00b", "a\x7fb"])
def test_a_control_character_cannot_be_sent(text: str) -> None:
    with pytest.raises(ArgumentError):
        escape(text)


def test_line_ends_of_a_text_are_escaped() -> None:
    assert unescape(escape("one\ntwo")) == "one\ntwo"
    assert "\n" not in escape("one\ntwo")


@pytest.mark.parametrize("text", ["\\X0D\\", "\\X0A\\", "\\Xzz\\", "\\Q\\", "open\\", "\\XFF\\"])
def test_an_escape_sequence_that_hides_something_is_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        unescape(text)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"MSH",
        b"MSH|^~\\&",
        b"MSH$%~\\&$A$B",
        b"MSH|^~\\&|\xff\xfe",
        b"MSH|^~\\&|A\nPID|1",
        b"MSH|^~\\&|A\r|x",
        b"MSH|^~\\&|A\rpid|x",
        b"MSH|^~\\&|A\rMSH|^~\\&|B",
        b"MSH|^~\\&|A\x0bB",
    ],
)
def test_what_is_no_message_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError):
        parse(data)


def test_patient_and_order_are_read_as_they_were_written() -> None:
    order = Order(
        "O1",
        Code("CT1", NASTY, "99L"),
        "CT",
        priority="S",
        reason=NASTY,
        provider="Dr A",
        scheduled="20260101120000+0000",
        filler="F1",
        accession="A1",
        procedure_id="RP1",
        step_id="SPS1",
        study_uid="2.25.1",
    )
    status = Status("DC", "X", Code("110514", "Incorrect worklist entry selected", "DCM"))
    message = parse(order_message(from_ehr(), "NW", ANNA, order, status).encode())
    assert (patient_of(message), order_of(message), status_of(message)) == (ANNA, order, status)


def test_a_report_keeps_its_lines() -> None:
    report = Report("A1", "2.25.1", Code("C", "c", "99L"), "Dr R", "F", f"Findings:\n\n{NASTY}", "O1", "F1")
    assert report_of(parse(report_message(from_ehr(), ANNA, report).encode())) == report


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("ADT^A04", adt(from_ehr(), "A04", ANNA)),
        ("ADT^A08", adt(from_ehr(), "A08", ANNA)),
        ("ADT^A40", merge(from_ehr(), ANNA, "P2")),
        ("ORM^O01", order_message(from_ehr(), "NW", ANNA, Order("O1", Code("C", "c", "L"), "CT"))),
        ("ORU^R01", report_message(from_ehr(), ANNA, Report("A1", "", Code("C", "c", "L"), "", "F", "x"))),
    ],
)
def test_what_is_sent_has_the_shape_that_is_taken(kind: str, text: str) -> None:
    message = parse(text.encode())
    assert message.type == kind
    assert follows(message.names, SHAPES[kind])


@pytest.mark.parametrize(
    ("before", "after"),
    [("19700412", "1970-4-12"), ("|F\r", "|Q\r"), ("P0000001", ""), ("Weber", "")],
)
def test_a_patient_who_cannot_be_told_apart_is_a_problem(before: str, after: str) -> None:
    text = adt(from_ehr(), "A04", ANNA).replace(before, after)
    with pytest.raises(HL7ProblemError):
        patient_of(parse(text.encode()))


def test_an_acknowledgement_says_what_was_wrong_and_where() -> None:
    message = parse(adt(from_ehr("C9"), "A04", ANNA).encode())
    answer = read_answer(acknowledgement(message, RIS, Problem("AR", 205, "again", ("MSH", "1", "10"))))
    assert (answer.acknowledgement, answer.control_id, answer.code, answer.location, answer.text) == (
        "AR",
        "C9",
        205,
        "MSH^1^10",
        "again",
    )


def test_what_cannot_be_read_is_still_answered() -> None:
    answer = read_answer(acknowledgement(None, RIS, Problem("AR", 102, "bad\rMSA|AA")))
    assert not answer.accepted
    assert answer.text == "bad MSA|AA"
