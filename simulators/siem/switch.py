"""Switches a rule off for a while, or on again, and waits until the core judges without it, or with it."""

from __future__ import annotations

import os
import time
from pathlib import Path

from simulators.errors import ArgumentError, NotReadyError, RefusedError
from simulators.events import reasons
from simulators.siem.behaviour.detector import ALERTS
from simulators.siem.core.switches import FOLDER, LONGEST, SHOWN, Switch, Switches
from simulators.siem.sigma.read import RULES

RUNTIME = Path("/run/pacslab-siem")
TAKEN_WITHIN = 10.0
"""Seconds in which the core has to judge by it."""
POLL = 0.05


class NotRootError(RefusedError):
    """Somebody else than root would switch a rule."""

    reason = reasons.OTHER_USER


def names() -> set[str]:
    """Return the names of all rules: of their files, and of the kinds of alerts of what is not usual."""
    import yaml  # noqa: PLC0415 - as the judge itself, a host without it has no rules

    return {path.stem for path in RULES.glob("*.yml")} | set(yaml.safe_load(ALERTS.read_text("utf-8")))


def switch_off(
    rule: str, seconds: float, why: str, *, folder: Path = Path(FOLDER), runtime: Path = RUNTIME, root: int = 0
) -> Switch:
    """Switch a rule off, for no longer than it is said.

    Args:
        rule: name of the rule's file, without its ending.
        seconds: after which it is on again by itself.
        why: for the record.
        folder: where the core looks.
        runtime: where the core says what it goes by.
        root: user id that may.

    Raises:
        ArgumentError: there is no such rule, or the time is too long.
        NotRootError: it is not root who asks.
        NotReadyError: the core does not go by it.
    """
    _may(root)
    if rule not in names():
        raise ArgumentError(f"there is no rule {rule!r}", remedy="See docs/detections.md.")
    if not 0 < seconds <= LONGEST:
        raise ArgumentError(f"{seconds:g} is no time", remedy=f"Say {LONGEST:g} seconds at most.")
    switch = Switch(rule, time.time() + seconds, os.environ.get("SUDO_USER", "root"), why)
    Switches(folder, root).put(switch)
    try:
        _wait(runtime, rule, off=True)
    except NotReadyError:
        Switches(folder, root).remove(rule)
        raise
    return switch


def switch_on(rule: str, *, folder: Path = Path(FOLDER), runtime: Path = RUNTIME, root: int = 0) -> None:
    """Switch a rule on again; one that is on stays so.

    Raises:
        NotRootError: it is not root who asks.
        NotReadyError: the core does not go by it.
    """
    _may(root)
    if Path(rule).name != rule:
        raise ArgumentError(f"there is no rule {rule!r}", remedy="See docs/detections.md.")
    Switches(folder, root).remove(rule)
    _wait(runtime, rule, off=False)


def _may(root: int) -> None:
    if os.geteuid() != root:
        raise NotRootError("only root may switch rules", remedy="Ask who runs the repository's host.")


def _wait(runtime: Path, rule: str, *, off: bool) -> None:
    deadline = time.monotonic() + TAKEN_WITHIN
    while (rule in _shown(runtime)) is not off:
        if time.monotonic() > deadline:
            raise NotReadyError(
                f"the core does not take rule {rule} {'out' if off else 'in'}",
                remedy="See `systemctl status pacslab-siem`, and whether rules judge (`siem_rules`).",
            )
        time.sleep(POLL)


def _shown(runtime: Path) -> set[str]:
    try:
        return set((runtime / SHOWN).read_text("utf-8").split())
    except FileNotFoundError:
        return set()
