"""The name server knows the site's hosts and services, and no name outside."""

from __future__ import annotations

from tests.unit.roles.rendered import REFERENCE, files_of, rendered_template

FILES = files_of(REFERENCE, "dc1", "name_server")


def lines(path: str) -> list[str]:
    return FILES[path].text.splitlines()


def test_every_host_has_its_address_and_every_address_its_host() -> None:
    for name, host in REFERENCE.hosts.items():
        assert f"{name} A {host.address}" in lines("/etc/nsd/domain.zone")
        backwards = ".".join(reversed(str(host.address).split(".")))
        assert f"{backwards} PTR {name}.imaging.internal." in lines("/etc/nsd/reverse.zone")


def test_services_are_found_by_their_standards_names() -> None:
    found = [line for line in lines("/etc/nsd/domain.zone") if " SRV " in line]
    assert found == [
        "_ldaps._tcp SRV 0 0 636 dc1.imaging.internal.",
        "_kerberos._tcp SRV 0 0 88 dc1.imaging.internal.",
        "_kerberos._udp SRV 0 0 88 dc1.imaging.internal.",
        "_ntp._udp SRV 0 0 123 dc1.imaging.internal.",
    ]


def test_there_are_no_other_zones_and_nobody_is_asked() -> None:
    text = FILES["/etc/nsd/nsd.conf"].text
    assert [line.split('"')[1] for line in text.splitlines() if line.strip().startswith("name:")] == [
        "imaging.internal",
        "in-addr.arpa",
    ]
    assert "ip-address: 10.24.10.10\n" in text
    assert "control-enable: no\n" in text


def test_hosts_that_may_ask_know_whom_and_others_ask_nobody() -> None:
    def servers(host: str) -> list[str]:
        text = rendered_template(REFERENCE, host, "base", "resolv.conf.j2")
        return [line for line in text.splitlines() if line.startswith("nameserver")]

    assert servers("ct1") == ["nameserver 10.24.10.10"]
    assert servers("guest1") == ["nameserver 127.0.0.1"]
