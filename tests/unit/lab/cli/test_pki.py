"""``pki`` lists, shows and issues certificates, and says what is wrong with a question."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab.engine.record import LabRecord
from lab.trust.pki import ensure_pki
from tests.unit.lab.cli.command import run_verb
from tests.unit.site_builder import committed_site

if TYPE_CHECKING:
    from pathlib import Path

SITE = "small-practice"


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state of a machine with one lab that has its certificates; no container is needed to look at them."""
    folder = tmp_path_factory.mktemp("state")
    site = committed_site(SITE)
    LabRecord.describe("kept", site).save(folder / "kept")
    ensure_pki(site, folder / "kept")
    return folder


@pytest.fixture(autouse=True)
def use(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PACSLAB_STATE", str(state))


def test_list_names_every_certificate_of_every_host(capsys: pytest.CaptureFixture[str]) -> None:
    site = committed_site(SITE)
    wanted = {(host, name) for host in site.hosts for name in site.certificates(host)}
    listed = run_verb(capsys, "pki", "list", "--lab", "kept", "--json").json
    assert {(entry["host"], entry["name"]) for entry in listed} == wanted
    assert {entry["state"] for entry in listed} == {"good"}
    table = run_verb(capsys, "pki", "list", "--lab", "kept").out.splitlines()
    assert table[0].split() == ["HOST", "NAME", "PROFILE", "STATE", "EXPIRES", "SERIAL"]
    assert len(table) == len(wanted) + 1


def test_list_of_one_host_has_its_certificates_alone(capsys: pytest.CaptureFixture[str]) -> None:
    listed = run_verb(capsys, "pki", "list", "us1", "--lab", "kept", "--json").json
    assert {entry["host"] for entry in listed} == {"us1"}


def test_show_tells_a_certificates_facts(capsys: pytest.CaptureFixture[str]) -> None:
    site = committed_site(SITE)
    shown = run_verb(capsys, "pki", "show", "us1", "dicom-client", "--lab", "kept", "--json").json
    assert shown["names"] == [site.fqdn("us1")]
    assert (shown["state"], shown["usages"]) == ("good", ["clientAuth"])
    assert "OU=dicom-node" in shown["subject"]
    assert "names:" in run_verb(capsys, "pki", "show", "us1", "dicom-client", "--lab", "kept").out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("show", "us1"), "name of a certificate"),
        (("show", "us1", "nothing"), "nothing"),
        (("revoke",), "needs a host"),
        (("list", "--folder", "x"), "--folder belongs to"),
        (("issue",), "--folder DIR"),
    ],
)
def test_a_question_without_an_answer_is_a_wrong_argument_with_a_remedy(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    ran = run_verb(capsys, "pki", *words, "--lab", "kept")
    assert ran.code == 2
    assert said in ran.err


def test_issue_makes_every_certificate_of_a_site_once(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    words = ("pki", "issue", "--site", SITE, "--folder", str(tmp_path / "mine"), "--json")
    site = committed_site(SITE)
    first = run_verb(capsys, *words).json
    over_ssh = site.providers("administration")
    assert len(first["issued"]) == sum(len(site.certificates(host)) for host in site.hosts) + len(over_ssh)
    assert run_verb(capsys, *words).json == {"issued": [], "revoked": []}


def test_issue_refuses_another_sites_folder_and_the_folder_of_labs(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, state: Path
) -> None:
    run_verb(capsys, "pki", "issue", "--site", SITE, "--folder", str(tmp_path))
    other = run_verb(capsys, "pki", "issue", "--site", "reference", "--folder", str(tmp_path))
    assert (other.code, SITE in other.err) == (2, True)
    inside = run_verb(capsys, "pki", "issue", "--site", SITE, "--folder", str(state / "mine"))
    assert (inside.code, "where labs are kept" in inside.err) == (2, True)
