"""Errors that phrase themselves: what happened, where, and what to do next."""

from __future__ import annotations

from typing import ClassVar


class PacslabError(Exception):
    """Root of every error that a person can meet.

    Subclasses set ``exit_code``; the codes are one table, printed in ``docs/exit-codes.md``:
    1 a check failed, 2 the description or the arguments are wrong, 3 a host is not healthy,
    4 the machine is not ready, 5 the engine or Ansible failed, 130 interrupted.
    """

    exit_code: ClassVar[int] = 5

    def __init__(self, message: str, *, remedy: str) -> None:
        """Say what happened and where, and what to do next."""
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def as_dict(self) -> dict[str, object]:
        """Return the error as ``--json`` prints it."""
        return {"error": type(self).__name__, "message": self.message, "remedy": self.remedy}


class UsageError(PacslabError):
    """An argument names something that is not there, or cannot be used together with another."""

    exit_code = 2


class MachineNotReadyError(PacslabError):
    """The machine lacks something the lab needs: Docker, a kernel limit, a package."""

    exit_code = 4


class EngineError(PacslabError):
    """Docker or the fabric refused an operation."""

    exit_code = 5


class AnsibleError(PacslabError):
    """A playbook failed on a host."""

    exit_code = 5


class UnhealthyError(PacslabError):
    """A host did not become healthy in time."""

    exit_code = 3
