"""Every deed names a rule that there is, and an abuse case only where the rule says that it notices it."""

from __future__ import annotations

from typing import Any

import pytest

from lab.scenarios.monitoring.cases import CASES
from lab.scenarios.monitoring.deeds import deeds
from lab.scenarios.registry import scenario
from simulators.siem.sigma.read import load
from tests.unit.site_builder import committed_site

DEEDS = list(deeds())
RULES = {found.head.file.removesuffix(".yml"): found.head for found in load() if found.head.ours.match}
TITLES = {case.title: case.id for case in CASES.values()}


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.id)
def test_its_rule_is_there_and_claims_its_case(deed: Any) -> None:
    assert deed.rule in RULES
    case = TITLES.get(deed.title)
    assert case is None or case in RULES[deed.rule].ours.cases


def test_every_deed_is_a_step() -> None:
    steps = [step.id for step in scenario("audit-and-monitoring").steps]
    assert {deed.id for deed in DEEDS} <= set(steps)
    assert steps.index("no-alert") < min(steps.index(deed.id) for deed in DEEDS)


def test_the_reference_site_is_for_it() -> None:
    assert not scenario("audit-and-monitoring").unfit(committed_site("reference"))
