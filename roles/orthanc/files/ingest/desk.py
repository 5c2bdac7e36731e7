"""Asks the host's image manager about an object that the gate would let in (simulators/image_manager/desk.py)."""

from __future__ import annotations

import json
import socket
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS = 10.0


class Desk:
    """One connection to the image manager, opened again when it has ended; a question at a time."""

    def __init__(self, path: str) -> None:
        """Ask at a UNIX socket."""
        self._path = path
        self._lock = threading.Lock()
        self._connection: socket.socket | None = None
        self._answers: Any = None

    def same_patient(self, one: str, other: str) -> bool:
        """Tell whether two identifiers mean the same patient by now.

        Raises:
            OSError: the image manager does not answer.
        """
        return bool(self._ask({"ask": "same-patient", "one": one, "other": other})["same"])

    def holds(self, instance: str, sop_class: str) -> bool:
        """Tell whether an object of a SOP class is held.

        Raises:
            OSError: the image manager does not answer.
        """
        return bool(self._ask({"ask": "held", "instance": instance, "sop_class": sop_class})["held"])

    def admit(self, facts: dict[str, Any], octets: int, file: Callable[[], bytes]) -> dict[str, Any]:
        """Return what becomes of an object of so many octets; one that is held is on the image manager's disk then.

        Raises:
            OSError: the image manager does not answer.
        """
        return self._ask({"ask": "admit", "octets": octets, **facts}, file)

    def _ask(self, question: dict[str, Any], file: Callable[[], bytes] = bytes) -> dict[str, Any]:
        with self._lock:
            for last in (False, True):
                try:
                    return self._asked(question, file)
                except OSError:
                    self._close()
                    if last:  # a connection of before a restart of the image manager fails once
                        raise
        raise AssertionError

    def _asked(self, question: dict[str, Any], file: Callable[[], bytes]) -> dict[str, Any]:
        if self._connection is None:
            self._connection = socket.socket(socket.AF_UNIX)
            self._connection.settimeout(SECONDS)
            self._connection.connect(self._path)
            self._answers = self._connection.makefile("rb")
        self._connection.sendall(json.dumps(question).encode() + b"\n")
        answer = self._read()
        if answer.get("verdict") == "hold":
            self._connection.sendall(file())
            return {**answer, **self._read()}
        return answer

    def _read(self) -> dict[str, Any]:
        line = self._answers.readline()
        if not line:
            raise ConnectionError("the image manager has closed the connection")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None
