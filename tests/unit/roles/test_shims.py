"""A shim leads a device that knows no TLS to each peer over TLS, and callers that the edge let in to the device."""

from __future__ import annotations

import re

from tests.unit.roles.rendered import files_of
from tests.unit.site_builder import committed_site

SITE = committed_site("third-party-devices")
DICOM = files_of(SITE, "us9", "dicom_edge")["/etc/haproxy/conf.d/20-dicom.cfg"].text
HL7 = files_of(SITE, "ehr9", "hl7_shim")["/etc/haproxy/conf.d/35-hl7-shim.cfg"].text


def led(text: str) -> dict[str, int]:
    """Loopback ports by the peer that they lead to."""
    return {
        peer: int(port) for peer, port in re.findall(r"listen \w+-to-(\S+)\n +mode tcp\n +bind 127.0.0.1:(\d+)\n", text)
    }


def test_each_peer_has_the_loopback_port_that_the_page_names() -> None:
    for host, text in (("us9", DICOM), ("ehr9", HL7)):
        assert led(text) == {peer: port for (_, peer), port in SITE.plain_ports(host).items()}


def test_what_leaves_a_shim_verifies_the_peer_and_its_revocation() -> None:
    for text in (DICOM, HL7):
        servers = re.findall(r"server \S+ \d+\S+ ssl .*", text)
        assert servers
        assert all("verify required" in line and "crl-file" in line and "verifyhost" in line for line in servers)


def test_the_device_is_reached_on_loopback_alone_and_without_the_proxy_protocol() -> None:
    assert "server application 127.0.0.1:11112\n" in DICOM
    assert "bind 127.0.0.1:12575 accept-proxy" in HL7
    assert "server device 127.0.0.1:2100\n" in HL7
    assert not re.search(r"bind (:|0\.0\.0\.0|\*)", HL7)
