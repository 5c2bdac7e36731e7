"""Takes rejection notes to archives (C-STORE, RAD-66), again and again until each has taken its own."""

from __future__ import annotations

import io
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg
from pydicom import dcmread

from simulators.association import associate, contexts
from simulators.errors import NoAnswerError, RefusedError, SimulatorError
from simulators.events.actions import REJECT
from simulators.events.report import write_event, write_failure
from simulators.rejections import KEY_OBJECT_SELECTION, PERMIT
from simulators.ris.rejections import due, postpone, taken
from simulators.tls import client_context

if TYPE_CHECKING:
    import ssl
    from typing import Any

    from simulators.database import Database
    from simulators.settings import Peer, Settings

SERVICE = "dicom-tls"
CERTIFICATE = "dicom-client"
POLL_SECONDS = 2.0
"""How often it looks for notes that a command has left."""
LONG_TERM = "long-term-archive"
"""What archives do that others send images on to, by the site's word."""
SUCCESS, COERCED = 0x0000, 0xB000
"""Statuses of C-STORE by which an archive takes a note (PS3.4 B.2.3); the second says that it is kept outside."""


def archives_for(settings: Settings, told: set[str]) -> list[Peer]:
    """Whom a note is for: who has told of the study, and archives for the long term, to which it may be on its way."""
    return [
        peer
        for peer in settings.find_peers(SERVICE, permit=PERMIT)
        if peer.ae_title in told or LONG_TERM in peer.functions
    ]


@dataclass(frozen=True)
class NoteSender:
    """Sends to each archive in a thread of its own, so that one that is away holds up no other.

    Attributes:
        settings: this host's.
        database: where the notes are.
        secure: whether TLS is spoken; it is not in tests alone.
    """

    settings: Settings
    database: Database
    secure: bool = True
    _wake: dict[str, threading.Event] = field(default_factory=dict)

    def start(self) -> None:
        """Send in the background."""
        for peer in self.settings.find_peers(SERVICE, permit=PERMIT):
            self._wake[peer.name] = threading.Event()
            threading.Thread(target=self._run, args=(peer,), name=f"notes-{peer.name}", daemon=True).start()

    def _run(self, peer: Peer) -> None:
        while True:
            self._wake[peer.name].wait(POLL_SECONDS)
            try:
                while self.send_next(peer):
                    pass
            except (SimulatorError, psycopg.Error) as error:
                write_failure(REJECT, error, waiting=True, peer=peer.name)

    def send_next(self, peer: Peer) -> bool:
        """Try the next note that is due; tell whether there was one."""
        with self.database.transaction() as cursor:
            row = due(cursor, peer.name)
            if row is None:
                return False
            facts: dict[str, Any] = {
                "peer": peer.name, "person": row["decided_by"], "patient": row["patient_id"], "study": row["study_uid"],
                "accession": row["accession"], "rejection": row["rejection"], "title": row["title"],
                "instances": row["instances"],
            }  # fmt: skip
            try:
                self._send(peer, bytes(row["note"]))
            except SimulatorError as error:
                pause = postpone(cursor, row, error.message)
                write_failure(REJECT, error, waiting=True, **facts, attempts=row["attempts"] + 1, seconds=pause)
            else:
                taken(cursor, row)
                write_event(REJECT, **facts)
            return True

    def _send(self, peer: Peer, note: bytes) -> None:
        """Store a note at an archive.

        Raises:
            RefusedError: it does not take it.
            UnreachableError: it is away, or did not answer.
        """
        tls: ssl.SSLContext | None = client_context(self.settings, CERTIFICATE) if self.secure else None
        calling = self.settings.host.ae_title or ""
        with associate(peer, contexts([KEY_OBJECT_SELECTION]), calling=calling, tls=tls) as association:
            status = association.send_c_store(dcmread(io.BytesIO(note))).get("Status")
        if status is None:
            raise NoAnswerError(f"{peer.name} did not answer C-STORE", remedy="Look at its health and log.")
        if status not in {SUCCESS, COERCED}:
            raise RefusedError(f"{peer.name} refused the note: status 0x{status:04X}", remedy="Look at its log.")
