"""HL7 as other vendors' systems send it is understood; what would break out of its place is not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from simulators.database import URL_VARIABLE
from simulators.hl7content import ORDER_KINDS, adt, order_kind, order_message, order_of
from simulators.hl7messages import VERSIONS, parse, read_answer
from simulators.hl7receiver import Receiver
from simulators.settings import HL7
from tests.unit.simulators.database import own_schema
from tests.unit.simulators.peers import ANNA, MemoryInbox, from_ehr, ris_settings, sender
from tests.unit.simulators.ris.hospital import HEAD, Ris

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENT = "PID|1||P0000001^^^REFERENCE^MR||Weber^Anna||19700412|F"
REGISTRATION = (
    "MSH|^~\\&|EHR1|REFERENCE|RIS1|REFERENCE|20260706083000||ADT^{event}|20260706-{event}-0001|P|{version}|||AL|NE\r"
    "EVN|{event}|20260706083000|||SMITH^Jane\r"
    "PID|1||0815^^^SSA^SS~P0000001^5^M11^REFERENCE^MR~77^^^OTHER^PI||Klein^A^^^^^M~Weber^Anna^Maria^^Dr.^^L||197004120000"
    "|F||2106-3|1 Main St^^Springfield^IL^62701||(217)555-0100|||S||V123^^^REFERENCE^VN|||||||||||N\r"
    "PD1||||1234^Primary^Physician\r"
    "NK1|1|Weber^Otto|SPO\r"
    "PV1|1|O|RAD^^^REFERENCE||||1234^House^Gregory^^^Dr.|||RAD||||||||V123^^^REFERENCE^VN\r"
    "PV2|||^Headache\r"
    "AL1|1|DA|^Penicillin|SV\r"
    "DG1|1||R51^Headache^I10\r"
    "IN1|1|A|INS1|Insurance Co\r"
    "ZPV|site|specific|segment\r"
)
ORM_23 = (
    "MSH|^~\\&|EHR1|REFERENCE|RIS1|REFERENCE|20260706084500||ORM^O01|ORD0001|P|2.3\r"
    "{patient}\r"
    "PV1||O|RAD\r"
    "IN1|1|A|INS1\r"
    "ORC|NW|O1^EHR|||||^^^20260706090000^^S||20260706084500|||1234^House^Gregory\r"
    "OBR|1|O1^EHR||CTHEAD^CT head^99L|S||||||||Allergic: none|||1234^House^Gregory||||||||CT|||^^^20260706090000^^S\r"
    "NTE|1||Patient is \\T\\ was dizzy\r"
    "DG1|1||R51^Headache^I10\r"
    "OBX|1|NM|8302-2^Height^LN||170|cm\r"
)
OMG = (
    "MSH|^~\\&|EHR1|REFERENCE|RIS1|REFERENCE|20260706084500||OMG^O19^OMG_O19|{control}|P|{version}\r"
    "{patient}\r"
    "PV1||O\r"
    "ORC|NW|O1\rTQ1|1||||||20260706090000|20260706100000|S\r"
    "OBR|1|O1||CTHEAD^CT head^99L||||||||||||||||||||CT\rNTE|1||first\r"
    "ORC|NW|O2\rTQ1|1||||||20260706090000\rOBR|2|O2||CTNECK^CT neck^99L||||||||||||||||||||CT\r"
)


@pytest.fixture
def ris(server: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Ris]:
    monkeypatch.setenv(URL_VARIABLE, own_schema(server, request.node.name))
    monkeypatch.setattr("tests.unit.simulators.ris.hospital.ris_settings", foreign_settings)
    one = Ris()
    yield one
    one.close()


def foreign_settings(**listen: int) -> Any:
    """A RIS with a record that sends whatever a flow can permit, and an archive of SWF.b."""
    settings = ris_settings(**listen)
    sends = ("ADT^A01", "ADT^A03", "ADT^A04", "ADT^A05", "ADT^A08", "ADT^A11", "ADT^A40", "ORM^O01", "OMG^O19")
    takes = {"ehr1": ("OMG^O19", "ORU^R01"), "pacs-rad": ("OMI^O23", "ADT^A08", "ADT^A40")}
    callers = tuple(replace(one, permits=sends) if one.name == "ehr1" else one for one in settings.callers)
    peers = tuple(replace(one, permits=takes.get(one.name, one.permits)) for one in settings.peers)
    return replace(settings, callers=callers, peers=peers)


def answers(ris: Ris, text: str | bytes) -> list[tuple[str, int | None]]:
    """Send a message as the record and return what was acknowledged."""
    data = text if isinstance(text, bytes) else text.encode()
    told = [read_answer(answer) for answer in ris.receiver.answer(data, sender("ehr1"))]
    return [(answer.acknowledgement, answer.code) for answer in told]


@pytest.mark.parametrize("version", sorted(VERSIONS))
def test_a_registration_of_any_version_with_all_its_segments_is_taken_and_answered_in_that_version(
    ris: Ris, version: str
) -> None:
    text = REGISTRATION.format(event="A04", version=version)
    (data,) = ris.receiver.answer(text.encode(), sender("ehr1"))
    assert (read_answer(data).acknowledgement, parse(data).get("MSH", 12)) == ("CA", version)
    assert ris.rows("SELECT patient_id, authority, family, given, birth_date, sex FROM patients") == [
        {
            "patient_id": "P0000001",
            "authority": "REFERENCE",
            "family": "Weber",
            "given": "Anna",
            "birth_date": "19700412",
            "sex": "F",
        }
    ]


@pytest.mark.parametrize("version", ["2.3", "2.8"])
def test_a_refusal_says_what_was_wrong_in_the_form_of_the_version(ris: Ris, version: str) -> None:
    text = REGISTRATION.format(event="A04", version=version).replace("|F||2106-3", "|X||2106-3").replace("|AL|NE", "")
    (data,) = ris.receiver.answer(text.encode(), sender("ehr1"))
    answer, message = read_answer(data), parse(data)
    assert (answer.acknowledgement, answer.code, answer.location) == ("AE", 103, "PID^1^8")
    assert "table 0001" in answer.text
    assert bool(message.get("ERR", 1)) is (version == "2.3")


@pytest.mark.parametrize("event", ["A01", "A04", "A05"])
def test_admission_and_preadmission_register_a_patient(ris: Ris, event: str) -> None:
    assert answers(ris, REGISTRATION.format(event=event, version="2.4")) == [("CA", None)]
    assert len(ris.rows("SELECT * FROM patients")) == 1


@pytest.mark.parametrize("event", ["A03", "A11"])
def test_discharge_and_cancelled_admission_change_nothing(ris: Ris, event: str) -> None:
    ris.register()
    ris.order()
    assert answers(ris, REGISTRATION.format(event=event, version="2.4")) == [("CA", None)]
    assert ris.procedure()["status"] == "scheduled"
    assert ris.waiting("vna1") == []


def test_an_order_of_version_2_3_has_its_time_and_priority_in_orc(ris: Ris) -> None:
    ris.register()
    assert answers(ris, ORM_23.format(patient=PATIENT)) == [("AA", None)]
    procedure = ris.procedure()
    assert (procedure["placer"], procedure["priority"], procedure["provider"]) == ("O1", "S", "House")
    (step,) = ris.rows("SELECT scheduled FROM steps")
    assert step["scheduled"].astimezone().strftime("%Y%m%d%H%M") == "202607060900"


def test_several_orders_in_a_message_are_all_scheduled_or_none(ris: Ris) -> None:
    ris.register()
    broken = OMG.format(control="C1", version="2.5", patient=PATIENT).replace("OBR|2|O2||CTNECK", "OBR|2|O9||CTNECK")
    assert answers(ris, broken) == [("AE", 103)]
    assert ris.rows("SELECT * FROM procedures") == []
    assert answers(ris, OMG.format(control="C2", version="2.5", patient=PATIENT)) == [("AA", None)]
    found = ris.rows("SELECT placer, priority, description FROM procedures ORDER BY placer")
    assert [tuple(row.values()) for row in found] == [("O1", "S", "CT head"), ("O2", "R", "CT neck")]


def test_everybody_is_told_of_an_order_in_the_form_that_the_flow_names(ris: Ris) -> None:
    ris.register()
    ris.order()
    (told,), (announced,) = ris.waiting("ehr1"), ris.waiting("pacs-rad")
    assert (told["type"], announced["type"]) == ("OMG^O19", "OMI^O23")
    message = parse(announced["body"].encode())
    procedure = ris.procedure()
    assert [message.get("IPC", number) for number in (1, 2, 3, 4, 5)] == [
        procedure["accession"],
        procedure["procedure_id"],
        procedure["study_uid"],
        "SPS0000001",
        "CT",
    ]
    assert message.count("ZDS") == 0


@pytest.mark.parametrize("kind", ORDER_KINDS)
def test_an_order_says_the_same_in_each_form(kind: str) -> None:
    order = replace(HEAD, filler="F1", accession="A1", procedure_id="RP1", step_id="S1", study_uid="2.25.1")
    message = parse(order_message(from_ehr(), "NW", ANNA, order, kind=kind).encode())
    assert message.type == kind
    assert replace(order_of(message), study_uid="2.25.1") == order
    assert order_kind([kind, "ADT^A04"]) == kind


CHARACTER_SETS = [
    ("", "utf-8", "Müller"),
    ("UNICODE UTF-8", "utf-8", "Дворжак"),
    ("8859/1", "latin-1", "Müller"),
    ("8859/5", "iso8859_5", "Дворжак"),
    ("ISO IR87~ISO IR14", "iso2022_jp_2", "山田"),
    ("GB 18030-2000", "gb18030", "王小明"),
]


@pytest.mark.parametrize(("declared", "codec", "family"), CHARACTER_SETS)
def test_a_name_is_read_in_the_character_set_that_the_message_names(
    ris: Ris, declared: str, codec: str, family: str
) -> None:
    text = adt(from_ehr(), "A04", replace(ANNA, family=family)).replace("|UNICODE UTF-8", f"|{declared}")
    assert answers(ris, text.encode(codec)) == [("AA", None)]
    assert ris.rows("SELECT family FROM patients") == [{"family": family}]


@pytest.mark.parametrize("declared", ["UNICODE UTF-16", "KLINGON", "8859/1^x"])
def test_a_character_set_that_is_not_understood_is_refused(ris: Ris, declared: str) -> None:
    assert answers(ris, adt(from_ehr(), "A04", ANNA).replace("|UNICODE UTF-8", f"|{declared}")) == [("AR", 102)]


@pytest.mark.parametrize(
    ("modes", "good", "bad"),
    [
        ("|||", ["AA"], ["AE"]),
        ("|||AL|NE", ["CA"], ["CE"]),
        ("|||AL|AL", ["CA", "AA"], ["CE", "AE"]),
        ("|||NE|AL", ["AA"], ["AE"]),
        ("|||NE|NE", [], []),
        ("|||ER|NE", [], ["CE"]),
        ("|||SU|ER", ["CA"], ["AE"]),
    ],
)
def test_a_sender_says_which_acknowledgements_it_wants(ris: Ris, modes: str, good: list[str], bad: list[str]) -> None:
    def asks(text: str) -> list[str]:
        return [
            word for word, _ in answers(ris, text.replace("|2.5.1|", f"|2.5.1{modes}|").replace("||UNICODE", "|UNI"))
        ]

    assert asks(adt(from_ehr("C1"), "A04", ANNA)) == good
    assert asks(adt(from_ehr("C2"), "A04", replace(ANNA, sex="X"))) == bad


@pytest.mark.parametrize(("taken", "word"), [(("P",), "AR"), (("P", "T"), "AA")])
def test_which_processing_ids_are_taken_is_a_setting(taken: tuple[str, ...], word: str) -> None:
    receiver = Receiver(replace(ris_settings(), hl7=HL7(taken)), {"ADT^A04": MemoryInbox()})
    (answer,) = receiver.answer(adt(from_ehr(), "A04", ANNA).replace("|P|2.5.1", "|T|2.5.1").encode(), sender("ehr1"))
    assert read_answer(answer).acknowledgement == word


HIDING = ["\x85", "\x9b2J", "\u202e", "\u2066", "\u2028", "\ufeff", "\u200b", "\ufffe", "\x1b[2J", "\n"]


@pytest.mark.parametrize("hidden", HIDING)
def test_a_message_that_hides_something_is_refused_and_kept_nowhere(ris: Ris, hidden: str) -> None:
    assert answers(ris, adt(from_ehr(), "A04", ANNA).replace("Weber", f"We{hidden}ber")) == [("AR", 102)]
    assert ris.rows("SELECT * FROM patients") == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Weber", "We\\S\\ber"),
        ("Weber", "We\\E\\ber"),
        ("Weber", "Weber=X"),
        ("Weber", "We\u200eber"),
        ("Weber", "N" * 100_000),
        ("Weber^Anna", f"{'N' * 60}^{'M' * 10}"),
        ("P0000001^", "P\\E\\1^"),
        ("P0000001^", f"{'P' * 65}^"),
        ("REFERENCE^MR", "A\\E\\B^MR"),
    ],
)
def test_no_identity_becomes_structure_of_dicom(ris: Ris, before: str, after: str) -> None:
    assert answers(ris, adt(from_ehr(), "A04", ANNA).replace(before, after)) == [("AE", 102)]
    assert ris.rows("SELECT * FROM patients") == []


@pytest.mark.parametrize("after", ["We\\.br\\ber", "We\\X0D\\ber", "We\\Zab\\ber", "We\\ber"])
def test_an_escape_sequence_makes_no_second_line_and_no_log_line(
    ris: Ris, after: str, events: list[dict[str, Any]]
) -> None:
    text = adt(from_ehr(), "A04", ANNA).replace("Weber", after)
    (data,) = ris.receiver.answer(text.encode(), sender("ehr1"))
    assert read_answer(data).code == 102
    assert "ber" not in read_answer(data).text, "an answer goes into the sender's log"
    assert "We" not in str(events)


def test_a_name_with_joiners_and_a_report_with_marks_of_direction_are_kept(ris: Ris) -> None:
    ris.register(replace(ANNA, family="क्\u200dष"))
    ris.order()
    ris.begin()
    assert ris.report(text="\u200fReport\u200e: normal\nsecond").accepted
    assert ris.rows("SELECT report FROM reports")[0]["report"].endswith("normal\nsecond")


def test_a_message_full_of_delimiters_takes_no_time(ris: Ris) -> None:
    text = adt(from_ehr(), "A04", ANNA) + "NTE|1||" + "a^b~" * 200_000 + "\r"
    assert answers(ris, text) == [("AA", None)]


def test_a_smuggled_segment_has_no_place(ris: Ris) -> None:
    text = adt(from_ehr(), "A04", ANNA)
    for smuggled in ("PID|1||P9^^^REFERENCE^MR||X", "ORC|NW|O9", "MSA|AA|C1", "MRG|P1"):
        assert answers(ris, f"{text}{smuggled}\r") == [("AR", 100)], smuggled
