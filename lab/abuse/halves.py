"""The two halves of an abuse case: as shipped it is refused and on record; without the control it succeeds."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.abuse.evidence import words_of
from lab.abuse.failure import NotAsPromised, require

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.abuse.evidence import Evidence
    from lab.abuse.model import AbuseCase
    from lab.abuse.scene import Scene

RECORDED_WITHIN = 20.0
"""Seconds in which a refusal has to reach the log collector."""
DONE_WITHIN = 10.0
"""Seconds in which the harm of an attempt that was let through has to show."""


@dataclass(frozen=True)
class Half:
    """What came of one half: whether it came out as it has to, and what was seen, in words."""

    good: bool
    said: str


def as_shipped(case: AbuseCase, scene: Scene) -> Half:
    """Make the attempt on a lab as it ships: refused, on record, without harm, and the service unharmed.

    Raises:
        PacslabError: the attempt could not be made, or nothing could be seen of it.
    """
    try:
        return Half(good=True, said="; ".join(_shipped(case, scene)))
    except NotAsPromised as observed:
        return Half(good=False, said=str(observed))


def _shipped(case: AbuseCase, scene: Scene) -> Iterator[str]:
    evidence = case.evidence(scene)
    scene.begin(scene.parties.target, evidence.host)
    tried = case.attempt(scene)
    require(tried.refused, f"{scene.parties.target} let it through: {tried.detail}")
    yield f"refused {tried.detail}"
    line = scene.wait_logged(evidence.host, evidence.is_met_by, timeout=RECORDED_WITHIN)
    require(line is not None, f"refused {tried.detail}, but {_missing(evidence, scene)}")
    collector = scene.hospital.collected.centre
    scene.hospital.trail.note(json.dumps(line), f"log of {evidence.host} at {collector}", time.time())
    yield f"{collector} has it: {words_of(line or {})[:200]}"
    harm = case.harm(scene, tried)
    require(not harm, f"refused {tried.detail}, and yet {harm}")
    yield case.unharmed(scene, tried)


def _missing(evidence: Evidence, scene: Scene) -> str:
    lines = [words_of(line)[:160] for line in scene.logged(evidence.host)][-3:]
    return f"{scene.hospital.collected.centre} has no {evidence}; the last ones: {lines}"


def without_control(case: AbuseCase, scene: Scene) -> Half:
    """Make the attempt while the control is switched off: it has to succeed, and its harm has to be seen.

    Raises:
        PacslabError: the attempt could not be made, or nothing could be seen of it.
    """
    scene.begin(scene.parties.target)
    tried = case.attempt(scene)
    let_through = case.closes_anyway or not tried.refused
    harm = scene.eventually(lambda: case.harm(scene, tried), timeout=DONE_WITHIN if let_through else 0.0)
    otherwise = f"no harm was seen after {tried.detail}" if let_through else f"still refused {tried.detail}"
    return Half(good=bool(harm) and let_through, said=harm if harm and let_through else otherwise)
