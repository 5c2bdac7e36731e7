"""Health: what a host reports counts only when it is complete, fresh and readable."""

from __future__ import annotations

import json
from contextlib import nullcontext
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from lab.engine.health import STALE_AFTER, HostHealth, judge
from lab.events import Bus, Event, HostPhase, Phase
from lab.operate.wait import NeverHealthyError, wait_until_healthy

if TYPE_CHECKING:
    from lab.engine.lab import Lab

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


def lab_that_says(*looks: dict[str, HostHealth]) -> Lab:
    """A lab whose health is these, one look after another; the last one stays."""
    left = list(looks)
    service = SimpleNamespace(remedy="Restart it.")
    site = SimpleNamespace(services=lambda _: {"a": service, "b": service}, managed=("h", "h1", "h2"))
    look = lambda: left.pop(0) if len(left) > 1 else left[0]  # noqa: E731
    return cast("Lab", SimpleNamespace(name="x", site=site, watch_health=lambda: nullcontext(look)))


def healths(text: str | None, *hosts: str) -> dict[str, Any]:
    return {host: judge("running", ["a", "b"], text, NOW) for host in hosts}


def test_waiting_ends_when_the_last_host_is_healthy_and_tells_each_change_once() -> None:
    bus, seen = Bus(), list[Event]()
    bus.subscribe(seen.append)
    ill, well = healths(report(a=True, b=False), "h"), healths(report(a=True, b=True), "h")
    wait_until_healthy(lab_that_says(ill, ill, well), bus, 10, {})
    phases = [event.phase for event in seen if isinstance(event, HostPhase)]
    assert phases == [Phase.UNHEALTHY, Phase.HEALTHY]


def test_giving_up_names_host_service_output_and_remedy() -> None:
    with pytest.raises(NeverHealthyError) as error:
        wait_until_healthy(lab_that_says(healths(report(a=True, b=False), "h1", "h2")), Bus(), 0, {})
    assert error.value.exit_code == 3
    assert "h1: service b was not healthy within 0 s: said so" in error.value.message
    assert "h2" in error.value.message
    assert "Restart it." in error.value.remedy


def test_a_report_from_before_the_host_was_configured_does_not_count() -> None:
    lab = lab_that_says(healths(report(a=True, b=True), "h"))
    with pytest.raises(NeverHealthyError):
        wait_until_healthy(lab, Bus(), 0, {"h": NOW + 1})
    assert wait_until_healthy(lab, Bus(), 0, {"h": NOW})["h"].healthy


def test_a_host_that_has_not_been_asked_yet_is_not_called_unhealthy() -> None:
    bus, seen = Bus(), list[Event]()
    bus.subscribe(seen.append)
    early, late = (
        {
            "h": judge(
                "running", ["a"], json.dumps({"at": at, "services": {"a": {"healthy": True, "detail": ""}}}), NOW + 2
            )
        }
        for at in (NOW, NOW + 2)
    )
    wait_until_healthy(lab_that_says(early, late), bus, 10, {"h": NOW + 1})
    assert [event.phase for event in seen if isinstance(event, HostPhase)] == [Phase.CHECKING, Phase.HEALTHY]


def test_a_container_that_ended_is_not_waited_for() -> None:
    with pytest.raises(NeverHealthyError) as error:
        wait_until_healthy(lab_that_says({"h": judge("exited", ["a"], None, NOW)}), Bus(), 1000, {})
    assert "container exited" in error.value.message
