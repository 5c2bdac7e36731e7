"""What somebody does who is root on a host: a service and the audit are stopped, a clock is ahead, a filter is open."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from lab.hospital.hospital import Actor, why
from lab.scenarios.failure import NothingToJudge, require
from lab.scenarios.monitoring.deed import Attempt, Deed
from lab.scenarios.monitoring.facts import detections_of
from lab.scenarios.monitoring.faults import TAKEN_BACK_WITHIN, changed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.hospital.collected import Mark
    from lab.scenarios.monitoring.facts import Scene

SCANNER = Actor("acquisition")
MODALITY, AUDIT = "pacslab-modality.service", "pacslab-audit.service"
PROGRAM = "pacslab-modality"
AHEAD = timedelta(minutes=10)
"""How far a clock is ahead."""
NOBODY = "203.0.113.9"
"""An address for documentation, which nobody has (RFC 5737): a rule for it lets nobody in."""
FILTERS = ("packet-filter", "host-firewall")
"""Services of a host that are healthy while its packet filter is what the site says."""


def scanner(stage: Scene) -> str:
    """A scanner that makes audit messages; the last, as the first has most of the day's work.

    Raises:
        NothingToJudge: the site has none.
    """
    site = stage.hospital.site
    found = [host for host in SCANNER.hosts(site) if "audit_source" in site.hosts[host].roles]
    if not found:
        raise NothingToJudge("no scanner of the site makes audit messages")
    stage.acts(found[-1])
    return found[-1]


def _stopped(unit: str, stage: Scene) -> Attempt:
    """Stop a unit, and start it again."""
    host = scanner(stage)

    def runs() -> bool:
        return stage.hospital.run(host, ["systemctl", "is-active", "--quiet", unit]).code == 0

    stop, start = (["systemctl", word, unit] for word in ("stop", "start"))
    said = f"{unit} of {host} was stopped"
    return Attempt(lambda: changed(stage, host, stop, start, said=said, restored=runs), frozenset({host}))


def _ahead(stage: Scene) -> Attempt:
    """Tell of something that has not happened yet, as a program does on a host whose clock is ahead.

    A container has the clock of its machine: what a clock that was moved leaves is written, and the clock left alone.
    """
    host, detections = scanner(stage), detections_of(stage)

    @contextmanager
    def told() -> Iterator[str]:
        when = (detections.now() + AHEAD).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        event = json.dumps({"time": when, "action": "start", "outcome": "success"})
        done = stage.hospital.run(host, ["logger", "--tag", PROGRAM, "--", event])
        require(done.code == 0, f"{host} told nothing: {why(done)}")
        yield f"{host} tells of what happens {AHEAD} from now"

    return Attempt(told, frozenset({host}))


def _opened(stage: Scene) -> Attempt:
    """Put a rule into the firewall by hand that lets an address in which nobody has."""
    site = stage.hospital.site
    host = site.gateway
    if "audit_source" not in site.hosts[host].roles:
        raise NothingToJudge(f"{host} makes no audit messages")
    stage.acts(host)
    return Attempt(partial(_rule, stage, host), frozenset({host}))


@contextmanager
def _rule(stage: Scene, host: str) -> Iterator[str]:
    mark = stage.hospital.collected.mark(host)
    added = stage.hospital.run(
        host, ["nft", "--echo", "--handle", f"insert rule inet filter forward ip saddr {NOBODY} accept"]
    )
    handle = re.search(r"# handle (\d+)", added.stdout)
    try:
        require(added.code == 0 and handle, f"{host} took no rule: {why(added)}")
        yield f"a rule of {host} lets {NOBODY} through"
    finally:
        delete = f"delete rule inet filter forward handle {handle[1]}" if handle else "list tables"
        taken = stage.hospital.run(host, ["nft", delete])
        require(taken.code == 0, f"the rule of {host} was not taken out: {why(taken)}")
        _until_well(stage, host, mark)


def _until_well(stage: Scene, host: str, mark: Mark) -> None:
    """Wait until the host has told that its filter is what the site says again."""
    line = stage.hospital.collected.wait(host, mark, _is_well, timeout=TAKEN_BACK_WITHIN)
    require(line is not None, f"{host} does not tell that its packet filter is right again")


def _is_well(line: dict[str, object]) -> bool:
    data = line.get("data")
    if not isinstance(data, dict):
        return False
    told = (data.get("action"), data.get("outcome"))
    return told == ("change-health", "success") and data.get("service") in FILTERS


def _administrator(stage: Scene) -> Attempt:
    """Have an account that may do nothing join the group whose members become root.

    At the directory the same is seen where it goes by its server, which what its host's root does need not
    (docs/detections.md).
    """
    host = scanner(stage)
    join, leave = ["usermod", "--append", "--groups", GROUP, ACCOUNT], ["gpasswd", "--delete", ACCOUNT, GROUP]
    said = f"{ACCOUNT} joined {GROUP} at {host}"
    return Attempt(lambda: changed(stage, host, join, leave, said=said), frozenset({ACCOUNT}))


GROUP, ACCOUNT = "sudo", "nobody"


ROOT = partial(Deed, by=SCANNER, transaction="")

DEEDS = (
    ROOT(
        "service-stopped", "A service of a scanner is stopped", rule="service-stopped",
        ready=partial(_stopped, MODALITY),
    ),
    ROOT(
        "audit-stopped", "Audit messages of a scanner are stopped", rule="audit-stopped",
        ready=partial(_stopped, AUDIT),
    ),
    ROOT("clock-ahead", "A scanner's clock is ahead", rule="clock-ahead", ready=_ahead),
    ROOT(
        "filter-opened", "A rule is put into the firewall by hand", rule="packet-filter-opened", ready=_opened,
        within=20.0,
    ),
    ROOT(
        "new-administrator", "An account becomes an administrator of a scanner", rule="local-account-changed",
        ready=_administrator,
    ),
)  # fmt: skip
