"""A request of the viewer's web server becomes one event, whatever a client has written into it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from simulators.events.actions import REQUEST
from simulators.events.keys import FIXED
from simulators.events.reasons import REASONS
from tests.unit.roles.programs import role_program

log: Any = role_program("viewer", "viewer_log.py")
SUITE = "TLS_AES_128_GCM_SHA256"
LINE = ("200", "a.rivera", "10.24.30.11", "40000", "TLSv1.3", SUITE, "GET", "/dicom-web/studies", "12")


def told(capsys: pytest.CaptureFixture[str], *values: str) -> dict[str, Any]:
    log.read("\t".join(values))
    line = capsys.readouterr().out
    assert line.count("\n") == 1
    return json.loads(line.partition(">")[2])


def changed(**parts: str) -> tuple[str, ...]:
    return tuple(parts.get(name, value) for name, value in zip(log.FIELDS, LINE, strict=True))


def test_a_request_is_told_with_the_person(capsys: pytest.CaptureFixture[str]) -> None:
    event = told(capsys, *LINE)
    assert {key: event[key] for key in ("action", "outcome", "person", "peer", "edge", "path", "status")} == {
        "action": "request", "outcome": "success", "person": "a.rivera", "peer": "10.24.30.11", "edge": "viewer",
        "path": "/dicom-web/studies", "status": 200,
    }  # fmt: skip
    assert set(event) <= {*FIXED, *REQUEST.facts}


@pytest.mark.parametrize(
    ("status", "outcome", "reason"),
    [
        ("401", "refused", "not-signed-in"), ("403", "refused", "not-permitted"), ("404", "refused", "no-resource"),
        ("413", "refused", "oversized"), ("400", "refused", "malformed"), ("418", "refused", "malformed"),
        ("500", "failed", "broken-off"), ("502", "failed", "broken-off"), ("503", "failed", "broken-off"),
    ],
)  # fmt: skip
def test_what_came_of_it_follows_from_the_status(
    capsys: pytest.CaptureFixture[str], status: str, outcome: str, reason: str
) -> None:
    event = told(capsys, *changed(status=status, path="/pages/sign-in.html"))
    assert (event["outcome"], event["reason"]) == (outcome, reason)


def test_every_reason_is_of_the_table() -> None:
    assert {*log.REASONS.values(), "malformed", "broken-off", "internal-error"} <= set(REASONS)


def test_parts_of_pages_are_not_told_unless_they_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for path in ("/app.bundle.0123.js", "/pages/pages.css", "/assets/favicon.ico"):
        log.read("\t".join(changed(path=path)))
    assert capsys.readouterr().out == ""
    assert told(capsys, *changed(path="/x.js", status="404"))["reason"] == "no-resource"


@pytest.mark.parametrize(
    ("parts", "missing"),
    [
        ({"person": "-"}, "person"),
        ({"person": 'x\\", \\"person\\": \\"a.rivera'}, "person"),
        ({"path": "/a\\x22b"}, "path"),
        ({"path": "-"}, "path"),
        ({"tls": "-"}, "tls"),
        ({"source_port": "-"}, "source_port"),
        ({"method": "GET\\x09"}, "method"),
    ],
)
def test_what_is_not_plain_is_left_out(capsys: pytest.CaptureFixture[str], parts: dict[str, str], missing: str) -> None:
    event = told(capsys, *changed(**parts))
    assert missing not in event


def test_a_line_of_another_form_is_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, "200", "a.rivera")["reason"] == "internal-error"
    assert told(capsys, *LINE, "more")["reason"] == "internal-error"
