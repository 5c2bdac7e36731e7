"""What a drill is made of: the fault, what must be noticed, the repair, and what must be counted afterwards."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from lab.results.model import Promise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from lab.drills.scene import Scene
    from lab.drills.subject import Subject
    from lab.topology.site import Site


@dataclass(frozen=True)
class Noticed:
    """What somebody who looks after the hospital is told of the fault.

    Attributes:
        text: What, in a few words.
        within: Seconds in which it has to be told, from the fault on.
        look: One look: what is told, or nothing yet.
    """

    text: str
    within: float
    look: Callable[[Scene], str] = field(repr=False)


@dataclass(frozen=True)
class Repair:
    """How the hospital is well again.

    Attributes:
        text: How, in a few words.
        within: Seconds in which every service has to be healthy, from when the repair begins.
        act: Does it; for what comes back by itself, nothing.
    """

    text: str
    within: float
    act: Callable[[Scene], None] = field(repr=False)


@dataclass(frozen=True)
class Count:
    """How often something was found where it belongs.

    Attributes:
        what: Of what, and where.
        wanted: How many were acknowledged to whoever sent them: each has to be there once.
        found: How many of these are there.
        twice: How many are there more than once.
        broken: What is there that cannot be read.
        may_repeat: How many may be there more than once, where a sender that lost its power says again what it does
            not know to have said.
    """

    what: str
    wanted: int
    found: int
    twice: int = 0
    broken: int = 0
    may_repeat: int = 0

    @property
    def good(self) -> bool:
        """Whether each is there, once unless it may be repeated, and whole."""
        return self.found == self.wanted and self.twice <= self.may_repeat and not self.broken

    def __str__(self) -> str:
        """In words."""
        more = [f"{number} {word}" for number, word in ((self.twice, "twice"), (self.broken, "broken")) if number]
        return f"{self.found} of {self.wanted} {self.what}" + (f" ({', '.join(more)})" if more else "")


class Load(Protocol):
    """Work that goes on while the fault is there, and that is counted afterwards."""

    def send(self, scene: Scene, phase: str) -> None:
        """Do some of it, ``before``, ``during`` or ``after`` the fault. What the sender is refused is not counted."""

    def count(self, scene: Scene) -> Sequence[Count]:
        """One look at what came of it."""


@dataclass(frozen=True)
class Drill:
    """A fault that a hospital must get over.

    A module of ``lab/drills/cases/`` that has such drills as ``DRILLS`` is found by being there.

    Attributes:
        id: Of its results, ``drill.<name>``: unique, and never used again for something else.
        title: What goes wrong, for people.
        subjects: Where the fault is made on a site, one after the other; nothing where the site has no such thing.
        prepared: What the fault needs and the hospital has not, such as a disk that is small enough to be filled; it
            is there from before the work begins until all is counted.
        fault: Makes the fault; leaving it takes away what only the drill has brought, such as what fills a disk.
        noticed: What must be told of it.
        repair: How it is repaired; the fault's own remains are gone by then.
        loads: The work that is counted; a new one is made for each subject.
        counted: What the counts are about, in a few words.
        settles: Seconds in which everything has to have arrived, from when all is healthy.
        sizes: How much of what there is by name, for a drill that is made larger or smaller.
    """

    id: str
    title: str
    subjects: Callable[[Site], Iterable[Subject]] = field(repr=False)
    fault: Callable[[Scene], AbstractContextManager[object]] = field(repr=False)
    noticed: Noticed
    repair: Repair
    loads: Callable[[Site, Subject], Iterable[Load]] = field(repr=False)
    counted: str
    settles: float = 90.0
    prepared: Callable[[Scene], AbstractContextManager[object]] = field(default=lambda _: nullcontext(), repr=False)
    sizes: Mapping[str, int] = field(default_factory=dict)

    @property
    def promise(self) -> Promise:
        """What is judged of it."""
        return Promise(
            self.id, f"{self.title}: noticed and repaired, and nothing that was acknowledged is lost or doubled."
        )
