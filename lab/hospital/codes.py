"""One-time passwords of people, each shown once: the sign-on takes none twice (RFC 6238 5.2)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from lab.deadline import wait_until
from lab.trust.one_time_password import PERIOD, one_time_password
from lab.trust.personal import personal_secret

if TYPE_CHECKING:
    from pathlib import Path

    from lab.engine.lab import Lab
    from lab.topology.site import Site

LOOK = 0.2
"""Seconds between two looks at the clock."""
_SHOWN: dict[tuple[Path, str], int] = {}
"""The half minute of the last code that this process has shown, by lab and person."""


def who_has_codes(site: Site) -> list[str]:
    """The people of a site who sign in with one, in the order of its description."""
    return [name for name, person in site.topology.people.items() if person.second_factor == "one-time-password"]


def fresh_code(lab: Lab, person: str) -> str:
    """A person's one-time password that this process has not shown yet; waits for the next one where it has."""
    seed = personal_secret(lab.site, lab.folder, person, "one-time-password")
    known = (lab.folder, person)
    wait_until(lambda: int(time.time()) // PERIOD != _SHOWN.get(known), PERIOD + 1, LOOK)
    now = time.time()
    _SHOWN[known] = int(now) // PERIOD
    return one_time_password(seed, now).code
