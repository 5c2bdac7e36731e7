"""What the repository knows of the site follows from its description: members of groups, units that it hears of."""

from __future__ import annotations

import json
from typing import Any

from tests.unit.roles.rendered import files_of
from tests.unit.site_builder import committed_site

REFERENCE = committed_site("reference")
SITE: dict[str, Any] = json.loads(files_of(REFERENCE, "siem1", "siem")["/etc/pacslab/siem-site.json"].text)


def test_members_are_those_whom_the_description_names() -> None:
    people = REFERENCE.topology.people
    assert SITE["members"].pop("administrators") == list(REFERENCE.administrators) != []
    assert SITE["members"].keys() == {role for person in people.values() for role in person.roles}
    for role, names in SITE["members"].items():
        assert names == [name for name, person in people.items() if role in person.roles]


def test_units_are_those_of_each_host_that_sends_audit_messages() -> None:
    assert SITE["audited"].keys() == {name for name, host in REFERENCE.hosts.items() if "audit_source" in host.roles}
    for host, units in SITE["audited"].items():
        assert set(units) == {service.unit for service in REFERENCE.services(host).values()}
