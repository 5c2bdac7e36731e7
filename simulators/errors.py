"""Errors of the simulators, phrased for the person who runs the command.

Hosts carry the simulators alone, so these do not build on ``lab.errors``; the form is the same.
"""

from __future__ import annotations

from typing import ClassVar


class SimulatorError(Exception):
    """Root of every error that a simulator reports; ``exit_code`` is what the command ends with.

    0 done, 1 the peer answered and refused, 2 the arguments are wrong or name nothing,
    3 the peer did not answer, 4 this host is not ready, 5 anything else.
    """

    exit_code: ClassVar[int] = 5

    def __init__(self, message: str, *, remedy: str) -> None:
        """Say what happened (`message`) and what to do next (`remedy`)."""
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.noted = False
        """An event tells it already."""

    def as_dict(self) -> dict[str, object]:
        """Return the error as ``--json`` prints it."""
        return {"error": type(self).__name__, "message": self.message, "remedy": self.remedy}


class RefusedError(SimulatorError):
    """The peer understood and said no: a negative acknowledgement or a DICOM failure status."""

    exit_code = 1


class BusyError(RefusedError):
    """The peer could not process it now, and nothing has changed there; later it may."""


class AssociationRejectedError(RefusedError):
    """The peer answered A-ASSOCIATE-RJ or aborted the association (PS3.8 9.3.4)."""


class TlsRefusedError(RefusedError):
    """One side did not accept the other's certificate, or they share no version or cipher suite."""


class UnsafeObjectError(RefusedError):
    """The peer sent an object that was not asked for, or whose UIDs cannot be used."""


class NotFoundError(SimulatorError):
    """A patient, order, accession number or peer that is named does not exist."""

    exit_code = 2


class ArgumentError(SimulatorError):
    """An argument has a value that cannot be used."""

    exit_code = 2


class UnreachableError(SimulatorError):
    """No connection to the peer, or it closed the connection without an answer."""

    exit_code = 3


class NoAnswerError(UnreachableError):
    """The peer took the request and did not answer in time."""


class NotReadyError(SimulatorError):
    """This host lacks settings, a certificate, its user or its database."""

    exit_code = 4
