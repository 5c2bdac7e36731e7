"""Certificates without a lab: a folder holds those of one site, and is kept by a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab.cli.main import main
from lab.errors import UsageError
from lab.settings import load_settings
from lab.trust.issue import issue
from lab.trust.pki import held
from tests.unit.lab.trust.sites import tiny_site
from tests.unit.site_builder import committed_site

if TYPE_CHECKING:
    from pathlib import Path

SITE = committed_site("small-practice")


def code(*words: str) -> object:
    with pytest.raises(SystemExit) as ended:
        main(["pki", *words])
    return ended.value.code


def test_every_host_has_every_certificate_that_its_roles_want(tmp_path: Path) -> None:
    issue(SITE, tmp_path)
    wanted = {(host, name) for host in SITE.hosts for name in SITE.certificates(host)}
    assert {(instance.host, instance.name) for instance in held(SITE, tmp_path) if instance.state == "good"} == wanted


def test_what_is_right_is_left_alone(tmp_path: Path) -> None:
    assert issue(SITE, tmp_path)
    assert not issue(SITE, tmp_path)


def test_nothing_in_the_folder_is_for_others_to_read(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    issue(SITE, folder)
    assert [path for path in [folder, *folder.rglob("*")] if path.stat().st_mode & 0o077] == []


def test_a_folder_of_another_site_is_refused_and_keeps_its_certificates(tmp_path: Path) -> None:
    issue(SITE, tmp_path)
    before = (tmp_path / "pki" / "index.txt").read_bytes()
    with pytest.raises(UsageError, match="small-practice"):
        issue(tiny_site(), tmp_path)
    assert (tmp_path / "pki" / "index.txt").read_bytes() == before


def test_a_labs_own_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PACSLAB_STATE", str(tmp_path))
    with pytest.raises(UsageError, match="where labs are kept"):
        issue(SITE, load_settings().state / "small-practice")


def test_the_command_says_what_it_issued(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert code("issue", "--site", "small-practice", "--folder", str(tmp_path)) == 0
    assert "issued us1/dicom-client" in capsys.readouterr().out.splitlines()


def test_the_command_needs_a_folder_and_no_host(tmp_path: Path) -> None:
    assert code("issue", "--site", "small-practice") == 2
    assert code("issue", "us1", "--folder", str(tmp_path)) == 2


def test_a_folder_is_for_issuing_alone(tmp_path: Path) -> None:
    assert code("list", "--folder", str(tmp_path)) == 2
