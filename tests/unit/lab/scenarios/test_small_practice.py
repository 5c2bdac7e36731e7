"""The workflow of a practice without a record holds together there; the radiology workflow is refused with a reason."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from lab.errors import UsageError
from lab.scenarios.model import check_steps
from lab.scenarios.registry import scenario
from lab.scenarios.run import run_scenario
from lab.scenarios.stage import Stage
from lab.topology.load import load_site, site_path

SITE = load_site(site_path("small-practice"))
LAB = cast("Any", SimpleNamespace(site=SITE))


def test_every_step_acts_on_a_host_of_the_site() -> None:
    steps = scenario("small-practice-workflow").build(Stage(LAB))
    check_steps(steps)
    assert {step.host for step in steps} == {"ris1", "us1", "ws1"}


def test_it_goes_from_registration_to_the_closed_order() -> None:
    steps = [step.id for step in scenario("small-practice-workflow").build(Stage(LAB))]
    wanted = ["register", "order", "worklist", "begin", "store", "complete", "commit", "read", "report", "close"]
    assert [name for name in steps if name in wanted] == wanted


def test_the_radiology_workflow_is_refused_with_what_is_missing() -> None:
    with pytest.raises(UsageError, match="role ehr"):
        run_scenario(scenario("radiology-workflow"), LAB, cast("Any", None))
