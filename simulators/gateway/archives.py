"""The archives behind the gateway, each asked through its DICOMweb edge."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from simulators.access.calling import OK, Service, open_service
from simulators.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulators.settings import Settings

Found = dict[str, Any]
"""One result of a search, in the DICOM JSON model (PS3.18 F.2)."""

SERVICE, CERTIFICATE = "dicomweb-tls", "gateway"
ROOT = "/dicom-web"
CONNECTIONS = 32
"""With one archive at a time; its edge lets the gateway have more, and other callers theirs."""
LONGEST_ANSWER = 64 * 2**20
NO_CONTENT = 204
STUDY, SERIES, INSTANCE, PATIENT, ISSUER, RETRIEVE_URL = (
    "0020000D",
    "0020000E",
    "00080018",
    "00100020",
    "00100021",
    "00081190",
)


def value(found: Found, tag: str) -> str:
    """The only value of an attribute, as text; empty where it has none."""
    values = found.get(tag, {}).get("Value") or [""]
    return values[0] if len(values) == 1 and isinstance(values[0], str) else ""


@dataclass(frozen=True)
class Archive:
    """One archive.

    Attributes:
        service: its DICOMweb edge.
        base: what URLs of its DICOMweb resources begin with, as it writes them itself.
        takes: whether the gateway may add objects there.
    """

    service: Service
    base: str
    takes: bool

    @property
    def name(self) -> str:
        """Its host."""
        return self.service.name

    async def search(self, path: str, query: Sequence[tuple[str, str]]) -> list[Found]:
        """Return what a search finds (PS3.18 10.6).

        Raises:
            UnreachableError: it does not answer.
            RefusedError: it answers otherwise than with results.
        """
        target = f"{path}?{urlencode(query, quote_via=quote)}"
        async with self.service.ask("GET", target, {"Accept": "application/dicom+json"}) as answer:
            if answer.status == NO_CONTENT:
                return []
            if answer.status != OK:
                raise RefusedError(f"{self.name} answers {answer.status} to a search", remedy="Look at its log.")
            try:
                found = json.loads(await self.service.whole(answer, LONGEST_ANSWER))
            except ValueError:
                found = None
        if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
            raise RefusedError(f"{self.name} answers a search with no results", remedy="Look at its log.")
        return found


def open_archives(settings: Settings) -> list[Archive]:
    """The archives that the host's flows lead to, long-term ones last."""
    peers = settings.find_peers(SERVICE, permit="QIDO-RS")
    peers.sort(key=lambda peer: ("long-term-archive" in peer.functions, peer.name))
    return [
        Archive(
            open_service(settings, peer, ROOT, certificate=CERTIFICATE, connections=CONNECTIONS),
            f"https://{peer.fqdn}:{peer.port}{ROOT}",
            "STOW-RS" in peer.permits,
        )
        for peer in peers
    ]
