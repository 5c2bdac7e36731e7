"""A database opens to a client's own certificate, for that client's own database, and to nothing else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from lab.topology.catalog import certificate_profiles
from lab.verify.hardening.declare import Sabotage, has_role, promise
from lab.verify.hardening.facts import program
from lab.verify.hardening.sabotages import changed_file

if TYPE_CHECKING:
    from collections.abc import Iterable

    from testinfra.host import Host

    from lab.verify.hardening.declare import Target
    from lab.verify.hardening.expect import Expect

SERVICE = "postgresql"
ENVIRONMENT = "python_runtime"
"""The role whose Python has a client of the database; the attempts are made with it."""
SQL = 'runuser --user=postgres -- psql --no-psqlrc --tuples-only --no-align --command "{}"'
SUPERUSERS = SQL.format("SELECT rolname FROM pg_authid WHERE rolsuper")
PASSWORDS = SQL.format("SELECT rolname FROM pg_authid WHERE rolpassword IS NOT NULL")
CLIENTS = SQL.format(
    "SELECT rolname, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls, rolconnlimit > 0"
    " FROM pg_roles WHERE rolcanlogin AND NOT rolsuper ORDER BY rolname"
)
OPEN_TO_ALL = SQL.format("SELECT datname FROM pg_database WHERE has_database_privilege('pg_monitor', oid, 'CONNECT')")
PUBLIC = SQL.format(
    "SELECT nspname FROM pg_namespace WHERE nspname = 'public' AND has_schema_privilege('pg_monitor', oid, 'CREATE')"
)
OWNERS = SQL.format("SELECT datname, pg_get_userbyid(datdba) FROM pg_database ORDER BY datname")
LANGUAGES = SQL.format("SELECT lanname FROM pg_language ORDER BY lanname")
RULES = SQL.format("SELECT type, auth_method FROM pg_hba_file_rules WHERE error IS NULL")
SETTINGS = {
    "log_connections": "on", "log_disconnections": "on", "log_statement": "ddl", "ssl": "on",
    "ssl_min_protocol_version": "TLSv1.2", "ssl_crl_file": "/etc/pacslab/tls/crl.pem",
    "ssl_ca_file": "/etc/pacslab/tls/ca.crt",
    "password_encryption": "scram-sha-256", "fsync": "on", "full_page_writes": "on", "row_security": "on",
    "shared_preload_libraries": "", "local_preload_libraries": "", "data_directory_mode": "0700",
}  # fmt: skip
SHOW = SQL.format("SELECT name, setting FROM pg_settings")
RESTART = "systemctl restart postgresql@17-main"
CONF = "/etc/postgresql/17/main/conf.d"
REFUSED = (
    "no pg_hba.conf entry",
    "certificate authentication failed",
    "valid client cert",
    "connection requires a valid",
)


def role_of(host: str) -> str:
    """The database and its role are called as the client's host."""
    return host.replace("-", "_")


def clients(target: Target) -> list[str]:
    return [flow.source for flow in target.site.flows_in(target.host) if flow.service == SERVICE]


def servers(target: Target) -> list[str]:
    return [flow.target for flow in target.site.flows_out(target.host) if flow.service == SERVICE]


def is_client(target: Target) -> bool:
    return bool(servers(target))


def accounts(target: Target) -> list[str]:
    """Accounts of the server's own host that open a database by its socket."""
    return target.site.asks(target.host).get(SERVICE, {}).get("accounts", [])


def attempts(target: Target) -> dict[str, dict[str, str]]:
    """What a client tries: its own database, and everything that must stay closed."""
    own = role_of(target.host)
    fellows = [
        role_of(flow.source) for flow in target.site.flows if flow.service == SERVICE and flow.source != target.host
    ]
    foreign = fellows[0] if fellows else "template1"
    tried = {
        "own database": {"user": own, "dbname": own},
        "foreign database": {"user": own, "dbname": foreign},
        "foreign role": {"user": foreign, "dbname": foreign},
        "system database": {"user": own, "dbname": "postgres"},
        "template": {"user": own, "dbname": "template1"},
        "superuser": {"user": "postgres", "dbname": "postgres"},
        "no certificate": {"user": own, "dbname": own, "sslcert": "/nowhere", "sslkey": ""},
        "no TLS": {"user": own, "dbname": own, "sslmode": "disable"},
    }
    for name in others(target)[:1]:
        tls = "/etc/pacslab/tls"
        tried["other profile"] = {
            "user": own,
            "dbname": own,
            "sslcert": f"{tls}/{name}.crt",
            "sslkey": f"{tls}/{name}.key",
        }
    return tried


