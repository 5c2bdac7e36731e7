"""Who asks: a person whom the web server has signed in, with the roles and the department that the sign-on states."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulators.access.denied import DeniedError
from simulators.events import reasons

if TYPE_CHECKING:
    from collections.abc import Mapping

PERSON, ROLES, DEPARTMENT, SESSION, ADDRESS, BROWSER = (
    f"X-Pacslab-{name}" for name in ("Person", "Roles", "Department", "Session", "Address", "Browser")
)
"""Headers that the web server sets from the sign-on's claims, after it removed what a client sent under these names."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.@_-]{0,63}")


@dataclass(frozen=True)
class Subject:
    """A person who is signed in, in one session, with the browser and the address that the request comes from."""

    person: str
    roles: tuple[str, ...]
    department: str
    session: str
    address: str = ""
    browser: str = ""


def read(headers: Mapping[str, str]) -> Subject:
    """Read who asks.

    Raises:
        DeniedError: the web server has signed nobody in.
    """
    person, session = headers.get(PERSON, ""), headers.get(SESSION, "").strip()
    if not NAME.fullmatch(person) or not session:
        raise DeniedError("Nobody is signed in.", remedy="Sign in again.", reason=reasons.NOT_SIGNED_IN, status=401)
    roles = tuple(dict.fromkeys(part.strip() for part in headers.get(ROLES, "").split(",") if part.strip()))
    department = headers.get(DEPARTMENT, "").strip()
    return Subject(person, roles, department, session, headers.get(ADDRESS, ""), headers.get(BROWSER, ""))
