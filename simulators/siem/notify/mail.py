"""Delivers mail to the site's mail server: SMTP within TLS (RFC 5321, RFC 8314 3), with a certificate of both sides."""

from __future__ import annotations

import smtplib
import socket
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simulators.errors import NoAnswerError, RefusedError, TlsRefusedError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable
    from email.message import EmailMessage

PATIENCE = 15.0
"""Seconds that each of the server's answers may take."""
PERMANENT = 500
"""From which on an answer is a refusal (RFC 5321 4.2.1)."""
LOOK = "Look at the mail server's log, and at the mail edge in front of it."


class NotTakenError(RefusedError):
    """The other side takes messages, and refuses this one for good."""


class _Within(smtplib.SMTP):
    """SMTP within TLS, which proves the server's name by its certificate wherever it is reached."""

    def __init__(self, wrap: Callable[[socket.socket], ssl.SSLSocket], address: str, port: int, own: str) -> None:
        self._wrap = wrap
        super().__init__(address, port, local_hostname=own, timeout=PATIENCE)

    def _get_socket(self, host: str, port: int, timeout: float) -> Any:
        plain = socket.create_connection((host, port), timeout)
        try:
            return self._wrap(plain)
        except BaseException:
            plain.close()
            raise


@dataclass(frozen=True)
class MailServer:
    """Where mail goes.

    Attributes:
        address: of its host.
        port: of its service.
        identity: name that its certificate has to have.
        own: name of this host, for the greeting.
        context: makes what a connection presents and accepts, of the files as they are by now.
    """

    address: str
    port: int
    identity: str
    own: str
    context: Callable[[], ssl.SSLContext]

    def look(self) -> None:
        """Greet the server and go.

        Raises:
            SimulatorError: it is not there, or not the one.
        """
        self._converse(lambda _: None)

    def deliver(self, message: EmailMessage) -> None:
        """Hand over a mail to all that it is addressed to, and come back when the server has it.

        Raises:
            NotTakenError: it does not take this mail.
            SimulatorError: it is not there, not the one, or takes no mail at the moment.
        """

        def send(server: smtplib.SMTP) -> None:
            try:
                server.send_message(message)
            except smtplib.SMTPDataError as error:
                if error.smtp_code >= PERMANENT:
                    raise NotTakenError(f"the mail server refuses a mail: {error.smtp_code}", remedy=LOOK) from error
                raise

        self._converse(send)

    def _converse(self, does: Callable[[smtplib.SMTP], None]) -> None:
        try:
            server = _Within(self._wrapped, self.address, self.port, self.own)
            try:
                server.ehlo_or_helo_if_needed()
                does(server)
            finally:
                server.close()
        except ssl.SSLError as error:
            raise TlsRefusedError(f"TLS with the mail server failed: {error}", remedy=LOOK) from error
        except TimeoutError as error:
            raise NoAnswerError("the mail server does not answer in time", remedy=LOOK) from error
        except smtplib.SMTPServerDisconnected as error:
            raise UnreachableError("the mail server ended the connection", remedy=LOOK) from error
        except smtplib.SMTPException as error:
            raise RefusedError(f"the mail server says no: {_code(error)}", remedy=LOOK) from error
        except OSError as error:
            raise UnreachableError(f"the mail server cannot be reached: {error}", remedy=LOOK) from error

    def _wrapped(self, plain: socket.socket) -> ssl.SSLSocket:
        return self.context().wrap_socket(plain, server_hostname=self.identity)


def _code(error: smtplib.SMTPException) -> str:
    """Return the numbers of what a server answered: its text may quote anything."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return f"recipient refused, {', '.join(str(code) for code, _ in error.recipients.values())}"
    if isinstance(error, smtplib.SMTPResponseException):
        return str(error.smtp_code)
    return type(error).__name__
