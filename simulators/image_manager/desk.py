"""Where the archive's gate asks about an object that it would let in: a UNIX socket that one user alone may talk to.

Each question and each answer is a line of JSON. To ``{"ask": "admit", "octets": N, …}`` the answer is ``{"verdict":
"keep"}``, ``{"verdict": "refuse", "reason"}``, or ``{"verdict": "hold", "reason"}``, whereupon the gate sends the
object's N octets and is answered ``{"verdict": "held"}`` when they are on disk. ``{"ask": "same-patient", "one",
"other"}`` is answered ``{"same": bool}``, ``{"ask": "held", "instance", "sop_class"}`` with ``{"held": bool}``.
"""

from __future__ import annotations

import json
import pwd
import socket
import socketserver
import struct
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simulators.errors import ArgumentError, NotReadyError, RefusedError
from simulators.events import reasons
from simulators.events.actions import CONNECT, HOLD, REJECT
from simulators.events.report import write_event, write_failure
from simulators.image_manager.quarantine import held
from simulators.image_manager.rejection import read_note
from simulators.image_manager.schedule import Arrival, misfit, present
from simulators.rejections import KEY_OBJECT_SELECTION, PERMIT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from simulators.events.vocabulary import Facts, Reason
    from simulators.image_manager.quarantine import Quarantine
    from simulators.image_manager.store import Store
    from simulators.settings import Caller

LONGEST_QUESTION = 65_536
SECONDS = 30.0
"""For which a question or an object may take; an open connection may be silent for longer."""
ARCHIVES = frozenset({"primary-archive", "cardiology-archive", "long-term-archive"})
"""Functions of hosts whose own image manager has judged what they send on."""
ALSO_OF_ARCHIVES = frozenset({reasons.CANCELLED_PROCEDURE, reasons.WRONG_WORKLIST_ENTRY, reasons.REJECTED_IMAGE})
"""What may have become known since another archive sent an object on."""
KEEP, HOLD_IT, HELD, REFUSE = "keep", "hold", "held", "refuse"
STORE = "C-STORE"
"""The word by which a flow lets a host store anything."""


@dataclass(frozen=True)
class Verdict:
    """What becomes of an object, and why it is not kept."""

    word: str
    reason: Reason | None = None


@dataclass(frozen=True)
class Desk:
    """Decides on objects.

    Attributes:
        store: what was announced.
        quarantine: where objects are held.
        callers: by AE title, who may store.
        hold_unscheduled: whether an object of a study that nobody has announced is held.
        rejected: called when a rejection note was taken.
    """

    store: Store
    quarantine: Quarantine
    callers: dict[str, Caller]
    hold_unscheduled: bool
    rejected: Callable[[], None] = lambda: None

    def judge(self, ae_title: str, arrival: Arrival) -> Verdict:
        """Compare an object with the schedule; what another archive sends on was judged there."""
        caller = self.callers.get(ae_title)
        if caller is not None and STORE not in caller.permits:
            return Verdict(REFUSE, reasons.NOT_PERMITTED)
        with self.store.transaction() as db:
            reason = misfit(db, arrival)
        if caller is not None and ARCHIVES.intersection(caller.functions) and reason not in ALSO_OF_ARCHIVES:
            return Verdict(KEEP)
        if reason is None or (reason is reasons.UNSCHEDULED and not self.hold_unscheduled):
            return Verdict(KEEP)
        return Verdict(HOLD_IT, reason)

    def note(self, ae_title: str, file: bytes) -> Verdict | None:
        """Take a rejection note from whom a flow lets reject; None of another document.

        Raises:
            RefusedError: another object with its UID is held.
        """
        try:
            note = read_note(file)
        except ArgumentError:
            return Verdict(REFUSE, reasons.ATTRIBUTE_VALUE)
        if note is None:
            return None
        facts: Facts = {
            "ae_title": ae_title, "study": note.study, "instance": note.own.instance, "title": note.title.value,
            "instances": len(note.rejects),
        }  # fmt: skip
        caller = self.callers.get(ae_title)
        if caller is None or PERMIT not in caller.permits:
            write_event(REJECT, reason=reasons.NOT_PERMITTED, **facts)
            return Verdict(REFUSE, reasons.NOT_PERMITTED)
        self.quarantine.reject(file, note, ae_title)
        self.rejected()
        write_event(REJECT, peer=caller.name, **facts)
        return Verdict(HOLD_IT, reasons.REJECTION_NOTE)

    def holds(self, instance: str, sop_class: str) -> bool:
        """Tell whether an object of a SOP class is in quarantine."""
        with self.store.transaction() as db:
            found = next((entry for entry in held(db) if entry.instance == instance), None)
        return found is not None and self.quarantine.sop_class(found) == sop_class

    def same_patient(self, one: str, other: str) -> bool:
        """Tell whether two identifiers mean the same patient by now."""
        with self.store.transaction() as db:
            return present(db, one) == present(db, other)


