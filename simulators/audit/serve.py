"""The daemon ``pacslab-audit``: follows the journal, makes audit messages, keeps them, and sends them to a repository.

Settings: /etc/pacslab/audit.json, the settings of a simulator (:mod:`simulators.settings`) with one section more:
``"audit": {"kind": audit source type, "names": {name, address or AE title: DNS name}, "units": [unit],
"late_after": seconds}``.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulators.audit import told
from simulators.audit.heads import Heads
from simulators.audit.host_end import HostEnd
from simulators.audit.journal import Journal
from simulators.audit.memory import Memory
from simulators.audit.message import Source, header, messages_of
from simulators.audit.send import Repository, Sender
from simulators.audit.spool import Spool, SpoolFullError
from simulators.audit.table import FIRST
from simulators.audit.told import Told, at, told_by
from simulators.errors import NotReadyError, SimulatorError
from simulators.events.actions import EDGE
from simulators.events.vocabulary import Outcome
from simulators.service import notify, publish
from simulators.settings import parse
from simulators.tls import client_context

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable, Mapping

    from simulators.audit.table import Row
    from simulators.settings import Settings

SETTINGS = Path("/etc/pacslab/audit.json")
FOLDER = "/var/spool/pacslab-audit"
"""Where it keeps messages and what it has met, unless systemd names another folder (STATE_DIRECTORY)."""
SERVICE, CERTIFICATE = "syslog-tls", "audit"
"""The service that takes messages, and the certificate that this host shows it."""
PROGRAM = "pacslab-audit"
LOOK = 10.0
"""Seconds after which the state is told again when nothing happens."""
NOTE = 5.0
"""Seconds between two notes of how far the journal was read, when nothing in it became a message."""
AGAIN = 1.0
"""Seconds until a spool that took nothing is tried again."""
LAST_LINES = 3.0
"""Seconds at most in which a stop still reads the journal, until there is why: whether the whole host ends."""
LAST_CONNECTING = 1.0
"""Seconds that a stop waits for an attempt to connect: where all hosts end at once, the repository does not answer."""
LAST_WORDS = 2.0
"""Seconds that a stop waits for what is not acknowledged."""
HEALTH = "late"
"""File in the runtime folder: empty, or why messages do not reach the repository."""


class Daemon:
    """Makes messages of what the journal tells, and keeps them."""

    def __init__(
        self, source: Source, spool: Spool, memory: Memory, host_end: HostEnd, more: Callable[[], None]
    ) -> None:
        """Keep in `spool`; tell `more` when there is something to send."""
        self.source, self.spool, self.memory, self.host_end, self._more = source, spool, memory, host_end, more
        self._noted = 0.0
        self._began = time.time()
        self.trouble = ""
        """Why nothing is kept; empty while the spool takes messages."""

    def take(self, entries: Iterable[Mapping[str, Any]]) -> bool:
        """Keep the messages of entries of the journal, all or none; tell whether that was possible."""
        meets: set[str] = set()
        tells: dict[tuple[str, ...], float] = {}
        place = ""
        for entry in entries:
            place = str(entry["__CURSOR"])
            event = told_by(entry)
            if event is not None:
                self._add(self._first(self.host_end.seen(event), meets), place, tells)
        kept = self._commit(place)
        if kept:
            self.memory.tells(tells)
            with suppress(OSError):
                self.memory.meets(meets)
        return kept

    def say(self, action: str, outcome: Outcome = Outcome.SUCCESS, reason: str = "") -> bool:
        """Keep a message of the daemon itself."""
        facts = {"reason": reason} if reason else {}
        self._add(Told(action, outcome.value, at(time.time()), PROGRAM, str(os.getpid()), facts), self.spool.place, {})
        return self._commit("")

    def state(self, sender_trouble: str, late_after: float) -> str:
        """What is wrong, for the health probe; empty where nothing is.

        A message that was kept before this start, such as one in a snapshot, waits from the start on: nobody could have
        sent it meanwhile.
        """
        if self.trouble:
            return self.trouble
        oldest = self.spool.after(self.spool.acknowledged, 1)
        if not oldest or time.time() - max(oldest[0].since, self._began) < late_after:
            return ""
        why = sender_trouble or "the repository does not acknowledge them"
        return f"{self.spool.waiting} audit messages wait for more than {late_after:.0f} s: {why}"

    def _first(self, event: Told, meets: set[str]) -> Told:
        """Mark what an edge let in for the first time, by the caller's certificate."""
        certificate = event.text("certificate")
        if event.program != EDGE or event.outcome != Outcome.SUCCESS or not certificate:
            return event
        caller = f"{event.text('edge')} {certificate}"
        if caller in self.memory.known or caller in meets:
            return event
        meets.add(caller)
        return Told(**{**vars(event), "facts": {**event.facts, FIRST: "true"}})

    def _add(self, event: Told, place: str, tells: dict[tuple[str, ...], float]) -> None:
        made = [message for row, message in messages_of(event, self.source) if self._is_news(row, event, tells)]
        for number, message in enumerate(made, 1):
            data = header(message, self.source.fqdn, self.spool.run, self.spool.next)
            self.spool.add(data, place, ends=number == len(made))

    def _is_news(self, row: Row, event: Told, tells: dict[tuple[str, ...], float]) -> bool:
        if not row.once:
            return True
        key = (row.action, row.event.value, *(event.text(name) for name in ("edge", "certificate", "peer", "study")))
        now = time.monotonic()
        if key in tells or self.memory.lately.get(key, 0.0) > now:
            return False
        tells[key] = now + row.once
        return True

    def _commit(self, place: str) -> bool:
        before, now = self.spool.last, time.monotonic()
        due = place and now - self._noted > NOTE
        try:
            self.spool.commit(place if due else "")
        except SpoolFullError:
            self.trouble = f"the spool is full: {self.spool.waiting} audit messages wait for the repository"
            return False
        except OSError as error:
            self.trouble = f"the spool cannot be written: {error.strerror or error}"
            return False
        self.trouble = ""
        if due:
            self._noted = now
        if self.spool.last > before:
            self._more()
        return True


