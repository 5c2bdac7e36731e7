"""How much a hospital gets done in an hour, from order to long-term archive, against itself without its security."""

from __future__ import annotations

import secrets
import time
from functools import partial
from typing import TYPE_CHECKING

from lab.bench.figures import Figure, alternate
from lab.bench.plain import take_off
from lab.deadline import wait_until
from lab.errors import EngineError
from lab.events import Bus
from lab.hospital.archive import Archive
from lab.hospital.hospital import Hospital
from lab.hospital.workday import Volume, Workday
from lab.operate.trial import trial_lab

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.engine.lab import Lab
    from lab.settings import Settings

ORDERS, IMAGES = 40, 40
WARMING = 4
"""Orders that are carried through before the clock starts."""
ARRIVES_WITHIN = 300.0
"""Seconds in which the long-term archive has to have everything, from when all is read."""
POLL = 0.5
PURPOSE = "plain"
"""The clone is called ``<lab>-plain``."""
PROTECTED, PLAIN = "as it ships", "without TLS, edges and packet filters"


def bench_workflow(settings: Settings, lab: Lab, repetitions: int, say: Callable[[str], None]) -> list[Figure]:
    """Carry the same work through a lab and through a clone without its security, alternating.

    What the work leaves in the lab's archives is removed again; its orders stay at the record.

    Raises:
        UsageError: the site has not the people whose work is measured.
        EngineError: something of the work is missing at its end, or the clone cannot be made.
    """
    with trial_lab(settings, lab, PURPOSE, Bus()) as clone:
        take_off(clone)
        protected, plain = (partial(carry_through, side, Volume(ORDERS, IMAGES)) for side in (lab, clone))
        warming = Volume(WARMING, IMAGES)
        say(f"warming up: {carry_through(lab, warming):.1f} s, {carry_through(clone, warming):.1f} s")
        taken = alternate({PROTECTED: protected, PLAIN: plain}, repetitions, say)
    what = f"{ORDERS} orders with {IMAGES} images each, from order to long-term archive and reader, {PROTECTED}"
    amounts = {"orders": ORDERS, "images": ORDERS * IMAGES}
    return [Figure(what, f"the same {PLAIN}", taken[PROTECTED], taken[PLAIN], None, faster=True, amounts=amounts)]


def carry_through(lab: Lab, volume: Volume) -> float:
    """Carry orders through a hospital; the seconds until all is read, and every archive has all of it.

    Raises:
        EngineError: something of it is missing.
    """
    day = Workday(lab, volume, f"B{secrets.token_hex(4).upper()}", lambda _: None)
    archives = [Archive(lab, host) for host in (day.staff.archive, *Hospital(lab).sends_on_to(day.staff.archive))]
    wanted = volume.orders * volume.images
    began = time.monotonic()
    try:
        day.work(volume.orders)
        if len(day.read) < volume.orders:
            raise EngineError(
                f"The work in lab {lab.name} came to no end: {day.progress()}", remedy="See `pacslab status`."
            )
        there = wait_until(lambda: all(_count(archive, day) == wanted for archive in archives), ARRIVES_WITHIN, POLL)
        seconds = time.monotonic() - began
        if not there:
            counts = ", ".join(f"{archive.host} {_count(archive, day)}" for archive in archives)
            raise EngineError(
                f"Not every archive of lab {lab.name} has {wanted} images: {counts}.",
                remedy="`pacslab-image-manager status` on the first says what is waiting.",
            )
        return seconds
    finally:
        for archive in archives:
            archive.remove_studies(PatientID=f"{day.prefix}*")


def _count(archive: Archive, day: Workday) -> int:
    return archive.count("Instance", PatientID=f"{day.prefix}*")
