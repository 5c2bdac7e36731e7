"""A message of a known form becomes the same event as when it is read in full, and is refused as then."""

from __future__ import annotations

import base64
import random
import re
from typing import TYPE_CHECKING, Any

import pytest
from lxml import etree

from simulators.audit.message import messages_of
from simulators.siem.intake import forms
from simulators.siem.intake.examine import Examined, Examiner
from simulators.siem.intake.forms import Forms
from simulators.siem.intake.header import Header
from simulators.siem.normalise.audit import of_message
from simulators.siem.site import Site
from tests.unit.simulators.audit.events import PLAIN, ROWS, SOURCE, event_for, identify, keys_of
from tests.unit.simulators.siem.samples import NUMBERS, sample

if TYPE_CHECKING:
    from simulators.audit.table import Row

RECEIVED = 1767604365.0
SITE = Site.of({
    "hosts": {"ct1": {"zone": "modalities", "addresses": ["10.24.41.11"]}},
    "people": {"a.rivera": "radiology"},
    "watched": ["P0000007"],
})  # fmt: skip
COUNTS = ("instances", "found", "milliseconds", "bytes_in", "bytes_out", "source_port", "octets", "frames", "committed")


def header(content: str | bytes, number: int = 1, program: str = "pacslab-ris") -> Header:
    data = content if isinstance(content, bytes) else content.encode()
    return Header(number, b"r" * 16, program, "1234", b"DICOM+RFC3881", data)


def message(row: Row, number: int, time: str = "2026-01-05T09:12:44.310Z") -> Header | None:
    """A message of a row, about the patient, the study and so on of a number."""
    facts: dict[str, Any] = {key: value for key, value in PLAIN.items() if key in keys_of(row.action)}
    facts |= {key: str(number) for key in COUNTS}
    facts |= {
        "patient": f"P{number:07}",
        "study": f"1.2.{number}",
        "accession": f"A{number}",
        "instance": f"3.{number}",
    }
    facts |= {"series": f"4.{number}", "step": f"S{number}", "mpps": f"5.{number}", "sop_class": "1.2.840.10008.5.1"}
    told = event_for(row, **facts)
    for made, found in messages_of(told, SOURCE):
        if made is row:
            return header(found.xml.replace(found.time, time), number, found.program)
    return None


def in_full(told: Header, received: float = RECEIVED) -> Examined:
    return Examiner(SITE).examine(told, "ris1", received)


def learned(*told: Header) -> Examiner:
    """An examiner that knows the forms of messages: of a markup that came twice, and of a form of it that did."""
    examiner = Examiner(SITE)
    for one in 3 * told:
        assert examiner.examine(one, "ris1", RECEIVED).fields
    return examiner


@pytest.fixture
def unread(monkeypatch: pytest.MonkeyPatch) -> list[Header]:
    """The messages that were read in full."""
    read: list[Header] = []
    really = Examiner.in_full

    def spied(self: Examiner, told: Header, host: str, received: float) -> bytes:
        read.append(told)
        return really(self, told, host, received)

    monkeypatch.setattr(Examiner, "in_full", spied)
    return read


@pytest.mark.parametrize("row", ROWS, ids=identify)
def test_the_next_message_of_a_form_is_what_it_is_in_full(row: Row, unread: list[Header]) -> None:
    first, second = message(row, 1), message(row, 22, "2026-01-05T10:00:00.001Z")
    if first is None or second is None:  # what another row is there for
        return
    expected = in_full(second, RECEIVED + 3600)
    examiner = learned(first)
    unread.clear()
    assert examiner.examine(second, "ris1", RECEIVED + 3600) == expected
    asks = b"ParticipantObjectQuery" in second.content  # its text names the patient and the study
    assert (unread == []) is not asks


def test_a_form_is_of_its_sender_and_its_program() -> None:
    told = header(sample("DICOM Instances Accessed"))
    examiner = Examiner(SITE)
    for host, program, pid in (("ct1", "x", "1"), ("mr1", "x", "1"), ("ct1", "y", "1"), ("ct1", "y", "2")) * 3:
        one = told._replace(program=program, pid=pid)
        assert examiner.examine(one, host, RECEIVED) == Examiner(SITE).examine(one, host, RECEIVED)


@pytest.mark.parametrize(
    ("value", "other"),
    [
        ("P0000001", "P0000007"),  # is watched
        ("P0000001", ""),
        ("P0000001", " "),
        ("P0000001", "&lt;none&gt;"),
        ("P0000001", "P&quot;1"),
        ("P0000001", "P'1"),
        ("P0000001", "Ünal"),
        ("P0000001", 'P" ParticipantObjectSensitivity="N'),
        ("P0000001", "<P"),
        ("P0000001", "P\\u0031"),
        ("P0000001", "P" * 129),
        ('NumberOfInstances="2"', 'NumberOfInstances="0"'),
        ('NumberOfInstances="2"', 'NumberOfInstances="-2"'),
        ('NumberOfInstances="2"', 'NumberOfInstances="two"'),
        ('NumberOfInstances="2"', 'NumberOfInstances="007"'),
        ("2026-01-05T09:12:44.310Z", "2026-01-05T23:12:44.310Z"),  # nobody works then
        ("2026-01-05T09:12:44.310Z", "2026-02-30T09:12:44.310Z"),
        ("2026-01-05T09:12:44.310Z", "2026-01-05T24:00:00.000Z"),
        ("2026-01-05T09:12:44.310Z", "2026-01-05T09:12:60.000Z"),
        ("2026-01-05T09:12:44.310Z", "0000-01-05T09:12:44.310Z"),
        ("2026-01-05T09:12:44.310Z", "2026-01-05T09:12:44.310"),
        ("2026-01-05T09:12:44.310Z", "2026-01-05T09:12:44+01:00"),
        ("2026-01-05T09:12:44.310Z", "yesterday"),
        ("1.2.3", "1.2.3\t"),
        ("A1", "A 1"),
    ],
)
def test_a_value_that_is_not_plain_is_read_in_full(value: str, other: str) -> None:
    text = sample("DICOM Instances Accessed")
    examiner = learned(header(text))
    changed = header(text.replace(value, other))
    assert examiner.examine(changed, "ris1", RECEIVED) == in_full(changed)


