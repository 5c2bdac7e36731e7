"""The edges admit the callers that flows name, each from its own address, and what the flow permits; all log alike."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from lab.topology.catalog import ROLES_DIR
from simulators.audit.send import PROTOCOL
from simulators.events import reasons
from tests.unit.roles.rendered import REFERENCE, SMALL_PRACTICE, files_of
from tests.unit.site_builder import committed_site

if TYPE_CHECKING:
    from lab.topology import Site
    from tests.unit.roles.rendered import RenderedFile

DEVICES = committed_site("third-party-devices")
"""The site whose collector is a repository of audit messages, too."""
SITES = {site.name: site for site in (REFERENCE, SMALL_PRACTICE)}
EDGES = {
    # role: the service it guards, the file it brings, the profile of its callers
    "dicom_edge": ("dicom-tls", "/etc/haproxy/conf.d/20-dicom.cfg", "dicom-node"),
    "hl7_edge": ("hl7-tls", "/etc/haproxy/conf.d/30-hl7.cfg", "hl7-node"),
    "dicomweb_edge": ("dicomweb-tls", "/etc/haproxy/conf.d/40-dicomweb.cfg", "dicom-node"),
    "relations_edge": ("relations-tls", "/etc/haproxy/conf.d/50-relations.cfg", "relations-node"),
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
    entry = site.hosts[host]
    own = service == "syslog-tls" and "audit_source" in entry.roles  # the repository's host sends to itself
    return ({site.fqdn(host): str(entry.address)} if own else {}) | {
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


def test_an_archive_accepts_its_peers_dicom_certificates_alone() -> None:
    servers = lines_with(fragment("reference", "pacs-rad", "dicom_edge"), "server vna1 ")
    assert len(servers) == 1
    assert "verify required verifyhost dicom-service.vna1.imaging.internal sni" in servers[0]
    assert " crt /etc/pacslab/tls/dicom-outbound.pem " in servers[0]
    assert "crl-file /etc/pacslab/tls/crl.pem" in servers[0]


def test_dicomweb_callers_get_the_services_of_their_flow() -> None:
    found = table(files("reference", "pacs-rad", "dicomweb_edge")["/etc/haproxy/maps/dicomweb-permits.map"].text)
    assert found == {
        "web1.imaging.internal": "QIDO-RS,WADO-RS,STOW-RS",
        **{f"{name}.imaging.internal": "QIDO-RS,WADO-RS" for name in ("ws-rad1", "ws-tech1")},
    }


def test_who_asks_for_many_people_may_ask_more_often() -> None:
    found = files("reference", "pacs-rad", "dicomweb_edge")
    requests = table(found["/etc/haproxy/maps/dicomweb-requests.map"].text)
    connections = table(found["/etc/haproxy/maps/dicomweb-connections.map"].text)
    web, reading = "web1.imaging.internal", "ws-rad1.imaging.internal"
    assert (requests[web], requests[reading]) == ("6000", "400")
    assert (connections[web], connections[reading]) == ("40", "24")
    text = fragment("reference", "pacs-rad", "dicomweb_edge")
    assert "var(sess.name),map_str_int(/etc/haproxy/maps/dicomweb-requests.map,0)" in text
    assert "acl too_fast sc_http_req_rate(0),sub(txn.requests) gt 0" in text
    assert "var(sess.name),map_str_int(/etc/haproxy/maps/dicomweb-connections.map,0)" in text
    assert "str(too-many-connections) if { sc_conn_cur(0),sub(txn.connections) gt 0 }" in text


def test_the_archives_password_is_kept_from_other_users_and_from_ansibles_output() -> None:
    file = files("reference", "pacs-rad", "dicomweb_edge")[EDGES["dicomweb_edge"][1]]
    assert (file.mode, file.group, file.secret) == ("0640", "haproxy", True)


@pytest.mark.parametrize(
    ("path", "good"),
    [
        ("/relations/treatment/n.okafor", True),
        ("/relations/department/Internal%20medicine", True),
        ("/relations/department/Chirurgie%2FS%C3%BCd", True),
        ("/relations/treatment/", False),
        ("/relations/everybody/x", False),
        ("/relations/treatment/x/y", False),
        ("/relations/treatment/%2", False),
        ("/relations/treatment/x;y", False),
        ("/relations//treatment/x", False),
        ("//relations/treatment/x", False),
    ],
)
def test_of_relations_two_questions_pass(path: str, *, good: bool) -> None:
    text = fragment("reference", "ris1", "relations_edge")
    assert bool(expression(text, "question").search(path)) is good
    assert "str(not-permitted) if !reads" in text
    assert "str(not-permitted) if !question" in text


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
    assert lines_with(text, "timeout client") == ["timeout client 24d"]
    assert lines_with(text, "timeout server") == ["timeout server 24d"] * 2  # of lines, and of audit messages


def test_who_waits_for_acknowledgements_is_led_to_the_repository_with_the_certificates_name() -> None:
    text = files_of(DEVICES, "srv1", "log_collector")[EDGES["log_collector"][1]].text
    assert lines_with(text, "use_backend") == [f"use_backend audit-intake if {{ ssl_fc_alpn -m str {PROTOCOL} }}"]
    (server,) = lines_with(text, "server intake")
    socket = re.search(
        r"^ListenStream=(\S+)$", (ROLES_DIR / "siem/files/pacslab-siem-intake.socket").read_text(), re.MULTILINE
    )
    assert socket is not None
    assert server == f"server intake unix@{socket[1].removeprefix('/var/lib/haproxy')} send-proxy-v2-ssl-cn"
    without = fragment("small-practice", "srv1", "log_collector")
    assert (lines_with(without, "use_backend"), "alpn" in without) == ([], False)


def expression(text: str, name: str) -> re.Pattern[str]:
    """The regular expression of an acl."""
    found = re.search(rf"^ *acl {name} .*-m reg (?:-i )?(\S+)$", text, re.MULTILINE)
    assert found is not None, name
    return re.compile(found[1])


@pytest.mark.parametrize("side", ["called_ae", "calling_ae"])
@pytest.mark.parametrize(
    ("title", "good"),
    [
        (b"PACSRAD         ", True),
        (b" A-b_c.9 (x)~!{}", True),
        (b"PACS\\RAD        ", False),
        (b"\nforged line    ", False),
        (b"PACSRAD\xff\xfe       ", False),
        (b"PACSRAD\x00\x00\x00\x00\x00\x00\x00\x00\x00", False),
        (b"PACS\x7fRAD        ", False),
        (b"PACS\x1b[2J        ", False),
    ],
)
def test_an_ae_title_has_the_characters_of_the_standard(side: str, title: bytes, *, good: bool) -> None:
    text = fragment("reference", "pacs-rad", "dicom_edge")
    assert len(title) == 16
    assert bool(expression(text, side).search(title.hex().upper())) is good
    assert "str(ae-title) if !called_ae || !calling_ae || called_blank" in text


@pytest.mark.parametrize(
    ("query", "good"),
    [
        ("limit=1", True),
        ("PatientName=Doe%5E*&includefield=all&00080060=CT&00400275.00400009=X&fuzzymatching=true", True),
        ("StudyDate=20260101-&", True),
        ("_method=DELETE", False),
        ("limit=1&_method=DELETE", False),
        ("limit=1&%5Fmethod=DELETE", False),
        ("limit=1&-x=1", False),
        ("limit=1&a b=1", False),
    ],
)
def test_a_query_has_the_form_of_the_standard(query: str, *, good: bool) -> None:
    text = fragment("reference", "pacs-rad", "dicomweb_edge")
    assert bool(expression(text, "plain_query").search(query)) is good
    assert "str(query) if has_query !plain_query" in text


@pytest.mark.parametrize("name", ["x-http-method-override", "x-http-method", "x-method-override"])
def test_a_header_gives_a_request_no_other_method(name: str) -> None:
    text = fragment("reference", "pacs-rad", "dicomweb_edge")
    assert expression(text, "other_method").search(f"host,{name},accept")
    assert not expression(text, "other_method").search("host,accept,content-type")
    assert "str(other-method) if other_method" in text
    assert "http-request del-header x- -m beg" in text


def test_a_path_is_logged_no_further_than_it_is_plain() -> None:
    text = fragment("reference", "pacs-rad", "dicomweb_edge")
    cut = re.search(r"set-var\(txn.path\) path,regsub\((\S+?),\)", text)
    assert cut is not None
    assert re.sub(cut[1], "", "/dicom-web/studies%3FPatientName=DOE") == "/dicom-web/studies"


@pytest.mark.parametrize("host", ["pacs-rad", "pacs-card", "vna1"])
def test_no_caller_can_have_all_associations_of_an_archive(host: str) -> None:
    each = int(REFERENCE.asks(host)["dicom"]["associations"][0])
    callers = [flow for flow in REFERENCE.flows_in(host) if flow.service == "dicom-tls"]
    served = re.search(
        r"\"DicomThreadsCount\": (\d+)", files("reference", host, "orthanc")["/etc/orthanc/pacslab.json"].text
    )
    assert served is not None
    assert int(served[1]) == each * len(callers)
    assert f"{{ sc_conn_cur(0) gt {each} }}" in fragment("reference", host, "dicom_edge")


@pytest.mark.parametrize(("site", "host", "role"), EVERY_EDGE)
def test_one_address_does_not_have_all_connections_of_an_edge(site: str, host: str, role: str) -> None:
    text = fragment(site, host, role)
    limit = re.search(r"tcp-request connection reject if { sc1_conn_cur gt (\d+) }", text)
    assert limit is not None
    most = re.search(r"^ *maxconn (\d+)$", (ROLES_DIR / "haproxy/files/haproxy.cfg").read_text("utf-8"), re.MULTILINE)
    assert most is not None
    assert int(limit[1]) * 4 < int(most[1])


def test_an_association_in_which_nothing_happens_has_an_end() -> None:
    assert lines_with(fragment("reference", "pacs-rad", "dicom_edge"), "timeout client") == ["timeout client 60s"]


@pytest.mark.parametrize(("site", "host", "role"), EVERY_EDGE)
def test_no_condition_waits_for_more_than_callers_send(site: str, host: str, role: str) -> None:
    # as long as more may come, a sample of all that was received is not final, and a condition on it holds callers up
    # until inspect-delay ends: each association took 10 s
    conditions = re.findall(r"(?: if | unless |acl \S+ )(.*)", fragment(site, host, role))
    assert conditions
    assert not [condition for condition in conditions if "payload(0,0)" in condition]


def test_what_a_caller_offers_is_told_from_its_hexadecimal_digits_as_haproxy_writes_them() -> None:
    found = re.findall(r"-m sub ([0-9A-Fa-f]+) ", fragment("reference", "pacs-rad", "dicom_edge"))
    assert found == [b"1.2.840.10008.1.2.1.99".hex().upper()]  # PS3.6 A.1: Deflated Explicit VR Little Endian


@pytest.mark.parametrize(("site", "host", "role"), [case for case in EVERY_EDGE if case[2] == "dicom_edge"])
def test_no_association_is_without_an_end(site: str, host: str, role: str) -> None:
    (line,) = lines_with(fragment(site, host, role), "filter")
    assert re.fullmatch(r"filter lua\.association_limits [1-9]\d* [1-9]\d*", line)
    lua = (ROLES_DIR / role / "files" / "association_limits.lua").read_text("utf-8")
    words = set(re.findall(r'return "([a-z-]+)"', lua))
    assert words == {reasons.TOO_MANY_MESSAGES.word, reasons.ASSOCIATION_TOO_LONG.word}