def others(target: Target) -> list[str]:
    """Certificates with which the host may call, and not its database: the profile alone tells them apart."""
    profiles = certificate_profiles(target.site.catalog)
    certificates = target.site.certificates(target.host).items()
    return [
        name for name, entry in certificates if name != "database" and "clientAuth" in profiles[entry.profile].usages
    ]


def other(target: Target) -> str:
    """One of them."""
    return others(target)[0]


def refused(target: Target) -> Iterable[tuple[str, str]]:
    return [(name, name) for name in attempts(target) if name != "own database"]


def attempting(target: Target) -> str:
    address = target.site.fqdn(servers(target)[0])
    asked = json.dumps({name: {"host": address, **settings} for name, settings in attempts(target).items()})
    return program("database_attempts", f"'{asked}'").replace("python3 -I", "/opt/pacslab/venv/bin/python -I", 1)


def tried(host: Host, target: Target) -> dict[str, str]:
    """What came of each attempt; skipped with the reason on a host described without a client for them."""
    if not has_role(ENVIRONMENT)(target):
        pytest.skip(f"no client of the database to try with: {target.host} is described without role {ENVIRONMENT}")
    answers: dict[str, str] = json.loads(host.check_output(attempting(target)))
    return answers


def lines(host: Host, command: str) -> list[str]:
    return [line for line in str(host.check_output(command)).splitlines() if line]


def sql(statement: str, undo: str, **rest: Any) -> Sabotage:
    return Sabotage(SQL.format(statement), SQL.format(undo), **rest)


def setting(name: str, value: str, **rest: Any) -> Sabotage:
    place = f"{CONF}/zz-sabotage.conf"
    return Sabotage(
        f"printf \"{name} = '{value}'\\n\" >{place} && {RESTART}",
        f"rm -f {place}; {RESTART}",
        also=("hardening.databases.*", "hardening.processes.*", "hardening.sockets.*"),
        **rest,
    )


@promise(
    "hardening.databases.own",
    "A client opens its own database with its own certificate.",
    remedy="See the services postgresql and databases of the database's host in `pacslab status`.",
    where=is_client,
    reads=(attempting,),
    sabotage=Sabotage(
        "mv /etc/pacslab/tls/database.key /etc/pacslab/tls/database.key.kept",
        "mv /etc/pacslab/tls/database.key.kept /etc/pacslab/tls/database.key",
        also=("hardening.databases.*", "hardening.certificates.*", "hardening.archives.images-closed"),
    ),
)
def test_a_client_opens_its_own_database(host: Host, target: Target, expect: Expect) -> None:
    said = tried(host, target)["own database"]
    expect.equal("open", said, "own database")


@promise(
    "hardening.databases.refused",
    "Nothing else opens a database: no foreign one, no other role, no other certificate, and none without TLS.",
    remedy="Restore pg_hba.conf and pg_ident.conf: `pacslab up --again`.",
    where=is_client,
    each=refused,
    reads=(attempting,),
    sabotage=Sabotage(
        # as if the server took any profile's certificate: the client's other certificate becomes the database's
        lambda target: (
            f"cd /etc/pacslab/tls && for e in crt key; do cp -a {other(target)}.$e /run/other.$e;"
            f" cat database.$e >{other(target)}.$e; done"
        ),
        lambda target: f"cd /etc/pacslab/tls && for e in crt key; do mv /run/other.$e {other(target)}.$e; done",
        also=("hardening.certificates.*",),
        on=lambda target: target.value == "other profile",
    ),
)
def test_nothing_else_opens_one(host: Host, target: Target, subject: str, expect: Expect) -> None:
    said = tried(host, target)[subject]
    expect.that(said != "open" and any(word in said for word in REFUSED), "a refusal of the server", said[:200])


@promise(
    "hardening.databases.superuser",
    "There is one superuser, who can come in from the database's own host alone.",
    remedy="`ALTER ROLE ... NOSUPERUSER`.",
    where=has_role("postgresql"),
    reads=(SUPERUSERS,),
    sabotage=sql("CREATE ROLE boss SUPERUSER", "DROP ROLE boss"),
)
def test_there_is_one_superuser(host: Host, expect: Expect) -> None:
    expect.equal(["postgres"], lines(host, SUPERUSERS), "superusers")


