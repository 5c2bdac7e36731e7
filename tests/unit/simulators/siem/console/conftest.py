"""The console with a database, and people of each role who open it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient

from lab.access.policy import load_policy
from simulators.access.policy import Policy, Scope
from simulators.siem.console.application import Console
from simulators.siem.console.site import Host, Site, Zone
from simulators.siem.console.store import Store
from tests.unit.simulators.siem.console.stored import Stored, as_console, make_tables
from tests.unit.simulators.siem.repository import own_database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.applications import Starlette

ORIGIN = "https://siem1.imaging.internal"
SITE = Site(
    "Reference hospital",
    ORIGIN,
    (
        Zone("modalities-ct", "10.24.41.0/24", "CT scanners", (Host("ct1", "CT scanner"),)),
        Zone("clinical-systems", "10.24.50.0/24", "Orders and records", (Host("ris1", "RIS"), Host("ehr1", "Record"))),
        Zone("enterprise-imaging", "10.24.60.0/24", "Archives", (Host("pacs-rad", "PACS"), Host("vna1", "VNA"))),
        Zone("web", "10.24.70.0/24", "The viewer", (Host("web1", "Viewer"), Host("ws-rad1", "Workstation"))),
    ),
    ("ct1", "ris1", "ehr1", "pacs-rad", "vna1", "web1", "ws-rad1"),
)
PEOPLE = {
    "k.osei": "security-analyst",
    "l.tanaka": "privacy-officer",
    "p.adeyemi": "pacs-administrator",
    "a.rivera": "radiologist",
}


def policy() -> Policy:
    """The product's policy, as a host has it."""
    roles = load_policy().by_role()
    return Policy({role: {action: Scope(scope) for action, scope in may.items()} for role, may in roles.items()})


def head_of(person: str, role: str | None = None) -> dict[str, str]:
    """What the web server in front says of who asks."""
    return {
        "X-Pacslab-Person": person,
        "X-Pacslab-Roles": role or PEOPLE[person],
        "X-Pacslab-Session": f"session of {person}",
        "X-Pacslab-Address": "10.24.80.11",
    }


@pytest.fixture(scope="module")
def shared(server: str) -> Iterator[str]:
    """A database with the repository's and the console's tables, for the tests of a file."""
    with own_database(server, "console") as target:
        make_tables(target)
        yield target


@pytest.fixture
def stored(shared: str) -> Stored:
    """The repository's database, empty."""
    return Stored(shared)


@pytest.fixture
def application(stored: Stored) -> Starlette:
    """The console's application."""
    return Console(Store(as_console(stored.target)), policy(), SITE).application()


@pytest.fixture
def opened(application: Starlette) -> Iterator[Callable[[str], TestClient]]:
    """Opens the console as somebody."""
    clients = []

    def opens(person: str) -> TestClient:
        client = TestClient(
            application, ORIGIN, headers=head_of(person), follow_redirects=False, raise_server_exceptions=False
        )
        clients.append(client)
        return client

    yield opens
    for client in clients:
        client.close()
