"""A host takes newer lists that our CA signed, and nothing else."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from lab.trust import ensure_pki, revoke
from tests.unit.lab.trust.sites import tiny_site
from tests.unit.roles.events import event_of_line
from tests.unit.roles.programs import role_program

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType


class Fetcher:
    """The program, on folders of the test: what is published, and what the host holds."""

    def __init__(self, program: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Give a host that is up to date."""
        self.lab, self.published, self.tls = tmp_path / "lab", tmp_path / "published.pem", tmp_path / "tls"
        self.tls.mkdir()
        ensure_pki(tiny_site(), self.lab)
        shutil.copy(self.lab / "pki" / "ca.crt", self.tls)
        shutil.copy(self.lab / "pki" / "crl.pem", self.tls)
        settings = tmp_path / "crl.json"
        settings.write_text(json.dumps({"url": self.published.as_uri(), "reload": ["edge.service", "archive.service"]}))
        self.stale = tmp_path / "stale"
        self.states = {"edge.service": "active", "archive.service": "active"}
        self.reloads: list[str] = []
        for name, value in {
            "SETTINGS": settings,
            "LISTS": self.tls / "crl.pem",
            "AUTHORITIES": self.tls / "ca.crt",
            "KNOWN": tmp_path / "known.json",
            "STALE": self.stale,
            "systemctl": self.systemctl,
        }.items():
            monkeypatch.setattr(program, name, value)
        self.program = program
        self.publish()

    def systemctl(self, *arguments: str) -> str:
        """Stand in for systemd: tell a unit's state, and note everything else."""
        if arguments[0] == "show":
            return self.states[arguments[-1]]
        self.reloads.append(" ".join(arguments))
        return ""

    def publish(self) -> None:
        """Put the lab's lists where hosts fetch them."""
        shutil.copy(self.lab / "pki" / "crl.pem", self.published)

    def run(self) -> int:
        """Fetch once; the exit code."""
        return int(self.program.main())

    @property
    def held(self) -> bytes:
        """The lists on the host."""
        return (self.tls / "crl.pem").read_bytes()


def told(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """The events that were written; nothing else is."""
    said = capsys.readouterr()
    assert said.err == ""
    return [event_of_line(line) for line in said.out.splitlines()]


@pytest.fixture
def fetcher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fetcher:
    program = role_program("trust", "crl_fetch.py")
    return Fetcher(program, tmp_path, monkeypatch)


def test_lists_that_did_not_change_reload_nothing(fetcher: Fetcher) -> None:
    assert fetcher.run() == 0
    assert fetcher.reloads == []


def test_a_newer_list_is_taken_and_its_users_are_told(fetcher: Fetcher, capsys: pytest.CaptureFixture[str]) -> None:
    revoke(fetcher.lab, "ct1", "syslog")
    fetcher.publish()
    assert fetcher.run() == 0
    assert fetcher.held == fetcher.published.read_bytes()
    assert fetcher.reloads == ["--no-block try-reload-or-restart -- edge.service archive.service"]
    (event,) = told(capsys)
    assert event.items() >= {"outcome": "success", "lists": 2, "units": ["edge.service", "archive.service"]}.items()


def test_a_user_that_is_just_starting_may_have_read_the_former_list_and_is_restarted(fetcher: Fetcher) -> None:
    revoke(fetcher.lab, "ct1", "syslog")
    fetcher.publish()
    fetcher.states["edge.service"] = "activating"
    assert fetcher.run() == 0
    assert fetcher.reloads == [
        "--no-block try-restart -- edge.service",
        "--no-block try-reload-or-restart -- archive.service",
    ]


def test_an_older_list_cannot_bring_a_revoked_certificate_back(
    fetcher: Fetcher, capsys: pytest.CaptureFixture[str]
) -> None:
    former = fetcher.held
    revoke(fetcher.lab, "ct1", "syslog")
    fetcher.publish()
    fetcher.run()
    newer = fetcher.held
    fetcher.published.write_bytes(former)
    assert fetcher.run() == 1
    assert fetcher.held == newer
    assert told(capsys)[-1].items() >= {"outcome": "refused", "reason": "older-list"}.items()


def test_a_list_that_another_ca_signed_is_refused(
    fetcher: Fetcher, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other"
    ensure_pki(tiny_site(), other)
    revoke(other, "ct1", "syslog")
    before = fetcher.held
    shutil.copy(other / "pki" / "crl.pem", fetcher.published)
    assert fetcher.run() == 1
    assert fetcher.held == before
    (event,) = told(capsys)
    assert event.items() >= {"outcome": "refused", "reason": "not-signed"}.items()


def test_a_file_without_one_of_the_lists_is_refused(fetcher: Fetcher, capsys: pytest.CaptureFixture[str]) -> None:
    before = fetcher.held
    fetcher.published.write_bytes(before[: before.index(b"-----END X509 CRL-----") + len(b"-----END X509 CRL-----\n")])
    assert fetcher.run() == 1
    assert fetcher.held == before
    (event,) = told(capsys)
    assert (event["reason"], event["detail"].endswith("is missing")) == ("older-list", True)


def test_a_publisher_that_is_away_leaves_the_lists_as_they_are(
    fetcher: Fetcher, capsys: pytest.CaptureFixture[str]
) -> None:
    before = fetcher.held
    fetcher.published.unlink()
    assert fetcher.run() == 1
    assert fetcher.held == before
    assert not fetcher.stale.exists()
    (event,) = told(capsys)
    assert event.items() >= {"outcome": "failed", "reason": "unreachable"}.items()


def test_a_list_that_ran_out_is_said_so(fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = max(end for _, end in fetcher.program.read(fetcher.held).values()) + 1
    monkeypatch.setattr(fetcher.program.time, "time", lambda: ended)
    fetcher.run()
    assert "has run out" in fetcher.stale.read_text()


def test_lists_are_read_by_openssl_once_as_long_as_they_are_the_same(
    fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bytes] = []
    read = fetcher.program.facts
    monkeypatch.setattr(fetcher.program, "facts", lambda block: asked.append(block) or read(block))
    assert [fetcher.run(), fetcher.run(), fetcher.run()] == [0, 0, 0]
    assert len(asked) == len(set(asked)) == len(fetcher.program.BLOCK.findall(fetcher.held))


def test_what_was_remembered_of_other_lists_does_not_count(fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch) -> None:
    fetcher.run()
    revoke(fetcher.lab, "ct1", "syslog")
    fetcher.publish()
    fetcher.run()
    number, end = max(fetcher.program.read(fetcher.held).values())
    assert max(fetcher.program.known(fetcher.held).values()) == (number, end)
    monkeypatch.setattr(fetcher.program.time, "time", lambda: end + 1)
    fetcher.run()
    assert "has run out" in fetcher.stale.read_text()
