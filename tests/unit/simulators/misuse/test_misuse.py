"""An attempt counts as refused only when the peer refused it; what never reached the peer proves nothing."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset

from lab.scenarios.radiology import refusals
from simulators.errors import ArgumentError, AssociationRejectedError, TlsRefusedError, UnreachableError
from simulators.hl7messages import parse
from simulators.misuse import dicom, hl7
from simulators.misuse.cli import CASES
from simulators.misuse.outcome import Answer, Outcome, outcome
from simulators.settings import Settings
from simulators.settings import parse as parse_settings

SETTINGS: dict[str, Any] = {
    "host": {"name": "ehr1", "fqdn": "ehr1.site.internal", "address": "10.0.0.1"},
    "site": {"name": "reference", "domain": "site.internal"},
    "tls": {"ca": "/ca", "crl": "/crl", "certificates": {}},
    "listen": {},
    "peers": [
        {"name": "ris1", "fqdn": "ris1.site.internal", "address": "10.0.0.2", "service": "hl7-tls", "port": 2575},
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


def test_no_connection_is_no_refusal() -> None:
    with pytest.raises(UnreachableError):
        made(UnreachableError("no connection to pacs: timed out", remedy=""))


@pytest.mark.parametrize(("code", "refused"), [(0x0000, False), (0xFF00, False), (0x0124, True), (None, True)])
def test_success_and_pending_mean_that_the_peer_did_it(code: int | None, *, refused: bool) -> None:
    assert dicom._judged(status(code)).refused is refused  # noqa: SLF001 # the rule that every DICOM case is judged by


def test_a_match_on_the_way_was_let_through_whatever_came_last() -> None:
    answers = [(status(0xFF00), Dataset()), (status(0xC000), None)]
    assert not dicom._last(iter(answers)).refused  # noqa: SLF001 # likewise


@pytest.mark.parametrize("event", ["ADT^A04", "ADT^A08", "ADT^A40"])
def test_the_message_of_an_attempt_is_itself_well_formed(event: str) -> None:
    message = parse(hl7._message(Namespace(event=event, peer=None), settings()))  # noqa: SLF001 # what is sent
    assert message.type == event
    assert (message.get("MSH", 3), message.get("MSH", 5)) == ("EHR1", "RIS1")


def test_a_certificate_that_is_needed_and_not_given_is_a_wrong_argument() -> None:
    with pytest.raises(ArgumentError):
        hl7.unlisted(Namespace(certificate=None, key=None, peer=None, event="ADT^A04"), settings())


def test_every_case_has_its_function() -> None:
    library = {"dicom": dicom, "hl7": hl7}
    for reference, _, _ in CASES.values():
        module, _, function = reference.partition(":")
        assert callable(getattr(library[module], function))


def test_every_case_is_tried_by_the_radiology_workflow() -> None:
    text = Path(refusals.__file__).read_text("utf-8")
    assert all(f'"{case}"' in text or case == "dicom-control" for case in CASES)
