"""The mail server takes mail of declared hosts for the site's people, and sends none on."""

from __future__ import annotations

import re
from functools import cache

from lab.topology.load import TRIALS_DIR
from tests.unit.roles.rendered import files_of
from tests.unit.site_builder import committed_site

MONITORING = committed_site("monitoring", TRIALS_DIR)


@cache
def text_of(path: str) -> str:
    return files_of(MONITORING, "mail1", "mail")[path].text


def server() -> list[str]:
    return [line for line in text_of("/etc/pacslab/smtpd.conf").splitlines() if line and not line.startswith("#")]


def test_it_listens_to_its_edge_alone() -> None:
    (listen,) = [line for line in server() if line.startswith("listen")]
    assert listen.startswith("listen on 127.0.0.1 port 10025 ")
    assert "server application 127.0.0.1:10025\n" in text_of("/etc/haproxy/conf.d/60-mail.cfg")


def test_mail_is_for_the_sites_people() -> None:
    (people,) = [line for line in server() if line.startswith("table people")]
    assert set(re.findall(r'"(.*?)"', people)) == {f"{name}@monitoring.internal" for name in MONITORING.topology.people}


def test_no_mail_is_sent_on() -> None:
    actions = [line for line in server() if line.startswith("action")]
    assert [line.split()[2] for line in actions] == ["maildir"]
    assert [line for line in server() if line.startswith("match")] == [
        'match from local for rcpt-to <people> action "keep"'
    ]


def test_the_edge_wants_a_certificate_of_the_profile_and_a_flow() -> None:
    edge = text_of("/etc/haproxy/conf.d/60-mail.cfg")
    assert re.search(r"bind :465 ssl .* verify required crl-file /etc/pacslab/tls/crl.pem\n", edge)
    assert "str(wrong-profile) if !{ var(sess.profile) -m str mail-node }\n" in edge
    assert "str(unlisted) if !{ var(sess.address) -m found }\n" in edge
    assert "tcp-request content reject if { var(txn.reason) -m found }\n" in edge


def test_nothing_waits_for_a_caller_who_waits_for_the_server() -> None:
    """In SMTP the server speaks first (RFC 5321 3.1)."""
    edge = text_of("/etc/haproxy/conf.d/60-mail.cfg")
    assert "inspect-delay" not in edge
    assert "req.len" not in edge
