"""Senders of HL7 without a certificate, with one that nobody listed, in another's name, or with what is not theirs."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from lab.abuse import edges
from lab.abuse.credentials import held
from lab.abuse.evidence import Evidence
from lab.abuse.misuse import Misuse, fresh_patient
from lab.abuse.model import AbuseCase
from lab.abuse.order_filler import restarted
from lab.abuse.parties import HL7_NODE, reader_at_ris, record_at_ris, unlisted_at_ris
from lab.abuse.sights import names_of, patient_kept, registered, registers
from lab.abuse.weakening import literal
from lab.hospital.database import rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.abuse.attempt import Tried
    from lab.abuse.scene import Scene

RECEIVER = "hl7receiver.py"
BY_ADDRESS = restarted(
    "the receiver behind takes the sender for the host whose address it has",
    literal(RECEIVER, "if sender.name == caller.fqdn:", "if sender.address == caller.address:"),
)


def _refused(reason: str) -> Callable[[Scene], Evidence]:
    """A line of the edge, or of the receiver behind it, about the source."""
    return lambda scene: Evidence(scene.parties.target, reason, about=(names_of(scene, scene.parties.source),))


def _in_others_name(scene: Scene) -> list[str]:
    """Arguments that claim another application's name."""
    return ["--sender", scene.parties.other, *fresh_patient(scene)]


def _merge(scene: Scene) -> list[str]:
    """Arguments for a merge that makes a patient disappear whom the record has registered."""
    prior = scene.once("prior", lambda: registered(scene, "Prior"))
    return ["--event", "ADT^A40", "--prior", prior, *fresh_patient(scene)]


def _merged(scene: Scene, tried: Tried) -> str:
    """Harm: a registered patient has become another one."""
    query = "SELECT patient_id FROM patients WHERE merged_into = :'patient'"
    lost = [row["patient_id"] for row in rows(scene.lab, scene.parties.target, query, patient=tried.facts["patient"])]
    return f"{scene.parties.target} made patient {lost[0]} part of one whom nobody registered" if lost else ""


_SENDER = partial(AbuseCase, harm=patient_kept, unharmed=registers)

CASES = (
    _SENDER(
        "abuse.hl7-no-certificate",
        "HL7: a sender without a certificate registers a patient",
        parties=record_at_ris,
        attempt=Misuse("hl7-no-certificate", words=fresh_patient),
        evidence=_refused("no-certificate"),
        control="the HL7 edge demands a certificate (mutual TLS)",
        weakenings=(
            edges.RELOADED(
                "the edge asks for no certificate, and drops the rules that need its name",
                (
                    edges.bind(edges.HL7, "verify required", "verify none"),
                    *edges.without(edges.HL7, *edges.NAMED),
                ),
            ),
            BY_ADDRESS,
        ),
    ),
    _SENDER(
        "abuse.hl7-unlisted-sender",
        "HL7: the certificate of a host that no flow lets call",
        parties=unlisted_at_ris,
        attempt=Misuse(
            "hl7-unlisted",
            words=fresh_patient,
            credential=lambda scene: held(scene, scene.parties.other, HL7_NODE),
        ),
        evidence=_refused("unlisted"),
        control="the HL7 edge and the receiver behind it list the senders that flows declare",
        weakenings=(
            edges.RELOADED(
                "the edge has no list of senders, and so no addresses of theirs",
                edges.without(edges.HL7, "unlisted", "address-mismatch"),
            ),
            BY_ADDRESS,
        ),
    ),
    _SENDER(
        "abuse.hl7-other-sender",
        "HL7: a message in another application's name",
        parties=record_at_ris,
        attempt=Misuse(
            "hl7-other-sender", words=lambda scene: ["--sender", scene.parties.other, *fresh_patient(scene)]
        ),
        evidence=_refused("sender-mismatch"),
        control="the receiver binds the sending application (MSH-3) to the certificate",
        weakenings=(
            restarted(
                "the receiver compares no sending application with the certificate",
                literal(
                    RECEIVER, 'if Party(message.get("MSH", 3), message.get("MSH", 4)) != theirs:', "if theirs is None:"
                ),
            ),
        ),
    ),
    _SENDER(
        "abuse.hl7-other-event",
        "HL7: an application that sends reports merges two patients",
        parties=reader_at_ris,
        attempt=Misuse("hl7-other-event", words=_merge),
        evidence=_refused("not-permitted"),
        harm=_merged,
        control="the receiver takes from each sender the messages that its flows permit",
        weakenings=(
            restarted(
                "the receiver takes every kind of message from every sender",
                literal(RECEIVER, "if message.type not in caller.permits:", "if not caller.permits:"),
            ),
        ),
    ),
)