class DeskServer(socketserver.ThreadingUnixStreamServer):
    """Serves the desk to one user of the host."""

    daemon_threads = True

    def __init__(self, path: Path, desk: Desk, user: str) -> None:
        """Listen at `path`; whoever is not `user` is refused.

        Raises:
            NotReadyError: the host has no such user.
        """
        try:
            self.uid = pwd.getpwnam(user).pw_uid
        except KeyError as error:
            raise NotReadyError(f"the host has no user {user}", remedy="The archive's role brings it.") from error
        self.desk = desk
        path.unlink(missing_ok=True)
        super().__init__(str(path), _Conversation)
        path.chmod(0o666)  # whoever may connect, the peer's user decides

    def start(self) -> None:
        """Serve in the background."""
        threading.Thread(target=self.serve_forever, name="desk", daemon=True).start()


class _Conversation(socketserver.StreamRequestHandler):
    server: DeskServer

    def handle(self) -> None:
        """Answer questions until the gate closes the connection."""
        credentials = self.connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        _, uid, _ = struct.unpack("3i", credentials)
        if uid != self.server.uid:
            write_event(CONNECT, reason=reasons.OTHER_USER, user=str(uid), target="desk")
            return
        while line := self.rfile.readline(LONGEST_QUESTION):
            try:
                self._say(self._answer(json.loads(line)))
            except OSError:
                return  # the gate is gone
            except Exception as error:  # noqa: BLE001 - whatever it meets, the gate is told, and nothing is let in unseen
                write_failure(HOLD, error)
                self._say({"verdict": REFUSE, "reason": reasons.INTERNAL_ERROR.word, "again": True})

    def _answer(self, question: dict[str, Any]) -> dict[str, Any]:
        desk = self.server.desk
        if question["ask"] == "same-patient":
            return {"same": desk.same_patient(question["one"], question["other"])}
        if question["ask"] == "held":
            return {"held": desk.holds(question["instance"], question["sop_class"])}
        caller, octets = str(question["ae_title"]), int(question["octets"])
        arrival = Arrival(
            question["patient"], question["study"], question["accession"], bool(question["known_study"]),
            question["instance"],
        )  # fmt: skip
        file = b""
        try:
            if question["sop_class"] == KEY_OBJECT_SELECTION:
                file = self._read(octets, reasons.REJECTION_NOTE)
                noted = desk.note(caller, file)
                if noted is not None:
                    return _final(noted)
            verdict = desk.judge(caller, arrival)
            if verdict.word == HOLD_IT and verdict.reason is not None:
                desk.quarantine.hold(file or self._read(octets, verdict.reason), verdict.reason, caller)
        except RefusedError:
            return {"verdict": REFUSE, "reason": reasons.INSTANCE_CONFLICT.word}
        return _final(verdict)

    def _read(self, octets: int, reason: Reason) -> bytes:
        """Ask the gate for the object.

        Raises:
            OSError: it did not come whole.
        """
        self._say({"verdict": HOLD_IT, "reason": reason.word})
        self.connection.settimeout(SECONDS)
        file = self.rfile.read(octets)
        self.connection.settimeout(None)
        if len(file) < octets:
            raise OSError("the object broke off")
        return file

    def _say(self, answer: dict[str, Any]) -> None:
        self.wfile.write(json.dumps(answer).encode() + b"\n")


def _final(verdict: Verdict) -> dict[str, Any]:
    """A verdict as the gate is told of it at the end; what is to be held is held then."""
    told: dict[str, Any] = {"verdict": HELD if verdict.word == HOLD_IT else verdict.word}
    return told if verdict.reason is None else {**told, "reason": verdict.reason.word}
