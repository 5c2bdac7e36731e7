"""Sessions of people who have signed in at this host, kept for the time until it stops: one file each, in memory."""

from __future__ import annotations

import json
import os
import pwd
import re
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path

from simulators.errors import ArgumentError, NotReadyError

FOLDER_VARIABLE = "PACSLAB_SESSIONS"
NAME = re.compile(r"[a-z]([a-z0-9.-]{0,18}[a-z0-9])?")
"""A person's name at sign-on, which is also the name of a file."""


@dataclass(frozen=True)
class Session:
    """A session at the sign-on, as this host has it.

    Attributes:
        person: the name at sign-on.
        token: opens what the sign-on says of the person (RFC 6750).
        userinfo: where it says that.
        end: where a session is ended.
        cookie: the portal's own, with which it is ended.
        hint: the ID token, which says there which session is meant.
    """

    person: str
    token: str = field(repr=False)
    userinfo: str
    end: str
    cookie: str = field(repr=False)
    hint: str = field(repr=False)


def checked_name(person: str) -> str:
    """Return what can be a person's name.

    Raises:
        ArgumentError: it cannot.
    """
    if not NAME.fullmatch(person):
        raise ArgumentError(f"{person!r} is no name at sign-on", remedy="Names are like a.rivera.")
    return person


class Sessions:
    """The sessions of one command's user, which nobody else can read."""

    def __init__(self, folder: Path | None = None) -> None:
        """Keep them in a folder; by default in ``/run/pacslab/<user>-sessions``, which the user's role makes."""
        user = pwd.getpwuid(os.geteuid()).pw_name
        self._folder = folder or Path(os.environ.get(FOLDER_VARIABLE, f"/run/pacslab/{user}-sessions"))

    def people(self) -> list[str]:
        """Who has signed in, by name."""
        return sorted(path.stem for path in self._folder.glob("*.json") if NAME.fullmatch(path.stem))

    def get(self, person: str) -> Session | None:
        """The session of a person; None where there is none, or one that another release has kept.

        Raises:
            ArgumentError: that is no name.
            NotReadyError: it may not be read.
        """
        try:
            return Session(**json.loads((self._folder / f"{checked_name(person)}.json").read_text("utf-8")))
        except (FileNotFoundError, ValueError, TypeError):
            return None
        except OSError as error:
            raise NotReadyError(
                f"the session of {person} cannot be read: {error.strerror}", remedy="Run the command as root."
            ) from error

    def keep(self, session: Session) -> None:
        """Keep a session, in place of the person's former one.

        Raises:
            NotReadyError: the folder is not there, or is not this user's.
        """
        try:
            number, name = tempfile.mkstemp(dir=self._folder)  # of mode 0600
            with os.fdopen(number, "w", encoding="utf-8") as file:
                json.dump(asdict(session), file)
            Path(name).replace(self._folder / f"{checked_name(session.person)}.json")
        except OSError as error:
            raise NotReadyError(
                f"a session cannot be kept in {self._folder}: {error.strerror}", remedy="Configure the host again."
            ) from error

    def forget(self, person: str) -> None:
        """Forget a person's session."""
        (self._folder / f"{checked_name(person)}.json").unlink(missing_ok=True)
