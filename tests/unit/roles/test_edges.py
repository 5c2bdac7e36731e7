"""The edges admit the callers that flows name, each from its own address, and what the flow permits; all log alike."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.unit.roles.rendered import REFERENCE, SMALL_PRACTICE, files_of

if TYPE_CHECKING:
    from lab.topology import Site
    from tests.unit.roles.rendered import RenderedFile

SITES = {site.name: site for site in (REFERENCE, SMALL_PRACTICE)}
EDGES = {
    # role: the service it guards, the file it brings, the profile of its callers
    "dicom_edge": ("dicom-tls", "/etc/haproxy/conf.d/20-dicom.cfg", "dicom-node"),
    "hl7_edge": ("hl7-tls", "/etc/haproxy/conf.d/30-hl7.cfg", "hl7-node"),
    "dicomweb_edge": ("dicomweb-tls", "/etc/haproxy/conf.d/40-dicomweb.cfg", "dicom-node"),
    "log_collector": ("syslog-tls", "/etc/haproxy/conf.d/40-syslog.cfg", "syslog-node"),
}
EVERY_EDGE = [
    (site.name, name, role)
    for site in SITES.values()
    for name, host in site.hosts.items()
    for role in host.roles
    if role in EDGES
]
KEYS = ("time", "action", "outcome", "reason", "certificate", "peer", "edge")
"""What every line of an edge has, by the grammar of events; handshakes that failed included."""


def files(site: str, host: str, role: str) -> dict[str, RenderedFile]:
    """Return what a role puts on a host of a site."""
    return files_of(SITES[site], host, role)


def fragment(site: str, host: str, role: str) -> str:
    """Return an edge's configuration on a host."""
    return files(site, host, role)[EDGES[role][1]].text


def lines_with(text: str, word: str) -> list[str]:
    """Return the lines that begin with a word."""
    return [line.strip() for line in text.splitlines() if line.strip().startswith(word)]


def table(text: str) -> dict[str, str]:
    """Return a HAProxy map."""
    return dict(line.split(" ", 1) for line in text.splitlines())


def callers(site: Site, host: str, service: str) -> dict[str, str]:
    """Return the certificates' names of those who may call, with their addresses."""
    return {
        site.fqdn(flow.source): str(site.address_towards(flow.source, host))
        for flow in site.flows_in(host)
        if flow.service == service
    }


@pytest.mark.parametrize(("site", "host", "role"), EVERY_EDGE)
def test_declared_callers_and_nobody_else_from_their_own_addresses(site: str, host: str, role: str) -> None:
    service = EDGES[role][0]
    declared = table(files(site, host, "haproxy")["/etc/haproxy/maps/addresses.map"].text)
    mine = {key.removeprefix(f"{service}/"): value for key, value in declared.items() if key.startswith(f"{service}/")}
    assert mine == callers(SITES[site], host, service)
    assert f"str({service}/),concat(,sess.name),map_str(/etc/haproxy/maps/addresses.map)" in fragment(site, host, role)


@pytest.mark.parametrize(("site", "host", "role"), EVERY_EDGE)
def test_every_listener_wants_a_certificate_that_is_not_revoked(site: str, host: str, role: str) -> None:
    listeners = lines_with(fragment(site, host, role), "bind :")
    assert len(listeners) == 1
    assert "verify required crl-file /etc/pacslab/tls/crl.pem" in listeners[0]
    assert listeners[0].startswith(f"bind :{SITES[site].services(host)[EDGES[role][0]].port} ssl ")


@pytest.mark.parametrize(("site", "host", "role"), EVERY_EDGE)
def test_profile_name_and_address_refuse_and_nothing_milder_comes_after_them(site: str, host: str, role: str) -> None:
    text = fragment(site, host, role)
    reasons = re.findall(r"set-var\(txn.reason\) str\((\S+)\)", text)
    who = ["address-mismatch", "unlisted", "wrong-profile"]
    first = reasons.index(who[0])
    assert reasons[first : first + 3] == who
    judged = next(line for line in text.splitlines() if "str(wrong-profile)" in line)
    assert judged.endswith(f"if !{{ var(sess.profile) -m str {EDGES[role][2]} }}")
    answer = next(line for line in text[text.index(judged) + len(judged) :].splitlines() if line.strip())
    assert re.search(r"(use-service|reject|deny status 403) .*if \{ var\(txn.reason\) -m found \}$", answer) or (
        answer.strip() == "tcp-request content accept if !{ var(txn.reason) -m found }"
    )


