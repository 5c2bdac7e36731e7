"""Who this modality is and how it calls its peers."""

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
class Links:
    """The modality's identity and its peers; ``tls`` is None only where a test or the benchmark speaks plain DICOM."""

    ae_title: str
    modality: str
    ris: Peer
    archive: Peer
    tls: ssl.SSLContext | None

    @property
    def equipment(self) -> Equipment:
        """How the modality describes itself in its objects."""
        return Equipment(ae_title=self.ae_title, model=f"{self.modality} simulator")

    def open(
        self, peer: Peer, contexts: Sequence[PresentationContext], handlers: Sequence[Any] = ()
    ) -> AbstractContextManager[Association]:
        """Open an association with a peer; see :func:`simulators.association.associate`."""
        return associate(peer, contexts, calling=self.ae_title, tls=self.tls, handlers=handlers)


def links_of(settings: Settings) -> Links:
    """Read them from the host's settings.

    Raises:
        NotReadyError: the host is no modality.
        NotFoundError: no flow lets it reach a RIS or an archive.
    """
    ae_title, modality = own_identity(settings)
    return Links(
        ae_title=ae_title,
        modality=modality,
        ris=settings.peer("dicom-tls", permit="MWL"),
        archive=settings.peer("dicom-tls", permit="C-STORE"),
        tls=client_context(settings, CERTIFICATE),
    )


def own_identity(settings: Settings) -> tuple[str, str]:
    """AE title and modality of this host.

    Raises:
        NotReadyError: the site gives the host none.
    """
    host = settings.host
    if not host.ae_title or not host.modality:
        raise NotReadyError(
            f"{host.name} is not a modality.",
            remedy="Give it ae_title and modality in topology.yml and configure again.",
        )
    return host.ae_title, host.modality
