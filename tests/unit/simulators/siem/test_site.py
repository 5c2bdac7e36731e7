"""A site's description adds to events whose address it is, whether a flow names a connection, if people work."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.siem.fields import unknown
from simulators.siem.site import Site

SITE = Site.of(
    {
        "hosts": {
            "ct1": {"zone": "modality-ct", "addresses": ["10.24.41.11"]},
            "pacs-rad": {"zone": "pacs-core", "addresses": ["10.24.60.11"]},
        },
        "zones": {"modality-ct": "10.24.41.0/24", "pacs-core": "10.24.60.0/24"},
        "flows": [["ct1", "pacs-rad", 2762]],
        "people": {"a.rivera": "Radiology"},
        "members": {"administrators": ["n.keller"]},
        "watched": ["P0000007"],
        "hours": {"timezone": "Europe/Berlin", "begin": 7, "end": 20, "days": [0, 1, 2, 3, 4]},
        "senders": ["ct1"],
    }
)


def enriched(**fields: Any) -> dict[str, Any]:
    event = {name.replace("__", "."): value for name, value in fields.items()}
    found = dict(SITE.enrich(event))
    assert unknown(found) == []
    return found


def test_an_address_has_a_name_and_a_zone() -> None:
    found = enriched(source__ip="10.24.41.11")
    assert (found["source.domain"], found["pacslab.zone"]) == ("ct1", "modality-ct")
    assert "pacslab.device" not in found
    assert enriched(source__domain="pacs-rad")["pacslab.zone"] == "pacs-core"


def test_an_address_of_a_zone_that_is_no_hosts_is_told() -> None:
    found = enriched(source__ip="10.24.41.77")
    assert (found["pacslab.device"], found["pacslab.zone"]) == ("undeclared", "modality-ct")
    assert enriched(pacslab__claims="10.24.41.77", source__domain="ct1")["pacslab.device"] == "undeclared"
    assert "pacslab.device" not in enriched(source__ip="192.0.2.1")


@pytest.mark.parametrize(
    ("source", "target", "port", "flow"),
    [
        ("10.24.41.11", "10.24.60.11", 2762, "declared"),
        ("10.24.41.11", "10.24.60.11", 22, "undeclared"),
        ("10.24.60.11", "10.24.41.11", 2762, "undeclared"),
        ("10.24.41.11", "10.24.60.99", 2762, "undeclared"),
        ("10.24.41.77", "10.24.60.11", 2762, "undeclared"),
        ("10.24.41.11", "192.0.2.1", 443, "outside"),
    ],
)
def test_a_connection_is_held_against_the_flows(source: str, target: str, port: int, flow: str) -> None:
    seen = {"source__ip": source, "destination__ip": target, "destination__port": port}
    assert enriched(event__dataset="ids.flow", **seen)["pacslab.flow"] == flow
    assert "pacslab.flow" not in enriched(event__dataset="pacslab.event", **seen)


@pytest.mark.parametrize(
    ("time", "off"),
    [
        ("2026-01-05T09:12:44.310Z", False),
        ("2026-01-05T05:59:59.000Z", True),
        ("2026-01-05T06:00:00.000Z", False),
        ("2026-01-05T19:00:00.000Z", True),
        ("2026-01-10T09:12:44.310Z", True),
    ],
)
def test_hours_are_those_of_the_site(time: str, off: object) -> None:
    event = {"@timestamp": time, "event.action": "person-views", "user.name": "a.rivera"}
    assert (SITE.enrich(dict(event)).get("pacslab.hours") == "off") is off
    assert "pacslab.hours" not in SITE.enrich({**event, "event.action": "associate"})


def test_people_have_a_department_and_some_patients_are_watched_over() -> None:
    found = enriched(user__name="a.rivera", patient__id="P0000007")
    assert (found["pacslab.department"], found["patient.group"]) == ("Radiology", "watched")
    assert enriched(user__name="nobody", patient__id="P0000001").keys() == {"user.name", "patient.id"}


@pytest.mark.parametrize(
    ("account", "group", "declared"),
    [("n.keller", "administrators", True), ("eve", "administrators", False), ("n.keller", "sudo", False)],
)
def test_who_is_to_be_in_a_group_of_hosts_is_known(account: str, group: str, declared: object) -> None:
    found = enriched(user__target__name=account, group__name=group)
    assert (found.get("pacslab.member") == "declared") is declared


def test_a_site_of_which_nothing_is_said_adds_nothing_that_is_wrong() -> None:
    event = {"source.ip": "10.24.41.77", "user.name": "a.rivera", "event.dataset": "pacslab.event"}
    assert Site.of({}).enrich(dict(event)) == event
