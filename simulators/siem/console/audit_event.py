"""Shows an event as a FHIR AuditEvent (R4), as IHE ITI-81 Retrieve ATNA Audit Event wants it.

What stands in the fields is told, and nothing is made up: who took part as far as it is known, the patient and the
study where an event names one. ``recorded`` is when the repository had it, ``period`` when its host says that it was.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulators.siem.console.queries.events import Event, Page

DCM = "http://dicom.nema.org/resources/ontology/DCM"
ACTIONS = "urn:pacslab:event-action"
"""Words of docs/events.md and docs/audit.md."""
ENTITY_TYPE = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
ENTITY_ROLE = "http://terminology.hl7.org/CodeSystem/object-role"
UID = "urn:dicom:uid"
CONTENT_TYPE = "application/fhir+json"
OUTCOMES = {"success": "0", "failure": "8", "unknown": "4"}
"""AuditEvent.outcome, where the event is no audit message, which says it itself."""
DONE = frozenset("CRUDE")
BY_ADDRESS, BY_NAME = "2", "1"
"""AuditEvent.agent.network.type."""
PERSON, SYSTEM, PATIENT, REPORT = "1", "2", "1", "3"
CODE = re.compile(r"[0-9]{6}")


def bundle(page: Page, own: str, older: str) -> dict[str, Any]:
    """Return events as what a search found.

    Args:
        page: the events, the newest first.
        own: address of this search.
        older: address of its next page; empty where there is none.
    """
    links = [{"relation": "self", "url": own}, *([{"relation": "next", "url": older}] if older else [])]
    base = own.partition("?")[0]
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "link": links,
        "entry": [
            {"fullUrl": f"{base}/{one.place.position}", "resource": resource(one), "search": {"mode": "match"}}
            for one in page.events
        ],
    }


def resource(event: Event) -> dict[str, Any]:
    """Return an event as an AuditEvent."""
    get, code, action = event.get, event.get("event.code"), event.get("event.action")
    own = {"system": ACTIONS, "code": action or get("event.dataset") or "event"}
    kinds = event.masked.fields.get("dicom.event_type")
    subtypes = [_code(str(kind)) for kind in kinds] if isinstance(kinds, list) else []
    told = {
        "resourceType": "AuditEvent",
        "id": str(event.place.position),
        "type": {"system": DCM, "code": code} if CODE.fullmatch(code) else own,
        "subtype": [*subtypes, own],
        "action": found if (found := get("dicom.event_action")) in DONE else "",
        "period": {"start": get("@timestamp")} if get("@timestamp") else {},
        "recorded": event.place.received.isoformat(timespec="milliseconds"),
        "outcome": get("dicom.event_outcome") or OUTCOMES.get(get("event.outcome"), "4"),
        "outcomeDesc": get("event.reason"),
        "agent": _agents(event),
        "source": {"observer": {"display": event.host, "identifier": {"value": event.host}}},
        "entity": _entities(event),
    }
    return {name: value for name, value in told.items() if value not in ("", [], {})}


def refusal(code: str, message: str) -> dict[str, Any]:
    """Return why something is not answered, as an OperationOutcome."""
    return {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": code, "diagnostics": message}],
    }


def _code(text: str) -> dict[str, str]:
    return {"system": DCM, "code": text} if CODE.fullmatch(text) else {"code": text}


def _agents(event: Event) -> list[dict[str, Any]]:
    get = event.get
    person, agents = get("user.name"), []
    if person:
        domain, other = get("user.domain"), get("user.id") or get("user.effective.name")
        name = f"{person}@{domain}" if domain else person
        who = {"identifier": {"value": name}}
        agents.append({"who": who, "altId": other, "requestor": True, "network": _network(event, "source")})
    for side in ("source", "destination"):
        name = get(f"{side}.domain") or get(f"{side}.ip")
        if name:
            title = get("dicom.calling_ae" if side == "source" else "dicom.called_ae")
            agents.append({
                "who": {"display": name, "identifier": {"value": name}}, "altId": title,
                "requestor": side == "source" and not person, "network": _network(event, side),
            })  # fmt: skip
    if not agents:
        name = get("process.name") or get("event.provider") or event.host
        agents.append({"who": {"display": name, "identifier": {"value": name}}, "requestor": True})
    return [{name: value for name, value in agent.items() if value not in ("", {})} for agent in agents]


def _network(event: Event, side: str) -> dict[str, str]:
    if address := event.get(f"{side}.ip"):
        return {"address": address, "type": BY_ADDRESS}
    name = event.get(f"{side}.domain")
    return {"address": name, "type": BY_NAME} if name else {}


def _entities(event: Event) -> list[dict[str, Any]]:
    found = []
    if patient := event.get("patient.id"):
        found.append(_entity({"value": patient}, PERSON, PATIENT))
    study, accession = event.get("dicom.study_uid"), event.get("dicom.accession")
    if study or accession:
        identifier = {"system": UID, "value": f"urn:oid:{study}"} if study else {"value": accession}
        entity = _entity(identifier, SYSTEM, REPORT)
        if accession:
            entity["detail"] = [{"type": "AccessionNumber", "valueString": accession}]
        found.append(entity)
    return found


def _entity(identifier: dict[str, str], kind: str, role: str) -> dict[str, Any]:
    return {
        "what": {"identifier": identifier},
        "type": {"system": ENTITY_TYPE, "code": kind},
        "role": {"system": ENTITY_ROLE, "code": role},
    }
