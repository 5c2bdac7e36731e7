"""A PostgreSQL server of the tests' own, on a socket in a temporary folder."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import zlib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Iterator


def server_programs() -> Path:
    """Return the folder of PostgreSQL's server programs; 'make unit' installs them."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    assert found, "PostgreSQL's server is not installed: run 'lab/setup.sh simulators,test'"
    return found[-1].parent


@contextmanager
def running_server() -> Iterator[str]:
    """Run a server and give a connection string."""
    programs = server_programs()
    folder = Path(tempfile.mkdtemp(prefix="pacslab-pg-"))
    user = "postgres" if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root
    if user:
        os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
    try:
        _run(user, programs / "initdb", "-D", folder / "data", "-A", "trust", "-U", "test", "--no-sync", "-E", "UTF8")
        options = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off"
        _run(user, programs / "pg_ctl", "-D", folder / "data", "-w", "-l", folder / "log", "-o", options, "start")
        try:
            yield f"host={folder} user=test dbname=postgres"
        finally:
            _run(user, programs / "pg_ctl", "-D", folder / "data", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


def own_schema(target: str, test: str) -> str:
    """Make a schema for a test and return a connection string whose tables go there."""
    name = f"t{zlib.crc32(test.encode()):x}"
    with psycopg.connect(target, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(name)))
    return psycopg.conninfo.make_conninfo(target, options=f"-c search_path={name}")


def _run(user: str | None, *command: str | Path) -> None:
    subprocess.run([str(part) for part in command], check=True, user=user, cwd="/", stdout=subprocess.DEVNULL)
