"""A real server's sessions end when the certificate that opened them is revoked, and no others do."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from lab.trust import ensure_pki, revoke
from tests.unit.roles.events import event_of_line
from tests.unit.roles.programs import role_program
from tests.unit.simulators.database import server_programs
from tests.unit.simulators.peers import free_port
from tests.unit.site_builder import committed_site

if TYPE_CHECKING:
    from collections.abc import Iterator

CLIENTS = ("ris1", "ehr1")


class Server:
    """A server with the certificate of db1 whose clients are two hosts of the reference site."""

    def __init__(self, folder: Path, lab: Path) -> None:
        """Start it."""
        self.folder, self.port = folder, free_port()
        self.user = "postgres" if os.geteuid() == 0 else None
        pki = lab / "pki"
        for source, name, mode in (
            (pki / "ca.crt", "ca.crt", 0o644),
            (pki / "hosts/db1/postgresql.crt", "own.crt", 0o644),
            (pki / "hosts/db1/postgresql.key", "own.key", 0o600),
        ):
            shutil.copy(source, folder / name)
            (folder / name).chmod(mode)
        (folder / "hba").write_text("local all all trust\nhostssl all all 127.0.0.1/32 cert map=any\n")
        (folder / "ident").write_text("any /^.*$ test\n")
        if self.user:
            for path in (folder, *folder.iterdir()):
                os.chown(path, pwd.getpwnam(self.user).pw_uid, -1)
        self._run("initdb", "-D", folder / "data", "-A", "trust", "-U", "test", "--no-sync", "-E", "UTF8")
        options = {
            "listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": folder, "fsync": "off",
            "hba_file": folder / "hba", "ident_file": folder / "ident", "ssl": "on", "ssl_ca_file": folder / "ca.crt",
            "ssl_cert_file": folder / "own.crt", "ssl_key_file": folder / "own.key",
        }  # fmt: skip
        words = " ".join(f"-c {name}={value}" for name, value in options.items())
        self._run("pg_ctl", "-D", folder / "data", "-w", "-l", folder / "log", "-o", words, "start")

    def stop(self) -> None:
        """Stop it."""
        self._run("pg_ctl", "-D", self.folder / "data", "-m", "immediate", "stop")

    def _run(self, program: str, *words: str | Path) -> None:
        command = [str(server_programs() / program), *map(str, words)]
        subprocess.run(command, check=True, user=self.user, cwd="/", stdout=subprocess.DEVNULL)


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    ensure_pki(committed_site("reference"), tmp_path)
    return tmp_path


@pytest.fixture
def server(lab: Path) -> Iterator[Server]:
    folder = Path(tempfile.mkdtemp(prefix="pacslab-pg-"))
    made = Server(folder, lab)
    yield made
    made.stop()
    shutil.rmtree(folder)


def opened(server: Server, lab: Path, host: str) -> psycopg.Connection[Any]:
    own = lab / "pki" / "hosts" / host
    return psycopg.connect(
        host="127.0.0.1", port=server.port, user="test", dbname="postgres", sslmode="verify-ca",
        sslrootcert=str(lab / "pki" / "ca.crt"), sslcert=str(own / "database.crt"), sslkey=str(own / "database.key"),
        autocommit=True,
    )  # fmt: skip


def alive(session: psycopg.Connection[Any]) -> bool:
    try:
        session.execute("SELECT 1")
    except psycopg.OperationalError:
        return False
    return True


def test_sessions_end_with_the_certificate_that_opened_them(
    server: Server, lab: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program = role_program("postgresql", "database_watch.py")
    on_socket = [f"--host={server.folder}", f"--port={server.port}", "--username=test"]
    for name, value in {
        "LISTS": lab / "pki" / "crl.pem",
        "AUTHORITIES": lab / "pki" / "ca.crt",
        "PSQL": (program.PSQL[0], *on_socket, *program.PSQL[1:]),
        "WATCHED": 0.0,
    }.items():
        monkeypatch.setattr(program, name, value)
    ris, ehr = (opened(server, lab, host) for host in CLIENTS)
    assert program.main() == 0
    assert (alive(ris), alive(ehr), capsys.readouterr().out) == (True, True, "")
    revoke(lab, "ris1", "database")
    assert program.main() == 0
    ends = time.monotonic() + 10
    while alive(ris) and time.monotonic() < ends:
        time.sleep(0.05)
    assert (alive(ris), alive(ehr)) == (False, True)
    (event,) = (event_of_line(line) for line in capsys.readouterr().out.splitlines())
    said = {"reason": "certificate-refused", "detail": "a session of role test", "peer": "127.0.0.1"}
    assert event.items() >= said.items()
