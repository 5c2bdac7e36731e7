"""The daemon: what the journal tells reaches the repository once, over kills, stops, a full spool and an outage."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lab.settings import ROOT
from lab.trust.store import pki_folder
from simulators.audit.send import CONNECTING
from simulators.audit.serve import LAST_LINES
from simulators.audit.spool import Spool
from simulators.audit.told import WHOLE_HOST
from tests.unit.simulators.audit.events import described, entry, of_unit, own_stop
from tests.unit.simulators.audit.repository import IDENTITY, TestRepository, server_side
from tests.unit.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

STAND_IN = Path(__file__).parent / "journalctl.py"


@pytest.fixture(scope="module")
def keys(pki: Path) -> Path:
    return pki_folder(pki)


@pytest.fixture
def repository(keys: Path) -> Iterator[TestRepository]:
    listening = TestRepository(server_side(keys))
    yield listening
    listening.close()


class Host:
    """A host with the daemon: its journal, its settings, its folders."""

    def __init__(self, folder: Path, keys: Path, port: int) -> None:
        """Write the settings."""
        self.folder, self.journal = folder, folder / "journal"
        self.journal.touch()
        self.state, self.runtime = folder / "state", folder / "run"
        for path in (self.state, self.runtime, folder / "bin"):
            path.mkdir()
        (folder / "bin/journalctl").symlink_to(STAND_IN)
        own = {"certificate": str(keys / "hosts/ct1/syslog.crt"), "key": str(keys / "hosts/ct1/syslog.key")}
        siem = {
            "name": "siem1", "fqdn": "siem1.imaging.internal", "identity": IDENTITY, "address": "127.0.0.1",
            "service": "syslog-tls", "port": port,
        }  # fmt: skip
        settings = {
            "host": {"name": "ct1", "fqdn": "ct1.imaging.internal", "address": "10.24.41.11", "ae_title": "CT1"},
            "site": {"name": "reference", "domain": "imaging.internal"},
            "tls": {"ca": str(keys / "ca.crt"), "crl": str(keys / "crl.pem"), "certificates": {"audit": own}},
            "listen": {}, "peers": [siem], "callers": [],
            "audit": {"kind": "2", "names": {}, "units": ["pacslab-modality.service"], "late_after": 0.0},
        }  # fmt: skip
        (folder / "audit.json").write_text(json.dumps(settings), "utf-8")
        self._cursor = self._studies = 0

    def write(self, count: int) -> None:
        """Write events to the journal, each of a study of its own."""
        for _ in range(count):
            self._studies += 1
            facts = {"study": f"1.2.{self._studies}", "patient": "P1", "peer": "pacs-rad", "transaction": "RAD-8"}
            self.append(entry({"action": "store", "outcome": "success", **facts}, "pacslab-modality"))

    def append(self, line: Mapping[str, Any]) -> None:
        """Write an entry to the journal."""
        self._cursor += 1
        with self.journal.open("a", encoding="utf-8") as file:
            file.write(json.dumps({**line, "__CURSOR": f"c{self._cursor}"}) + "\n")

    @property
    def written(self) -> list[str]:
        """The studies that the journal tells of."""
        return [f"1.2.{number}" for number in range(1, self._studies + 1)]

    def environment(self) -> dict[str, str]:
        """Folders as systemd names them."""
        path = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        folders = {"STATE_DIRECTORY": str(self.state), "RUNTIME_DIRECTORY": str(self.runtime)}
        return {**os.environ, **folders, "PATH": path, "JOURNAL": str(self.journal), "PYTHONPATH": str(ROOT)}

    def late(self) -> str:
        """What the health probe finds."""
        path = self.runtime / "late"
        return path.read_text("utf-8") if path.exists() else ""

    def stop(self, daemon: subprocess.Popen[bytes]) -> None:
        """Stop the daemon, and say so in the journal, as systemd does."""
        daemon.send_signal(signal.SIGTERM)
        self.append(own_stop(time.time()))

    @contextmanager
    def daemon(self, stderr: int | None = None) -> Iterator[subprocess.Popen[bytes]]:
        """The daemon, in a process group with its journalctl; it is killed in the end, if it still runs."""
        argv = [sys.executable, "-m", "simulators.audit.serve", str(self.folder / "audit.json")]
        with subprocess.Popen(argv, env=self.environment(), cwd=ROOT, start_new_session=True, stderr=stderr) as process:
            try:
                yield process
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture
def host(tmp_path: Path, keys: Path, repository: TestRepository) -> Host:
    return Host(tmp_path, keys, repository.port)


def studies(repository: TestRepository) -> list[str]:
    """The studies that stored messages tell of, in the order of their numbers."""
    found = [
        re.search(rb'ParticipantObjectID="(1\.2\.\d+)"', repository.stored[key]) for key in sorted(repository.stored)
    ]
    return [match[1].decode() for match in found if match]


def types(repository: TestRepository) -> list[str]:
    """EventTypeCode of each message that has one of DICOM's, in the order of their numbers."""
    found = [re.search(rb'EventTypeCode csd-code="(\d+)"', repository.stored[key]) for key in sorted(repository.stored)]
    return [match[1].decode() for match in found if match]


