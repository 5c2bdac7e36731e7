"""Everything that can be judged is found without a lab."""

from __future__ import annotations

from lab.controls.load import controls_of
from lab.controls.promises import Kind, promises, promises_for
from lab.results.model import ID
from lab.scenarios.registry import scenarios
from lab.settings import ROOT
from lab.topology.load import site_names
from lab.verify.registry import checks
from tests.unit.site_builder import committed_site


def test_every_check_and_scenario_is_among_them() -> None:
    known = promises()
    areas = {name.partition(".")[0] for name in known}
    assert areas >= set(checks()) | set(scenarios())
    assert all(check.completes.id in known for check in checks().values())


def test_ids_have_the_form_of_a_result_and_a_text() -> None:
    for name, promised in promises().items():
        assert ID.match(name)
        assert name == promised.id
        assert promised.text


def test_each_is_found_on_a_line_of_a_file() -> None:
    of_rules = {f"detections.{rule.stem}" for rule in (ROOT / "simulators" / "siem" / "rules").glob("*.yml")}
    for promised in promises().values():
        path, line = promised.place
        put_together = promised.kind is Kind.COMPLETION or promised.id in of_rules
        assert put_together or promised.word in path.read_text("utf-8").splitlines()[line - 1], promised.id
    assert of_rules < promises().keys()


def test_the_controls_of_a_result_are_those_of_the_rows_that_name_it() -> None:
    assert "PR.AC-5" in controls_of("segmentation.undeclared")
    assert controls_of("nothing.of-the-kind") == ()


def test_a_site_is_not_asked_for_scenarios_that_it_is_not_for() -> None:
    everything = set(promises())
    for name in site_names():
        site = committed_site(name)
        left_out = {id_.partition(".")[0] for id_ in everything - set(promises_for(site))}
        assert left_out == {scenario.name for scenario in scenarios().values() if scenario.unfit(site)}
        assert left_out != set(scenarios()) or site.managed != site.hosts  # nobody works at foreign devices
