"""Each client host opens its own database with its own certificate, and nothing else opens one."""

from __future__ import annotations

import re

import pytest

from tests.unit.roles.rendered import REFERENCE, files_of

CLIENTS = [flow.source for flow in REFERENCE.flows_in("db1") if flow.service == "postgresql"]


def rules() -> list[list[str]]:
    """Return the rules of pg_hba.conf."""
    lines = files_of(REFERENCE, "db1", "postgresql")["/etc/postgresql/17/main/pg_hba.conf"].text.splitlines()
    return [line.split() for line in lines if line and not line.startswith("#")]


def test_no_network_rule_but_certificates_of_clients() -> None:
    expected = [
        [
            "hostssl",
            client.replace("-", "_"),
            client.replace("-", "_"),
            f"{REFERENCE.hosts[client].address}/32",
            "cert",
            "clientname=DN",
            "map=clients",
        ]
        for client in CLIENTS
    ]
    assert [rule for rule in rules() if rule[0] != "local"] == expected


def test_the_superuser_is_reached_on_the_host_itself_only() -> None:
    assert [rule for rule in rules() if "postgres" in rule] == [["local", "all", "postgres", "peer"]]


@pytest.mark.parametrize(
    ("subject", "opens"),
    [
        ("CN=ris1.imaging.internal,OU=database-client,O=Site", "ris1"),
        ("OU=database-client,CN=ris1.imaging.internal", "ris1"),
        ("CN=ris1.imaging.internal,OU=dicom-node,O=Site", None),
        ("CN=ris1-imaging.internal,OU=database-client,O=Site", None),
        ("CN=xris1.imaging.internal,OU=database-client,O=Site", None),
        ("CN=evil.imaging.internal,OU=database-client,O=CN=ris1.imaging.internal", None),
        ("CN=ris1.imaging.internal.evil.example,OU=database-client", None),
    ],
)
def test_a_certificate_opens_the_role_of_its_name_and_profile(subject: str, opens: str | None) -> None:
    text = files_of(REFERENCE, "db1", "postgresql")["/etc/postgresql/17/main/pg_ident.conf"].text
    lines = re.findall(r'^clients\s+"/(.*)"\s+(\S+)$', text, flags=re.MULTILINE)
    assert len(lines) == len(CLIENTS)
    found = [role for pattern, role in lines if re.search(pattern, subject)]
    assert found == ([opens] if opens else [])


def test_no_password_is_ever_set() -> None:
    script = files_of(REFERENCE, "db1", "postgresql")["/etc/pacslab/databases.sql"].text
    assert script.count("PASSWORD NULL") == len(CLIENTS)
    assert script.count("PASSWORD") == len(CLIENTS)
    assert "SUPERUSER" not in script.replace("NOSUPERUSER", "")


def test_only_archives_get_the_extension_of_the_index() -> None:
    script = files_of(REFERENCE, "db1", "postgresql")["/etc/pacslab/databases.sql"].text
    assert re.findall(r'\\connect "(\S+)"\nCREATE EXTENSION IF NOT EXISTS "pg_trgm";', script) == [
        "pacs_card",
        "pacs_rad",
        "vna1",
    ]
