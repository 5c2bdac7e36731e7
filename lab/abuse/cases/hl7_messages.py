"""HL7 that comes a second time, or is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.abuse.evidence import Evidence
from lab.abuse.misuse import Misuse, fresh_patient
from lab.abuse.model import AbuseCase
from lab.abuse.order_filler import restarted
from lab.abuse.parties import record_at_ris
from lab.abuse.sights import names_of, patient_kept, registers
from lab.abuse.weakening import literal

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.abuse.attempt import Tried
    from lab.abuse.scene import Scene

RECEIVER, MESSAGES, INBOX, CONTENT = "hl7receiver.py", "hl7messages.py", "hl7exchange.py", "hl7content.py"
FOR_WANT_OF_A_CHECK = {"not UTF-8", "a second header"}
"""The kinds of broken messages that a control stops; the others do not say what they are, so that nothing can be done
with them."""


def _refused(reason: str) -> Callable[[Scene], Evidence]:
    return lambda scene: Evidence(scene.parties.target, reason, about=(names_of(scene, scene.parties.source),))


def _taken(scene: Scene, tried: Tried) -> str:
    """Harm: every kind of message was taken that a control stops, and a patient of theirs is kept."""
    kept = patient_kept(scene, tried)
    taken = set(tried.facts.get("taken", []))
    return f"taken: {', '.join(sorted(taken))}; {kept}" if kept and taken >= FOR_WANT_OF_A_CHECK else ""


CASES = (
    AbuseCase(
        "abuse.hl7-duplicate",
        "HL7: another message with a control id that was used before",
        parties=record_at_ris,
        attempt=Misuse("hl7-duplicate", words=fresh_patient),
        evidence=_refused("duplicate-control-id"),
        harm=patient_kept,
        unharmed=registers,
        control="the receiver remembers every sender's control ids (MSH-10), each with what the message said",
        weakenings=(
            restarted(
                "the receiver remembers each message under a number of its own",
                literal(
                    INBOX,
                    "(sender, message.control_id, content),",
                    "(sender, new_control_id(), content),",
                ),
            ),
        ),
    ),
    AbuseCase(
        "abuse.hl7-hidden",
        "HL7: a name with characters that steer a terminal and turn the direction of what follows",
        parties=record_at_ris,
        attempt=Misuse("hl7-hidden", words=fresh_patient),
        evidence=_refused("malformed"),
        harm=patient_kept,
        unharmed=registers,
        control="the receiver takes no text that is shown as something else than it is",
        weakenings=(
            restarted(
                "the receiver takes every character in messages and names",
                literal(MESSAGES, 'if hides(text.replace("\\r", "")):', "if not text:"),
                literal(
                    CONTENT,
                    "any(NAME_DELIMITERS & set(part) or hides(part, name=True) for part in name)",
                    "any(NAME_DELIMITERS & set(part) for part in name)",
                ),
            ),
        ),
    ),
    AbuseCase(
        "abuse.hl7-malformed",
        "HL7: messages that are none",
        parties=record_at_ris,
        attempt=Misuse("hl7-malformed", words=fresh_patient),
        evidence=_refused("malformed"),
        harm=_taken,
        unharmed=registers,
        control="the receiver reads strictly: the message's character set, one header, the segments of its type",
        weakenings=(
            restarted(
                "the receiver guesses at bytes that are no text, and looks neither for a second header nor at segments",
                literal(
                    MESSAGES,
                    "text = data.decode(character_set.codec)",
                    'text = data.decode(character_set.codec, "replace")',
                ),
                literal(MESSAGES, 'if sum(fields[0] == "MSH" for fields in segments) != 1:', "if not segments:"),
                literal(RECEIVER, "if not follows(message.names, SHAPES[message.type]):", "if not message.names:"),
            ),
        ),
    ),
)
