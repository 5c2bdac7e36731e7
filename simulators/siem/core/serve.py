"""The service ``pacslab-siem``: takes what the intake has read, and lets nothing be acknowledged that is not stored.

systemd hands it the socket on which the intake's processes call. It reads no XML; what they hand over is numbers,
octets and JSON.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from simulators.service import notify, publish
from simulators.siem.behaviour.detector import Behaviour
from simulators.siem.core.calls import HIGHEST, SLOW, Intake
from simulators.siem.core.finding import NoRules
from simulators.siem.core.keeper import FIRST_PAUSE, Keeper, connect, read_state
from simulators.siem.core.ledger import Ledger
from simulators.siem.core.memory import Memory
from simulators.siem.core.pending import Place
from simulators.siem.core.presence import Presence
from simulators.siem.core.prover import Prover
from simulators.siem.core.switches import FOLDER, FOLDER_VARIABLE, LOOK, Switches
from simulators.siem.core.switching import Switching
from simulators.siem.judge.judge import Judge as Rules
from simulators.siem.sigma.read import load
from simulators.siem.site import Site
from simulators.siem.store.hashes import NOTHING
from simulators.siem.store.search import events_after
from simulators.siem.store.signing import Signer
from simulators.siem.wire import ANSWER, Kind, WireError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from simulators.siem.core.ledger import State
    from simulators.siem.core.pending import Sealed
    from simulators.siem.wire import Record

TARGET = "host=/run/postgresql dbname=siem user=siem"
TARGET_VARIABLE = "PACSLAB_SIEM_DATABASE"
FIRST_SOCKET = 3
"""The first file that systemd hands over (sd_listen_fds(3))."""
AT_ONCE = 1 << 18
ANNOUNCED_EVERY = 5.0
"""Seconds between two heads of batches that senders are told, for them to keep."""
TICK = 2.0
"""Seconds after which it is judged what has not happened."""
HEALTH = "trouble"
"""File in the runtime folder: empty, or why nothing is stored."""


class Core:
    """Takes records of all intakes, in one thread; answers from another."""

    def __init__(
        self,
        listening: socket.socket,
        target: str,
        ledger: Callable[[State], Ledger],
        keep_days: int,
        *,
        memory: Memory | None = None,
        expected: Iterable[str] = (),
        switching: Switching | None = None,
        prover: Prover | None = None,
    ) -> None:
        """Wait for the database, and go on where it was left.

        Args:
            listening: where intakes call.
            target: connection string of the database.
            ledger: makes a ledger that goes on there.
            keep_days: how long records are kept.
            memory: what the judge remembers.
            expected: hosts that are missed while they are not connected.
            switching: says which rules are switched off for a while.
            prover: proves what is stored meanwhile.
        """
        self._listening = listening
        self._selector = selectors.DefaultSelector()
        self._selector.register(listening, selectors.EVENT_READ)
        self._intakes: dict[int, Intake] = {}
        self._called = 0
        self._stopping = False
        self._newest = self._told = (0, NOTHING)
        self._told_at = self._ticked = 0.0
        self._prover = prover
        self._switching = switching
        self._memory, self._presence = memory, Presence(expected, time.monotonic())
        publish(HEALTH, "the database has not answered yet")
        connection = _wait_for(target)
        state = read_state(connection)
        if memory is not None:
            memory.recall(state.position, lambda position: events_after(connection, position))
        self.ledger = ledger(state)
        self.keeper = Keeper(target, connection, self._answer, lambda why: publish(HEALTH, why), keep_days)
        publish(HEALTH, "")

    def stop(self, *_: object) -> None:
        """End after what is in hand."""
        self._stopping = True

    def run(self) -> int:
        """Serve until told to stop; return the exit code."""
        while not self._stopping and not self.keeper.failed:
            due = self.ledger.due
            wait = LOOK if due is None else max(0.0, due - time.monotonic())
            if self._switching is not None:
                self._switching.look(time.monotonic(), self.ledger)
            for key, _ in self._selector.select(wait):
                if key.fileobj is self._listening:
                    self._accept()
                else:
                    self._read(key.data)
            due = self.ledger.due
            if due is not None and time.monotonic() >= due:
                self._seal()
            self._announce()
            self._look_around(time.monotonic())
        if self._prover is not None:
            self._prover.stop()
        self.keeper.stop(SLOW)
        return 1 if self.keeper.failed else 0

    def _look_around(self, now: float) -> None:
        """Tell what has not happened, and which hosts are missed, and have the judge's memory kept."""
        if now - self._ticked < TICK:
            return
        self._ticked = now
        self.ledger.tick()
        for fault in self._prover.found() if self._prover is not None else ():
            self.ledger.tell_fault(fault)
        for host in self._presence.missed(now):
            self.ledger.tell("miss-sender", host, "high", "it has had no connection for a minute")
        if self._memory is not None:
            with suppress(OSError):  # a disk that is full: what is remembered is told again after a restart
                self._memory.keep(self.ledger.position, now)

    def _seal(self) -> None:
        if days := self.keeper.expired():
            self.ledger.drop(days)
        sealed = self.ledger.seal()
        if sealed is not None:
            self.keeper.put(sealed, lambda: self._stopping)

    def _accept(self) -> None:
        connection, _ = self._listening.accept()
        self._called += 1
        intake = Intake(self._called, connection)
        self._intakes[intake.number] = intake
        self._selector.register(connection, selectors.EVENT_READ, intake)

    def _read(self, intake: Intake) -> None:
        try:
            data = intake.connection.recv(AT_ONCE)
            if not data:
                self._end(intake)
                return
            for record in intake.records(data):
                self._take(intake, record)
        except (OSError, ValueError):  # WireError is a ValueError, and so is what is no name
            self._end(intake)

    def _take(self, intake: Intake, record: Record) -> None:
        kind, connection = record.kind, record.connection
        if kind == Kind.OPEN:
            if intake.begin(record):
                self._presence.opened(intake.senders[connection])
        elif kind == Kind.CLOSE:
            self._leave(intake, connection)
            intake.senders.pop(connection, None)
        elif kind in {Kind.EVENT, Kind.REFUSED, Kind.BROKEN}:
            host = intake.senders.get(connection)
            if host is None or record.number > HIGHEST:
                raise WireError(f"connection {connection} has not begun, or number {record.number}")
            if kind == Kind.BROKEN:
                self.ledger.take_broken(record, host)
            else:
                self.ledger.take(record, host, Place(intake.number, connection))
            if self.ledger.full:
                self._seal()
        else:
            raise WireError(f"a record of kind {kind}")

    def _end(self, intake: Intake) -> None:
        self._intakes.pop(intake.number, None)
        for connection in list(intake.present):
            self._leave(intake, connection)
        self._selector.unregister(intake.connection)
        intake.connection.close()

    def _leave(self, intake: Intake, connection: int) -> None:
        if connection in intake.present:
            intake.present.remove(connection)
            self._presence.closed(intake.senders[connection], time.monotonic())

    def _answer(self, sealed: Sealed) -> None:
        """Tell intakes what is stored; called by the keeper's thread."""
        answers: dict[int, list[bytes]] = {}
        for (place, run), number in sealed.pending.answers.items():
            answers.setdefault(place.intake, []).append(ANSWER.pack(Kind.ACKNOWLEDGED, place.connection, number, run))
        for number, parts in answers.items():
            intake = self._intakes.get(number)
            if intake is not None:
                intake.tell(b"".join(parts))
        if sealed.batch is not None:
            self._newest = (sealed.batch.number, sealed.batch.head)

    def _announce(self) -> None:
        """Tell senders the head of the newest batch, now and then: what others keep cannot be changed here."""
        now = time.monotonic()
        if self._newest == self._told or now - self._told_at < ANNOUNCED_EVERY:
            return
        self._told, self._told_at = self._newest, now
        for intake in list(self._intakes.values()):
            intake.tell(ANSWER.pack(Kind.CHECKPOINT, 0, *self._told))


