"""The service ``pacslab-siem-lines``: hands the collector's lines to the core, as an intake does with messages.

It numbers what it hands over, for each host by itself. What the core has acknowledged is noted; what it has not is
handed over again after a start or when the core comes back, with the same number, so that it is stored once.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import sys
import time
import uuid
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulators.service import notify
from simulators.siem import wire
from simulators.siem.lines.tail import Place, Tail, hosts
from simulators.siem.lines.worth import Sieve
from simulators.siem.site import Site
from simulators.siem.wire import ANSWER, CHUNK, NO_RUN, Kind, Record

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path("/var/log/pacslab")
NOTED = "lines.json"
LOOK = 0.1
"""Seconds between two looks at files in which nothing came."""
NOTE = 2.0
"""Seconds between two notes of how far it has got."""
LOOK_FOR_HOSTS = 5.0
MOST_WAITING = 4_000
"""Lines of a host that wait to be acknowledged; with more, no further ones are read."""
PAUSE = 1.0


@dataclass
class Sender:
    """A host's lines on their way."""

    host: str
    number: int
    """Of the connection, as the core is told."""
    run: uuid.UUID
    tail: Tail
    acknowledged: int = 0
    place: Place = field(default_factory=Place)
    """After what is acknowledged."""
    told: int = 0
    waiting: list[tuple[int, Place]] = field(default_factory=list)
    """Numbers that are not acknowledged, with the place after each."""

    def acknowledge(self, number: int) -> None:
        """Note that everything up to a number is stored."""
        done = [place for told, place in self.waiting if told <= number]
        if done:
            self.acknowledged, self.place = number, done[-1]
            self.waiting = [one for one in self.waiting if one[0] > number]

    def noted(self) -> dict[str, Any]:
        """Return what is noted of it."""
        return {"run": str(self.run), "number": self.acknowledged, **asdict(self.place)}


class Lines:
    """All hosts' lines, and the connection to the core."""

    def __init__(self, folder: Path, notes: Path, sieve: Sieve, core: socket.socket) -> None:
        """Go on where the notes say."""
        self._folder, self._notes, self._sieve, self._core = folder, notes, sieve, core
        self._known: dict[str, Any] = _read(notes)
        self._first = not self._known
        self._senders: dict[str, Sender] = {}
        self._answers = b""
        self._noted_at = self._looked_at = 0.0
        self._changed = False

    def turn(self, now: float) -> bool:
        """Hand over what has come and take answers; tell whether there was anything.

        Raises:
            OSError: the core is gone.
        """
        if now - self._looked_at > LOOK_FOR_HOSTS or not self._looked_at:
            self._look_for_hosts()
            self._looked_at = now
        handed = 0
        for sender in self._senders.values():
            if len(sender.waiting) < MOST_WAITING:
                handed += self._hand_over(sender)
        answered = self._take_answers()
        if self._changed and now - self._noted_at > NOTE:
            self.note()
            self._noted_at = now
        return handed > 0 or answered

    def _look_for_hosts(self) -> None:
        for host in hosts(self._folder):
            if host not in self._senders:
                self._begin(host)
        self._first = False

    def _begin(self, host: str) -> None:
        known = self._known.get(host)
        if known is not None:
            place: Place | None = Place(int(known["inode"]), int(known["offset"]), str(known.get("head", "")))
            run, number = uuid.UUID(known["run"]), int(known["number"])
        else:
            # what was there before the very first start stays in the collector's files; a file that comes later counts
            place, run, number = None if self._first else Place(), uuid.uuid4(), 0
        tail = Tail(self._folder, host, place)
        sender = Sender(host, len(self._senders) + 1, run, tail, number, tail.place, number)
        self._senders[host] = sender
        self._send([Record(Kind.OPEN, sender.number, 0, NO_RUN, host.encode("ascii", "replace"), wire.OF_LINES)])
        self._changed = True

    def _hand_over(self, sender: Sender) -> int:
        records = list(self._records(sender))
        if records:
            self._send(records)
        return len(records)

    def _records(self, sender: Sender) -> Iterator[Record]:
        now = time.time()
        for line, place in sender.tail.lines():
            event = self._sieve.event(line, now)
            if event is None or event[0] != sender.host:
                if not sender.waiting:
                    sender.place, self._changed = place, True
                continue
            sender.told += 1
            sender.waiting.append((sender.told, place))
            fields = json.dumps(event[1], ensure_ascii=False, separators=(",", ":")).replace("\\u0000", "\\ufffd")
            yield Record(
                Kind.EVENT, sender.number, sender.told, sender.run.bytes, line, fields.encode("utf-8", "replace")
            )

    def _send(self, records: list[Record]) -> None:
        chunk = b""
        for record in records:
            chunk += wire.packed(record)
            if len(chunk) > wire.MOST // 4:
                self._core.sendall(CHUNK.pack(len(chunk)) + chunk)
                chunk = b""
        if chunk:
            self._core.sendall(CHUNK.pack(len(chunk)) + chunk)

    def _take_answers(self) -> bool:
        taken = False
        while select.select([self._core], [], [], 0)[0]:
            data = self._core.recv(1 << 16)
            if not data:
                raise ConnectionResetError("the core is gone")
            self._answers += data
            whole = len(self._answers) // ANSWER.size * ANSWER.size
            by_number = {sender.number: sender for sender in self._senders.values()}
            for kind, connection, number, _ in ANSWER.iter_unpack(self._answers[:whole]):
                if kind == Kind.ACKNOWLEDGED and connection in by_number:
                    by_number[connection].acknowledge(number)
                    self._changed = taken = True
            self._answers = self._answers[whole:]
        return taken

    def note(self) -> None:
        """Note how far every host's lines are stored."""
        self._known |= {host: sender.noted() for host, sender in self._senders.items()}
        draft = self._notes.with_suffix(".new")
        draft.write_text(json.dumps(self._known), "utf-8")
        draft.replace(self._notes)
        self._changed = False

    def close(self) -> None:
        """Let go of all files."""
        for sender in self._senders.values():
            sender.tail.close()
        self._core.close()


def _read(notes: Path) -> dict[str, Any]:
    try:
        known = json.loads(notes.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def main(argv: list[str]) -> int:
    """Serve until told to stop: the core's socket, and the file with what the site's description says."""
    core_path, described = argv[0], Path(argv[1])
    given = json.loads(described.read_text("utf-8")) if described.exists() else {}
    sieve = Sieve(given.get("audited", {}), Site.of(given))
    folder = Path(os.environ.get("PACSLAB_LINES", str(FOLDER)))
    notes = Path(os.environ["STATE_DIRECTORY"], NOTED)
    stopping: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda sign, _: stopping.append(sign))
    notify("READY=1")
    while not stopping:
        core = socket.socket(socket.AF_UNIX)
        try:
            core.connect(core_path)
            lines = Lines(folder, notes, sieve, core)
            try:
                while not stopping:
                    if not lines.turn(time.monotonic()):
                        time.sleep(LOOK)
            finally:
                lines.note()
                lines.close()
        except OSError as error:
            sys.stderr.write(f"{error}\n")
            core.close()
            time.sleep(PAUSE)
    notify("STOPPING=1")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
