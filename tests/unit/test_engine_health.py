"""Health: what a host reports counts only when it is complete, fresh and readable."""

from __future__ import annotations

import json

import pytest

from lab.engine.health import STALE_AFTER, judge

NOW = 1_000_000.0


def report(at: float = NOW, **services: bool) -> str:
    answers = {name: {"healthy": healthy, "detail": "said so"} for name, healthy in services.items()}
    return json.dumps({"at": at, "services": answers})


def test_a_host_is_healthy_when_every_expected_service_is() -> None:
    assert judge("running", ["a", "b"], report(a=True, b=True), NOW).healthy


def test_one_failing_service_is_named_with_its_probes_output() -> None:
    health = judge("running", ["a", "b"], report(a=True, b=False), NOW)
    assert not health.healthy
    assert health.first_failure() == ("b", "said so")


def test_a_service_that_is_not_in_the_report_is_not_healthy() -> None:
    health = judge("running", ["a", "b"], report(a=True), NOW)
    assert not health.healthy
    assert health.first_failure()[0] == "b"


def test_a_stopped_container_is_not_healthy_whatever_it_reported() -> None:
    assert not judge("exited", ["a"], report(a=True), NOW).healthy


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "{",
        "[]",
        json.dumps({"services": {"a": {"healthy": True}}}),
        json.dumps({"at": NOW, "services": 5}),
        report(at=NOW - STALE_AFTER - 1, a=True),
    ],
    ids=["missing", "empty", "cut off", "a list", "without time", "without services", "old"],
)
def test_no_usable_report_means_not_healthy_and_says_why(text: str | None) -> None:
    health = judge("running", ["a"], text, NOW)
    assert not health.healthy
    assert health.first_failure()[1]


def test_only_true_means_healthy() -> None:
    text = json.dumps({"at": NOW, "services": {"a": {"healthy": "no"}}})
    assert not judge("running", ["a"], text, NOW).healthy


def test_a_host_without_services_is_healthy_once_it_reports() -> None:
    assert judge("running", [], report(), NOW).healthy
    assert not judge("running", [], None, NOW).healthy
