"""Writes what was found about assets into the log of a host, in the words of docs/events.md, so that a SIEM has it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lab.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lab.assets.matches import Match
    from lab.assets.model import Asset
    from lab.engine.lab import Lab
    from lab.topology.site import Site

PROGRAM = "pacslab-assets"
FUNCTION = "asset-discovery"
"""What a host is for from which assets are looked for."""
LONGEST = 200
"""Characters of a value, as in every event."""
_INFORMATIONAL, _WARNING = 6, 4
"""Priorities of the journal (sd-daemon(3))."""

Event = dict[str, Any]


def telling_host(site: Site) -> str:
    """The host in whose log assets are told of: the one that looks for them, otherwise the firewall."""
    return next(iter(site.with_function(FUNCTION)), site.gateway)


def asset_event(asset: Asset) -> Event:
    """That a host stands in the register."""
    return _event(
        "list-asset",
        peer=asset.host,
        target=asset.addresses[0].address,
        asset_zone=asset.zone,
        owner=asset.owner,
        criticality=asset.criticality,
        regulated=asset.regulated,
    )


def weakness_event(match: Match, host: str) -> Event:
    """That a host has a known weakness; it failed where nobody has decided what to do about it."""
    weakness = match.weakness
    answer = None if weakness.response is None else weakness.response.answer.value
    return _event(
        "find-weakness",
        reason="unanswered-weakness" if answer is None else None,
        peer=host,
        weakness=" ".join(weakness.ids),
        part=match.part,
        severity=weakness.severity,
        answer=answer,
    )


def difference_event(reason: str, **facts: Any) -> Event:
    """That discovery found something else than the description has: ``reason`` is a word of the table of reasons."""
    return _event("find-asset", reason=reason, **facts)


def tell(lab: Lab, host: str, events: Iterable[Event]) -> None:
    """Write events into a host's journal, from where they go where its log goes.

    Raises:
        EngineError: the host does not run, or did not take them.
    """
    lines = [
        f"<{_INFORMATIONAL if event['outcome'] == 'success' else _WARNING}>{json.dumps(event)}" for event in events
    ]
    if not lines:
        return
    done = lab.run(host, ["systemd-cat", f"--identifier={PROGRAM}"], input="\n".join([*lines, ""]).encode())
    if done.code:
        raise EngineError(
            f"{host} did not take {len(lines)} events: {done.stderr.strip()[-300:]}",
            remedy=f"See `pacslab exec {host} -- systemctl status systemd-journald`.",
        )


def _event(action: str, reason: str | None = None, **facts: Any) -> Event:
    time = datetime.now(tz=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    outcome = "success" if reason is None else "failed"
    known = {name: _short(fact) for name, fact in facts.items() if fact not in (None, "")}
    return {"time": time, "action": action, "outcome": outcome, **({"reason": reason} if reason else {}), **known}


def _priority(event: Event) -> int:
    return _INFORMATIONAL if event["outcome"] == "success" else _WARNING


def _short(fact: object) -> object:
    return fact[:LONGEST] if isinstance(fact, str) else fact
