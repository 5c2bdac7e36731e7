"""What the sign-on tells of a password that it does not take, in words for a person at a console."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.access.denied import DeniedError
from simulators.errors import RefusedError, SimulatorError, UnreachableError
from simulators.events import reasons

if TYPE_CHECKING:
    from collections.abc import Collection

    from simulators.events.vocabulary import Reason

NO_DIRECTORY = {"3", "6", "7"}
"""Numbers of messages of LemonLDAP::NG (Portal::Main::Constants) that the directory does not answer, or otherwise."""
TELLING: dict[str, tuple[str, str, Reason]] = {
    "21": (
        "{name} says that the account is locked after too many wrong passwords",
        "It opens by itself after a quarter of an hour; the service desk can open it now.",
        reasons.ACCOUNT_LOCKED,
    ),
    "22": (
        "{name} says that the password has expired",
        "Ask the service desk for a new one.",
        reasons.PASSWORD_EXPIRED,
    ),
    "86": (
        "{name} makes the person wait after failed attempts",
        "Wait a minute, then try again: each further failure makes the time longer.",
        reasons.TOO_MANY_ATTEMPTS,
    ),
    "103": (
        "{name} knows no second factor of this person",
        "Ask the service desk to enrol one.",
        reasons.NO_SECOND_FACTOR,
    ),
}
"""By number: what it says, what to do, and the word for events."""


def answer_to_password(name: str, told: Collection[str], *, asks_for_key: bool = False) -> SimulatorError:
    """The error for a page that does not ask for a one-time password after a name and a password.

    Args:
        name: the sign-on.
        told: the numbers of the messages on its page.
        asks_for_key: whether it asks for a security key instead.
    """
    if asks_for_key:
        return DeniedError(
            f"{name} asks for a security key, which a console cannot show",
            remedy="Sign in at the viewer, in a browser; for commands a person needs a one-time password.",
            reason=reasons.NO_SECOND_FACTOR,
        )
    if NO_DIRECTORY.intersection(told):
        return UnreachableError(
            f"the directory behind {name} does not answer, so nobody can sign in",
            remedy="Look at `pacslab status`. Who is signed in goes on; to a host leads `pacslab ssh --break-glass`.",
        )
    for number in told:
        if number in TELLING:
            what, remedy, reason = TELLING[number]
            return DeniedError(what.format(name=name), remedy=remedy, reason=reason)
    return RefusedError(
        f"{name} does not take this name and password",
        remedy="Try again; after several attempts it makes a person wait, and the directory locks the account.",
    )
