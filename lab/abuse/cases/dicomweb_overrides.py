"""Workstations whose search is to be taken for a request of another method behind the edge."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from lab.abuse.attempt import Parties, PartyMissingError
from lab.abuse.edges import RELOADED
from lab.abuse.evidence import Evidence
from lab.abuse.misuse import Misuse
from lab.abuse.model import AbuseCase
from lab.abuse.parties import flows
from lab.abuse.sights import answers_control, names_of
from lab.abuse.weakening import Edit

if TYPE_CHECKING:
    from lab.abuse.attempt import Tried
    from lab.abuse.scene import Scene
    from lab.topology.site import Site

EDGE = "/etc/haproxy/conf.d/40-dicomweb.cfg"
OF_THE_ARCHIVE = 405
"""What Orthanc answers to a DELETE of what cannot be deleted; the edge has no such answer."""


def reader_at_archive(site: Site) -> Parties:
    """Whoever may search an archive by DICOMweb.

    Raises:
        PartyMissingError: the site has nobody.
    """
    for flow in flows(site, "dicomweb-tls", "QIDO-RS"):
        return Parties(flow.source, flow.target)
    raise PartyMissingError("the site has nobody who searches an archive by DICOMweb")


def _refused(reason: str, scene: Scene) -> Evidence:
    return Evidence(scene.parties.target, reason, about=(names_of(scene, scene.parties.source),))


def _reached(scene: Scene, tried: Tried) -> str:
    """Harm: the archive itself took the search for a DELETE."""
    reached = tried.facts.get("status") == OF_THE_ARCHIVE
    return f"{scene.parties.target}'s archive took a search for a DELETE: {tried.detail}" if reached else ""


def _without(reason: str) -> Edit:
    return Edit(EDGE, rf"^ *http-request set-var\(txn\.reason\) str\({reason}\) .*\n", "")


_READER = partial(AbuseCase, parties=reader_at_archive, harm=_reached, unharmed=answers_control, closes_anyway=True)

CASES = (
    _READER(
        "abuse.dicomweb-header",
        "DICOMweb: a search that a header declares to be a DELETE",
        attempt=Misuse("dicomweb-header"),
        evidence=partial(_refused, "other-method"),
        control="the DICOMweb edge refuses headers that give a request another method, and hands none on",
        weakenings=(
            RELOADED(
                "the edge looks at no such header",
                (_without("other-method"), Edit(EDGE, r"^ *http-request del-header x- -m beg\n", "")),
            ),
        ),
    ),
    _READER(
        "abuse.dicomweb-word",
        "DICOMweb: a search that a word of its query declares to be a DELETE",
        attempt=Misuse("dicomweb-word"),
        evidence=partial(_refused, "query"),
        control="the DICOMweb edge hands on queries of the form of PS3.18 8.3.4 alone",
        weakenings=(RELOADED("the edge looks at no query", (_without("query"),)),),
    ),
)
