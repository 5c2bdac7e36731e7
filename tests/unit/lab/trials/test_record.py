"""A role is tried again when it, or anything that its trial is made of, has changed since it passed."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from lab.errors import UsageError
from lab.settings import ROOT
from lab.trials.description import subject_of
from lab.trials.record import SHARED, Tried, changed_since, key, parts
from tests.unit.site_builder import committed_site

if TYPE_CHECKING:
    from pathlib import Path

SITE = committed_site("reference")
HAPROXY, HL7_EDGE, RIS, WORKSTATION = (
    subject_of([SITE], role) for role in ("haproxy", "hl7_edge", "ris", "workstation")
)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A copy of what trials are made of, as a repository with one commit."""
    for part in {"roles", "simulators", *SHARED}:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
        elif (ROOT / part).is_file():
            (tmp_path / part).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / part, tmp_path / part)
    for words in (["init", "-q"], ["add", "-A"], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x"]):
        subprocess.run(["git", "-C", str(tmp_path), *words], check=True)
    return tmp_path


@pytest.mark.parametrize(
    ("path", "stale"),
    [
        ("roles/haproxy/templates/edge.j2", {"haproxy", "hl7_edge", "ris"}),
        ("roles/hl7_edge/defaults/main.yml", {"hl7_edge", "ris"}),
        ("roles/postgresql/templates/pg_hba.conf.j2", {"hl7_edge", "ris"}),  # their application keeps its data there
        ("roles/workstation/tasks/configure.yml", {"workstation"}),
        ("simulators/errors.py", {"hl7_edge", "ris", "workstation"}),
        ("playbooks/role.yml", {"haproxy", "hl7_edge", "ris", "workstation"}),
        ("roles/orthanc/tasks/configure.yml", set()),
    ],
)
def test_a_change_makes_those_stale_whose_trial_it_is_part_of(repository: Path, path: str, stale: set[str]) -> None:
    subjects = (HAPROXY, HL7_EDGE, RIS, WORKSTATION)
    before = {subject.role: key(subject, repository) for subject in subjects}
    assert changed_since("HEAD", subjects, repository) == set()
    with (repository / path).open("a") as file:
        file.write("# changed\n")
    assert {subject.role for subject in subjects if key(subject, repository) != before[subject.role]} == stale
    assert changed_since("HEAD", subjects, repository) == stale


def test_a_file_that_git_does_not_know_yet_is_a_change(repository: Path) -> None:
    (repository / "roles" / "ris" / "files" / "new").write_text("x")
    assert changed_since("HEAD", [HAPROXY, RIS], repository) == {"ris"}


def test_a_commit_that_is_not_there_is_refused(repository: Path) -> None:
    with pytest.raises(UsageError, match="nothing-like-this"):
        changed_since("nothing-like-this", [RIS], repository)


def test_every_part_of_a_trial_exists() -> None:
    missing = [part for part in parts(RIS) if not (ROOT / part).exists()]
    assert missing == []


def test_a_role_that_passed_is_known_until_it_fails(tmp_path: Path) -> None:
    Tried(tmp_path).note("ris", "one")
    assert Tried(tmp_path).holds("ris", "one")
    assert not Tried(tmp_path).holds("ris", "two")
    assert not Tried(tmp_path).holds("ehr", "one")
    Tried(tmp_path).forget("ris")
    assert not Tried(tmp_path).holds("ris", "one")


def test_a_damaged_record_says_that_nothing_was_tried(tmp_path: Path) -> None:
    (tmp_path / "tried-roles.json").write_text("{")
    assert not Tried(tmp_path).holds("ris", "one")
