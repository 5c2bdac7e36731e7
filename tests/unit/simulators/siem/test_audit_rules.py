"""What PS3.15 A.5.3 requires of each event is held: a message that has it passes, and one that lacks it does not."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest
from lxml import etree

from simulators.audit import codes
from simulators.siem.audit_rules import RULES, faults
from tests.unit.simulators.siem import samples
from tests.unit.simulators.siem.samples import NUMBERS, PARTS, PATIENT, STUDY, sample


def found(text: str) -> list[str]:
    return faults(ET.fromstring(text))  # noqa: S314 - our own samples


def test_there_is_a_rule_for_each_event_of_cid_400() -> None:
    assert RULES.keys() == codes.EVENTS.keys()


@pytest.mark.parametrize("event", NUMBERS)
def test_a_message_as_the_standard_wants_it_has_no_fault(event: str) -> None:
    assert found(sample(event)) == []


@pytest.mark.parametrize("event", NUMBERS)
def test_an_action_that_the_event_does_not_have_is_a_fault(event: str) -> None:
    allowed = RULES[NUMBERS[event]].actions
    for action in "CRUDE":
        assert any("EventActionCode" in fault for fault in found(sample(event, action=action))) == (
            action not in allowed
        )


@pytest.mark.parametrize("event", [event for event, (_, kind, _, _) in PARTS.items() if kind])
def test_a_type_that_the_event_does_not_have_is_a_fault(event: str) -> None:
    for kind in ("", "110155"):
        assert any("EventTypeCode" in fault for fault in found(sample(event, type=kind)))


def without(event: str) -> list[tuple[str, str]]:
    """The event's messages that lack one object or one participant each."""
    _, _, participants, objects = PARTS[event]
    fewer = [objects[:number] + objects[number + 1 :] for number in range(len(objects))]
    nobody = [participants[:number] + participants[number + 1 :] for number in range(len(participants))]
    return [(sample(event, objects=left), "objects") for left in fewer] + [
        (sample(event, participants=left), "participants") for left in nobody
    ]


NEEDED = {
    "Application Activity": 1, "Audit Log Used": 1, "Begin Transferring DICOM Instances": 4,
    "DICOM Instances Accessed": 2, "DICOM Instances Transferred": 4, "DICOM Study Deleted": 3, "Export": 2, "Import": 3,
    "Network Entry": 1, "Order Record": 1, "Patient Record": 2, "Procedure Record": 2, "Query": 3, "Security Alert": 0,
    "User Authentication": 0,
}  # fmt: skip
"""How many of the parts of a sample its event cannot be without: where there are two that may be either, none."""


@pytest.mark.parametrize("event", NUMBERS)
def test_a_participant_or_an_object_that_the_event_needs_is_missed(event: str) -> None:
    assert sum(bool(found(text)) for text, _ in without(event)) == NEEDED[event]


@pytest.mark.parametrize(
    "event", [event for event, (_, _, _, objects) in PARTS.items() if objects.count(PATIENT) == 1 and event != "Import"]
)
def test_a_message_about_two_patients_is_a_fault(event: str) -> None:
    said = found(sample(event, objects=[*PARTS[event][3], PATIENT]))
    assert [fault for fault in said if "Patient Number: 2, not 1" in fault]


def test_a_query_has_its_query_and_its_transfer_syntax() -> None:
    unsaid = re.sub("<ParticipantObjectQuery>.*</ParticipantObjectQuery>", samples.NAME, samples.QUERY)
    assert found(sample("Query", objects=[unsaid])) == ["A.5.3.10: no ParticipantObjectQuery"]
    plain = re.sub("<ParticipantObjectDetail[^>]*/>", "", samples.QUERY)
    assert found(sample("Query", objects=[plain])) == ["A.5.3.10: a query of a SOP class without its TransferSyntax"]


def test_the_subject_of_an_alert_has_a_description() -> None:
    plain = re.sub("<ParticipantObjectDetail[^>]*/>", "", samples.NODE)
    assert found(sample("Security Alert", objects=[plain])) == [
        "A.5.3.11: no ParticipantObjectDetail Alert Description"
    ]


def test_a_study_with_an_accession_number_has_a_sop_class() -> None:
    plain = re.sub("<SOPClass.*</SOPClass>", "", STUDY)
    assert found(sample("Procedure Record", objects=[plain, PATIENT])) == [
        "A.5.2: a study with one of Accession, MPPS, Encrypted, Anonymized has a SOPClass too"
    ]


CHANGES = [
    ("Network Entry", 'UserIsRequestor="false"', 'UserIsRequestor="true"', "UserIsRequestor is not false"),
    ("Import", samples.MEDIA, "", "no MediaIdentifier"),
    ("Import", 'UserIsRequestor="true"', 'UserIsRequestor="false"', "no participant is the requestor"),
    ("Audit Log Used", 'UserIsRequestor="false"', 'UserIsRequestor="1"', "more than one participant is the requestor"),
    ("User Authentication", ' NetworkAccessPointID="10.24.41.11" NetworkAccessPointTypeCode="2"', "", "none says its"),
    ("Query", ' NetworkAccessPointTypeCode="2"', "", "NetworkAccessPointTypeCode stand together"),
    ("Query", "09:12:44.310Z", "09:12:44.310", "has no time zone"),
    ("Query", 'UserID="ct1"', 'UserID=" "', "UserID is empty"),
    ("Query", 'ParticipantObjectID="1.2.840.10008.5.1.4.31"', 'ParticipantObjectID=""', "ParticipantObjectID is empty"),
    ("Query", 'csd-code="4"', 'csd-code="14"', "is no digit"),
    ("Query", ' codeSystemName="99X"', "", "neither or both"),
    ("Query", ' originalText="an archive"', "", "neither or both"),
    ("Query", 'csd-code="110112"', 'csd-code="110199"', "none of CID 400"),
    ("Query", 'codeSystemName="DCM" originalText="Query"', 'codeSystemName="99X" originalText="Query"', "CID 400"),
]


@pytest.mark.parametrize(("event", "old", "new", "says"), CHANGES)
def test_what_every_message_has_to_be_is_held(event: str, old: str, new: str, says: str) -> None:
    text = sample(event)
    assert old in text
    assert [fault for fault in found(text.replace(old, new)) if says in fault]


@pytest.mark.parametrize("event", NUMBERS)
def test_what_stands_between_elements_changes_nothing(event: str) -> None:
    between = "<!-- between --><?a processing instruction?>\n"
    text = sample(event).replace("><", f">{between}<").replace("</AuditMessage>", f"{between}</AuditMessage>")
    assert faults(etree.fromstring(text)) == []
    assert faults(etree.fromstring(text.replace("EventActionCode=", "x="))) != []
