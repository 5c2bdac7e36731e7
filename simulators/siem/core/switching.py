"""Takes rules out of the judge while they are switched off, and tells so before."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from simulators.service import publish
from simulators.siem.core.switches import LOOK, SHOWN

if TYPE_CHECKING:
    from simulators.siem.core.ledger import Ledger
    from simulators.siem.core.switches import Switch, Switches
    from simulators.siem.judge.judge import Judge


class Switching:
    """Which rules are switched off, and the judge that goes by it."""

    def __init__(self, switches: Switches, judge: Judge) -> None:
        """All rules of `judge` are on."""
        self._switches, self._judge = switches, judge
        self._off: dict[str, Switch] = {}
        self._looked_at = 0.0

    def look(self, now: float, ledger: Ledger) -> None:
        """Switch as the folder says; `ledger` tells of each rule first. `now` is of a steady clock, in seconds."""
        if now - self._looked_at < LOOK:
            return
        self._looked_at = now
        off = self._switches.off(time.time())
        if off == self._off:
            return
        for switch in (switch for rule, switch in self._off.items() if rule not in off):
            ledger.tell_switch(switch, "on")
        for switch in (switch for rule, switch in off.items() if self._off.get(rule) != switch):
            ledger.tell_switch(switch, "off")
        self._judge.switch_off(frozenset(off))
        self._off = off
        publish(SHOWN, "".join(f"{rule}\n" for rule in sorted(off)))
