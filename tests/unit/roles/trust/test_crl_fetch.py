"""A host takes newer lists that our CA signed, and nothing else."""

from __future__ import annotations

import json
import shutil
import ssl
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from lab.settings import ROOT
from lab.trust import ensure_pki, revoke
from tests.unit.lab.trust.sites import tiny_site
from tests.unit.roles.events import event_of_line
from tests.unit.roles.programs import role_program

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import ModuleType

FILES = ROOT / "roles" / "trust" / "files"


class Publisher:
    """Serves a file with its ETag, as nginx does on the publishing host."""

    def __init__(self, path: Path) -> None:
        """Serve `path` on loopback."""
        publisher = self
        self.asked: list[tuple[str, int]] = []
        self.redirect = self.nonsense = False

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                text = path.read_bytes()
                etag = f'"{path.stat().st_mtime_ns:x}-{len(text):x}"'
                code = 304 if self.headers["If-None-Match"] == etag else 200
                if publisher.redirect and self.path != "/elsewhere":
                    code = 302
                publisher.asked.append((self.command, code))
                if publisher.nonsense:
                    self.wfile.write(b"304 everything is as it was\r\n\r\n")
                    return
                self.send_response(code)
                self.send_header("ETag", etag)
                if code == 302:
                    self.send_header("Location", "/elsewhere")
                self.end_headers()
                if code == 200 and self.command == "GET":
                    self.wfile.write(text)

            do_HEAD = do_GET  # noqa: N815 # the name that http.server looks for

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/crl.pem"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Serve no more."""
        self.server.shutdown()
        self.server.server_close()


class Fetcher:
    """The program, on folders of the test: what is published, and what the host holds."""

    def __init__(self, program: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Give a host that is up to date."""
        self.lab, self.published, self.tls = tmp_path / "lab", tmp_path / "published.pem", tmp_path / "tls"
        self.tls.mkdir()
        ensure_pki(tiny_site(), self.lab)
        shutil.copy(self.lab / "pki" / "ca.crt", self.tls)
        shutil.copy(self.lab / "pki" / "crl.pem", self.tls)
        self.settings = tmp_path / "crl.json"
        self.fetch_from(self.published.as_uri())
        self.stale, self.seen = tmp_path / "stale", tmp_path / "seen"
        self.states = {"edge.service": "active", "archive.service": "active"}
        self.reloads: list[str] = []
        self.answers = True
        for name, value in {
            "SETTINGS": self.settings,
            "LISTS": self.tls / "crl.pem",
            "AUTHORITIES": self.tls / "ca.crt",
            "SEEN": self.seen,
            "STALE": self.stale,
            "UNREAD": tmp_path / "unread",
            "systemctl": self.systemctl,
        }.items():
            monkeypatch.setattr(program, name, value)
        self.program = program
        self.publish()

    def systemctl(self, *arguments: str) -> str:
        """Stand in for systemd: tell a unit's state, and note everything else."""
        if not self.answers:
            raise subprocess.CalledProcessError(1, "systemctl", stderr="Failed to connect to bus\n")
        if arguments[0] == "show":
            return self.states[arguments[-1]]
        self.reloads.append(" ".join(arguments))
        return ""

    def fetch_from(self, url: str | None) -> None:
        """Say where lists are published."""
        self.settings.write_text(json.dumps({"url": url, "reload": ["edge.service", "archive.service"]}))

    def unchanged(self) -> bool:
        """Whether `crl-unchanged` finds nothing to do."""
        command = [FILES / "crl-unchanged", self.seen, self.tls / "crl.pem", self.settings]
        done = subprocess.run(command, check=False, capture_output=True, timeout=10)
        assert (done.stdout, done.stderr) == (b"", b"")  # the journal would have a line of ours that is no event
        return done.returncode == 0

    def lists(self) -> list[Any]:
        """What the lists on the host say."""
        return list(self.program.read_lists(self.held, (self.tls / "ca.crt").read_bytes()))

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
def rogue(tmp_path: Path) -> Path:
    """The PKI of somebody else."""
    ensure_pki(tiny_site(), tmp_path / "rogue")
    return tmp_path / "rogue" / "pki"


@pytest.fixture
def publisher(fetcher: Fetcher) -> Iterator[Publisher]:
    made = Publisher(fetcher.published)
    yield made
    made.close()


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


def test_users_are_told_in_the_next_run_when_systemd_does_not_answer_in_this_one(
    fetcher: Fetcher, capsys: pytest.CaptureFixture[str]
) -> None:
    revoke(fetcher.lab, "ct1", "syslog")
    fetcher.publish()
    fetcher.answers = False
    assert fetcher.run() == 1
    (event,) = told(capsys)
    assert event.items() >= {"outcome": "failed", "reason": "not-ready", "detail": "Failed to connect to bus"}.items()
    fetcher.answers = True
    assert fetcher.run() == 0
    assert fetcher.reloads == ["--no-block try-reload-or-restart -- edge.service archive.service"]
    assert fetcher.run() == 0
    assert len(fetcher.reloads) == 1


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
    ended = max(entry.end for entry in fetcher.lists()) + 1
    monkeypatch.setattr(fetcher.program.time, "time", lambda: ended)
    fetcher.run()
    assert "has run out" in fetcher.stale.read_text()


def test_a_trust_anchor_among_the_lists_is_refused_with_all_of_it(
    fetcher: Fetcher, rogue: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = fetcher.held
    revoke(fetcher.lab, "ct1", "syslog")
    good = (fetcher.lab / "pki" / "crl.pem").read_bytes()
    anchor = (rogue / "ca.crt").read_bytes()
    middle = good.index(b"-----END X509 CRL-----\n") + len(b"-----END X509 CRL-----\n")
    for spoilt in (good + anchor, anchor + good, good[:middle] + anchor + good[middle:]):
        fetcher.published.write_bytes(spoilt)
        assert fetcher.run() == 1
        assert fetcher.held == before
        assert fetcher.reloads == []
        assert told(capsys)[-1].items() >= {"outcome": "refused", "reason": "not-a-list"}.items()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda good: good + b"\n",
        lambda good: b"# lists\n" + good,
        lambda good: good.replace(b"\n", b"\r\n"),
        lambda good: good + b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n",
        lambda good: good + good,
        lambda good: good.replace(b"M", b"M ", 1),
        lambda _: b"",
    ],
    ids=["line-feed", "comment", "other-line-ends", "no-list", "twice", "blank", "empty"],
)
def test_any_other_octet_refuses_the_whole(fetcher: Fetcher, spoil: Callable[[bytes], bytes]) -> None:
    before = fetcher.held
    revoke(fetcher.lab, "ct1", "syslog")
    fetcher.publish()
    fetcher.published.write_bytes(spoil(fetcher.published.read_bytes()))
    assert fetcher.run() == 1
    assert fetcher.held == before


