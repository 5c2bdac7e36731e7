"""Abuse cases of the lab as deeds: what each has to have on record tells whom the alert has to be about."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from lab.abuse.registry import cases
from lab.abuse.scene import Scene as Attempted
from lab.abuse.sights import names_of
from lab.scenarios.failure import require
from lab.scenarios.monitoring.deed import WITHIN, Attempt, Deed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.abuse.model import AbuseCase
    from lab.hospital.hospital import Actor
    from lab.scenarios.monitoring.facts import Scene

CASES = cases()


def of_case(step: str, case: str, by: Actor, rule: str, *, within: float = WITHIN, lines: bool = False) -> Deed:
    """An abuse case as a deed.

    Args:
        step: The deed's id.
        case: The case's id.
        by: Who has to be there.
        rule: Which rule has to notice it.
        within: Seconds until its alert.
        lines: The rule needs what hosts tell in no audit message.
    """
    tried = CASES[case]
    transaction = tried.title.partition(":")[0]
    return Deed(step, tried.title, by, transaction, rule, partial(_ready, tried), within, lines)


def _ready(case: AbuseCase, stage: Scene) -> Attempt:
    parties = case.parties(stage.hospital.site)
    stage.acts(parties.source)
    scene = Attempted(stage.hospital, parties)
    evidence = case.evidence(scene)
    about = frozenset().union(*evidence.about) or names_of(scene, parties.source) | names_of(scene, parties.target)
    return Attempt(partial(_tried, case, scene), about)


@contextmanager
def _tried(case: AbuseCase, scene: Attempted) -> Iterator[str]:
    """Make the attempt, which is refused; nothing of it has to be taken back."""
    scene.begin(scene.parties.target)
    tried = case.attempt(scene)
    require(tried.refused, f"{scene.parties.target} let it through: {tried.detail}")
    yield f"{scene.parties.source} was refused {tried.detail}"