@promise(
    "hardening.databases.passwords",
    "No role has a password.",
    remedy="`ALTER ROLE ... PASSWORD NULL`.",
    where=has_role("postgresql"),
    reads=(PASSWORDS,),
    sabotage=sql("ALTER ROLE postgres PASSWORD 'x'", "ALTER ROLE postgres PASSWORD NULL"),
)
def test_no_role_has_a_password(host: Host, expect: Expect) -> None:
    expect.none(lines(host, PASSWORDS), "roles with a password")


@promise(
    "hardening.databases.clients",
    "Roles are those of flows and of the host's own services, make no roles, databases or copies, and have a limit.",
    remedy="`pacslab up --again` on the database's host; `DROP ROLE` what is not described.",
    where=has_role("postgresql"),
    reads=(CLIENTS,),
    sabotage=sql("CREATE ROLE other LOGIN CREATEDB", "DROP ROLE other"),
)
def test_clients_may_only_use_their_own(host: Host, target: Target, expect: Expect) -> None:
    roles = [*(role_of(client) for client in clients(target)), *accounts(target)]
    wanted = [f"{role}|f|f|f|f|t" for role in sorted(roles)]
    expect.equal(wanted, lines(host, CLIENTS), "roles")


@promise(
    "hardening.databases.connect",
    "Nobody may open a database merely by being a role.",
    remedy="`REVOKE CONNECT ON DATABASE ... FROM PUBLIC`.",
    where=has_role("postgresql"),
    reads=(OPEN_TO_ALL,),
    sabotage=sql("GRANT CONNECT ON DATABASE postgres TO PUBLIC", "REVOKE CONNECT ON DATABASE postgres FROM PUBLIC"),
)
def test_everybody_may_open_no_database(host: Host, expect: Expect) -> None:
    expect.equal(["template0"], lines(host, OPEN_TO_ALL), "databases open to every role")


@promise(
    "hardening.databases.public",
    "Not every role may make tables where all look.",
    remedy="`REVOKE CREATE ON SCHEMA public FROM PUBLIC`.",
    where=has_role("postgresql"),
    reads=(PUBLIC,),
    sabotage=sql("GRANT CREATE ON SCHEMA public TO PUBLIC", "REVOKE CREATE ON SCHEMA public FROM PUBLIC"),
)
def test_not_everybody_may_make_tables(host: Host, expect: Expect) -> None:
    expect.none(lines(host, PUBLIC), "schemas open to every role")


@promise(
    "hardening.databases.languages",
    "No procedural language reaches beyond the database.",
    remedy="`DROP EXTENSION` it.",
    where=has_role("postgresql"),
    reads=(LANGUAGES,),
    sabotage=sql("CREATE LANGUAGE untrusted HANDLER plpgsql_call_handler", "DROP LANGUAGE untrusted"),
)
def test_no_language_reaches_beyond(host: Host, expect: Expect) -> None:
    expect.only({"internal", "c", "sql", "plpgsql"}, lines(host, LANGUAGES), "languages")


@promise(
    "hardening.databases.authentication",
    "Over the network a certificate is the only way in, and on the host itself being the account.",
    remedy="Restore pg_hba.conf: `pacslab up --again`.",
    where=has_role("postgresql"),
    reads=(RULES,),
    sabotage=changed_file("/etc/postgresql/17/main/pg_hba.conf", "echo 'host all all 203.0.113.9/32 trust' >>$FILE"),
)
def test_certificates_are_the_only_way_in(host: Host, expect: Expect) -> None:
    found = lines(host, RULES)
    expect.some(found, "rules")
    expect.only({"local|peer", "hostssl|cert"}, found, "ways in")


@promise(
    "hardening.databases.settings",
    "The server's settings are the safe ones: TLS with revocation, every connection logged, nothing loaded beside.",
    remedy="Restore conf.d: `pacslab up --again`.",
    where=has_role("postgresql"),
    each=lambda _: [(name, (name, value)) for name, value in SETTINGS.items()],
    reads=(SHOW,),
    sabotage=setting("log_connections", "off", on=lambda target: target.value[0] == "log_connections"),
)
def test_the_settings_are_safe(host: Host, subject: tuple[str, str], expect: Expect) -> None:
    found = dict(line.split("|", 1) for line in lines(host, SHOW) if "|" in line)
    expect.equal(subject[1], found.get(subject[0]), subject[0])
