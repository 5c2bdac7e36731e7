"""An administrator proves who it is, and goes on proving it; an envelope that is opened is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.command_line import Result
from simulators.events.actions import OPEN_ENVELOPE, SEAL_ENVELOPE
from simulators.events.report import write_event
from simulators.person.verbs import signed_in_with

if TYPE_CHECKING:
    import argparse

    from simulators.settings import Settings


def prove(arguments: argparse.Namespace, settings: Settings) -> Result:
    """Show the sign-on both factors, keep the session, and hand on what the sign-on has signed of it.

    The ID token is for this host and has the caller's word, so that the caller, who verifies the signature, knows that
    it was given for this very sign-in.
    """
    session = signed_in_with(arguments, settings, arguments.nonce)
    return Result({"person": session.person, "id_token": session.hint}, f"{session.person} is signed in")


def standing(arguments: argparse.Namespace, _: Settings) -> Result:
    """Tell who acts: whoever may no longer does not come so far."""
    person = arguments.acting.name
    return Result({"person": person}, f"{person} may administer hosts")


def opened(arguments: argparse.Namespace, _: Settings) -> Result:
    """Write the event."""
    write_event(OPEN_ENVELOPE, user=arguments.by, target=arguments.target)
    return Result({"target": arguments.target}, f"it is on record that {arguments.by} opened the envelope")


def sealed(arguments: argparse.Namespace, _: Settings) -> Result:
    """Write the event."""
    write_event(SEAL_ENVELOPE, user=arguments.by)
    return Result({}, f"it is on record that {arguments.by} sealed the envelope")
