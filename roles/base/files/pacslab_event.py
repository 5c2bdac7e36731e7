"""Write what a program of this host did as one line of JSON, with the keys of docs/events.md, to the journal.

Programs in this folder import it; the words come from the tables in simulators/events, which hosts need not carry.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime

LEVELS = {"success": 6}  # priorities of the journal (sd-daemon(3)); every other outcome is a warning


def write_event(action: str, outcome: str = "success", reason: str | None = None, **facts: object) -> None:
    """Write an event; facts that are None are left out."""
    time = datetime.now(tz=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    event = {"time": time, "action": action, "outcome": outcome, "reason": reason, **facts}
    known = {name: fact for name, fact in event.items() if fact is not None}
    sys.stdout.write(f"<{LEVELS.get(outcome, 4)}>{json.dumps(known)}\n")
    sys.stdout.flush()
