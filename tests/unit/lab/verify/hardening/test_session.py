"""Checks that run with pytest in this process come out as results, whatever happens in them."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import pytest

from lab.results.model import Outcome
from lab.settings import ROOT
from lab.verify.connection.connection import Connection
from lab.verify.hardening import find
from lab.verify.hardening.machines import KeptMachines
from lab.verify.hardening.plugin import Judging, matcher
from lab.verify.hardening.session import ChecksBrokenError, run_session
from tests.unit.lab.verify.connection.ways import LocalWay
from tests.unit.site_builder import committed_site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lab.results.model import Result

CHECKS = '''
"""Doors."""
from pathlib import Path
import pytest
from lab.verify.hardening.declare import has_role, promise
from lab.verify.hardening.expect import not_applicable

def two(target):
    return [("front", 1), ("back", 2)]

@promise("hardening.doors.shown", "Doors are shown.", remedy="Show them.", each=two, reads=("echo ahead",))
def test_shown(host, subject, target, expect):
    expect.equal("ahead", host.check_output("echo ahead"))
    expect.that(subject == 1, "the first", f"number {subject}")

@promise("hardening.doors.none", "There are none.", remedy="None.", where=has_role("firewall"))
def test_none(expect):
    not_applicable("no doors here")

@promise("hardening.doors.broken", "It breaks.", remedy="None.", where=has_role("firewall"))
def test_broken(host):
    raise RuntimeError("the judge is broken")

@promise("hardening.doors.assert", "A plain assertion.", remedy="Do it.", where=has_role("firewall"))
def test_assertion(host):
    assert host.file("/etc/passwd").mode == 0o000

@promise("hardening.doors.skipped", "It is skipped.", remedy="None.", where=has_role("firewall"))
def test_skipped():
    pytest.skip("not today")

@promise("hardening.doors.container", "A container.", remedy="None.", where=has_role("firewall"))
def test_container(container):
    pass
'''


@pytest.fixture
def judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Runs the checks of a file of text on hosts that are this machine."""
    (tmp_path / "test_doors.py").write_text(CHECKS)
    monkeypatch.setattr(find, "FOLDER", tmp_path)
    monkeypatch.setattr(find, "ROLES", tmp_path / "roles")
    machines = KeptMachines(lambda _: LocalWay())
    site = committed_site("reference")

    def run(*patterns: str, hosts: list[str] | None = None) -> list[Result]:
        wanted = hosts or list(site.hosts)
        return list(run_session(Judging(site, lambda: machines, wanted, matcher(patterns), lambda _: None)))

    yield run
    machines.close()


def test_outcomes_become_results(judged: Any) -> None:
    found = judged(hosts=["fw1", "ct1"])
    outcomes = {(result.id.split(".")[2], result.host, result.subject): result for result in found}
    assert outcomes["shown", "ct1", "front"].outcome is Outcome.PASSED
    failed = outcomes["shown", "ct1", "back"]
    assert (failed.outcome, failed.expected, failed.observed) == (Outcome.FAILED, "the first", "number 2")
    assert failed.remedy == "Show them."
    assert failed.observations[0].text == "ahead"
    assert failed.observations[0].source == "echo ahead on ct1"
    assert failed.observations[0].at <= time.time()
    assert outcomes["none", "fw1", ""].outcome is Outcome.NOT_APPLICABLE
    assert outcomes["none", "fw1", ""].reason == "no doors here"
    assert outcomes["broken", "fw1", ""].outcome is Outcome.ERROR
    assert "the judge is broken" in outcomes["broken", "fw1", ""].reason
    assert outcomes["assert", "fw1", ""].outcome is Outcome.FAILED
    assert outcomes["skipped", "fw1", ""].outcome is Outcome.SKIPPED
    assert outcomes["container", "fw1", ""].outcome is Outcome.NOT_APPLICABLE
    assert len(found) == 9
    assert all(result.seconds > 0 for result in found)


def test_hosts_and_ids_are_chosen_before_anything_is_run(judged: Any) -> None:
    assert {result.id for result in judged("hardening.doors.n*")} == {"hardening.doors.none"}
    assert {result.host for result in judged("hardening.doors.shown", hosts=["ct1"])} == {"ct1"}
    assert judged("hardening.windows.*") == []


def test_a_second_session_in_the_same_process_judges_again(judged: Any) -> None:
    assert len(judged(hosts=["fw1"])) == len(judged(hosts=["fw1"])) == 7


def test_options_for_another_run_of_pytest_are_left_to_it(judged: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", "--color=no --no-such-option")
    assert len(judged(hosts=["fw1"])) == 7
    assert os.environ["PYTEST_ADDOPTS"] == "--color=no --no-such-option"


def test_a_file_that_cannot_be_imported_is_an_error(judged: Any, tmp_path: Path) -> None:
    (tmp_path / "test_windows.py").write_text("import nothing_of_that_name\n")
    with pytest.raises((ChecksBrokenError, ImportError)):
        judged()


def test_a_machine_that_does_not_answer_is_an_error_of_each_of_its_checks(tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "test_doors.py").write_text(CHECKS)
    monkeypatch.setattr(find, "FOLDER", tmp_path)
    machines = KeptMachines(lambda _: LocalWay(unreachable_after=0))
    site = committed_site("reference")
    judging = Judging(site, lambda: machines, ["ct1"], matcher(()), lambda _: None)
    found = list(run_session(judging))
    assert {result.outcome for result in found} == {Outcome.ERROR}
    assert all("local://" in result.reason for result in found)


def test_a_roles_own_checks_are_about_its_own_hosts(tmp_path: Path, monkeypatch: Any) -> None:
    folder = tmp_path / "roles" / "modality" / "verify"
    folder.mkdir(parents=True)
    (folder / "test_scanner.py").write_text(CHECKS.replace("hardening.doors", "hardening.scanner"))
    monkeypatch.setattr(find, "FOLDER", tmp_path / "general")
    monkeypatch.setattr(find, "ROLES", tmp_path / "roles")
    machines = KeptMachines(lambda _: LocalWay())
    site = committed_site("reference")
    found = list(run_session(Judging(site, lambda: machines, list(site.hosts), matcher(()), lambda _: None)))
    machines.close()
    scanners = {name for name, host in site.hosts.items() if "modality" in host.roles}
    assert {result.host for result in found} == scanners > {"ct1", "mr1"}


def test_the_example_of_the_docs_works(tmp_path: Path, monkeypatch: Any) -> None:
    text = (ROOT / "docs" / "add-a-check.md").read_text("utf-8")
    example = text.split("```python\n")[1].split("```")[0]
    (tmp_path / "test_banner.py").write_text(example)
    monkeypatch.setattr(find, "FOLDER", tmp_path)
    monkeypatch.setattr(find, "ROLES", tmp_path / "roles")
    machines = KeptMachines(lambda _: LocalWay())
    site = committed_site("reference")
    found = list(run_session(Judging(site, lambda: machines, list(site.hosts), matcher(()), lambda _: None)))
    machines.close()
    assert {result.id for result in found} == {"hardening.banner.silent"}
    assert {result.outcome for result in found} <= {Outcome.PASSED, Outcome.FAILED}


def test_a_connection_is_kept_for_a_whole_session(judged: Any, monkeypatch: Any) -> None:
    opened = []
    original = Connection._open  # noqa: SLF001 # that is what is counted
    monkeypatch.setattr(Connection, "_open", lambda self: (opened.append(1), original(self))[1])
    judged(hosts=["fw1", "ct1"])
    assert len(opened) == 2