def test_a_file_that_was_spoilt_on_the_host_is_replaced_and_said_so(
    fetcher: Fetcher, rogue: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = fetcher.held
    (fetcher.tls / "crl.pem").write_bytes(good + (rogue / "ca.crt").read_bytes())
    assert fetcher.run() == 0
    assert fetcher.held == good
    assert fetcher.reloads
    spoilt, taken = told(capsys)
    assert (spoilt["reason"], taken["outcome"]) == ("not-a-list", "success")


def test_lists_are_taken_from_where_the_site_says_and_from_nowhere_else(
    fetcher: Fetcher, publisher: Publisher, capsys: pytest.CaptureFixture[str]
) -> None:
    revoke(fetcher.lab, "ct1", "syslog")
    fetcher.publish()
    before = fetcher.held
    publisher.redirect = True
    fetcher.fetch_from(publisher.url)
    assert fetcher.run() == 1
    assert fetcher.held == before
    assert told(capsys)[-1]["reason"] == "unreachable"


# --- whether there is anything to do -----------------------------------------------------------------


def test_nothing_is_to_be_done_until_other_lists_are_published(fetcher: Fetcher, publisher: Publisher) -> None:
    fetcher.fetch_from(publisher.url)
    assert not fetcher.unchanged()  # nobody has looked yet
    fetcher.run()
    assert fetcher.unchanged()
    assert publisher.asked[-1] == ("HEAD", 304)
    revoke(fetcher.lab, "ct1", "syslog")
    fetcher.publish()
    assert not fetcher.unchanged()
    fetcher.run()
    assert fetcher.held == fetcher.published.read_bytes()
    assert fetcher.unchanged()


def test_something_is_to_be_done_when_the_lists_at_hand_were_touched_or_end(
    fetcher: Fetcher, publisher: Publisher
) -> None:
    fetcher.fetch_from(publisher.url)
    fetcher.run()
    assert fetcher.unchanged()
    (fetcher.tls / "crl.pem").write_bytes(fetcher.held)
    assert not fetcher.unchanged()
    fetcher.run()
    where, etag, end = fetcher.seen.read_text().splitlines()
    assert int(end) == int(min(entry.end for entry in fetcher.lists()))
    fetcher.seen.write_text(f"{where}\n{etag}\n{int(time.time())}\n")
    assert not fetcher.unchanged()


def test_something_is_to_be_done_when_the_publisher_is_away_or_talks_nonsense(
    fetcher: Fetcher, publisher: Publisher
) -> None:
    fetcher.fetch_from(publisher.url)
    fetcher.run()
    publisher.nonsense = True
    assert not fetcher.unchanged()
    publisher.close()
    assert not fetcher.unchanged()


def test_a_site_without_a_publisher_asks_nobody_as_long_as_its_lists_are_good(fetcher: Fetcher) -> None:
    fetcher.fetch_from(None)
    assert fetcher.run() == 0
    assert fetcher.unchanged()
    (fetcher.tls / "crl.pem").write_bytes(fetcher.held)
    assert not fetcher.unchanged()


# --- what services that read the lists look at first -------------------------------------------------


def test_a_service_does_not_start_with_a_file_that_holds_more_than_lists(fetcher: Fetcher, rogue: Path) -> None:
    path = fetcher.tls / "crl.pem"
    assert only_lists(path)
    good = path.read_bytes()
    for spoilt in (good + (rogue / "ca.crt").read_bytes(), good.replace(b"\n", b"\r\n"), good + b"\0\n", b""):
        path.write_bytes(spoilt)
        assert not only_lists(path)


def test_openssl_would_trust_a_certificate_among_lists(fetcher: Fetcher, rogue: Path) -> None:
    path = fetcher.tls / "crl.pem"
    path.write_bytes(fetcher.held + (rogue / "ca.crt").read_bytes())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(path)
    assert context.get_ca_certs()


def only_lists(path: Path) -> bool:
    return subprocess.run([FILES / "crl-only", path], check=False, capture_output=True).returncode == 0
