"""The systems that tell the gateway whom a person treats and whom a department sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulators.access.calling import OK, Service, open_service
from simulators.errors import RefusedError
from simulators.relations.resource import CERTIFICATE, ROOT, SERVICE, path_of, patients_in

if TYPE_CHECKING:
    from simulators.access.policy import Scope
    from simulators.settings import Settings

CONNECTIONS = 4
LONGEST_ANSWER = 8 * 2**20


@dataclass(frozen=True)
class Source:
    """A system that knows orders, admissions or procedures."""

    service: Service

    @property
    def name(self) -> str:
        """Its host."""
        return self.service.name

    async def patients(self, scope: Scope, who: str) -> frozenset[str]:
        """The patients of a person or of a department.

        Raises:
            UnreachableError: it does not answer.
            RefusedError: it answers otherwise than with patients.
        """
        async with self.service.ask("GET", path_of(scope, who), {"Accept": "application/json"}) as answer:
            said = await self.service.whole(answer, LONGEST_ANSWER)
            try:
                if answer.status == OK:
                    return patients_in(said)
            except ValueError:
                pass
            raise RefusedError(f"{self.name} answers {answer.status} and tells no patients", remedy="Read its log.")


def open_sources(settings: Settings) -> list[Source]:
    """Every system that a flow of the host leads to for this."""
    return [
        Source(open_service(settings, peer, ROOT, certificate=CERTIFICATE, connections=CONNECTIONS))
        for peer in settings.find_peers(SERVICE)
    ]
