"""Suricata's eve.json (7.0): alerts, flows, TLS handshakes and anomalies that a sensor saw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.siem.parse.reading import Line, Read, cut, port, told

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from simulators.siem.fields import Fields

ALERT, FLOW, TLS, ODD = "ids-alert", "ids-flow", "ids-tls", "ids-anomaly"
DROPS = "drop-packets"

_PROTOCOLS = {"TCP": "tcp", "UDP": "udp", "ICMP": "icmp", "IPv6-ICMP": "icmp"}


def read(line: Line) -> Read | None:
    """Read a record of Suricata's."""
    data = line.data
    reader = _READERS.get(str(data.get("event_type"))) if data is not None else None
    return reader(data) if reader is not None and data is not None else None


def _ends(data: Mapping[str, Any]) -> dict[str, Any]:
    """Who called whom; of an alert that an answer raised, the packet went the other way."""
    protocol = str(data.get("proto", ""))
    caller, called = ("dest", "src") if data.get("direction") == "to_client" else ("src", "dest")
    return told(
        peer=cut(data.get(f"{caller}_ip", "")),
        source_port=port(data.get(f"{caller}_port", "")),
        target=cut(data.get(f"{called}_ip", "")),
        port=port(data.get(f"{called}_port", "")),
        protocol=_PROTOCOLS.get(protocol, "other") if protocol else "",
    )


def _fields(data: Mapping[str, Any], **more: Any) -> Fields:
    known = {
        "event.kind": "event",
        "observer.type": "ids",
        "network.protocol": _text(data, "app_proto"),
        "network.community_id": _text(data, "community_id"),
        "pacslab.flow_id": str(data["flow_id"])[:20] if isinstance(data.get("flow_id"), int) else "",
        **more,
    }
    return told(**known)


def _alert(data: Mapping[str, Any]) -> Read:
    alert = _part(data, "alert")
    severity = alert.get("severity")
    fields = _fields(
        data,
        **{
            "event.kind": "alert",
            "rule.id": str(alert.get("signature_id", ""))[:20],
            "rule.name": _text(alert, "signature"),
            "rule.category": _text(alert, "category"),
            "event.severity": severity if isinstance(severity, int) else "",
        },
    )
    found = _part(alert, "metadata").get("rule")
    word = cut(found[0]) if isinstance(found, list) and found else ""
    outcome = "refused" if alert.get("action") == "blocked" else "success"
    return Read(ALERT, outcome, _ends(data) | told(reason=word), "ids.alert", fields)


def _flow(data: Mapping[str, Any]) -> Read:
    flow = _part(data, "flow")
    facts = _ends(data) | told(
        bytes_in=_number(flow, "bytes_toserver"),
        bytes_out=_number(flow, "bytes_toclient"),
        packets=(_number(flow, "pkts_toserver") or 0) + (_number(flow, "pkts_toclient") or 0),
        milliseconds=(_number(flow, "age") or 0) * 1000,
        state=_text(flow, "state"),
    )
    return Read(FLOW, "success", facts, "ids.flow", _fields(data))


def _tls(data: Mapping[str, Any]) -> Read:
    tls = _part(data, "tls")
    version = _text(tls, "version").replace("TLS ", "TLSv")
    fields = _fields(
        data,
        **{
            "tls.client.server_name": _text(tls, "sni"),
            "tls.client.ja3": _text(_part(tls, "ja3"), "hash"),
            "tls.client.ja4": _text(tls, "ja4"),
            "tls.server.subject": _text(tls, "subject"),
            "tls.server.issuer": _text(tls, "issuerdn"),
            "tls.server.hash.sha1": _text(tls, "fingerprint"),
            "tls.server.not_after": _text(tls, "notafter"),
        },
    )
    return Read(TLS, "success", _ends(data) | told(tls=version), "ids.flow", fields)


def _anomaly(data: Mapping[str, Any]) -> Read:
    anomaly = _part(data, "anomaly")
    fields = _fields(data, **{"rule.name": _text(anomaly, "event"), "rule.category": _text(anomaly, "type")})
    return Read(ODD, "failed", _ends(data) | {"reason": "malformed"}, "ids.alert", fields)


def _stats(data: Mapping[str, Any]) -> Read | None:
    """Its own count of packets that it was too slow for."""
    drops = _number(_part(_part(data, "stats"), "capture"), "kernel_drops")
    return Read(DROPS, "failed", {"packets": drops, "reason": "too-fast"}, "ids.flow", _fields(data)) if drops else None


def _part(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = data.get(key)
    return found if isinstance(found, dict) else {}


def _text(data: Mapping[str, Any], key: str) -> str:
    value = data.get(key)
    return "" if value is None or isinstance(value, (dict, list)) else cut(value)


def _number(data: Mapping[str, Any], key: str) -> int | None:
    value = data.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 63 else None


_READERS: dict[str, Callable[[Mapping[str, Any]], Read | None]] = {
    "alert": _alert,
    "flow": _flow,
    "tls": _tls,
    "anomaly": _anomaly,
    "stats": _stats,
}
