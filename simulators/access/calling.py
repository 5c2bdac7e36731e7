"""HTTP to a service of another host, over mutual TLS, for many people at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp
from yarl import URL

from simulators.errors import RefusedError, UnreachableError
from simulators.tls import client_context

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from simulators.settings import Peer, Settings

CONNECT_SECONDS, READ_SECONDS = 3.0, 30.0
OK = 200


@dataclass(frozen=True)
class Service:
    """A service of another host.

    Attributes:
        name: its host.
        url: what its resources begin with.
        identity: what its certificate has to prove.
        session: its connections.
    """

    name: str
    url: str
    identity: str
    session: aiohttp.ClientSession

    def ask(
        self, method: str, path: str, headers: dict[str, str], data: Any = None
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        """Send a request; entering it raises :class:`UnreachableError` where nobody answers."""
        return _Asking(self, method, path, headers, data)

    def silent(self, error: BaseException) -> UnreachableError:
        """What it means that a request or its answer broke off."""
        return UnreachableError(
            f"{self.name} does not answer: {type(error).__name__}", remedy="Look at `pacslab status`."
        )

    async def whole(self, answer: aiohttp.ClientResponse, longest: int) -> bytes:
        """Read an answer to its end.

        Raises:
            UnreachableError: it breaks off.
            RefusedError: it has more octets than `longest`.
        """
        body = bytearray()
        try:
            async for chunk in answer.content.iter_any():
                body += chunk
                if len(body) > longest:
                    raise RefusedError(f"{self.name} answers with more than it may", remedy="Ask for less.")
        except BROKEN as error:
            raise self.silent(error) from error
        return bytes(body)


BROKEN = (aiohttp.ClientError, TimeoutError, OSError)
"""What a request or its answer ends with where the other side is away."""


class _Asking:
    """A request on its way."""

    def __init__(self, service: Service, method: str, path: str, headers: dict[str, str], data: Any) -> None:
        self._service = service
        self._request = service.session.request(
            method, URL(f"{service.url}{path}", encoded=True), headers=headers, data=data,
            server_hostname=service.identity, allow_redirects=False,
        )  # fmt: skip

    async def __aenter__(self) -> aiohttp.ClientResponse:
        try:
            return await self._request.__aenter__()
        except BROKEN as error:
            raise self._service.silent(error) from error

    async def __aexit__(self, *what: object) -> None:
        await self._request.__aexit__(*what)  # type: ignore[arg-type]


def open_service(settings: Settings, peer: Peer, root: str, *, certificate: str, connections: int) -> Service:
    """Open a session with a peer, with one of the host's certificates and so many connections at most.

    It verifies with the revocation lists of now: a new list asks for a new session.

    Raises:
        NotReadyError: the certificate or a list cannot be used.
    """
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=client_context(settings, certificate), limit=connections),
        timeout=aiohttp.ClientTimeout(
            total=None, connect=READ_SECONDS, sock_connect=CONNECT_SECONDS, sock_read=READ_SECONDS
        ),
        auto_decompress=False,
        headers={"Accept-Encoding": "identity"},
        trust_env=False,
        cookie_jar=aiohttp.DummyCookieJar(),
    )
    return Service(peer.name, f"https://{peer.address}:{peer.port}{root}", peer.identity or peer.fqdn, session)
