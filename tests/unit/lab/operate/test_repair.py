"""``up`` repairs what runs otherwise than described: it asks again, and restarts the units of what is unhealthy."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from lab.engine.execute import Completed
from lab.engine.health import HostHealth, ServiceHealth
from lab.events import Bus, Event, Note
from lab.operate import repair as repairing
from lab.operate.configured import Configured
from lab.operate.repair import AGENT, health_now, repair

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from lab.engine.lab import Lab

UNITS = {"filter": "nftables.service", "web": "nginx.service", "status": "nginx.service"}


class Hosts:
    """Stands in for a lab: hosts with services that are healthy or not, which answer when they are asked, or do not."""

    # ruff: noqa: D102, D107 # the members are those of lab.engine.lab.Lab

    def __init__(self, ill: dict[str, set[str]], silent: tuple[str, ...] = (), refusing: tuple[str, ...] = ()) -> None:
        self.ill, self.silent, self.refusing = ill, silent, refusing
        self.at = dict.fromkeys(ill, 0.0)
        self.restarted: dict[str, list[str]] = {}
        self.site = SimpleNamespace(
            services=lambda _: {name: SimpleNamespace(unit=unit) for name, unit in UNITS.items()}
        )

    def run(self, host: str, argv: list[str]) -> Completed:
        if argv[2] == repairing.RESTART:
            self.restarted[host] = argv[4:]
            return Completed(1, "", "unit is masked") if host in self.refusing else Completed(0, "", "")
        assert argv[2] == repairing.ASK
        if host not in self.silent:
            self.at[host] = time.time()
        return Completed(0, "", "")

    def health(self) -> dict[str, HostHealth]:
        return {host: self._one(host, self.at[host] > 0) for host in self.ill}

    def _one(self, host: str, asked: bool) -> HostHealth:  # noqa: FBT001 # a stand-in's own
        # what is unhealthy is only known once the host was asked: the report before says that all is well
        services = tuple(ServiceHealth(name, not asked or name not in self.ill[host], "why") for name in UNITS)
        return HostHealth("running", services, at=self.at[host])


def mend(hosts: Hosts) -> tuple[dict[str, float], list[str]]:
    bus, seen = Bus(), list[Event]()
    bus.subscribe(seen.append)
    since = repair(cast("Lab", hosts), bus, list(hosts.ill))
    return since, [event.text for event in seen if isinstance(event, Note)]


def test_nothing_is_restarted_where_all_is_well() -> None:
    hosts = Hosts({"a": set(), "b": set()})
    assert mend(hosts)[1] == []
    assert hosts.restarted == {}


def test_only_the_unit_of_the_ill_service_is_restarted_on_its_host_alone() -> None:
    hosts = Hosts({"a": {"filter"}, "b": set()})
    _, told = mend(hosts)
    assert hosts.restarted == {"a": ["nftables.service"]}
    assert told == ["a: restarting nftables.service: why"]


def test_a_unit_of_several_ill_services_is_restarted_once() -> None:
    hosts = Hosts({"a": {"web", "status"}})
    mend(hosts)
    assert hosts.restarted == {"a": ["nginx.service"]}


def test_a_report_from_before_the_question_is_not_believed() -> None:
    hosts = Hosts({"a": {"web"}})
    assert hosts.health()["a"].healthy
    health, since = health_now(cast("Lab", hosts), ["a"])
    assert not health["a"].healthy
    assert health["a"].at >= since


def test_after_a_restart_only_later_reports_count() -> None:
    hosts = Hosts({"a": {"web"}, "b": set()})
    since, _ = mend(hosts)
    assert since["a"] > hosts.at["a"]
    assert since["b"] <= hosts.at["b"]


def test_a_host_that_does_not_answer_gets_its_agent_restarted_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repairing, "ANSWER_SECONDS", 0.0)
    hosts = Hosts({"a": {"web"}}, silent=("a",))
    mend(hosts)
    assert hosts.restarted == {"a": [AGENT]}


def test_what_cannot_be_restarted_is_told_and_left_to_health() -> None:
    _, told = mend(Hosts({"a": {"web"}}, refusing=("a",)))
    assert told[-1] == "a: unit is masked"


def test_no_hosts_are_asked_when_none_ran_before() -> None:
    assert repair(cast("Lab", None), Bus(), []) == {}


def test_a_host_counts_as_configured_only_in_the_container_that_was(tmp_path: Path) -> None:
    Configured(tmp_path).note({"ct1": ("c1", "d1")})
    known = Configured(tmp_path)
    assert (known.knows("ct1", "c1"), known.knows("ct1", "c2"), known.knows("ct2", "c1")) == (True, False, False)
