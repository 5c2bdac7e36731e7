"""The database opens to a client's own certificate, for that client's own database, and to nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from testinfra.host import Host  # type: ignore[import-untyped]  # it carries no types

    On = Callable[[str], Host]

CLIENTS = {"pacs-rad": "pacs_rad", "vna1": "vna1", "ris1": "ris1", "ehr1": "ehr1"}
CONNECT = "import sys, psycopg; psycopg.connect(sys.argv[1], connect_timeout=5); print('open')"


def attempt(host: Host, **settings: str) -> str:
    """Try to connect from a client's host with its certificate, or with other settings; return what came of it."""
    wanted = {
        "host": "db1.imaging.internal",
        "sslmode": "verify-full",
        "sslrootcert": "/etc/pacslab/tls/ca.crt",
        "sslcert": "/etc/pacslab/tls/database.crt",
        "sslkey": "/etc/pacslab/tls/database.key",
        **settings,
    }
    string = " ".join(f"{key}={value}" for key, value in wanted.items() if value)
    done = host.run(f'/opt/pacslab/venv/bin/python -c "{CONNECT}" "{string}"')
    return str(done.stdout.strip() or done.stderr)


def query(on: On, sql: str) -> list[list[str]]:
    """Ask the database as its superuser, on its own host."""
    output = on("db1").check_output(f'runuser --user=postgres -- psql --tuples-only --no-align --command "{sql}"')
    return [line.split("|") for line in output.splitlines()]


@pytest.mark.parametrize(("name", "role"), CLIENTS.items())
def test_a_client_opens_its_own_database(on: On, name: str, role: str) -> None:
    assert attempt(on(name), user=role, dbname=role) == "open"


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("ris1", {"user": "ris1", "dbname": "ehr1"}),
        ("ris1", {"user": "ehr1", "dbname": "ehr1"}),
        ("ris1", {"user": "ris1", "dbname": "postgres"}),
        ("ris1", {"user": "postgres", "dbname": "postgres"}),
        ("ris1", {"user": "ris1", "dbname": "ris1", "sslcert": "/nowhere", "sslkey": ""}),
        ("ris1", {"user": "ris1", "dbname": "ris1", "sslmode": "disable"}),
        (
            "ris1",
            {
                "user": "ris1",
                "dbname": "ris1",
                "sslcert": "/etc/pacslab/tls/dicom.crt",
                "sslkey": "/etc/pacslab/tls/dicom.key",
            },
        ),
    ],
    ids=[
        "foreign database",
        "foreign role",
        "system database",
        "superuser",
        "no certificate",
        "no TLS",
        "other profile",
    ],
)
def test_nothing_else_opens_one(on: On, name: str, settings: dict[str, str]) -> None:
    said = attempt(on(name), **settings)
    assert "open" not in said.splitlines()
    assert "no pg_hba.conf entry" in said or "certificate authentication failed" in said or "valid client cert" in said


def test_one_superuser_and_he_has_no_password(on: On) -> None:
    assert query(on, "SELECT rolname FROM pg_authid WHERE rolsuper") == [["postgres"]]
    assert query(on, "SELECT rolname FROM pg_authid WHERE rolpassword IS NOT NULL") == []


def test_clients_may_not_make_roles_databases_or_copies(on: On) -> None:
    found = query(
        on,
        "SELECT rolname, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls, rolconnlimit > 0"
        " FROM pg_roles WHERE rolcanlogin AND NOT rolsuper ORDER BY rolname",
    )
    assert found == [[role, "f", "f", "f", "f", "t"] for role in sorted(CLIENTS.values())]


def test_everybody_may_open_no_database(on: On) -> None:
    found = query(on, "SELECT datname FROM pg_database WHERE has_database_privilege('pg_monitor', oid, 'CONNECT')")
    assert found == [["template0"]]


def test_connections_are_logged_and_old_tls_is_refused(on: On) -> None:
    for setting, value in {
        "log_connections": "on",
        "log_disconnections": "on",
        "ssl_min_protocol_version": "TLSv1.2",
        "ssl_crl_file": "/etc/pacslab/tls/crl.pem",
    }.items():
        assert query(on, f"SHOW {setting}") == [[value]]


def test_the_server_cannot_get_privileges(on: On) -> None:
    server = min(on("db1").process.filter(comm="postgres"), key=lambda one: int(one.pid))
    status = on("db1").file(f"/proc/{server.pid}/status").content_string
    assert server.user == "postgres"
    assert "NoNewPrivs:\t1" in status
    assert "CapBnd:\t0000000000000000" in status