class State:
    """What is told of how the daemon is: to the health probe, and to the journal where it changes."""

    def __init__(self) -> None:
        """Nothing is told yet."""
        self._told, self._since = "", 0.0

    @property
    def is_due(self) -> bool:
        """Whether to look again: after a while, and at once where something was wrong and may be over."""
        return bool(self._told) or time.monotonic() - self._since > LOOK

    def tell(self, text: str) -> None:
        """Tell what is wrong, empty where nothing is."""
        publish(HEALTH, text)
        if bool(text) != bool(self._told):
            sys.stderr.write(f"{text or 'all messages are with the repository, or on their way'}\n")
            sys.stderr.flush()
        self._told, self._since = text, time.monotonic()


def main(path: Path = SETTINGS) -> int:
    """Follow until told to stop; return 0 then, 4 where the settings cannot be used, and 1 where a part of it ended."""
    try:
        data = json.loads(path.read_text("utf-8"))
        settings, extra = parse(data), data["audit"]
        peer = settings.peer(SERVICE)
    except (OSError, ValueError, KeyError, TypeError, SimulatorError) as error:
        sys.stderr.write(f"cannot use {path}: {error}\n")
        return 4
    stop = Stop()
    folder = Path(os.environ.get("STATE_DIRECTORY", FOLDER))
    spool, running = Spool(folder / "spool"), folder / "running"
    connect = Repository(peer.address, peer.port, peer.identity, lambda: _context(settings)).connect
    sender = Sender(spool, connect, changed=lambda: _ages(settings), keep=Heads(folder / "spool").keep)
    memory, host_end = Memory.read(folder / "met.json"), HostEnd(folder / "host-ends")
    daemon = Daemon(_source(settings, extra), spool, memory, host_end, sender.more)
    sender.start()
    _say_start(daemon, running)
    journal = Journal(list(extra["units"]), spool.place)
    code = _follow(daemon, sender, journal, stop, float(extra["late_after"]))
    if code == 0:
        _say_end(daemon, sender, running)
    if sender.stop(LAST_CONNECTING):
        spool.close()
    return code


class Stop:
    """SIGTERM and SIGINT, from now on: they ask to stop, and wake who waits. SIGHUP stops nothing."""

    def __init__(self) -> None:
        """Take the process's signals."""
        self.wake, writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._asked = False
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)
        signal.signal(signal.SIGHUP, lambda *_: None)

    @property
    def asked(self) -> bool:
        """Whether to stop; what woke is taken."""
        with suppress(BlockingIOError):
            os.read(self.wake, 64)
        return self._asked

    def _ask(self, *_: object) -> None:
        self._asked = True


def _follow(daemon: Daemon, sender: Sender, journal: Journal, stop: Stop, late_after: float) -> int:
    state = State()
    state.tell(daemon.state(sender.trouble, late_after))
    notify("READY=1")
    is_own_stop = partial(told.is_own_stop, since=time.time())
    is_told = False  # why it is stopped
    try:
        for entries in journal.batches(stop.wake, LOOK):
            while not daemon.take(entries):
                state.tell(daemon.trouble)
                select.select([stop.wake], [], [], AGAIN)
                if stop.asked:
                    break
            is_told = is_told or any(map(is_own_stop, entries))
            if state.is_due or not entries:
                state.tell(daemon.state(sender.trouble, late_after))
                sender.more()  # it looks whether certificates are others
            if not sender.alive:
                return 1
            if stop.asked:
                break
        if not stop.asked:
            return 1  # journalctl ended
        if not is_told:
            daemon.take(journal.until(is_own_stop, LAST_LINES))
    finally:
        notify("STOPPING=1")
        journal.close()
    return 0


def _say_start(daemon: Daemon, running: Path) -> None:
    """Tell that recording begins, and where it had ended without a word or with a loss, that too."""
    if daemon.spool.damaged:
        daemon.say(told.AUDIT_START, Outcome.FAILED, "spool-damaged")
    elif running.exists():
        daemon.say(told.AUDIT_START, Outcome.FAILED, "ended-without-a-word")
    else:
        daemon.say(told.AUDIT_START)
    with suppress(OSError):
        running.touch()


def _say_end(daemon: Daemon, sender: Sender, running: Path) -> None:
    """Tell that recording ends, in an orderly way, and wait until that has arrived."""
    daemon.say(told.AUDIT_STOP, reason=told.SHUTDOWN if daemon.host_end.begun else "")
    running.unlink(missing_ok=True)
    if not sender.trouble:
        sender.wait_until_acknowledged(LAST_WORDS)


def _source(settings: Settings, extra: Mapping[str, Any]) -> Source:
    host, site = settings.host, settings.site
    names = {str(key): str(value) for key, value in extra["names"].items()}
    return Source(host.name, host.fqdn, site.name, site.domain, host.ae_title or "", str(extra["kind"]), names)


def _context(settings: Settings) -> ssl.SSLContext:
    try:
        return client_context(settings, CERTIFICATE)
    except NotReadyError as error:
        raise OSError(error.message) from error


def _ages(settings: Settings) -> tuple[int, ...]:
    """When what a connection presents and accepts was written last."""
    own = settings.tls.certificates[CERTIFICATE]
    found = []
    for path in (settings.tls.ca, settings.tls.crl, own.certificate, own.key):
        try:
            found.append(path.stat().st_mtime_ns)
        except OSError:
            found.append(0)
    return tuple(found)


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:2])))
