"""Which kinds of event a rule's ``logsource`` means."""

from __future__ import annotations

LOGSOURCES: dict[tuple[str, str], frozenset[str]] = {
    ("pacslab", ""): frozenset({"pacslab.event", "dicom.audit"}),
    ("pacslab", "event"): frozenset({"pacslab.event"}),
    ("pacslab", "siem"): frozenset({"siem.self"}),
    ("pacslab", "asset"): frozenset({"scan.asset"}),
    ("dicom", "audit"): frozenset({"dicom.audit"}),
    ("dicom", "refused"): frozenset({"dicom.audit.refused"}),
    ("linux", "auth"): frozenset({"system.auth", "dicom.audit"}),
    ("linux", "systemd"): frozenset({"system.unit", "dicom.audit"}),
    ("linux", "log"): frozenset({"system.log"}),
    ("linux", "chrony"): frozenset({"system.time"}),
    ("linux", "file_integrity"): frozenset({"integrity.file"}),
    ("postgresql", ""): frozenset({"postgresql.log"}),
    ("orthanc", ""): frozenset({"orthanc.log"}),
    ("suricata", "alert"): frozenset({"ids.alert"}),
    ("suricata", "flow"): frozenset({"ids.flow"}),
}
"""Datasets by ``product`` and ``service``. What programs of ours tell comes as events, as audit messages, or both."""

MEANINGS: dict[tuple[str, str], str] = {
    ("pacslab", ""): "what programs, edges and packet filters of the lab tell, as events or as audit messages",
    ("pacslab", "event"): "the same, as events alone",
    ("pacslab", "siem"): "what the repository tells of itself",
    ("pacslab", "asset"): "what the asset discovery found",
    ("dicom", "audit"): "audit messages of whatever device",
    ("dicom", "refused"): "what came as an audit message and is none",
    ("linux", "auth"): "sshd and sudo",
    ("linux", "systemd"): "units of systemd",
    ("linux", "log"): "lines that are kept, sent on or left out",
    ("linux", "chrony"): "the time client",
    ("linux", "file_integrity"): "files that are not as they were",
    ("postgresql", ""): "PostgreSQL",
    ("orthanc", ""): "what Orthanc itself refuses",
    ("suricata", "alert"): "what the intrusion detection found",
    ("suricata", "flow"): "connections that the intrusion detection saw",
}
"""For docs/detections.md."""
