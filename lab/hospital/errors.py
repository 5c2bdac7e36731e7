"""What goes wrong when a system of the hospital is looked at or told to do something."""

from __future__ import annotations

from lab.errors import PacslabError


class HospitalError(PacslabError):
    """A system of the hospital did not do what it was asked, or did not answer."""

    exit_code = 3


class CommandFailedError(HospitalError):
    """A command on a host ended with another code than 0."""


class UnexpectedAnswerError(HospitalError):
    """A system's answer does not have the form that is read: it changed, or something else answered."""
