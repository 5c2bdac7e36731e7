"""The schema of stored events: every field that one may have, by its dotted name, with its type and its meaning.

An event is a flat ``dict`` of these names. Names outside of our own namespaces (``dicom``, ``hl7``, ``ihe``,
``patient``, ``pacslab``) are those of the Elastic Common Schema 8 and mean what they mean there, so that rules and
searches of other products apply. Where a key of docs/events.md becomes a field, ``key`` says which; every other key
``x`` of an event is kept as ``pacslab.x``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from simulators.events.keys import FACTS

Value = str | int | float | bool | list[str]
Fields = dict[str, Value]
"""An event: names of :data:`FIELDS`, and values that are neither None nor empty."""


class Kind(StrEnum):
    """What values a field has."""

    KEYWORD = "keyword"
    IP = "ip"
    DATE = "date"
    LONG = "long"
    FLOAT = "float"
    BOOLEAN = "boolean"
    KEYWORDS = "keywords"
    """A list of keywords."""


@dataclass(frozen=True)
class Field:
    """A field of the schema.

    Attributes:
        name: dotted.
        kind: what values it has.
        means: for the docs.
        key: the key of docs/events.md that it is made of, where it is made of one as it stands.
    """

    name: str
    kind: Kind
    means: str
    key: str = ""

    @property
    def ours(self) -> bool:
        """Whether it is of a namespace of our own, and not of the Elastic Common Schema."""
        return self.name.split(".", 1)[0] in {"dicom", "hl7", "ihe", "patient", "pacslab"}


K, N = Kind.KEYWORD, Kind.LONG

_FIELDS = (
    # What it is
    Field("@timestamp", Kind.DATE, "when it happened, as its host says: RFC 3339 in UTC with milliseconds", "time"),
    Field("event.ingested", Kind.DATE, "when the repository had it"),
    Field("event.dataset", K, "which kind of record it is: a word of the table of datasets"),
    Field("event.kind", K, "`event`, or `alert` for what an intrusion detection found"),
    Field("event.code", K, "of an audit message the EventID (PS3.16 CID 400)"),
    Field(
        "event.action", K,
        "what was attempted: a word of [events](events.md) or of [audit messages](audit.md); of a foreign device's"
        " message a word of the table of codes", "action",
    ),
    Field("event.outcome", K, "`success`, `failure`, or `unknown` where it is tried again"),
    Field("event.reason", K, "why it did not succeed; of a unit that stopped, `restart` or `shutdown`", "reason"),
    Field("event.duration", N, "nanoseconds; of a connection or request", "milliseconds"),
    Field("event.severity", N, "of an alert of the intrusion detection: 1 is the worst"),
    Field("event.sequence", N, "number of an audit message in its sender's spool"),
    Field("event.provider", K, "program that told it"),
    Field("message", K, "the text of a line that is nothing else; of one that was understood, nothing"),
    Field("error.type", K, "class of an error", "error"),
    Field("error.message", K, "what OpenSSL says of a handshake, what a host is not ready for", "detail"),
    Field("error.stack_trace", K, "where in the program it happened", "trace"),
    # Who, from where, to where
    Field("host.name", K, "host that told it, by the certificate it came with"),
    Field("observer.name", K, "host that watched what others did: a firewall, an edge's packet filter, a sensor"),
    Field("observer.type", K, "`firewall`, `host-firewall`, `fabric`, `ids`"),
    Field("observer.ingress.zone", K, "zone that it came from", "source_zone"),
    Field("observer.egress.zone", K, "zone that it was to go to", "target_zone"),
    Field("process.name", K, "program that did it"),
    Field("process.pid", N, "its process id"),
    Field("user.name", K, "who did it: a person, or an account of the host or the directory"),
    Field("user.domain", K, "domain of a person, or host of an account"),
    Field("user.id", K, "further identity of who did it: principal, security identifier"),
    Field("user.effective.name", K, "account that somebody acted as (sudo, SSH)"),
    Field("user.target.name", K, "account that was changed"),
    Field("group.name", K, "group of the directory, or of a host", "group"),
    Field("source.ip", Kind.IP, "address of who called"),
    Field("source.domain", K, "name of the host that called"),
    Field("source.port", N, "its port", "source_port"),
    Field("source.mac", K, "MAC address that a frame claims", "mac"),
    Field("source.bytes", N, "octets from the caller", "bytes_in"),
    Field("destination.ip", Kind.IP, "address that was called"),
    Field("destination.domain", K, "name of the host that was called"),
    Field("destination.port", N, "its port", "port"),
    Field("destination.bytes", N, "octets to the caller", "bytes_out"),
    Field("network.transport", K, "`tcp`, `udp`, `icmp`, or `other`", "protocol"),
    Field("network.packets", N, "how many packets", "packets"),
    Field("network.protocol", K, "protocol that the intrusion detection found in a connection"),
    Field("network.community_id", K, "hash of a connection's ends (Community ID), the same at each sensor"),
    Field("rule.id", K, "number of the rule with which the intrusion detection found something"),
    Field("rule.name", K, "its name; of `switch-rule` the rule of the repository that is switched"),
    Field("rule.category", K, "its class"),
    Field("tls.version", K, "TLS version", "tls"),
    Field("tls.cipher", K, "TLS cipher suite", "suite"),
    Field("tls.client.x509.subject.common_name", K, "name in the caller's certificate", "certificate"),
    Field("tls.client.x509.subject.organizational_unit", K, "what the certificate is for", "profile"),
    Field("tls.client.server_name", K, "name that a caller asked for (SNI)"),
    Field("tls.client.ja3", K, "fingerprint of a caller's handshake (JA3)"),
    Field("tls.client.ja4", K, "fingerprint of a caller's handshake (JA4); not of the schema, which has none yet"),
    Field("tls.server.subject", K, "subject of a server's certificate as it was seen on the wire"),
    Field("tls.server.issuer", K, "who signed it"),
    Field("tls.server.hash.sha1", K, "its fingerprint"),
    Field("tls.server.not_after", K, "until when it is valid"),
    Field("http.request.method", K, "HTTP method", "method"),
    Field("http.response.status_code", N, "HTTP status; of other protocols `pacslab.status`"),
    Field("file.path", K, "file of the host that is not as it was", "host_file"),
    Field("url.path", K, "path of a request, without its query", "path"),
    Field("service.name", K, "the host's service, or the unit of systemd"),
    # DICOM, HL7, IHE
    Field("patient.id", K, "patient identifier (PID-3.1, Patient ID)", "patient"),
    Field("patient.prior_id", K, "identifier that was merged into another", "prior"),
    Field("dicom.accession", K, "accession number", "accession"),
    Field("dicom.study_uid", K, "Study Instance UID", "study"),
    Field("dicom.series_uid", K, "Series Instance UID", "series"),
    Field("dicom.instance_uid", K, "SOP Instance UID", "instance"),
    Field("dicom.sop_class", K, "SOP Class UID", "sop_class"),
    Field("dicom.instances", N, "how many objects", "instances"),
    Field("dicom.modality", K, "modality code", "modality"),
    Field("dicom.mpps_uid", K, "performed procedure step", "mpps"),
    Field("dicom.step_id", K, "scheduled procedure step ID", "step"),
    Field("dicom.station_ae", K, "AE title of the station that a worklist is of", "station"),
    Field("dicom.query_level", K, "STUDY, SERIES or IMAGE", "level"),
    Field("dicom.found", N, "how many matched a query", "found"),
    Field("dicom.calling_ae", K, "calling AE title", "ae_title"),
    Field("dicom.called_ae", K, "called AE title", "called"),
    Field("dicom.rejection_title", K, "code of a rejection note's title (PS3.16 CID 7010)", "title"),
    Field("dicom.event_type", Kind.KEYWORDS, "of an audit message the EventTypeCodes of DICOM (PS3.16 CID 401)"),
    Field("dicom.event_action", K, "of an audit message the EventActionCode: C, R, U, D or E"),
    Field("dicom.event_outcome", N, "of an audit message the EventOutcomeIndicator: 0, 4, 8 or 12"),
    Field("hl7.message_type", K, "message type and event (MSH-9)", "message_type"),
    Field("hl7.control_id", K, "message control id (MSH-10)", "control_id"),
    Field("hl7.error_code", K, "error code of the acknowledgement (ERR-3)", "code"),
    Field("hl7.placer_order", K, "placer order number (ORC-2)", "placer"),
    Field("ihe.transaction", K, "transaction in IHE, DICOM or HL7, such as `RAD-8`", "transaction"),
    # Of pacslab alone
    Field("pacslab.outcome", K, "`success`, `refused` (a rule said no), `failed`, `waiting`", "outcome"),
    Field("pacslab.unit", K, "systemd unit of a service of the host"),
    Field("pacslab.signed_in", Kind.BOOLEAN, "`false` where nobody knows who acts", "signed_in"),
    Field("pacslab.lag", Kind.FLOAT, "seconds from `@timestamp` to `event.ingested`; below 0 where a clock is ahead"),
    Field("pacslab.offset", Kind.FLOAT, "seconds that a host's clock was wrong by, as its time client says", "offset"),
    Field("pacslab.database", K, "database of PostgreSQL", "database"),
    Field("pacslab.client", K, "name that a client of the database gives itself"),
    Field("pacslab.flow_id", K, "number of a connection at the intrusion detection"),
    Field("pacslab.forwarded", Kind.BOOLEAN, "`true` where a host kept it and sent it later"),
    Field("pacslab.zone", K, "zone in which who called is, by the site's description"),
    Field("pacslab.device", K, "`undeclared` where the address of who called lies in a zone, and is no host's"),
    Field(
        "pacslab.flow", K,
        "of a connection that was seen: `declared`, `undeclared` where no flow of the site names it, `outside` where it"
        " leads out of the site",
    ),
    Field("pacslab.department", K, "department of the person, by the site's description"),
    Field("pacslab.member", K, "`declared` where the account is to be in the group, by the site's description"),
    Field("pacslab.hours", K, "`off` for what a person does outside of the site's working hours"),
    Field("patient.group", K, "`watched` for a patient whom the site watches over: staff, well-known people"),
)  # fmt: skip

_NUMBERS = frozenset({
    "attempts", "committed", "failed", "frames", "found", "left", "limit", "lists", "octets", "rejected", "seconds",
    "unavailable", "used", "fabric_port", "dicom", "hl7", "rejection",
})  # fmt: skip
_LISTS = frozenset({"attributes", "archives", "callers", "units", "undeclared"})
_PLACED = frozenset({"target", "status", "account", "sid", "user", "person", "peer", "unit", "service"})
"""Keys of which :mod:`simulators.siem.normalise` makes fields by what the event is."""


def _left() -> list[Field]:
    """The fields of keys that have none of their own."""
    taken = {field.key for field in _FIELDS} | (_PLACED - {"status", "target"})
    return [
        Field(
            f"pacslab.{key}",
            Kind.KEYWORDS if key in _LISTS else N if key in _NUMBERS else Kind.KEYWORD,
            means,
            key,
        )
        for key, means in FACTS.items()
        if key not in taken
    ]


FIELDS: dict[str, Field] = {field.name: field for field in (*_FIELDS, *_left())}
"""Every field, by its name."""

OF_KEY: dict[str, Field] = {field.key: field for field in FIELDS.values() if field.key}
"""The field that a key of docs/events.md becomes as it stands."""

DATASETS: dict[str, str] = {
    "dicom.audit": "an audit message (PS3.15 A.5) that its schema and its event's rules let in",
    "dicom.audit.refused": "what came as an audit message and is none, with why",
    "pacslab.event": "an event of a program of ours, of an edge, of a packet filter: docs/events.md",
    "system.auth": "a line of sshd, sudo or su, or of what changes a host's accounts",
    "system.change": "a line of Ansible that configures a host",
    "system.log": "a line of the journal, rsyslog or ulogd about lines that are kept, sent on or left out",
    "system.unit": "a line of systemd about a unit",
    "system.time": "a line of chronyd",
    "edge.log": "a line of HAProxy about itself; its connections are events",
    "orthanc.log": "a line of Orthanc",
    "portal.log": "a line of the sign-on's portal beside its events",
    "postgresql.log": "a line of PostgreSQL",
    "samba.audit": "a record of Samba's audit, of which the directory makes events too",
    "web.log": "a line of nginx or Apache that is no event",
    "ids.alert": "what the intrusion detection found",
    "ids.flow": "a connection that the intrusion detection saw",
    "scan.asset": "what the asset discovery found",
    "integrity.file": "a file that is not as it was",
    "siem.self": "what the repository tells of itself: a gap, a sender that is silent, a record that was changed",
    "system.line": "any other line of a host's log",
}
"""What ``event.dataset`` can be. Rules of a logsource are judged for the events of one of these."""


def unknown(fields: Fields) -> list[str]:
    """Return the names in an event that are no field of the schema.

    >>> unknown({"event.action": "query", "colour": "red"})
    ['colour']
    """
    return [name for name in fields if name not in FIELDS]
