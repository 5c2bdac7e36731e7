"""Abuse cases as steps: on a lab as it ships each is refused, on record, without harm, and the service works on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.abuse.attempt import PartyMissingError
from lab.abuse.halves import as_shipped
from lab.abuse.registry import cases
from lab.abuse.scene import Scene
from lab.scenarios.failure import NothingToJudge, require
from lab.scenarios.model import Step

if TYPE_CHECKING:
    from lab.hospital.hospital import Actor
    from lab.scenarios.stage import Stage

CASES = cases()


def refusal(step: str, case: str, by: Actor, needs: tuple[str, ...] = ()) -> Step[Any]:
    """An abuse case as a step.

    Args:
        step: The step's id.
        case: The case's id.
        by: Who has to be there; which host tries, the case chooses.
        needs: Steps without which the attempt makes no sense.
    """
    tried = CASES[case]

    def act(stage: Stage[Any]) -> str:
        try:
            parties = tried.parties(stage.hospital.site)
        except PartyMissingError as missing:
            raise NothingToJudge(str(missing)) from missing
        stage.acts(parties.source)
        half = as_shipped(tried, Scene(stage.hospital, parties))
        require(half.good, half.said)
        return half.said

    return Step(
        id=step,
        title=tried.title,
        by=by,
        transaction=tried.title.partition(":")[0],
        expected="it is refused, the log at the collector says so, it does no harm, and the service works on",
        act=act,
        needs=needs,
    )
