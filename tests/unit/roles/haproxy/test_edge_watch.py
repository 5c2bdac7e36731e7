"""A connection that is open ends when what it was let in by is gone, and no other does."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest

from lab.trust import ensure_pki, revoke
from lab.trust.files import read_certificate
from tests.unit.lab.trust.sites import tiny_site
from tests.unit.roles.events import event_of_line
from tests.unit.roles.programs import role_program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FLOWS = "dicom-tls/ct1.tiny.internal 1111\ndicom-tls/ct2.tiny.internal 2222\n"
PROCESSES = "#<PID> <type>\n9 master 1\n# workers\n20 worker 0 0d\n# old workers\n10 worker 1 0d\n# programs\n"


class Master:
    """HAProxy's master process as `edge` speaks to it: two workers, each with its connections."""

    def __init__(self, path: Path) -> None:
        """Answer on a socket."""
        self.connections: dict[str, list[str]] = {"10": [], "20": []}
        self.ended: list[tuple[str, str]] = []
        self.reload = "Success=1\n--\n"
        self.processes = PROCESSES
        self.asked: list[str] = []
        self.hang_ups = 0
        """How often it ends a connection with what was asked unread, as while it reloads."""
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                asked, _ = self.listener.accept()
            except OSError:
                return
            with asked:
                if self.hang_ups:
                    self.hang_ups -= 1
                    continue
                command = asked.makefile().read()  # until the other side is done, as HAProxy does
                asked.sendall(self.answer(command.strip()).encode())

    def answer(self, command: str) -> str:
        """What HAProxy 3.0 answers."""
        self.asked.append(command)
        if command == "show proc":
            return self.processes
        if command == "reload":
            return self.reload
        worker, _, rest = command.removeprefix("@!").partition(" ")
        keys = self.connections[worker]
        if rest == "show table open-connections":
            lines = [f"0x{n:x}: key={key} use=1 exp=59489 shard=0 conn_cur=1\n" for n, key in enumerate(keys)]
            return "# table: open-connections, type: string, size:4096\n" + "".join(lines)
        if rest == "show sess":
            sources = [key.split("|")[4:] for key in keys]
            return "".join(f"0x{n:x}: proto=tcpv4 src={a}:{p} fe=dicom be=b\n" for n, (a, p) in enumerate(sources))
        self.ended.append((worker, keys[int(rest.removeprefix("shutdown session "), 16)]))
        return "\n"


class Edge:
    """The program on a host of the tiny site, with its master process."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Give a host whose lists and flows are right."""
        self.folder, self.program = folder, role_program("haproxy", "edge.py")
        ensure_pki(tiny_site(), folder)
        (folder / "flows.map").write_text(FLOWS)
        self.master = Master(folder / "master.sock")
        for name, value in {
            "MASTER": str(folder / "master.sock"),
            "LISTS": folder / "pki" / "crl.pem",
            "AUTHORITIES": folder / "pki" / "ca.crt",
            "FLOWS": folder / "flows.map",
            "WATCHED": 0.0,
        }.items():
            monkeypatch.setattr(self.program, name, value)

    def opened(self, host: str, said: str, port: int, worker: str = "10") -> str:
        """Have a worker hold a connection of a host's."""
        serial = read_certificate(self.folder / "pki" / "hosts" / host / "dicom-client.crt").serial_number
        key = f"dicom-tls|{host}.tiny.internal|{serial:X}|{said}|10.0.20.11|{port}"
        self.master.connections[worker].append(key)
        return key

    def watch(self) -> int:
        """Judge once."""
        return int(self.program.watch())


@pytest.fixture
def edge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Edge]:
    made = Edge(tmp_path, monkeypatch)
    yield made
    made.master.listener.close()


