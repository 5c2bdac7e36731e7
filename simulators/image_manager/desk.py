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

from simulators.errors import NotReadyError, RefusedError
from simulators.events import reasons
from simulators.events.actions import CONNECT, HOLD
from simulators.events.report import write_event, write_failure
from simulators.image_manager.quarantine import held
from simulators.image_manager.schedule import Arrival, misfit, present

if TYPE_CHECKING:
    from pathlib import Path

    from simulators.events.vocabulary import Reason
    from simulators.image_manager.quarantine import Quarantine
    from simulators.image_manager.store import Store
    from simulators.settings import Caller

LONGEST_QUESTION = 65_536
SECONDS = 30.0
"""For which a question or an object may take; an open connection may be silent for longer."""
ARCHIVES = frozenset({"primary-archive", "cardiology-archive", "long-term-archive"})
"""Functions of hosts whose own image manager has judged what they send on."""
ALSO_OF_ARCHIVES = frozenset({reasons.CANCELLED_PROCEDURE, reasons.WRONG_WORKLIST_ENTRY})
"""What may have become known since another archive sent an object on."""
KEEP, HOLD_IT, REFUSE = "keep", "hold", "refuse"


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
    """

    store: Store
    quarantine: Quarantine
    callers: dict[str, Caller]
    hold_unscheduled: bool

    def judge(self, ae_title: str, arrival: Arrival) -> Verdict:
        """Compare an object with the schedule; what another archive sends on was judged there."""
        caller = self.callers.get(ae_title)
        with self.store.transaction() as db:
            reason = misfit(db, arrival)
        if caller is not None and ARCHIVES.intersection(caller.functions) and reason not in ALSO_OF_ARCHIVES:
            return Verdict(KEEP)
        if reason is None or (reason is reasons.UNSCHEDULED and not self.hold_unscheduled):
            return Verdict(KEEP)
        return Verdict(HOLD_IT, reason)

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
        arrival = Arrival(question["patient"], question["study"], question["accession"], bool(question["known_study"]))
        verdict = desk.judge(question["ae_title"], arrival)
        if verdict.word != HOLD_IT or verdict.reason is None:
            return {"verdict": verdict.word}
        self._say({"verdict": HOLD_IT, "reason": verdict.reason.word})
        self.connection.settimeout(SECONDS)
        file = self.rfile.read(int(question["octets"]))
        self.connection.settimeout(None)
        if len(file) < int(question["octets"]):
            raise OSError("the object broke off")
        try:
            desk.quarantine.hold(file, verdict.reason, question["ae_title"])
        except RefusedError:
            return {"verdict": REFUSE, "reason": reasons.INSTANCE_CONFLICT.word}
        return {"verdict": "held"}

    def _say(self, answer: dict[str, Any]) -> None:
        self.wfile.write(json.dumps(answer).encode() + b"\n")
