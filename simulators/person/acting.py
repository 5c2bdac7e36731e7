"""Who does what a command does, and whether the person may: role, action and scope, as at the gateway.

The sign-on is asked at every command, so whose session has ended acts no more. A site without a sign-on has nobody to
ask: commands work there, and every event says that nobody was signed in.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from simulators.access import policy
from simulators.access.decision import no_relation, scope_of
from simulators.access.denied import DeniedError
from simulators.access.policy import Scope
from simulators.access.relations import EVERYBODY, Reach, Relations
from simulators.access.subject import Subject
from simulators.errors import ArgumentError, NotReadyError
from simulators.events import reasons
from simulators.events.report import standing
from simulators.person.portal import SERVICE, Portal
from simulators.person.sessions import Sessions
from simulators.relations.resource import Relation

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable
    from contextlib import ExitStack

    from simulators.access.sources import Source
    from simulators.settings import Settings

    Own = Callable[[Relation, str], Iterable[str]]


@dataclass(frozen=True)
class Acting:
    """Who acts; without a name nobody who is known does.

    Attributes:
        name: the person's name at sign-on.
        family: family name.
        given: given name.
        department: where the person works.
    """

    name: str = ""
    family: str = ""
    given: str = ""
    department: str = ""

    @property
    def person_name(self) -> str:
        """The person's name in DICOM (PN, PS3.5 6.2.1.1), without what would divide it."""
        parts = [part.translate({ord(sign): " " for sign in "^=\\"}) for part in (self.family, self.given)]
        return "^".join(parts).rstrip("^")

    def reach(self, own: Own | None = None) -> Reach:
        """The patients for whom the person may do this.

        Args:
            own: finds the patients of a person or of a department in what this host knows itself.
        """
        del own
        return EVERYBODY

    def require(self, patient: str, own: Own | None = None) -> None:
        """Let the person do it to a patient.

        Raises:
            DeniedError: the person does not treat the patient, nor does the department; or nobody can say so.
        """
        del patient, own


NOBODY = Acting()
"""Where nobody signs in."""


@dataclass(frozen=True)
class SignedIn(Acting):
    """A person whom the sign-on knows, with the patients that the policy gives for the action."""

    roles: tuple[str, ...] = ()
    scope: Scope = Scope.NONE
    settings: Settings | None = field(default=None, repr=False)

    @property
    def subject(self) -> Subject:
        """The person, as decisions take people."""
        return Subject(self.name, self.roles, self.department, "")

    def reach(self, own: Own | None = None) -> Reach:
        """Ask this host's own knowledge, and every system that a flow leads to."""
        patients = self._known(own)
        asked = asyncio.run(self._asked())
        return Reach(asked.everybody, asked.patients | patients, asked.silent)

    def require(self, patient: str, own: Own | None = None) -> None:
        """Ask other systems only where this host's own knowledge does not say yes."""
        if self.scope is Scope.ALL or patient in self._known(own):
            return
        reach = self.reach(None)
        if not reach.has(patient):
            raise no_relation(reach)

    def _known(self, own: Own | None) -> frozenset[str]:
        who = {Scope.DEPARTMENT: self.department, Scope.TREATMENT: self.name}.get(self.scope, "")
        return frozenset(own(Relation(self.scope), who)) if own is not None and who else frozenset()

    async def _asked(self) -> Reach:
        sources: list[Source] = []
        if self.scope in {Scope.DEPARTMENT, Scope.TREATMENT} and self.settings is not None:
            from simulators.access.sources import open_sources  # noqa: PLC0415 # aiohttp takes a third of a second

            sources = open_sources(self.settings)
        try:
            return await Relations(sources).reach(self.subject, self.scope)
        finally:
            for source in sources:
                await source.service.session.close()


def act(arguments: argparse.Namespace, settings: Settings, action: str, meanwhile: ExitStack) -> None:
    """Find out who acts, name the person in every event meanwhile, and decide; ``arguments.acting`` is the person then.

    Raises:
        DeniedError: nobody is signed in, or none of the person's roles may do this.
        ArgumentError: several people are signed in, and none is named; or somebody is, where nobody signs in.
        NotReadyError: the policy cannot be read.
        UnreachableError: the sign-on does not answer.
    """
    named: str | None = arguments.person
    if not settings.find_peers(SERVICE):
        if named is not None:
            raise ArgumentError("nobody signs in at this site", remedy="Leave out --as.")
        meanwhile.enter_context(standing({"signed_in": False}))
        arguments.acting = NOBODY
        return
    person = _who(named, Sessions(), Portal.of(settings))
    meanwhile.enter_context(standing({"person": person.name}))
    scope = scope_of(policy.load(), person.subject, action)
    arguments.acting = SignedIn(
        person.name, person.family, person.given, person.department, person.roles, scope, settings
    )


def _who(named: str | None, sessions: Sessions, portal: Portal) -> SignedIn:
    """The person who acts, as the sign-on knows the person by now."""
    people = sessions.people()
    if named is None and len(people) > 1:
        raise ArgumentError(f"several people are signed in: {', '.join(people)}", remedy="Say who acts, with --as.")
    session = sessions.get(named or people[0]) if named or people else None
    if session is None:
        raise not_signed_in(named)
    claims = portal.claims(session)
    if claims is None:
        sessions.forget(session.person)
        raise not_signed_in(session.person)
    groups = claims.get("groups", [])
    if not isinstance(groups, list):
        raise NotReadyError("the sign-on tells no roles", remedy="Configure the sign-on again.")
    family, given, department = (str(claims.get(key) or "") for key in ("family_name", "given_name", "department"))
    return SignedIn(session.person, family, given, department, tuple(str(group) for group in groups))


def not_signed_in(person: str | None) -> DeniedError:
    """Say that nobody is signed in, or that this person is not."""
    return DeniedError(
        f"{person} is not signed in." if person else "Nobody is signed in.",
        remedy="`sign-in PERSON` asks for the password and the second factor.",
        reason=reasons.NOT_SIGNED_IN,
        status=401,
    )
