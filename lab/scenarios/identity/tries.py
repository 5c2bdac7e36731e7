"""What people try, each at the place itself, and how what came of it is judged against the policy."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lab.hospital.hospital import why
from lab.hospital.signed_in import reason_of, run_as, try_sign_in
from lab.scenarios.examination.people import on_record
from lab.scenarios.failure import StepFailure, require
from lab.scenarios.identity.facts import IdentityFacts, actions_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.hospital.collected import Mark
    from lab.scenarios.stage import Stage

    Scene = Stage[IdentityFacts]

NO_RIGHT = {"role", "no-relation"}
"""Why somebody may not: by role at all, or not with this patient."""


@dataclass
class Tally:
    """How often people were let do something, and refused, as the policy says."""

    done: int = 0
    refused: int = 0
    people: set[str] = field(default_factory=set)

    def count(self, person: str, *, let: bool) -> None:
        """One more."""
        self.people.add(person)
        self.done, self.refused = self.done + let, self.refused + (not let)

    def __str__(self) -> str:
        """In words."""
        return f"{len(self.people)} people: {self.done} times let, {self.refused} times refused, as the policy says"


@dataclass(frozen=True)
class Desk:
    """A host at whose command people act.

    Attributes:
        scene: The stage.
        place: The policy's word for it.
        host: The host.
        command: The command.
    """

    scene: Scene
    place: str
    host: str
    command: str

    def mark(self) -> Mark:
        """Where the host's log ends now."""
        return self.scene.hospital.collected.mark(self.host)

    def enter(self, person: str, tally: Tally) -> bool:
        """Have a person sign in: who may do something there comes in, nobody else does, and both are on record.

        Raises:
            StepFailure: it is otherwise.
        """
        wanted = bool(actions_at(self.scene.hospital.site, person, self.place))
        mark = self.mark()
        typed = try_sign_in(self.scene.hospital, self.host, self.command, person)
        outcome = {"outcome": "success"} if wanted else {"outcome": "refused", "reason": "role"}
        told = typed.code == 0 if wanted else typed.code == 1 and reason_of(typed) == "role"
        require(told, f"{person} signing in at {self.host}: {typed.code}, {why(typed)}; by policy {outcome}")
        self.on_record(mark, person, action="sign-in", **outcome)
        tally.count(person, let=wanted)
        return wanted

    def attempt(self, person: str, words: Sequence[str], *, allowed: bool, tally: Tally) -> dict[str, Any]:
        """Have a person who is signed in do something; what it answered.

        Raises:
            StepFailure: the person is let where the policy refuses, or refused where it lets, or it is not on record.
        """
        mark = self.mark()
        ran = run_as(self.scene.hospital, self.host, [self.command, *words], person, timeout=120)
        said, reason = f"{person}: {self.command} {words[0]} ended with {ran.code}", reason_of(ran)
        if allowed:
            require(ran.code == 0, f"{said}, although the policy lets: {why(ran)}")
        else:
            require(ran.code == 1 and reason in NO_RIGHT, f"{said}, although the policy refuses: {why(ran)}")
            self.on_record(mark, person, action="command", verb=words[0], outcome="refused", reason=reason)
        tally.count(person, let=allowed)
        try:
            answer: dict[str, Any] = json.loads(ran.stdout)
        except ValueError as error:
            raise StepFailure(f"{said} and no JSON: {ran.stdout[:200]!r}") from error
        return answer

    def on_record(self, mark: Mark, person: str, **keys: str) -> None:
        """The collector has the event with the person's name.

        Raises:
            StepFailure: it has none.
        """
        on_record(self.scene, self.host, mark, program=self.command, person=person, **keys)
