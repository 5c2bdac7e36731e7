"""The scenarios of the site pass, say what they saw, and start anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lab.results.store import run_of
from tests.lab_commands import succeed

if TYPE_CHECKING:
    from lab.engine.lab import Lab

KEYS = ["id", "title", "host", "transaction", "controls", "expected", "observed", "passed", "seconds"]


def judge(result: dict[str, Any], lab: Lab, *, complete: bool = True) -> None:
    assert list(result)[:3] == ["scenario", "passed", "steps"]
    assert (result["passed"], result["complete"]) == (True, complete)
    assert all(list(step)[: len(KEYS)] == KEYS and step["passed"] and step["controls"] for step in result["steps"])
    everything = run_of(lab.folder, result["run"]).results()
    kept = [found for found in everything if found.id.startswith(f"{result['scenario']}.")]
    assert [found.id for found in kept] == [step["result"] for step in result["steps"]]
    assert all(found.observations for found in kept)


def test_an_examination_goes_from_registration_to_its_corrected_report(lab: Lab) -> None:
    words = ("scenario", "run", "radiology-workflow", "--until", "documents", "--lab", lab.name, "--json")
    result = succeed(*words).json
    steps = [step["id"] for step in result["steps"]]
    assert (steps[0], steps[-1]) == ("register", "documents")
    assert {"order", "store", "commit", "archive", "read", "report", "correct"} <= set(steps)
    judge(result, lab, complete=False)


@pytest.mark.night
def test_the_scenarios_that_the_site_is_for_pass(lab: Lab) -> None:
    results = succeed("scenario", "run", "--lab", lab.name, "--json").json
    names = {result["scenario"] for result in results}
    assert "radiology-workflow" in names
    assert "small-practice-workflow" not in names
    for result in results:
        judge(result, lab)
    (run,) = {result["run"] for result in results}  # one command is one run, which keeps what all of them found
    kept = [found.id for found in run_of(lab.folder, run).results()]
    assert kept == [step["result"] for result in results for step in result["steps"]]


@pytest.mark.night
def test_people_may_do_what_the_policy_says_and_nothing_else(lab: Lab) -> None:
    judge(succeed("scenario", "run", "identity-and-access", "--lab", lab.name, "--json").json, lab)


def test_one_step_is_run_with_what_it_needs(lab: Lab) -> None:
    result = succeed("scenario", "run", "radiology-workflow", "--only", "worklist", "--lab", lab.name, "--json").json
    assert [step["id"] for step in result["steps"]] == ["register", "order", "worklist"]
    assert (result["passed"], result["complete"]) == (True, False)


def test_no_credential_of_a_refused_attempt_stays_on_a_host(lab: Lab) -> None:
    for host in lab.site.hosts:
        assert lab.run(host, ["test", "-e", "/run/pacslab-misuse"]).code == 1
