"""The repository's two services as processes of a test, with a database, and senders that call as the edge does."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from tests.unit.simulators.peers import proxy_header
from tests.unit.simulators.siem.samples import sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[4]
TABLES = ROOT / "simulators/siem/store/tables.sql"
RUN = "0b4ec0b1-1111-4111-8111-000000000001"
OTHER_RUN = "0b4ec0b1-1111-4111-8111-000000000002"
NAMES = ["siem", "siem-reader", "siem-officer"]


def wait_until(condition: Callable[[], object], otherwise: str, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, otherwise
        time.sleep(0.01)


def numbered(number: int, content: str | bytes = "", run: str = RUN, msgid: str = "DICOM+RFC3881") -> bytes:
    """A message as a host's daemon numbers it."""
    said = (content or sample("DICOM Instances Accessed")) if not isinstance(content, bytes) else content
    data = said if isinstance(said, bytes) else said.encode()
    head = (
        f"<85>1 2026-01-05T09:12:44.310Z ct1.imaging.internal pacslab-modality 12 {msgid}"
        f' [pacslab@32473 seq="{number}" run="{run}"] '
    )
    return head.encode() + data


def framed(*messages: bytes) -> bytes:
    return b"".join(b"%d %b" % (len(message), message) for message in messages)


class Caller:
    """A sender behind the edge."""

    def __init__(self, path: Path, name: str = "ct1.imaging.internal", header: bytes | None = None) -> None:
        """Call, and say who it is."""
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))
        self.socket.settimeout(20)
        self.socket.sendall(proxy_header(name) if header is None else header)
        self._rest = b""

    def send(self, *messages: bytes) -> None:
        """Send messages in their frames."""
        self.socket.sendall(framed(*messages))

    def acknowledged(self, number: int, run: str = RUN) -> None:
        """Wait until this number is acknowledged."""
        while True:
            line = self.line()
            if line.startswith("HEAD "):
                continue
            found = re.fullmatch(r"ACK ([0-9a-f-]{36}) (\d+)", line)
            assert found, line
            if found[1] == run and int(found[2]) >= number:
                assert int(found[2]) == number, line
                return

    def line(self) -> str:
        """The next line that it is told."""
        while b"\n" not in self._rest:
            came = self.socket.recv(4096)
            assert came, "the connection has ended"
            self._rest += came
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode("ascii")

    def has_ended(self) -> bool:
        """Wait for the end of the connection."""
        try:
            while self.socket.recv(4096):
                pass
        except ConnectionResetError:
            return True
        return True

    def close(self) -> None:
        """Hang up."""
        self.socket.close()


class Services:
    """The core and the intake, which can be killed and begun again."""

    def __init__(self, folder: Path, target: str, rules: str = "none") -> None:
        """Begin both, with sockets and key in `folder`; with our rules where `rules` is "rules"."""
        self.folder, self.target, self.rules = folder, target, rules
        self.edge, self.core_path = folder / "edge.sock", folder / "core.sock"
        self._sockets = [_listen(self.edge), _listen(self.core_path)]
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.start("core")
        self.start("intake")

    def start(self, name: str) -> None:
        """Begin one."""
        listening = self._sockets[name == "core"]
        arguments = {"core": ["siem1", "30", self.rules], "intake": [str(self.core_path), "1"]}[name]
        (self.folder / "run").mkdir(exist_ok=True)
        self._processes[name] = subprocess.Popen(
            [sys.executable, "-c", _BEGIN.format(f"simulators.siem.{name}.serve"), str(listening.fileno()), *arguments],
            pass_fds=[listening.fileno()],
            cwd=ROOT,
            start_new_session=True,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "PACSLAB_SIEM_DATABASE": f"{self.target} options='-c role=siem'",
                "STATE_DIRECTORY": str(self.folder),
                "RUNTIME_DIRECTORY": str(self.folder / "run"),
                "PACSLAB_SIEM_SWITCHES": str(self.folder / "switches"),
            },
        )

    def kill(self, name: str, sign: signal.Signals = signal.SIGKILL) -> None:
        """End all processes of a service, and wait for that."""
        process = self._processes.pop(name)
        if sign == signal.SIGKILL:
            os.killpg(process.pid, sign)
        else:
            process.send_signal(sign)
        process.wait(20)

    def close(self) -> None:
        """End both."""
        for name in list(self._processes):
            self.kill(name)
        for listening in self._sockets:
            listening.close()

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """What is stored, as the superuser sees it."""
        with psycopg.connect(self.target) as connection:
            return connection.execute(query, values).fetchall()  # type: ignore[arg-type] # of tests

    def alter(self, statement: str, *values: object) -> None:
        """Do something that nobody but the superuser can."""
        with psycopg.connect(self.target, autocommit=True) as connection:
            connection.execute(statement, values)  # type: ignore[arg-type] # of tests

    def numbers(self, run: str = RUN, host: str = "ct1") -> list[int]:
        """The numbers of a run's events, in the order in which they were stored."""
        query = "SELECT number FROM siem.events WHERE run = %s AND host = %s ORDER BY position"
        return [number for (number,) in self.rows(query, run, host)]

    @property
    def trouble(self) -> str:
        """What the core says is wrong."""
        path = self.folder / "run" / "trouble"
        return path.read_text() if path.exists() else ""


_BEGIN = "import os, sys; os.dup2(int(sys.argv[1]), 3); from {0} import main; sys.exit(main(sys.argv[2:]))"


def _listen(path: Path) -> socket.socket:
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(path))
    listening.listen(64)
    return listening


def make_tables(target: str, keep_days: int = 30) -> None:
    with psycopg.connect(target, autocommit=True) as connection:
        connection.execute(TABLES.read_text())  # type: ignore[arg-type] # a file of ours
        connection.execute("INSERT INTO siem.policy (keep_days) VALUES (%s)", [keep_days])


@contextmanager
def running_services(target: str, rules: str = "none") -> Iterator[Services]:
    """The repository's services, at work."""
    folder = Path(tempfile.mkdtemp(prefix="pacslab-siem-"))  # a socket's path is short
    services = Services(folder, target, rules)
    try:
        yield services
    finally:
        services.close()
        shutil.rmtree(folder)


@contextmanager
def own_database(server: str, name: str, *, copy_of: str = "") -> Iterator[str]:
    """A database with the repository's tables, empty or a copy of another; its roles are the server's."""
    with psycopg.connect(server, autocommit=True) as connection:
        made = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        connection.execute(made.format(sql.Identifier(name), sql.Identifier(copy_of or "template0")))
    target = psycopg.conninfo.make_conninfo(server, dbname=name)
    if not copy_of:
        make_tables(target)
    yield target
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