def told(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [event_of_line(line) for line in capsys.readouterr().out.splitlines()]


def test_what_would_be_let_in_again_stays(edge: Edge, capsys: pytest.CaptureFixture[str]) -> None:
    edge.opened("ct1", "1111", 40001)
    edge.opened("ct2", "2222", 40002, worker="20")
    assert edge.watch() == 0
    assert (edge.master.ended, told(capsys)) == ([], [])


def test_a_revoked_certificates_connections_end_and_no_others(edge: Edge, capsys: pytest.CaptureFixture[str]) -> None:
    ended = [edge.opened("ct1", "1111", 40001), edge.opened("ct1", "1111", 40003)]
    edge.opened("ct2", "2222", 40002)
    revoke(edge.folder, "ct1", "dicom-client")
    assert edge.watch() == 0
    assert edge.master.ended == [("10", key) for key in ended]
    events = told(capsys)
    assert [event["source_port"] for event in events] == [40001, 40003]
    assert events[0].items() >= {"reason": "certificate-refused", "certificate": "ct1.tiny.internal"}.items()


def test_a_callers_connections_end_with_its_flow(edge: Edge, capsys: pytest.CaptureFixture[str]) -> None:
    ended = edge.opened("ct1", "1111", 40001)
    edge.opened("ct2", "2222", 40002)
    (edge.folder / "flows.map").write_text(FLOWS.splitlines()[1] + "\n")
    edge.watch()
    assert edge.master.ended == [("10", ended)]
    assert [event["reason"] for event in told(capsys)] == ["unlisted"]


def test_and_when_the_flow_says_something_else(edge: Edge, capsys: pytest.CaptureFixture[str]) -> None:
    ended = edge.opened("ct1", "0000", 40001, worker="20")
    edge.watch()
    assert edge.master.ended == [("20", ended)]
    assert [event["reason"] for event in told(capsys)] == ["permission-changed"]


def test_who_showed_no_certificate_is_not_judged_by_one(edge: Edge) -> None:
    edge.master.connections["10"].append("dicom-tls||||10.0.20.11|40001")
    edge.watch()
    assert edge.master.ended == []


def test_a_spoilt_list_is_said_so(edge: Edge, capsys: pytest.CaptureFixture[str]) -> None:
    with (edge.folder / "pki" / "crl.pem").open("ab") as lists:
        lists.write(b"\n")
    assert edge.watch() == 1
    assert [event["reason"] for event in told(capsys)] == ["not-ready"]


def test_a_configuration_that_is_refused_is_an_error(edge: Edge, capsys: pytest.CaptureFixture[str]) -> None:
    edge.master.reload = "Success=0\n--\n[ALERT] parsing\n"
    assert edge.program.reload() == 1
    assert "[ALERT] parsing" in capsys.readouterr().err


def test_edges_that_do_not_run_have_no_connections(edge: Edge, capsys: pytest.CaptureFixture[str]) -> None:
    edge.master.listener.close()
    assert edge.watch() == 0
    assert told(capsys) == []


def test_a_master_that_hangs_up_while_it_reloads_is_asked_again(
    edge: Edge, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(edge.program, "WATCHED", 0.1)
    monkeypatch.setattr(edge.program, "PAUSE", 0.2)
    edge.master.hang_ups = 1
    key = edge.opened("ct1", "gone", 40001)
    assert edge.watch() == 0
    assert edge.master.ended == [("10", key)]
    assert [event["outcome"] for event in told(capsys)] == ["refused"]


def test_a_master_that_hangs_up_to_the_end_is_said_so(edge: Edge, capsys: pytest.CaptureFixture[str]) -> None:
    edge.master.hang_ups = 1
    assert edge.watch() == 1
    assert [event["reason"] for event in told(capsys)] == ["not-ready"]


def test_nothing_is_watched_for_once_no_worker_has_the_former_configuration(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge.program, "WATCHED", 60.0)
    edge.master.processes = PROCESSES.replace("10 worker 1 0d\n", "")
    key = edge.opened("ct1", "gone", 40001, worker="20")
    assert edge.watch() == 0
    assert (edge.master.ended, edge.master.asked.count("show proc")) == ([("20", key)], 1)
