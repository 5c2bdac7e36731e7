"""The service tells whom its settings name, from the alert to the mailbox, across restarts of everything."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from email import message_from_bytes, policy
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.unit.simulators.siem.console.stored import Stored
from tests.unit.simulators.siem.notify.post import SERVER, Post
from tests.unit.simulators.siem.notify.test_round import TABLES
from tests.unit.simulators.siem.repository import ROOT, own_database
from tests.unit.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def stored(server: str) -> Iterator[Stored]:
    with own_database(server, "served") as target:
        with psycopg.connect(target, autocommit=True) as connection:
            connection.execute(TABLES.read_text())  # type: ignore[arg-type] # a file of ours
        yield Stored(target)


class Notifier:
    """The service, as a process."""

    def __init__(self, folder: Path, keys: Path, target: str, port: int, crl: Path) -> None:
        """Write its settings, and begin."""
        self.folder, self.target = folder, target
        own = keys / "hosts/ct1/syslog"
        settings: dict[str, Any] = {
            "host": {"name": "siem1", "fqdn": "siem1.imaging.internal", "address": "127.0.0.1"},
            "site": {"name": "reference", "domain": "imaging.internal"},
            "tls": {
                "ca": str(keys / "ca.crt"),
                "crl": str(crl),
                "certificates": {"notifier": {"certificate": f"{own}.crt", "key": f"{own}.key"}},
            },
            "listen": {},
            "callers": [],
            "peers": [
                {
                    "name": "mail1", "fqdn": "mail1.imaging.internal", "identity": SERVER, "address": "127.0.0.1",
                    "service": "mail", "port": port,
                }
            ],
            "notifier": {
                "site": "Reference", "console": "https://siem1.imaging.internal", "least": "medium",
                "sender": "repository@siem1.imaging.internal", "webhook": None,
                "recipients": {"k.osei": "k.osei@imaging.internal", "l.tanaka": "l.tanaka@imaging.internal"},
            },
        }  # fmt: skip
        (folder / "notifier.json").write_text(json.dumps(settings))
        self.process = self.begin()

    def begin(self) -> subprocess.Popen[bytes]:
        """Start it."""
        return subprocess.Popen(
            [sys.executable, "-m", "simulators.siem.notify.serve", str(self.folder / "notifier.json")],
            cwd=ROOT,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "PACSLAB_SIEM_DATABASE": f"{self.target} options='-c role=siem-notifier'",
                "RUNTIME_DIRECTORY": str(self.folder),
            },
        )

    @property
    def trouble(self) -> str:
        """What it says is wrong; unset before it has looked."""
        path = self.folder / "trouble"
        return path.read_text() if path.exists() else "not begun"

    def end(self, sign: signal.Signals = signal.SIGTERM) -> int:
        """Stop it."""
        self.process.send_signal(sign)
        return self.process.wait(20)


@pytest.fixture
def notifier(tmp_path: Path, keys: Path, stored: Stored, post: Post) -> Iterator[Notifier]:
    running = Notifier(tmp_path, keys, stored.target, post.port, keys / "crl.pem")
    yield running
    running.process.kill()
    running.process.wait()


def test_an_alert_becomes_a_mail_to_each_and_none_twice(notifier: Notifier, stored: Stored, post: Post) -> None:
    hostile = "EVIL\r\nBcc: eve@example.org"
    number = stored.alert(
        {
            "title": "AE title of another", "subject": {"dicom.calling_ae": hostile, "patient.id": "P0000001"},
            "control": ["PR.AC-1"], "respond": "Look who it was.",
        },
        of=1,
        ago=0,
    )  # fmt: skip
    noted = "SELECT FROM siem.notices"  # what was taken and not noted yet when it is killed is sent again
    wait_until(lambda: len(stored.rows(noted)) == len(post.kept) == 2, f"two mails: {notifier.trouble}")
    notifier.end(signal.SIGKILL)
    notifier.process = notifier.begin()
    other = stored.alert({"title": "later", "subject": {"source.ip": "10.24.99.11"}}, of=1, ago=0)
    wait_until(lambda: len(post.kept) == 4, f"two more: {notifier.trouble}")
    assert notifier.end() == 0
    assert sorted(recipient for recipient, _ in post.kept) == [
        *["k.osei@imaging.internal"] * 2,
        *["l.tanaka@imaging.internal"] * 2,
    ]
    read = [message_from_bytes(mail, policy=policy.default) for _, mail in post.kept]
    assert {one["Message-ID"] for one in read} == {
        f"<incident-{position}-high@siem1.imaging.internal>" for position in (number, other)
    }
    assert read[0]["Bcc"] is None
    assert all("P0000001" not in one.as_string() for one in read)
    assert "Look who it was." in read[0].get_content()
    assert f"https://siem1.imaging.internal/incidents/{number}" in read[0].get_content()


def test_a_server_that_is_away_is_told_of_and_loses_nothing(notifier: Notifier, stored: Stored, post: Post) -> None:
    wait_until(lambda: notifier.trouble == "", notifier.trouble)
    post.answers["RCPT"] = "450 later"
    stored.alert({"title": "x", "subject": {"source.ip": "10.24.99.11"}}, of=1, ago=0)
    wait_until(lambda: "the mail server says no: recipient refused, 450" in notifier.trouble, notifier.trouble)
    post.answers.clear()
    wait_until(lambda: len(post.kept) == 2, notifier.trouble)
    wait_until(lambda: notifier.trouble == "", notifier.trouble)


def test_a_database_that_went_away_is_opened_again(notifier: Notifier, stored: Stored, post: Post) -> None:
    wait_until(lambda: notifier.trouble == "", notifier.trouble)
    with psycopg.connect(stored.target, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            " AND datname = current_database()"
        )
    stored.alert({"title": "x", "subject": {"source.ip": "10.24.99.11"}}, of=1, ago=0)
    wait_until(lambda: len(post.kept) == 2, notifier.trouble)
