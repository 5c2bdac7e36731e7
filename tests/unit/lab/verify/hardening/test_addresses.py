"""A machine is the host that it is named as, or whose address or name it has."""

from __future__ import annotations

import pytest

from lab.errors import UsageError
from lab.verify.connection.channel import SshWay
from lab.verify.hardening.addresses import ways
from tests.unit.site_builder import committed_site

SITE = committed_site("reference")


def test_a_machine_is_known_by_name_address_or_what_it_is_named_as() -> None:
    first, second, third = list(SITE.hosts)[:3]
    address = str(SITE.hosts[third].address)
    found = ways(SITE, [f"{first}=ssh://admin@192.0.2.1:2222", f"ssh://{SITE.fqdn(second)}", f"ssh://{address}"])
    assert found == {
        first: SshWay("192.0.2.1", 2222, "admin"),
        second: SshWay(SITE.fqdn(second)),
        third: SshWay(address),
    }


def test_further_words_for_ssh_go_with_each() -> None:
    host = next(iter(SITE.hosts))
    assert ways(SITE, [f"{host}=ssh://a"], ("-F", "x"))[host].argv()[:1] == ["ssh"]
    assert "-F" in ways(SITE, [f"{host}=ssh://a"], ("-F", "x"))[host].argv()


@pytest.mark.parametrize("given", [["ssh://192.0.2.99"], ["nobody=ssh://192.0.2.1"], ["fw1=http://x"]])
def test_what_is_no_host_of_the_site_is_named(given: list[str]) -> None:
    with pytest.raises(UsageError):
        ways(SITE, given)


def test_no_host_is_judged_twice() -> None:
    host = next(iter(SITE.hosts))
    with pytest.raises(UsageError, match="twice"):
        ways(SITE, [f"{host}=ssh://a", f"{host}=ssh://b"])
