"""Coming in while the sign-on is down: the sealed envelope is opened, told of, and sealed again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.errors import PacslabError
from lab.events import Warned
from lab.operate.administration import Wish, person
from lab.operate.administrators import require_sign_on, tell
from lab.operate.certificates import reseal_envelope
from lab.trust.envelope import ACCOUNT, open_envelope
from lab.trust.store import pki_folder

if TYPE_CHECKING:
    from datetime import timedelta

    from lab.engine.lab import Lab
    from lab.events import Bus
    from lab.topology.site import ResolvedFlow
    from lab.trust.envelope import Entry


def break_glass(lab: Lab, flow: ResolvedFlow, reason: str, lifetime: timedelta, bus: Bus) -> Wish:
    """Open the envelope for a host; it is on record before anything can be done with what is in it.

    Raises:
        UsageError: administrators do not sign in at this site, or the reason cannot stand in a log.
        TrustError: the lab has no envelope.
    """
    require_sign_on(lab.site, flow.source)
    by = person()
    principal = open_envelope(pki_folder(lab.folder), by, reason, flow.target)
    _tell(lab, flow.source, bus, "open-envelope", flow.target, "--by", by)
    return Wish(f"break-glass {by}", reason, principal, lifetime, account=ACCOUNT)


def reseal(lab: Lab, source: str, bus: Bus) -> Entry:
    """Seal it again, with a new secret that every host is told.

    Raises:
        TrustError: the lab has no envelope.
        AnsibleError: a host could not be told. It is sealed; the next ``pacslab up`` brings what is in it.
    """
    by = person()
    entry = reseal_envelope(lab, by, bus)
    _tell(lab, source, bus, "seal-envelope", "--by", by)
    return entry


def _tell(lab: Lab, source: str, bus: Bus, *words: str) -> None:
    """Have it told at the collector; an emergency does not wait for that, since the lab's own record has it."""
    try:
        tell(lab, source, *words)
    except PacslabError as error:
        bus.emit(Warned(f"The collector was not told: {error.message}", error.remedy))
