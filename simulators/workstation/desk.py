"""Who this workstation is, and the archive it works with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simulators.association import associate
from simulators.errors import ArgumentError, NotReadyError
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

    @property
    def actor(self) -> dict[str, str]:
        """Who asks whom, for an event."""
        return {"ae_title": self.ae_title, "peer": self.archive.name}

    def open(
        self, contexts: Sequence[PresentationContext], *, handlers: Sequence[Any] = (), roles: Sequence[Any] = ()
    ) -> AbstractContextManager[Association]:
        """Open an association with the archive; see :func:`simulators.association.associate`."""
        return associate(self.archive, contexts, calling=self.ae_title, tls=self.tls, handlers=handlers, roles=roles)


DEFAULT_FUNCTION = "primary-archive"
"""The archive that a workstation works with where it could work with several and is not told which."""


def desk_of(settings: Settings, archive: str | None, permit: str, service: str = "dicom-tls") -> Desk:
    """The workstation with the archive of that name, or else with the one that permits the operation.

    Where several permit it, the site's primary archive is meant.

    Raises:
        NotReadyError: the site gives the host no AE title, or a certificate is missing.
        NotFoundError: no flow permits the operation.
        ArgumentError: several archives permit it, and none of them is the primary one.
    """
    title = settings.host.ae_title
    if not title:
        raise NotReadyError(
            f"{settings.host.name} is not a workstation.",
            remedy="Give it ae_title in topology.yml and configure again.",
        )
    return Desk(title, _archive(settings, archive, permit, service), client_context(settings, CERTIFICATE))


def _archive(settings: Settings, name: str | None, permit: str, service: str) -> Peer:
    found = settings.find_peers(service, name=name, permit=permit)
    if len(found) > 1:
        found = [peer for peer in found if DEFAULT_FUNCTION in peer.functions]
        if not found:
            raise ArgumentError(f"several archives permit {permit}.", remedy="Name one of them with --archive.")
    return found[0] if found else settings.peer(service, name=name, permit=permit)
