"""Waiting ends when the hosts that are waited for are healthy by a report that is new enough."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from lab.engine.health import HostHealth, ServiceHealth
from lab.events import Bus, Event, HostPhase, Phase
from lab.operate import wait
from lab.operate.wait import NeverHealthyError, wait_until_healthy

if TYPE_CHECKING:
    from lab.engine.lab import Lab

AT = 1000.0


def report(*, healthy: bool, at: float = AT, state: str = "running") -> HostHealth:
    return HostHealth(state, (ServiceHealth("archive", healthy, "it starts"),), at=at)


def lab_with(*looks: dict[str, HostHealth]) -> Lab:
    """Stands in for a lab: what each look finds, the last for ever."""
    left = list(looks)
    site = SimpleNamespace(managed={"pacs", "ris"}, services=lambda _: {"archive": SimpleNamespace(remedy="Wait.")})
    health = lambda: left.pop(0) if len(left) > 1 else left[0]  # noqa: E731
    return cast("Lab", SimpleNamespace(name="tiny", site=site, watch_health=lambda: nullcontext(health)))


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wait, "PAUSE", 0.0)


def phases(lab: Lab, since: dict[str, float], hosts: tuple[str, ...] | None = None) -> list[tuple[str, Phase]]:
    bus, seen = Bus(), list[Event]()
    bus.subscribe(seen.append)
    wait_until_healthy(lab, bus, 5, since, hosts)
    return [(event.host, event.phase) for event in seen if isinstance(event, HostPhase)]


def test_a_report_from_before_the_change_does_not_count() -> None:
    lab = lab_with({"pacs": report(healthy=True)}, {"pacs": report(healthy=True, at=AT + 2)})
    assert phases(lab, {"pacs": AT + 1}) == [("pacs", Phase.CHECKING), ("pacs", Phase.HEALTHY)]


def test_hosts_that_nobody_waits_for_may_be_stopped() -> None:
    lab = lab_with({"pacs": report(healthy=True), "ris": report(healthy=False, state="exited")})
    assert phases(lab, {}, ("pacs",)) == [("pacs", Phase.HEALTHY)]


def test_who_is_not_healthy_in_time_is_named_with_what_its_probe_said() -> None:
    lab = lab_with({"pacs": report(healthy=False), "ris": report(healthy=True)})
    with pytest.raises(NeverHealthyError, match="pacs: service archive was not healthy within 0 s: it starts"):
        wait_until_healthy(lab, Bus(), 0, {})


def test_hosts_that_come_no_further_are_given_up_before_the_time_has_passed() -> None:
    lab = lab_with({"pacs": report(healthy=False)})
    with pytest.raises(NeverHealthyError, match="pacs: service archive"):
        wait_until_healthy(lab, Bus(), 600, {}, stalled=0)
