#!/usr/bin/python3 -IS
"""Health probe: every host that sends its log has sent a line lately."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

SENDERS = Path("/etc/pacslab/rsyslog/senders.json")
LOGS = Path("/var/log/pacslab")
COLLECTOR = Path("/run/systemd/units/invocation:rsyslog.service")
"""A link that systemd makes when the collector starts."""
NO_HOST = "-"
"""In place of an address: the lab's own network, which has nothing to say while all goes well."""
SILENT_AFTER = 300.0  # seconds; a host logs every minute that it has fetched the revocation lists


def silent_hosts(now: float) -> list[str]:
    """Return the hosts without a line for so long, though the collector was there."""
    senders = [sender["value"].split() for sender in json.loads(SENDERS.read_text("utf-8"))["table"]]
    hosts = [host for host, address in senders if address != NO_HOST]
    return [host for host in hosts if max(changed(LOGS / f"{host}.jsonl"), changed(COLLECTOR)) < now - SILENT_AFTER]


def changed(path: Path) -> float:
    """Return when a file or link was changed (epoch seconds); 0 if it is not there."""
    try:
        return path.lstat().st_mtime
    except FileNotFoundError:
        return 0.0


def main() -> int:
    """Say which hosts are silent."""
    silent = silent_hosts(time.time())
    if silent:
        sys.stdout.write(f"no line of {', '.join(silent)} for {SILENT_AFTER / 60:.0f} minutes\n")
    return 1 if silent else 0


if __name__ == "__main__":
    sys.exit(main())
