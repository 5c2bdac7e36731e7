"""A host has an account for each administrator of the site, and for nobody else."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.roles.programs import role_program

if TYPE_CHECKING:
    from pathlib import Path

program = role_program("ssh_server", "administrators_accounts.py")


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A host with some members of the group; what would be run on it is noted."""
    ran: list[list[str]] = []
    (tmp_path / "principals").mkdir()
    found = SimpleNamespace(folder=tmp_path, members=["administrator", "emergency"], ran=ran)
    monkeypatch.setattr(program, "PRINCIPALS", tmp_path / "principals")
    monkeypatch.setattr(program.grp, "getgrnam", lambda _: SimpleNamespace(gr_mem=found.members))
    monkeypatch.setattr(program.pwd, "getpwnam", lambda _: SimpleNamespace(pw_uid=os.getuid() + 40_000))
    monkeypatch.setattr(program.subprocess, "run", lambda argv, **_: ran.append(argv))
    return found


def run(host: Any, monkeypatch: pytest.MonkeyPatch, *people: str) -> set[str]:
    """Bring the host to these people; the accounts that somebody may come in as."""
    for name in ("administrator", "emergency"):
        (host.folder / "principals" / name).touch()
    (host.folder / "people.json").write_text(json.dumps(people))
    monkeypatch.setattr(sys, "argv", ["accounts", str(host.folder / "people.json")])
    program.main()
    return {path.name for path in (host.folder / "principals").iterdir()}


def test_who_is_missing_gets_an_account_without_a_password_and_a_way_in_of_the_own(
    host: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(host, monkeypatch, "p.adeyemi") == {"administrator", "emergency", "p.adeyemi"}
    ((*options, name),) = host.ran
    assert (options[0], name) == ("useradd", "p.adeyemi")
    assert options[options.index("--password") + 1] == "*"
    assert options[options.index("--groups") + 1] == "administrators"
    path = host.folder / "principals" / "p.adeyemi"
    assert path.read_text() == "p.adeyemi\n"
    assert path.stat().st_mode & 0o777 == 0o644


def test_who_is_there_stays_as_they_are(host: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    host.members.append("p.adeyemi")
    run(host, monkeypatch, "p.adeyemi")
    assert host.ran == []


def test_who_is_gone_has_no_way_in_and_no_account(host: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    host.members.append("x.gone")
    (host.folder / "principals" / "x.gone").touch()
    (host.folder / "principals" / "nobody-knows").touch()
    assert run(host, monkeypatch) == {"administrator", "emergency"}
    assert host.ran == [["userdel", "--force", "--remove", "x.gone"]]


def test_what_is_changed_is_announced_to_what_watches_the_hosts_files(
    host: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    announced = host.folder / "integrity" / "changed"
    monkeypatch.setattr(program, "ANNOUNCED", announced)
    run(host, monkeypatch, "p.adeyemi")
    assert not announced.exists(), "nothing watches them"
    announced.parent.mkdir()
    run(host, monkeypatch, "p.adeyemi")
    assert not announced.exists(), "nothing was changed"
    host.members += ["p.adeyemi", "n.keller"]
    run(host, monkeypatch, "n.keller")
    path, digest = host.folder / "principals" / "n.keller", hashlib.sha256(b"n.keller\n").hexdigest()
    assert announced.read_text() == f"- - - - {path.with_name('p.adeyemi')}\n{digest} 0644 0 0 {path}\n"
    assert announced.stat().st_mode & 0o777 == 0o600


def test_what_somebody_who_is_gone_still_runs_is_ended(host: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[int] = []
    with subprocess.Popen(["sleep", "60"]) as theirs:
        monkeypatch.setattr(program.pwd, "getpwnam", lambda _: SimpleNamespace(pw_uid=os.getuid()))
        monkeypatch.setattr(program.os, "kill", lambda pid, _: ended.append(pid))
        host.members.append("x.gone")
        run(host, monkeypatch)
        monkeypatch.undo()
        theirs.kill()
    assert theirs.pid in ended