def test_what_the_journal_tells_reaches_the_repository(host: Host, repository: TestRepository) -> None:
    host.write(20)
    with host.daemon() as daemon:
        wait_until(lambda: len(studies(repository)) == 20, "not all arrive")
        host.write(1)
        wait_until(lambda: len(studies(repository)) == 21, "a later one does not arrive")
        host.stop(daemon)
        assert daemon.wait(20) == 0
    assert studies(repository) == host.written
    assert types(repository) == ["110134", "110133"]
    assert all(b" ct1.imaging.internal pacslab-" in message for message in repository.stored.values())


def test_over_kills_at_any_moment_each_event_arrives_once(host: Host, repository: TestRepository) -> None:
    chance = random.Random(1)  # noqa: S311 - the same moments each time
    for _ in range(6):
        host.write(40)
        wanted = chance.randrange(1, len(host.written))
        with host.daemon() as daemon:
            wait_until(lambda wanted=wanted: len(studies(repository)) >= wanted, "nothing arrives")  # type: ignore[misc]
            os.killpg(daemon.pid, signal.SIGKILL)
    with host.daemon():
        wait_until(lambda: len(studies(repository)) >= len(host.written), "not all arrive")
    assert studies(repository) == host.written
    runs = {run for run, _ in repository.stored}
    assert len(runs) == 1
    assert sorted(number for _, number in repository.stored) == list(range(1, len(repository.stored) + 1))


def test_a_daemon_that_was_killed_says_so_when_it_begins_again(host: Host, repository: TestRepository) -> None:
    with host.daemon():
        wait_until(lambda: types(repository) == ["110134"], "it does not begin")
    with host.daemon():
        wait_until(lambda: len(types(repository)) == 2, "it does not begin again")
    (_, second) = (repository.stored[key] for key in sorted(repository.stored))
    assert b"<EventOutcomeDescription>failed: ended-without-a-word</EventOutcomeDescription>" in second


def test_while_the_repository_is_away_events_wait_and_the_probe_says_so(tmp_path: Path, keys: Path) -> None:
    away = TestRepository(server_side(keys))
    away.close()
    host = Host(tmp_path, keys, away.port)
    host.write(6)
    late, spool = host.runtime / "late", host.state / "spool"

    def kept() -> int:
        return sum(path.read_bytes().count(b"</AuditMessage>") for path in spool.glob("*.messages"))

    with host.daemon() as daemon:
        wait_until(lambda: kept() == 7, "they are not kept")
        wait_until(lambda: late.exists() and "audit messages wait" in late.read_text(), "the probe says nothing")
        host.stop(daemon)
        assert daemon.wait(20) == 0
    assert Spool(spool).waiting == 8  # with the beginning and the end


def test_a_stop_does_not_wait_for_a_repository_that_says_nothing(tmp_path: Path, keys: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host = Host(tmp_path, keys, silent.getsockname()[1])
        host.write(6)
        with host.daemon() as daemon:
            called, _ = silent.accept()
            host.stop(daemon)
            began = time.monotonic()
            assert daemon.wait(20) == 0
            assert time.monotonic() - began < CONNECTING / 2
            called.close()
    assert Spool(host.state / "spool").waiting == 8  # with the beginning and the end


def test_what_is_wrong_and_that_it_is_over_stands_in_the_journal_once(tmp_path: Path, keys: Path) -> None:
    away = TestRepository(server_side(keys))
    away.close()
    host = Host(tmp_path, keys, away.port)
    host.write(3)
    with host.daemon(stderr=subprocess.PIPE) as daemon:
        wait_until(lambda: "audit messages wait" in host.late(), "the probe says nothing")
        host.write(3)
        back = TestRepository(server_side(keys), port=away.port)
        wait_until(lambda: len(studies(back)) == 6, "they do not arrive")
        host.write(1)
        wait_until(lambda: host.late() == "", "the probe still says so")
        host.stop(daemon)
        assert daemon.wait(20) == 0
        assert daemon.stderr is not None
        lines = daemon.stderr.read().decode().splitlines()
    back.close()
    assert [line.split(" ")[-1] for line in lines if "wait" in line or "way" in line][-1:] == ["way"]
    assert len(lines) == 2


def test_settings_that_cannot_be_used_are_told(tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "simulators.audit.serve", str(tmp_path / "none.json")]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, "cannot use" in done.stderr) == (4, True)


def test_recording_that_ends_with_the_host_says_so(host: Host, repository: TestRepository) -> None:
    with host.daemon() as daemon:
        wait_until(lambda: types(repository) == ["110134"], "it does not begin")
        daemon.send_signal(signal.SIGTERM)
        time.sleep(1.0)  # a journal that is behind
        host.append(of_unit(WHOLE_HOST))
        host.append(own_stop(time.time()))
        assert daemon.wait(20) == 0
    messages = [repository.stored[key].decode() for key in sorted(repository.stored)]
    assert described(messages) == ["", "", "success: shutdown"]
    assert types(repository)[-1] == "110133"


def test_a_stop_that_systemd_does_not_tell_of_waits_for_that_no_longer_than_seconds(host: Host) -> None:
    host.append(own_stop(time.time() - 60))  # of the run before
    with host.daemon() as daemon:
        wait_until((host.runtime / "late").exists, "it does not begin")
        began = time.monotonic()
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(20) == 0
        assert LAST_LINES < time.monotonic() - began < LAST_LINES + 5
