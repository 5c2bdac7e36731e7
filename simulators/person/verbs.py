"""A person comes and goes: what the verbs of :mod:`simulators.person.cli` do."""

from __future__ import annotations

import getpass
import sys
from typing import TYPE_CHECKING

from simulators.command_line import Result
from simulators.errors import ArgumentError
from simulators.events.actions import SIGN_IN, SIGN_OUT
from simulators.events.report import performing
from simulators.person.acting import not_signed_in
from simulators.person.portal import Portal
from simulators.person.sessions import Sessions, checked_name

if TYPE_CHECKING:
    import argparse

    from simulators.person.sessions import Session
    from simulators.settings import Settings

LONGEST_LINE = 1024


def sign_in(arguments: argparse.Namespace, settings: Settings) -> Result:
    """Show the sign-on both factors, which stand in no argument, and keep the session."""
    person = signed_in_with(arguments, settings).person
    return Result({"person": person}, f"{person} is signed in at {settings.host.name}")


def signed_in_with(arguments: argparse.Namespace, settings: Settings, nonce: str | None = None) -> Session:
    """The session that both factors open, which is kept; its ID token has the caller's word, where there is one."""
    person, portal = checked_name(arguments.name), Portal.of(settings)
    password, code = _typed("Password: "), _typed("One-time password: ")
    with performing(SIGN_IN, peer=portal.name, person=person):
        session = portal.sign_in(person, password, code, nonce)
        Sessions().keep(session)
    return session


def sign_out(arguments: argparse.Namespace, settings: Settings) -> Result:
    """End a person's session, here and at the sign-on."""
    sessions, portal = Sessions(), Portal.of(settings)
    person = checked_name(arguments.name)
    session = sessions.get(person)
    if session is None:
        raise not_signed_in(person)
    with performing(SIGN_OUT, peer=portal.name, person=person):
        sessions.forget(person)
        portal.sign_out(session)
    return Result({"person": person}, f"{person} is signed out")


def people(_: argparse.Namespace, __: Settings) -> Result:
    """List who is signed in here."""
    found = Sessions().people()
    return Result({"people": found}, "\n".join(found) or "(none)")


def _typed(prompt: str) -> str:
    """What a person types, without showing it; a line of standard input where that is no terminal.

    Raises:
        ArgumentError: there is none.
    """
    line = getpass.getpass(prompt) if sys.stdin.isatty() else sys.stdin.readline(LONGEST_LINE)
    if not line.strip("\r\n"):
        raise ArgumentError(
            "a password and a one-time password are needed",
            remedy="Type them when asked, or give each as a line of standard input.",
        )
    return line.strip("\r\n")
