"""A lab whose hosts are this machine, a hospital that answers what it is told to, and cases for them."""

from __future__ import annotations

import json
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from lab.abuse.attempt import Parties, Tried
from lab.abuse.evidence import Evidence
from lab.abuse.model import AbuseCase
from lab.engine.execute import Completed
from lab.hospital.trail import Trail
from tests.unit.lab.verify.sites import small_site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lab.abuse.scene import Scene
    from lab.engine.lab import Lab
    from lab.hospital.hospital import Hospital

PARTIES = Parties("ct1", "pacs")
EVENT = {"outcome": "refused", "reason": "wrong", "peer": "ct1"}
LINE = {"program": "haproxy", "message": json.dumps(EVENT), "data": EVENT}


class LocalLab:
    """Runs what hosts are asked to run on this machine."""

    site = small_site()
    name = "trial"

    def __init__(self) -> None:
        """Nothing was run yet."""
        self.ran: list[list[str]] = []

    def run(self, _: str, argv: Sequence[str], *, input: bytes | None = None, timeout: float = 60) -> Completed:  # noqa: A002 # the name that Lab.run gives it
        """Run a command."""
        self.ran.append(list(argv))
        done = subprocess.run(list(argv), input=input, capture_output=True, timeout=timeout, check=False)
        return Completed(done.returncode, done.stdout.decode(), done.stderr.decode())

    @property
    def lab(self) -> Lab:
        """As a lab."""
        return cast("Lab", self)


@dataclass
class Log:
    """A collector that has these lines."""

    lines: list[dict[str, Any]]
    centre: str = "siem"

    def mark(self, _: str) -> dict[str, int]:
        """Where it ends."""
        return {}

    def since(self, _: str, __: dict[str, int]) -> list[dict[str, Any]]:
        """All of it."""
        return self.lines

    def wait(
        self, _: str, __: dict[str, int], wanted: Callable[[dict[str, Any]], bool], *, timeout: float
    ) -> dict[str, Any] | None:
        """The first line that is wanted; nobody waits."""
        assert timeout > 0
        return next((line for line in self.lines if wanted(line)), None)


@dataclass
class World:
    """Whether a control is on, and what the lab's log says."""

    control: bool = True
    weakens: bool = True
    lines: list[dict[str, Any]] = field(default_factory=lambda: [LINE])
    applied: int = 0
    broken: bool = False

    def hospital(self) -> Hospital:
        """A hospital with that log."""
        made = SimpleNamespace(lab=LocalLab(), site=LocalLab.site, collected=Log(self.lines), trail=Trail())
        return cast("Hospital", made)


@dataclass(frozen=True)
class Switch:
    """A weakening of a world."""

    world: World = field(compare=False)
    text: str = "the control is off"
    restores: bool = True

    def host(self, *_: object) -> str:
        """Somewhere."""
        return "pacs"

    @contextmanager
    def applied(self, *_: object) -> Iterator[None]:
        """Switch the world's control off for a while."""
        self.world.applied += 1
        self.world.control = self.world.control and not self.world.weakens
        yield
        self.world.control = True
        if not self.restores:
            from lab.abuse.failure import RestoreError  # noqa: PLC0415 # for this one purpose

            raise RestoreError("not switched on again", remedy="Remove the clone.")


def case(world: World, name: str = "abuse.trial", **changes: Any) -> AbuseCase:
    """A case that the world's control stops."""

    def attempt(_: Scene) -> Tried:
        return Tried(world.control, "in words", {"done": not world.control})

    made: dict[str, Any] = {
        "id": name,
        "title": "A trial",
        "parties": lambda _: PARTIES,
        "attempt": attempt,
        "evidence": lambda _: Evidence("pacs", "wrong", about=(frozenset({"ct1", "10.0.0.1"}),)),
        "harm": lambda _, tried: "harm was done" if tried.facts["done"] else "",
        "unharmed": lambda *_: "it works on",
        "control": "the world's control",
        "weakenings": (Switch(world),),
    }
    return AbuseCase(**{**made, **changes})
