"""Phrases what people are told of an incident: a mail, and the JSON that a webhook is sent; and when they are told.

Who is told may not be who may know the patient: neither carries a patient's identifier, an accession number or a study.
"""

from __future__ import annotations

from email.headerregistry import Address
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any

from simulators.printable import printable
from simulators.siem.incidents.model import GRAVITY
from simulators.siem.sigma.model import Level

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulators.siem.incidents.model import Incident

LONGEST_SUBJECT = 150
IDENTIFYING = ("patient.", "dicom.accession", "dicom.study_uid", "dicom.series_uid", "dicom.instance_uid")
MOST_RECORDS = 20
HIDDEN = "(see the console)"


def is_due(incident: Incident, told: Mapping[int, Level], least: Level = Level.MEDIUM) -> bool:
    """Whether people are to be told of an incident: once, and again when it has become graver.

    Args:
        incident: as it is now.
        told: the level of each incident when people were told of it, by its number.
        least: what is less grave is not told.
    """
    if GRAVITY[incident.level] < GRAVITY[least]:
        return False
    before = told.get(incident.number)
    return before is None or GRAVITY[incident.level] > GRAVITY[before]


def actor(incident: Incident) -> str:
    """Return who is behind an incident, as may be told."""
    name, value = incident.actor
    return HIDDEN if name.startswith(IDENTIFYING) else printable(value)


def records(incident: Incident) -> str:
    """Return the positions of an incident's alerts, the first of them where there are many."""
    named = ", ".join(str(position) for position in incident.alerts[:MOST_RECORDS])
    return f"{named} and {incident.count - MOST_RECORDS} more" if len(incident.alerts) > MOST_RECORDS else named


def mail(incident: Incident, site: str, sender: str, recipients: list[str], console: str = "") -> EmailMessage:
    """Return a mail about an incident; text of others that stands in it makes no header and no line of its own."""
    message = EmailMessage()
    subject = f"[{site}] {incident.level}: {incident.titles[0]} ({actor(incident)})"
    message["Subject"] = printable(subject)[:LONGEST_SUBJECT]
    message["From"] = Address(addr_spec=sender)
    message["To"] = [Address(addr_spec=recipient) for recipient in recipients]
    message["Message-ID"] = f"<incident-{incident.number}-{incident.level}@{sender.partition('@')[2]}>"
    message["References"] = f"<incident-{incident.number}@{sender.partition('@')[2]}>"
    message["Date"] = incident.last  # so that the same mail is the same when it has to be sent again
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text(incident, console))
    return message


def text(incident: Incident, console: str = "") -> str:
    """Return what a mail says."""
    lines = [
        f"Incident {incident.number}, {incident.level}, {incident.state}",
        "",
        *(f"- {printable(title)}" for title in incident.titles),
        "",
        f"By:       {incident.actor[0]} {actor(incident)}",
        f"Since:    {incident.first.isoformat(timespec='seconds')}",
        f"Latest:   {incident.last.isoformat(timespec='seconds')}",
        f"Seen:     {incident.count} times",
        f"Evidence: records {records(incident)} of the repository",
        f"Rules:    {', '.join(incident.rules)}",
        f"Abuse:    {', '.join(incident.abuse) or '-'}",
        f"ATT&CK:   {', '.join(incident.attack) or '-'}",
        f"Controls: {', '.join(incident.control) or '-'}",
        "",
        "What to do:",
        *(f"- {printable(step)}" for step in incident.respond),
    ]
    return "\n".join([*lines, *(["", f"{console}/incidents/{incident.number}"] if console else []), ""])


def webhook(incident: Incident, site: str, console: str = "") -> dict[str, Any]:
    """Return what a webhook is sent."""
    return {
        "site": site,
        "incident": incident.number,
        "level": str(incident.level),
        "state": str(incident.state),
        "titles": list(incident.titles),
        "rules": list(incident.rules),
        "actor": {"field": incident.actor[0], "value": actor(incident)},
        "first": incident.first.isoformat(),
        "last": incident.last.isoformat(),
        "count": incident.count,
        "records": list(incident.alerts[:MOST_RECORDS]),
        "abuse": list(incident.abuse),
        "attack": list(incident.attack),
        "control": list(incident.control),
        "respond": list(incident.respond),
        **({"link": f"{console}/incidents/{incident.number}"} if console else {}),
    }
