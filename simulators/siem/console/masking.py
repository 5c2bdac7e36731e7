"""What of a record is shown to whom: patients' data to those who may see it, and of the rest what is listed here alone.

A field that is new, unknown, or not in these lists is withheld from everybody who may not see patients' data.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulators.siem.console.clearance import Clearance

OF_PATIENTS = frozenset({
    "patient.id", "patient.prior_id", "patient.group",
    "dicom.accession", "dicom.study_uid", "dicom.series_uid", "dicom.instance_uid", "dicom.mpps_uid", "dicom.step_id",
    "hl7.placer_order", "hl7.control_id", "pacslab.item", "pacslab.moved", "pacslab.commitment", "pacslab.rejection",
})  # fmt: skip
"""Fields that identify a patient, or what was done for one."""
OF_ANYTHING = frozenset({
    "message", "error.message", "error.stack_trace", "url.path", "pacslab.remedy", "pacslab.file", "pacslab.verb",
    "pacslab.undeclared", "pacslab.target",
})  # fmt: skip
"""Fields whose text may quote what somebody sent, and so may name a patient."""
OPEN = frozenset({
    "@timestamp", "destination.bytes", "destination.domain", "destination.ip", "destination.port",
    "dicom.called_ae", "dicom.calling_ae", "dicom.event_action", "dicom.event_outcome", "dicom.event_type",
    "dicom.found", "dicom.instances", "dicom.modality", "dicom.query_level", "dicom.rejection_title",
    "dicom.sop_class", "dicom.station_ae", "error.type", "event.action", "event.code", "event.dataset",
    "event.duration", "event.ingested", "event.kind", "event.outcome", "event.provider", "event.reason",
    "event.sequence", "event.severity", "file.path", "group.name", "hl7.error_code", "hl7.message_type",
    "host.name", "http.request.method", "http.response.status_code", "ihe.transaction", "network.community_id",
    "network.packets", "network.protocol", "network.transport", "observer.egress.zone", "observer.ingress.zone",
    "observer.name", "observer.type", "pacslab.answer", "pacslab.application", "pacslab.archives",
    "pacslab.asset_zone", "pacslab.attempts", "pacslab.attributes", "pacslab.authority", "pacslab.callers",
    "pacslab.category", "pacslab.certificate_error", "pacslab.change", "pacslab.claims", "pacslab.client",
    "pacslab.committed", "pacslab.criticality", "pacslab.database", "pacslab.department", "pacslab.device",
    "pacslab.dicom", "pacslab.edge", "pacslab.end", "pacslab.expected", "pacslab.fabric_port", "pacslab.factor",
    "pacslab.failed", "pacslab.field", "pacslab.flow", "pacslab.flow_id", "pacslab.folder", "pacslab.forwarded",
    "pacslab.frames", "pacslab.hl7", "pacslab.home", "pacslab.hours", "pacslab.issuer_error", "pacslab.lag",
    "pacslab.left", "pacslab.library", "pacslab.limit", "pacslab.lists", "pacslab.member", "pacslab.observed",
    "pacslab.octets", "pacslab.offers", "pacslab.offset", "pacslab.operation", "pacslab.outcome", "pacslab.owner",
    "pacslab.part", "pacslab.queue", "pacslab.regulated", "pacslab.rejected", "pacslab.repeated", "pacslab.seconds",
    "pacslab.severity", "pacslab.signed_in", "pacslab.state", "pacslab.status", "pacslab.tls_error",
    "pacslab.unavailable", "pacslab.unit", "pacslab.units", "pacslab.used", "pacslab.view", "pacslab.weakness",
    "pacslab.worker", "pacslab.zone", "process.name", "process.pid", "rule.category", "rule.id", "rule.name",
    "service.name", "source.bytes", "source.domain", "source.ip", "source.mac", "source.port", "tls.cipher",
    "tls.client.ja3", "tls.client.ja4", "tls.client.server_name", "tls.client.x509.subject.common_name",
    "tls.client.x509.subject.organizational_unit", "tls.server.hash.sha1", "tls.server.issuer",
    "tls.server.not_after", "tls.server.subject", "tls.version", "user.domain", "user.effective.name", "user.id",
    "user.name", "user.target.name",
})  # fmt: skip
"""Fields that tell of no patient."""
PLAIN_LINES = frozenset({"system.unit", "system.time", "system.auth"})
"""Datasets whose ``message`` is a host's own text."""
QUOTING = frozenset({"refuse", "break"})
"""Actions of the repository itself whose text quotes what a sender sent."""
OF_ALERTS = frozenset({
    "rule", "file", "title", "level", "time", "attack", "abuse", "control", "respond", "repeated", "events",
})  # fmt: skip
"""What a rule says of itself in an alert, and positions of events."""
OF_FACTS = frozenset({"count", "seconds", "baseline", "measure", "value", "said"})
"""Of what an alert found: numbers, and what somebody usually does (docs/behaviour.md), which names no patient."""


@dataclass(frozen=True)
class Masked:
    """What is shown of a record.

    Attributes:
        fields: names and values that the person may see.
        withheld: how many others there are.
    """

    fields: Mapping[str, Any] = field(default_factory=dict)
    withheld: int = 0

    def get(self, name: str) -> str:
        """Return a field as text, empty where it is not there or withheld."""
        value = self.fields.get(name)
        return "" if value is None else str(value)


def of_event(fields: Mapping[str, Any], clearance: Clearance) -> Masked:
    """Return what a person may see of an event."""
    if not clearance.events:
        return Masked({}, len(fields))
    if clearance.patients:
        return Masked(dict(fields), 0)
    kept = {name: value for name, value in fields.items() if _is_open(name, fields)}
    return Masked(kept, len(fields) - len(kept))


def _is_open(name: str, fields: Mapping[str, Any]) -> bool:
    if name != "message":
        return name in OPEN
    dataset = fields.get("event.dataset")
    return dataset in PLAIN_LINES or (dataset == "siem.self" and fields.get("event.action") not in QUOTING)


def of_alert(fields: Mapping[str, Any], clearance: Clearance) -> Masked:
    """Return what a person may see of an alert: of the rule's own words all, of the event's fields what is open."""
    if not clearance.events:
        return Masked({}, len(fields))
    if clearance.patients:
        return Masked(dict(fields), 0)
    kept: dict[str, Any] = {}
    withheld = 0
    for name, value in fields.items():
        if name in {"subject", "facts"} and isinstance(value, dict):
            allowed = OPEN | ({"measure"} if name == "subject" else OF_FACTS)
            inner = {key: one for key, one in value.items() if key in allowed}
            kept[name] = inner
            withheld += len(value) - len(inner)
        elif name in OF_ALERTS or _is_open(name, fields):
            kept[name] = value
        elif name != "summary":  # made of the others
            withheld += 1
    return Masked(kept, withheld)
