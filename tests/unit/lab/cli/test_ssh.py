"""``ssh`` gives a client what it needs for as long as it runs, and says what is wrong with a question."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from lab.cli.main import main
from lab.engine.record import LabRecord
from lab.operate import administrators
from lab.settings import ROOT
from lab.trust.envelope import PRINCIPAL, RECORD, open_envelope
from lab.trust.pki import ensure_pki
from tests.unit.lab.cli.command import run_verb
from tests.unit.site_builder import committed_site

if TYPE_CHECKING:
    from pathlib import Path

    from lab.operate.administrators import Factors

LAB = ("--lab", "kept")
CLIENT = """#!/bin/sh
# stands in for OpenSSH's client: tells what it was started with, and what it finds
printf '%s\\n' "$@" >"$TOLD"
cp -r "$(dirname "$2")" "$TOLD.folder"
exit 7
"""


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The state of a machine with one lab of the small practice, of which nothing runs."""
    site = committed_site("small-practice")
    folder = tmp_path / "state"
    LabRecord.describe("kept", site).save(folder / "kept")
    ensure_pki(site, folder / "kept")
    monkeypatch.setenv("PACSLAB_STATE", str(folder))
    return folder


def test_the_client_gets_key_command_and_exit_code_and_the_key_goes(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "ssh").write_text(CLIENT, "utf-8")
    (tmp_path / "bin" / "ssh").chmod(0o755)
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    monkeypatch.setenv("TOLD", str(tmp_path / "told"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    assert run_verb(capsys, "ssh", "pacs1", *LAB, "--", "echo", "a b", "$HOME").code == 7
    _, _, *rest = (tmp_path / "told").read_text("utf-8").splitlines()
    assert rest == ["pacs1", "--", "echo 'a b' '$HOME'"]
    found = {path.name for path in (tmp_path / "told.folder").iterdir()}
    assert found == {"config", "key", "key-cert.pub", "known_hosts"}
    assert list((tmp_path / "temporary").iterdir()) == []


def test_an_order_to_end_ends_the_client_and_the_key_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "ssh").write_text("#!/bin/sh\necho begun\nexec sleep 60\n", "utf-8")
    (tmp_path / "bin" / "ssh").chmod(0o755)
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    argv = [sys.executable, "-m", "lab.cli.main", "ssh", "pacs1", *LAB]
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout is not None
        assert started.stdout.readline() == "begun\n"
        started.terminate()
        assert started.stdout.read() == ""  # nobody holds it open
    assert started.returncode == 143
    assert list((tmp_path / "temporary").iterdir()) == []


def test_what_was_given_is_listed_and_in_the_labs_own_log(
    capsys: pytest.CaptureFixture[str], state: Path, tmp_path: Path
) -> None:
    wrote = run_verb(capsys, "ssh", "--config", str(tmp_path / "x"), *LAB, "--reason", "a full disk", "--json").json
    assert wrote["config"] == str(tmp_path / "x" / "config")
    assert wrote["hosts"] == ["gw1", "pacs1", "ris1", "us1", "ws1"]
    (listed,) = run_verb(capsys, "ssh", "--list", *LAB, "--json").json
    assert (listed["serial"], listed["reason"]) == (wrote["serial"], "a full disk")
    table = run_verb(capsys, "ssh", "--list", *LAB).out.splitlines()
    assert table[0].split() == ["SERIAL", "STATE", "GIVEN", "UNTIL", "PRINCIPALS", "PERSON", "REASON"]
    assert "good" in table[1].split()
    events = [json.loads(line) for line in (state / "kept" / "run.jsonl").read_text("utf-8").splitlines()]
    assert [(event["event"], event["serial"]) for event in events] == [("certificate_given", wrote["serial"])]


def test_a_folder_that_was_written_may_be_written_again(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for _ in range(2):
        assert run_verb(capsys, "ssh", "--config", str(tmp_path / "x"), *LAB).code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "No host is named"),
        (("srv1",), "No flow lets srv1 administer 'srv1'"),
        (("nobody",), "It may reach: gw1, pacs1"),
        (("pacs1", "--from", "ws1"), "no host to administer others from"),
        (("--config", "{own}"), "holds something else"),
        (("pacs1", "--minutes", "721"), "cannot last"),
        (("pacs1", "--reason", "x" * 200), "cannot stand in a host's log"),
        (("--revoke", "7"), "No certificate of number 7"),
    ],
)
def test_a_question_without_an_answer_is_a_wrong_argument_with_a_remedy(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    ran = run_verb(capsys, "ssh", *(word.format(own=tmp_path) for word in words), *LAB)
    assert ran.code == 2
    assert said in ran.err


def test_a_machine_without_a_client_is_not_ready(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    ran = run_verb(capsys, "ssh", "pacs1", *LAB)
    assert ran.code == 4
    assert "no SSH client" in ran.err


@pytest.fixture
def signing_in(state: Path) -> Path:
    """The state of a machine with a lab whose administrators sign in."""
    site = committed_site("reference")
    LabRecord.describe("signs", site).save(state / "signs")
    ensure_pki(site, state / "signs")
    return state / "signs"


def test_where_administrators_sign_in_somebody_has_to_be_named(
    capsys: pytest.CaptureFixture[str], signing_in: Path
) -> None:
    ran = run_verb(capsys, "ssh", "db1", "--lab", signing_in.name, "--", "true")
    assert ran.code == 2
    assert "Administrators sign in before they come to a host" in ran.err
    assert "--as PERSON" in ran.err
    assert "p.adeyemi" in ran.err
    assert "--break-glass REASON" in ran.err
    assert run_verb(capsys, "ssh", "--list", "--lab", signing_in.name, "--json").json == []


@pytest.mark.parametrize("words", [("--as", "p.adeyemi"), ("--break-glass", "x")])
def test_where_they_do_not_sign_in_nobody_can(capsys: pytest.CaptureFixture[str], words: tuple[str, str]) -> None:
    ran = run_verb(capsys, "ssh", "pacs1", *words, *LAB)
    assert ran.code == 2
    assert "do not sign in at site 'small-practice'" in ran.err


def test_the_envelope_is_shown_with_what_was_done(capsys: pytest.CaptureFixture[str], signing_in: Path) -> None:
    pki = signing_in / "pki"
    words = ("ssh", "--envelope", "--lab", signing_in.name)
    assert run_verb(capsys, *words).out.splitlines()[-1] == "It is sealed."
    open_envelope(pki, "anna", "the sign-on does not start", "idp1")
    told = run_verb(capsys, *words)
    assert told.out.splitlines()[-1].startswith("It is open")
    assert told.out.splitlines()[2].split()[2:5] == ["opened", "anna", "idp1"]
    assert (pki / PRINCIPAL).read_text().strip() not in told.out
    found = run_verb(capsys, *words, "--json").json
    assert (found["open"], [entry["what"] for entry in found["record"]]) == (True, ["sealed", "opened"])
    (pki / RECORD).write_text("")
    ran = run_verb(capsys, *words)
    assert ran.code == 2
    assert "damaged" in ran.err


def test_an_envelope_is_for_one_host(capsys: pytest.CaptureFixture[str], signing_in: Path, tmp_path: Path) -> None:
    ran = run_verb(capsys, "ssh", "--config", str(tmp_path / "x"), "--break-glass", "x", "--lab", signing_in.name)
    assert ran.code == 2
    assert "opened for one host" in ran.err
    assert not run_verb(capsys, "ssh", "--envelope", "--lab", signing_in.name, "--json").json["open"]


def test_both_factors_are_lines_and_what_follows_is_for_the_command(
    capfd: pytest.CaptureFixture[str], signing_in: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shown: list[Factors] = []
    monkeypatch.setattr(administrators, "sign_in", lambda _lab, _source, factors: shown.append(factors))
    (tmp_path / "ssh").write_text("#!/bin/sh\ncat\n", "utf-8")
    (tmp_path / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    (tmp_path / "typed").write_text("a password\n123456\nfor the command\n", "utf-8")
    with (tmp_path / "typed").open() as typed:
        monkeypatch.setattr("sys.stdin", typed)
        before = os.dup(0)
        os.dup2(typed.fileno(), 0)
        try:
            with pytest.raises(SystemExit) as ended:
                main(["ssh", "db1", "--as", "p.adeyemi", "--lab", signing_in.name, "--", "cat"])
        finally:
            os.dup2(before, 0)
            os.close(before)
    assert ended.value.code == 0
    assert [(entry.person, entry.password, entry.code) for entry in shown] == [("p.adeyemi", "a password", "123456")]
    assert capfd.readouterr().out == "for the command\n"


def test_without_anything_typed_nobody_signs_in(
    capsys: pytest.CaptureFixture[str], signing_in: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open(os.devnull, encoding="utf-8") as nothing:  # noqa: PTH123 # a descriptor is read
        monkeypatch.setattr("sys.stdin", nothing)
        ran = run_verb(capsys, "ssh", "db1", "--as", "p.adeyemi", "--lab", signing_in.name)
    assert ran.code == 2
    assert "a one-time password are needed" in ran.err
