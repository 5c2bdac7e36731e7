"""What a simulator that serves owes its host: readiness for systemd, what is wrong, and an orderly stop."""

from __future__ import annotations

import os
import signal
import socket
import threading
from pathlib import Path


def notify(state: str) -> None:
    """Tell systemd, if it waits for it: ``READY=1``, ``STOPPING=1`` (sd_notify(3))."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.connect("\0" + address[1:] if address.startswith("@") else address)
        channel.sendall(state.encode())


def publish(name: str, text: str) -> None:
    """Keep a file of the service's runtime folder at this text, for a health probe; without such a folder, nothing."""
    folder = os.environ.get("RUNTIME_DIRECTORY")
    if not folder:
        return
    path = Path(folder) / name
    if path.exists() and path.read_text("utf-8") == text:
        return
    draft = path.with_suffix(".new")
    draft.write_text(text, "utf-8")
    draft.chmod(0o644)
    draft.replace(path)


def wait_for_stop() -> None:
    """Block until SIGTERM or SIGINT."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    stop.wait()