def _wait_for(target: str) -> psycopg.Connection:
    while True:
        try:
            return connect(target)
        except psycopg.Error as error:
            publish(HEALTH, f"the database does not answer: {error}")
            time.sleep(FIRST_PAUSE)


def _switches() -> Switches:
    """Where root switches rules off; a test has a folder and an account of its own."""
    folder = os.environ.get(FOLDER_VARIABLE)
    return Switches(Path(FOLDER)) if folder is None else Switches(Path(folder), os.getuid())


def main(argv: list[str]) -> int:
    """Serve until told to stop.

    Args:
        argv: the host's name, for how many days records are kept, ``rules`` where rules judge, and the file with what
            the site's description says.
    """
    host, keep_days, rules = argv[:3]
    listening = socket.socket(fileno=FIRST_SOCKET)
    folder = Path(os.environ.get("STATE_DIRECTORY", "/var/lib/pacslab-siem"))
    signer = Signer.open(folder / "signing.key")
    public = folder / "signing.pub"
    public.write_text(f"{signer.public.hex()}\n", "ascii")
    public.chmod(0o644)
    described = json.loads(Path(argv[3]).read_text("utf-8")) if argv[3:] else {}
    site, off = Site.of(described), described.get("rules_off", ())
    judge = Rules(load(off=off), [Behaviour(site)]) if rules == "rules" else NoRules()
    target = os.environ.get(TARGET_VARIABLE, TARGET)
    core = Core(
        listening,
        target,
        lambda state: Ledger(state, judge, signer.sign, host),
        int(keep_days),
        memory=Memory(folder, judge) if isinstance(judge, Rules) else None,
        expected=site.senders,
        switching=Switching(_switches(), judge) if isinstance(judge, Rules) else None,
        prover=Prover(target, signer.public),
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, core.stop)
    notify("READY=1")
    code = core.run()
    notify("STOPPING=1")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
