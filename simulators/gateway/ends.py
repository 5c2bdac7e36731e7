"""Tells when access that was taken in an emergency has ended: it ends by its time alone, whatever the person does."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from simulators.errors import NotReadyError
from simulators.events.actions import EMERGENCY_ENDS
from simulators.events.report import write_event

if TYPE_CHECKING:
    from simulators.gateway.break_glass import Grants

LOOK = 10.0
"""Seconds after which it looks whether there are new grants."""


async def tell_ends(grants: Grants) -> None:
    """Write an event for each grant that ends, and for those that ended while nobody looked, until cancelled."""
    while True:
        tell_ended(grants)
        left = grants.seconds_left()
        await asyncio.sleep(LOOK if left is None else min(LOOK, left + 0.01))


def tell_ended(grants: Grants) -> None:
    """Write an event for each grant whose end was not told; who took access anew meanwhile still has it."""
    over = grants.ended()
    for grant in over:
        if grant.patient not in grants.patients(grant.person):
            seconds = round(grant.until - grant.since)
            write_event(EMERGENCY_ENDS, person=grant.person, patient=grant.patient, seconds=seconds)
    if over:
        with suppress(NotReadyError):  # the disk is full, which the next grant says
            grants.note_ended(over)
