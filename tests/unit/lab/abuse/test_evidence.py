"""A refusal is found by its event's keys, under whichever name the host stands there."""

from __future__ import annotations

import pytest

from lab.abuse.evidence import Evidence, event_of, words_of

CT1 = frozenset({"ct1", "ct1.site.internal", "10.0.0.1", "CT1"})
WANTED = Evidence("pacs", "ae-mismatch", about=(CT1,))


@pytest.mark.parametrize("name", sorted(CT1))
def test_a_host_is_known_by_each_of_its_names(name: str) -> None:
    assert WANTED.is_met_by({"data": {"outcome": "refused", "reason": "ae-mismatch", "peer": name}})


@pytest.mark.parametrize(
    "data",
    [
        {"outcome": "success", "reason": "ae-mismatch", "peer": "ct1"},
        {"outcome": "failed", "reason": "ae-mismatch", "peer": "ct1"},
        {"outcome": "refused", "reason": "unlisted", "peer": "ct1"},
        {"outcome": "refused", "reason": "ae-mismatch", "peer": "ct10"},
        {},
    ],
)
def test_another_outcome_reason_or_host_is_no_evidence(data: dict[str, str]) -> None:
    assert not WANTED.is_met_by({"data": data})


def test_the_edges_word_for_the_outcome_counts_too() -> None:
    assert WANTED.is_met_by({"data": {"outcome": "refused", "reason": "ae-mismatch", "peer": "10.0.0.1"}})


def test_text_that_looks_like_an_event_is_none() -> None:
    line = {"program": "pacslab-ris", "message": "refused reason=ae-mismatch peer=CT1"}
    assert event_of(line) == {}
    assert not WANTED.is_met_by(line)


def test_programs_without_events_are_known_by_words_that_all_stand_in_one_line() -> None:
    wanted = Evidence("pacs", words=("Rejected Find request", "CT1"))
    assert wanted.is_met_by({"program": "Orthanc", "message": "W Rejected Find request from CT1"})
    assert not wanted.is_met_by({"program": "Orthanc", "message": "W Rejected Find request from MR1"})


def test_what_is_missing_is_said_in_words() -> None:
    assert str(Evidence("pacs", "unlisted", (frozenset({"b", "a"}),), ("TLS",))) == (
        "a line of pacs with reason unlisted and a or b and TLS"
    )
    assert words_of({"program": "x", "message": "y"}) == "x: y"
