"""An attempt counts as refused only when the peer refused it; what never reached the peer proves nothing."""

from __future__ import annotations

import re
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset

import lab.abuse
import lab.scenarios
from simulators.errors import ArgumentError, AssociationRejectedError, TlsRefusedError, UnreachableError
from simulators.hl7messages import parse
from simulators.misuse import dicom, hl7
from simulators.misuse.cases import hl7_senders
from simulators.misuse.outcome import Answer, Outcome, outcome
from simulators.misuse.registry import cases
from simulators.settings import Settings
from simulators.settings import parse as parse_settings

SETTINGS: dict[str, Any] = {
    "host": {"name": "ehr1", "fqdn": "ehr1.site.internal", "address": "10.0.0.1"},
    "site": {"name": "reference", "domain": "site.internal"},
    "tls": {"ca": "/ca", "crl": "/crl", "certificates": {}},
    "listen": {},
    "peers": [
        {
            "name": "ris1",
            "fqdn": "ris1.site.internal",
            "identity": "hl7-service.ris1.site.internal",
            "address": "10.0.0.2",
            "service": "hl7-tls",
            "port": 2575,
        },
    ],
    "callers": [],
}


def settings() -> Settings:
    return parse_settings(SETTINGS)


def made(answer: Answer | Exception) -> Outcome:
    """The outcome of an attempt that ends like this."""

    def attempt() -> Answer:
        if isinstance(answer, Exception):
            raise answer
        return answer

    return outcome("case", "pacs", attempt)


def status(code: int | None) -> Dataset:
    answer = Dataset()
    if code is not None:
        answer.Status = code
    return answer


def test_a_refusal_is_told_with_the_layer_that_refused() -> None:
    assert made(TlsRefusedError("alert", remedy="")).layer == "tls"
    assert made(AssociationRejectedError("A-ASSOCIATE-RJ", remedy="")).layer == "association"
    assert made(UnreachableError("pacs closed the connection without an answer", remedy="")).layer == "connection"
    assert made(Answer(refused=True, layer="dimse", detail="0x0124")).refused


def test_what_was_let_through_is_no_refusal() -> None:
    assert made(Answer(refused=False, layer="dimse", detail="0x0000")).as_dict()["refused"] is False
    assert made(Answer(refused=False, layer="dimse", detail="0x0000")).layer == "none"


def test_what_an_attempt_tells_besides_is_handed_on() -> None:
    told = made(Answer(refused=False, layer="dimse", detail="0x0000", facts={"matches": 2})).as_dict()
    assert told["facts"] == {"matches": 2}


def test_no_connection_is_no_refusal() -> None:
    with pytest.raises(UnreachableError):
        made(UnreachableError("no connection to pacs: timed out", remedy=""))


@pytest.mark.parametrize(("code", "refused"), [(0x0000, False), (0xFF00, False), (0x0124, True), (None, True)])
def test_success_and_pending_mean_that_the_peer_did_it(code: int | None, *, refused: bool) -> None:
    assert dicom.judged(status(code)).refused is refused


def test_a_match_on_the_way_was_let_through_whatever_came_last() -> None:
    answer = dicom.last(iter([(status(0xFF00), Dataset()), (status(0xC000), None)]))
    assert not answer.refused
    assert answer.facts == {"matches": 1}


def test_an_image_that_nobody_made_has_the_uid_that_is_asked_for_and_all_that_an_archive_wants() -> None:
    image = dicom.image("2.25.1")
    assert image.SOPInstanceUID == "2.25.1"
    assert image.PatientID
    assert image.StudyInstanceUID != image.SeriesInstanceUID
    assert dicom.image().SOPInstanceUID != dicom.image().SOPInstanceUID


@pytest.mark.parametrize("event", ["ADT^A04", "ADT^A08", "ADT^A40"])
def test_the_message_of_an_attempt_is_itself_well_formed(event: str) -> None:
    message = parse(hl7.message(Namespace(event=event, peer=None, prior=None), settings(), "X1"))
    assert message.type == event
    assert (message.get("MSH", 3), message.get("MSH", 5), message.get("PID", 3)) == ("EHR1", "RIS1", "X1")


def test_a_merge_is_of_the_patient_that_is_named() -> None:
    message = parse(hl7.message(Namespace(event="ADT^A40", peer=None, prior="P7"), settings(), "X1"))
    assert message.get("MRG", 1) == "P7"


def test_a_certificate_that_is_needed_and_not_given_is_a_wrong_argument() -> None:
    arguments = Namespace(certificate=None, key=None, peer=None, event="ADT^A04", patient=None, prior=None)
    with pytest.raises(ArgumentError):
        hl7_senders.unlisted(arguments, settings())


def test_a_case_is_found_without_the_modules_of_other_words() -> None:
    assert "hl7-duplicate" in cases("hl7-duplicate")
    assert not any(name.startswith("dicom-") for name in cases("hl7-duplicate"))
    assert cases("no-such-case") == cases()


def test_every_case_begins_with_the_first_word_of_its_module() -> None:
    for name, case in cases().items():
        module = case.attempt.__module__.rpartition(".")[2]
        assert name.split("-")[0] == module.split("_")[0] or module == "dicom"


def test_every_case_is_tried_by_an_abuse_case_or_a_scenario() -> None:
    folders = (Path(lab.abuse.__path__[0]), Path(lab.scenarios.__path__[0]))
    text = "\n".join(path.read_text("utf-8") for folder in folders for path in folder.rglob("*.py"))
    tried = set(re.findall(r'"((?:dicom|dicomweb|hl7|syslog)-[a-z0-9-]+)"', text))
    assert set(cases()) <= tried