@pytest.mark.parametrize("value", ["QQ==", "QR==", "Q===", "Q", "", "MTI=", "MTJ=", "MTIz", "w5w=", "ICA=", "AAAA"])
def test_a_detail_is_read_as_in_full(value: str) -> None:
    def text(encoded: str) -> str:
        detail = f'<ParticipantObjectDetail type="series" value="{encoded}"/>'
        return re.sub("<ParticipantObjectDetail [^>]*>", detail, sample("DICOM Instances Accessed"))

    examiner = learned(header(text(base64.b64encode(b"1.2").decode())))
    changed = header(text(value))
    assert examiner.examine(changed, "ris1", RECEIVED) == in_full(changed)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<EventOutcomeDescription>done", '<EventOutcomeDescription>"done"'),
        ('UserName="a.rivera', "UserName='\"' NetworkAccessPointTypeCode='1' AlternativeUserID=\"a"),
        ("<AuditMessage>", '<?note of="it"?><AuditMessage>'),
        ("<AuditMessage>", '<?xml version="1.0" encoding="UTF-8"?><AuditMessage>'),
        ("<AuditMessage>", "<?xml version='1.0'?><AuditMessage>"),
        ("<AuditMessage>", '<AuditMessage xmlns:x="urn:x">'),
        ("<AuditMessage>", '<!DOCTYPE AuditMessage [<!ENTITY e "e">]><AuditMessage>'),
        ("</AuditMessage>", ""),
    ],
)
def test_quotation_marks_elsewhere_make_no_other_event(old: str, new: str) -> None:
    examiner = Examiner(SITE)
    for patient in ("P0000001", "P0000001", "P0000001", "P0000002", '"P3"'):
        told = header(sample("DICOM Instances Accessed").replace(old, new).replace("P0000001", patient))
        assert examiner.examine(told, "ris1", RECEIVED) == in_full(told)


def test_what_is_damaged_anywhere_is_judged_as_in_full() -> None:
    chance = random.Random(7)  # noqa: S311 - that it is the same each time
    texts = [sample(event).encode() for event in NUMBERS]
    texts += [told.content for row in ROWS if (told := message(row, 1)) is not None]
    examiner = learned(*map(header, texts))
    scraps = [
        b'"',
        b"'",
        b"<",
        b">",
        b"&",
        b"&amp;",
        b"\0",
        b" ",
        b"/",
        b"=",
        b"\xff",
        b"1",
        b"-",
        b"]]>",
        b"<?x?>",
        b"\n",
    ]
    plain = [b"X7", b"12", b"0", b"1.2.3", b"QUE=", b"MTI=", b"MA==", b"a.rivera", b"2026-01-05T23:59:59.999Z"]
    judged = {"kept": 0, "refused": 0}
    for _ in range(4000):
        text = bytearray(chance.choice(texts))
        for _ in range(chance.choice((0, 1, 2, 3))):
            value = chance.choice(list(re.finditer(rb'"([^"]*)"', text)))
            text[slice(*value.span(1))] = chance.choice(plain)
        for _ in range(chance.choice((0, 0, 1, 2))):
            place = chance.randrange(len(text))
            text[place : place + chance.choice((0, 1, 1, 3))] = chance.choice([*scraps, bytes([chance.randrange(256)])])
        told = header(bytes(text))
        found = examiner.examine(told, "ris1", RECEIVED)
        assert found == in_full(told), told.content
        judged["kept" if found.fields else "refused"] += 1
    assert min(judged.values()) > 100, judged


def test_what_other_parts_tell_as_well_does_not_vary() -> None:
    examiner, text = Examiner(SITE), sample("Query")
    patient = sample("Patient Record").partition("</AuditSourceIdentification>")[2].removesuffix("</AuditMessage>")
    asked = base64.b64encode(b"patient=P0000001&level=STUDY").decode()
    text = re.sub("Query>[^<]+<", f"Query>{asked}<", text).replace("</AuditMessage>", f"{patient}</AuditMessage>")
    for other in ("P0000001", "P0000001", "P0000001", "P0000002"):
        told = header(re.sub("P0000001", other, text))
        assert examiner.examine(told, "ris1", RECEIVED) == in_full(told)
    two = sample("Export")  # names two patients, of whom the first counts
    examiner = learned(header(two))
    for changed in ("P0000009".join(two.rsplit("P0000001", 1)), two.replace("P0000001", "P0000009", 1)):
        assert examiner.examine(header(changed), "ris1", RECEIVED) == in_full(header(changed))


def test_forms_are_forgotten_before_they_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms, "MOST_OCTETS", 100_000)
    told, known = header(sample("DICOM Instances Accessed")), Forms(SITE)
    root = etree.fromstring(told.content)
    fields = of_message(root, "ris1", RECEIVED, program=told.program, pid=told.pid, sequence=told.number)
    most = 0
    for number in range(300):
        for _ in range(3):
            known.learn(told, f"host{number}", RECEIVED, root, {**fields, "host.name": f"host{number}"})
        most = max(most, len(known))
        assert known.fields(told, f"host{number}", RECEIVED)
    assert 10 < most < 30
