"""Who this workstation is, and the archive it works with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simulators.association import associate
from simulators.errors import NotReadyError
from simulators.imaging.context import Equipment
from simulators.tls import client_context

if TYPE_CHECKING:
    import ssl
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from pynetdicom.association import Association
    from pynetdicom.presentation import PresentationContext

    from simulators.settings import Peer, Settings

CERTIFICATE = "dicom-client"


@dataclass(frozen=True)
class Desk:
    """A workstation at work with one archive; ``tls`` is None only in tests."""

    ae_title: str
    archive: Peer
    tls: ssl.SSLContext | None

    @property
    def equipment(self) -> Equipment:
        """How the workstation describes itself in its objects."""
        return Equipment(ae_title=self.ae_title, model="Workstation simulator")

    def open(
        self, contexts: Sequence[PresentationContext], *, handlers: Sequence[Any] = (), roles: Sequence[Any] = ()
    ) -> AbstractContextManager[Association]:
        """Open an association with the archive; see :func:`simulators.association.associate`."""
        return associate(self.archive, contexts, calling=self.ae_title, tls=self.tls, handlers=handlers, roles=roles)


def desk_of(settings: Settings, archive: str | None, permit: str, service: str = "dicom-tls") -> Desk:
    """The workstation with the archive of that name, or the first one that permits the operation.

    Raises:
        NotReadyError: the site gives the host no AE title, or a certificate is missing.
        NotFoundError: no flow permits the operation.
    """
    title = settings.host.ae_title
    if not title:
        raise NotReadyError(
            f"{settings.host.name} is not a workstation.",
            remedy="Give it ae_title in topology.yml and configure again.",
        )
    return Desk(title, settings.peer(service, name=archive, permit=permit), client_context(settings, CERTIFICATE))
