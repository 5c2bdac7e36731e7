"""Records in JSON: Samba's audit and Suricata's eve.json."""

from __future__ import annotations

import json
from typing import Any

import pytest

from simulators.siem.fields import unknown
from simulators.siem.normalise.lines import of_line


def fields_of(program: str, data: dict[str, Any]) -> dict[str, Any]:
    line = {"host": "dc1", "program": program, "pid": "77", "message": json.dumps(data), "data": data}
    return dict(of_line(line, 1767604365.0))


def samba(kind: str, **facts: Any) -> dict[str, Any]:
    address = {"remoteAddress": "ipv4:10.24.10.12:51354"}
    return fields_of("samba", {"timestamp": "x", "type": kind, kind: {**address, **facts}})


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("NT_STATUS_WRONG_PASSWORD", "wrong-password"),
        ("NT_STATUS_ACCOUNT_LOCKED_OUT", "account-locked"),
        ("NT_STATUS_LOGON_TYPE_NOT_GRANTED", "account-restricted"),
    ],
)
def test_a_refused_sign_in_says_who_from_where_and_why(status: str, reason: str) -> None:
    facts = {"status": status, "serviceDescription": "LDAP", "clientAccount": "a.rivera@imaging.internal"}
    fields = samba("Authentication", **facts, mappedAccount="a.rivera")
    assert (fields["event.action"], fields["pacslab.outcome"], fields["event.reason"]) == ("sign-in", "refused", reason)
    assert (fields["user.name"], fields["source.ip"], fields["source.port"]) == ("a.rivera", "10.24.10.12", 51354)
    assert (fields["service.name"], fields["pacslab.status"]) == ("ldaps", status)
    assert fields["event.dataset"] == "samba.audit"


def test_a_new_administrator_is_told_with_the_group() -> None:
    fields = samba(
        "groupChange", statusCode=0, action="Added", userSid="S-1-5-21-1-2-3-500",
        user="CN=eve,OU=Staff,DC=imaging,DC=internal", group="CN=Domain Admins,CN=Users,DC=imaging,DC=internal",
    )  # fmt: skip
    assert (fields["event.action"], fields["pacslab.change"]) == ("change-account", "join")
    assert (fields["user.target.name"], fields["group.name"]) == ("eve", "Domain Admins")
    assert fields["user.id"] == "S-1-5-21-1-2-3-500"


def test_a_change_tells_which_attributes_and_no_value() -> None:
    attributes = {"userAccountControl": {"actions": [{"values": [{"value": "66050"}]}]}}
    dn = r"CN=Wei\, D.,OU=Staff,DC=imaging,DC=internal"
    fields = samba("dsdbChange", statusCode=0, operation="Modify", dn=dn, attributes=attributes, userSid="S-1-5-18")
    assert (fields["user.target.name"], fields["pacslab.change"]) == ("Wei, D.", "modify")
    assert fields["pacslab.attributes"] == ["userAccountControl"]
    assert "66050" not in str(fields)


def test_what_the_directory_counts_of_each_sign_in_is_nothing_of_its_own() -> None:
    fields = samba("dsdbChange", statusCode=0, operation="Modify", dn="CN=x", attributes={"lastLogon": {}})
    assert fields["event.dataset"] == "system.line"


EVE = {
    "timestamp": "2026-11-27T10:15:24.235109+0000", "flow_id": 1823451128340991, "in_iface": "mon0", "proto": "TCP",
    "src_ip": "10.24.99.11", "src_port": 41000, "dest_ip": "10.24.60.11", "dest_port": 2762,
}  # fmt: skip


def test_an_alert_says_which_rule_found_what() -> None:
    alert = {
        "action": "allowed", "gid": 1, "signature_id": 9000001, "rev": 1, "severity": 1,
        "signature": "DICOM in clear", "category": "Potential Corporate Privacy Violation",
    }  # fmt: skip
    fields = fields_of("suricata", {**EVE, "event_type": "alert", "alert": alert, "app_proto": "failed"})
    assert fields["event.kind"] == "alert"
    assert (fields["event.action"], fields["event.dataset"]) == ("ids-alert", "ids.alert")
    assert (fields["rule.id"], fields["rule.name"], fields["event.severity"]) == ("9000001", "DICOM in clear", 1)
    assert (fields["source.ip"], fields["destination.ip"]) == ("10.24.99.11", "10.24.60.11")
    assert (fields["destination.port"], fields["network.transport"]) == (2762, "tcp")
    assert fields["observer.type"] == "ids"
    assert unknown(fields) == []


