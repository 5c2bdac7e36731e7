"""Where administrators sign in, each comes in by the own account, and nobody by the one that could be shared."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.unit.roles.rendered import REFERENCE, files_of, rendered_template, variables_of
from tests.unit.site_builder import committed_site

if TYPE_CHECKING:
    from lab.topology.site import Site

SMALL = committed_site("small-practice")


def principals(site: Site, host: str) -> list[str]:
    """Who comes in as administrator."""
    text = rendered_template(site, host, "ssh_server", "principals.j2", ansible_connection="docker")
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


@pytest.mark.parametrize("host", ["db1", "fw1", "siem1", "adm1"])
def test_at_a_site_with_a_sign_on_nobody_comes_in_as_administrator(host: str) -> None:
    assert principals(REFERENCE, host) == []
    assert variables_of(REFERENCE, host, "ssh_server")["site_administrators"] == ["p.adeyemi"]


def test_at_a_site_without_one_who_the_site_says_does() -> None:
    assert principals(SMALL, "pacs1") == ["administrator"]
    assert variables_of(SMALL, "pacs1", "ssh_server")["site_administrators"] == []


def test_where_they_come_from_is_an_application_of_the_sign_on_for_administrators_alone() -> None:
    portal = json.loads(files_of(REFERENCE, "idp1", "sign_on")["/etc/pacslab/sign-on/portal.json"].text)
    options = portal["oidcRPMetaDataOptions"]["adm1"]
    assert options["oidcRPMetaDataOptionsRule"] == "inGroup('pacs-administrator')"
    assert options["oidcRPMetaDataOptionsRedirectUris"] == "http://127.0.0.1:8799/signed-in"
    assert options["oidcRPMetaDataOptionsRequirePKCE"] == 1
