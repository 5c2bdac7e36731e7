"""Brings the spool's messages to the repository: syslog over mutual TLS (RFC 5425), until each is acknowledged.

The repository answers on the same connection with lines ``ACK <run> <number>``: everything up to that number is stored.
What was sent and not acknowledged is sent again on the next connection. So each message arrives once or more, and the
repository keeps it once, by run and number.
"""

from __future__ import annotations

import os
import random
import re
import select
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.audit.spool import Spool

AT_ONCE = 1 << 18
"""Octets that are read from the spool, and handed to TLS, at a time."""
ON_THE_WAY = 4_000
"""Messages that may be sent and not acknowledged: what has to be sent again when a connection ends."""
SILENCE = 20.0
"""Seconds without an acknowledgement, while one is due, after which the connection counts as lost."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 15.0
"""Seconds between two attempts to connect; each is twice the one before."""
CONNECTING = 10.0
"""Seconds that connecting and each writing may take."""
IDLE = 60.0
"""Seconds after which it looks whether certificates have changed, when nothing happens and nobody wakes it."""
LONGEST_LINE = 256
"""Octets of what the repository says."""
HEAD = re.compile(rb"HEAD (\d{1,18}) ([0-9a-f]{64})")
"""Number and head of what the repository has stored last, to be kept where nobody at the repository can change it."""
PROTOCOL = "pacslab-audit"
"""What both sides agree on in the handshake (ALPN, RFC 7301): messages are numbered, and acknowledged. At the same port
others may send plain lines, which nobody acknowledges."""


class Connection(Protocol):
    """What a socket and a TLS socket have in common."""

    def fileno(self) -> int:
        """What ``select`` waits at."""

    def sendall(self, data: bytes, /) -> None:
        """Send all of it."""

    def recv(self, size: int, /) -> bytes:
        """What has come."""

    def close(self) -> None:
        """End it."""

    def settimeout(self, seconds: float | None, /) -> None:
        """How long the others may take."""


class ProtocolError(OSError):
    """The repository answers something that is no acknowledgement."""


@dataclass(frozen=True)
class Repository:
    """Where messages go."""

    address: str
    port: int
    identity: str
    """Name that its certificate has to have."""
    context: Callable[[], ssl.SSLContext]
    """Makes what a connection presents and accepts, of the files as they are by now."""

    def connect(self) -> ssl.SSLSocket:
        """Connect.

        Raises:
            OSError: it does not answer, one side does not accept the other, or what answers acknowledges nothing.
        """
        plain = socket.create_connection((self.address, self.port), timeout=CONNECTING)
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            context = self.context()
            context.set_alpn_protocols([PROTOCOL])
            connection = context.wrap_socket(plain, server_hostname=self.identity)
        except BaseException:
            plain.close()
            raise
        if connection.selected_alpn_protocol() != PROTOCOL:
            connection.close()
            raise ProtocolError(f"what answers there takes no {PROTOCOL}")
        return connection


class Sender:
    """A thread that sends while there is something to send."""

    def __init__(
        self,
        spool: Spool,
        connect: Callable[[], Connection],
        *,
        changed: Callable[[], object] = lambda: None,
        keep: Callable[[str], None] = lambda _: None,
        silence: float = SILENCE,
        first_pause: float = FIRST_PAUSE,
    ) -> None:
        """Send what is in `spool` over what `connect` returns.

        Args:
            spool: the messages.
            connect: makes a connection, or raises :class:`OSError`.
            keep: is told the repository's head, number and hexadecimal digits, to keep it.
            changed: a value that changes when another connection is needed, since there are new certificates.
            silence: seconds without an acknowledgement that is due.
            first_pause: seconds before the second attempt.
        """
        self._spool, self._connect, self._changed = spool, connect, changed
        self._silence, self._first_pause, self._keep = silence, first_pause, keep
        self._wake, self._woken = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sender", daemon=True)
        self.trouble = "not connected yet"
        """Why nothing is being sent; empty while a connection stands."""
        self.connections = self.sent = 0

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def more(self) -> None:
        """Tell that there is more in the spool."""
        try:
            os.write(self._woken, b".")
        except BlockingIOError:
            return  # it is awake

    @property
    def alive(self) -> bool:
        """Whether it is at work."""
        return self._thread.is_alive()

    def stop(self, seconds: float | None = None) -> bool:
        """End; what is not acknowledged stays in the spool.

        Returns:
            Whether it has ended within some seconds; otherwise it is connecting, and ends with the process.
        """
        self._stopping.set()
        self.more()
        self._thread.join(seconds)
        if self.alive:
            return False
        os.close(self._wake)
        os.close(self._woken)
        return True

    def wait_until_acknowledged(self, seconds: float) -> bool:
        """Wait until the repository has everything, no longer than this; tell whether it has."""
        end = time.monotonic() + seconds
        while self._spool.waiting and time.monotonic() < end:
            self._stopping.wait(0.02)
        return not self._spool.waiting

    def _run(self) -> None:
        pause = self._first_pause
        while not self._stopping.is_set():
            before = self._spool.acknowledged
            try:
                connection = self._connect()
                self.connections += 1
                self.trouble = ""
                try:
                    self._converse(connection)
                finally:
                    connection.close()
            except OSError as error:
                self.trouble = _said(error)
            if self._spool.acknowledged > before:
                pause = self._first_pause
            self._stopping.wait(pause * random.uniform(0.8, 1.2))  # noqa: S311 - so that hosts do not come all at once
            pause = min(2 * pause, LONGEST_PAUSE)

    def _converse(self, connection: Connection) -> None:
        """Send and take acknowledgements until the connection ends, or another is needed.

        Raises:
            OSError: it is lost.
        """
        connection.settimeout(CONNECTING)
        since, sent, heard, line = self._changed(), self._spool.acknowledged, time.monotonic(), b""
        while not self._stopping.is_set():
            sent = self._send_more(connection, sent)
            due = sent > self._spool.acknowledged
            if not due:
                heard = time.monotonic()
            patience = self._silence - (time.monotonic() - heard) if due else IDLE
            if patience <= 0:
                raise TimeoutError("no acknowledgement comes")
            if not self._readable(connection, patience):
                if not due and self._changed() != since:
                    return
                continue
            line, told = self._heard(line + _received(connection))
            if told:
                self._spool.acknowledge(min(told, sent))
                heard = time.monotonic()

    def _heard(self, data: bytes) -> tuple[bytes, int]:
        """Return what is no whole line yet, and the highest number that lines acknowledge; keep a head.

        Raises:
            ProtocolError: it is none of both.
        """
        *lines, rest = data.split(b"\n")
        if len(rest) > LONGEST_LINE:
            raise ProtocolError("the repository's answer is no acknowledgement")
        told = 0
        for line in lines:
            if head := HEAD.fullmatch(line):
                self._keep(f"{head[1].decode('ascii')} {head[2].decode('ascii')}")
            else:
                told = max(told, _acknowledged(line, self._spool.run))
        return rest, told

    def _send_more(self, connection: Connection, sent: int) -> int:
        """Send what follows a number, if not too much is on the way; return the number of the last one."""
        while sent < self._spool.last and sent - self._spool.acknowledged < ON_THE_WAY:
            kept = self._spool.after(sent, AT_ONCE)
            connection.sendall(b"".join(framed(entry.data) for entry in kept))
            sent = kept[-1].number
            self.sent += len(kept)
            if self._something_came(connection):
                break
        return sent

    def _something_came(self, connection: Connection) -> bool:
        return bool(_pending(connection) or select.select([connection.fileno()], [], [], 0)[0])

    def _readable(self, connection: Connection, seconds: float) -> bool:
        """Wait for the repository, or for more to send; tell whether the repository has said something."""
        if _pending(connection):
            return True
        ready, _, _ = select.select([connection.fileno(), self._wake], [], [], seconds)
        if self._wake in ready:
            os.read(self._wake, 4096)
        return connection.fileno() in ready


def framed(message: bytes) -> bytes:
    """Return a message with its length before it (RFC 5425 4.3).

    >>> framed(b"<85>1 ...")
    b'9 <85>1 ...'
    """
    return b"%d %b" % (len(message), message)


def _received(connection: Connection) -> bytes:
    """What has come; nothing where it was TLS's own, such as a ticket for another session."""
    connection.settimeout(0)
    try:
        came = connection.recv(4096)
    except (BlockingIOError, ssl.SSLWantReadError):
        return b""
    finally:
        connection.settimeout(CONNECTING)
    if not came:
        raise ConnectionResetError("the repository ended the connection")
    return came


def _acknowledged(line: bytes, run: str) -> int:
    """Return the number that a line acknowledges of this run; 0 of another run.

    Raises:
        ProtocolError: it is no acknowledgement.
    """
    words = line.split(b" ")
    if len(words) != 3 or words[0] != b"ACK" or not words[2].isdigit() or len(words[2]) > 18:  # noqa: PLR2004
        raise ProtocolError("the repository's answer is no acknowledgement")
    return int(words[2]) if words[1] == run.encode("ascii") else 0


def _pending(connection: Connection) -> bool:
    return isinstance(connection, ssl.SSLSocket) and connection.pending() > 0


def _said(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is refused: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {error.reason or error}"
    return error.strerror or str(error)
