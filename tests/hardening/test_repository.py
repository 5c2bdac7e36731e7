"""What the repository of audit messages has stored nobody can change who signs in, and who reads messages is apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.verify.hardening.declare import Sabotage, has_role, promise
from lab.verify.hardening.sabotages import changed_mode

if TYPE_CHECKING:
    from testinfra.host import Host

    from lab.verify.hardening.expect import Expect

SQL = 'runuser --user={} -- psql --no-psqlrc --quiet --tuples-only --no-align --dbname=siem --command "{}"'
KEY = "/var/lib/pacslab-siem/signing.key"
CHANGEABLE = SQL.format(
    "postgres",
    "SELECT r.rolname, c.relname, p.what FROM pg_roles AS r, pg_class AS c,"
    " unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) AS p (what)"
    " WHERE c.relnamespace = 'siem'::regnamespace AND c.relkind IN ('r', 'p') AND r.rolcanlogin AND NOT r.rolsuper"
    " AND has_table_privilege(r.oid, c.oid, p.what) ORDER BY 1, 2, 3",
)
OWNERS = SQL.format(
    "postgres",
    "SELECT DISTINCT r.rolname, r.rolcanlogin OR r.rolsuper FROM pg_class AS c JOIN pg_roles AS r ON r.oid = c.relowner"
    " WHERE c.relnamespace = 'siem'::regnamespace AND c.relkind IN ('r', 'p')",
)
INTO_OWNER = SQL.format(
    "postgres",
    "SELECT m.member::regrole FROM pg_auth_members AS m WHERE m.roleid = 'siem_owner'::regrole",
)
AS_READER = SQL.format("siem-intake", "SELECT 1") + " 2>&1"
OPEN_KEY = f"runuser --user=siem-intake -- cat {KEY} 2>&1 >/dev/null"
NETWORK = "systemctl show --property=PrivateNetwork,RestrictAddressFamilies pacslab-siem-intake.service"


def sql(statement: str, undo: str, *also: str) -> Sabotage:
    """A change by PostgreSQL's superuser."""
    return Sabotage(SQL.format("postgres", statement), SQL.format("postgres", undo), also=also)


@promise(
    "hardening.repository.append-only",
    "Nobody who signs in to the repository's database can change or remove a record.",
    remedy="`systemctl restart pacslab-siem-tables` gives every account what it may have, and takes the rest.",
    where=has_role("siem"),
    reads=(CHANGEABLE,),
    sabotage=sql("GRANT DELETE ON siem.events TO siem", "REVOKE DELETE ON siem.events FROM siem"),
)
def test_nobody_can_change_a_record(host: Host, expect: Expect) -> None:
    expect.none(host.check_output(CHANGEABLE).splitlines(), "rights to change")


@promise(
    "hardening.repository.owner",
    "The role that the repository's tables belong to cannot sign in, and no other role is a member of it.",
    remedy="`ALTER ROLE siem_owner NOLOGIN`, and `REVOKE siem_owner FROM ...` whoever is a member.",
    where=has_role("siem"),
    reads=(OWNERS, INTO_OWNER),
    sabotage=sql("GRANT siem_owner TO siem", "REVOKE siem_owner FROM siem", "hardening.repository.*"),
)
def test_the_owner_of_tables_cannot_sign_in(host: Host, expect: Expect) -> None:
    expect.equal(["siem_owner|f"], host.check_output(OWNERS).splitlines(), "owners")
    expect.none(host.check_output(INTO_OWNER).splitlines(), "members of the owner")


@promise(
    "hardening.repository.reader-apart",
    "The process that reads messages of others opens neither the database nor the key that signs.",
    remedy="Restore pg_hba.conf and the key's mode: `pacslab up --again`.",
    where=has_role("siem"),
    reads=(AS_READER, OPEN_KEY),
    sabotage=changed_mode(KEY, "0604", also=("hardening.files.*",)),
)
def test_who_reads_messages_reaches_no_record(host: Host, expect: Expect) -> None:
    said = host.run(AS_READER).stdout
    expect.that("no pg_hba.conf entry" in said or "FATAL" in said, "a refusal of the database", said[:200])
    said = host.run(OPEN_KEY).stdout
    expect.that("Permission denied" in said, "a key that cannot be read", said[:200])


@promise(
    "hardening.repository.reader-alone",
    "The process that reads messages of others has no network but the socket that the edge calls at.",
    remedy="Restore the unit: `pacslab up --again`.",
    where=has_role("siem"),
    reads=(NETWORK,),
    sabotage=Sabotage(
        "mkdir -p /run/systemd/system/pacslab-siem-intake.service.d && printf '[Service]\\nPrivateNetwork=no\\n'"
        " >/run/systemd/system/pacslab-siem-intake.service.d/zz-sabotage.conf && systemctl daemon-reload",
        "rm -r /run/systemd/system/pacslab-siem-intake.service.d && systemctl daemon-reload",
        also=("hardening.units.*",),
    ),
)
def test_who_reads_messages_has_no_network(host: Host, expect: Expect) -> None:
    found = dict(line.split("=", 1) for line in host.check_output(NETWORK).splitlines() if "=" in line)
    expect.equal("yes", found.get("PrivateNetwork"), "PrivateNetwork")
    expect.equal("AF_UNIX", found.get("RestrictAddressFamilies"), "RestrictAddressFamilies")
