"""One caller that tries too much: association after association, and one AE title after the other."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from lab.abuse.misuse import fresh_instance, misuse
from lab.abuse.parties import scanner_at_archive
from lab.abuse.scene import Scene as Attempted
from lab.abuse.sights import names_of
from lab.hospital.hospital import Actor
from lab.scenarios.failure import require
from lab.scenarios.monitoring.deed import Attempt, Deed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.scenarios.monitoring.facts import Scene

SCANNER = Actor("acquisition")
CROWDS = 4
"""Each opens 16 associations, of which the edge lets eight in: the rule counts twenty refusals."""
TITLES = 4
"""The rule counts three."""


def _at_archive(stage: Scene) -> Attempted:
    parties = scanner_at_archive(stage.hospital.site)
    stage.acts(parties.source)
    return Attempted(stage.hospital, parties)


def _flood(stage: Scene) -> Attempt:
    scene = _at_archive(stage)
    return Attempt(partial(_crowds, scene), names_of(scene, scene.parties.source))


@contextmanager
def _crowds(scene: Attempted) -> Iterator[str]:
    source = scene.parties.source
    answers = [misuse(scene, source, "dicom-crowd") for _ in range(CROWDS)]
    let_in = [answer.detail for answer in answers if not answer.refused]
    require(not let_in, f"{scene.parties.target} let {source} have all of them: {let_in}")
    yield f"{source}: {'; '.join(answer.detail for answer in answers)}"


def _brute_force(stage: Scene) -> Attempt:
    scene = _at_archive(stage)
    return Attempt(partial(_titles, scene), names_of(scene, scene.parties.source))


@contextmanager
def _titles(scene: Attempted) -> Iterator[str]:
    """Claim titles that nobody has."""
    source = scene.parties.source
    for _ in range(TITLES):
        title = f"GUESS{scene.number()}"
        answer = misuse(scene, source, "dicom-other-title", "--ae-title", title, *fresh_instance(scene))
        require(answer.refused, f"{scene.parties.target} let {source} in as {title}: {answer.detail}")
    yield f"{source} claimed {TITLES} AE titles one after the other"


DEEDS = (
    Deed(
        "association-flood", "DICOM: a scanner opens association after association", SCANNER, "DICOM",
        "association-flood", _flood,
    ),
    Deed(
        "title-guessing", "DICOM: a scanner claims one AE title after the other", SCANNER, "DICOM",
        "ae-titles-claimed", _brute_force,
    ),
)  # fmt: skip
