"""What happens while a lab is built, configured or checked: typed events, and the bus that carries them."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class Phase(StrEnum):
    """How far a host has come on its way up."""

    WAITING = "waiting"
    STARTED = "started"
    CONNECTED = "connected"
    RUNNING = "running"
    CONFIGURING = "configuring"
    CONFIGURED = "configured"
    CHECKING = "checking"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    REMOVED = "removed"


@dataclass(frozen=True)
class Event:
    """Something happened at ``at`` (seconds since 1970)."""

    at: float = field(default_factory=time.time, kw_only=True)

    def as_dict(self) -> dict[str, Any]:
        """Return the event as the run log writes it: ``event`` names its type in lower case."""
        name = re.sub(r"(?<!^)(?=[A-Z])", "_", type(self).__name__).lower()
        return {"event": name, **asdict(self)}


@dataclass(frozen=True)
class StageStarted(Event):
    """A stage of a verb begins, such as images or configuration."""

    stage: str
    detail: str = ""


@dataclass(frozen=True)
class StageFinished(Event):
    """A stage ended well."""

    stage: str
    seconds: float
    detail: str = ""


@dataclass(frozen=True)
class HostPhase(Event):
    """A host reached a phase; ``detail`` says why it is not further."""

    host: str
    phase: Phase
    detail: str = ""


@dataclass(frozen=True)
class ImageStarted(Event):
    """An image is being built: the role list that it holds, joined by ``+``."""

    image: str


@dataclass(frozen=True)
class ImageFinished(Event):
    """An image was built."""

    image: str
    key: str
    seconds: float


@dataclass(frozen=True)
class TaskFinished(Event):
    """An Ansible task ended on a host; ``status`` is ok, changed, failed, skipped or unreachable."""

    host: str
    task: str
    status: str
    detail: str = ""


@dataclass(frozen=True)
class CertificateGiven(Event):
    """A person was given a certificate for SSH, good ``until`` (seconds since 1970) from these addresses."""

    serial: int
    person: str
    reason: str
    principals: tuple[str, ...]
    sources: tuple[str, ...]
    until: float


@dataclass(frozen=True)
class Note(Event):
    """A sentence worth telling."""

    text: str


@dataclass(frozen=True)
class Warned(Event):
    """Something is not as it should be, and does not stop the work."""

    text: str
    remedy: str = ""


class Bus:
    """Carries events from the library to whoever shows or records them; may be used from several threads."""

    def __init__(self) -> None:
        """Start without subscribers: events then go nowhere."""
        self._subscribers: list[Callable[[Event], None]] = []
        self._lock = threading.Lock()

    def subscribe(self, subscriber: Callable[[Event], None]) -> None:
        """Call ``subscriber`` with every event from now on, one at a time."""
        with self._lock:
            self._subscribers.append(subscriber)

    def emit(self, event: Event) -> None:
        """Hand an event to every subscriber, in the order they came."""
        with self._lock:
            for subscriber in self._subscribers:
                subscriber(event)
