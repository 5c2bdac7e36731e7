"""A trial fails a role that always changes something, whose check mode lies, or that does not converge."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from lab.ansible import strategy
from lab.ansible.play import Play, TaskResult
from lab.errors import AnsibleError
from lab.events import Bus
from lab.results.model import Outcome
from lab.trials.judgement import (
    CONVERGE,
    CONVERGE_AGAIN,
    CONVERGES,
    FORETELL,
    FORETELL_AGAIN,
    FORETOLD,
    INSTALL_AGAIN,
    INSTALLED,
    PREREQUISITES,
    QUIET,
    UNCHANGED,
    foreknowing,
    judge,
)
from lab.trials.trial import PLAYBOOK, passed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lab.results.model import Promise

    Try = Callable[..., dict[str, Outcome]]

COPY = "- ansible.builtin.copy: {content: good, dest: '%s/file'}\n"
HOST = "subject"


@pytest.fixture
def tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Try:
    """Run the trial's plays for a role, with this machine in place of a host; the outcome of each promise."""
    monkeypatch.setattr(strategy, "environment", lambda _order: {})
    monkeypatch.setenv("ANSIBLE_ROLES_PATH", str(tmp_path / "roles"))

    def write(role: str, part: str, text: str) -> None:
        path = tmp_path / "roles" / role / "tasks" / f"{part}.yml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("%s", str(tmp_path)))

    def run(configure: str, *, install: str | None = None) -> dict[str, Outcome]:
        write("tried", "configure", configure)
        if install is not None:
            write("tried", "install", install)
        local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        inventory = tmp_path / "hosts.json"
        inventory.write_text(json.dumps({"all": {"hosts": {HOST: {**local, "trial_before": []}}}}))
        variables = tmp_path / "variables.json"
        given = {"host": HOST, "role": "tried", "roles_dir": str(tmp_path / "roles"), "settle": ["true"]}
        variables.write_text(json.dumps({f"trial_{name}": value for name, value in given.items()}))
        heard: list[TaskResult] = []
        play = Play(PLAYBOOK, [inventory], tmp_path / "ansible", variables=[variables], heard=heard.append)
        try:
            play.run(Bus())
        except AnsibleError:
            assert any(result.status == "failed" for result in heard)
        results = list(judge(HOST, heard))
        return {result.id: result.outcome for result in results}

    return run


def bad(outcomes: dict[str, Outcome]) -> set[str]:
    """Return the promises that were not kept."""
    return {name for name, outcome in outcomes.items() if outcome in {Outcome.FAILED, Outcome.ERROR}}


def ids(*promises: Promise) -> set[str]:
    """Return their ids."""
    return {promise.id for promise in promises}


def test_a_good_role_passes(tried: Try) -> None:
    outcomes = tried(COPY, install="- ansible.builtin.file: {path: '%s', state: directory}\n")
    assert set(outcomes.values()) == {Outcome.PASSED}
    assert outcomes.keys() == ids(INSTALLED, FORETOLD, CONVERGES, QUIET, UNCHANGED)


def test_a_task_that_always_changes_something_fails_it(tried: Try) -> None:
    task = "- ansible.builtin.command: touch %s/file\n  check_mode: false\n"
    assert bad(tried(task)) == ids(QUIET, UNCHANGED)


def test_a_check_mode_that_lies_fails_it(tried: Try) -> None:
    task = "- ansible.builtin.shell: test -e %s/file || { touch %s/file && echo changed; }\n"
    task += "  register: made\n  changed_when: made.stdout | default('') == 'changed'\n"
    assert bad(tried(task)) == ids(FORETOLD)


def test_a_role_that_does_not_converge_fails_and_nothing_after_it_counts(tried: Try) -> None:
    outcomes = tried(COPY + "- ansible.builtin.command: 'false'\n")
    assert bad(outcomes) == ids(CONVERGES)
    assert {outcomes[promise.id] for promise in (FORETOLD, QUIET, UNCHANGED)} == {Outcome.SKIPPED}


def result(play: str, status: str = "changed", **data: object) -> TaskResult:
    """Return what a task of the role gave."""
    return TaskResult(play, HOST, "tried", "Configure", status, data)


GOOD = (
    result(INSTALL_AGAIN, "ok"),
    result(FORETELL),
    result(CONVERGE),
    result(FORETELL_AGAIN, "ok"),
    result(CONVERGE_AGAIN, "ok"),
)


def judged(*results: TaskResult) -> dict[str, Outcome]:
    """Return the outcome of each promise."""
    return {entry.id: entry.outcome for entry in judge(HOST, results)}


def test_a_check_mode_that_fails_where_nothing_is_yet_fails_it() -> None:
    assert bad(judged(GOOD[0], result(FORETELL, "failed", msg="no such file"))) == ids(FORETOLD)


def test_an_installation_that_is_done_twice_fails_it() -> None:
    assert bad(judged(result(INSTALL_AGAIN), *GOOD[1:])) == ids(INSTALLED)


def test_what_it_builds_on_is_no_fault_of_the_role_and_still_no_pass() -> None:
    outcomes = judged(result(PREREQUISITES, "failed", msg="no"))
    assert outcomes[CONVERGES.id] is Outcome.ERROR
    assert Outcome.PASSED not in outcomes.values()


def test_a_failure_of_the_trial_s_own_is_an_error_and_not_the_role_s() -> None:
    own = TaskResult(CONVERGE, HOST, "", "Let the jobs of systemd end", "failed", {"msg": "no"})
    assert judged(*GOOD[:2], own)[CONVERGES.id] is Outcome.ERROR


def test_a_role_that_asks_for_check_mode_is_not_judged(tmp_path: Path) -> None:
    role = tmp_path / "role" / "tasks"
    role.mkdir(parents=True)
    (role / "configure.yml").write_text(COPY)
    assert foreknowing(tmp_path / "role", HOST) is None
    (role / "configure.yml").write_text(COPY + "  when: not ansible_check_mode\n")
    found = foreknowing(tmp_path / "role", HOST)
    assert found is not None
    assert (found.id, found.outcome) == (FORETOLD.id, Outcome.ERROR)


@pytest.mark.parametrize("part", ["files", "commands", "units"])
def test_foretelling_another_change_than_the_one_made_is_a_lie(part: str) -> None:
    told, done = result(FORETELL, **{part: ["a"]}), result(CONVERGE, **{part: ["a", "b"]})
    outcomes = {entry.id: entry for entry in judge(HOST, [told, done])}
    assert outcomes[FORETOLD.id].outcome is Outcome.FAILED
    assert '"b"' in outcomes[FORETOLD.id].expected


def test_a_task_in_one_of_the_two_plays_alone_is_a_lie() -> None:
    assert judged(result(FORETELL), result(CONVERGE), result(CONVERGE))[FORETOLD.id] is Outcome.FAILED


def test_nothing_judged_is_no_pass() -> None:
    assert not passed([])
    assert not passed(list(judge(HOST, [result(PREREQUISITES, status="failed", msg="no")])))
