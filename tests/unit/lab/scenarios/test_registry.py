"""Scenarios are found by being there, are static, and each site knows which it is for."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

import lab.scenarios as package
from lab.errors import UsageError
from lab.scenarios.registry import fitting, scenario, scenarios
from lab.scenarios.run import run_scenario
from tests.unit.site_builder import committed_site

if TYPE_CHECKING:
    from pathlib import Path

SMALL = committed_site("small-practice")


def test_every_package_with_a_scenario_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "added").mkdir()
    (tmp_path / "added" / "__init__.py").touch()
    (tmp_path / "added" / "scenario.py").write_text(
        "from lab.scenarios.model import Scenario\nSCENARIO = Scenario('added', 'Added', 'Added', dict, ())\n", "utf-8"
    )
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    assert {"added", "radiology-workflow", "small-practice-workflow"} <= set(scenarios())


def test_a_name_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(UsageError, match="radiology") as caught:
        scenario("radiology")
    assert "radiology-workflow" in caught.value.remedy


def test_each_site_is_for_its_own_scenarios() -> None:
    assert "radiology-workflow" in [found.name for found in fitting(committed_site("reference"))]
    assert [found.name for found in fitting(SMALL)] == ["small-practice-workflow"]


def test_what_takes_minutes_runs_only_when_it_is_asked_for() -> None:
    reference = committed_site("reference")
    every = {found.name for found in fitting(reference, at_length=True)}
    assert every - {found.name for found in fitting(reference)} == {"audit-and-monitoring", "identity-and-access"}


def test_a_site_that_is_for_none_is_told_why() -> None:
    hosts = {name: host.model_copy(update={"functions": []}) for name, host in SMALL.hosts.items()}
    topology = SMALL.topology.model_copy(update={"hosts": hosts})
    with pytest.raises(UsageError, match="for no scenario") as caught:
        fitting(type(SMALL)(topology, SMALL.catalog, SMALL.path))
    assert "no host is order-filler" in caught.value.message


def test_the_radiology_workflow_is_refused_at_a_practice_without_a_record() -> None:
    wanted = scenario("radiology-workflow")
    with pytest.raises(UsageError, match="no host is order-placer"):
        list(run_scenario(wanted, wanted.steps, cast("Any", SimpleNamespace(site=SMALL)), cast("Any", None)))


def test_the_small_practice_goes_from_registration_to_the_closed_order() -> None:
    steps = [step.id for step in scenario("small-practice-workflow").steps]
    wanted = ["register", "order", "worklist", "begin", "store", "complete", "commit", "read", "report", "close"]
    assert [name for name in steps if name in wanted] == wanted


def test_every_step_can_be_named_without_a_lab() -> None:
    promises = [promise.id for found in scenarios().values() for promise in found.promises]
    assert len(promises) == len(set(promises))
    assert len(scenario("radiology-workflow").promises) == 57
