"""The verbs about assets: what is known of a site without a lab, and exit codes that do not call the unknown good."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from lab.assets import known as register
from lab.assets import packages
from tests.unit.lab.assets.packages import installed
from tests.unit.lab.cli.command import run_verb
from tests.unit.site_builder import committed_site

if TYPE_CHECKING:
    from pathlib import Path

SITE = committed_site("reference")
UNANSWERED = """
part: Orthanc
weaknesses:
  - ids: [CVE-2020-1111]
    what: It falls over.
    affects: [{kind: deb, name: orthanc, versions: "<2"}]
    source: A test
"""


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The state of a machine without labs, images and an engine."""
    monkeypatch.setenv("PACSLAB_STATE", str(tmp_path / "state"))
    monkeypatch.setattr(packages, "_made_again", lambda *_: False)
    return tmp_path / "state"


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every host of ours has the packages of the tests."""
    monkeypatch.setattr(packages, "_of_image", lambda *_: installed())


@pytest.mark.usefixtures("built")
def test_the_register_is_printed_as_json_and_written_as_csv_and_cyclonedx(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    ran = run_verb(
        capsys, "assets", "--csv", str(tmp_path / "a.csv"), "--cyclonedx", str(tmp_path / "a.json"), "--json"
    )
    assert ran.code == 0
    assert [entry["host"] for entry in ran.json["assets"]] == list(SITE.hosts)
    assert len((tmp_path / "a.csv").read_bytes().split(b"\r\n")) == len(SITE.hosts) + 2
    assert json.loads((tmp_path / "a.json").read_text())["specVersion"] == "1.6"


def test_a_host_without_an_image_is_listed_with_its_packages_unknown(capsys: pytest.CaptureFixture[str]) -> None:
    ran = run_verb(capsys, "assets")
    assert ran.code == 0
    assert f"{len(SITE.hosts)} assets" in ran.out
    assert "pacslab build" in ran.out


def test_a_host_that_the_site_has_not_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    ran = run_verb(capsys, "weaknesses", "--host", "nobody")
    assert ran.code == 2
    assert "nobody" in ran.err


@pytest.mark.usefixtures("built")
def test_weaknesses_that_are_answered_are_told_and_fail_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    ran = run_verb(capsys, "weaknesses", "--json")
    assert ran.code == 0
    assert ran.json["unanswered"] == []
    assert {"CVE-2026-5442"} <= {name for entry in ran.json["weaknesses"] for name in entry["ids"]}


@pytest.mark.usefixtures("built")
def test_one_without_a_response_ends_with_1_and_is_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "known").mkdir()
    (tmp_path / "known" / "orthanc.yml").write_text(UNANSWERED)
    found = register.load_known(tmp_path / "known")
    monkeypatch.setattr(register, "load_known", lambda *_: found)
    ran = run_verb(capsys, "weaknesses", "--host", "pacs-rad")
    assert ran.code == 1
    assert "NO RESPONSE" in ran.out
    assert "nobody has decided about CVE-2020-1111" in ran.out


def test_what_was_not_looked_at_is_not_called_good(capsys: pytest.CaptureFixture[str]) -> None:
    ran = run_verb(capsys, "weaknesses")
    assert ran.code == 1
    assert "not looked at" in ran.out


@pytest.mark.usefixtures("built")
def test_updates_of_a_mirror_that_does_not_answer_are_unknown_and_the_rest_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PACSLAB_DEBIAN_MIRROR", "http://127.0.0.1:9/debian")
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    ran = run_verb(capsys, "weaknesses", "--updates", "--json")
    assert ran.code == 0
    assert ran.json["updates"]["hosts"] == {}
    assert ran.json["updates"]["problem"]
    assert ran.json["weaknesses"]