@pytest.mark.parametrize(("site", "host", "role"), EVERY_EDGE)
def test_every_line_of_the_log_has_the_keys_of_an_event(site: str, host: str, role: str) -> None:
    text = fragment(site, host, role)
    formats = [*lines_with(text, "log-format"), *lines_with(text, "error-log-format")]
    assert len(formats) == 2 + text.count("\nlisten ")
    for line in formats:
        found = re.findall(r"%\((\w+)(?::\w+)?\)", line)
        assert len(found) == len(set(found))
        wanted = [key for key in KEYS if key != "certificate" or "dicom-outbound" not in line]
        assert set(wanted) <= set(found)
        assert not {"verdict", "calling", "source"} & set(found)


@pytest.mark.parametrize(("site", "host", "role"), [case for case in EVERY_EDGE if case[2] == "dicom_edge"])
def test_each_certificate_has_the_ae_title_of_its_host(site: str, host: str, role: str) -> None:
    found = table(files(site, host, role)["/etc/haproxy/maps/dicom-callers.map"].text)
    assert found == {
        SITES[site].fqdn(flow.source): SITES[site].hosts[flow.source].ae_title
        for flow in SITES[site].flows_in(host)
        if flow.service == "dicom-tls"
    }


def test_a_modality_sends_by_itself_and_opens_no_port_for_it() -> None:
    assert "listen dicom-to-" not in fragment("reference", "ct1", "dicom_edge")


def test_an_archive_reaches_its_peers_under_their_own_names() -> None:
    servers = lines_with(fragment("reference", "pacs-rad", "dicom_edge"), "server vna1 ")
    assert len(servers) == 1
    assert "verify required verifyhost vna1.imaging.internal sni str(vna1.imaging.internal)" in servers[0]
    assert "crl-file /etc/pacslab/tls/crl.pem" in servers[0]


def test_dicomweb_callers_get_the_services_of_their_flow() -> None:
    found = table(files("reference", "pacs-rad", "dicomweb_edge")["/etc/haproxy/maps/dicomweb-permits.map"].text)
    assert found == {f"{name}.imaging.internal": "QIDO-RS,WADO-RS" for name in ("ws-rad1", "ws-tech1")}


def test_the_archives_password_is_kept_from_other_users_and_from_ansibles_output() -> None:
    file = files("reference", "pacs-rad", "dicomweb_edge")[EDGES["dicomweb_edge"][1]]
    assert (file.mode, file.group, file.secret) == ("0640", "haproxy", True)


def test_the_listener_behind_learns_the_certificates_name() -> None:
    assert "send-proxy-v2-ssl-cn" in fragment("reference", "ris1", "hl7_edge")


def test_the_collector_knows_each_sender_by_an_address_of_its_own() -> None:
    text = fragment("reference", "siem1", "log_collector")
    servers = dict(re.findall(r"^    server (\S+) \S+ source (\S+)", text, re.MULTILINE))
    names = dict(re.findall(r"^    use-server (\S+) if { var\(sess.name\) -m str (\S+) }", text, re.MULTILINE))
    senders = {flow.source for flow in REFERENCE.flows_in("siem1") if flow.service == "syslog-tls"}
    assert servers.keys() == names.keys() == senders
    assert len(set(servers.values())) == len(senders)
    assert names == {host: REFERENCE.fqdn(host) for host in senders}


def test_a_quiet_sender_is_not_cut_off() -> None:
    text = fragment("reference", "siem1", "log_collector")
    assert (lines_with(text, "timeout client"), lines_with(text, "timeout server")) == (
        ["timeout client 24d"],
        ["timeout server 24d"],
    )
