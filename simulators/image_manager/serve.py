"""The service: listens behind the HL7 edge, follows the archive, restamps, sends onward, and tells what there is."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING

from simulators.deadline import Deadline
from simulators.errors import SimulatorError, UnreachableError
from simulators.events.actions import HOLD, START, WORK
from simulators.events.outlets import send_to_journal
from simulators.events.report import write_event, write_failure
from simulators.hl7receiver import Receiver
from simulators.image_manager.availability import Notifier, order_fillers
from simulators.image_manager.configuration import load
from simulators.image_manager.desk import Desk, DeskServer
from simulators.image_manager.forward import Follower, SeriesSender
from simulators.image_manager.inbox import StoredInbox, merge, procedures, update
from simulators.image_manager.orthanc import OrthancClient
from simulators.image_manager.quarantine import Quarantine
from simulators.image_manager.reconcile import Reconciler
from simulators.image_manager.store import Store, ask_notification
from simulators.image_manager.troubles import Queue, clear, count_error, excluded, publish, tell_set_aside
from simulators.mllp import Listener
from simulators.service import notify, wait_for_stop

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from pathlib import Path

    from simulators.settings import Settings

PAUSE_SECONDS = 1.0
SLOW_SECONDS = 5.0
"""For what a message wakes, or nobody waits for."""


class Worker:
    """A thread that does its turn, again and again, until it is stopped; a failure ends the turn, not the thread."""

    def __init__(self, name: str, turn: Callable[[], None], pause: float = PAUSE_SECONDS) -> None:
        """Remember what to do each turn, and the seconds between two turns where nothing wakes it."""
        self._pause = pause
        self._turn = turn
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._failing = False
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def stopped(self) -> bool:
        """The worker has been told to stop."""
        return self._stop.is_set()

    def wake(self) -> None:
        """Begin the next turn now."""
        self._wake.set()

    def stop(self) -> None:
        """Let the present turn be the last."""
        self._stop.set()
        self._wake.set()

    def _run(self) -> None:
        while not self.stopped:
            self._wake.clear()
            try:
                self._turn()
            except SimulatorError as error:
                if not self._failing:
                    write_failure(WORK, error, waiting=True, worker=self.thread.name)
                self._failing = True
            except Exception as error:  # noqa: BLE001 - whatever a turn meets, the next one begins
                write_failure(WORK, error, worker=self.thread.name)
            else:
                self._failing = False
            self._wake.wait(self._pause)


def further_archives(settings: Settings) -> tuple[str, ...]:
    """Who gets what arrives here: whoever a flow lets it store at, whichever maker's archive that is."""
    return tuple(peer.name for peer in settings.find_peers("dicom-tls", permit="C-STORE"))


def serve(_: argparse.Namespace, settings: Settings) -> None:
    """Serve until SIGTERM; the archive may come and go meanwhile."""
    send_to_journal()
    configuration = load()
    spool = configuration.state / "spool"
    spool.mkdir(mode=0o700, parents=True, exist_ok=True)
    (configuration.state / "quarantine").mkdir(mode=0o700, exist_ok=True)
    store, archive = Store(configuration.state), OrthancClient(configuration)
    targets = further_archives(settings)
    fillers = order_fillers(settings, configuration)
    reconciler = Reconciler(store, archive, spool, settings.host.name)
    follower = Follower(store, archive, reconciler, targets, tuple(filler.name for filler in fillers))

    restamping = Worker("restamp", reconciler.run_due)
    following = Worker("follow", Following(follower, restamping.wake))
    reporting = Worker("report", lambda: report(store, configuration.runtime), SLOW_SECONDS)
    quarantine = Quarantine(store, archive, configuration.state / "quarantine")
    holding = Worker("quarantine", Holding(store, quarantine, follower.fillers), SLOW_SECONDS)
    workers = [restamping, following, reporting, holding]
    for target in targets:
        sender = SeriesSender(store, archive, target, lambda: following.stopped)
        workers.append(Worker(f"send-to-{target}", sender.run_due))
    for filler in fillers:
        notifier = Notifier(store, archive, quarantine, settings.host.ae_title or "", filler)
        workers.append(Worker(f"notify-{filler.name}", notifier.run_due))

    def heard() -> None:
        restamping.wake()
        holding.wake()

    inboxes = {
        kind: StoredInbox(store, work, heard)
        for kind, work in {
            "ADT^A08": update,
            "ADT^A40": merge,
            "ORM^O01": procedures,
            "OMI^O23": procedures,
        }.items()
    }
    listener = Listener(settings.port("hl7"), Receiver(settings, inboxes).answer)
    listener.start()
    callers = {caller.ae_title: caller for caller in settings.find_callers("dicom-tls") if caller.ae_title}
    desk = Desk(store, quarantine, callers, hold_unscheduled=configuration.hold_unscheduled, rejected=holding.wake)
    DeskServer(configuration.runtime / "desk", desk, configuration.archive_user).start()
    for worker in workers:
        worker.thread.start()
    write_event(START, hl7=settings.port("hl7"), archives=targets)
    notify("READY=1")
    wait_for_stop()
    notify("STOPPING=1")
    listener.stop()
    for worker in workers:
        worker.stop()
    deadline = Deadline(5)
    for worker in workers:
        worker.thread.join(deadline.left)


def report(store: Store, runtime: Path) -> None:
    """Show the health probe what is set aside."""
    with store.transaction() as db:
        publish(runtime, db)


class Holding:
    """A turn of the quarantine: take out of the archive what must not be there, and release what fits by now."""

    def __init__(self, store: Store, quarantine: Quarantine, fillers: tuple[str, ...] = ()) -> None:
        """Work on this quarantine; `fillers` are told of what is no longer available."""
        self._store = store
        self._quarantine = quarantine
        self._fillers = fillers

    def __call__(self) -> None:
        """Do what there is to do."""
        with self._store.transaction() as db:
            rows = db.execute(f"SELECT study FROM withdrawals WHERE {excluded(Queue.WITHDRAW, 'study')}")  # noqa: S608 - ours
            studies = [str(row["study"]) for row in rows]
        for study in studies:
            try:
                self._quarantine.withdraw(study)
            except UnreachableError:
                raise
            except Exception as error:  # noqa: BLE001 - one study must not stop the others
                with self._store.transaction() as db:
                    aside = count_error(db, Queue.WITHDRAW, study, error)
                tell = tell_set_aside if aside else partial(write_failure, waiting=True)
                tell(HOLD, error, study=study)
                continue
            with self._store.transaction() as db:
                clear(db, Queue.WITHDRAW, study)
                db.execute("DELETE FROM withdrawals WHERE study = ?", (study,))
                for filler in self._fillers:
                    ask_notification(db, study, filler)
        self._quarantine.expire()
        self._quarantine.review()


class Following:
    """A turn of following: after every time that the archive was away, all series are compared first."""

    def __init__(self, follower: Follower, noticed: Callable[[], None]) -> None:
        """Follow with `follower`; `noticed` is told of changes."""
        self._follower = follower
        self._noticed = noticed
        self._swept = False

    def __call__(self) -> None:
        """Take every change there is."""
        try:
            self._follower.take_again()
            if not self._swept:
                self._follower.sweep()
                self._swept = True
            while self._follower.follow():
                self._noticed()
        except UnreachableError:
            self._swept = False
            raise
