"""The service ``pacslab-siem-notifier``: tells people of incidents, as its settings say whom and how.

Settings: /etc/pacslab/notifier.json, those of a simulator (:mod:`simulators.settings`) with one section more:
``"notifier": {"site": title, "console": URL, "least": level, "sender": address, "recipients": {person: address},
"webhook": {"url": URL, "ca": file} or null}``. What signs a webhook's messages is in a file of its own.
"""

from __future__ import annotations

import json
import os
import signal
import ssl
import sys
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from simulators.errors import SimulatorError
from simulators.events.actions import START
from simulators.events.outlets import send_to_journal
from simulators.events.report import write_event
from simulators.service import notify, publish
from simulators.settings import parse
from simulators.siem.incidents.notify import mail, webhook
from simulators.siem.notify.mail import MailServer
from simulators.siem.notify.notices import Notices, Recipient
from simulators.siem.notify.round import Round
from simulators.siem.notify.seen import Seen
from simulators.siem.notify.webhook import Webhook
from simulators.siem.sigma.model import Level
from simulators.tls import client_context

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulators.settings import Settings
    from simulators.siem.incidents.model import Incident
    from simulators.siem.notify.round import Channel

SETTINGS = Path("/etc/pacslab/notifier.json")
SECRET = Path("/etc/pacslab/notifier-webhook")
SERVICE, CERTIFICATE = "mail", "notifier"
"""The service that takes mail, and the certificate that this host shows it."""
TARGET = "host=/run/postgresql dbname=siem user=siem-notifier"
TARGET_VARIABLE = "PACSLAB_SIEM_DATABASE"
TROUBLE = "trouble"
"""File in the runtime folder: empty, or why people cannot be told."""
LOOK = 1.0
"""Seconds between two looks at what is stored."""
LOOK_AT_SERVER = 300.0
"""Seconds between two looks whether the mail server is there, when nothing is sent."""
LET_GO = 3600.0
PAUSE = 2.0


@dataclass(frozen=True)
class ByMail:
    """A mail to somebody."""

    recipient: Recipient
    server: MailServer
    site: str
    sender: str
    console: str

    def deliver(self, incident: Incident) -> None:
        """Tell of an incident."""
        self.server.deliver(mail(incident, self.site, self.sender, [self.recipient.name], self.console))


@dataclass(frozen=True)
class ByWebhook:
    """A message to a webhook."""

    recipient: Recipient
    receiver: Webhook
    site: str
    console: str

    def deliver(self, incident: Incident) -> None:
        """Tell of an incident."""
        name = f"{self.site}-incident-{incident.number}-{incident.level}"
        self.receiver.deliver(name, webhook(incident, self.site, self.console))


class Service:
    """Looks at what is stored, and tells whom it has to."""

    def __init__(self, target: str, channels: list[Channel], server: MailServer | None, least: Level) -> None:
        """Open the database at `target`, again with each start of :meth:`work`."""
        self._target, self._channels, self._server, self._least = target, channels, server, least
        self._stopping = threading.Event()

    def stop(self) -> None:
        """End."""
        self._stopping.set()

    def serve(self) -> None:
        """Work until told to stop, however often the database goes away."""
        while not self._stopping.is_set():
            try:
                with psycopg.connect(self._target, autocommit=True, connect_timeout=5) as connection:
                    self.work(connection)
            except psycopg.Error as error:
                publish(TROUBLE, "the repository's database does not answer\n")
                sys.stderr.write(f"database: {str(error).strip()}\n")
                self._stopping.wait(PAUSE)

    def work(self, connection: psycopg.Connection) -> None:
        """Tell people until told to stop.

        Raises:
            psycopg.Error: the database is gone.
        """
        seen = Seen(connection, datetime.now(UTC))
        telling = Round(Notices(connection), self._channels, self._least, time.monotonic)
        looked = let_go = float("-inf")
        missing = ""
        while not self._stopping.is_set():
            if time.monotonic() - looked > (LOOK_AT_SERVER if not missing else LOOK_AT_SERVER / 30):
                missing, looked = self._missing(), time.monotonic()
            if seen.refresh() or time.monotonic() >= telling.next_turn:
                telling.turn(seen.incidents())
            publish(TROUBLE, f"{telling.trouble or missing}\n" if telling.trouble or missing else "")
            if time.monotonic() - let_go > LET_GO:
                seen.let_go(datetime.now(UTC), telling.is_needed)
                let_go = time.monotonic()
            self._stopping.wait(LOOK)

    def _missing(self) -> str:
        """Why the mail server cannot be used; empty where it can."""
        try:
            if self._server is not None:
                self._server.look()
        except SimulatorError as error:
            return error.message
        return ""


def channels_of(settings: Settings, told: Mapping[str, Any], secret: Path) -> tuple[list[Channel], MailServer | None]:
    """Return whom the settings name, and the mail server.

    Args:
        settings: those of a simulator.
        told: the section ``notifier``.
        secret: file with what signs a webhook's messages.

    Raises:
        SimulatorError: no flow leads to a mail server, or the webhook's URL is none.
    """
    found: list[Channel] = []
    server = None
    if told["recipients"]:
        peer = settings.peer(SERVICE)
        context = _by_certificate(settings)
        server = MailServer(peer.address, peer.port, peer.identity, settings.host.fqdn, context)
        found += [
            ByMail(Recipient("mail", address, peer.name, person), server, told["site"], told["sender"], told["console"])
            for person, address in told["recipients"].items()
        ]
    if told["webhook"]:
        authorities = told["webhook"]["ca"] or None
        receiver = Webhook(
            told["webhook"]["url"], secret.read_bytes().strip(), lambda: _by_authorities(authorities), time.time
        )
        recipient = Recipient("webhook", receiver.host, receiver.host)
        found.append(ByWebhook(recipient, receiver, settings.site.name, told["console"]))
    return found, server


def _by_certificate(settings: Settings) -> Any:
    return lambda: client_context(settings, CERTIFICATE)


def _by_authorities(authorities: str | None) -> ssl.SSLContext:
    """Return a context that verifies a receiver by its name and the authorities of a file, or those of the system."""
    context = ssl.create_default_context(cafile=authorities)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def main(argv: list[str]) -> int:
    """Serve until told to stop; the settings and the secret, where they are not at their places."""
    send_to_journal()
    path, secret = (Path(argv[0]) if argv else SETTINGS), (Path(argv[1]) if len(argv) > 1 else SECRET)
    try:
        content = json.loads(path.read_text("utf-8"))
        told = content["notifier"]
        channels, server = channels_of(parse(content), told, secret)
    except SimulatorError as error:
        sys.stderr.write(f"error: {error.message} {error.remedy}\n")
        return error.exit_code
    service = Service(os.environ.get(TARGET_VARIABLE, TARGET), channels, server, Level(told["least"]))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: service.stop())
    write_event(START)
    notify("READY=1")
    service.serve()
    notify("STOPPING=1")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
