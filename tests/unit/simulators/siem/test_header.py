"""A header is read as RFC 5424 writes it, and a message without a number is none."""

from __future__ import annotations

import pytest

from simulators.audit.message import header as made_by_the_daemon
from simulators.audit.message import messages_of
from simulators.siem.intake.header import read_header
from tests.unit.simulators.audit.events import ROWS, SOURCE, event_for
from tests.unit.simulators.siem.repository import RUN, numbered

HEAD = b"<85>1 2026-01-05T09:12:44Z ct1 pacslab-ris 7 DICOM+RFC3881 "
NUMBER = b'[pacslab@32473 seq="12" run="%b"]' % RUN.encode()
OCTETS = bytes.fromhex(RUN.replace("-", ""))


def test_what_the_daemon_writes_is_read() -> None:
    for row in ROWS:
        for number, (_, message) in enumerate(messages_of(event_for(row), SOURCE), 1):
            found = read_header(made_by_the_daemon(message, SOURCE.fqdn, RUN, number))
            assert found is not None
            assert (found.number, found.run, found.msgid) == (number, OCTETS, b"DICOM+RFC3881")
            assert found.content.decode("ascii").endswith("</AuditMessage>")


@pytest.mark.parametrize(
    "structured",
    [
        NUMBER,
        b'[a b="c"]' + NUMBER,
        NUMBER + b'[a b="\\"\\]\\\\"]',
        b'[a b="x \\] y"]' + NUMBER,
        b"[exampleSDID@32473]" + NUMBER,
    ],
)
@pytest.mark.parametrize("content", [b" <a/>", b" \xef\xbb\xbf<a/>"])
def test_a_number_is_found_among_other_structured_data(structured: bytes, content: bytes) -> None:
    found = read_header(HEAD + structured + content)
    assert found is not None
    assert (found.number, found.run, found.program, found.pid, found.content) == (
        12,
        OCTETS,
        "pacslab-ris",
        "7",
        b"<a/>",
    )


def test_a_content_may_be_missing() -> None:
    found = read_header(HEAD + NUMBER)
    assert found is not None
    assert found.content == b""


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"hello",
        HEAD + b"- <a/>",
        HEAD + b'[a b="c"] ' + NUMBER,
        HEAD + NUMBER.replace(b'"12"', b'"0"'),
        HEAD + NUMBER.replace(b'"12"', b'"-1"'),
        HEAD + NUMBER.replace(b'"12"', b'"1234567890123456789"'),
        HEAD + NUMBER.replace(b"0b4ec0b1", b"0B4EC0B1"),
        HEAD + NUMBER.replace(b"-1111", b""),
        HEAD + NUMBER[:-1] + b" <a/>",
        HEAD + b'[a b="' + NUMBER + b'"] <a/>',
        HEAD.replace(b"<85>1", b"<85>2") + NUMBER,
        HEAD.replace(b"<85>1", b"85 1") + NUMBER,
        HEAD.replace(b"pacslab-ris", b"pacsl\xc3\xa4b") + NUMBER,
        HEAD + NUMBER + b"<a/>",
        numbered(1)[1:],
    ],
)
def test_what_has_no_number_is_no_message(message: bytes) -> None:
    assert read_header(message) is None
