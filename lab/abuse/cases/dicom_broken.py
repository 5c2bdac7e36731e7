"""What an archive cannot read, inside good TLS: no PDU, far too long a PDU, an object that is none."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from lab.abuse import edges
from lab.abuse.archives import STORE_ANYTHING, TAKEN
from lab.abuse.evidence import Evidence, words_of
from lab.abuse.misuse import Misuse, fresh_instance
from lab.abuse.model import AbuseCase
from lab.abuse.parties import scanner_alone_at_archive
from lab.abuse.sights import answers_control, at_gate, names_of
from lab.abuse.weakening import Edit

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.abuse.attempt import Tried
    from lab.abuse.scene import Scene


def _not_dicom(scene: Scene) -> Evidence:
    return Evidence(scene.parties.target, "not-dicom", about=(names_of(scene, scene.parties.source),))


def _reached_archive(error: str) -> Callable[[Scene, Tried], str]:
    """Harm: the archive's own program had to deal with what was sent, and complained of it."""

    def look(scene: Scene, _: Tried) -> str:
        host = scene.parties.target
        lines = [words_of(line) for line in scene.logged(host)]
        met = next((line for line in lines if line.startswith("Orthanc:") and error in line), "")
        return f"it reached the archive's own program, which closed: {met}" if met else ""

    return look


def _taken(scene: Scene, tried: Tried) -> str:
    """Harm: what stands in the archive's place keeps the object."""
    path = f"{TAKEN}/{tried.facts['instance']}"
    kept = scene.hospital.run(scene.parties.target, ["test", "-s", path]).code == 0
    return f"{scene.parties.target} keeps an object without patient, study and series" if kept else ""


_NOT_DICOM = (
    r"^ *tcp-request content set-var\(txn\.reason\) str\(not-dicom\) if {0}\n *tcp-request content reject if {0}\n"
)
"""The rule that notes the reason, and the one that ends the connection for it."""
_BROKEN = partial(AbuseCase, parties=scanner_alone_at_archive, unharmed=answers_control)

CASES = (
    _BROKEN(
        "abuse.dicom-malformed-pdu",
        "DICOM: text instead of a DICOM message",
        attempt=Misuse("dicom-garbage"),
        evidence=_not_dicom,
        harm=_reached_archive("Unrecognized PDU type"),
        control="the DICOM edge lets association requests in, and nothing else",
        weakenings=(
            edges.RELOADED(
                "the edge hands on whatever comes first",
                (
                    Edit(edges.DICOM, _NOT_DICOM.format("begun !associate_request"), ""),
                    Edit(edges.DICOM, _NOT_DICOM.format("oversized"), ""),
                    *edges.without(edges.DICOM, "ae-mismatch", "ae-title"),
                ),
            ),
        ),
        closes_anyway=True,
    ),
    _BROKEN(
        "abuse.dicom-oversized-pdu",
        "DICOM: an association request of almost 4 GiB",
        attempt=Misuse("dicom-oversized"),
        evidence=_not_dicom,
        harm=_reached_archive("A-ASSOCIATE PDU too large"),
        control="the DICOM edge limits the size of an association request",
        weakenings=(
            edges.RELOADED(
                "the edge takes an association request of any size",
                (Edit(edges.DICOM, _NOT_DICOM.format("oversized"), ""),),
            ),
        ),
        closes_anyway=True,
    ),
    _BROKEN(
        "abuse.dicom-malformed-object",
        "DICOM: an object without patient, study and series",
        attempt=Misuse("dicom-broken-object", words=fresh_instance),
        evidence=at_gate("invalid-identifier"),
        harm=_taken,
        control="the archive takes objects that name patient, study and series alone",
        weakenings=(STORE_ANYTHING,),
    ),
)
