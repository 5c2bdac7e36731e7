"""The archives behind the gateway, each asked through its DICOMweb edge over mutual TLS."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import aiohttp

from simulators.errors import RefusedError, UnreachableError
from simulators.tls import client_context

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractAsyncContextManager

    from simulators.settings import Peer, Settings

Found = dict[str, Any]
"""One result of a search, in the DICOM JSON model (PS3.18 F.2)."""

CERTIFICATE = "gateway"
CONNECT_SECONDS, READ_SECONDS = 3.0, 30.0
LONGEST_ANSWER = 64 * 2**20
OK, NO_CONTENT = 200, 204
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
        name: its host.
        base: what URLs of its DICOMweb resources begin with, as it writes them itself.
    """

    name: str
    base: str
    session: aiohttp.ClientSession
    url: str
    identity: str

    async def search(self, path: str, query: Sequence[tuple[str, str]]) -> list[Found]:
        """Return what a search finds (PS3.18 10.6).

        Raises:
            UnreachableError: it does not answer.
            RefusedError: it answers otherwise than with results.
        """
        target = f"{path}?{urlencode(query, quote_via=quote)}"
        async with self.ask("GET", target, {"Accept": "application/dicom+json"}) as answer:
            if answer.status == NO_CONTENT:
                return []
            if answer.status != OK:
                raise RefusedError(f"{self.name} answers {answer.status} to a search", remedy="Look at its log.")
            try:
                text = await answer.content.read(LONGEST_ANSWER)
                found = json.loads(text)
            except (aiohttp.ClientError, TimeoutError) as error:
                raise self._silent(error) from error
            except ValueError:
                found = None
            if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
                raise RefusedError(f"{self.name} answers a search with no results", remedy="Look at its log.")
            return found

    def ask(
        self, method: str, path: str, headers: dict[str, str], data: Any = None
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        """Send a request on; entering it raises :class:`UnreachableError` where nobody answers."""
        return _Asking(self, method, path, headers, data)

    def _silent(self, error: BaseException) -> UnreachableError:
        return UnreachableError(
            f"{self.name} does not answer: {type(error).__name__}", remedy="Look at `pacslab status`."
        )


class _Asking:
    """A request on its way."""

    def __init__(self, archive: Archive, method: str, path: str, headers: dict[str, str], data: Any) -> None:
        self._archive = archive
        self._request = archive.session.request(
            method, f"{archive.url}{path}", headers=headers, data=data, server_hostname=archive.identity,
            allow_redirects=False,
        )  # fmt: skip

    async def __aenter__(self) -> aiohttp.ClientResponse:
        try:
            return await self._request.__aenter__()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._archive._silent(error) from error  # noqa: SLF001 # a part of the same

    async def __aexit__(self, *what: object) -> None:
        await self._request.__aexit__(*what)  # type: ignore[arg-type]


def open_archives(settings: Settings, connections: int) -> list[Archive]:
    """The archives that the host's flows lead to, primary ones first; each with a session of its own.

    A session verifies with the revocation lists of when it was opened: a new list opens sessions again.
    """
    peers = settings.find_peers("dicomweb-tls", permit="QIDO-RS")
    peers.sort(key=lambda peer: ("long-term-archive" in peer.functions, peer.name))
    return [_open(settings, peer, connections) for peer in peers]


def _open(settings: Settings, peer: Peer, connections: int) -> Archive:
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=client_context(settings, CERTIFICATE), limit=connections),
        timeout=aiohttp.ClientTimeout(total=None, connect=None, sock_connect=CONNECT_SECONDS, sock_read=READ_SECONDS),
        auto_decompress=False,
        trust_env=False,
        cookie_jar=aiohttp.DummyCookieJar(),
    )
    base = f"https://{peer.fqdn}:{peer.port}/dicom-web"
    return Archive(
        peer.name, base, session, f"https://{peer.address}:{peer.port}/dicom-web", peer.identity or peer.fqdn
    )
