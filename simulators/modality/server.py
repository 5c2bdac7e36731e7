"""The modality's service: it receives storage commitment results and delivers what waits in the spool."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pynetdicom import evt

from simulators.association import contexts, start_scp
from simulators.errors import NotReadyError
from simulators.events.actions import DELIVER, START
from simulators.events.outlets import send_to_journal
from simulators.events.report import write_event, write_failure
from simulators.modality.commitment import PUSH_MODEL, handler
from simulators.modality.deliver import Courier
from simulators.modality.links import links_of, own_identity
from simulators.modality.spool import SET_ASIDE, Spool
from simulators.service import notify

if TYPE_CHECKING:
    import argparse

    from pynetdicom.transport import ThreadedAssociationServer

    from simulators.settings import Settings

ROUND_SECONDS = 2.0


def serve(_arguments: argparse.Namespace, settings: Settings) -> None:
    """Serve until SIGTERM.

    Raises:
        NotReadyError: no spool, or the port is taken.
    """
    send_to_journal()
    ae_title, _ = own_identity(settings)
    callers = [
        find_caller.ae_title
        for find_caller in settings.find_callers("dicom-tls", permit="N-EVENT-REPORT")
        if find_caller.ae_title
    ]
    spool = Spool()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    server = listen(spool, ae_title, settings.port("dicom"), callers)
    write_event(START, ae_title=ae_title, dicom=settings.port("dicom"), callers=callers)
    courier = Courier(lambda: links_of(settings), spool)
    notify("READY=1")
    while not stop.wait(ROUND_SECONDS):
        try:
            courier.round()
        except NotReadyError as error:
            write_failure(DELIVER, error, waiting=True)
        publish(spool)
    notify("STOPPING=1")
    server.shutdown()


def publish(spool: Spool) -> None:
    """Write what is set aside where the health probe reads it; a service outside of systemd has no such place."""
    runtime = os.environ.get("RUNTIME_DIRECTORY")
    if runtime is None:
        return
    images = [f"{instance.uid}: {instance.error}\n" for instance in spool.instances(states=[SET_ASIDE])]
    steps = [f"{refusal.step}: {refusal.what}: {refusal.error}\n" for refusal in spool.refusals(SET_ASIDE)]
    aside = images + steps
    text = "".join(aside)
    if aside:
        text += f"set aside: {len(aside)}; see `pacslab-modality queue`\n"
    path = Path(runtime) / "set-aside"
    if not path.exists() or path.read_text("utf-8") != text:
        draft = path.with_suffix(".new")
        draft.write_text(text, "utf-8")
        draft.chmod(0o644)
        draft.replace(path)


def listen(spool: Spool, ae_title: str, port: int, callers: list[str]) -> ThreadedAssociationServer:
    """Accept N-EVENT-REPORT of Storage Commitment from those callers, on loopback behind the edge."""
    supported = contexts([PUSH_MODEL])
    for context in supported:
        # The archive, the SCP of this service, opens the association (PS3.4 J.3.3, PS3.7 D.3.3.4).
        context.scu_role, context.scp_role = False, True
    handlers = [(evt.EVT_N_EVENT_REPORT, handler(spool, _caller))]
    return start_scp(ae_title, port, supported, handlers, callers=callers)


def _caller(event: Any) -> str:
    return str(event.assoc.requestor.ae_title).strip()
