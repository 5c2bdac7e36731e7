"""The service ``pacslab-siem-intake``: reads what senders send, hands it to the core, and tells them what is stored.

systemd hands it the socket on which the edge calls. A few processes share it, each with a connection of its own to the
core; one that the core has left ends, and its senders send again what was not acknowledged.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from simulators.service import notify
from simulators.siem.intake.examine import Examiner, prepare
from simulators.siem.intake.header import read_header
from simulators.siem.intake.sender import NobodyError, Sender
from simulators.siem.site import Site
from simulators.siem.wire import ANSWER, CHUNK, NO_RUN, Kind, Record, packed

if TYPE_CHECKING:
    from simulators.siem.intake.header import Header

FIRST_SOCKET = 3
"""The first file that systemd hands over (sd_listen_fds(3))."""
AT_ONCE = 1 << 16
"""Octets that are read of a sender before it is another's turn."""
MOST_SENDERS = 1_000
MOST_WAITING = 1 << 20
"""Octets that the core has not taken; with more nothing further is read."""
KEPT_BROKEN = 4096
"""Octets of what is no numbered message that are kept."""
MOST_MEMORY = 160 << 20
"""Octets. libxml2 keeps each name that it has ever met: a process that has met too many ends, and another begins."""
LOOK_EVERY = 20_000
"""Messages between two looks at that."""
PAUSE = 0.2
"""Seconds before a process is begun again."""
_PAGE = os.sysconf("SC_PAGE_SIZE")
_IN, _OUT = select.EPOLLIN, select.EPOLLOUT


