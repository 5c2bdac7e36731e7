"""Selections are compared as Sigma has it: without case, with wildcards, numbers as numbers, lists by any of them."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.siem.sigma.compile import function_of
from simulators.siem.sigma.match import SelectionError, selection


def holds(given: Any, **fields: Any) -> bool:
    event = {name.replace("__", "."): value for name, value in fields.items()}
    return list(function_of([(7, selection(given))])(event)) == [7]


@pytest.mark.parametrize(
    ("given", "value", "expected"),
    [
        ("store", "STORE", True),
        ("store", "restore", False),
        ("st*e", "stoRe", True),
        ("st?re", "store", True),
        ("st?re", "stoore", False),
        (r"a\*b", "a*b", True),
        (r"a\*b", "axb", False),
        (r"a\\*", "a\\anything", True),
        ("*", "", True),
        (["query", "store"], "Store", True),
        (["query", "st*"], "Stop", True),
        (None, "store", False),
    ],
)
def test_texts_are_compared_without_case(given: Any, value: str, expected: object) -> None:
    assert holds({"event.action": given}, event__action=value) is expected


@pytest.mark.parametrize(
    ("modifier", "given", "value", "expected"),
    [
        ("contains", "TOR", "store", True),
        ("contains|all", ["st", "re"], "store", True),
        ("contains|all", ["st", "xx"], "store", False),
        ("startswith", "st", "Store", True),
        ("startswith", "s?o", "Store", True),
        ("startswith", "or", "store", False),
        ("endswith", "RE", "store", True),
        ("cased", "Store", "store", False),
        ("cased", "store", "store", True),
        ("re", "^st.re$", "store", True),
        ("re", "^ST", "store", False),
        ("re|i", "^ST", "store", True),
        ("exists", True, "store", True),
        ("exists", False, "store", False),
        ("fieldref", "event.reason", "STORE", True),
    ],
)
def test_modifiers_mean_what_sigma_says(modifier: str, given: Any, value: str, expected: object) -> None:
    assert holds({f"event.action|{modifier}": given}, event__action=value, event__reason="store") is expected


@pytest.mark.parametrize("modifier", ["contains", "startswith", "endswith", "cased", "re", "fieldref", "exists"])
def test_a_field_that_is_not_there_matches_nothing(modifier: str) -> None:
    given: Any = True if modifier == "exists" else "event.reason" if modifier == "fieldref" else "x"
    assert not holds({f"event.action|{modifier}": given})
    assert holds({"event.action": None})


def test_numbers_are_compared_as_numbers() -> None:
    port = {"destination.port|gte": 100, "destination.port|lt": 200}
    assert holds(port, destination__port=100)
    assert not holds(port, destination__port=200)
    assert not holds(port, destination__port="150")
    assert not holds(port)
    assert holds({"destination.port": [104, 2762]}, destination__port=2762)
    assert holds({"pacslab.lag|lt": -30}, pacslab__lag=-30.5)


def test_truth_is_no_text() -> None:
    assert holds({"pacslab.signed_in": False}, pacslab__signed_in=False)
    assert not holds({"pacslab.signed_in": False})
    with pytest.raises(SelectionError):
        selection({"pacslab.signed_in": "false"})


def test_addresses_lie_in_networks() -> None:
    assert holds({"source.ip|cidr": "10.24.41.0/24"}, source__ip="10.24.41.11")
    assert not holds({"source.ip|cidr": "10.24.41.0/24"}, source__ip="10.24.42.11")
    assert not holds({"source.ip|cidr": "10.24.41.0/24"}, source__ip="no address")
    assert holds({"source.ip|cidr": ["10.0.0.0/8", "fd00::/8"]}, source__ip="fd00::1")


def test_of_a_list_any_value_counts() -> None:
    assert holds({"dicom.event_type": "110126"}, dicom__event_type=["110100", "110126"])
    assert not holds({"dicom.event_type": "110126"}, dicom__event_type=["110100"])
    assert holds({"dicom.event_type|startswith": "1101"}, dicom__event_type=["110100"])


def test_a_list_of_maps_is_one_of_them() -> None:
    either = [{"event.action": "a"}, {"event.action": "b", "event.reason": "c"}]
    assert holds(either, event__action="a")
    assert holds(either, event__action="b", event__reason="c")
    assert not holds(either, event__action="b")


def test_text_of_a_rule_is_never_part_of_the_program() -> None:
    hostile = '\'); raise SystemExit("x") #\n"""'
    assert holds({"event.action": hostile}, event__action=hostile)
    assert not holds({"event.action|contains": hostile}, event__action="x")


@pytest.mark.parametrize(
    "given",
    [
        {"no.such.field": "x"},
        {"event.action|base64": "x"},
        {"event.action|re": "("},
        {"destination.port|gt": "x"},
        {"destination.port": "104"},
        {"event.action|gt": 1},
        {"event.action": []},
        ["word"],
        "word",
        {},
    ],
)
def test_what_is_not_understood_is_refused(given: Any) -> None:
    with pytest.raises(SelectionError):
        selection(given)