def test_a_flow_says_who_called_whom_and_how_much() -> None:
    flow = {
        "pkts_toserver": 12, "pkts_toclient": 9, "bytes_toserver": 3041, "bytes_toclient": 2210, "age": 3,
        "start": "2026-11-27T10:15:21.000000+0000", "state": "closed", "reason": "timeout", "alerted": False,
    }  # fmt: skip
    fields = fields_of("suricata", {**EVE, "event_type": "flow", "app_proto": "tls", "flow": flow})
    assert (fields["event.action"], fields["network.protocol"], fields["network.packets"]) == ("ids-flow", "tls", 21)
    assert (fields["source.bytes"], fields["destination.bytes"]) == (3041, 2210)
    assert fields["event.duration"] == 3_000_000_000
    assert unknown(fields) == []


def test_a_handshake_says_version_name_and_fingerprint() -> None:
    tls = {
        "subject": "CN=pacs-rad.imaging.internal", "issuerdn": "CN=Issuing CA", "fingerprint": "aa:bb",
        "sni": "dicom-service.pacs-rad.imaging.internal", "version": "TLS 1.2", "notafter": "2027-11-27T10:00:00",
        "ja3": {"hash": "771c1ef", "string": "771,4866"}, "ja4": "t13d1516h2_8daaf6152771_e5627efa2ab1",
    }  # fmt: skip
    fields = fields_of("suricata", {**EVE, "event_type": "tls", "tls": tls})
    assert (fields["tls.version"], fields["tls.client.ja3"]) == ("TLSv1.2", "771c1ef")
    assert fields["tls.client.server_name"] == "dicom-service.pacs-rad.imaging.internal"
    assert fields["tls.client.ja4"].startswith("t13d")
    assert unknown(fields) == []


def test_a_sensor_that_is_too_slow_says_so_and_one_that_is_not_says_nothing() -> None:
    stats = {"uptime": 10, "capture": {"kernel_packets": 100, "kernel_drops": 7}}
    fields = fields_of("suricata", {"event_type": "stats", "stats": stats})
    assert (fields["event.action"], fields["network.packets"]) == ("drop-packets", 7)
    stats["capture"]["kernel_drops"] = 0  # type: ignore[index]
    assert fields_of("suricata", {"event_type": "stats", "stats": stats})["event.dataset"] == "system.line"


WRONG: list[Any] = [
    None,
    7,
    -1,
    1 << 70,
    1.5,
    True,
    "x" * 70_000,
    "\x1b[2J",
    [],
    ["x"],
    {},
    {"a": {"b": 1}},
    float("inf"),
]


@pytest.mark.parametrize("value", WRONG, ids=lambda value: type(value).__name__)
def test_a_value_of_another_kind_harms_nobody(value: Any) -> None:
    records = [
        ("suricata", {**EVE, "event_type": kind, kind: part})
        for kind in ("alert", "flow", "tls", "anomaly", "stats")
        for part in (value, dict.fromkeys(("signature", "severity", "age", "ja3", "sni", "event", "capture"), value))
    ]
    records += [("suricata", {**EVE, key: value, "event_type": "flow", "flow": {}}) for key in EVE]
    records += [("suricata", {"event_type": value})]
    keys = (
        "status",
        "serviceDescription",
        "mappedAccount",
        "dn",
        "attributes",
        "operation",
        "user",
        "group",
        "remoteAddress",
    )
    records += [
        ("samba", {"type": kind, kind: part})
        for kind in ("Authentication", "dsdbChange", "passwordChange", "groupChange")
        for part in (value, dict.fromkeys(keys, value))
    ]
    records += [("samba", {"type": value})]
    for program, data in records:
        fields = fields_of_data(program, data)
        assert unknown(fields) == []
        for found in fields.values():
            for text in found if isinstance(found, list) else [found]:
                assert not isinstance(text, str) or (len(text) <= 1000 and text.isprintable())


def fields_of_data(program: str, data: dict[str, Any]) -> dict[str, Any]:
    return dict(of_line({"host": "dc1", "program": program, "pid": "77", "message": "{", "data": data}, 1.0))