class Intake:
    """One process: all its connections in one thread."""

    def __init__(self, listening: socket.socket, core: socket.socket, site: Site | None) -> None:
        """Accept from `listening`; hand over to `core`; add what the site's description says."""
        self._examiner = Examiner(site)
        self._listening, self._core = listening, core
        listening.settimeout(0)
        core.settimeout(0)
        self._poll = select.epoll()
        self._poll.register(listening, _IN)
        self._poll.register(core, _IN)
        self._senders: dict[int, Sender] = {}
        self._by_number: dict[int, Sender] = {}
        self._begun = 0
        self._records: list[bytes] = []
        self._waiting = bytearray()
        self._answers = b""
        self._examined = 0
        self._writing = False

    def run(self) -> None:
        """Serve until the core is gone, or this process has grown too large."""
        while self._examined < LOOK_EVERY or self._is_small():
            for file, mask in self._poll.poll():
                if file == self._listening.fileno():
                    self._accept()
                elif file == self._core.fileno():
                    if mask & ~_OUT and not self._read_answers():
                        return
                elif (sender := self._senders.get(file)) is not None:
                    self._serve(sender, mask)
                self._hand_over()
                while len(self._waiting) > MOST_WAITING:
                    if not self._wait_for_core():
                        return

    def _is_small(self) -> bool:
        self._examined = 0
        gc.collect()
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
        return pages * _PAGE < MOST_MEMORY

    def _accept(self) -> None:
        try:
            connection, _ = self._listening.accept()
        except OSError:
            return  # another process was faster
        if len(self._senders) >= MOST_SENDERS:
            connection.close()
            return
        connection.settimeout(0)
        self._begun += 1
        sender = Sender(self._begun, connection)
        self._senders[connection.fileno()] = sender
        self._by_number[sender.number] = sender
        self._poll.register(connection, _IN)

    def _serve(self, sender: Sender, mask: int) -> None:
        if mask & _OUT:
            if not sender.send():
                self._end(sender)
                return
            if not sender.waiting:
                self._poll.modify(sender.connection, _IN)
        if not mask & ~_OUT:
            return
        try:
            data = sender.connection.recv(AT_ONCE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._end(sender)
            return
        self._take(sender, data)

    def _take(self, sender: Sender, data: bytes) -> None:
        known = bool(sender.host)
        try:
            heard = sender.hear(data)
        except NobodyError:
            self._end(sender)
            return
        if not known and sender.host:
            self._tell(Kind.OPEN, sender, sender.host.encode("ascii"), sender.address.encode("ascii"))
        received = time.time()
        for message in heard.messages:
            header = read_header(message)
            if header is None:
                self._break(sender, message, b"it is no syslog message with a number (RFC 5424)")
                return
            self._examined += 1
            fields, reason = self._examiner.examine(header, sender.host, received)
            if fields:
                self._tell(Kind.EVENT, sender, message, fields, header)
            else:
                self._tell(Kind.REFUSED, sender, message, reason.encode("utf-8"), header)
        if heard.broken is not None:
            self._break(sender, heard.broken, b"what comes is no octet-counted frame (RFC 5425)")

    def _break(self, sender: Sender, data: bytes, reason: bytes) -> None:
        self._tell(Kind.BROKEN, sender, data[:KEPT_BROKEN], reason)
        self._end(sender)

    def _tell(self, kind: Kind, sender: Sender, first: bytes, second: bytes, header: Header | None = None) -> None:
        number, run = (header.number, header.run) if header else (0, NO_RUN)
        self._records.append(packed(Record(kind, sender.number, number, run, first, second)))

    def _end(self, sender: Sender) -> None:
        if self._by_number.pop(sender.number, None) is None:
            return
        del self._senders[sender.connection.fileno()]
        self._poll.unregister(sender.connection)
        sender.close()
        if sender.host:
            self._tell(Kind.CLOSE, sender, b"", b"")

    def _hand_over(self) -> None:
        """Send the core what has been read, as much as it takes."""
        if self._records:
            body = b"".join(self._records)
            self._waiting += CHUNK.pack(len(body))
            self._waiting += body
            self._records = []
        if self._waiting:
            try:
                sent = self._core.send(memoryview(self._waiting)[:MOST_WAITING])
            except BlockingIOError:
                sent = 0
            del self._waiting[:sent]
        if bool(self._waiting) != self._writing:
            self._writing = bool(self._waiting)
            self._poll.modify(self._core, _IN | _OUT if self._writing else _IN)

    def _wait_for_core(self) -> bool:
        """Wait until the core takes more, and pass on what it answers; tell whether it is there."""
        waiting = select.poll()
        waiting.register(self._core, select.POLLIN | select.POLLOUT)
        ((_, mask),) = waiting.poll()
        if mask & ~select.POLLOUT and not self._read_answers():
            return False
        self._hand_over()
        return True

    def _read_answers(self) -> bool:
        """Tell senders what is stored; return whether the core is there."""
        try:
            data = self._core.recv(AT_ONCE)
        except BlockingIOError:
            return True
        except OSError:
            return False
        if not data:
            return False
        self._answers += data
        whole = len(self._answers) // ANSWER.size * ANSWER.size
        for kind, connection, number, told in ANSWER.iter_unpack(self._answers[:whole]):
            if kind == Kind.CHECKPOINT:
                for listener in list(self._by_number.values()):
                    self._answer(listener, b"HEAD %d %b\n" % (number, told.hex().encode("ascii")))
            elif kind == Kind.ACKNOWLEDGED and (sender := self._by_number.get(connection)) is not None:
                self._answer(sender, b"ACK %b %d\n" % (str(UUID(bytes=told[:16])).encode("ascii"), number))
        self._answers = self._answers[whole:]
        return True

    def _answer(self, sender: Sender, line: bytes) -> None:
        if not sender.host:
            return
        if not sender.tell(line):
            self._end(sender)
        elif sender.waiting:
            self._poll.modify(sender.connection, _IN | _OUT)


def serve(listening: socket.socket, core: str, site: Site | None) -> None:
    """Serve as one process until the core is gone."""
    gc.disable()  # hardly anything that a message leaves behind refers to itself; now and then it is collected
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(core)
    Intake(listening, connection, site).run()


def main(argv: list[str]) -> int:
    """Keep so many processes, which call the core at this socket, until told to stop.

    A third word names the file with what the site's description says.
    """
    core, number = argv[0], int(argv[1])
    site = Site.of(json.loads(Path(argv[2]).read_text("utf-8"))) if argv[2:] else None
    listening = socket.socket(fileno=FIRST_SOCKET)
    prepare()
    running: set[int] = set()
    stopping = False

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True
        for process in running:
            os.kill(process, signal.SIGTERM)

    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, stop)
    notify("READY=1")
    while not stopping:
        while len(running) < number:
            running.add(_begin(listening, core, site))
        ended, _ = os.wait()
        running.discard(ended)
        if not stopping:
            time.sleep(PAUSE)
    return 0


def _begin(listening: socket.socket, core: str, site: Site | None) -> int:
    process = os.fork()
    if process:
        return process
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, signal.SIG_DFL)
    code = 1
    try:
        serve(listening, core, site)
        code = 0
    except OSError as error:
        sys.stderr.write(f"{error}\n")
    finally:
        os._exit(code)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
