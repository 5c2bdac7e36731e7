"""Delivers an incident to a webhook: JSON by POST over HTTPS, signed as Standard Webhooks 1.0 says.

The signature is ``v1,`` and the Base64 of HMAC-SHA-256 (RFC 2104) over ``<webhook-id>.<webhook-timestamp>.<body>``. An
incident that has to be sent again has the same ``webhook-id``.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from simulators.errors import ArgumentError, NoAnswerError, RefusedError, TlsRefusedError, UnreachableError
from simulators.siem.notify.mail import NotTakenError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PATIENCE = 15.0
OF_THE_MESSAGE = frozenset({400, 413, 415, 422})
"""Answers that say that this message will never be taken (RFC 9110 15.5)."""
MOST_ANSWER = 1024
LOOK = "Look at the receiver's log, and at what the setting siem_notifier_webhook says."


@dataclass(frozen=True)
class Webhook:
    """Where incidents are sent.

    Attributes:
        url: of the receiver; ``https`` alone.
        secret: what both sides know.
        context: makes what a connection accepts.
        clock: seconds since 1970.
    """

    url: str
    secret: bytes
    context: Callable[[], ssl.SSLContext]
    clock: Callable[[], float]

    def __post_init__(self) -> None:
        """Hold the URL to its form.

        Raises:
            ArgumentError: it is not of HTTPS, names nobody, or has a password in it.
        """
        parts = urlsplit(self.url)
        if parts.scheme != "https" or not parts.hostname or parts.username or parts.fragment:
            raise ArgumentError("The webhook's URL is not one of HTTPS.", remedy="Write https://host/path.")

    @property
    def host(self) -> str:
        """The receiver's name."""
        return urlsplit(self.url).hostname or ""

    def deliver(self, name: str, content: Mapping[str, Any]) -> None:
        """Send what an incident is, and come back when the receiver has said that it has it.

        Args:
            name: of the message: the same for the same.
            content: what is sent.

        Raises:
            NotTakenError: it does not take this message.
            SimulatorError: it is not there, not the one, or takes none at the moment; also where it leads elsewhere.
        """
        body = json.dumps(content, ensure_ascii=True, separators=(",", ":")).encode("ascii")
        stamp = str(int(self.clock()))
        parts = urlsplit(self.url)
        path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        try:
            connection = http.client.HTTPSConnection(
                self.host, parts.port or 443, timeout=PATIENCE, context=self.context()
            )
            try:
                connection.request("POST", path, body, {**self._signed(name, stamp, body), "Content-Type": JSON})
                answer = connection.getresponse()
                answer.read(MOST_ANSWER)
            finally:
                connection.close()
        except ssl.SSLError as error:
            raise TlsRefusedError(f"TLS with the webhook's receiver failed: {error}", remedy=LOOK) from error
        except TimeoutError as error:
            raise NoAnswerError("the webhook's receiver does not answer in time", remedy=LOOK) from error
        except (OSError, http.client.HTTPException) as error:
            raise UnreachableError(f"the webhook's receiver cannot be reached: {error}", remedy=LOOK) from error
        if answer.status in OF_THE_MESSAGE:
            raise NotTakenError(f"the webhook's receiver refuses a message: {answer.status}", remedy=LOOK)
        if not http.client.OK <= answer.status < http.client.MULTIPLE_CHOICES:
            raise RefusedError(f"the webhook's receiver says no: {answer.status}", remedy=LOOK)

    def _signed(self, name: str, stamp: str, body: bytes) -> dict[str, str]:
        signature = hmac.new(self.secret, f"{name}.{stamp}.".encode("ascii") + body, hashlib.sha256).digest()
        return {
            "webhook-id": name,
            "webhook-timestamp": stamp,
            "webhook-signature": f"v1,{base64.b64encode(signature).decode('ascii')}",
        }


JSON = "application/json"
