"""The verbs by which a person comes and goes, the same at every command that a person acts with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.command_line import Verb

if TYPE_CHECKING:
    import argparse


def _person(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="PERSON", help="the name at sign-on")


PERSON_VERBS = (
    Verb(
        "sign-in",
        "Sign in with a password and a one-time password, for the commands that follow.",
        "simulators.person.verbs:sign_in",
        "sign-in a.rivera",
        _person,
    ),
    Verb("sign-out", "End a person's session.", "simulators.person.verbs:sign_out", "sign-out a.rivera", _person),
    Verb("signed-in", "List who is signed in here.", "simulators.person.verbs:people", "signed-in --json"),
)
