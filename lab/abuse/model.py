"""What an abuse case is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lab.results.model import Promise

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.abuse.attempt import Parties, Tried
    from lab.abuse.evidence import Evidence
    from lab.abuse.scene import Scene
    from lab.abuse.weakening import Weakening
    from lab.topology.site import Site


@dataclass(frozen=True)
class AbuseCase:
    """Something that a lab must refuse, with the proof that it would succeed otherwise.

    A module of ``lab/abuse/cases/`` that has such cases as ``CASES`` is found by being there.

    Attributes:
        id: Of its results, ``abuse.<name>``: unique, and never used again for something else.
        title: What is tried, for people.
        parties: Chooses the hosts of a site by what they are and which flows they have; raises
            :class:`~lab.abuse.attempt.PartyMissingError` on a site that cannot have the case.
        attempt: Makes the attempt.
        evidence: What has to be on record at the collector when it was refused.
        harm: One look at what the attempt did: the harm in words, or nothing.
        unharmed: The positive control: the service still does what it is for; says so in words, or raises
            :class:`~lab.abuse.failure.NotAsPromised`.
        control: Which control stops it, in a few words.
        weakenings: How that control is switched off for a trial: all that would stop the attempt, and nothing else.
        closes_anyway: True where the source sees the connection closed even though its attempt succeeded, because
            what stands behind the control closes it too; ``harm`` alone then says whether it succeeded.
    """

    id: str
    title: str
    parties: Callable[[Site], Parties]
    attempt: Callable[[Scene], Tried] = field(repr=False)
    evidence: Callable[[Scene], Evidence] = field(repr=False)
    harm: Callable[[Scene, Tried], str] = field(repr=False)
    unharmed: Callable[[Scene, Tried], str] = field(repr=False)
    control: str
    weakenings: tuple[Weakening, ...] = field(repr=False)
    closes_anyway: bool = False

    @property
    def promise(self) -> Promise:
        """What is judged of it."""
        return Promise(self.id, f"{self.title}: refused and on record, though without its control it would succeed.")
