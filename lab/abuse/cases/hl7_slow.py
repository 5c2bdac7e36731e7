"""A permitted sender that begins a message and never ends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.abuse.evidence import Evidence
from lab.abuse.misuse import Misuse, fresh_patient
from lab.abuse.model import AbuseCase
from lab.abuse.order_filler import restarted
from lab.abuse.parties import record_at_ris
from lab.abuse.sights import names_of, registers
from lab.abuse.weakening import literal

if TYPE_CHECKING:
    from lab.abuse.attempt import Tried
    from lab.abuse.scene import Scene


def _ended(scene: Scene) -> Evidence:
    return Evidence(scene.parties.target, "timeout", about=(names_of(scene, scene.parties.source),))


def _held(scene: Scene, tried: Tried) -> str:
    """Harm: the connection is still open, longer than any message takes."""
    words = (
        f"{scene.parties.source} holds a connection of {scene.parties.target} with an octet a second: {tried.detail}"
    )
    return "" if tried.refused else words


CASES = (
    AbuseCase(
        "abuse.hl7-slow",
        "HL7: a message that never ends, an octet a second",
        parties=record_at_ris,
        attempt=Misuse("hl7-slow", words=fresh_patient),
        evidence=_ended,
        harm=_held,
        unharmed=registers,
        control="the receiver takes a message within a time, however often an octet of it comes",
        weakenings=(
            restarted(
                "the receiver waits for the next octet",
                literal("mllp.py", "FRAME_SECONDS = 30.0", "FRAME_SECONDS = 3000.0"),
            ),
        ),
    ),
)
