"""Events go to the target of the host's flow alone, over mutual TLS, and none is left out while it is away."""

from __future__ import annotations

import re

from lab.topology.load import TRIALS_DIR
from tests.unit.roles.rendered import REFERENCE, files_of
from tests.unit.site_builder import committed_site

MONITORING = committed_site("monitoring", TRIALS_DIR)
PATH = "/etc/pacslab/rsyslog/20-events.conf"


def settings() -> dict[str, str]:
    text = files_of(MONITORING, "srv1", "siem_forwarder")[PATH].text
    return dict(re.findall(r'^\s+([\w.]+)="([^"]*)"$', text[text.index("action(") :], re.MULTILINE))


def test_events_go_to_the_target_of_the_flow_which_proves_its_name() -> None:
    found = settings()
    (flow,) = [one for one in MONITORING.flows_out("srv1") if one.service == "syslog-tls"]
    assert (found["target"], found["port"]) == (f"{flow.target}.monitoring.internal", str(flow.port))
    assert found["streamDriverMode"] == "1"
    assert found["streamDriverAuthMode"] == "x509/name"
    assert found["streamDriverPermittedPeers"] == f"syslog-service.{flow.target}.monitoring.internal"
    assert found["streamDriver.CertFile"] == "/etc/pacslab/tls/forwarder.crt"
    assert found["TCP_Framing"] == "octet-counted"


def test_what_cannot_be_sent_waits() -> None:
    text = files_of(MONITORING, "srv1", "siem_forwarder")[PATH].text
    assert settings()["action.resumeRetryCount"] == "-1"
    assert 'queue.filename="events"' in text
    assert 'queue.timeoutEnqueue="3600000"' in text


def test_without_a_flow_nothing_is_sent() -> None:
    host = next(name for name, host in REFERENCE.hosts.items() if "siem" in host.roles)
    assert files_of(REFERENCE, host, "siem_forwarder") == {}
